import Base
import DistributedSnapshot
import Glibc
import Node
import Storage

/// A snapshot as `kvctl snapshot take` leaves it: `manifest`, and `node-N.part` for each node that is in it.
struct CutFiles {
    let manifest: SnapshotManifest
    /// In order of their nodes.
    let parts: [SnapshotPartFile]

    /// Why a directory can't be used; names the file.
    struct Failure: Error { let text: String }

    /// Reads and verifies all files.
    init(_ path: String) throws(Failure) {
        let (manifest, clusterID) = try CutFiles.reading("\(path)/manifest") { bytes, file throws(StorageError) in
            try SnapshotManifestFile.read(bytes, file: file)
        }
        self.manifest = manifest
        var parts: [SnapshotPartFile] = []
        for name in try CutFiles.names(path) where name.hasSuffix(".part") {
            let part = try CutFiles.reading("\(path)/\(name)") { bytes, file throws(StorageError) in
                var loader = SnapshotPartFile.Loader(file: file, clusterID: clusterID, nodeID: nil)
                try loader.append(bytes)
                return try loader.finish()
            }
            parts.append(part)
        }
        self.parts = parts.sorted { $0.part.run.node < $1.part.run.node }
    }

    private static func reading<Result>(
        _ path: String, _ body: (ByteView, String) throws(StorageError) -> Result
    ) throws(Failure) -> Result {
        let buffer = try bytes(path)
        do throws(StorageError) { return try body(buffer.view, path) } catch { throw Failure(text: "\(error)") }
    }

    private static func names(_ path: String) throws(Failure) -> [String] {
        guard let stream = opendir(path) else { throw failure("can't read the directory", path) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names.sorted()
    }

    private static func bytes(_ path: String) throws(Failure) -> ByteBuffer {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        if file < 0 { throw failure("can't open", path) }
        defer { close(file) }
        let result = ByteBuffer()
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = Glibc.read(file, &piece, piece.count)
            if count < 0 { throw failure("can't read", path) }
            if count == 0 { return result }
            piece.withView { result.append($0.slice(0, count)) }
        }
    }

    private static func failure(_ what: String, _ path: String) -> Failure {
        Failure(text: "\(what) '\(path)': \(String(cString: strerror(errno)))")
    }
}
