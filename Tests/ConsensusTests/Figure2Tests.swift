import Base
import Testing

@testable import Consensus

/// Paper, Figure 2, rule by rule.
@Suite struct Figure2Tests {
    // MARK: RequestVote

    @Test func requestVote1RepliesFalseIfTheTermIsOld() {
        var member = Solo(term: 5)
        member.receive(.voteRequest(voteRequest(last: 9, term: 4)), from: 2, term: 4)
        #expect(member.sent(to: 2).map(\.term) == [Term(5)])
        #expect(member.bodies(to: 2) == [.voteResponse(granted: false)])
        #expect(member.raft.vote == nil)
    }

    @Test func requestVote2GrantsOneVoteInATerm() {
        var member = Solo()
        member.receive(.voteRequest(voteRequest(last: 0, term: 0)), from: 2, term: 1)
        member.sync()
        #expect(member.bodies(to: 2) == [.voteResponse(granted: true)])
        member.receive(.voteRequest(voteRequest(last: 0, term: 0)), from: 3, term: 1)
        #expect(member.bodies(to: 3) == [.voteResponse(granted: false)])
        // Who has the vote gets it again: the first answer may have been lost.
        member.receive(.voteRequest(voteRequest(last: 0, term: 0)), from: 2, term: 1)
        #expect(member.bodies(to: 2) == [.voteResponse(granted: true)])
        #expect(member.raft.vote == NodeID(2))
    }

    @Test func requestVote2VoteSurvivesARestart() {
        var member = Solo(term: 7, vote: NodeID(3))
        member.receive(.voteRequest(voteRequest(last: 0, term: 0)), from: 2, term: 7)
        #expect(member.bodies(to: 2) == [.voteResponse(granted: false)])
        member.receive(.voteRequest(voteRequest(last: 0, term: 0)), from: 3, term: 7)
        #expect(member.bodies(to: 3) == [.voteResponse(granted: true)])
    }

    /// Section 5.4.1: later last term wins, then the longer log.
    @Test(arguments: [
        (3, 2, false), (3, 3, false), (2, 4, true), (3, 4, true), (9, 3, true), (4, 3, true), (9, 2, false), (1, 9, true),
    ])
    func requestVote2GrantsOnlyToAnUpToDateLog(last: UInt64, term: UInt64, granted: Bool) {
        var member = Solo([1, 2, 3, 3], term: 10)
        member.receive(.voteRequest(voteRequest(last: last, term: term)), from: 2, term: 11)
        member.sync()
        #expect(member.bodies(to: 2).contains(.voteResponse(granted: granted)) == granted)
        #expect(member.raft.vote == (granted ? NodeID(2) : nil))
    }

    // MARK: AppendEntries

    @Test func appendEntries1RepliesFalseIfTheTermIsOld() {
        var member = Solo([1], term: 3)
        member.receiveAppend(from: 2, term: 2, previous: (1, 1), entries: [2])
        #expect(member.sent(to: 2).map(\.term) == [Term(3)])
        #expect(member.bodies(to: 2) == [rejected(1, hint: 0, term: 0)])
        #expect(member.raft.lastIndex == LogIndex(1))
    }

    @Test func appendEntries2RepliesFalseIfThePreviousEntryIsMissing() {
        var member = Solo([1, 1], term: 3)
        member.receiveAppend(from: 2, term: 3, previous: (5, 3), entries: [3])
        #expect(member.bodies(to: 2) == [rejected(5, hint: 2, term: 1)])
    }

    @Test func appendEntries2RepliesFalseIfThePreviousEntryDiffers() {
        var member = Solo([1, 2, 2, 2], term: 3)
        member.receiveAppend(from: 2, term: 3, previous: (4, 3), entries: [3])
        #expect(member.bodies(to: 2) == [rejected(4, hint: 3, term: 2)])
        // The hint passes over terms that the leader can't have there.
        member.receiveAppend(from: 2, term: 3, previous: (3, 1), entries: [3])
        #expect(member.bodies(to: 2) == [rejected(3, hint: 1, term: 1)])
        #expect(member.terms == [1, 2, 2, 2])
    }

    @Test func appendEntries3DeletesFromTheFirstConflictOn() {
        var member = Solo([1, 2, 2, 2], term: 3)
        member.receiveAppend(from: 2, term: 3, previous: (1, 1), entries: [2, 3])
        #expect(member.terms == [1, 2, 3])
        #expect(member.effects.persist?.entries.map(\.index) == [LogIndex(3)])
        #expect(member.raft.durableIndex == LogIndex(2))
        member.sync()
        #expect(member.bodies(to: 2) == [accepted(3)])
    }

