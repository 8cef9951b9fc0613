import Base
import Testing

@testable import Simulator

@Suite struct QueueTests {
    private func kind(final: [String], _ build: (inout HistoryBuilder) -> Void) -> Violation.Kind? {
        var builder = HistoryBuilder()
        build(&builder)
        return violation { () throws(Violation) in
            try ExactlyOnce.checkQueue(builder.history.operations, final: final.map(bytes))
        }
    }

    @Test func whatWasPushedIsThereOrCameOutOnce() {
        let found = kind(final: ["c"]) { builder in
            builder.run(1, .pushRight(bytes("a")), .integer(1))
            builder.run(1, .pushLeft(bytes("b")), .integer(2))
            builder.run(2, .popRight, .text("a"))
            builder.run(2, .popLeft, .text("b"))
            builder.run(2, .popLeft, .null)
            builder.answer(builder.send(3, .pushRight(bytes("c"))), .unknown)
        }
        #expect(found == nil)
    }

    @Test func aPopOfUnknownOutcomeMayHaveTakenOneElement() {
        func lost(_ pops: Int) -> Violation.Kind? {
            kind(final: []) { builder in
                builder.run(1, .pushRight(bytes("a")), .integer(1))
                builder.run(1, .pushRight(bytes("b")), .integer(2))
                for _ in 0..<pops { builder.answer(builder.send(2, .popLeft), .unknown) }
            }
        }
        #expect(lost(2) == nil)
        #expect(lost(1) == .exactlyOnce)
    }

    @Test func errorsInAQueueAreFound() {
        func afterPush(final: [String] = [], _ build: (inout HistoryBuilder) -> Void) -> Violation.Kind? {
            kind(final: final) { builder in
                builder.run(1, .pushRight(bytes("a")), .integer(1))
                build(&builder)
            }
        }
        // Lost; twice in the end; popped and still there; popped twice; never pushed.
        #expect(afterPush { _ in } == .exactlyOnce)
        #expect(afterPush(final: ["a", "a"]) { _ in } == .exactlyOnce)
        #expect(afterPush(final: ["a"]) { $0.run(2, .popLeft, .text("a")) } == .exactlyOnce)
        #expect(
            afterPush {
                $0.run(2, .popLeft, .text("a"))
                $0.run(2, .popRight, .text("a"))
            } == .exactlyOnce)
        #expect(afterPush(final: ["a", "x"]) { _ in } == .exactlyOnce)
        // Refused and there all the same; popped before it was pushed; an answer that makes no sense.
        #expect(afterPush(final: ["a", "b"]) { $0.answer($0.send(1, .pushRight(bytes("b"))), .refused) } == .exactlyOnce)
        #expect(
            afterPush(final: ["a"]) {
                $0.run(2, .popLeft, .text("b"))
                $0.run(1, .pushRight(bytes("b")), .integer(2))
            } == .exactlyOnce)
        #expect(afterPush(final: ["a", "b"]) { $0.run(1, .pushRight(bytes("b")), .integer(0)) } == .exactlyOnce)
    }
}

@Suite struct CollectionModelTests {
    /// Runs commands on an empty key; the replies.
    private func replies(_ commands: [KeyCommand]) -> [Reply] {
        var value = KeyValue.absent
        return commands.map { command in
            let (reply, next) = value.execute(command)
            value = next
            return reply
        }
    }

    @Test func aListHasTwoEnds() {
        let got = replies([
            .pushRight(bytes("b")), .pushLeft(bytes("a")), .pushRight(bytes("c")), .listRange, .popLeft, .popRight, .listLength,
            .popLeft,
            .popLeft, .type,
        ])
        let all = Reply.array([.text("a"), .text("b"), .text("c")])
        #expect(
            got == [
                .integer(1), .integer(2), .integer(3), all, .text("a"), .text("c"), .integer(1), .text("b"), .null,
                .simple(bytes("none")),
            ])
    }

    @Test func aHashHasFields() {
        let got = replies([
            .setField(bytes("f"), bytes("1")), .setField(bytes("f"), bytes("x")), .field(bytes("f")),
            .incrementField(bytes("f"), 1),
            .incrementField(bytes("n"), 4), .fieldCount, .fields, .deleteField(bytes("f")), .deleteField(bytes("n")), .exists,
        ])
        let all = Reply.array([.array([.text("f"), .text("x")]), .array([.text("n"), .text("4")])])
        #expect(got[0...2] == [.integer(1), .integer(0), .text("x")])
        #expect(got[3].isError("ERR "))
        #expect(got[4...] == [.integer(4), .integer(2), all, .integer(1), .integer(1), .integer(0)])
    }

    @Test func setsAndSortedSetsHaveMembers() {
        let set = replies([
            .addMember(bytes("b")), .addMember(bytes("a")), .addMember(bytes("a")), .hasMember(bytes("a")), .members,
            .removeMember(bytes("a")), .memberCount, .score(bytes("a")),
        ])
        #expect(
            set[0...5] == [.integer(1), .integer(1), .integer(0), .integer(1), .array([.text("a"), .text("b")]), .integer(1)])
        #expect(set[6] == .integer(1) && set[7].isError("WRONGTYPE"))
        let sorted = replies([
            .setScore(bytes("b"), 1), .setScore(bytes("a"), 1), .addScore(bytes("b"), -2), .ranking, .score(bytes("b")),
            .popLowest,
            .scoreCount, .removeScore(bytes("a")), .popLowest, .exists,
        ])
        let expected: [Reply] = [
            .integer(1), .integer(1), .text("-1"), .array([.text("b"), .text("a")]), .text("-1"),
            .array([.text("b"), .text("-1")]),
            .integer(1), .integer(1), .array([]), .integer(0),
        ]
        #expect(sorted == expected)
    }

    @Test func repliesWithoutAnOrderAreCompared() {
        let members = KeyCommand.members.canonical(.array([.text("b"), .text("a")]))
        #expect(members == .array([.text("a"), .text("b")]))
        let fields = KeyCommand.fields.canonical(.array([.text("n"), .text("1"), .text("f"), .text("2")]))
        #expect(fields == .array([.array([.text("f"), .text("2")]), .array([.text("n"), .text("1")])]))
        #expect(KeyCommand.listRange.canonical(.array([.text("b"), .text("a")])) == .array([.text("b"), .text("a")]))
    }
}
