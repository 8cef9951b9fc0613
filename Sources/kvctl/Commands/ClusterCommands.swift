import ArgumentParsing
import Base
import CLinux
import Glibc

/// `kvctl cluster …`: a cluster of `kvd` processes on this machine.
enum ClusterCommands {
    /// How long a node may take to end when asked to.
    static let stopTimeout = Nanoseconds.milliseconds(10_000)

    /// The node that `<node>` names.
    private static func node(_ values: Values, _ cluster: ClusterFile) throws(Failure) -> ClusterFile.Node {
        let id = values[Tool.node]
        guard let node = cluster.nodes.first(where: { $0.id == id }) else {
            throw .usage("there is no node \(id): this cluster has nodes 1 to \(cluster.nodes.count)")
        }
        return node
    }

    /// `down`: asks every node to end, waits, and ends by force what does not.
    static func down(_ values: Values) throws(Failure) -> Int32 {
        let directory = ClusterDirectory(values[Tool.data])
        let cluster = try directory.file()
        let running = cluster.nodes.filter { directory.process(of: $0) != nil }
        if running.isEmpty {
            Console.output("no node is running\n")
            return 0
        }
        return stop(directory, running) ? 0 : 1
    }

    /// Sends SIGTERM to nodes and waits for them; says what became of each. True when all ended by themselves.
    static func stop(_ directory: ClusterDirectory, _ nodes: [ClusterFile.Node]) -> Bool {
        var left: [(node: ClusterFile.Node, process: NodeProcess)] = []
        for node in nodes {
            guard let process = directory.process(of: node) else { continue }
            process.signal(SIGTERM)
            // A paused process gets the signal only when it goes on.
            if process.state == .paused { process.signal(SIGCONT) }
            left.append((node, process))
        }
        let deadline = monotonicNow() + stopTimeout
        var allGood = true
        while !left.isEmpty {
            // Ended children stay until someone asks for their status.
            var status: Int32 = 0
            var codes: [pid_t: Int32] = [:]
            while true {
                let id = waitpid(-1, &status, WNOHANG)
                if id <= 0 { break }
                codes[id] = status
            }
            let late = !(monotonicNow() < deadline)
            left = left.filter { node, process in
                if process.state == .stopped {
                    let ending = codes[process.id].map { ProcessEnding(status: $0) }
                    if let ending, !ending.isGood { allGood = false }
                    Console.output(
                        "node \(node.id) (pid \(process.id)) \(ending.map { $0.isGood ? "stopped" : $0.text } ?? "stopped")\n")
                    return false
                }
                if late {
                    process.signal(SIGKILL)
                    allGood = false
                    Console.error(
                        "node \(node.id) (pid \(process.id)) did not end within \(stopTimeout.rawValue / 1_000_000_000) s: killed\n"
                    )
                }
                return !late
            }
            if !left.isEmpty { poll(nil, 0, 10) }
        }
        return allGood
    }

    /// `kill N`: SIGKILL, the way a crash looks.
    static func kill(_ values: Values) throws(Failure) -> Int32 {
        try signal(values, SIGKILL, "killed") { $0 == .stopped }
    }

    /// `pause N`: SIGSTOP, the way a machine that hangs looks.
    static func pause(_ values: Values) throws(Failure) -> Int32 {
        try signal(values, SIGSTOP, "paused") { $0 != .running }
    }

    /// `resume N`: SIGCONT.
    static func resume(_ values: Values) throws(Failure) -> Int32 {
        try signal(values, SIGCONT, "resumed") { $0 != .paused }
    }

    private static func signal(
        _ values: Values, _ number: Int32, _ done: String, until reached: (NodeProcess.State) -> Bool
    ) throws(Failure) -> Int32 {
        let directory = ClusterDirectory(values[Tool.data])
        let cluster = try directory.file()
        let node = try node(values, cluster)
        guard let process = directory.process(of: node) else {
            throw Failure("node \(node.id) is not running; start it with 'kvctl cluster start \(node.id)'")
        }
        process.signal(number)
        let deadline = monotonicNow() + .milliseconds(5000)
        while !reached(process.state) {
            if deadline < monotonicNow() {
                throw Failure("node \(node.id) (pid \(process.id)) is \(process.state.rawValue) still")
            }
            poll(nil, 0, 5)
        }
        Console.output("node \(node.id) (pid \(process.id)) \(done)\n")
        return 0
    }

    /// `start N`: starts a node again and waits until it answers.
    static func start(_ values: Values) throws(Failure) -> Int32 {
        let directory = ClusterDirectory(values[Tool.data])
        let cluster = try directory.file()
        let node = try node(values, cluster)
        if let process = directory.process(of: node) {
            throw Failure("node \(node.id) is \(process.state.rawValue) already (pid \(process.id))")
        }
        let lock = try directory.lock()
        defer { close(lock) }
        try ClusterUp.requireFreePorts(of: [node])
        let process = try directory.start(node, in: cluster, server: try ClusterDirectory.serverPath())
        let deadline = monotonicNow() + .milliseconds(UInt64(values[Tool.wait]) * 1000)
        while true {
            var status = NodeStatus(id: node.id, client: node.client, peer: node.peer, process: process.id, state: .running)
            status.ask(timeout: .milliseconds(500))
            if status.state == .running { break }
            var code: Int32 = 0
            if waitpid(process.id, &code, WNOHANG) == process.id {
                throw Failure("node \(node.id) \(ProcessEnding(status: code).text); \(directory.lastWords(of: node))")
            }
            if deadline < monotonicNow() {
                throw Failure(
                    "node \(node.id) (pid \(process.id)) runs but does not answer yet; \(directory.lastWords(of: node))")
            }
            poll(nil, 0, 20)
        }
        Console.output("node \(node.id) runs (pid \(process.id))\n")
        return 0
    }
}

/// How a process ended, from its wait status.
struct ProcessEnding: Equatable {
    let isGood: Bool
    let text: String

    init(status: Int32) {
        let signal = status & 0x7F
        let code = (status >> 8) & 0xFF
        isGood = status == 0
        if signal != 0 {
            text = "was ended by signal \(signal) (\(String(cString: strsignal(signal))))"
        } else {
            text = "ended with exit code \(code)"
        }
    }
}
