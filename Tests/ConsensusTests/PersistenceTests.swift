import Base
import Testing

@testable import Consensus

/// What leaves before, and what only after, a write is durable (DESIGN section 4, rules 1 and 2).
@Suite struct PersistenceTests {
    @Test func aVoteLeavesOnlyWhenItIsDurable() {
        var member = Solo()
        member.receive(.voteRequest(voteRequest(last: 0, term: 0)), from: 2, term: 3)
        #expect(member.effects.messages.isEmpty)
        #expect(member.effects.persist?.hardState == HardState(term: Term(3), vote: NodeID(2)))
        member.sync()
        #expect(member.bodies(to: 2) == [.voteResponse(granted: true)])
    }

    @Test func anAcknowledgementLeavesOnlyWhenItsEntriesAreDurable() {
        var member = Solo(term: 1)
        member.receiveAppend(from: 2, term: 1, entries: [1, 1])
        member.receiveAppend(from: 2, term: 1, previous: (2, 1), entries: [1])
        #expect(member.effects.messages.isEmpty)
        member.sync()
        #expect(member.bodies(to: 2) == [accepted(2)])
        member.sync()
        #expect(member.bodies(to: 2) == [accepted(3)])
    }

    @Test func anAcknowledgementWaitsForItsTermToo() {
        // The entry is on disk already; the term in which it is acknowledged is not.
        var member = Solo([1], term: 1)
        member.receiveAppend(from: 2, term: 4, previous: (0, 0), entries: [1])
        #expect(member.effects.messages.isEmpty)
        member.sync()
        #expect(member.bodies(to: 2) == [accepted(1)])
    }

    @Test func whatIsDurableIsAcknowledgedAtOnce() {
        var member = Solo([1, 1], term: 1)
        member.receiveAppend(from: 2, term: 1, previous: (2, 1), entries: [1])
        // Another write is on its way; this one does not depend on it.
        member.receiveAppend(from: 2, term: 1, previous: (0, 0), entries: [1, 1])
        #expect(member.bodies(to: 2) == [accepted(2)])
        member.sync()
        #expect(member.bodies(to: 2) == [accepted(3)])
    }

    @Test func refusalsAndHeartbeatAnswersWaitForNothing() {
        var member = Solo(term: 1)
        member.receive(.heartbeat(.init(commitIndex: .zero, readRound: 5)), from: 2, term: 3)
        #expect(member.bodies(to: 2) == [.heartbeatResponse(readRound: 5)])
        member.receiveAppend(from: 2, term: 3, previous: (9, 3))
        #expect(member.bodies(to: 2) == [rejected(9, hint: 0, term: 0)])
    }

    @Test func promisesOfAnOlderTermAreDropped() {
        var member = Solo(term: 1)
        member.receiveAppend(from: 2, term: 1, entries: [1])
        member.receive(.voteRequest(voteRequest(last: 5, term: 1, isTransfer: true)), from: 3, term: 2)
        member.sync()
        member.sync()
        #expect(member.sent(to: 2).isEmpty)
        #expect(member.bodies(to: 3) == [.voteResponse(granted: true)])
    }

    @Test func aWriteHoldsWhatIsNewAndNothingTwice() {
        var member = Solo(term: 1)
        member.receiveAppend(from: 2, term: 2, entries: [1, 2], commit: 1)
        let write = member.effects.persist
        #expect(write?.sequence == 1)
        #expect(write?.hardState == HardState(term: Term(2)))
        #expect(write?.entries.map(\.index) == [LogIndex(1), LogIndex(2)])
        #expect(write?.commitHint == LogIndex(1))
        member.receiveAppend(from: 2, term: 2, previous: (2, 2), entries: [2], commit: 2)
        #expect(member.effects.persist?.sequence == 2)
        #expect(member.effects.persist?.hardState == nil)
        #expect(member.effects.persist?.entries.map(\.index) == [LogIndex(3)])
        // A commit index alone is no reason to write.
        member.receive(.heartbeat(.init(commitIndex: LogIndex(3), readRound: 0)), from: 2, term: 2)
        #expect(member.effects.persist == nil)
    }

