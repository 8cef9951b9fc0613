import Base
import Testing

@testable import Consensus

/// Messages that no member can have sent are passed over without a trace.
@Suite struct MessageTests {
    private func append(previous: UInt64, term: UInt64, _ entries: [(UInt64, UInt64)]) -> Message.Body {
        let list = entries.map { Entry(term: Term($0.1), index: LogIndex($0.0), kind: .command, payload: []) }
        return .append(
            .init(
                previousIndex: LogIndex(previous), previousTerm: Term(term), entries: list, commitIndex: LogIndex(.max),
                readRound: 0))
    }

    @Test func malformedMessagesChangeNothing() {
        let bodies: [Message.Body] = [
            append(previous: .max, term: 1, []),
            append(previous: 0, term: 0, [(2, 1)]),
            append(previous: 0, term: 0, [(1, 1), (3, 1)]),
            append(previous: 0, term: 0, [(1, 2), (2, 1)]),
            append(previous: 1, term: 2, [(2, 1)]),
            append(previous: 0, term: 0, [(1, 9)]),
            append(previous: 1, term: 9, []),
            rejected(.max, hint: 0, term: 0),
            rejected(1, hint: 2, term: 0),
        ]
        for body in bodies {
            var member = Solo([1], term: 1)
            member.receive(body, from: 2, term: 3)
            #expect(member.effects.messages.isEmpty, "\(body)")
            #expect(member.raft.term == Term(1), "\(body)")
        }
        var member = Solo([1], term: 1)
        member.receive(.heartbeat(.init(commitIndex: .zero, readRound: 0)), from: 2, term: .max)
        #expect(member.raft.term == Term(1))
    }

    /// Random messages of every kind, with numbers from a small range and now and then an absurd one. They break no
    /// promise that could be seen from outside: those stop the process, on purpose, and are left out here.
    @Test func randomMessagesNeverStopAFollower() {
        var generator = RandomGenerator(seed: 3)
        for _ in 0..<300 {
            var member = Solo([1, 1, 2], term: 2, commit: 1)
            for _ in 0..<40 {
                let term = member.raft.term.rawValue + generator.next(below: 3)
                let number = { (generator: inout RandomGenerator) -> UInt64 in
                    generator.chance(1, in: 20) ? .max - generator.next(below: 2) : generator.next(below: 6)
                }
                let first = number(&generator)
                let second = number(&generator)
                let body: Message.Body
                switch generator.next(below: 9) {
                case 0: body = .preVoteRequest(voteRequest(last: first, term: second))
                case 1: body = .voteRequest(voteRequest(last: first, term: second, isTransfer: generator.chance(1, in: 2)))
                case 2: body = .preVoteResponse(granted: generator.chance(1, in: 2))
                case 3: body = .heartbeat(.init(commitIndex: LogIndex(first), readRound: second))
                case 4: body = .readIndexResponse(id: first, index: LogIndex(second), wall: member.now.wall)
                case 5: body = .installSnapshot(index: LogIndex(first), term: Term(second))
                case 6: body = rejected(first, hint: second, term: first)
                case 7: body = .readIndexRequest(id: first)
                default: body = append(previous: first, term: second, [(first &+ 1, second), (second, first)])
                }
                // One sender, so that it may be the leader of any term.
                member.receive(body, from: 2, term: term)
                if generator.chance(1, in: 3) { member.sync() }
            }
            #expect(RaftInvariants.violation(of: member.raft) == nil)
        }
    }
}
