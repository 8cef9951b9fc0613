import Base
import Testing

@testable import Consensus

/// ReadIndex (thesis, section 6.4).
@Suite struct ReadTests {
    private func serving(voters: UInt32 = 3, _ edit: (inout RaftOptions) -> Void = { _ in }) -> Solo {
        var member = Solo(voters: voters, options: edit)
        member.becomeServingLeader()
        member.pass(.milliseconds(50))
        return member
    }

    @Test func readIndexStep1WaitsForAnEntryOfTheOwnTerm() {
        var member = Solo([1, 1], term: 1)
        member.becomeLeader()
        member.raft.requestRead(id: 1, now: member.now)
        member.drain()
        #expect(member.heartbeats(to: 2).isEmpty)
        member.sync()
        member.accept(3, from: 2)
        // Now the round begins, at once.
        #expect(member.effects.committed.count == 3)
        let round = member.heartbeats(to: 2).first?.readRound ?? 0
        #expect(round > 0)
        member.receive(.heartbeatResponse(readRound: round), from: 2, term: 2)
        #expect(member.effects.readable.map(\.id) == [1])
        #expect(member.effects.readable.map(\.index) == [LogIndex(3)])
    }

    @Test func readIndexStep2And3AreAQuorumsWordForTheCommitIndexOfTheBeginning() {
        var member = serving()
        member.raft.requestRead(id: 7, now: member.now)
        member.drain()
        #expect(member.effects.readable.isEmpty)
        let round = member.heartbeats(to: 2).first?.readRound ?? 0
        // An entry that commits meanwhile does not matter to it.
        _ = member.propose("x")
        member.drain()
        member.sync()
        member.accept(2, from: 3)
        #expect(member.raft.commitIndex == LogIndex(2))
        member.receive(.heartbeatResponse(readRound: round), from: 2, term: 1)
        #expect(member.effects.readable == [.init(id: 7, index: LogIndex(1), wall: member.now.wall)])
    }

    @Test func anAnswerToAnEarlierMessageConfirmsNothing() {
        var member = serving()
        member.raft.requestRead(id: 7, now: member.now)
        member.drain()
        member.receive(.heartbeatResponse(readRound: 0), from: 2, term: 1)
        #expect(member.effects.readable.isEmpty)
        member.receive(accepted(1), from: 3, term: 1)
        #expect(member.effects.readable.isEmpty)
    }

    @Test func roundsAreSharedOneFliesOneGathers() {
        var member = serving()
        for id in 1...3 as ClosedRange<UInt64> { member.raft.requestRead(id: id, now: member.now) }
        member.drain()
        #expect(member.effects.messages.count == 1)
        let first = member.heartbeats(to: 2).first?.readRound ?? 0
        for id in 4...6 as ClosedRange<UInt64> {
            member.raft.requestRead(id: id, now: member.now)
            member.drain()
            #expect(member.effects.messages.isEmpty)
        }
        member.receive(.heartbeatResponse(readRound: first), from: 2, term: 1)
        #expect(member.effects.readable.map(\.id) == [1, 2, 3])
        let second = member.heartbeats(to: 2).first?.readRound ?? 0
        #expect(second == first + 1)
        // The old round's other answer, late, is not the new round's.
        member.receive(.heartbeatResponse(readRound: first), from: 3, term: 1)
        #expect(member.effects.readable.isEmpty)
        member.receive(.heartbeatResponse(readRound: second), from: 2, term: 1)
        #expect(member.effects.readable.map(\.id) == [4, 5, 6])
    }

    @Test func roundNumbersAreNotUsedAgainInALaterLeadership() {
        let cluster = TestCluster(1)
        cluster.elect(1)
        cluster.read(cluster[1], id: 1)
        let round = cluster.raft(1).reads.round
        #expect(round == 1)
        cluster.step(cluster[1]) { $0.becomeFollower(term: Term(5), leader: nil) }
        cluster.elect(1)
        cluster.read(cluster[1], id: 2)
        #expect(cluster.raft(1).reads.round == round + 1)
        #expect(cluster[1].readable.map(\.id) == [1, 2])
    }

