import Base

/// One member of one group. A value without any reference to the outside: call it, then `drain` its effects.
///
/// Every call with a `now` moves the member's time forward; time that goes back is taken as standing still. `random` is
/// 64 fresh random bits; one draw per call is enough.
package struct Raft: Sendable {
    package let options: RaftOptions
    /// Who is in the group. Fixed at `init` today.
    package internal(set) var configuration: Configuration

    // MARK: Persistent state (paper, Figure 2)
    /// The newest term that this member knows of. Never goes back.
    package internal(set) var term: Term
    /// Who got this member's vote in `term`.
    package internal(set) var vote: NodeID?

    // MARK: Volatile state
    package internal(set) var role = Role.follower
    /// The leader of `term`, when known.
    package internal(set) var leader: NodeID?
    /// Known to be committed. Never goes back, never beyond `lastIndex`.
    package internal(set) var commitIndex = LogIndex.zero
    /// What the owner reported as applied.
    package internal(set) var appliedIndex = LogIndex.zero

    /// A member as recovery found it: a follower that knows no leader.
    ///
    /// - Parameters:
    ///   - configuration: who is in the group; this member itself may be missing from it.
    ///   - recovered: what was on disk. `recovered.tail` must reach back to `recovered.appliedIndex + 1`.
    package init(
        options: RaftOptions, configuration: Configuration, recovered: RecoveredState, now: Now, random: UInt64
    ) {
        self.options = options
        self.configuration = configuration
        term = recovered.hardState.term
        vote = recovered.hardState.vote
    }

    // MARK: Calls

    /// Time has passed: timers that are due fire. The owner calls it when `nextDeadline` is reached (sooner or later
    /// does no harm), best *after* the messages that are at hand: they may be what a timer waits for.
    package mutating func tick(now: Now, random: UInt64) {}

    /// A message has come from a peer.
    package mutating func receive(_ message: Message, now: Now, random: UInt64) {}

    /// Appends a command to the log, on the leader. The entry leaves with the next `drain`.
    package mutating func propose(_ payload: [UInt8], now: Now) -> ProposeOutcome { .notLeader(hint: leader) }

    /// Asks for the index from which a linearizable read may be served (thesis, section 6.4), on any member. Ends in
    /// `effects.readable` or `effects.failedReads`, always with this `id`, which must be new in this run. One id may stand
    /// for all reads of a turn.
    package mutating func requestRead(id: UInt64, now: Now) {}

    /// Hands leadership to `target`, or to the peer that is best prepared (thesis, section 3.10). Until it is done or
    /// given up, `propose` answers `.transferring`.
    package mutating func transferLeadership(to target: NodeID?, now: Now) -> TransferOutcome { .notLeader(hint: leader) }

    /// The write `sequence` and all before it are durable.
    package mutating func persisted(_ sequence: UInt64, now: Now) {}

    /// The state machine has applied everything through `index`.
    package mutating func applied(through index: LogIndex) {}

    /// The channel to `peer` was lost (`isConnected` false), or is open anew (true): what was in flight on the old one is
    /// forgotten.
    ///
    /// A follower that loses its leader's channel campaigns after 5 to 30 ms, by PreVote; those that still hear the leader
    /// refuse it.
    package mutating func peerReset(_ peer: NodeID, isConnected: Bool, now: Now, random: UInt64) {}

    /// The entries that `effects.loads` asked for, contiguous from its `from`.
    package mutating func loaded(for peer: NodeID, entries: [Entry], now: Now) {}

    /// The entries that `effects.loads` asked for can't be read now. Asked again later.
    package mutating func loadFailed(for peer: NodeID) {}

    /// Makes `peer` learn the commit index of this drain at once instead of with the next append or heartbeat. For a node
    /// whose own proposals were just committed. Does nothing on a member that does not lead.
    package mutating func announceCommit(to peer: NodeID) {}

    /// Moves all that is to be done into `effects`, which is emptied first (its memory is kept). Batches close here: one
    /// append per peer, one read round, one write.
    package mutating func drain(into effects: inout RaftEffects) { effects.removeAll() }

    // MARK: State for the owner

    /// When `tick` must be called at the latest.
    package var nextDeadline: Instant { .never }
    package var lastIndex: LogIndex { .zero }
    package var lastTerm: Term { .zero }
    /// Everything through here is in this member's log *and* on its disk. A state file may be made at this index at most.
    package var durableIndex: LogIndex { .zero }
    /// The oldest entry in memory; `lastIndex + 1` when there is none.
    package var firstCachedIndex: LogIndex { LogIndex(1) }
    /// Leads, and an entry of its own term has committed: it knows what is committed (DESIGN section 4, rule 4).
    package var canServe: Bool { false }
    /// The peers as the leader sees them, by id; empty on other members.
    package var peers: [PeerStatus] { [] }
    /// The term of the entry at `index`; nil when it is not in the log (zero for index zero).
    package func term(at index: LogIndex) -> Term? { nil }
    /// The entries `first ... last`, or nil when they are not all in memory.
    package func entries(from first: LogIndex, through last: LogIndex) -> [Entry]? { nil }
}
