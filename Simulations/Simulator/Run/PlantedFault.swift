import Consensus
import DistributedSnapshot
import Node

/// A bug planted on purpose, to prove that a checker is not blind: in the node itself, or in the simulated world in the place
/// of one that a node could have.
package enum PlantedFault: String, CaseIterable, Sendable {
    // In consensus; see `RaftFaults`.
    /// A leader commits entries of older terms by counting replicas (paper, Figure 8).
    case commitOlderTermByCounting
    /// Votes and acknowledgements leave before they are on disk.
    case acknowledgeBeforeSync
    /// A node forgets its vote when it crashes.
    case skipVotePersistence

    // In distributed snapshots; see `SnapshotFaults`.
    /// Markers are lost, and the colours of frames are not looked at.
    case loseMarkers
    /// A new channel does not begin with the markers of open snapshots.
    case noMarkersAtOpening
    /// The recording of a channel stops too soon.
    case stopRecordingEarly

    // In state files; see `StateFileFaults`.
    /// The log is trimmed as if no state file could be damaged.
    case trimTooFar
    /// Connections that wait for replies which nobody knows are not closed.
    case keepUnknown

    // In restorations of cuts; see `RestorationFaults`.
    /// What is committed and not applied is left out.
    case restoreWithoutTail
    /// The part that knows least is taken.
    case restoreLowestCommit
    /// The runs of the old cluster's nodes are taken for those of the new one's.
    case restoreOldRuns

    // In the world.
    /// State files get their names without having been synced.
    case unsyncedStateFiles
    /// The driver takes a follower for a leader.
    case secondLeader
    /// Disks forget writes that they had reported as durable.
    case forgetWrites
    /// One node's state differs a little.
    case otherState
    /// A node closes a client's connection for no reason.
    case dropConnection
    /// Two replies leave in the wrong order.
    case swapReplies
    /// A read returns what the key held before.
    case staleRead
    /// A command is executed twice.
    case executeTwice
    /// A reply never leaves.
    case loseReply
    /// A node never hears from the others again.
    case deafNode
    /// Keys with a time to live are gone too soon.
    case expireEarly
    /// A page of a scan lacks an element.
    case hideScanned
    /// A node asks for a block of a file that does not exist.
    case strayWrite

    /// The bugs to plant in consensus.
    var raftFaults: RaftFaults {
        switch self {
        case .commitOlderTermByCounting: .commitOlderTermByCounting
        case .acknowledgeBeforeSync: .acknowledgeBeforeSync
        case .skipVotePersistence: .skipVotePersistence
        default: []
        }
    }

    /// The bugs to plant in distributed snapshots.
    var snapshotFaults: SnapshotFaults {
        switch self {
        case .loseMarkers: [.loseMarkers, .ignoreColours]
        case .noMarkersAtOpening: .noMarkersAtOpening
        case .stopRecordingEarly: .stopRecordingEarly
        default: []
        }
    }

    /// The bugs to plant in state files.
    var stateFileFaults: StateFileFaults {
        switch self {
        case .trimTooFar: .trimTooFar
        case .keepUnknown: .keepUnknown
        default: []
        }
    }

    /// The bugs to plant in restorations.
    var restorationFaults: RestorationFaults {
        switch self {
        case .restoreWithoutTail: [.ignoreTail]
        case .restoreLowestCommit: [.lowestCommit]
        case .restoreOldRuns: [.keepRuns]
        default: []
        }
    }

    /// Whether the bug shows only where there are state files.
    var needsStateFiles: Bool { self == .unsyncedStateFiles || !stateFileFaults.isEmpty }

    /// What a run that meets the bug may break first.
    package var breaks: [Violation.Kind] {
        switch self {
        case .acknowledgeBeforeSync, .forgetWrites:
            // A follower that lost what it acknowledged is sent nothing more: the cluster stands still once it can't do without it.
            [
                .committedEntryChanged, .leaderCompleteness, .linearizability, .exactlyOnce, .electionSafety, .stateDigest,
                .logMatching, .progress, .recovery, .liveness, .convergence,
            ]
        case .commitOlderTermByCounting:
            [
                .committedEntryChanged, .leaderCompleteness, .linearizability, .exactlyOnce, .electionSafety, .stateDigest,
                .logMatching, .progress,
            ]
        case .skipVotePersistence, .secondLeader: [.electionSafety, .logMatching, .committedEntryChanged, .leaderCompleteness]
        case .loseMarkers, .noMarkersAtOpening, .stopRecordingEarly: [.cut]
        case .trimTooFar, .unsyncedStateFiles: [.recovery]
        // Later replies take the place of those that never come.
        case .keepUnknown: [.liveness, .reply, .linearizability, .exactlyOnce, .expiry]
        case .restoreWithoutTail, .restoreLowestCommit, .restoreOldRuns: [.restoration]
        case .otherState: [.stateDigest]
        case .dropConnection: [.droppedConnection]
        // Whoever asked something else may take the reply for an answer.
        case .swapReplies: [.reply, .linearizability, .exactlyOnce, .expiry, .stateDigest]
        // Where the last read is the stale one, what it lacks counts as lost.
        case .staleRead: [.linearizability, .exactlyOnce]
        case .executeTwice: [.exactlyOnce, .linearizability]
        case .loseReply: [.liveness, .reply]
        case .deafNode: [.liveness, .convergence]
        case .expireEarly: [.expiry]
        case .hideScanned: [.scan]
        case .strayWrite: [.diskContract]
        }
    }
}
