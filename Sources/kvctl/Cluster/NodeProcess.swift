import CLinux
import Glibc

/// A `kvd` process of this machine. A process id alone may have been given to another program since, so the start time goes
/// with it: the two together name one process for ever.
package struct NodeProcess: Equatable, Sendable {
    package var id: pid_t
    /// Ticks since the machine started, field 22 of /proc/ID/stat.
    package var startTicks: UInt64

    /// What a process is doing.
    package enum State: String, Sendable {
        case running
        /// Stopped by SIGSTOP.
        case paused
        /// There is no such process (any more).
        case stopped
    }

    /// A process that runs now; nil when there is none with this id.
    package init?(id: pid_t) {
        guard let facts = NodeProcess.facts(of: id), facts.state != .stopped else { return nil }
        self.id = id
        startTicks = facts.startTicks
    }

    /// Reads what `text` gives.
    package init?(text: String) {
        let words = text.split { $0 == " " || $0 == "\n" }
        guard words.count == 2, let id = pid_t(words[0]), id > 1, let ticks = UInt64(words[1]) else { return nil }
        self.id = id
        startTicks = ticks
    }

    /// As it stands in the node's `.pid` file.
    package var text: String { "\(id) \(startTicks)\n" }

    /// What it is doing now.
    package var state: State {
        guard let facts = NodeProcess.facts(of: id), facts.startTicks == startTicks else { return .stopped }
        return facts.state
    }

    /// Sends a signal; false when the process is gone.
    @discardableResult
    package func signal(_ number: Int32) -> Bool { state != .stopped && kill(id, number) == 0 }

    private static func facts(of id: pid_t) -> Facts? {
        guard let bytes = try? readFile("/proc/\(id)/stat") else { return nil }
        return Facts(stat: String(decoding: bytes, as: UTF8.self))
    }

    /// What /proc/ID/stat says of a process.
    package struct Facts: Equatable, Sendable {
        package var state: State
        package var startTicks: UInt64

        /// Reads the line, whose second field is a name that may hold anything.
        package init?(stat text: String) {
            guard let close = text.lastIndex(of: ")") else { return nil }
            let fields = text[text.index(after: close)...].split(separator: " ")
            guard fields.count > 19, let letter = fields[0].first, let threads = Int(fields[17]), let ticks = UInt64(fields[19])
            else { return nil }
            startTicks = ticks
            switch letter {
            case "T", "t": state = .paused
            // The letter is the first thread's. Ports and files stay open until the last one is gone, which may still wait for
            // the disk.
            case "Z", "X": state = threads > 1 ? .running : .stopped
            default: state = .running
            }
        }
    }
}

extension ClusterDirectory {
    /// The process that was noted for a node, if it still lives.
    func process(of node: ClusterFile.Node) -> NodeProcess? {
        guard let bytes = try? readFile(processPath(of: node)),
            let process = NodeProcess(text: String(decoding: bytes, as: UTF8.self)), process.state != .stopped
        else { return nil }
        return process
    }

    /// The `kvd` beside this program.
    static func serverPath() throws(Failure) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        if count <= 0 { throw .system("can't find this program's own file") }
        let own = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let path = own[..<(own.lastIndex(of: "/") ?? own.startIndex)] + "/kvd"
        if access(String(path), X_OK) != 0 {
            throw Failure("there is no kvd beside kvctl ('\(path)'); build it with 'swift build -c release --product kvd'")
        }
        return String(path)
    }

    /// The command line of a node's server.
    func arguments(of node: ClusterFile.Node, in cluster: ClusterFile) -> [String] {
        let peers = cluster.nodes.map { "\($0.id)=\($0.peer)" }.joined(separator: ",")
        return [
            "--id", "\(node.id)", "--cluster-id", cluster.clusterID, "--data", directory(of: node), "--listen",
            "\(node.client)", "--peer-listen", "\(node.peer)", "--peers", peers, "--log-level", cluster.logLevel,
        ] + cluster.options
    }

    /// Starts a node: a session of its own (so that Ctrl-C here does not reach it), no signals blocked, output to its log.
    func start(_ node: ClusterFile.Node, in cluster: ClusterFile, server: String) throws(Failure) -> NodeProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, logPath(of: node), O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // POSIX_SPAWN_SETSID is a GNU extension that the importer does not see.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | 0x80))
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        var words = ([server] + arguments(of: node, in: cluster)).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var id: pid_t = 0
        let code = posix_spawn(&id, server, &actions, &attributes, &words, Glibc.environ)
        if code != 0 { throw .system("can't start node \(node.id) ('\(server)', output to '\(logPath(of: node))')", code) }
        guard let process = NodeProcess(id: id) else {
            throw Failure("node \(node.id) ended at once; \(lastWords(of: node))")
        }
        try writeFile(processPath(of: node), Array(process.text.utf8))
        return process
    }

    /// The end of a node's log, for messages about its death.
    func lastWords(of node: ClusterFile.Node, lines: Int = 5) -> String {
        let path = logPath(of: node)
        guard let bytes = try? readFile(path), !bytes.isEmpty else { return "its log '\(path)' is empty" }
        let text = String(decoding: bytes.suffix(16 << 10), as: UTF8.self)
        let last = text.split(separator: "\n").suffix(lines).map { "    " + $0 }
        return "the end of its log '\(path)':\n" + last.joined(separator: "\n")
    }

    /// Whether a port of this machine can be listened on.
    ///
    /// - Throws: a failure that names the port and what it is for.
    static func requireFree(_ address: Address, purpose: String, option: String) throws(Failure) {
        var code: Int32 = 0
        let bound: Void? = try address.resolve(passive: true) { (info: UnsafeMutablePointer<addrinfo>) -> Void? in
            let entry = info.pointee
            let descriptor = socket(entry.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            if descriptor < 0 {
                code = errno
                return nil
            }
            defer { close(descriptor) }
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            if bind(descriptor, entry.ai_addr, entry.ai_addrlen) == 0 && listen(descriptor, 1) == 0 { return () }
            code = errno
            return nil
        }
        if bound != nil { return }
        if code == EADDRINUSE {
            throw Failure("\(address) (\(purpose)) is in use by another program; choose another range with \(option)")
        }
        throw .system("can't listen on \(address) (\(purpose))", code)
    }
}
