import Base
import Testing

@testable import Simulator

/// Builds histories by hand: `send` and `answer` in the order in which they happened.
struct HistoryBuilder {
    private(set) var history = History()
    private var clock: UInt64 = 0

    mutating func send(_ connection: Int, _ command: KeyCommand, key: Int = 0) -> Int {
        clock += 1
        return history.invoke(connection: connection, key: key, command: command, at: Instant(nanoseconds: clock))
    }

    mutating func answer(_ number: Int, _ outcome: Operation.Outcome) {
        clock += 1
        history.end(number, outcome, at: Instant(nanoseconds: clock))
    }

    /// A command that ends before anything else begins.
    mutating func run(_ connection: Int, _ command: KeyCommand, _ reply: Reply) {
        answer(send(connection, command), .reply(reply))
    }

    var verdict: LinearizabilityChecker.Verdict { LinearizabilityChecker.check(history.operations) }

    var isLinearizable: Bool { verdict == .linearizable }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct LinearizabilityCheckerTests {
    @Test func sequentialReadsSeeTheLastWrite() {
        var builder = HistoryBuilder()
        builder.run(1, .set(bytes("a")), .ok)
        builder.run(2, .get, .text("a"))
        builder.run(1, .delete, .integer(1))
        builder.run(2, .get, .null)
        #expect(builder.isLinearizable)
    }

    @Test func aStaleReadIsFound() {
        var builder = HistoryBuilder()
        builder.run(1, .set(bytes("a")), .ok)
        builder.run(1, .set(bytes("b")), .ok)
        builder.run(2, .get, .text("a"))
        #expect(!builder.isLinearizable)
    }

    @Test func anAcknowledgedWriteThatIsGoneIsFound() {
        var builder = HistoryBuilder()
        builder.run(1, .set(bytes("a")), .ok)
        builder.run(2, .get, .null)
        #expect(!builder.isLinearizable)
    }

    @Test func overlappingWritesMayTakeEffectInEitherOrder() {
        for final in ["a", "b"] {
            var builder = HistoryBuilder()
            let first = builder.send(1, .set(bytes("a")))
            let second = builder.send(2, .set(bytes("b")))
            builder.answer(first, .reply(.ok))
            builder.answer(second, .reply(.ok))
            builder.run(3, .get, .text(final))
            #expect(builder.isLinearizable)
        }
    }

    @Test func twoReadersSeeOverlappingWritesInOneOrder() {
        var builder = HistoryBuilder()
        let write = builder.send(1, .set(bytes("a")))
        builder.run(2, .get, .text("a"))
        builder.run(3, .get, .null)
        builder.answer(write, .reply(.ok))
        #expect(!builder.isLinearizable)
    }

    @Test func aWriteOfUnknownOutcomeMayTakeEffectLaterOrNever() {
        for late in [Reply.text("a"), .text("b")] {
            var builder = HistoryBuilder()
            builder.run(1, .set(bytes("a")), .ok)
            builder.answer(builder.send(2, .set(bytes("b"))), .unknown)
            builder.run(3, .get, .text("a"))
            builder.run(3, .get, late)
            #expect(builder.isLinearizable)
        }
    }

    @Test func aWriteOfUnknownOutcomeTakesEffectOnce() {
        var builder = HistoryBuilder()
        builder.answer(builder.send(2, .set(bytes("b"))), .unknown)
        builder.run(3, .get, .text("b"))
        builder.run(1, .set(bytes("a")), .ok)
        builder.run(3, .get, .text("b"))
        #expect(!builder.isLinearizable)
    }

    @Test func aRefusedWriteTookNoEffect() {
        var builder = HistoryBuilder()
        builder.answer(builder.send(2, .set(bytes("b"))), .refused)
        builder.run(3, .get, .text("b"))
        #expect(!builder.isLinearizable)
    }

    @Test func incrementsCountOnce() {
        var builder = HistoryBuilder()
        builder.run(1, .increment(1), .integer(1))
        builder.answer(builder.send(2, .increment(1)), .unknown)
        builder.run(1, .increment(1), .integer(3))
        #expect(builder.isLinearizable)
        builder.run(1, .increment(1), .integer(5))
        #expect(!builder.isLinearizable)
    }

    @Test func aPipelineIsExecutedInItsOrder() {
        // Both run at the same time, but on one connection: the read follows the write.
        var builder = HistoryBuilder()
        let write = builder.send(1, .set(bytes("a")))
        let read = builder.send(1, .get)
        builder.answer(write, .reply(.ok))
        builder.answer(read, .reply(.null))
        #expect(!builder.isLinearizable)
    }

    @Test func aLostPipelineIsLostFromSomePointOn() {
        // The first of two lost commands was not executed, so the second was not either.
        var builder = HistoryBuilder()
        let first = builder.send(1, .append(bytes("a")))
        let second = builder.send(1, .append(bytes("b")))
        builder.answer(first, .unknown)
        builder.answer(second, .unknown)
        builder.run(2, .get, .text("b"))
        #expect(!builder.isLinearizable)
    }

    @Test func manyUnknownWritesDoNotMakeItSlow() {
        // One command in eight loses its connection; a third of those take effect, much later.
        var random = RandomGenerator(seed: 11)
        for _ in 0..<4 {
            var builder = HistoryBuilder()
            var value = KeyValue.absent
            var late: [KeyCommand] = []
            for number in 0..<500 {
                let choices: [KeyCommand] = [.get, .set(bytes("v\(number)")), .append(bytes("+")), .increment(1), .getAndDelete]
                let command = random.choice(of: choices)
                if random.chance(1, in: 8) {
                    builder.answer(builder.send(100 + number, command), .unknown)
                    if random.chance(1, in: 3) { late.append(command) }
                    continue
                }
                if !late.isEmpty, random.chance(1, in: 10) { value = value.execute(late.removeFirst()).1 }
                let (reply, next) = value.execute(command)
                value = next
                builder.run(1, command, reply)
            }
            #expect(builder.isLinearizable)
        }
    }

    @Test func itAgreesWithTryingAllOrders() {
        var random = RandomGenerator(seed: 7)
        var linearizable = 0
        for _ in 0..<20000 {
            let operations = randomHistory(&random)
            let expected = bruteForce(operations)
            #expect((LinearizabilityChecker.check(operations) == .linearizable) == expected, "\(operations)")
            if expected { linearizable += 1 }
        }
        // The sample is of use only when it has enough of both kinds.
        #expect(linearizable > 3000 && linearizable < 18_000)
    }

    /// Up to six commands of three connections, some at the same time, with replies that are often but not always right.
    private func randomHistory(_ random: inout RandomGenerator) -> [Simulator.Operation] {
        var builder = HistoryBuilder()
        var open: [(connection: Int, number: Int, command: KeyCommand)] = []
        var value = KeyValue.absent
        var sent = 0
        func command() -> KeyCommand {
            // Values that come once, and values that come again.
            let value = bytes(random.chance(1, in: 2) ? "v\(sent)" : random.choice(of: ["1", "b"]))
            return random.choice(of: [
                .get, .get, .set(value), .set(value), .delete, .increment(1), .append(value), .append(value), .getSet(value),
                .setIfAbsent(value), .getAndDelete, .length,
            ])
        }
        let count = 2 + random.index(below: 5)
        while sent < count || !open.isEmpty {
            if sent < count, open.isEmpty || random.chance(1, in: 2) {
                let command = command()
                let connection = random.index(below: 3)
                open.append((connection, builder.send(connection, command), command))
                sent += 1
            } else {
                let connection = random.choice(of: open).connection
                guard let index = open.firstIndex(where: { $0.connection == connection }) else { continue }
                let (_, number, command) = open.remove(at: index)
                let (reply, next) = value.execute(command)
                switch random.index(below: 10) {
                case 0: builder.answer(number, .unknown)
                case 1:
                    value = next
                    builder.answer(number, .unknown)
                case 2, 3: builder.answer(number, .reply(reply))  // answered, but not executed
                default:
                    value = next
                    builder.answer(number, .reply(reply))
                }
            }
        }
        return builder.history.operations
    }

    /// Tries every order of every subset that leaves out only commands of unknown outcome.
    private func bruteForce(_ operations: [Simulator.Operation]) -> Bool {
        func extend(_ taken: Set<Int>, _ value: KeyValue) -> Bool {
            let left = operations.indices.filter { !taken.contains($0) }
            if left.allSatisfy({ operations[$0].outcome == .unknown }) { return true }
            for index in left {
                let operation = operations[index]
                let mustWait = left.contains { other in
                    (operations[other].returned ?? .max) < operation.invoked
                        || (other < index && operations[other].connection == operation.connection)
                }
                if mustWait { continue }
                var reply: Reply?
                if case .reply(let known) = operation.outcome { reply = known }
                let step = value.step(operation.command, reply: reply)
                if step.isLegal && extend(taken.union([index]), step.next) { return true }
            }
            return false
        }
        return extend([], .absent)
    }
}
