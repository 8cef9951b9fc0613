import Base

/// What a `Raft` is told once, at its start.
package struct RaftOptions: Sendable {
    /// This member.
    package var id: NodeID
    /// A follower that hears no leader for a random time between these two campaigns (paper, section 5.2). The lower
    /// one is also how long a member that heard from a leader refuses its vote to others (thesis, section 4.2.3), the
    /// upper one how long a leader leads without hearing a quorum (thesis, section 6.2).
    package var electionTimeoutMin: Nanoseconds = .milliseconds(250)
    package var electionTimeoutMax: Nanoseconds = .milliseconds(500)
    /// A follower that loses its leader's channel campaigns after a random time between these two, once: longer than a
    /// dropped connection takes to come back on a local network, and wide against the time that a PreVote takes, so
    /// that two survivors seldom meet. A second attempt takes five times as long, the third the usual timeout.
    package var lostLeaderDelayMin: Nanoseconds = .milliseconds(5)
    package var lostLeaderDelayMax: Nanoseconds = .milliseconds(30)
    /// A peer to which nothing was sent for this long gets a heartbeat.
    package var heartbeatInterval: Nanoseconds = .milliseconds(50)
    /// Appends with entries in flight to one peer. With 1 the next frame gathers all that is new until the
    /// acknowledgement comes, which is the fastest at low depth (SWIFT-NOTES).
    package var inFlightMax = 1
    /// Payload bytes in one append. One entry always fits, however large.
    package var appendBytesMax = 1 << 20
    /// Voters that a majority does not need get their entries gathered instead of one frame for each batch.
    package var thrifty = true
    /// A gathered frame leaves when this many frames went to the needed voters meanwhile.
    package var thriftyGather = 4
    /// A gathered frame leaves at the latest this long after its oldest entry was appended.
    package var thriftyDelay: Nanoseconds = .microseconds(1500)
    /// A read round that is not confirmed after this long asks the peers that were spared too.
    package var readPatience: Nanoseconds = .milliseconds(4)
    /// Read requests of this member that may be open at a time; more fail at once.
    package var readsMax = 65_536
    /// Bytes of entries kept in memory for peers that lag. Entries that are not yet applied, durable and committed stay
    /// in memory beyond it.
    package var cacheBytesMax = 64 << 20
    /// Payload bytes appended and not yet committed above which `propose` answers `.overloaded`.
    package var uncommittedBytesMax = 64 << 20
    /// Bugs planted on purpose, to prove that the checkers see them. Empty in production.
    package var faults: RaftFaults = []

    package init(id: NodeID) { self.id = id }

    /// A message that was not answered for this long is taken as lost, though its channel was not.
    var resendAfter: Nanoseconds { electionTimeoutMin }
    /// A first append to a peer whose log is not known carries no more than this.
    var probeBytesMax: Int { min(appendBytesMax, 64 << 10) }

    /// Stops the process when the values do not fit together.
    func checkValid() {
        check(id.rawValue > 0, "a node's id is 1 or more")
        check(
            heartbeatInterval.rawValue > 0 && heartbeatInterval.rawValue * 2 <= electionTimeoutMin.rawValue,
            "two heartbeats at the least fit in an election timeout")
        check(electionTimeoutMin < electionTimeoutMax, "election timeouts have a range to be drawn from")
        check(lostLeaderDelayMin < lostLeaderDelayMax, "delays after a lost leader have a range to be drawn from")
        check(inFlightMax > 0 && appendBytesMax > 0 && thriftyGather > 0, "windows and frames hold something")
        check(cacheBytesMax >= 0 && uncommittedBytesMax >= 0 && readsMax > 0, "limits are not negative")
    }
}

/// Bugs that can be planted in a `Raft`, so that each checker can prove it is not blind. While any is planted, the
/// checks that would stop the process for its consequences are off: the checkers outside have to find it.
package struct RaftFaults: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// A leader commits entries of older terms by counting replicas (paper, Figure 8).
    package static let commitOlderTermByCounting = RaftFaults(rawValue: 1)
    /// Votes and acknowledgements leave, and own entries count, before they are durable.
    package static let acknowledgeBeforeSync = RaftFaults(rawValue: 2)
    /// The vote is not written to disk and votes don't wait: after a crash a member may vote twice in a term.
    package static let skipVotePersistence = RaftFaults(rawValue: 4)
}
