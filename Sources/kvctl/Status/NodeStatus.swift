import Base
import Glibc
import RESP

/// What is known of one node: its process here, if it has one, and what it says of itself.
package struct NodeStatus: Equatable, Sendable {
    /// Whether it can be worked with.
    package enum State: String, Sendable {
        case running
        case stopped
        case paused
        /// Its process may run, but it does not answer.
        case unreachable
    }

    package var id: Int
    package var client: Address
    package var peer: Address?
    package var process: pid_t?
    package var state: State
    /// The figures of KV.STATUS as they came: name and value, in order.
    package var figures: [(name: String, value: Reply)] = []
    /// Why it is unreachable.
    package var reason = ""

    package init(id: Int, client: Address, peer: Address?, process: pid_t?, state: State) {
        self.id = id
        self.client = client
        self.peer = peer
        self.process = process
        self.state = state
    }

    package static func == (a: NodeStatus, b: NodeStatus) -> Bool {
        a.id == b.id && a.client == b.client && a.peer == b.peer && a.process == b.process && a.state == b.state
            && a.figures.map { $0.name } == b.figures.map { $0.name } && a.figures.map { $0.value } == b.figures.map { $0.value }
    }

    /// A figure as text; nil when the node does not give it.
    package func text(_ name: String) -> String? {
        guard let value = figures.first(where: { $0.name == name })?.value else { return nil }
        if case .integer(let number) = value { return "\(number)" }
        return value.text
    }

    /// A figure as a number.
    package func number(_ name: String) -> Int64? { text(name).flatMap { Int64($0) } }

    /// Whether it says that it leads.
    package var leads: Bool { text("role") == "leader" }

    /// Takes the reply of KV.STATUS, an array or map of names and values.
    ///
    /// - Throws: when it is something else: the server is no kvd.
    package mutating func take(_ reply: Reply) throws(Failure) {
        if reply.isError { throw Failure("\(client): \(reply.text ?? "error")") }
        guard let elements = reply.elements, elements.count % 2 == 0 else {
            throw Failure("\(client) answers KV.STATUS with something else; is it a kvd?")
        }
        figures = stride(from: 0, to: elements.count, by: 2).map { (elements[$0].text ?? "", elements[$0 + 1]) }
    }

    /// Asks the node for its figures.
    mutating func ask(timeout: Nanoseconds = .milliseconds(1000)) {
        let deadline = monotonicNow() + timeout
        do throws(Failure) {
            let connection = try Connection(to: client, timeout: timeout)
            try take(try connection.ask(["KV.STATUS"], deadline: deadline))
            if let said = number("id") { id = Int(said) }
        } catch {
            state = .unreachable
            reason = error.message
        }
    }
}

/// The nodes of a cluster at one moment.
package struct ClusterStatus: Sendable {
    package var nodes: [NodeStatus]

    package init(_ nodes: [NodeStatus]) { self.nodes = nodes }

    /// Asks every node of a local cluster.
    static func gather(_ directory: ClusterDirectory, _ cluster: ClusterFile, timeout: Nanoseconds = .milliseconds(1000))
        -> ClusterStatus
    {
        ClusterStatus(
            cluster.nodes.map { node in
                let process = directory.process(of: node)
                var status = NodeStatus(
                    id: node.id, client: node.client, peer: node.peer, process: process?.id,
                    state: process.map { $0.state == .paused ? .paused : .running } ?? .stopped)
                if status.state == .running { status.ask(timeout: timeout) }
                return status
            })
    }

    /// The leader that most can be said for: of those that say they lead, the one of the highest term.
    package var leader: NodeStatus? {
        nodes.filter { $0.leads }.max { ($0.number("term") ?? 0) < ($1.number("term") ?? 0) }
    }

    /// How many entries a node has still to apply of those that are known to be committed anywhere.
    package func lag(of node: NodeStatus) -> Int64? {
        guard let applied = node.number("applied-index") else { return nil }
        let committed = nodes.compactMap { $0.number("commit-index") }.max() ?? applied
        return max(0, committed - applied)
    }
}
