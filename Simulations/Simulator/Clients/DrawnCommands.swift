import Base
import Database
import RESP

/// Runs drawn commands on a state machine alone, each in an entry of its own, and keeps the entries: for tests and the fuzzer, which
/// need more commands than a simulated cluster has time for.
package final class DrawnCommands {
    package let machine = StateMachine(seed: 1)
    /// The entries so far.
    package private(set) var log: [[UInt8]] = []
    private var generator: CommandGenerator
    private var random: RandomGenerator
    private var time = WallTime(microseconds: 1_767_225_600_000_000)
    private let arguments = Arguments()

    package init(seed: UInt64) {
        random = RandomGenerator(seed: seed)
        generator = CommandGenerator(random: RandomGenerator(seed: random.next()))
    }

    /// Runs one command more. Returns it, its words, and its reply as bytes.
    package func next() -> (command: Command, words: [[UInt8]], reply: [UInt8]) {
        let command = generator.drawCommand()
        let words = generator.words(of: command)
        time.microseconds += Int64(random.next(below: random.choice(of: [10, 1_000, 1_000_000])))
        let database = CommandGenerator.databases[0]
        let payload = ByteBuffer()
        CommandBatch.beginPayload(time: time, seed: random.next(), to: payload)
        let item = ByteBuffer()
        arguments.replace(with: words)
        CommandBatch.appendItem(database: database, connection: 1, arguments: arguments, to: item)
        CommandBatch.appendSegmentHeader(
            owner: NodeID(1), incarnation: Incarnation(1), first: UInt64(log.count) + 1, count: 1, byteCount: item.count,
            to: payload)
        payload.append(item.view)
        log.append(payload.view.array)
        let output = ByteBuffer()
        let version: RESPVersion = random.chance(1, in: 2) ? .two : .three
        DrawnCommands.apply(payload.view, to: machine, reply: ReplyWriter(output, version: version))
        return (command, words, output.view.array)
    }

    /// Another machine with the same entries applied.
    package func replay() -> StateMachine {
        let fresh = StateMachine(seed: 1)
        let nowhere = ReplyWriter(ByteBuffer(), version: .two, discards: true)
        for payload in log { payload.withView { DrawnCommands.apply($0, to: fresh, reply: nowhere) } }
        return fresh
    }

    private static func apply(_ payload: ByteView, to machine: StateMachine, reply: ReplyWriter) {
        machine.begin(payload: payload, index: machine.appliedIndex.next, term: Term(1))
        while machine.nextItem() { machine.execute(reply: reply) }
        machine.end()
    }

    /// What is wrong with a reply: nil when it is one reply of either protocol, and nothing behind it.
    package static func problem(_ reply: [UInt8]) -> String? {
        let reader = ReplyReader()
        reply.withView { reader.append($0) }
        switch reader.next() {
        case .reply: return reader.unread == 0 ? nil : "\(reader.unread) bytes follow the reply"
        case .incomplete: return "the reply is cut"
        case .malformed(let reason): return reason
        }
    }
}
