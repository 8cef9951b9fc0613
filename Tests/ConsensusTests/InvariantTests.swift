import Base
import Testing

@testable import Consensus

/// Each checker sees what it is there for: a violation is planted in a good state, and found.
@Suite struct InvariantTests {
    private func leader() -> Raft {
        var member = Solo([1, 1], term: 1, commit: 2)
        member.becomeServingLeader()
        return member.raft
    }

    private static let plantedStates: [(String, @Sendable (inout Raft) -> Void)] = [
        ("applied", { raft in raft.appliedIndex = LogIndex(99) }),
        ("handed out", { raft in raft.handedIndex = LogIndex(99) }),
        ("commit index", { raft in raft.commitIndex = LogIndex(99) }),
        ("an entry of term", { raft in raft.term = Term(1) }),
        ("durable", { raft in raft.durableIndex = LogIndex(99) }),
        ("written", { raft in raft.writtenIndex = LogIndex(99) }),
        ("writes on their way are miscounted", { raft in raft.writes.append(.init(sequence: 9, lastIndex: .zero)) }),
        (
            "a promise",
            { raft in
                let message = Message(from: NodeID(1), to: NodeID(2), term: Term(2), body: .voteResponse(granted: true))
                raft.promises.append(.init(sequence: 99, message: message))
            }
        ),
        ("another leader", { raft in raft.leader = NodeID(2) }),
        ("did not vote for itself", { raft in raft.vote = NodeID(2) }),
        ("no entry of its term", { raft in raft.term = Term(9) }),
        ("reads wait", { raft in raft.reads.flying.append(.init(id: 1, origin: NodeID(1))) }),
        ("waits for another leader", { raft in raft.reads.forwarded.append(1) }),
        ("known to match", { raft in raft.progress[0].nextIndex = LogIndex(1) }),
        (
            "matches beyond",
            { raft in
                raft.progress[0].matchIndex = LogIndex(50)
                raft.progress[0].nextIndex = LogIndex(51)
            }
        ),
        ("next lies beyond", { raft in raft.progress[0].nextIndex = LogIndex(50) }),
        (
            "window exceeded",
            { raft in
                raft.progress[0].inFlight = [
                    .init(lastIndex: LogIndex(3), sentAt: raft.clock), .init(lastIndex: LogIndex(3), sentAt: raft.clock),
                ]
            }
        ),
        (
            "while not replicating",
            { raft in
                raft.progress[0].state = .probe
                raft.progress[0].inFlight = [.init(lastIndex: LogIndex(3), sentAt: raft.clock)]
            }
        ),
        ("in flight", { raft in raft.progress[0].inFlight = [.init(lastIndex: LogIndex(3), sentAt: raft.clock)] }),
        ("a round that did not begin", { raft in raft.progress[0].roundConfirmed = 7 }),
        (
            "a read round",
            { raft in
                raft.role = .follower
                raft.leader = nil
                raft.reads.isFlying = true
            }
        ),
        (
            "a leadership transfer",
            { raft in
                raft.role = .follower
                raft.leader = nil
                raft.transfer = .init(target: NodeID(2), deadline: .never)
            }
        ),
    ]

    @Test(arguments: plantedStates)
    func aPlantedStateIsFound(words: String, plant: @Sendable (inout Raft) -> Void) {
        var raft = leader()
        #expect(RaftInvariants.violation(of: raft) == nil)
        plant(&raft)
        let found = RaftInvariants.violation(of: raft)
        #expect(found?.contains(words) == true, "found: \(found ?? "nothing")")
    }