    @Test func thriftyRoundsAskTheOthersWhenTheAnswerIsLate() {
        var member = serving()
        member.raft.requestRead(id: 1, now: member.now)
        member.drain()
        #expect(member.heartbeats(to: 2).count == 1)
        #expect(member.heartbeats(to: 3).count == 0)
        #expect(member.raft.nextDeadline == member.now.instant + .milliseconds(4))
        member.pass(.milliseconds(4))
        #expect(member.heartbeats(to: 3).map(\.readRound) == [1])
        #expect(member.heartbeats(to: 2).isEmpty)
        member.receive(.heartbeatResponse(readRound: 1), from: 3, term: 1)
        #expect(member.effects.readable.map(\.id) == [1])
    }

    @Test func withoutThriftARoundAsksEveryVoter() {
        var member = serving { $0.thrifty = false }
        member.raft.requestRead(id: 1, now: member.now)
        member.drain()
        #expect(member.heartbeats(to: 2).count == 1)
        #expect(member.heartbeats(to: 3).count == 1)
    }

    @Test func fiveVotersAskTwo() {
        var member = serving(voters: 5)
        member.raft.requestRead(id: 1, now: member.now)
        member.drain()
        #expect(member.effects.messages.map(\.to) == [NodeID(2), NodeID(3)])
        member.receive(.heartbeatResponse(readRound: 1), from: 2, term: 1)
        #expect(member.effects.readable.isEmpty)
        member.receive(.heartbeatResponse(readRound: 1), from: 3, term: 1)
        #expect(member.effects.readable.map(\.id) == [1])
    }

    @Test func aRoundRidesOnAnAppendThatLeavesAnyway() {
        var member = serving()
        _ = member.propose("x")
        member.raft.requestRead(id: 1, now: member.now)
        member.drain()
        #expect(member.heartbeats(to: 2).isEmpty)
        #expect(member.appends(to: 2).map(\.readRound) == [1])
    }

    @Test func aFollowersWordForARoundDoesNotWaitForItsDisk() {
        var member = Solo(term: 1)
        member.receiveAppend(from: 2, term: 1, entries: [1], round: 9)
        #expect(member.bodies(to: 2) == [.heartbeatResponse(readRound: 9)])
        member.sync()
        #expect(member.bodies(to: 2) == [accepted(1)])
        // With nothing to wait for there is one answer.
        member.receiveAppend(from: 2, term: 1, previous: (1, 1), round: 10)
        #expect(member.bodies(to: 2) == [accepted(1, round: 10)])
    }

    @Test func aSingleVoterConfirmsAtOnce() {
        var member = Solo(voters: 1)
        member.pass(.milliseconds(600))
        member.sync()
        member.sync()
        member.raft.requestRead(id: 1, now: member.now)
        member.drain()
        #expect(member.effects.readable.map(\.index) == [LogIndex(1)])
    }

    // MARK: Followers

    @Test func followersAskTheirLeader() {
        var member = Solo(term: 1)
        member.raft.requestRead(id: 3, now: member.now)
        member.drain()
        #expect(member.effects.failedReads == [3])
        member.receive(.heartbeat(.init(commitIndex: .zero, readRound: 0)), from: 2, term: 1)
        member.raft.requestRead(id: 4, now: member.now)
        member.drain()
        #expect(member.bodies(to: 2) == [.readIndexRequest(id: 4)])
        let wall = WallTime(microseconds: 77)
        member.receive(.readIndexResponse(id: 4, index: LogIndex(8), wall: wall), from: 2, term: 1)
        #expect(member.effects.readable == [.init(id: 4, index: LogIndex(8), wall: wall)])
        // Once.
        member.receive(.readIndexResponse(id: 4, index: LogIndex(8), wall: wall), from: 2, term: 1)
        #expect(member.effects.readable.isEmpty)
    }

