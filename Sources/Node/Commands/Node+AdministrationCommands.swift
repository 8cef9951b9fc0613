import Base
import Consensus
import Database
import RESP

/// Commands for operators: DEBUG, ROLE, WAIT, and the KV commands that `kvctl` uses.
extension Node {
    // MARK: KV

    func kvStatus(_ connection: ClientConnection) {
        let raft = group.raft
        let writer = connection.writer
        var fields: [(String, String)] = [
            ("id", "\(id)"),
            ("incarnation", "\(incarnation)"),
            ("cluster-id", "\(options.clusterID)"),
            ("version", Version.coracle),
            ("role", Node.text(raft.role)),
            ("term", "\(raft.term)"),
            ("leader", "\(raft.leader?.rawValue ?? 0)"),
            ("commit-index", "\(raft.commitIndex)"),
            ("applied-index", "\(group.machine.appliedIndex)"),
            ("last-index", "\(raft.lastIndex)"),
            ("durable-index", "\(raft.durableIndex)"),
            ("log-bytes", "\(log.diskBytes)"),
            ("connected-clients", "\(clients.count)"),
            ("keys", "\((0..<16).reduce(0) { $0 + group.machine.keyCount($1) })"),
            ("used-memory", "\(group.machine.usedMemory)"),
            ("uptime-seconds", "\((now.instant - startedAt).rawValue / 1_000_000_000)"),
            ("proposals-waiting-bytes", "\(group.proposals.bytes)"),
        ]
        for peer in raft.peers {
            fields.append(("peer-\(peer.peer)-match", "\(peer.matchIndex)"))
            fields.append(("peer-\(peer.peer)-active", peer.recentActive ? "1" : "0"))
        }
        writer.map(fields.count)
        for (name, value) in fields {
            writer.bulk(text: name)
            if let number = Int64(value), name != "cluster-id" { writer.integer(number) } else { writer.bulk(text: value) }
        }
    }

    static func text(_ role: Role) -> String {
        switch role {
        case .leader: "leader"
        case .follower: "follower"
        case .preCandidate, .candidate: "candidate"
        }
    }

    /// KV.TRANSFER-LEADER [node]: answered when the transfer has begun; the new leader shows in KV.STATUS.
    func kvTransferLeader(_ connection: ClientConnection) {
        var target: NodeID?
        if arguments.count > 1 {
            guard let number = parseInteger(arguments[1]), number > 0, number <= Int64(UInt32.max),
                options.members.contains(where: { $0.id.rawValue == UInt32(number) })
            else { return replyError(connection, "ERR no such node in this cluster") }
            target = NodeID(UInt32(number))
        }
        if let target, target == group.raft.leader { return connection.writer.ok() }
        switch group.raft.transferLeadership(to: target, now: now) {
        case .started(let successor):
            log(.notice, "handing leadership to node \(successor), as asked by \(connection.address)")
            isTurnWanted = true
            connection.writer.ok()
        case .notLeader(let hint):
            replyError(connection, hint.map { "NOTLEADER node \($0) leads: ask it" } ?? "NOTLEADER no leader is known")
        case .noCandidate:
            replyError(connection, "ERR no other node is connected and up to date: leadership stays here")
        case .alreadyInProgress:
            replyError(connection, "ERR leadership is already being handed on")
        }
    }

    // MARK: DEBUG

    func debugSleep(_ connection: ClientConnection) {
        guard let seconds = parseDouble(arguments[2]), seconds >= 0, seconds <= 3600 else {
            return replyError(connection, "ERR DEBUG SLEEP takes 0 to 3600 seconds")
        }
        // Only this connection sleeps: the node has promises to others.
        connection.sleepsUntil = now.instant + Nanoseconds(UInt64(seconds * 1e9))
        connection.isStalled = true
        sleeping.append(connection.id)
    }

    // MARK: replication in Redis's words

    func role(_ connection: ClientConnection) {
        let writer = connection.writer
        if group.raft.role == .leader {
            let peers = group.raft.peers.filter { $0.recentActive }
            writer.array(3)
            writer.bulk("master")
            writer.integer(Int64(group.raft.commitIndex.rawValue))
            writer.array(peers.count)
            for peer in peers {
                let (host, port) = Node.split(address(of: peer.peer))
                writer.array(3)
                writer.bulk(text: host)
                writer.bulk(text: port)
                writer.bulk(text: "\(peer.matchIndex)")
            }
            return
        }
        let (host, port) = Node.split(group.raft.leader.map { address(of: $0) } ?? "")
        writer.array(5)
        writer.bulk("slave")
        writer.bulk(text: host)
        writer.integer(Int64(port) ?? 0)
        writer.bulk(text: group.raft.leader == nil ? "connect" : "connected")
        writer.integer(Int64(group.machine.appliedIndex.rawValue))
    }

    private func address(of peer: NodeID) -> String { options.members.first { $0.id == peer }?.address ?? "" }

    private static func split(_ address: String) -> (host: String, port: String) {
        guard let colon = address.lastIndex(of: ":") else { return (address, "0") }
        return (String(address[..<colon]), String(address[address.index(after: colon)...]))
    }

    /// WAIT: every write that was answered is on a majority already. The number is of the other nodes known to have
    /// everything committed; a node that does not lead knows of a majority.
    func wait(_ connection: ClientConnection) {
        if parseInteger(arguments[1]) == nil {
            return replyError(connection, "ERR value is not an integer or out of range")
        }
        guard let timeout = parseInteger(arguments[2]) else {
            return replyError(connection, "ERR timeout is not an integer or out of range")
        }
        if timeout < 0 { return replyError(connection, "ERR timeout is negative") }
        connection.writer.integer(followersReached)
    }

    /// WAITAOF: what WAIT says, of disks: an acknowledged write is on those of a majority, which counts as one disk here and the rest
    /// elsewhere.
    func waitForDisks(_ connection: ClientConnection) {
        guard let local = parseInteger(arguments[1]), let wanted = parseInteger(arguments[2]) else {
            return replyError(connection, "ERR value is not an integer or out of range")
        }
        if local < 0 || local > 1 {
            return replyError(connection, "ERR value is out of range, value must between 0 and 1")
        }
        if wanted < 0 { return replyError(connection, "ERR value is out of range, must be positive") }
        guard let timeout = parseInteger(arguments[3]) else {
            return replyError(connection, "ERR timeout is not an integer or out of range")
        }
        if timeout < 0 { return replyError(connection, "ERR timeout is negative") }
        connection.writer.array(2)
        connection.writer.integer(1)
        connection.writer.integer(followersReached)
    }

    /// Nodes besides one that are known to have everything that is committed on their disks.
    private var followersReached: Int {
        let majority = options.members.count / 2
        if group.raft.role != .leader { return majority }
        return max(majority, group.raft.peers.filter { $0.matchIndex >= group.raft.commitIndex }.count)
    }
}
