import Base

@testable import Consensus

/// Runs a scenario file: lines that begin with "> " are commands, the lines under each say what it did. Comments and empty
/// lines stay. After each command every invariant is checked.
///
/// Commands:
///
///     cluster COUNT [thrifty=off] [frame=BYTES] [window=FRAMES] [outgoing=ID,…] [voters=ID,…] [learners=ID,…]
///     disk ID TERM [TERMS…]            start over with this log on disk, in this term
///     wait MILLISECONDS                time passes; nothing fires
///     tick ID…                         timers that are due fire
///     campaign ID                      its election timer fires now
///     deliver [A->B] [COUNT]           in order; without a pair until nothing is in flight. `A->` and `->B` stand for many
///     drop [A->B]
///     persist ID… | all                writes on their way become durable
///     sync ID                          the oldest of them does
///     settle                           deliver and persist until all is quiet
///     propose ID TEXT   read ID NUMBER   transfer ID TARGET   announce ID PEER
///     crash ID [KEPT]   start ID       of the writes on their way KEPT had reached the disk
///     disconnect A B   connect A B     both ends are told; what is in flight between them is lost
///     compact ID [KEPT]                it writes a state file of all that it applied, and keeps KEPT entries before that
///     install ID                       it fetches the state file that its leader has for it
///     status   logs   network
final class Scenario {
    private var cluster = TestCluster(1)
    private var output: [String] = []
    private var known: [NodeID: String] = [:]
    private(set) var violations: [String] = []