    @Test func forwardedReadsFailWhenTheLeaderChanges() {
        var member = Solo(term: 1)
        member.receive(.heartbeat(.init(commitIndex: .zero, readRound: 0)), from: 2, term: 1)
        member.raft.requestRead(id: 4, now: member.now)
        member.drain()
        member.receive(.heartbeat(.init(commitIndex: .zero, readRound: 0)), from: 3, term: 2)
        #expect(member.effects.failedReads == [4])
        // The old leader's answer comes too late.
        member.receive(.readIndexResponse(id: 4, index: .zero, wall: member.now.wall), from: 2, term: 1)
        #expect(member.effects.readable.isEmpty)
    }

    @Test func forwardedReadsFailWhenTheSameLeaderComesBackInANewTerm() {
        var member = Solo(term: 1)
        member.receive(.heartbeat(.init(commitIndex: .zero, readRound: 0)), from: 2, term: 1)
        member.raft.requestRead(id: 4, now: member.now)
        member.drain()
        member.receive(.heartbeat(.init(commitIndex: .zero, readRound: 0)), from: 2, term: 3)
        #expect(member.effects.failedReads == [4])
    }

    @Test func forwardedReadsFailWhenTheChannelIsLost() {
        var member = Solo(term: 1)
        member.receive(.heartbeat(.init(commitIndex: .zero, readRound: 0)), from: 2, term: 1)
        member.raft.requestRead(id: 4, now: member.now)
        member.raft.peerReset(NodeID(2), isConnected: false, now: member.now, random: 0)
        member.raft.requestRead(id: 5, now: member.now)
        member.drain()
        #expect(member.effects.failedReads == [4, 5])
    }

    @Test func aLeaderAnswersFollowersAndTellsThemTheCommitIndex() {
        var member = serving()
        _ = member.propose("x")
        member.drain()
        member.sync()
        member.accept(2, from: 2)
        member.accept(2, from: 3)
        member.receive(.readIndexRequest(id: 40), from: 3, term: 1)
        let round = member.heartbeats(to: 2).first?.readRound ?? 0
        member.receive(.heartbeatResponse(readRound: round), from: 2, term: 1)
        #expect(
            member.bodies(to: 3) == [
                .readIndexResponse(id: 40, index: LogIndex(2), wall: member.now.wall),
                .heartbeat(.init(commitIndex: LogIndex(2), readRound: 0)),
            ])
    }

    @Test func aLeadersOwnReadsFailWithItsLeadership() {
        var member = serving()
        member.raft.requestRead(id: 1, now: member.now)
        member.drain()
        member.raft.requestRead(id: 2, now: member.now)
        member.receive(.readIndexRequest(id: 50), from: 2, term: 1)
        member.receive(.heartbeatResponse(readRound: 0), from: 2, term: 9)
        #expect(member.effects.failedReads == [1, 2])
        #expect(member.effects.readable.isEmpty)
    }

    @Test func aLostChannelsRequestsAreForgottenAndItsConfirmationAskedAnew() {
        var member = serving()
        member.raft.requestRead(id: 1, now: member.now)
        member.drain()
        member.receive(.readIndexRequest(id: 50), from: 2, term: 1)
        member.raft.peerReset(NodeID(2), isConnected: false, now: member.now, random: 0)
        member.drain()
        #expect(member.heartbeats(to: 3).map(\.readRound) == [1])
        member.receive(.heartbeatResponse(readRound: 1), from: 3, term: 1)
        #expect(member.effects.readable.map(\.id) == [1])
        #expect(!member.bodies(to: 2).contains { if case .readIndexResponse = $0 { true } else { false } })
    }

    @Test func openReadsHaveALimit() {
        var member = Solo(term: 1, options: { $0.readsMax = 2 })
        member.receive(.heartbeat(.init(commitIndex: .zero, readRound: 0)), from: 2, term: 1)
        for id in 1...3 as ClosedRange<UInt64> { member.raft.requestRead(id: id, now: member.now) }
        member.drain()
        #expect(member.effects.failedReads == [3])
    }
}
