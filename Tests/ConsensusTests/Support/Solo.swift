import Base

@testable import Consensus

/// One member alone, with messages given by hand: for tests that say what exactly a call does.
struct Solo {
    var raft: Raft
    var disk: TestDisk
    var now: Now
    /// What the last drain gave.
    var effects = RaftEffects()

    /// Member 1 of `voters`, with a log of these terms on disk.
    init(
        _ terms: [UInt64] = [], term: UInt64? = nil, vote: NodeID? = nil, commit: UInt64 = 0, voters: UInt32 = 3,
        configuration: Configuration? = nil, options edit: (inout RaftOptions) -> Void = { _ in }
    ) {
        var options = RaftOptions(id: NodeID(1))
        edit(&options)
        disk = TestDisk()
        disk.entries = makeEntries(terms)
        disk.hardState = HardState(term: Term(term ?? terms.last ?? 0), vote: vote)
        disk.commitHint = LogIndex(commit)
        now = Now(instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(microseconds: 5_000_000))
        raft = Raft(
            options: options, configuration: configuration ?? Configuration(voters: (1...voters).map { NodeID($0) }),
            recovered: disk.recovered, now: now, random: 1 << 63)
        drain()
    }

    mutating func drain() {
        raft.drain(into: &effects)
        if let write = effects.persist { disk.pending.append(write) }
        if let last = effects.committed.last { raft.applied(through: last.index) }
        check(RaftInvariants.violation(of: raft) == nil, RaftInvariants.violation(of: raft) ?? "")
    }

    /// A message comes; the turn ends.
    mutating func receive(_ body: Message.Body, from peer: UInt32, term: UInt64) {
        raft.receive(
            Message(from: NodeID(peer), to: NodeID(1), term: Term(term), body: body), now: now, random: 1 << 63)
        drain()
    }

    mutating func receiveAppend(
        from leader: UInt32, term: UInt64, previous: (index: UInt64, term: UInt64) = (0, 0), entries: [UInt64] = [],
        commit: UInt64 = 0, round: UInt64 = 0
    ) {
        let list = entries.enumerated().map { position, term in
            let index = previous.index + UInt64(position) + 1
            return Entry(
                term: Term(term), index: LogIndex(index), kind: .command, payload: Array("\(term).\(index)".utf8))
        }
        receive(
            .append(
                .init(
                    previousIndex: LogIndex(previous.index), previousTerm: Term(previous.term), entries: list,
                    commitIndex: LogIndex(commit), readRound: round)),
            from: leader, term: term)
    }

    /// The oldest write becomes durable; the turn ends. What this released is in `effects`.
    mutating func sync() {
        guard let sequence = disk.sync() else { return }
        raft.persisted(sequence, now: now)
        drain()
    }

    /// Time passes, the timers that are due fire, the turn ends.
    mutating func pass(_ duration: Nanoseconds) {
        now.instant = now.instant + duration
        raft.tick(now: now, random: 1 << 63)
        drain()
    }

    mutating func propose(_ text: String) -> ProposeOutcome { raft.propose(Array(text.utf8), now: now) }

    /// Member 1 becomes leader of the next term, by its own timer and the answers of all others. What its first turn as
    /// leader sent is in `effects`; nothing after the election is durable or acknowledged yet.
    mutating func becomeLeader() {
        pass(.milliseconds(600))
        check(raft.role == .preCandidate, "the timer fired")
        let next = raft.term.next
        for peer in raft.configuration.members where peer != NodeID(1) {
            receive(.preVoteResponse(granted: true), from: peer.rawValue, term: next.rawValue)
        }
        sync()
        for peer in raft.configuration.members where peer != NodeID(1) && raft.role != .leader {
            receive(.voteResponse(granted: true), from: peer.rawValue, term: next.rawValue)
        }
        check(raft.role == .leader, "all voted for it")
    }

    /// As `becomeLeader`, and its first entry is durable and acknowledged by everybody.
    mutating func becomeServingLeader() {
        becomeLeader()
        sync()
        for peer in raft.configuration.members where peer != NodeID(1) {
            accept(raft.lastIndex.rawValue, from: peer.rawValue)
        }
        check(raft.canServe, "its first entry committed")
    }

    mutating func accept(_ index: UInt64, from peer: UInt32, round: UInt64 = 0) {
        receive(
            .appendResponse(.init(outcome: .accepted(matchIndex: LogIndex(index)), readRound: round)), from: peer,
            term: raft.term.rawValue)
    }

    // MARK: What the last drain sent

    func sent(to peer: UInt32) -> [Message] { effects.messages.filter { $0.to == NodeID(peer) } }
    func bodies(to peer: UInt32) -> [Message.Body] { sent(to: peer).map(\.body) }

    func appends(to peer: UInt32) -> [Message.Append] {
        bodies(to: peer).compactMap { if case .append(let append) = $0 { append } else { nil } }
    }

    func heartbeats(to peer: UInt32) -> [Message.Heartbeat] {
        bodies(to: peer).compactMap { if case .heartbeat(let heartbeat) = $0 { heartbeat } else { nil } }
    }

    var terms: [UInt64] {
        (raft.entries(from: raft.firstCachedIndex, through: raft.lastIndex) ?? []).map(\.term.rawValue)
    }
}

func accepted(_ index: UInt64, round: UInt64 = 0) -> Message.Body {
    .appendResponse(.init(outcome: .accepted(matchIndex: LogIndex(index)), readRound: round))
}

func rejected(_ previous: UInt64, hint: UInt64, term: UInt64, round: UInt64 = 0) -> Message.Body {
    .appendResponse(
        .init(
            outcome: .rejected(
                previousIndex: LogIndex(previous), hintIndex: LogIndex(hint), hintTerm: Term(term)), readRound: round))
}

func voteRequest(last: UInt64, term: UInt64, isTransfer: Bool = false) -> Message.VoteRequest {
    .init(lastIndex: LogIndex(last), lastTerm: Term(term), isTransfer: isTransfer)
}
