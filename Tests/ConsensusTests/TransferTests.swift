import Base
import Testing

@testable import Consensus

/// Leadership transfer (thesis, section 3.10).
@Suite struct TransferTests {
    @Test func transferStopsProposalsAndTellsAPreparedTargetAtOnce() {
        var member = Solo()
        member.becomeServingLeader()
        #expect(member.raft.transferLeadership(to: NodeID(3), now: member.now) == .started(NodeID(3)))
        member.drain()
        #expect(member.bodies(to: 3) == [.timeoutNow])
        #expect(member.propose("x") == .transferring)
        #expect(member.raft.transferLeadership(to: nil, now: member.now) == .alreadyInProgress)
    }

    @Test func transferBringsTheTargetUpToDateFirst() {
        var member = Solo()
        member.becomeServingLeader()
        member.pass(.milliseconds(50))
        _ = member.propose("x")
        #expect(member.raft.transferLeadership(to: NodeID(3), now: member.now) == .started(NodeID(3)))
        member.drain()
        // 3 is the one whose entries are gathered; not now.
        #expect(member.appends(to: 3).map(\.entries.count) == [1])
        #expect(!member.bodies(to: 3).contains(.timeoutNow))
        member.accept(2, from: 3)
        #expect(member.bodies(to: 3) == [.timeoutNow])
    }

    @Test func transferChoosesThePeerThatLacksTheLeast() {
        var member = Solo(voters: 5)
        member.becomeServingLeader()
        _ = member.propose("x")
        member.drain()
        member.accept(2, from: 4)
        #expect(member.raft.transferLeadership(to: nil, now: member.now) == .started(NodeID(4)))
    }

    @Test func transferNeedsAVoterThatIsThere() {
        var member = Solo()
        #expect(member.raft.transferLeadership(to: nil, now: member.now) == .notLeader(hint: nil))
        member.becomeServingLeader()
        #expect(member.raft.transferLeadership(to: NodeID(1), now: member.now) == .noCandidate)
        #expect(member.raft.transferLeadership(to: NodeID(9), now: member.now) == .noCandidate)
        member.raft.peerReset(NodeID(2), isConnected: false, now: member.now, random: 0)
        #expect(member.raft.transferLeadership(to: NodeID(2), now: member.now) == .noCandidate)
        #expect(member.raft.transferLeadership(to: nil, now: member.now) == .started(NodeID(3)))
    }

    @Test func transferIsGivenUpAfterAnElectionTimeout() {
        var member = Solo()
        member.becomeServingLeader()
        _ = member.raft.transferLeadership(to: NodeID(3), now: member.now)
        member.drain()
        for _ in 0..<10 {
            #expect(member.propose("x") == .transferring)
            member.pass(.milliseconds(50))
            member.receive(.heartbeatResponse(readRound: 0), from: 2, term: 1)
        }
        #expect(member.raft.role == .leader)
        #expect(member.propose("x") == .appended(index: LogIndex(2), term: Term(1)))
    }

    @Test func transferIsGivenUpWhenTheTargetsChannelIsLost() {
        var member = Solo()
        member.becomeServingLeader()
        _ = member.raft.transferLeadership(to: NodeID(3), now: member.now)
        member.raft.peerReset(NodeID(3), isConnected: false, now: member.now, random: 0)
        #expect(member.propose("x") == .appended(index: LogIndex(2), term: Term(1)))
    }

    @Test func timeoutNowCampaignsWithoutPreVoteAndSaysWhy() {
        var member = Solo([1], term: 1)
        member.receive(.heartbeat(.init(commitIndex: .zero, readRound: 0)), from: 2, term: 1)
        member.receive(.timeoutNow, from: 2, term: 1)
        #expect(member.raft.role == .candidate)
        #expect(member.raft.term == Term(2))
        member.sync()
        #expect(member.bodies(to: 3) == [.voteRequest(voteRequest(last: 1, term: 1, isTransfer: true))])
    }

    @Test func membersVoteInATransferAlthoughTheyHearTheLeader() {
        var member = Solo(term: 1)
        member.receive(.heartbeat(.init(commitIndex: .zero, readRound: 0)), from: 2, term: 1)
        member.receive(.voteRequest(voteRequest(last: 0, term: 0, isTransfer: true)), from: 3, term: 2)
        member.sync()
        #expect(member.bodies(to: 3) == [.voteResponse(granted: true)])
    }

    @Test func aLateTimeoutNowOfAnOlderTermIsPassedOver() {
        var member = Solo(term: 5)
        member.receive(.timeoutNow, from: 2, term: 4)
        #expect(member.raft.role == .follower)
        #expect(member.raft.term == Term(5))
    }

    @Test func leadershipMovesWithoutTimePassing() {
        let cluster = TestCluster(3)
        cluster.elect(1)
        for number in 0..<10 { _ = cluster.propose(cluster[1], "x\(number)") }
        let now = cluster.now
        cluster.step(cluster[1]) { $0.transferLeadership(to: NodeID(2), now: now) }
        cluster.settle()
        #expect(cluster.raft(2).canServe)
        #expect(cluster.raft(1).leader == NodeID(2))
        #expect(cluster[2].applied.count == 12)
        #expect(cluster.violations == [])
    }
}
