import Base

/// Linearizable reads by ReadIndex (thesis, section 6.4): without a clock, without an entry in the log.
///
/// The leader notes its commit index and then asks whether it still leads. When a quorum says so, no other leader can have
/// committed anything before it was asked, so a state at that index is new enough. Rounds are shared: one flies, one
/// gathers, and all that asks while a round flies shares the next. Each round has a number of its own; an answer confirms
/// the rounds up to the one it names, never a later one.
extension Raft {
    /// Asks for the index from which a linearizable read may be served (thesis, section 6.4), on any member. Ends in
    /// `effects.readable` or `effects.failedReads`, always with this `id`, which must be new in this run. One id may stand
    /// for all reads of a turn.
    package mutating func requestRead(id: UInt64, now: Now) {
        advance(now)
        if role == .leader {
            guard reads.gathering.count < options.readsMax else {
                pending.failedReads.append(id)
                return
            }
            reads.gathering.append(.init(id: id, origin: options.id))
        } else if let leader, !leaderChannelLost, reads.forwarded.count < options.readsMax {
            reads.forwarded.append(id)
            send(.readIndexRequest(id: id), to: leader)
        } else {
            pending.failedReads.append(id)
        }
    }

    mutating func receiveReadIndexRequest(_ id: UInt64, from peer: NodeID) {
        guard role == .leader, position(of: peer) != nil else { return }
        reads.gathering.append(.init(id: id, origin: peer))
    }

    mutating func receiveReadGrant(_ id: UInt64, index: LogIndex, wall: WallTime) {
        for place in reads.forwarded.indices where reads.forwarded[place] == id {
            reads.forwarded.remove(at: place)
            pending.readable.append(.init(id: id, index: index, wall: wall))
            return
        }
    }

    // MARK: Rounds

    /// Begins a round for all that gathered, when none flies. Until an entry of its own term is committed, a leader does
    /// not know what is (DESIGN section 4, rule 4): requests wait.
    mutating func beginReadRound() {
        check(role == .leader, "only a leader confirms reads")
        if reads.isFlying {
            if !reads.askedAll, clock >= reads.askAllAt { reads.askedAll = true }
            return
        }
        guard canServe, !reads.gathering.isEmpty else { return }
        check(reads.flying.isEmpty, "a round that ended has no requests")
        swap(&reads.flying, &reads.gathering)
        reads.round += 1
        reads.isFlying = true
        reads.index = commitIndex
        reads.askedAll = !options.thrifty
        reads.askAllAt = clock + options.readPatience
        endRoundIfConfirmed()
    }

    /// Whether the round that flies asks this peer with a message of its own. (Every append carries the round anyway.)
    func isAsked(_ position: Int) -> Bool {
        configuration.isVoter(progress[position].peer) && (reads.askedAll || progress[position].isNeeded)
    }

    /// The round that a message to this peer should carry; 0 for none.
    mutating func roundFor(_ position: Int) -> UInt64 {
        guard reads.isFlying, progress[position].roundConfirmed < reads.round else { return 0 }
        progress[position].roundSent = reads.round
        return reads.round
    }

    mutating func confirmRound(_ round: UInt64, by position: Int) {
        hold(round <= reads.round, "a round is confirmed after it began")
        guard round > progress[position].roundConfirmed else { return }
        progress[position].roundConfirmed = round
        endRoundIfConfirmed()
    }

    private mutating func endRoundIfConfirmed() {
        guard reads.isFlying else { return }
        let (id, round, peers) = (options.id, reads.round, progress)
        let confirmed = configuration.isQuorum { node in
            if node == id { return true }
            guard let position = peers.position(of: node) else { return false }
            return peers[position].roundConfirmed >= round
        }
        guard confirmed else { return }
        check(reads.index <= commitIndex, "a read index is committed")
        reads.isFlying = false
        for request in reads.flying { grant(request) }
        reads.flying.removeAll(keepingCapacity: true)
    }

    private mutating func grant(_ request: ReadQueue.Request) {
        if request.origin == options.id {
            pending.readable.append(.init(id: request.id, index: reads.index, wall: wall))
            return
        }
        send(.readIndexResponse(id: request.id, index: reads.index, wall: wall), to: request.origin)
        if let position = position(of: request.origin), progress[position].commitSent < reads.index {
            progress[position].wantsCommit = true
        }
    }

    // MARK: Ends

    /// The leader that was asked leads no more, or can't be reached: nothing will come of it.
    mutating func failForwardedReads() {
        pending.failedReads.append(contentsOf: reads.forwarded)
        reads.forwarded.removeAll(keepingCapacity: true)
    }

    /// The leadership ends: fails the requests of this member. Other members learn of it by the next term or leader.
    mutating func failOwnReads() {
        for request in reads.flying where request.origin == options.id { pending.failedReads.append(request.id) }
        for request in reads.gathering where request.origin == options.id { pending.failedReads.append(request.id) }
        reads.flying.removeAll(keepingCapacity: true)
        reads.gathering.removeAll(keepingCapacity: true)
        reads.isFlying = false
    }

    /// A channel was lost: its requests will be made again, and what it was asked to confirm is asked anew.
    mutating func forgetReads(of peer: NodeID, _ position: Int) {
        reads.flying.removeAll { $0.origin == peer }
        reads.gathering.removeAll { $0.origin == peer }
        guard reads.isFlying, progress[position].roundConfirmed < reads.round else { return }
        progress[position].roundSent = 0
        reads.askedAll = true
    }
}
