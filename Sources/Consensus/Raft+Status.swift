import Base

/// State for the owner.
extension Raft {
    package var lastIndex: LogIndex { log.lastIndex }
    /// What the log begins after.
    package var baseIndex: LogIndex { log.baseIndex }
    package var lastTerm: Term { log.lastTerm }
    /// The oldest entry in memory; `lastIndex + 1` when there is none.
    package var firstCachedIndex: LogIndex { log.firstCachedIndex }
    /// The term of the entry at `index`; nil when it is not in the log (zero for index zero).
    package func term(at index: LogIndex) -> Term? { log.term(at: index) }
    /// The entries `first ... last`, or nil when they are not all in memory.
    package func entries(from first: LogIndex, through last: LogIndex) -> [Entry]? {
        log.entries(from: first, through: last)
    }

    /// Leads, and an entry of its own term has committed: it knows what is committed (DESIGN section 4, rule 4).
    package var canServe: Bool { role == .leader && commitIndex >= termStart }

    /// The member that leadership is on its way to.
    package var transferTarget: NodeID? { transfer?.target }

    /// The peers as the leader sees them, by id; empty on other members.
    package var peers: [PeerStatus] {
        guard role == .leader else { return [] }
        return progress.map {
            PeerStatus(
                peer: $0.peer, state: $0.state, matchIndex: $0.matchIndex, nextIndex: $0.nextIndex,
                recentActive: isActive($0))
        }
    }

    /// When `tick` must be called at the latest (and `drain` after it). Never in the past for long: what is due is done
    /// by one `tick` and `drain`.
    package var nextDeadline: Instant {
        guard role == .leader else { return electionDeadline }
        var deadline = leaderCheckAt
        if let transfer { deadline = min(deadline, transfer.deadline) }
        if reads.isFlying, !reads.askedAll { deadline = min(deadline, reads.askAllAt) }
        for peer in progress {
            if let due = gatherDeadline(of: peer) { deadline = min(deadline, due) }
        }
        return deadline
    }
}