    @Test func appendEntries3KeepsEntriesThatAreAlreadyThere() {
        var member = Solo([1, 1, 1], term: 1)
        // An old append, late: what follows its entries stays.
        member.receiveAppend(from: 2, term: 1, previous: (0, 0), entries: [1])
        #expect(member.terms == [1, 1, 1])
        #expect(member.bodies(to: 2) == [accepted(1)])
        #expect(member.effects.persist == nil)
    }

    @Test func appendEntries4AppendsWhatIsNew() {
        var member = Solo([1], term: 1)
        member.receiveAppend(from: 2, term: 1, previous: (1, 1), entries: [1, 1])
        #expect(member.terms == [1, 1, 1])
        #expect(member.effects.persist?.entries.map(\.index) == [LogIndex(2), LogIndex(3)])
    }

    @Test func appendEntries5CommitsUpToTheLastNewEntry() {
        var member = Solo([1, 1, 1], term: 2)
        // Entry 3 is not known to be the leader's, though the leader has committed more.
        member.receiveAppend(from: 2, term: 2, previous: (1, 1), entries: [1], commit: 9)
        #expect(member.raft.commitIndex == LogIndex(2))
        #expect(member.effects.committed.map(\.index) == [LogIndex(1), LogIndex(2)])
        // It never goes back.
        member.receiveAppend(from: 2, term: 2, previous: (1, 1), commit: 1)
        #expect(member.raft.commitIndex == LogIndex(2))
    }

    // MARK: Rules for servers

    @Test func allServersApplyInOrderWhatIsCommitted() {
        var member = Solo([1, 1, 1], term: 1, commit: 2)
        #expect(member.raft.commitIndex == LogIndex(2))
        #expect(member.raft.appliedIndex == LogIndex(2))
        member.receive(.heartbeat(.init(commitIndex: LogIndex(3), readRound: 0)), from: 2, term: 1)
        #expect(member.effects.committed.map(\.index) == [LogIndex(3)])
    }

    @Test func allServersTakeANewerTermAndFollow() {
        var member = Solo()
        member.becomeServingLeader()
        member.receive(.heartbeatResponse(readRound: 0), from: 2, term: 9)
        #expect(member.raft.role == .follower)
        #expect(member.raft.term == Term(9))
        #expect(member.raft.vote == nil)
        #expect(member.effects.statusChanged)
        #expect(member.effects.persist?.hardState == HardState(term: Term(9)))
    }