    /// The story in `Raft+Persistence`: an entry that is written, replaced and written again.
    @Test func aCompletionOfAReplacedEntryDoesNotCountForItsEqual() {
        var member = Solo([1, 1, 1, 1], term: 2, commit: 4)
        member.receiveAppend(from: 2, term: 2, previous: (4, 1), entries: [2])
        member.receiveAppend(from: 3, term: 3, previous: (4, 1), entries: [3])
        member.receiveAppend(from: 2, term: 4, previous: (4, 1), entries: [2])
        #expect(member.disk.pending.map(\.sequence) == [1, 2, 3])
        #expect(member.raft.durableIndex == LogIndex(4))
        member.sync()
        #expect(member.raft.durableIndex == LogIndex(4))
        #expect(member.effects.messages.isEmpty)
        member.sync()
        #expect(member.raft.durableIndex == LogIndex(4))
        #expect(member.effects.messages.isEmpty)
        member.sync()
        #expect(member.raft.durableIndex == LogIndex(5))
        #expect(member.sent(to: 2).map(\.term) == [Term(4)])
        #expect(member.bodies(to: 2) == [accepted(5)])
    }

    @Test func aLeadersOwnEntryCountsOnlyWhenDurable() {
        var member = Solo()
        member.becomeServingLeader()
        _ = member.propose("a")
        member.drain()
        _ = member.propose("b")
        member.drain()
        member.accept(3, from: 2)
        #expect(member.raft.commitIndex == LogIndex(1))
        member.sync()
        #expect(member.raft.commitIndex == LogIndex(2))
        member.sync()
        #expect(member.raft.commitIndex == LogIndex(3))
    }

    @Test func completionsMayBeReportedTogether() {
        var member = Solo()
        member.becomeServingLeader()
        for text in ["a", "b", "c"] {
            _ = member.propose(text)
            member.drain()
        }
        let last = member.disk.pending.last?.sequence ?? 0
        member.raft.persisted(last, now: member.now)
        member.raft.persisted(last, now: member.now)
        member.raft.persisted(last - 1, now: member.now)
        #expect(member.raft.durableIndex == LogIndex(4))
    }

    @Test func aRestartKnowsWhatWasDurable() {
        var member = Solo(term: 1)
        member.receiveAppend(from: 2, term: 3, entries: [1, 2], commit: 1)
        member.sync()
        var recovered = member.disk.recovered
        recovered.appliedIndex = LogIndex(1)
        let raft = Raft(
            options: RaftOptions(id: NodeID(1)), configuration: member.raft.configuration, recovered: recovered,
            now: member.now, random: 0)
        #expect(raft.term == Term(3))
        #expect(raft.lastIndex == LogIndex(2))
        #expect(raft.lastTerm == Term(2))
        #expect(raft.durableIndex == LogIndex(2))
        #expect(raft.commitIndex == LogIndex(1))
        #expect(raft.role == .follower)
        #expect(raft.leader == nil)
    }

    // MARK: Planted

    @Test func plantedAcknowledgeBeforeSyncAcknowledgesAtOnce() {
        var member = Solo(term: 1, options: { $0.faults = .acknowledgeBeforeSync })
        member.receiveAppend(from: 2, term: 1, entries: [1])
        #expect(member.bodies(to: 2) == [accepted(1)])
        #expect(member.disk.pending.count == 1)
    }

    @Test func plantedSkipVotePersistenceForgetsTheVote() {
        var member = Solo(options: { $0.faults = .skipVotePersistence })
        member.receive(.voteRequest(voteRequest(last: 0, term: 0)), from: 2, term: 3)
        #expect(member.bodies(to: 2) == [.voteResponse(granted: true)])
        #expect(member.effects.persist?.hardState == HardState(term: Term(3)))
    }
}
