import Base
import FoundationEssentials
import Glibc

/// What a local cluster is: written once, when it is made, to `cluster.json` in its data directory.
package struct ClusterFile: Codable, Equatable, Sendable {
    /// Version of this file's format.
    package var format = 1
    /// 32 hexadecimal digits, drawn at random. Nodes of different clusters refuse to talk.
    package var clusterID: String
    /// The nodes, in order of id.
    package var nodes: [Node]
    /// `kvd --log-level`.
    package var logLevel: String
    /// More options for every `kvd`.
    package var options: [String]

    /// One node.
    package struct Node: Codable, Equatable, Sendable {
        /// 1 and up.
        package var id: Int
        /// Where clients connect.
        package var client: Address
        /// Where other nodes connect.
        package var peer: Address
        /// Its data directory, relative to the cluster's.
        package var directory: String
    }

    /// What the operator asks for; nil where nothing was said.
    package struct Request: Equatable, Sendable {
        package var nodes: Int?
        package var clientPort: Int?
        package var peerPort: Int?
        package var logLevel: String?
        package var options: [String]?

        package init(
            nodes: Int? = nil, clientPort: Int? = nil, peerPort: Int? = nil, logLevel: String? = nil, options: [String]? = nil
        ) {
            self.nodes = nodes
            self.clientPort = clientPort
            self.peerPort = peerPort
            self.logLevel = logLevel
            self.options = options
        }
    }

    /// The names of the options that shape a cluster, with the values of a new one.
    package static let defaults = (nodes: 3, clientPort: 7001, peerPort: 7101, logLevel: "info")

    /// A new cluster.
    ///
    /// - Throws: a usage failure when the ports overlap or do not exist.
    package init(_ request: Request, clusterID: ClusterID) throws(Failure) {
        let count = request.nodes ?? ClusterFile.defaults.nodes
        let clientPort = request.clientPort ?? ClusterFile.defaults.clientPort
        let peerPort = request.peerPort ?? ClusterFile.defaults.peerPort
        check(count > 0, "a cluster has nodes")
        guard clientPort + count <= 65536, peerPort + count <= 65536 else {
            throw .usage("\(count) ports from \(max(clientPort, peerPort)) on would end above 65535")
        }
        if abs(clientPort - peerPort) < count {
            throw .usage(
                "the ports of clients (\(clientPort) to \(clientPort + count - 1)) and of peers (\(peerPort) to "
                    + "\(peerPort + count - 1)) overlap: change --client-port or --peer-port")
        }
        self.clusterID = clusterID.description
        logLevel = request.logLevel ?? ClusterFile.defaults.logLevel
        options = request.options ?? []
        nodes = (1...count).map { id in
            Node(
                id: id, client: Address(port: UInt16(clientPort + id - 1)), peer: Address(port: UInt16(peerPort + id - 1)),
                directory: "node-\(id)")
        }
    }

    /// What in `request` differs from this cluster, one sentence each.
    package func mismatches(with request: Request) -> [String] {
        var found: [String] = []
        func compare<Value: Equatable>(_ option: String, _ asked: Value?, _ present: Value) {
            if let asked, asked != present { found.append("\(option) is \(present) there, not \(asked)") }
        }
        compare("--nodes", request.nodes, nodes.count)
        if let first = nodes.first {
            compare("--client-port", request.clientPort, Int(first.client.port))
            compare("--peer-port", request.peerPort, Int(first.peer.port))
        }
        return found
    }
}

/// The directory of a local cluster.
struct ClusterDirectory {
    /// As the operator wrote it.
    let path: String

    init(_ path: String) { self.path = path }

    private var filePath: String { path + "/cluster.json" }

    /// The cluster that is here.
    ///
    /// - Throws: when there is none, or its file can't be read.
    func file() throws(Failure) -> ClusterFile {
        guard let file = try fileIfPresent() else {
            throw Failure(
                "there is no cluster in '\(path)' (no cluster.json); start one with 'kvctl cluster up', name its directory with "
                    + "--data, or a server with --server HOST:PORT")
        }
        return file
    }

