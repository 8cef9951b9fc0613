import Base
import Consensus
import Database

/// An entry of a group's log. (`Database` has entries of its own.)
typealias LogEntry = Consensus.Entry

/// One Raft group on this node: consensus, the state machine, and what is on its way between them and the clients.
final class Group {
    let id: GroupID
    var raft: Raft
    /// Replaced as a whole when a state file of the leader is installed.
    var machine: StateMachine
    var proposals: ProposalQueue
    /// Reused by every drain.
    var raftEffects = RaftEffects()

    // As leader.
    /// The next entry: header and segments, complete but for its time.
    let payload = ByteBuffer(capacity: 1 << 16)
    /// Segments that did not fit into the next entry, in order.
    var waitingSegments = RingBuffer<[UInt8]>()
    /// Other nodes that have segments in it.
    var payloadOwners: [NodeID] = []
    /// Entries of this leadership that are not committed yet and have other nodes' commands in them.
    var proposedFor = RingBuffer<(index: LogIndex, node: NodeID)>()
    /// When the first segment of the next entry came.
    var payloadSince = Instant(nanoseconds: 0)
    /// The next entry waits for what is on its way (`Node.gathersOn`).
    var isHeldBack = false
    /// Entries proposed and not yet applied, with the time of their proposal.
    var proposedAt = RingBuffer<(index: LogIndex, instant: Instant)>()
    /// Highest number per node that this leadership has put into an entry, in order of node.
    var proposedThrough: [(node: NodeID, incarnation: Incarnation, number: UInt64)] = []
    /// The newest time given to an entry in this leadership.
    var lastStamp = WallTime(microseconds: 0)
    /// Index of the entry that carries time forward for due expiries, until it is applied.
    var expiryEntry: LogIndex?

    // As follower.
    /// Leader and term that `proposals.sentThrough` is about.
    var sentTo: (leader: NodeID, term: Term)?
    /// Since when no leader is known; nil while one is.
    var leaderlessSince: Instant?

    /// Reads of old entries for peers that lag: disk operation and peer.
    var loading: [(number: UInt64, peer: NodeID)] = []
    /// What was last logged.
    var describedLeader: (leader: NodeID?, term: Term) = (nil, .zero)

    // Reads.
    var reads = ReadQueue()

    /// Committed entries, to be applied at the beginning of the next turn's end, which follows without waiting.
    var committed: [LogEntry] = []
    /// Nodes whose commands were committed in this turn and who should hear of it at once.
    var toAnnounce: [NodeID] = []

    init(id: GroupID, raft: Raft, machine: StateMachine, proposals: ProposalQueue) {
        self.id = id
        self.raft = raft
        self.machine = machine
        self.proposals = proposals
    }
}
