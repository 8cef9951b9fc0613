import Differential
import Glibc

/// Servers that this program started, and that do not outlive it: a shell beside each waits on a pipe whose other end only this
/// process holds, and when that closes, for whatever reason, it ends the server and removes its directory.
final class Servers {
    private var guards: [(process: pid_t, pipe: Int32)] = []
    private var locks: [Int32] = []
    private var directories: [String] = []
    private static let range: ClosedRange<UInt16> = 7800...7849
    /// Where the servers' directories are: in memory where there is room, for what is compared does not hang on a disk.
    private static let place: String = {
        var status = statvfs()
        let isRoomy = statvfs("/dev/shm", &status) == 0 && UInt64(status.f_bavail) * UInt64(status.f_frsize) >= 4 << 30
        return isRoomy && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    }()
    private static let script = """
        trap '' INT TERM HUP
        cd "$0" || exit 1
        LC_ALL=C "$@" </dev/null >>"$0/output" 2>&1 & id=$!
        cat >/dev/null
        kill -9 $id
        wait $id 2>/dev/null
        rm -rf "$0"
        """

    deinit { end() }

    /// Ends all servers and waits until they are gone.
    func end() {
        for guardian in guards { close(guardian.pipe) }
        for guardian in guards {
            var status: Int32 = 0
            while waitpid(guardian.process, &status, 0) < 0 && errno == EINTR {}
        }
        guards = []
        for lock in locks { close(lock) }
        locks = []
    }

    // MARK: starting

    /// Starts a redis-server without persistence.
    func startRedis() throws(SubjectError) -> Address {
        let port = try freePort()
        try start([
            "redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--maxmemory-policy",
            "noeviction", "--dir", ".", "--sanitize-dump-payload", "yes",
        ])
        let address = Address(port: port)
        try waitFor([address], isPeer: true, "redis-server")
        return address
    }

    /// Starts a cluster of so many nodes, with the `kvd` that lies beside this program.
    func startCluster(_ count: Int) throws(SubjectError) -> [Address] {
        var ports: [UInt16] = []
        for _ in 0..<2 * count { ports.append(try freePort()) }
        let peers = (0..<count).map { "\($0 + 1)=127.0.0.1:\(ports[count + $0])" }.joined(separator: ",")
        let identity = (0..<32).map { _ in String(UInt8.random(in: 0...15), radix: 16) }.joined()
        for index in 0..<count {
            try start(
                [
                    Servers.directory + "/kvd", "--id", "\(index + 1)", "--cluster-id", identity, "--listen",
                    "127.0.0.1:\(ports[index])",
                    "--peer-listen", "127.0.0.1:\(ports[count + index])", "--peers", peers, "--segment-bytes", "\(8 << 20)",
                    "--log-level",
                    "warning",
                ], dataOption: "--data")
        }
        let addresses = ports.prefix(count).map { Address(port: $0) }
        try waitFor(addresses, isPeer: false, "the cluster")
        return addresses
    }

    private func start(_ words: [String], dataOption: String? = nil) throws(SubjectError) {
        var template = Array("\(Servers.place)/kvdiff-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SubjectError("can't make a directory in \(Servers.place)") }
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SubjectError("can't make a pipe") }
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        let data = dataOption.map { [$0, directory + "/data"] } ?? []
        var arguments = (["/bin/sh", "-c", Servers.script, directory] + words + data).map { strdup($0) } + [nil]
        var process: pid_t = 0
        let result = posix_spawn(&process, "/bin/sh", &actions, nil, &arguments, environ)
        for argument in arguments { free(argument) }
        posix_spawn_file_actions_destroy(&actions)
        close(ends[0])
        if result != 0 { throw SubjectError("can't start /bin/sh") }
        guards.append((process, ends[1]))
        directories.append(directory)
    }

    /// Waits until servers answer.
    private func waitFor(_ addresses: [Address], isPeer: Bool, _ what: String) throws(SubjectError) {
        for _ in 0..<2000 {
            if let subject = try? RemoteSubject(addresses, isPeer: isPeer), subject.isReady() { return }
            usleep(10_000)
        }
        throw SubjectError("\(what) does not answer within 20 s; it said: \(lastWords)")
    }

    /// The end of what the servers wrote.
    var lastWords: String {
        var text = ""
        for directory in directories {
            guard let file = fopen(directory + "/output", "r") else { continue }
            fseek(file, -2000, SEEK_END)
            var bytes = [UInt8](repeating: 0, count: 2000)
            let count = fread(&bytes, 1, bytes.count, file)
            fclose(file)
            text += String(decoding: bytes[..<count], as: UTF8.self)
        }
        return text
    }

    // MARK: ports

    /// A port of the loopback interface that no program of this kind uses, below those that the kernel gives to outgoing connections.
    private func freePort() throws(SubjectError) -> UInt16 {
        for port in Servers.range {
            guard let lock = Servers.lock(port) else { continue }
            if Servers.isFree(port) {
                locks.append(lock)
                return port
            }
            close(lock)
        }
        throw SubjectError("no port of \(Servers.range) is free")
    }

    /// Takes the name that stands for a port: a socket's, which the kernel keeps unique and gives up with the process.
    private static func lock(_ port: UInt16) -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = [0] + Array("coracle-test-port-\(port)".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        if result == 0 { return descriptor }
        close(descriptor)
        return nil
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) } == 0
        }
    }

    /// The directory of this program.
    static var directory: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
    }
}
