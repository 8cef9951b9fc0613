import Base
import DistributedSnapshot
import Glibc
import Node
import Storage

/// A snapshot as `kvctl snapshot take` leaves it: `manifest`, and `node-N.part` for each node that is in it.
struct SnapshotDirectory {
    let manifest: SnapshotManifest
    /// In order of their nodes.
    let parts: [SnapshotPartFile]

    /// Makes the directory, or takes an empty one.
    static func make(_ path: String) throws(Failure) -> String {
        if mkdir(path, 0o755) == 0 { return path }
        guard errno == EEXIST else { throw .system("can't make '\(path)'") }
        if !(try entries(path)).isEmpty { throw Failure("'\(path)' is not empty: a snapshot has a directory of its own") }
        return path
    }

    private static func entries(_ path: String) throws(Failure) -> [String] {
        guard let stream = opendir(path) else { throw .system("can't read the directory '\(path)'") }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Reads and verifies all files.
    ///
    /// - Throws: a failure that names the file.
    init(_ path: String) throws(Failure) {
        let file = try MappedFile("\(path)/manifest")
        var reader: StateFileReader
        let content = ByteBuffer()
        guard file.view.count >= StateFileFormat.headerBytes else { throw Failure("'\(path)/manifest' is cut short") }
        let cluster = ClusterID(high: file.view.integer(at: 16, as: UInt64.self), low: file.view.integer(at: 24, as: UInt64.self))
        reader = StateFileReader(file: "\(path)/manifest", kind: .snapshotPart, clusterID: cluster, nodeID: nil)
        do throws(StorageError) {
            reader.append(file.view)
            while let item = try reader.next() { if case .chunk(.manifest, let bytes) = item { content.append(bytes) } }
            try reader.finish()
        } catch { throw Failure("\(error)") }
        guard let manifest = SnapshotManifest(decoding: content.view) else {
            throw Failure("'\(path)/manifest' holds no manifest")
        }
        self.manifest = manifest
        var parts: [SnapshotPartFile] = []
        for name in try SnapshotDirectory.entries(path) where name.hasSuffix(".part") {
            let mapped = try MappedFile("\(path)/\(name)")
            do throws(StorageError) {
                var loader = SnapshotPartFile.Loader(file: "\(path)/\(name)", clusterID: cluster, nodeID: nil)
                try loader.append(mapped.view)
                parts.append(try loader.finish())
            } catch { throw Failure("\(error)") }
        }
        self.parts = parts.sorted { $0.part.run.node < $1.part.run.node }
    }
}
