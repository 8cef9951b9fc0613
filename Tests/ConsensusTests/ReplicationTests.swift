import Base
import Testing

@testable import Consensus

/// The leader's side: windows, probes, what is lost, what is no longer in memory, limits.
@Suite struct ReplicationTests {
    @Test func oneFrameFliesAndTheNextGathersAllThatIsNew() {
        var member = Solo()
        member.becomeServingLeader()
        for text in ["a", "b", "c"] {
            _ = member.propose(text)
            member.drain()
        }
        #expect(member.appends(to: 2).isEmpty)
        member.accept(2, from: 2)
        #expect(member.appends(to: 2).map { $0.entries.map(\.index) } == [[LogIndex(3), LogIndex(4)]])
    }

    @Test func aWiderWindowTakesMoreFrames() {
        var member = Solo(options: { $0.inFlightMax = 3 })
        member.becomeServingLeader()
        var frames = 0
        for text in ["a", "b", "c", "d"] {
            _ = member.propose(text)
            member.drain()
            frames += member.appends(to: 2).count
        }
        #expect(frames == 3)
    }

    @Test func appendsAreCutAtTheirLimitAndHoldOneEntryAtTheLeast() {
        var member = Solo(options: {
            $0.inFlightMax = 9
            $0.appendBytesMax = 10
        })
        member.becomeServingLeader()
        for text in ["12345", "12345", "1", "12345678901234567890", "1"] { _ = member.propose(text) }
        member.drain()
        #expect(member.appends(to: 2).map(\.entries.count) == [2, 1, 1, 1])
    }

    @Test func aProbeGoesAloneUntilItIsAnswered() {
        var member = Solo()
        member.becomeLeader()
        _ = member.propose("a")
        member.drain()
        #expect(member.effects.messages.isEmpty)
        member.accept(1, from: 2)
        #expect(member.appends(to: 2).map(\.previousIndex) == [LogIndex(1)])
    }

    @Test func aResetChannelIsProbedAnewFromWhatIsKnownToMatch() {
        var member = Solo()
        member.becomeServingLeader()
        _ = member.propose("a")
        member.drain()
        member.raft.peerReset(NodeID(2), isConnected: false, now: member.now, random: 0)
        member.drain()
        #expect(member.appends(to: 2).isEmpty)
        #expect(member.raft.peers.first?.state == .probe)
        #expect(member.raft.peers.first?.recentActive == false)
        member.raft.peerReset(NodeID(2), isConnected: true, now: member.now, random: 0)
        member.drain()
        #expect(member.appends(to: 2).map(\.previousIndex) == [LogIndex(1)])
        #expect(member.appends(to: 2).map(\.entries.count) == [1])
    }

    @Test func aLostAppendIsFoundByTimeAndProbedWithoutItsEntries() {
        var member = Solo()
        member.becomeServingLeader()
        _ = member.propose("a")
        member.drain()
        for _ in 0..<4 {
            member.pass(.milliseconds(50))
            member.receive(.heartbeatResponse(readRound: 0), from: 2, term: 1)
            #expect(member.raft.peers.first?.state == .replicate)
        }
        member.pass(.milliseconds(50))
        #expect(member.raft.peers.first?.state == .probe)
        #expect(member.appends(to: 2).map(\.entries.count) == [0])
        member.accept(1, from: 2)
        #expect(member.appends(to: 2).map(\.entries.count) == [1])
    }

    @Test func staleRejectionsChangeNothing() {
        var member = Solo()
        member.becomeServingLeader()
        member.receive(rejected(1, hint: 0, term: 0), from: 2, term: 1)
        #expect(member.raft.peers.first?.state == .replicate)
        #expect(member.raft.peers.first?.matchIndex == LogIndex(1))
        var probing = Solo([1, 1, 1, 1], term: 1)
        probing.becomeLeader()
        probing.receive(rejected(2, hint: 1, term: 1), from: 2, term: 2)
        #expect(probing.raft.peers.first?.nextIndex == LogIndex(5))
    }

