import Base

/// Elections (paper, section 5.2), with PreVote (thesis, section 9.6) and CheckQuorum (thesis, section 6.2).
extension Raft {
    // MARK: Timers

    /// A random delay before the next campaign.
    func electionDelay() -> Nanoseconds {
        switch urgency {
        case 2: draw(options.lostLeaderDelayMin.rawValue, options.lostLeaderDelayMax.rawValue)
        case 1: draw(options.lostLeaderDelayMin.rawValue * 5, options.lostLeaderDelayMax.rawValue * 5)
        default: draw(options.electionTimeoutMin.rawValue, options.electionTimeoutMax.rawValue)
        }
    }

    private func draw(_ low: UInt64, _ high: UInt64) -> Nanoseconds {
        Nanoseconds(low + (high - low).multipliedFullWidth(by: random).high)
    }

    /// No leader was heard for an election timeout, or the campaign had no result.
    mutating func electionTimedOut() {
        check(role != .leader, "a leader has no election timeout")
        if role == .candidate, !selfAnswer {
            // The disk is slower than the timeout. Another term would only give it more to write.
            electionDeadline = clock + electionDelay()
        } else if configuration.isVoter(options.id) {
            becomePreCandidate()
        } else {
            become(.follower, leader: nil)
            electionDeadline = clock + electionDelay()
        }
    }

    /// Whether this member takes the group to have a leader that works: then it helps nobody to unseat it. A leader that
    /// loses its quorum steps down by itself.
    private var trustsLeader: Bool {
        if role == .leader { return true }
        guard leader != nil, !leaderChannelLost else { return false }
        return (clock - leaderHeard) < options.electionTimeoutMin
    }

    /// Whether a request to vote, of a newer term, is to be passed over unanswered (thesis, section 4.2.3).
    func ignores(_ request: Message.VoteRequest) -> Bool { !request.isTransfer && trustsLeader }

    // MARK: Roles

    /// Changes role and known leader within the present term. What the old ones had open is ended.
    mutating func become(_ role: Role, leader: NodeID?) {
        if self.role == .leader, role != .leader { endLeadership() }
        if self.leader != leader {
            failForwardedReads()
            leaderChannelLost = false
        }
        if self.role != role || self.leader != leader { pending.statusChanged = true }
        self.role = role
        self.leader = leader
    }

    /// Enters a newer term, or stays in this one, as a follower.
    mutating func becomeFollower(term: Term, leader: NodeID?) {
        check(term >= self.term, "a term never goes back")
        let wasFollower = role == .follower
        become(.follower, leader: leader)
        if term > self.term {
            failForwardedReads()
            self.term = term
            vote = nil
            pending.statusChanged = true
        }
        // A follower's timer runs on: only a leader or a vote that was given stops it (paper, section 5.2).
        if !wasFollower { electionDeadline = clock + electionDelay() }
    }

    /// Asks whether it would be elected, without disturbing anybody by a new term.
    private mutating func becomePreCandidate() {
        become(.preCandidate, leader: nil)
        isTransferCampaign = false
        beginCampaign()
        selfAnswer = true
        for position in progress.indices where configuration.isVoter(progress[position].peer) {
            ask(position)
        }
        if isElected { becomeCandidate(isTransfer: false) }
    }

    /// Begins a term of its own. The requests leave once term, vote and log are durable: a vote is given to what the
    /// candidate can still show after a crash.
    mutating func becomeCandidate(isTransfer: Bool) {
        check(configuration.isVoter(options.id), "only a voter campaigns")
        become(.candidate, leader: nil)
        term = term.next
        vote = options.id
        pending.statusChanged = true
        isTransferCampaign = isTransfer
        beginCampaign()
        selfAnswer = false
        promise(.voteResponse(granted: true), to: options.id, through: log.lastIndex)
        for position in progress.indices where configuration.isVoter(progress[position].peer) {
            ask(position)
        }
    }

    private mutating func beginCampaign() {
        for position in progress.indices { progress[position].answer = nil }
        if urgency > 0 { urgency -= 1 }
        electionDeadline = clock + electionDelay()
    }

    /// Sends the request of this campaign to one voter.
    private mutating func ask(_ position: Int) {
        let request = Message.VoteRequest(
            lastIndex: log.lastIndex, lastTerm: log.lastTerm, isTransfer: isTransferCampaign)
        let peer = progress[position].peer
        if role == .preCandidate {
            pending.messages.append(
                Message(from: options.id, to: peer, term: term.next, body: .preVoteRequest(request)))
        } else {
            check(role == .candidate && vote == options.id, "a candidate has its own vote")
            promise(.voteRequest(request), to: peer, through: log.lastIndex)
        }
    }

    /// A channel opened in the middle of a campaign: what was sent before may have found none.
    mutating func askAgain(_ position: Int) {
        guard configuration.isVoter(progress[position].peer), progress[position].answer == nil else { return }
        ask(position)
    }