    private static let plantedChanges: [(String, @Sendable (inout Raft) -> Void)] = [
        ("the term went back", { raft in raft.term = Term(1) }),
        ("the vote of term", { raft in raft.vote = NodeID(2) }),
        ("the leader of term", { raft in raft.leader = NodeID(2) }),
        ("a leader changed its own log", { raft in raft.log.truncate(from: LogIndex(3)) }),
        ("the commit index went back", { raft in raft.commitIndex = LogIndex(1) }),
        ("the applied index went back", { raft in raft.appliedIndex = LogIndex(1) }),
        ("not durable any more", { raft in raft.durableSequence = 0 }),
        ("used again", { raft in raft.reads.round = 0 }),
    ]

    @Test(arguments: plantedChanges)
    func aPlantedChangeIsFound(words: String, plant: @Sendable (inout Raft) -> Void) {
        var raft = leader()
        raft.reads.round = 3
        let memory = RaftInvariants.Memory(raft)
        #expect(RaftInvariants.violation(from: memory, to: raft) == nil)
        plant(&raft)
        let found = RaftInvariants.violation(from: memory, to: raft)
        #expect(found?.contains(words) == true, "found: \(found ?? "nothing")")
    }

    @Test func twoLeadersInATermAreFound() {
        var invariants = ClusterInvariants()
        let one = leader()
        #expect(invariants.observe(one) == nil)
        #expect(invariants.observe(one) == nil)
        let other = otherLeader(terms: [1, 1], term: 1)
        #expect(other.term == one.term)
        #expect(invariants.observe(other)?.contains("election safety") == true)
    }

    @Test func aLeaderThatLacksACommittedEntryIsFound() {
        var invariants = ClusterInvariants()
        let one = leader()
        let entries = one.entries(from: LogIndex(1), through: LogIndex(3)) ?? []
        #expect(invariants.observe(committed: entries, by: one) == nil)
        let other = otherLeader(terms: [1], term: 2)
        #expect(other.term == Term(3))
        #expect(invariants.observe(other)?.contains("leader completeness") == true)
    }

    @Test func differentAppliedEntriesAreFound() {
        var invariants = ClusterInvariants()
        let raft = leader()
        #expect(invariants.observe(committed: makeEntries([1, 1]), by: raft) == nil)
        #expect(invariants.observe(committed: makeEntries([1]), by: raft) == nil)
        #expect(invariants.observe(committed: makeEntries([2]), by: raft)?.contains("state machine safety") == true)
        var changed = makeEntries([1])
        changed[0].payload = [7]
        #expect(invariants.observe(committed: changed, by: raft)?.contains("state machine safety") == true)
        let skipped = Array(makeEntries([1, 1, 1, 1]).suffix(1))
        #expect(invariants.observe(committed: skipped, by: raft)?.contains("passed over") == true)
    }

    @Test func logsThatDoNotMatchAreFound() {
        let one = Solo([1, 2, 3], term: 3).raft
        #expect(ClusterInvariants.logMatchingViolation(one, Solo([1, 2, 3, 3], term: 3).raft) == nil)
        #expect(ClusterInvariants.logMatchingViolation(one, Solo([1, 1, 1], term: 3).raft) == nil)
        #expect(ClusterInvariants.logMatchingViolation(one, Solo([1, 1, 3], term: 3).raft) != nil)
        var member = Solo([1, 2], term: 2)
        member.receive(
            .append(
                .init(
                    previousIndex: LogIndex(2), previousTerm: Term(2),
                    entries: [Entry(term: Term(3), index: LogIndex(3), kind: .command, payload: [0])],
                    commitIndex: .zero, readRound: 0)), from: 2, term: 3)
        #expect(ClusterInvariants.logMatchingViolation(one, member.raft)?.contains("different entries") == true)
    }

    /// Member 2 as the leader of the term after `term`, with this log.
    private func otherLeader(terms: [UInt64], term: UInt64) -> Raft {
        let cluster = TestCluster(3)
        let member = cluster[2]
        cluster.crash(member)
        member.disk.entries = makeEntries(terms)
        member.disk.hardState = HardState(term: Term(term))
        cluster.start(member)
        cluster.elect(2)
        return cluster.raft(2)
    }
}
