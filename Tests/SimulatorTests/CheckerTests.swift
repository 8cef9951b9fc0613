import Base
import Testing

@testable import Simulator

/// A log given by its entries' terms.
struct TermList: LogReader {
    var terms: [UInt64]
    var lastIndex: LogIndex { LogIndex(UInt64(terms.count)) }
    func term(at index: LogIndex) -> Term? {
        index > .zero && index <= lastIndex ? Term(terms[Int(index.rawValue) - 1]) : nil
    }
}

func violation(_ body: () throws(Violation) -> Void) -> Violation.Kind? {
    do throws(Violation) {
        try body()
        return nil
    } catch {
        return error.kind
    }
}

@Suite struct ElectionSafetyTests {
    @Test func oneLeaderATermIsFine() throws {
        var checker = ElectionSafety()
        #expect(try checker.leads(NodeID(1), in: Term(1)))
        #expect(try !checker.leads(NodeID(1), in: Term(1)))
        #expect(try checker.leads(NodeID(2), in: Term(2)))
        #expect(checker.count == 2)
    }

    @Test func twoLeadersOfOneTermAreFound() {
        var checker = ElectionSafety()
        let found = violation { () throws(Violation) in
            try checker.leads(NodeID(1), in: Term(3))
            try checker.leads(NodeID(2), in: Term(3))
        }
        #expect(found == .electionSafety)
    }
}

@Suite struct CommittedLogTests {
    @Test func nodesThatCommitTheSameAreFine() throws {
        var committed = CommittedLog()
        let log = TermList(terms: [1, 1, 2])
        try committed.commits(NodeID(1), in: Term(2), after: .zero, through: LogIndex(3), log: log)
        try committed.commits(NodeID(2), in: Term(2), after: .zero, through: LogIndex(2), log: TermList(terms: [1, 1, 1]))
        #expect(committed.lastIndex == LogIndex(3))
        #expect(committed.term(at: LogIndex(3)) == Term(2))
    }

    @Test func anotherEntryAtACommittedIndexIsFound() throws {
        var committed = CommittedLog()
        try committed.commits(NodeID(1), in: Term(2), after: .zero, through: LogIndex(2), log: TermList(terms: [1, 2]))
        let found = violation { () throws(Violation) in
            try committed.commits(NodeID(2), in: Term(3), after: LogIndex(1), through: LogIndex(2), log: TermList(terms: [1, 3]))
        }
        #expect(found == .committedEntryChanged)
    }

    @Test func aCommitWithoutAnEntryIsFound() {
        var committed = CommittedLog()
        let found = violation { () throws(Violation) in
            try committed.commits(NodeID(2), in: Term(3), after: .zero, through: LogIndex(2), log: TermList(terms: [1]))
        }
        #expect(found == .committedEntryChanged)
    }

    @Test func aLeaderWithoutACommittedEntryIsFound() throws {
        var committed = CommittedLog()
        try committed.commits(NodeID(1), in: Term(2), after: .zero, through: LogIndex(2), log: TermList(terms: [1, 2]))
        for log in [TermList(terms: [1]), TermList(terms: [1, 1, 3])] {
            let found = violation { () throws(Violation) in try committed.leads(NodeID(2), in: Term(3), log: log) }
            #expect(found == .leaderCompleteness)
        }
        try committed.leads(NodeID(2), in: Term(3), log: TermList(terms: [1, 2, 3]))
    }

    @Test func aLateLeaderOfAnOlderTermNeedNotHaveWhatWasCommittedSince() throws {
        var committed = CommittedLog()
        try committed.commits(NodeID(1), in: Term(4), after: .zero, through: LogIndex(2), log: TermList(terms: [1, 4]))
        try committed.leads(NodeID(2), in: Term(3), log: TermList(terms: [1, 3]))
    }
}

@Suite struct LogMatchingTests {
    private func compare(_ one: [UInt64], _ other: [UInt64]) -> Violation.Kind? {
        violation { () throws(Violation) in
            try LogMatching.compare(
                TermList(terms: one), of: NodeID(1), TermList(terms: other), of: NodeID(2), above: .zero)
        }
    }

    @Test func logsMayDifferFromSomePointOn() {
        #expect(compare([1, 1, 2], [1, 1, 3, 3]) == nil)
        #expect(compare([1, 1, 2], [1, 1]) == nil)
        #expect(compare([], [1]) == nil)
    }

    @Test func logsThatDifferBelowAnEqualEntryAreFound() {
        #expect(compare([1, 1, 3], [1, 2, 3]) == .logMatching)
        #expect(compare([1, 2, 2, 4], [1, 3, 2]) == .logMatching)
    }
}

@Suite struct StateDigestsTests {
    @Test func equalDigestsAreCounted() throws {
        var checker = StateDigests()
        try checker.applied(NodeID(1), through: LogIndex(4), digest: 9)
        try checker.applied(NodeID(1), through: LogIndex(4), digest: 9)
        #expect(checker.comparisons == 0)
        try checker.applied(NodeID(2), through: LogIndex(4), digest: 9)
        #expect(checker.comparisons == 1)
    }

    @Test func anotherStateAtTheSameIndexIsFound() {
        var checker = StateDigests()
        let found = violation { () throws(Violation) in
            try checker.applied(NodeID(1), through: LogIndex(4), digest: 9)
            try checker.applied(NodeID(2), through: LogIndex(4), digest: 8)
        }
        #expect(found == .stateDigest)
    }
}

