import ArgumentParsing
import Base
import Glibc

/// `kvctl status`, `kvctl cluster status`: what every node says of itself.
enum StatusCommand {
    /// Prints the table, or JSON; fails when no node is running.
    static func run(_ values: Values) throws(Failure) -> Int32 {
        let status: ClusterStatus
        if let server = values[ifGiven: Tool.server] {
            var node = NodeStatus(id: 0, client: server, peer: nil, process: nil, state: .running)
            node.ask()
            if node.state == .unreachable { throw Failure(node.reason) }
            status = ClusterStatus([node])
        } else {
            let directory = ClusterDirectory(values[Tool.data])
            status = ClusterStatus.gather(directory, try directory.file())
        }
        Console.output(values[Tool.json] ? StatusText.json(status) : StatusText.table(status))
        return status.nodes.contains { $0.state == .running } ? 0 : 1
    }
}

/// `kvctl transfer-leader`: hands leadership to another node, planned, without an election's pause.
enum TransferCommand {
    static let secondsMax: UInt64 = 10

    /// Asks the leader and waits until the new one shows.
    static func run(_ values: Values) throws(Failure) -> Int32 {
        let directory = ClusterDirectory(values[Tool.data])
        let cluster = try directory.file()
        guard let leader = ClusterStatus.gather(directory, cluster).leader else {
            throw Failure("no node says that it leads; see 'kvctl status'")
        }
        let target = values[ifGiven: Tool.to]
        if let target, !cluster.nodes.contains(where: { $0.id == target }) { throw .usage("there is no node \(target)") }
        if target == leader.id {
            Console.output("node \(leader.id) leads already (term \(leader.text("term") ?? "?"))\n")
            return 0
        }
        let deadline = monotonicNow() + .milliseconds(secondsMax * 1000)
        let connection = try Connection(to: leader.client)
        let reply = try connection.ask(["KV.TRANSFER-LEADER"] + (target.map { ["\($0)"] } ?? []), deadline: deadline)
        if reply.isError { throw Failure("node \(leader.id): \(reply.text ?? "error")") }
        let started = monotonicNow()
        while monotonicNow() < deadline {
            let status = ClusterStatus.gather(directory, cluster, timeout: .milliseconds(500))
            if let now = status.leader, now.id != leader.id, (now.number("term") ?? 0) > (leader.number("term") ?? 0) {
                if let target, now.id != target {
                    throw Failure("node \(now.id) leads now, not node \(target): it won another election meanwhile")
                }
                let took = fixed(Double((monotonicNow() - started).rawValue) / 1e6, 0)
                Console.output(
                    "node \(now.id) leads (term \(now.text("term") ?? "?")), seen \(took) ms after the transfer began\n")
                return 0
            }
            poll(nil, 0, 10)
        }
        throw Failure("the transfer began, but no other leader showed within \(secondsMax) s; see 'kvctl status'")
    }
}
