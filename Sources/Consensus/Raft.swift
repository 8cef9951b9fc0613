import Base

/// One member of one group. A value without any reference to the outside: call it, then `drain` its effects.
///
/// Every call with a `now` moves the member's time forward; time that goes back is taken as standing still. `random` is
/// 64 fresh random bits; one draw per call is enough.
package struct Raft: Sendable {
    package let options: RaftOptions
    /// Who is in the group. Fixed at `init` today.
    package let configuration: Configuration

    // MARK: Persistent state (paper, Figure 2)
    /// The newest term that this member knows of. Never goes back.
    package internal(set) var term: Term
    /// Who got this member's vote in `term`.
    package internal(set) var vote: NodeID?
    package internal(set) var log: RaftLog

    // MARK: Volatile state of every member
    package internal(set) var role = Role.follower
    /// The leader of `term`, when known.
    package internal(set) var leader: NodeID?
    /// Known to be committed. Never goes back, never beyond `lastIndex`.
    package internal(set) var commitIndex: LogIndex
    /// What the owner reported as applied.
    package internal(set) var appliedIndex: LogIndex
    /// What was handed out as committed: between `appliedIndex` and `commitIndex`.
    var handedIndex: LogIndex
    /// The other members, by id.
    var progress: [Progress]

    // MARK: Time and chance, as given last
    var clock: Instant
    var wall: WallTime
    var random: UInt64

    // MARK: Elections
    var electionDeadline: Instant
    /// When the known leader was heard last.
    var leaderHeard: Instant
    /// The channel to the known leader is gone, and it was not heard since.
    var leaderChannelLost = false
    /// Short election delays that are left, since a leader's channel was lost (2, 1, then 0: the usual timeout).
    var urgency = 0
    /// This member's vote for itself is durable and counts.
    var selfAnswer = false
    /// The campaign was asked for by the leader.
    var isTransferCampaign = false

    // MARK: Durability (`Raft+Persistence`)
    /// As handed out for writing last.
    var savedHardState: HardState
    /// The last entry of the log that was handed out for writing.
    var writtenIndex: LogIndex
    /// The newest write handed out, the newest known to be durable, and the newest that held a hard state.
    var lastSequence: UInt64 = 0
    var durableSequence: UInt64 = 0
    var hardStateSequence: UInt64 = 0
    /// Writes handed out and not yet durable, oldest first.
    var writes: [Write] = []
    package internal(set) var durableIndex: LogIndex
    /// Messages that wait for a write, in order.
    var promises: [Promise] = []

    // MARK: Leadership
    /// The first entry of this leadership.
    var termStart = LogIndex.zero
    /// When quorum, heartbeats and lost messages are looked after next.
    var leaderCheckAt = Instant.never
    /// Payload bytes of the entries above `commitIndex`.
    var uncommittedBytes = 0
    /// Positions in `progress` of the voters, those preferred for a majority first (`Raft+Thrift`).
    var preference: [Int] = []
    /// Appends with entries that went to needed peers.
    var framesToNeeded: UInt64 = 0
    /// The leadership is on its way to another member.
    var transfer: Transfer?

    // MARK: Reads (`Raft+Read`)
    var reads = ReadQueue()

    /// What the next `drain` hands out.
    var pending = RaftEffects()

    /// A member as recovery found it: a follower that knows no leader.
    ///
    /// - Parameters:
    ///   - configuration: who is in the group; this member itself may be missing from it.
    ///   - recovered: what was on disk. `recovered.tail` must reach back to `recovered.appliedIndex + 1`.
    package init(
        options: RaftOptions, configuration: Configuration, recovered: RecoveredState, now: Now, random: UInt64
    ) {
        options.checkValid()
        self.options = options
        self.configuration = configuration
        term = recovered.hardState.term
        vote = recovered.hardState.vote
        log = RaftLog(
            baseIndex: recovered.baseIndex, baseTerm: recovered.baseTerm, runs: recovered.termRuns,
            lastIndex: recovered.lastIndex, tail: recovered.tail)
        check(recovered.appliedIndex >= log.baseIndex, "a state file's entries are applied")
        check(recovered.appliedIndex <= log.lastIndex, "what is applied is in the log")
        check(log.firstCachedIndex <= recovered.appliedIndex.next, "the recovered tail holds all that is not applied")
        check(term >= log.lastTerm, "the term on disk is not older than an entry on disk")
        appliedIndex = recovered.appliedIndex
        handedIndex = recovered.appliedIndex
        commitIndex = max(recovered.appliedIndex, min(recovered.commitHint, log.lastIndex))
        savedHardState = recovered.hardState
        writtenIndex = log.lastIndex
        durableIndex = log.lastIndex
        clock = now.instant
        wall = now.wall
        self.random = random
        leaderHeard = now.instant
        electionDeadline = .never
        let next = log.lastIndex.next
        progress = configuration.members.filter { $0 != options.id }.map { Progress(peer: $0, nextIndex: next) }
        electionDeadline = clock + electionDelay()
    }

    // MARK: Calls

    /// Time has passed: timers that are due fire. The owner calls it when `nextDeadline` is reached (sooner or later
    /// does no harm), best *after* the messages that are at hand: they may be what a timer waits for.
    package mutating func tick(now: Now, random: UInt64) {
        advance(now, random: random)
        if role == .leader {
            tickLeader()
        } else if clock >= electionDeadline {
            electionTimedOut()
        }
    }

    /// Appends a command to the log, on the leader. The entry leaves with the next `drain`.
    package mutating func propose(_ payload: [UInt8], now: Now) -> ProposeOutcome {
        advance(now)
        guard role == .leader else { return .notLeader(hint: leader) }
        if transfer != nil { return .transferring }
        if uncommittedBytes > 0, uncommittedBytes + payload.count > options.uncommittedBytesMax { return .overloaded }
        return .appended(index: appendOwn(.command, payload), term: term)
    }

    /// The state machine has applied everything through `index`.
    package mutating func applied(through index: LogIndex) {
        check(index >= appliedIndex, "what is applied stays applied")
        check(index <= handedIndex, "only what was handed out as committed is applied")
        appliedIndex = index
    }

    /// The channel to `peer` was lost (`isConnected` false), or is open anew (true): what was in flight on the old one is
    /// forgotten.
    ///
    /// A follower that loses its leader's channel campaigns after 5 to 30 ms, by PreVote; those that still hear the leader
    /// refuse it.
    package mutating func peerReset(_ peer: NodeID, isConnected: Bool, now: Now, random: UInt64) {
        advance(now, random: random)
        guard let position = position(of: peer) else { return }
        progress[position].isConnected = isConnected
        switch role {
        case .leader:
            leaderLostChannel(to: position)
        case .follower where peer == leader:
            followerLostChannel(isConnected: isConnected)
        case .preCandidate, .candidate:
            if isConnected { askAgain(position) }
        case .follower:
            break
        }
    }

    /// Moves all that is to be done into `effects`, which is emptied first (its memory is kept). Batches close here: one
    /// append per peer, one read round, one write.
    package mutating func drain(into effects: inout RaftEffects) {
        if role == .leader {
            beginReadRound()
            sendToPeers()
        }
        emitWrite()
        emitCommitted()
        log.endSharing()
        log.evict(through: min(appliedIndex, durableIndex), bytesMax: options.cacheBytesMax)
        effects.removeAll()
        swap(&effects, &pending)
    }

    // MARK: Parts

    /// Takes the time as it is given; it never goes back.
    mutating func advance(_ now: Now) {
        clock = max(clock, now.instant)
        wall = now.wall
    }

    mutating func advance(_ now: Now, random: UInt64) {
        advance(now)
        self.random = random
    }

    /// A protocol invariant. Where a bug is planted the process goes on, so that the checkers outside can find it.
    func hold(_ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String) {
        if options.faults.isEmpty { check(condition(), message()) }
    }

    /// Where `peer` is in `progress`.
    func position(of peer: NodeID) -> Int? { progress.position(of: peer) }

    mutating func send(_ body: Message.Body, to peer: NodeID) {
        check(peer != options.id, "a member sends to others")
        pending.messages.append(Message(from: options.id, to: peer, term: term, body: body))
    }

    /// Moves the commit index forward, never back.
    mutating func commit(through index: LogIndex) {
        guard index > commitIndex else { return }
        check(index <= log.lastIndex, "what is committed is in the log")
        if role == .leader {
            var next = commitIndex
            while next < index {
                next = next.next
                uncommittedBytes -= log.payloadBytes(at: next)
            }
            check(uncommittedBytes >= 0, "uncommitted bytes are counted right")
        }
        commitIndex = index
    }

    /// Hands out what became committed. Entries above `durableIndex` among them are durable on a quorum elsewhere.
    private mutating func emitCommitted() {
        guard handedIndex < commitIndex else { return }
        guard let entries = log.entries(from: handedIndex.next, through: commitIndex) else {
            check(false, "entries that are not applied stay in memory")
            return
        }
        pending.committed.append(contentsOf: entries)
        handedIndex = commitIndex
    }
}
