import Base
import DistributedSnapshot
import Glibc
import Node
import Storage

/// A snapshot as `kvctl snapshot take` leaves it: `manifest`, and `node-N.part` for each node that is in it.
struct SnapshotDirectory {
    let path: String
    let clusterID: ClusterID
    let manifest: SnapshotManifest
    /// In order of their nodes.
    let parts: [SnapshotPartFile]
    /// Of all files.
    let bytes: Int

    private static let pieceBytes = 1 << 20

    /// Reads and verifies all files.
    ///
    /// - Throws: a failure that names the file.
    init(_ path: String, isQuiet: Bool = false) throws(Failure) {
        var isThere = stat()
        if stat(path, &isThere) != 0 { throw .system("can't open the snapshot '\(path)'") }
        let names = try directoryEntries(path)
        guard names.contains("manifest") else {
            throw Failure(
                names.contains { $0.hasSuffix(".part") || $0.hasSuffix(".tmp") }
                    ? "'\(path)' holds no whole snapshot: there is no manifest, which comes last; the files were left by a 'take' or 'fetch' that was ended"
                    : "'\(path)' holds no snapshot: there is no manifest")
        }
        let file = try MappedFile("\(path)/manifest")
        (clusterID, manifest) = try withExtendedLifetime(file) { () throws(Failure) in
            let clusterID = try SnapshotDirectory.clusterID(in: file.view, file: file.path)
            return (clusterID, try SnapshotDirectory.manifest(in: file.view, file: file.path, clusterID: clusterID))
        }
        let files = names.filter { $0.hasSuffix(".part") }
        var mapped: [MappedFile] = []
        for name in files { mapped.append(try MappedFile("\(path)/\(name)")) }
        let total = mapped.reduce(file.view.count) { $0 + $1.view.count }
        var bar = ProgressBar("reading", isWanted: !isQuiet)
        defer { bar.clear() }
        var done = 0
        var parts: [SnapshotPartFile] = []
        for (name, file) in zip(files, mapped) {
            let part = try SnapshotDirectory.part(in: file, clusterID) { bar.show(bytes: done + $0, of: total) }
            done += file.view.count
            guard part.part.id == manifest.id else {
                throw Failure("'\(file.path)' is of snapshot \(part.part.id), the manifest beside it of snapshot \(manifest.id)")
            }
            guard name == "node-\(part.part.run.node).part" else {
                throw Failure("'\(file.path)' is the part of node \(part.part.run.node), which its name does not say")
            }
            parts.append(part)
        }
        self.path = path
        bytes = total
        self.parts = parts.sorted { $0.part.run.node < $1.part.run.node }
    }

    /// The parts that the manifest names and that are not in the directory, by node.
    var absent: [NodeID] {
        manifest.parts.map(\.run.node).filter { node in !parts.contains { $0.part.run.node == node } }
    }

    /// The part that has applied most; nil where there is none.
    var mostAdvanced: SnapshotPartFile? {
        var best: SnapshotPartFile?
        for part in parts where part.state.appliedIndex > best?.state.appliedIndex ?? .zero { best = part }
        return best ?? parts.first
    }

    private static func part(
        in file: MappedFile, _ clusterID: ClusterID, _ progress: (Int) -> Void
    ) throws(Failure) -> SnapshotPartFile {
        do throws(StorageError) {
            var loader = SnapshotPartFile.Loader(file: "'\(file.path)'", clusterID: clusterID, nodeID: nil)
            var offset = 0
            while offset < file.view.count {
                let count = min(pieceBytes, file.view.count - offset)
                try loader.append(file.view.slice(offset, count))
                offset += count
                progress(offset)
            }
            return try loader.finish()
        } catch { throw Failure("\(error)") }
    }

    // MARK: the manifest

    /// The cluster that a file says it is of; whether that is true, its reader finds.
    private static func clusterID(in view: ByteView, file: String) throws(Failure) -> ClusterID {
        guard view.count >= StateFileFormat.headerBytes else {
            throw Failure("'\(file)' is cut short: it has \(view.count) bytes")
        }
        return ClusterID(high: view.integer(at: 16, as: UInt64.self), low: view.integer(at: 24, as: UInt64.self))
    }

    /// The manifest in the bytes of its file.
    ///
    /// - Throws: a failure that names the file.
    static func manifest(in view: ByteView, file: String, clusterID: ClusterID) throws(Failure) -> SnapshotManifest {
        var reader = StateFileReader(file: "'\(file)'", kind: .snapshotPart, clusterID: clusterID, nodeID: nil)
        let content = ByteBuffer()
        do throws(StorageError) {
            reader.append(view)
            while let item = try reader.next() { if case .chunk(.manifest, let bytes) = item { content.append(bytes) } }
            try reader.finish()
        } catch { throw Failure("\(error)") }
        if let version = SnapshotManifest.unknownVersion(of: content.view) {
            throw Failure("'\(file)' has a manifest of version \(version), which this version can't read")
        }
        guard let manifest = SnapshotManifest(decoding: content.view), manifest.id.rawValue == reader.header?.snapshot else {
            throw Failure(
                content.isEmpty
                    ? "'\(file)' holds no manifest: it is a part of a snapshot"
                    : "'\(file)' holds a manifest that can't be read")
        }
        return manifest
    }
}