@Suite struct ExactlyOnceTests {
    private func counter(_ outcomes: [Simulator.Operation.Outcome], final: Int64) -> Violation.Kind? {
        var builder = HistoryBuilder()
        for outcome in outcomes { builder.answer(builder.send(1, .increment(1)), outcome) }
        return violation { () throws(Violation) in
            try ExactlyOnce.checkCounter(builder.history.operations, final: final)
        }
    }

    @Test func aCounterHoldsWhatWasAcknowledgedAndSomeOfTheUnknown() {
        let outcomes: [Simulator.Operation.Outcome] = [.reply(.integer(1)), .unknown, .refused, .reply(.integer(2)), .unknown]
        for final in 2...4 { #expect(counter(outcomes, final: Int64(final)) == nil) }
        #expect(counter(outcomes, final: 1) == .exactlyOnce)
        #expect(counter(outcomes, final: 5) == .exactlyOnce)
    }

    private func ledger(_ outcomes: [(String, Simulator.Operation.Outcome)], final: String) -> Violation.Kind? {
        var builder = HistoryBuilder()
        for (token, outcome) in outcomes { builder.answer(builder.send(1, .append(bytes(token))), outcome) }
        return violation { () throws(Violation) in
            try ExactlyOnce.checkLedger(builder.history.operations, final: bytes(final))
        }
    }

    /// What a key holds in the end is what the last read says: a stale one in the middle breaks the order, a stale one at the end has lost something.
    @Test func aStaleReadAtTheEndCountsAsALoss() {
        func kind(_ use: KeySpace.Use, _ command: (Int) -> KeyCommand, _ replies: [Reply], reads: [Reply]) -> Violation.Kind? {
            var builder = HistoryBuilder()
            for (number, reply) in replies.enumerated() { builder.run(1, command(number), reply) }
            for read in reads { builder.run(2, .get, read) }
            return violation { () throws(Violation) in
                _ = try KeyJudge(name: bytes("key"), use: use).judge(builder.history.operations)
            }
        }
        func counter(_ reads: String...) -> Violation.Kind? {
            kind(.counter, { _ in .increment(1) }, [.integer(1), .integer(2)], reads: reads.map { .text($0) })
        }
        #expect(counter("2", "2") == nil)
        #expect(counter("1", "2") == .linearizability)
        #expect(counter("2", "1") == .exactlyOnce)
        func ledger(_ reads: String...) -> Violation.Kind? {
            kind(.ledger, { .append(bytes("\($0);")) }, [.integer(2), .integer(4)], reads: reads.map { .text($0) })
        }
        #expect(ledger("0;1;", "0;1;") == nil)
        #expect(ledger("0;", "0;1;") == .linearizability)
        #expect(ledger("0;1;", "0;") == .exactlyOnce)
    }

    @Test func aLedgerHoldsEveryAcknowledgedTokenOnce() {
        #expect(ledger([("a;", .reply(.integer(2))), ("b;", .unknown), ("c;", .reply(.integer(4)))], final: "a;c;") == nil)
        #expect(ledger([("a;", .reply(.integer(2))), ("b;", .unknown), ("c;", .reply(.integer(6)))], final: "a;b;c;") == nil)
    }

    @Test func readsOfALedgerFitItsOrder() {
        func kind(_ reads: [(KeyCommand, Reply)], final: String = "a;b;") -> Violation.Kind? {
            var builder = HistoryBuilder()
            builder.run(1, .append(bytes("a;")), .integer(2))
            let second = builder.send(1, .append(bytes("b;")))
            for (command, reply) in reads { builder.run(2, command, reply) }
            builder.answer(second, .reply(.integer(4)))
            return violation { () throws(Violation) in
                try ExactlyOnce.checkLedger(builder.history.operations, final: bytes(final))
            }
        }
        #expect(kind([(.length, .integer(2)), (.get, .text("a;b;")), (.length, .integer(4))]) == nil)
        #expect(kind([(.length, .integer(0))]) == .linearizability)
        #expect(kind([(.length, .integer(3))]) == .linearizability)
        #expect(kind([(.length, .integer(4)), (.length, .integer(2))]) == .linearizability)
        #expect(kind([(.get, .text("x;"))]) == .linearizability)
        #expect(kind([(.get, .null)]) == .linearizability)
    }

    @Test func errorsInALedgerAreFound() {
        let one: [(String, Simulator.Operation.Outcome)] = [("a;", .reply(.integer(2)))]
        #expect(ledger(one, final: "") == .exactlyOnce)
        #expect(ledger(one, final: "a;a;") == .exactlyOnce)
        #expect(ledger(one, final: "a;b;") == .exactlyOnce)
        #expect(ledger(one, final: "a;b") == .exactlyOnce)
        #expect(ledger(one + [("b;", .refused)], final: "a;b;") == .exactlyOnce)
        #expect(ledger(one + [("b;", .reply(.integer(6)))], final: "a;b;") == .exactlyOnce)
        // What was sent after the reply to "a" can't stand before it.
        #expect(ledger([("a;", .reply(.integer(4))), ("b;", .unknown)], final: "b;a;") == .exactlyOnce)
    }
}
