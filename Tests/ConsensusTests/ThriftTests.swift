import Base
import Testing

@testable import Consensus

/// Which voters get each append at once, and when the others get theirs.
@Suite struct ThriftTests {
    private func serving(voters: UInt32 = 3, _ edit: (inout RaftOptions) -> Void = { _ in }) -> Solo {
        var member = Solo(voters: voters, options: edit)
        member.becomeServingLeader()
        member.pass(.milliseconds(50))
        for peer in 2...voters { member.receive(.heartbeatResponse(readRound: 0), from: peer, term: 1) }
        return member
    }

    /// One proposal in one turn; it commits by the needed voters 2 (and 3).
    private func commitOne(_ member: inout Solo, needed: [UInt32] = [2]) -> [Message] {
        _ = member.propose("x")
        member.drain()
        var messages = member.effects.messages
        member.sync()
        messages += member.effects.messages
        let last = member.raft.lastIndex.rawValue
        for peer in needed {
            member.accept(last, from: peer)
            messages += member.effects.messages
        }
        return messages
    }

    @Test func aMajorityGetsItsEntriesAtOnceTheOtherVoterLater() {
        var member = serving()
        let messages = commitOne(&member)
        #expect(messages.map(\.to) == [NodeID(2)])
        #expect(member.raft.commitIndex == LogIndex(2))
        #expect(member.raft.nextDeadline == member.now.instant + .microseconds(1500))
        member.pass(.microseconds(1499))
        #expect(member.effects.messages.isEmpty)
        member.pass(.microseconds(1))
        #expect(member.appends(to: 3).map(\.entries.count) == [1])
        #expect(member.appends(to: 3).map(\.commitIndex) == [LogIndex(2)])
        #expect(member.raft.nextDeadline > member.now.instant + .milliseconds(10))
    }

    @Test func aGatheredFrameLeavesWithTheFourthFrame() {
        var member = serving()
        for _ in 0..<3 { #expect(!commitOne(&member).contains { $0.to == NodeID(3) }) }
        _ = member.propose("x")
        member.drain()
        #expect(member.appends(to: 2).map(\.entries.count) == [1])
        #expect(member.appends(to: 3).map(\.entries.count) == [4])
    }

    @Test func withoutThriftEveryVoterGetsEachFrame() {
        var member = serving { $0.thrifty = false }
        _ = member.propose("x")
        member.drain()
        #expect(member.effects.messages.map(\.to) == [NodeID(2), NodeID(3)])
    }

    @Test func fiveVotersNeedTwo() {
        var member = serving(voters: 5)
        let messages = commitOne(&member, needed: [2, 3])
        #expect(messages.map(\.to) == [NodeID(2), NodeID(3)])
        #expect(member.raft.commitIndex == LogIndex(2))
        member.pass(.microseconds(1500))
        #expect(member.effects.messages.map(\.to) == [NodeID(4), NodeID(5)])
    }

    @Test func aLateVoterGivesItsPlaceToTheNext() {
        var member = serving()
        _ = member.propose("x")
        member.drain()
        member.sync()
        #expect(member.effects.messages.isEmpty)
        // 2 does not answer. Later proposals go to 3 at once, with all that was gathered.
        member.now.instant = member.now.instant + .milliseconds(21)
        _ = member.propose("y")
        member.drain()
        #expect(member.appends(to: 3).map(\.entries.count) == [2])
        member.sync()
        member.accept(3, from: 3)
        #expect(member.raft.commitIndex == LogIndex(3))
        // When 2 comes back it waits at the end of the list.
        member.accept(2, from: 2)
        _ = member.propose("z")
        member.drain()
        #expect(member.appends(to: 3).count == 1)
        #expect(member.appends(to: 2).isEmpty)
    }

    @Test func aDisconnectedVoterGivesItsPlaceInTheSameTurn() {
        var member = serving()
        _ = member.propose("x")
        member.drain()
        member.raft.peerReset(NodeID(2), isConnected: false, now: member.now, random: 0)
        member.drain()
        #expect(member.appends(to: 3).map(\.entries.count) == [1])
    }

    @Test func aSilentVoterIsNotRelied() {
        var member = serving()
        for _ in 0..<4 {
            member.pass(.milliseconds(50))
            member.receive(.heartbeatResponse(readRound: 0), from: 3, term: 1)
        }
        _ = member.propose("x")
        member.drain()
        #expect(member.appends(to: 3).map(\.entries.count) == [1])
        #expect(member.appends(to: 2).isEmpty)
    }

    @Test func whenTooFewAreWellEverybodyGetsEverything() {
        var member = serving(voters: 5)
        for peer in [2, 3, 4] as [UInt32] {
            member.raft.peerReset(NodeID(peer), isConnected: false, now: member.now, random: 0)
            member.raft.peerReset(NodeID(peer), isConnected: true, now: member.now, random: 0)
        }
        member.drain()
        _ = member.propose("x")
        member.drain()
        #expect(member.appends(to: 5).count == 1)
    }

    @Test func jointConsensusSparesNobody() {
        let configuration = Configuration(
            voters: [1, 2, 3].map { NodeID($0) }, outgoing: [1, 2, 4].map { NodeID($0) })
        var member = Solo(configuration: configuration)
        member.becomeServingLeader()
        _ = member.propose("x")
        member.drain()
        #expect(member.effects.messages.map(\.to) == [NodeID(2), NodeID(3), NodeID(4)])
    }

    @Test func announcingACommitFlushesWhatWasGathered() {
        var member = serving()
        _ = commitOne(&member)
        member.raft.announceCommit(to: NodeID(3))
        member.drain()
        #expect(member.appends(to: 3).map(\.entries.count) == [1])
        #expect(member.appends(to: 3).map(\.commitIndex) == [LogIndex(2)])
    }

    @Test func anIdleGroupSendsHeartbeatsOnly() {
        let cluster = TestCluster(3)
        cluster.elect(1)
        cluster.run(.milliseconds(200))
        var heartbeats = 0
        var others = 0
        cluster.onEffects = { _, effects in
            for message in effects.messages {
                switch message.body {
                case .heartbeat: heartbeats += 1
                case .heartbeatResponse: break
                default: others += 1
                }
            }
        }
        cluster.run(.milliseconds(1000))
        #expect(heartbeats == 40)
        #expect(others == 0)
    }
}
