import Base
import DistributedSnapshot
import Storage

/// A snapshot's manifest, read from its file.
package enum SnapshotManifestFile {
    /// Reads a whole file of any cluster; the cluster's id is what the parts are to be read with.
    ///
    /// - Parameter file: what messages call it.
    /// - Throws: `damaged`, `wrongIdentity`, `unsupportedVersion`, naming the file.
    package static func read(
        _ bytes: ByteView, file: String
    ) throws(StorageError) -> (manifest: SnapshotManifest, clusterID: ClusterID) {
        guard bytes.count >= StateFileFormat.headerBytes else {
            throw .damaged(file: file, offset: bytes.count, reason: "it ends inside its header")
        }
        let clusterID = ClusterID(high: bytes.integer(at: 16, as: UInt64.self), low: bytes.integer(at: 24, as: UInt64.self))
        var reader = StateFileReader(file: file, kind: .snapshotPart, clusterID: clusterID, nodeID: nil)
        let content = ByteBuffer()
        reader.append(bytes)
        while let item = try reader.next() { if case .chunk(.manifest, let piece) = item { content.append(piece) } }
        try reader.finish()
        guard let manifest = SnapshotManifest(decoding: content.view) else {
            throw .damaged(file: file, offset: StateFileFormat.headerBytes, reason: "it holds no manifest")
        }
        return (manifest, clusterID)
    }
}