    private var isElected: Bool {
        let (id, own, peers) = (options.id, selfAnswer, progress)
        return configuration.isQuorum { node in
            if node == id { return own }
            guard let position = peers.position(of: node) else { return false }
            return peers[position].answer == true
        }
    }

    // MARK: Requests

    mutating func receivePreVoteRequest(_ request: Message.VoteRequest, from peer: NodeID, campaignTerm: Term) {
        let isGranted =
            campaignTerm > term && !trustsLeader && log.isUpToDate(index: request.lastIndex, term: request.lastTerm)
        // A granted answer carries the term that it is for, a refusal this member's own (etcd does the same).
        pending.messages.append(
            Message(
                from: options.id, to: peer, term: isGranted ? campaignTerm : term,
                body: .preVoteResponse(granted: isGranted)))
        if isGranted, role == .follower {
            // Two members that lost the same leader should not meet: let this one have its try first.
            electionDeadline = max(electionDeadline, clock + options.lostLeaderDelayMax)
        }
    }

    mutating func receiveVoteRequest(_ request: Message.VoteRequest, from peer: NodeID) {
        let isFree = vote == peer || (vote == nil && leader == nil)
        guard isFree, log.isUpToDate(index: request.lastIndex, term: request.lastTerm) else {
            send(.voteResponse(granted: false), to: peer)
            return
        }
        check(vote == nil || vote == peer, "a member votes once in a term")
        check(role == .follower || role == .preCandidate, "who has its own vote gives it to no other")
        become(.follower, leader: leader)
        vote = peer
        urgency = 0
        electionDeadline = clock + electionDelay()
        if options.faults.contains(.skipVotePersistence) {
            send(.voteResponse(granted: true), to: peer)
        } else {
            promise(.voteResponse(granted: true), to: peer, through: .zero)
        }
    }

    // MARK: Answers

    mutating func receivePreVoteResponse(granted: Bool, from peer: NodeID, answerTerm: Term) {
        guard role == .preCandidate, answerTerm == (granted ? term.next : term) else { return }
        record(granted, from: peer)
        if isElected { becomeCandidate(isTransfer: false) }
    }

    mutating func receiveVoteResponse(granted: Bool, from peer: NodeID) {
        guard role == .candidate else { return }
        record(granted, from: peer)
        if isElected { becomeLeader() }
    }

    private mutating func record(_ granted: Bool, from peer: NodeID) {
        guard let position = position(of: peer), progress[position].answer != true else { return }
        progress[position].answer = granted
    }

    /// This member's vote for itself is on disk: now it counts.
    mutating func selfVoteIsDurable() {
        guard role == .candidate else { return }
        check(vote == options.id, "a candidate votes for itself")
        selfAnswer = true
        if isElected { becomeLeader() }
    }

    // MARK: Leadership

    private mutating func becomeLeader() {
        check(role == .candidate && isElected, "a leader is elected by a quorum")
        check(vote == options.id, "a leader voted for itself")
        become(.leader, leader: options.id)
        urgency = 0
        termStart = log.lastIndex.next
        for position in progress.indices { progress[position].reset(nextIndex: termStart, now: clock) }
        rankVoters()
        uncommittedBytes = 0
        var index = commitIndex
        while index < log.lastIndex {
            index = index.next
            uncommittedBytes += log.payloadBytes(at: index)
        }
        transfer = nil
        electionDeadline = .never
        leaderCheckAt = clock + options.heartbeatInterval
        pending.becameLeader = true
        // Commits what older terms left (paper, section 5.4.2 and section 8).
        _ = appendOwn(.empty, [])
    }

    /// The leadership ends: nothing that depended on it stays open.
    private mutating func endLeadership() {
        check(role == .leader, "only a leadership ends")
        pending.becameLeader = false
        transfer = nil
        leaderCheckAt = .never
        failOwnReads()
    }

    /// Steps down when no quorum was heard for an election timeout: then another may lead already, and whoever waits for
    /// this one waits in vain.
    mutating func checkQuorum() {
        let (id, now, limit, peers) = (options.id, clock, options.electionTimeoutMax, progress)
        let active = configuration.isQuorum { node in
            if node == id { return true }
            guard let position = peers.position(of: node) else { return false }
            return now - peers[position].lastHeard < limit
        }
        if !active { becomeFollower(term: term, leader: nil) }
    }

    // MARK: Channels

    /// The channel to the leader was lost, or replaced. Requests on it will not be answered.
    mutating func followerLostChannel(isConnected: Bool) {
        failForwardedReads()
        leaderChannelLost = !isConnected
        if isConnected {
            urgency = 0
            // Counted from when the leader was heard, so that a channel that comes and goes does not put it off for ever.
            electionDeadline = max(electionDeadline, leaderHeard + electionDelay())
        } else {
            urgency = 2
            electionDeadline = min(electionDeadline, clock + electionDelay())
        }
    }
}
