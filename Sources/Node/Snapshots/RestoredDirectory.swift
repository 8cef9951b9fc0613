import Base
import Consensus
import Storage

/// The files of one node of a cluster that begins with a restored state: an identity, and a state file that the node finds at its first
/// start. No log is needed: it begins behind the state file (docs/internals/state-files.md, "Recovery").
///
/// The state file comes in slices, of about the bytes that the owner asks for and one piece of a value.
package struct RestoredDirectory {
    package let identity: NodeIdentity
    /// Nil for a state in which nothing was ever committed: such a cluster begins as any new one.
    package let stateFile: FileName?
    /// Bytes of the state file that were handed out.
    package var byteCount: Int { stream?.byteCount ?? 0 }

    private var stream: StateFileStream?

    /// Begins the directory of one node. The state must not change before the last slice; several directories may be written at once.
    ///
    /// - Parameters:
    ///   - identity: the new cluster's id, the node's in it, and a salt of its own.
    ///   - nodeCount: of the new cluster, whose nodes are numbered from 1.
    ///   - fileID: drawn at random.
    package init(_ restoration: Restoration, identity: NodeIdentity, nodeCount: Int, fileID: UInt64) {
        check(nodeCount > 0 && nodeCount <= Configuration.membersMax, "a cluster has 1 to \(Configuration.membersMax) nodes")
        check(identity.nodeID.rawValue > 0 && Int(identity.nodeID.rawValue) <= nodeCount, "a node is one of its cluster")
        self.identity = identity
        guard restoration.index > .zero else {
            stateFile = nil
            return
        }
        let name = StateFileFormat.fileName(group: .first, index: restoration.index)
        let voters = (1...nodeCount).map { NodeID(UInt32($0)) }
        let header = StateFileHeader(
            clusterID: identity.clusterID, nodeID: identity.nodeID, group: .first, fileID: max(1, fileID),
            index: restoration.index, term: restoration.term, time: restoration.time,
            configuration: Configuration(voters: voters))
        stateFile = name
        stream = StateFileStream(restoration.machine, name: name, header: header)
        check(stream != nil, "a restored state is recorded by a few directories at once")
    }

    /// What is to be done next for the state file, in order: `extend`s, and at the end its `publish`. Empty when all was handed out.
    package mutating func next(budgetBytes: Int = 1 << 20) -> [DiskOperation.Action] {
        stream?.next(budgetBytes: budgetBytes) ?? []
    }
}