    @Test func theCommitIndexRidesOnTheNextAppend() {
        var member = Solo()
        member.becomeServingLeader()
        _ = member.propose("a")
        member.drain()
        member.sync()
        member.accept(2, from: 2)
        #expect(member.heartbeats(to: 2).isEmpty)
        _ = member.propose("b")
        member.drain()
        #expect(member.appends(to: 2).map(\.commitIndex) == [LogIndex(2)])
    }

    @Test func announceCommitTellsAtOnceWhatIsCommitted() {
        var member = Solo()
        member.becomeServingLeader()
        _ = member.propose("a")
        member.drain()
        member.sync()
        member.accept(2, from: 2)
        member.raft.announceCommit(to: NodeID(2))
        member.drain()
        #expect(member.bodies(to: 2) == [.heartbeat(.init(commitIndex: LogIndex(2), readRound: 0))])
        // Once is enough.
        member.raft.announceCommit(to: NodeID(2))
        member.drain()
        #expect(member.effects.messages.isEmpty)
    }

    @Test func announceCommitRidesOnAnAppendOfTheSameTurn() {
        var member = Solo()
        member.becomeServingLeader()
        _ = member.propose("a")
        member.drain()
        member.sync()
        member.accept(2, from: 2)
        _ = member.propose("b")
        member.raft.announceCommit(to: NodeID(2))
        member.drain()
        #expect(member.effects.messages.filter { $0.to == NodeID(2) }.count == 1)
        #expect(member.appends(to: 2).map(\.commitIndex) == [LogIndex(2)])
    }

    @Test func announceCommitFollowsEntriesThatAreOnTheirWay() {
        var member = Solo(options: { $0.thrifty = false })
        member.becomeServingLeader()
        _ = member.propose("a")
        member.drain()
        member.sync()
        member.accept(2, from: 2)
        // 3 has been sent the entry and has not answered: an empty append after it carries the commit index.
        member.raft.announceCommit(to: NodeID(3))
        member.drain()
        #expect(member.appends(to: 3).map(\.previousIndex) == [LogIndex(2)])
        #expect(member.appends(to: 3).map(\.commitIndex) == [LogIndex(2)])
    }

    @Test func proposalsHaveALimitAndOneAlwaysFits() {
        var member = Solo(options: { $0.uncommittedBytesMax = 10 })
        member.becomeServingLeader()
        #expect(member.propose("123456789012345") == .appended(index: LogIndex(2), term: Term(1)))
        #expect(member.propose("1") == .overloaded)
        member.drain()
        member.sync()
        member.accept(2, from: 2)
        #expect(member.propose("1") == .appended(index: LogIndex(3), term: Term(1)))
        #expect(member.propose("1234567890") == .overloaded)
    }

    @Test func followersNameTheLeaderTheyKnow() {
        var member = Solo(term: 1)
        #expect(member.propose("x") == .notLeader(hint: nil))
        member.receive(.heartbeat(.init(commitIndex: .zero, readRound: 0)), from: 3, term: 1)
        #expect(member.propose("x") == .notLeader(hint: NodeID(3)))
    }

    // MARK: Joint consensus

    @Test func jointConsensusCommitsWithBothMajorities() {
        let configuration = Configuration(
            voters: [1, 2, 3].map { NodeID($0) }, outgoing: [1, 4, 5].map { NodeID($0) })
        var member = Solo(configuration: configuration)
        member.becomeLeader()
        member.sync()
        member.accept(1, from: 2)
        member.accept(1, from: 3)
        #expect(member.raft.commitIndex == .zero)
        member.accept(1, from: 4)
        #expect(member.raft.commitIndex == LogIndex(1))
    }

    @Test func jointConsensusElectsWithBothMajorities() {
        let configuration = Configuration(
            voters: [1, 2, 3].map { NodeID($0) }, outgoing: [4, 5, 6].map { NodeID($0) })
        var member = Solo(configuration: configuration)
        member.pass(.milliseconds(600))
        for peer in [2, 3, 4] as [UInt32] { member.receive(.preVoteResponse(granted: true), from: peer, term: 1) }
        #expect(member.raft.role == .preCandidate)
        member.receive(.preVoteResponse(granted: true), from: 6, term: 1)
        #expect(member.raft.role == .candidate)
    }

    // MARK: Entries from disk

