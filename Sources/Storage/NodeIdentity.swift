import Base

/// Whose data a directory holds. Drawn once, when the directory is made; kept in the file `identity` and repeated in the
/// header of every log segment, so that a file that strayed from another node or cluster is refused.
package struct NodeIdentity: Equatable, Sendable {
    /// The cluster that the node belongs to.
    package var clusterID: ClusterID
    /// The node.
    package var nodeID: NodeID
    /// A secret of this log, drawn at random when the directory is made and never sent anywhere: frame headers are
    /// marked and checksummed with it, so that no client can store bytes that pass for a frame.
    package var salt: UInt64

    package init(clusterID: ClusterID, nodeID: NodeID, salt: UInt64) {
        self.clusterID = clusterID
        self.nodeID = nodeID
        self.salt = salt
    }

    /// The name of the file that holds it.
    package static let fileName = FileName("identity")

    /// The file's bytes.
    package func encode() -> [UInt8] { fatalError("follows") }

    /// Reads the file's bytes.
    ///
    /// - Throws: `damaged` when they are not an identity, `unsupportedVersion` when another version wrote them.
    package static func decode(_ bytes: ByteView) throws(StorageError) -> NodeIdentity { fatalError("follows") }
}
