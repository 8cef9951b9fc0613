import Base
import Node
import Storage

/// A computer with its clock and disk, and the node that runs on it while it is up: what the real driver keeps for a node.
final class Machine {
    /// What waits for the node's next turn.
    enum Input {
        case clientOpened(Link)
        case peerDialled(Link, to: NodeID)
        case peerDialFailed(to: NodeID, reason: String)
        case peerAccepted(Link)
        case bytes(Link, side: Int, [UInt8])
        case closed(Link, side: Int)
        /// The end of a peer connection that the node closed itself; it may be told, or not.
        case closedByItself(PeerLinkID)
        case diskDone(number: UInt64)
        case diskRefused(number: UInt64)
        case diskRead(number: UInt64, [UInt8])
        case writable(Link, side: Int)
        case shutdown
    }

    /// What the checkers saw of the node last.
    struct Seen {
        var term = Term.zero
        var commitIndex = LogIndex.zero
        var appliedIndex = LogIndex.zero
        var ledTerm = Term.zero
    }

    let index: Int
    let id: NodeID
    let identity: NodeIdentity
    let disk: SimulatedDisk
    var clock: SimulatedClock
    var random: RandomGenerator

    /// The node, while the machine is up.
    var node: Node?
    /// Counts starts and ends of the node, so that what was meant for an earlier run is not taken for this one.
    var run: UInt64 = 0
    var inbox: [Input] = []
    var effects = NodeEffects()
    /// When the next turn is scheduled.
    var turnAt: Instant?
    /// The node is at work until then.
    var busyUntil = Instant(nanoseconds: 0)
    /// The node does not run until then.
    var pausedUntil = Instant(nanoseconds: 0)
    /// The earliest scheduled look at the node's deadline.
    var wakeAt = Instant.never
    /// Turns in a row that had no input and whose deadline had passed again at their end.
    var restlessTurns = 0
    var restlessSince = Instant(nanoseconds: 0)
    /// The connections of this run by number, from 1.
    var connections: [Link] = []
    var peerLinks: [Link] = []
    var seen = Seen()
    /// All connections of this run, those included that the node has not taken in yet.
    var openLinks: [Link] = []

    /// So many of its next starts end in another crash.
    var startsToFail = 0
    /// After its next crash it is back within milliseconds.
    var startsSoon = false
    /// Its disk has lost data: the node may refuse to start, and then stays out.
    var isSpoiled = false
    /// One of its state files has lost data, at a time when there were two of them.
    var hasRottenStateFile = false
    /// Clients that the node closed because it can't know their replies, as far as that was seen.
    var closedForUnknown: UInt64 = 0
    /// The node refused to start, with a reason.
    var refusal: StorageError?
    /// Asked to stop in order.
    var isStopping = false

    init(index: Int, identity: NodeIdentity, disk: SimulatedDisk, clock: SimulatedClock, random: RandomGenerator) {
        self.index = index
        id = identity.nodeID
        self.identity = identity
        self.disk = disk
        self.clock = clock
        self.random = random
    }

    var isUp: Bool { node != nil }
}
