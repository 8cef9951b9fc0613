import Base
import Storage

/// Whose directory it is.
extension DataDirectory {
    /// Reads the identity, or writes one when the directory is new, and checks that it is of this cluster and node.
    ///
    /// - Throws: `identity` when it is another one's, damaged, or missing although there is data.
    package func identity(clusterID: ClusterID, nodeID: NodeID) throws(PosixError) -> NodeIdentity {
        do throws(StorageError) {
            let names = try list()
            if !names.contains(NodeIdentity.fileName) {
                if !names.isEmpty {
                    throw .wrongIdentity(
                        file: path,
                        reason: "it has files, but no file \"\(NodeIdentity.fileName.text)\" that says whose they are; "
                            + "restore that file, or give an empty directory with --data")
                }
                return try writeIdentity(NodeIdentity(clusterID: clusterID, nodeID: nodeID, salt: SystemClock.entropy()))
            }
            let found = try readIdentity()
            if found.clusterID != clusterID {
                throw .wrongIdentity(
                    file: path,
                    reason: "it belongs to cluster \(found.clusterID), and this node was started with --cluster-id \(clusterID); "
                        + "start it with the right one, or give another directory with --data")
            }
            if found.nodeID != nodeID {
                throw .wrongIdentity(
                    file: path,
                    reason: "it belongs to node \(found.nodeID), and this node was started with --id \(nodeID); "
                        + "start it with the right one, or give another directory with --data")
            }
            return found
        } catch {
            throw .identity(path: path, reason: DataDirectory.reason(error))
        }
    }

    /// Reads the identity of a directory, whosever it is.
    package func readIdentity() throws(StorageError) -> NodeIdentity {
        let buffer = ByteBuffer(capacity: 4096)
        try read(NodeIdentity.fileName, offset: 0, count: 4096, into: buffer)
        return try NodeIdentity.decode(buffer.view)
    }

    private func writeIdentity(_ identity: NodeIdentity) throws(StorageError) -> NodeIdentity {
        do throws(DiskFailure) {
            let buffer = ByteBuffer()
            buffer.append(identity.encode())
            try steps.replace(NodeIdentity.fileName, with: buffer.view)
        } catch {
            throw .system(file: error.file, operation: error.operation, reason: errorText(error.code))
        }
        return identity
    }

    private static func reason(_ error: StorageError) -> String {
        if case .wrongIdentity(_, let reason) = error { return reason }
        return error.description
    }
}
