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

    /// Size of the file in bytes.
    package static let fileBytes = 44

    /// The file's bytes: magic, version, node, cluster, salt, checksum (docs/internals/log-format.md).
    package func encode() -> [UInt8] {
        let buffer = ByteBuffer(capacity: NodeIdentity.fileBytes)
        buffer.append(integer: LogFormat.identityMagic)
        buffer.append(integer: LogFormat.version)
        buffer.append(integer: nodeID.rawValue)
        buffer.append(integer: clusterID.high)
        buffer.append(integer: clusterID.low)
        buffer.append(integer: salt)
        buffer.append(integer: CRC32C.checksum(buffer.view))
        check(buffer.count == NodeIdentity.fileBytes, "an identity file has its fixed size")
        return buffer.view.array
    }

    /// Reads the file's bytes.
    ///
    /// - Throws: `damaged` when they are not an identity, `unsupportedVersion` when another version wrote them.
    package static func decode(_ bytes: ByteView) throws(StorageError) -> NodeIdentity {
        let file = fileName.text
        guard bytes.count == fileBytes else {
            throw .damaged(file: file, offset: 0, reason: "it has \(bytes.count) bytes instead of \(fileBytes)")
        }
        guard bytes.integer(at: 0, as: UInt64.self) == LogFormat.identityMagic else {
            throw .damaged(file: file, offset: 0, reason: "it does not begin as an identity file")
        }
        guard CRC32C.checksum(bytes.slice(0, 40)) == bytes.integer(at: 40, as: UInt32.self) else {
            throw .damaged(file: file, offset: 40, reason: "its checksum is wrong")
        }
        let version = bytes.integer(at: 8, as: UInt32.self)
        guard version == LogFormat.version else { throw .unsupportedVersion(file: file, version: version) }
        let cluster = ClusterID(high: bytes.integer(at: 16, as: UInt64.self), low: bytes.integer(at: 24, as: UInt64.self))
        return NodeIdentity(
            clusterID: cluster, nodeID: NodeID(bytes.integer(at: 12, as: UInt32.self)),
            salt: bytes.integer(at: 32, as: UInt64.self))
    }

    /// Refuses files of another cluster, another node, or of this node under another salt.
    ///
    /// - Throws: `wrongIdentity`, naming `file` and what differs.
    package func requireEqual(to found: NodeIdentity, in file: String) throws(StorageError) {
        if found.clusterID != clusterID {
            throw .wrongIdentity(file: file, reason: "it belongs to cluster \(found.clusterID), this is cluster \(clusterID)")
        }
        if found.nodeID != nodeID {
            throw .wrongIdentity(file: file, reason: "it belongs to node \(found.nodeID), this is node \(nodeID)")
        }
        if found.salt != salt {
            throw .wrongIdentity(file: file, reason: "it belongs to another log of this node (its salt differs)")
        }
    }
}
