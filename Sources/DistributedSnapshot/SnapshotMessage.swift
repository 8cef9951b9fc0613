import Base

/// A run of a node, as somebody knows it.
package struct NodeRun: Equatable, Sendable {
    package var node: NodeID
    /// 0: the node was never heard of.
    package var incarnation: Incarnation
    package init(_ node: NodeID, _ incarnation: Incarnation) {
        self.node = node
        self.incarnation = incarnation
    }
}

/// What a marker says of its snapshot; the same on every channel.
package struct SnapshotMarker: Equatable, Sendable {
    package var id: SnapshotID
    package var initiator: NodeID
    package var isStrict: Bool
    /// The sender knows that the snapshot is over: nobody begins a part any more. Then the rest is empty.
    package var isEnded: Bool
    package var timeLimit: Nanoseconds
    package var channelBytesMax: UInt64
    /// Every node that the initiator knew, in the run that it knew, by number.
    package var members: [Member]

    package struct Member: Equatable, Sendable {
        package var run: NodeRun
        package var isParticipant: Bool
    }

    /// The marker of a snapshot that is over.
    static func ended(_ id: SnapshotID) -> SnapshotMarker {
        SnapshotMarker(
            id: id, initiator: NodeID(0), isStrict: false, isEnded: true, timeLimit: Nanoseconds(0), channelBytesMax: 0,
            members: [])
    }

    func member(_ node: NodeID) -> Member? { members.first { $0.run.node == node } }
}

/// The first message on every channel: the facts that the receiver must have before it takes in a frame (DESIGN, rule 7.4).
package struct SnapshotOpening: Equatable, Sendable {
    /// The channel's number, dense from 1 in the sender's run.
    package var channel: UInt64
    /// The sender's colour at this moment.
    package var colour: SnapshotID
    /// The sender has forgotten snapshots up to this id, or heard of somebody who has. It has no part in one that it does not list.
    package var floor: SnapshotID
    /// Snapshots that the sender has recorded or passed on and that are not over.
    package var open: [SnapshotMarker]
    /// Snapshots that the sender knows to be over.
    package var ended: [SnapshotID]
    /// The newest runs of nodes that the sender knows of, itself included.
    package var runs: [NodeRun]
}

/// What participants tell each other. It travels on the channels, between the frames, in one order with them.
package enum SnapshotMessage: Equatable, Sendable {
    case opening(SnapshotOpening)
    /// `previous` is the sender's colour before: a chain, so that a marker that was lost is noticed at the next one.
    case marker(SnapshotMarker, previous: SnapshotID)
    /// Newer runs than the sender knew before. They travel ahead of every frame that may depend on them.
    case runs([NodeRun])
    /// A floor that the sender has heard of, ahead of every frame that may depend on it.
    case floor(SnapshotID)
    case report(SnapshotReport)
    case end(SnapshotID, SnapshotOutcome)
}

/// How a snapshot ended.
package enum SnapshotOutcome: UInt8, Sendable {
    /// Every participant's part is there and every channel's state is exact.
    case complete = 1
    /// Parts are missing, or the state of a channel is not known exactly. What is there is consistent.
    case partial = 2
    case aborted = 3
    /// This node never learnt it: the initiator was not heard in time, or is gone.
    case unknown = 4
}