    /// The cluster that is here, or nil when there is none.
    func fileIfPresent() throws(Failure) -> ClusterFile? {
        guard let bytes = try readFile(filePath) else { return nil }
        do {
            let file = try JSONDecoder().decode(ClusterFile.self, from: Data(bytes))
            guard file.format == 1 else {
                throw Failure("'\(filePath)' has format \(file.format), which this kvctl does not know")
            }
            guard !file.nodes.isEmpty, ClusterID(text: file.clusterID) != nil else {
                throw Failure("'\(filePath)' names no nodes or no cluster id")
            }
            return file
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("'\(filePath)' is damaged: \(error)")
        }
    }

    /// Makes the directory and writes the file of a new cluster, whole or not at all.
    func create(_ file: ClusterFile) throws(Failure) {
        try makeDirectory(path)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let bytes: [UInt8]
        do { bytes = Array(try encoder.encode(file)) + [0x0A] } catch { throw Failure("can't encode cluster.json: \(error)") }
        try writeFile(filePath, bytes)
    }

    /// Forgets a cluster whose nodes never came to make anything of their own.
    func removeIfEmpty(_ file: ClusterFile) {
        if file.nodes.contains(where: { access(directory(of: $0), F_OK) == 0 }) { return }
        unlink(filePath)
    }

    /// The data directory of a node, which is its own: what kvctl keeps of it stands beside it.
    func directory(of node: ClusterFile.Node) -> String { path + "/" + node.directory }
    /// Where its output goes.
    func logPath(of node: ClusterFile.Node) -> String { directory(of: node) + ".log" }
    /// Where its process is noted.
    func processPath(of node: ClusterFile.Node) -> String { directory(of: node) + ".pid" }

    /// Takes the lock that keeps two `kvctl` from starting nodes at the same time; it is held until the process ends or the
    /// descriptor is closed.
    func lock() throws(Failure) -> Int32 {
        let descriptor = open(path + "/cluster.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw .system("can't write to '\(path)'") }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            close(descriptor)
            throw Failure("another kvctl is starting or stopping nodes in '\(path)'; try again when it is done")
        }
        return descriptor
    }
}

/// Makes a directory with its parents.
func makeDirectory(_ path: String) throws(Failure) {
    if mkdir(path, 0o755) == 0 { return }
    let code = errno
    if code == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex {
        try makeDirectory(String(path[..<slash]))
        if mkdir(path, 0o755) == 0 { return }
        if errno == EEXIST { return }
        throw .system("can't make the directory '\(path)'")
    }
    var status = stat()
    if code == EEXIST && stat(path, &status) == 0 {
        if status.st_mode & S_IFMT == S_IFDIR { return }
        throw Failure("'\(path)' is not a directory")
    }
    throw .system("can't make the directory '\(path)'", code)
}

/// The bytes of a small file; nil when it does not exist.
func readFile(_ path: String) throws(Failure) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 {
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw .system("can't read '\(path)'")
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        let count = piece.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        if count < 0 { throw .system("can't read '\(path)'") }
        if count == 0 { return bytes }
        bytes += piece[..<count]
    }
}

/// Writes a file under another name and renames it, so that it is never seen half written.
func writeFile(_ path: String, _ bytes: [UInt8]) throws(Failure) {
    let temporary = path + ".tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw .system("can't write '\(path)'") }
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        if count <= 0 {
            let code = errno
            close(descriptor)
            throw .system("can't write '\(path)'", code)
        }
        rest = rest.dropFirst(count)
    }
    let synced = fsync(descriptor) == 0
    let code = errno
    close(descriptor)
    if !synced { throw .system("can't write '\(path)'", code) }
    if rename(temporary, path) != 0 { throw .system("can't write '\(path)'") }
}
