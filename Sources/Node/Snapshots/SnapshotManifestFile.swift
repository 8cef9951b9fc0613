import Base
import DistributedSnapshot
import Storage

/// A snapshot's manifest, read from its file.
package enum SnapshotManifestFile {
    /// Reads a whole file; its cluster's id is what the parts are to be read with.
    ///
    /// - Parameters:
    ///   - file: what messages call it.
    ///   - cluster: whose it must be; nil for any.
    ///   - node: whose it must be; nil for any.
    /// - Throws: `damaged`, `wrongIdentity`, `unsupportedVersion`, naming the file.
    package static func read(
        _ bytes: ByteView, file: String, cluster: ClusterID? = nil, node: NodeID? = nil
    ) throws(StorageError) -> (manifest: SnapshotManifest, clusterID: ClusterID) {
        guard bytes.count >= StateFileFormat.headerBytes else {
            throw .damaged(file: file, offset: bytes.count, reason: "it ends inside its header")
        }
        let clusterID =
            cluster ?? ClusterID(high: bytes.integer(at: 16, as: UInt64.self), low: bytes.integer(at: 24, as: UInt64.self))
        var reader = StateFileReader(file: file, kind: .snapshotPart, clusterID: clusterID, nodeID: node)
        let content = ByteBuffer()
        reader.append(bytes)
        while let item = try reader.next() { if case .chunk(.manifest, let piece) = item { content.append(piece) } }
        try reader.finish()
        if let version = SnapshotManifest.unknownVersion(of: content.view) {
            throw .unsupportedVersion(file: file, version: version)
        }
        guard let manifest = SnapshotManifest(decoding: content.view), manifest.id.rawValue == reader.header?.snapshot else {
            throw .damaged(file: file, offset: StateFileFormat.headerBytes, reason: "it holds no manifest")
        }
        return (manifest, clusterID)
    }
}
