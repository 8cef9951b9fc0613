import Base
import DistributedSnapshot

/// What happened on a node's channels and with its snapshots, in the order in which it happened: for checkers that judge cuts by what
/// really was (`Node.channelEvents`). The participant of the snapshots has no hand in these notes.
package enum ChannelEvent: Sendable {
    /// The link to a node has finished its handshake: a new channel in each direction.
    case opened(PeerLinkID)
    /// A frame was put on a link, behind all that was put there before. The checksum is the one in its header.
    case sent(PeerLinkID, checksum: UInt32)
    /// A frame from a link was taken in.
    case delivered(PeerLinkID, checksum: UInt32)
    /// The local state was recorded.
    case recorded(SnapshotID)
    /// This node's part is whole.
    case partMade(SnapshotPart)
    /// It is in its file.
    case partStored(SnapshotID)
    /// This node began the snapshot, and says what it is worth.
    case concluded(SnapshotManifest)
    /// The snapshot is over for this node.
    case ended(SnapshotID, SnapshotOutcome)
}
