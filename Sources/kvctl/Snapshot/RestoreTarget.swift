import Base
import Glibc
import Node
import Storage

/// The data directory of a cluster that is being restored. What makes a node's directory one (its identity) is written when all states are there, what makes
/// the whole a cluster (`cluster.json`) at the very end: an interrupted restoration leaves nothing that starts. One that fails is removed.
final class RestoreTarget {
    let path: String
    private let descriptor: Int32
    private let isNew: Bool
    private var directories: [String] = []
    private var files: [String] = []
    private var identities: [(node: ClusterFile.Node, identity: NodeIdentity)] = []
    private var isWhole = false

    /// Makes the directory, or takes an empty one.
    init(_ path: String) throws(Failure) {
        self.path = path
        isNew = !fileExists(path)
        try makeDirectory(path)
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { throw .system("can't open the directory '\(path)'") }
        // From here on deinit cleans up, which a directory of somebody else must not see.
        isWhole = true
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 { throw Failure("another kvctl is restoring into '\(path)'") }
        try RestoreTarget.requireEmpty(path)
        isWhole = false
    }

    private static func requireEmpty(_ path: String) throws(Failure) {
        let directory = ClusterDirectory(path)
        if let cluster = try directory.fileIfPresent() {
            let running = cluster.nodes.filter { directory.process(of: $0) != nil }
            let state =
                running.isEmpty ? "" : ", which is running (" + running.map { "node \($0.id)" }.joined(separator: ", ") + ")"
            throw Failure("'\(path)' holds cluster \(cluster.clusterID)\(state); restore into a new directory: --data DIR")
        }
        guard let first = try directoryEntries(path).first else { return }
        throw Failure(
            first.hasPrefix("node-")
                ? "'\(path)' holds '\(first)' and no cluster.json: a restoration was interrupted there; remove it and restore again"
                : "'\(path)' is not empty ('\(first)'); restore into a new directory: --data DIR")
    }

    deinit {
        if !isWhole {
            for file in files { unlink(file) }
            for directory in directories { rmdir(directory) }
            if isNew { rmdir(path) }
        }
        close(descriptor)
    }

    /// Writes a node's state.
    ///
    /// - Parameter progress: gets the bytes that are written of it.
    /// - Returns: the bytes of the file.
    func write(_ contents: RestoredDirectory, _ node: ClusterFile.Node, _ progress: (Int) -> Void) throws(Failure) -> Int {
        let place = ClusterDirectory(path).directory(of: node)
        if mkdir(place, 0o755) != 0 { throw .system("can't make the directory '\(place)'") }
        directories.append(place)
        identities.append((node, contents.identity))
        guard let name = contents.stateFile else { return 0 }
        let file = try NewFile("\(place)/\(name)", replaces: false)
        files.append(file.path)
        var contents = contents
        while true {
            let actions = contents.next()
            if actions.isEmpty { throw Failure("the state of node \(node.id) ends too early") }
            for action in actions {
                switch action {
                case .extend(_, let offset, let block):
                    check(offset == file.bytesWritten, "a state file is written from front to back")
                    try file.write(block.buffer.view)
                case .publish:
                    try file.finish()
                    return file.bytesWritten
                case .create, .write, .rename, .remove, .read, .discard: check(false, "a state file is extended and published")
                }
            }
            progress(file.bytesWritten)
        }
    }

    /// Makes it a cluster.
    func finish(_ cluster: ClusterFile) throws(Failure) {
        for (node, identity) in identities {
            let file = try NewFile("\(ClusterDirectory(path).directory(of: node))/\(NodeIdentity.fileName)", replaces: false)
            files.append(file.path)
            try file.write(identity.encode())
            try file.finish()
        }
        files += ["\(path)/cluster.json", "\(path)/cluster.json.tmp"]
        try ClusterDirectory(path).create(cluster)
        isWhole = true
        if fsync(descriptor) != 0 { throw .system("can't sync the directory '\(path)'") }
    }
}
