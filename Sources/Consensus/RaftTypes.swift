import Base

/// What a member is at the moment (paper, Figure 4; the pre-candidate is from thesis, section 9.6).
package enum Role: UInt8, Sendable {
    case follower = 0
    /// Asks whether it would win, without raising its term.
    case preCandidate = 1
    case candidate = 2
    case leader = 3
}

/// What became of a proposal.
package enum ProposeOutcome: Equatable, Sendable {
    /// It is in the leader's log. It may still be lost if the leadership is; it is decided when an entry with this index
    /// commits: this one, if that entry has this term.
    case appended(index: LogIndex, term: Term)
    /// Not executed: this member does not lead. The hint is the leader that it knows.
    case notLeader(hint: NodeID?)
    /// Not executed: too many bytes wait for their commit (`RaftOptions.uncommittedBytesMax`).
    case overloaded
    /// Not executed: leadership is on its way to another member; ask again in a moment.
    case transferring
}

/// What became of a request to hand leadership on.
package enum TransferOutcome: Equatable, Sendable {
    /// On its way to this member. It ends when this member learns of a new term, or is given up after an election timeout.
    case started(NodeID)
    case notLeader(hint: NodeID?)
    /// No voter (or not the one asked for) is connected and was heard of lately.
    case noCandidate
    case alreadyInProgress
}

/// A run of log entries of one term: from `first` to the next run's first, or to the end of the log.
package struct TermRun: Equatable, Sendable {
    package var first: LogIndex
    package var term: Term
    package init(first: LogIndex, term: Term) {
        self.first = first
        self.term = term
    }
}

/// What recovery found on disk for a group.
package struct RecoveredState: Sendable {
    package var hardState = HardState()
    /// What the log begins after: the last entry that the newest state file covers, with its term. Zero without one.
    package var baseIndex = LogIndex.zero
    package var baseTerm = Term.zero
    /// The whole log's terms, ascending; empty when the log has no entry after the base.
    package var termRuns: [TermRun] = []
    /// The last entry on disk; `baseIndex` for an empty log.
    package var lastIndex = LogIndex.zero
    /// The newest entries, contiguous up to `lastIndex`. Must reach back to `appliedIndex + 1` at least.
    package var tail: [Entry] = []
    /// The newest commit hint on disk. Entries up to it are committed.
    package var commitHint = LogIndex.zero
    /// What the state machine has applied already.
    package var appliedIndex = LogIndex.zero
    package init() {}
}

/// One peer as its leader sees it, for status output.
package struct PeerStatus: Equatable, Sendable {
    package var peer: NodeID
    package var state: Progress.State
    /// Everything through here is durable at the peer and equal to the leader's log.
    package var matchIndex: LogIndex
    /// The next entry to send.
    package var nextIndex: LogIndex
    /// Connected, and heard of within the last election timeout.
    package var recentActive: Bool
}