    @Test func followersStartAnElectionWhenTheTimeoutElapses() {
        var member = Solo([1], term: 1)
        member.pass(.milliseconds(100))
        #expect(member.effects.messages.isEmpty)
        member.pass(.milliseconds(400))
        #expect(member.raft.role == .preCandidate)
        #expect(
            member.effects.messages
                == [2, 3].map {
                    Message(from: NodeID(1), to: NodeID($0), term: Term(2), body: .preVoteRequest(voteRequest(last: 1, term: 1)))
                })
    }

    @Test func followersWaitWhileALeaderSpeaks() {
        var member = Solo()
        for _ in 0..<20 {
            member.pass(.milliseconds(100))
            member.receive(.heartbeat(.init(commitIndex: .zero, readRound: 0)), from: 2, term: 1)
        }
        #expect(member.raft.role == .follower)
        #expect(member.raft.leader == NodeID(2))
    }

    @Test func candidatesIncrementTheTermVoteForThemselvesAndAskAll() {
        var member = Solo([1], term: 1)
        member.pass(.milliseconds(600))
        member.receive(.preVoteResponse(granted: true), from: 2, term: 2)
        #expect(member.raft.role == .candidate)
        #expect(member.raft.term == Term(2))
        #expect(member.effects.persist?.hardState == HardState(term: Term(2), vote: NodeID(1)))
        // Nothing leaves before the vote for itself is durable.
        #expect(member.effects.messages.isEmpty)
        member.sync()
        #expect(
            member.effects.messages
                == [2, 3].map {
                    Message(from: NodeID(1), to: NodeID($0), term: Term(2), body: .voteRequest(voteRequest(last: 1, term: 1)))
                })
    }

    @Test func candidatesLeadWithTheVotesOfAMajority() {
        var member = Solo(voters: 5)
        member.pass(.milliseconds(600))
        for peer in [2, 3] as [UInt32] { member.receive(.preVoteResponse(granted: true), from: peer, term: 1) }
        member.sync()
        member.receive(.voteResponse(granted: true), from: 2, term: 1)
        member.receive(.voteResponse(granted: true), from: 2, term: 1)
        member.receive(.voteResponse(granted: false), from: 4, term: 1)
        #expect(member.raft.role == .candidate)
        member.receive(.voteResponse(granted: true), from: 3, term: 1)
        #expect(member.raft.role == .leader)
        #expect(member.effects.becameLeader)
    }

    @Test func candidatesFollowALeaderOfTheirTerm() {
        var member = Solo()
        member.pass(.milliseconds(600))
        member.receive(.preVoteResponse(granted: true), from: 2, term: 1)
        member.sync()
        member.receiveAppend(from: 3, term: 1)
        #expect(member.raft.role == .follower)
        #expect(member.raft.leader == NodeID(3))
        member.receive(.voteResponse(granted: true), from: 2, term: 1)
        #expect(member.raft.role == .follower)
    }

    @Test func candidatesBeginAnewWhenTheTimeoutElapses() {
        var member = Solo()
        member.pass(.milliseconds(600))
        member.receive(.preVoteResponse(granted: true), from: 2, term: 1)
        member.sync()
        member.pass(.milliseconds(600))
        #expect(member.raft.role == .preCandidate)
        #expect(member.sent(to: 2).map(\.term) == [Term(2)])
        #expect(member.raft.term == Term(1))
    }

    @Test func leadersAnnounceThemselvesAtOnceWithTheirFirstEntry() {
        var member = Solo([1], term: 1)
        member.becomeLeader()
        for peer in [2, 3] as [UInt32] {
            #expect(member.appends(to: peer).count == 1)
            #expect(member.appends(to: peer).first?.previousIndex == LogIndex(1))
            #expect(member.appends(to: peer).first?.entries.map(\.kind) == [.empty])
        }
        #expect(member.effects.persist?.entries.map(\.kind) == [.empty])
    }

    @Test func leadersSendHeartbeatsInIdleTimes() {
        var member = Solo()
        member.becomeServingLeader()
        member.pass(.milliseconds(50))
        #expect(member.heartbeats(to: 2).count == 1)
        #expect(member.heartbeats(to: 3).count == 1)
        member.pass(.milliseconds(10))
        #expect(member.effects.messages.isEmpty)
    }

    @Test func leadersAppendACommandAndReplicateIt() {
        var member = Solo()
        member.becomeServingLeader()
        #expect(member.propose("x") == .appended(index: LogIndex(2), term: Term(1)))
        member.drain()
        // To the peer and to the own disk in the same turn.
        #expect(member.appends(to: 2).first?.entries.map(\.index) == [LogIndex(2)])
        #expect(member.effects.persist?.entries.map(\.index) == [LogIndex(2)])
        #expect(member.effects.committed.isEmpty)
        member.accept(2, from: 2)
        #expect(member.effects.committed.isEmpty)
        member.sync()
        #expect(member.effects.committed.map(\.index) == [LogIndex(2)])
    }

    @Test func leadersCommitWhatAMajorityOfOthersHasBeforeTheirOwnDisk() {
        var member = Solo()
        member.becomeServingLeader()
        _ = member.propose("x")
        member.drain()
        member.accept(2, from: 2)
        member.accept(2, from: 3)
        #expect(member.raft.durableIndex == LogIndex(1))
        #expect(member.effects.committed.map(\.index) == [LogIndex(2)])
    }

    @Test func leadersStepBackByTheHintAfterARejection() {
        var member = Solo([1, 1, 1, 4, 4, 5, 5, 6, 6, 6], term: 6)
        member.becomeLeader()
        member.sync()
        // The follower's log is 1 1 1 2 2 2 3 3 3 3 3 (Figure 7, f).
        member.receive(rejected(10, hint: 10, term: 3), from: 2, term: 7)
        #expect(member.appends(to: 2).map(\.previousIndex) == [LogIndex(3)])
        #expect(member.appends(to: 2).map(\.previousTerm) == [Term(1)])
        member.accept(3, from: 2)
        #expect(member.raft.peers.first?.state == .replicate)
        #expect(member.appends(to: 2).first?.entries.map(\.term.rawValue) == [4, 4, 5, 5, 6, 6, 6, 7])
    }

    /// Section 5.4.2 and Figure 8.
    @Test func leadersCommitOlderTermsOnlyThroughTheirOwn() {
        var member = Solo([1, 2], term: 3)
        member.becomeLeader()
        member.sync()
        member.accept(2, from: 2)
        member.accept(2, from: 3)
        #expect(member.raft.commitIndex == .zero)
        #expect(!member.raft.canServe)
        member.accept(3, from: 2)
        #expect(member.raft.commitIndex == LogIndex(3))
        #expect(member.effects.committed.map(\.index) == [LogIndex(1), LogIndex(2), LogIndex(3)])
        #expect(member.raft.canServe)
    }

    @Test func aSingleVoterCommitsWhatItsOwnDiskHas() {
        var member = Solo(voters: 1)
        member.pass(.milliseconds(600))
        #expect(member.raft.role == .candidate)
        member.sync()
        #expect(member.raft.role == .leader)
        _ = member.propose("x")
        member.drain()
        #expect(member.raft.commitIndex == .zero)
        while !member.disk.pending.isEmpty { member.sync() }
        #expect(member.raft.commitIndex == LogIndex(2))
    }
}
