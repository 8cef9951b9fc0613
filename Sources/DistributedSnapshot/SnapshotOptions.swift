import Base

/// Limits and identity of a `SnapshotParticipant`. Times are nanoseconds, sizes bytes.
package struct SnapshotOptions: Sendable {
    /// This node and its run.
    package var node: NodeID
    package var incarnation: Incarnation
    /// Snapshots that are recorded at the same time. A node that is asked for more declines, and passes the markers on.
    package var recordingsMax = 8
    /// Snapshots that are known and not over, those included that this node only passes on. Beyond it a new one is passed on as over.
    package var openMax = 64
    /// Ended snapshots that are remembered one by one; older ones are known by the largest of their ids.
    package var endedMax = 64
    /// Members that a marker may name.
    package static let membersMax = 64
    /// Bytes recorded on one channel for one snapshot. Beyond it the channel's content is dropped and marked as truncated.
    package var channelBytesMax: UInt64 = 64 << 20
    /// Bytes recorded on all channels for all snapshots.
    package var recordedBytesMax: UInt64 = 256 << 20
    /// The longest time that a snapshot may take.
    package var timeLimitMax = Nanoseconds.milliseconds(3_600_000)
    /// Replies to clients are never held longer than this at a stretch, however many snapshots overlap.
    package var holdMax = Nanoseconds.milliseconds(200)
    /// Bugs planted on purpose, to prove that the oracle sees them. Empty in production.
    package var faults: SnapshotFaults = []

    package init(node: NodeID, incarnation: Incarnation) {
        self.node = node
        self.incarnation = incarnation
    }

    /// Stops the process when the values do not fit together.
    func checkValid() {
        check(node.rawValue > 0, "a node's id is 1 or more")
        check(recordingsMax > 0 && openMax >= recordingsMax && openMax <= 64, "limits of open snapshots hold each other")
        check(endedMax > 0 && endedMax <= 64, "what an opening lists is bounded")
        check(recordedBytesMax >= channelBytesMax, "one channel fits into all")
        check(timeLimitMax.rawValue > 0 && timeLimitMax <= .milliseconds(86_400_000), "a snapshot takes a day at most")
        check(holdMax.rawValue > 0, "replies may be held for a while")
    }
}

/// Bugs that can be planted in a `SnapshotParticipant`.
package struct SnapshotFaults: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Colours are not looked at.
    package static let ignoreColours = SnapshotFaults(rawValue: 1)
    /// A new channel does not begin with the markers of open snapshots.
    package static let noMarkersAtOpening = SnapshotFaults(rawValue: 2)
    /// A channel's recording stops after its first frame.
    package static let stopRecordingEarly = SnapshotFaults(rawValue: 4)
    /// A run that never heard of the snapshot takes part although the initiator named an earlier run of the node.
    package static let anyRunTakesPart = SnapshotFaults(rawValue: 8)
    /// Some markers of other nodes' snapshots are not passed on to some nodes.
    package static let loseMarkers = SnapshotFaults(rawValue: 16)
}

/// What an operator asks for.
package struct SnapshotRequest: Equatable, Sendable {
    /// Who is asked for a part; this node may be among them. Known nodes that are not asked only pass the markers on.
    package var participants: [NodeID]
    /// Whether replies to clients wait for the markers, so that the cut is a point in real time (DESIGN, rule 7.7).
    package var isStrict = true
    /// After this the snapshot ends with what there is.
    package var timeLimit = Nanoseconds.milliseconds(10_000)
    /// Whether a snapshot with missing parts is worth keeping; else it is aborted.
    package var allowsPartial = true
    /// Bytes recorded on one channel; each node's own limit holds too.
    package var channelBytesMax = UInt64.max

    package init(participants: [NodeID]) { self.participants = participants }
}

/// Why a snapshot can't begin.
package enum SnapshotRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    case tooManyOpen(limit: Int)
    case tooManyMembers(limit: Int)
    case noParticipants
    case timeLimitOutOfRange
    case nodeNumberTooLarge(limit: UInt32)
    case idsExhausted

    package var description: String {
        switch self {
        case .tooManyOpen(let limit): "\(limit) snapshots are open already, which is the limit"
        case .tooManyMembers(let limit): "a snapshot names at most \(limit) nodes"
        case .noParticipants: "a snapshot needs participants"
        case .timeLimitOutOfRange: "the time limit is zero or over the node's limit"
        case .nodeNumberTooLarge(let limit): "only nodes with numbers up to \(limit) can begin a snapshot"
        case .idsExhausted: "an id far in the future was seen: there are no larger ones"
        }
    }
}
