import ArgumentParsing
import Base
import CLinux
import Glibc

/// `kvctl cluster up`: makes a cluster or starts it again, waits for a leader, and in the foreground stays until Ctrl-C.
struct ClusterUp {
    private let directory: ClusterDirectory
    private let cluster: ClusterFile
    private let isNew: Bool
    private var processes: [Int: NodeProcess] = [:]
    /// SIGINT, SIGTERM and SIGHUP: blocked, and taken where this waits.
    private var stopSignals = sigset_t()

    /// The command.
    static func run(_ values: Values) throws(Failure) -> Int32 {
        var up = try ClusterUp(values)
        return try up.run(values)
    }

    private init(_ values: Values) throws(Failure) {
        directory = ClusterDirectory(values[Tool.data])
        let options = values[Tool.serverOptions]
        let request = ClusterFile.Request(
            nodes: values[ifGiven: Tool.nodes], clientPort: values[ifGiven: Tool.clientPort],
            peerPort: values[ifGiven: Tool.peerPort],
            logLevel: values[ifGiven: Tool.logLevel]?.rawValue, options: options.isEmpty ? nil : options)
        if var present = try directory.fileIfPresent() {
            let mismatches = present.mismatches(with: request)
            if !mismatches.isEmpty {
                throw .usage(
                    "the cluster in '\(directory.path)' was made with other settings: \(mismatches.joined(separator: "; ")). "
                        + "Leave the option out to start it as it is, or make another cluster with --data")
            }
            // These do not shape the cluster: they hold for this run.
            present.logLevel = request.logLevel ?? present.logLevel
            present.options = request.options ?? present.options
            cluster = present
            isNew = false
        } else {
            cluster = try ClusterFile(request, clusterID: try ClusterUp.drawClusterID())
            isNew = true
            if let node = cluster.nodes.first(where: { fileExists(directory.directory(of: $0)) }) {
                throw Failure(
                    "'\(directory.directory(of: node))' is there and no cluster.json: a restoration was interrupted, or the file is lost. "
                        + "A new cluster is not made over what there is; name another directory with --data")
            }
        }
        sigemptyset(&stopSignals)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&stopSignals, number) }
    }

    /// A cluster id that nobody has.
    static func drawClusterID() throws(Failure) -> ClusterID {
        ClusterID(high: try drawNumber(), low: try drawNumber())
    }

    /// A random number.
    static func drawNumber() throws(Failure) -> UInt64 {
        var word: UInt64 = 0
        let count = withUnsafeMutableBytes(of: &word) { getrandom($0.baseAddress, $0.count, 0) }
        if count != 8 { throw .system("can't draw a random number") }
        return word
    }

    private mutating func run(_ values: Values) throws(Failure) -> Int32 {
        let server = try ClusterDirectory.serverPath()
        let running = cluster.nodes.compactMap { node in directory.process(of: node).map { (node, $0) } }
        if let (_, process) = running.first {
            let names = running.map { "node \($0.0.id)" }.joined(separator: ", ")
            throw Failure(
                running.count == cluster.nodes.count
                    ? "the cluster in '\(directory.path)' is running already (\(names)); see 'kvctl cluster status', stop it with "
                        + "'kvctl cluster down'"
                    : "\(names) of the cluster in '\(directory.path)' runs already (pid \(process.id)); start the others with "
                        + "'kvctl cluster start N', or stop all with 'kvctl cluster down'")
        }
        try ClusterUp.requireFreePorts(of: cluster.nodes)
        try makeDirectory(directory.path)
        let lock = try directory.lock()
        if isNew { try directory.create(cluster) }
        sigprocmask(SIG_BLOCK, &stopSignals, nil)
        do throws(Failure) {
            for node in cluster.nodes { processes[node.id] = try directory.start(node, in: cluster, server: server) }
            close(lock)
            let isQuiet = values[Tool.json]
            if !isQuiet {
                Console.output("\(isNew ? "made" : "found") the cluster in '\(directory.path)', waiting for a leader…\n")
            }
            guard let status = try waitForLeader(seconds: values[Tool.wait]) else {
                stopAll()
                return 1
            }
            Console.output(isQuiet ? StatusText.json(status) : StatusText.table(status) + hints(status, values))
        } catch {
            // What was started here is not left behind half up.
            stopAll()
            if isNew { directory.removeIfEmpty(cluster) }
            throw error
        }
        return values[Tool.detach] ? 0 : attend()
    }

    /// Checks that nobody listens where nodes are to listen.
    static func requireFreePorts(of nodes: [ClusterFile.Node]) throws(Failure) {
        for node in nodes {
            try ClusterDirectory.requireFree(node.client, purpose: "clients of node \(node.id)", option: "--client-port")
            try ClusterDirectory.requireFree(node.peer, purpose: "peers of node \(node.id)", option: "--peer-port")
        }
    }

    private func hints(_ status: ClusterStatus, _ values: Values) -> String {
        // `swift run` is the way to call it until it is installed.
        let isBuilt = CommandLine.arguments.first.map { $0.contains("/.build/") || $0.hasPrefix(".build/") } ?? false
        var tool = isBuilt ? "swift run -c release kvctl" : "kvctl"
        if values[Tool.data] != Tool.dataDefault { tool += " --data \(values[Tool.data])" }
        let leader = status.leader ?? status.nodes[0]
        var lines = [
            ("redis-cli -p \(leader.client.port)", "any Redis client, on any node"),
            ("\(tool) set greeting hello", "the same without redis-cli"),
            ("\(tool) cluster kill \(leader.id)", "end the leader the hard way, and go on"),
            ("\(tool) cluster status", "see who leads now"),
        ]
        if values[Tool.detach] { lines.append(("\(tool) cluster down", "stop it; the data stays")) }
        let width = lines.map { $0.0.count }.max() ?? 0
        var text = "\nTry next:\n"
        for (command, meaning) in lines {
            text +=
                "    " + command + String(repeating: " ", count: width - command.count + 3) + Colour.faint.paint(meaning) + "\n"
        }
        return values[Tool.detach] ? text : text + "Ctrl-C stops the cluster. Its data stays in '\(values[Tool.data])'.\n"
    }

    /// Waits until a node leads and all that live know it; nil when a stop signal came first.
    private func waitForLeader(seconds: Int) throws(Failure) -> ClusterStatus? {
        let deadline = monotonicNow() + .milliseconds(UInt64(seconds) * 1000)
        while true {
            if takeStopSignal(milliseconds: 30) != nil { return nil }
            for node in cluster.nodes {
                guard let process = processes[node.id] else { continue }
                var code: Int32 = 0
                if waitpid(process.id, &code, WNOHANG) == process.id {
                    throw Failure("node \(node.id) \(ProcessEnding(status: code).text); \(directory.lastWords(of: node))")
                }
            }
            let status = ClusterStatus.gather(directory, cluster, timeout: .milliseconds(300))
            if let leader = status.leader, (leader.number("commit-index") ?? 0) > 0,
                status.nodes.allSatisfy({ $0.number("leader") == Int64(leader.id) })
            {
                return status
            }
            if deadline < monotonicNow() {
                throw Failure(
                    "no leader was elected within \(seconds) s\n" + StatusText.table(status)
                        + directory.lastWords(of: cluster.nodes[0]))
            }
        }
    }

    /// Waits for SIGINT, SIGTERM or SIGHUP for a while.
    private func takeStopSignal(milliseconds: Int) -> Int32? {
        var wait = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        var signals = stopSignals
        let number = sigtimedwait(&signals, nil, &wait)
        return number > 0 ? number : nil
    }

    /// The foreground: reports what happens to the nodes until it is told to stop them.
    private mutating func attend() -> Int32 {
        while true {
            if takeStopSignal(milliseconds: 200) != nil {
                Console.output("\nstopping…\n")
                stopAll()
                return 0
            }
            var status: Int32 = 0
            var endings: [pid_t: ProcessEnding] = [:]
            while true {
                let id = waitpid(-1, &status, WNOHANG)
                if id <= 0 { break }
                endings[id] = ProcessEnding(status: status)
            }
            for node in cluster.nodes { report(node, endings) }
            if processes.isEmpty {
                Console.output("no node is left; start again with 'kvctl cluster up'\n")
                return 1
            }
        }
    }

    /// Says what changed about a node since the last look.
    private mutating func report(_ node: ClusterFile.Node, _ endings: [pid_t: ProcessEnding]) {
        if let process = processes[node.id], process.state == .stopped {
            processes[node.id] = nil
            let how = endings[process.id]?.text ?? "is gone"
            Console.error(
                Colour.red.paint("node \(node.id) (pid \(process.id)) \(how)")
                    + "; start it with 'kvctl cluster start \(node.id)'\n")
        }
        if processes[node.id] == nil, let process = directory.process(of: node) {
            processes[node.id] = process
            Console.output("node \(node.id) runs again (pid \(process.id))\n")
        }
    }

    private func stopAll() { _ = ClusterCommands.stop(directory, cluster.nodes) }
}