    /// The file as it should be.
    func run(_ text: String) -> String {
        var result: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("> ") {
                result.append(String(line))
                output = []
                execute(line.dropFirst(2).split(separator: " ").map(String.init))
                cluster.checkLogMatching()
                output += cluster.violations.map { "VIOLATION \($0)" }
                violations += cluster.violations
                cluster.violations = []
                result += output
            } else if line.hasPrefix("#") || line.isEmpty {
                result.append(String(line))
            }
        }
        return result.joined(separator: "\n")
    }

    private func execute(_ words: [String]) {
        let arguments = Array(words.dropFirst())
        switch words.first {
        case "cluster": makeCluster(arguments)
        case "disk": setDisk(arguments)
        case "wait": cluster.advance(.milliseconds(UInt64(number(arguments, 0))))
        case "tick": for id in arguments { cluster.tick(member(id)) }
        case "campaign": cluster.campaign(number(arguments, 0))
        case "deliver": deliver(arguments)
        case "drop": drop(arguments)
        case "persist": persist(arguments)
        case "sync": cluster.sync(member(arguments[0]))
        case "settle": settle()
        case "propose": propose(arguments)
        case "read": cluster.read(member(arguments[0]), id: UInt64(number(arguments, 1)))
        case "transfer": transfer(arguments)
        case "announce": announce(arguments)
        case "crash": cluster.crash(member(arguments[0]), kept: arguments.count > 1 ? number(arguments, 1) : 0)
        case "start": cluster.start(member(arguments[0]))
        case "disconnect": reset(arguments, isConnected: false)
        case "connect": reset(arguments, isConnected: true)
        case "compact":
            cluster.compact(member(arguments[0]), keeping: arguments.count > 1 ? UInt64(number(arguments, 1)) : 0)
            output.append("  base \(cluster.raft(number(arguments, 0)).log.baseIndex)")
        case "install": install(member(arguments[0]))
        case "status": status()
        case "logs": logs()
        case "network": output += cluster.network.map { "  \(Words.message($0))" }
        default: output.append("unknown command")
        }
    }

    private func number(_ arguments: [String], _ position: Int) -> Int {
        guard position < arguments.count, let value = Int(arguments[position]) else { fatalError("a number is missing") }
        return value
    }

    private func member(_ text: String) -> TestMember {
        guard let id = Int(text) else { fatalError("not a member: \(text)") }
        return cluster[id]
    }

    private func nodes(_ text: Substring) -> [NodeID] { text.split(separator: ",").compactMap { UInt32($0).map { NodeID($0) } } }

    // MARK: Set-up

    private func makeCluster(_ arguments: [String]) {
        var voters = (1...number(arguments, 0)).map { NodeID(UInt32($0)) }
        var outgoing: [NodeID] = []
        var learners: [NodeID] = []
        var edits: [(inout RaftOptions) -> Void] = []
        for argument in arguments.dropFirst() {
            let parts = argument.split(separator: "=")
            switch parts[0] {
            case "voters": voters = nodes(parts[1])
            case "outgoing": outgoing = nodes(parts[1])
            case "learners": learners = nodes(parts[1])
            case "thrifty": edits.append { $0.thrifty = parts[1] != "off" }
            case "frame": edits.append { $0.appendBytesMax = Int(parts[1]) ?? 1 }
            case "window": edits.append { $0.inFlightMax = Int(parts[1]) ?? 1 }
            default: output.append("unknown option \(argument)")
            }
        }
        let configuration = Configuration(voters: voters, outgoing: outgoing, learners: learners)
        cluster = TestCluster(configuration) { options in for edit in edits { edit(&options) } }
        known = [:]
        for member in cluster.members { if let raft = member.raft { known[raft.options.id] = standing(raft) } }
        cluster.onEffects = { [unowned self] member, effects in describe(member, effects) }
    }

    private func setDisk(_ arguments: [String]) {
        let member = member(arguments[0])
        cluster.crash(member)
        member.disk = TestDisk()
        member.disk.hardState = HardState(term: Term(UInt64(number(arguments, 1))))
        member.disk.entries = makeEntries(arguments.dropFirst(2).compactMap { UInt64($0) })
        known[member.options.id] = "follower of term \(member.disk.hardState.term), leader -"
        cluster.start(member)
    }

    // MARK: Steps

    private func describe(_ member: TestMember, _ effects: RaftEffects) {
        guard let raft = member.raft else { return }
        let id = raft.options.id
        let standing = standing(raft)
        if known[id] != standing { output.append("  \(id) is \(standing)") }
        known[id] = standing
        for message in effects.messages { output.append("  \(Words.message(message))") }
        if let write = effects.persist { output.append("  \(id) \(Words.write(write))") }
        if !effects.committed.isEmpty { output.append("  \(id) commits \(Words.entries(effects.committed))") }
        for grant in effects.readable { output.append("  \(id) may read \(grant.id) at \(grant.index)") }
        for read in effects.failedReads { output.append("  \(id) fails read \(read)") }
        for install in effects.installs {
            output.append("  \(id) wants state file \(install.index)/\(install.term) from \(install.from)")
        }
        for load in effects.loads { output.append("  \(id) loads from \(load.from) for \(load.peer)") }
    }

    private func standing(_ raft: Raft) -> String {
        "\(Words.role(raft)) of term \(raft.term)" + (raft.role == .follower ? ", leader \(Words.node(raft.leader))" : "")
    }

    private func matches(_ message: Message, _ pair: String?) -> Bool {
        guard let pair, let arrow = pair.firstRange(of: "->") else { return true }
        let from = pair[..<arrow.lowerBound]
        let to = pair[arrow.upperBound...]
        return (from.isEmpty || "\(message.from)" == from) && (to.isEmpty || "\(message.to)" == to)
    }

    private func deliver(_ arguments: [String]) {
        let pair = arguments.first { $0.contains("->") }
        var left =
            arguments.compactMap { Int($0) }.first ?? (pair == nil ? 10_000 : cluster.network.filter { matches($0, pair) }.count)
        while left > 0, let position = cluster.network.firstIndex(where: { matches($0, pair) }) {
            left -= 1
            let message = cluster.network.remove(at: position)
            output.append("\(Words.message(message))")
            cluster.deliver(message)
        }
    }

    private func drop(_ arguments: [String]) {
        cluster.network.removeAll { matches($0, arguments.first) }
    }

    private func persist(_ arguments: [String]) {
        let members = arguments == ["all"] ? cluster.members.filter { $0.raft != nil } : arguments.map { member($0) }
        for member in members {
            while let write = member.disk.pending.first {
                output.append("\(member.options.id) write \(write.sequence) is durable")
                cluster.sync(member)
            }
        }
    }

    /// Says only what comes of it: the new standings and commits.
    private func settle() {
        let begin = output.count
        cluster.settle()
        output.replaceSubrange(begin..., with: output[begin...].filter { !$0.contains("->") && !$0.contains("write") })
    }

    private func propose(_ arguments: [String]) {
        switch cluster.propose(member(arguments[0]), arguments[1]) {
        case .appended(let index, let term): output.insert("  appended at \(index)/\(term)", at: 0)
        case .notLeader(let hint): output.insert("  not the leader, ask \(Words.node(hint))", at: 0)
        case .overloaded: output.insert("  overloaded", at: 0)
        case .transferring: output.insert("  transferring", at: 0)
        case nil: output.append("  is down")
        }
    }

    private func transfer(_ arguments: [String]) {
        let now = cluster.now
        let target = arguments.count > 1 ? NodeID(UInt32(number(arguments, 1))) : nil
        switch cluster.step(member(arguments[0]), { $0.transferLeadership(to: target, now: now) }) {
        case .started(let node): output.insert("  to \(node)", at: 0)
        case .notLeader(let hint): output.append("  not the leader, ask \(Words.node(hint))")
        case .noCandidate: output.append("  no candidate")
        case .alreadyInProgress: output.append("  already in progress")
        case nil: output.append("  is down")
        }
    }

    private func announce(_ arguments: [String]) {
        let peer = NodeID(UInt32(number(arguments, 1)))
        cluster.step(member(arguments[0])) { $0.announceCommit(to: peer) }
    }

    private func install(_ member: TestMember) {
        switch cluster.install(member) {
        case .notNeeded: output.append("  not needed")
        case .kept: output.append("  the log behind it stays")
        case .restarted: output.append("  the log begins anew")
        case nil: output.append("  nothing installed")
        }
    }

    private func reset(_ arguments: [String], isConnected: Bool) {
        let pair = [number(arguments, 0), number(arguments, 1)]
        let ends = pair.map { NodeID(UInt32($0)) }.sorted()
        cluster.cut.removeAll { $0 == ends }
        cluster.network.removeAll { [$0.from, $0.to].sorted() == ends }
        if !isConnected { cluster.cut.append(ends) }
        cluster.reset(cluster[pair[0]], peer: pair[1], isConnected: isConnected)
        cluster.reset(cluster[pair[1]], peer: pair[0], isConnected: isConnected)
    }

    // MARK: Views

    private func status() {
        for member in cluster.members {
            guard let raft = member.raft else {
                output.append("  \(member.options.id) is down")
                continue
            }
            output.append("  \(member.options.id) \(Words.status(raft))")
            for peer in raft.peers {
                output.append("    \(peer.peer) \(peer.state) match \(peer.matchIndex) next \(peer.nextIndex)")
            }
        }
    }

    private func logs() {
        for member in cluster.members {
            let first = member.raft?.log.baseIndex.next ?? LogIndex(1)
            let terms = (member.raft?.entries(from: first, through: member.raft?.lastIndex ?? .zero) ?? []).map {
                "\($0.term)"
            }
            let base = first > LogIndex(1) ? "(\(first.previous)/\(member.raft?.log.baseTerm ?? .zero)) " : ""
            output.append("  \(member.options.id): " + base + (member.raft == nil ? "down" : terms.joined(separator: " ")))
        }
    }
}