    @Test func whatIsNoLongerInMemoryIsReadFromDisk() {
        let cluster = TestCluster(
            3,
            options: {
                $0.cacheBytesMax = 500
                $0.appendBytesMax = 40
            })
        cluster.elect(1)
        cluster.crash(cluster[3])
        cluster.reset(cluster[1], peer: 3, isConnected: false)
        for number in 0..<200 {
            _ = cluster.propose(cluster[1], "value \(number)")
            cluster.settle()
        }
        #expect(cluster.raft(1).firstCachedIndex > LogIndex(150))
        var loads = 0
        cluster.onEffects = { _, effects in loads += effects.loads.count }
        cluster.start(cluster[3])
        cluster.reset(cluster[1], peer: 3, isConnected: true)
        cluster.run(.milliseconds(200))
        #expect(loads > 10)
        #expect(cluster[3].applied.count == 201)
        #expect(cluster[3].applied == cluster[1].applied)
        #expect(cluster.violations == [])
    }

    @Test func whatIsNotYetOnTheOwnDiskStaysInMemory() {
        var member = Solo(options: { $0.cacheBytesMax = 0 })
        member.becomeServingLeader()
        _ = member.propose("x")
        member.drain()
        member.accept(2, from: 2)
        member.accept(2, from: 3)
        // Committed by the others' disks and applied, but a peer that needs it could not be given it from this one.
        #expect(member.raft.appliedIndex == LogIndex(2))
        #expect(member.raft.firstCachedIndex == LogIndex(2))
        member.sync()
        #expect(member.raft.firstCachedIndex == LogIndex(3))
    }

    @Test func aLoadThatFailsIsAskedForAgain() {
        var leader = Solo([1, 1, 1, 1, 1, 1], term: 1, commit: 6, options: { $0.cacheBytesMax = 100 })
        leader.becomeLeader()
        leader.sync()
        leader.accept(7, from: 2)
        leader.receive(rejected(6, hint: 1, term: 1), from: 3, term: 2)
        #expect(leader.appends(to: 3).map(\.previousIndex) == [LogIndex(1)])
        leader.accept(1, from: 3)
        leader.pass(.milliseconds(2))
        #expect(leader.raft.firstCachedIndex > LogIndex(2))
        leader.accept(1, from: 3)
        let asked = leader.raft.progress.first { $0.peer == NodeID(3) }?.isLoading
        #expect(asked == true)
        leader.raft.loadFailed(for: NodeID(3))
        leader.drain()
        #expect(leader.effects.loads.isEmpty)
        leader.pass(.milliseconds(300))
        leader.accept(1, from: 3)
        leader.pass(.milliseconds(2))
        #expect(leader.raft.progress.first { $0.peer == NodeID(3) }?.isLoading == true)
    }

    @Test func aPeerBeforeTheLogsBeginningNeedsAStateFile() {
        var recovered = RecoveredState()
        recovered.hardState = HardState(term: Term(3))
        recovered.baseIndex = LogIndex(10)
        recovered.baseTerm = Term(2)
        recovered.appliedIndex = LogIndex(10)
        recovered.lastIndex = LogIndex(11)
        recovered.termRuns = [TermRun(first: LogIndex(11), term: Term(3))]
        recovered.tail = [Entry(term: Term(3), index: LogIndex(11), kind: .empty, payload: [])]
        var member = Solo(term: 3)
        member.raft = Raft(
            options: RaftOptions(id: NodeID(1)), configuration: member.raft.configuration, recovered: recovered,
            now: member.now, random: 0)
        member.becomeLeader()
        member.receive(rejected(11, hint: 4, term: 1), from: 2, term: 4)
        member.receive(rejected(10, hint: 4, term: 1), from: 2, term: 4)
        #expect(member.bodies(to: 2) == [.installSnapshot(index: LogIndex(10), term: Term(2))])
        #expect(member.raft.peers.first?.state == .snapshot)
        _ = member.propose("x")
        member.drain()
        #expect(member.appends(to: 2).isEmpty)
        member.receive(.installSnapshotResponse(index: LogIndex(10), succeeded: true), from: 2, term: 4)
        #expect(member.appends(to: 2).map(\.previousIndex) == [LogIndex(10)])
    }
}
