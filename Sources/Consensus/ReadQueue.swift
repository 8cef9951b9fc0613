import Base

/// Read requests on their way (thesis, section 6.4).
struct ReadQueue: Sendable {
    /// Who asked, under which number.
    struct Request: Sendable {
        var id: UInt64
        var origin: NodeID
    }

    // MARK: On the leader
    /// Wait for the next round.
    var gathering: [Request] = []
    /// Wait for the confirmation of `round`.
    var flying: [Request] = []
    /// The number of the round that was begun last. Counts on through all leaderships of a run, so it comes once in a
    /// term: who leads a term does so in one run only.
    var round: UInt64 = 0
    /// `round` is not yet confirmed.
    var isFlying = false
    /// What was committed when `round` began.
    var index = LogIndex.zero
    /// When the peers that were spared are asked too, if they were not.
    var askAllAt = Instant.never
    var askedAll = false

    // MARK: On a follower
    /// Numbers sent to the leader.
    var forwarded: [UInt64] = []
}
