import Base

/// What a `SnapshotParticipant` asks its owner to do. The owner takes them after **every** call that can leave some and carries
/// them out in order, before it encodes or takes in any other frame.
package enum SnapshotEffect: Equatable, Sendable {
    /// Record the local state of this moment, in one step; write it in the background; then call `recordWritten`.
    case record(SnapshotID)
    /// Put this payload on the channel to the peer, behind all that was put there before.
    case send(to: NodeID, payload: [UInt8])
    /// From now on hold replies to clients back. Replies made before may leave.
    case holdReplies
    /// Let them go.
    case releaseReplies
    /// Reset the link to the peer: its stream can't be trusted any more.
    case reset(NodeID, reason: String)
    /// The part is whole: store it beside the local state, then call `partStored`.
    case partComplete(SnapshotPart)
    /// On the initiator: the snapshot is over, and this is what it is worth. Comes before `ended`.
    case finished(SnapshotManifest)
    /// The snapshot is over for this node. With `aborted` or `unknown` its files have no use, and a record that is not finished may stop.
    case ended(SnapshotID, SnapshotOutcome)
    /// For the operator's log.
    case log(String)
}

/// Whether a frame may be taken in.
package enum FrameVerdict: Equatable, Sendable {
    case deliver
    /// The frame must not be delivered: the channel has lost a marker, or has not begun. The effects reset it.
    case refuse
}
