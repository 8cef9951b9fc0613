import Base
import Database
import RESP
import Testing

/// A state machine with a hand on its log: applies commands, keeps the payloads, answers with bytes.
final class TestMachine {
    let machine: StateMachine
    /// Every payload applied so far.
    private(set) var log: [[UInt8]] = []
    /// The time that the next entry is stamped with.
    var now = WallTime(microseconds: 1_700_000_000_000_000)
    var database = 0
    var version = RESPVersion.two
    private var number: UInt64 = 0

    /// Entries that were applied to the machine before it came here.
    private var entriesBefore = 0

    init(seed: UInt64 = 1) { machine = StateMachine(seed: seed) }

    /// Around a machine that is where `other`'s is, to be given the same commands.
    init(_ machine: StateMachine, like other: TestMachine) {
        self.machine = machine
        entriesBefore = other.entriesBefore + other.log.count
        now = other.now
        version = other.version
        number = other.number
    }

    /// Goes on where `other` is, whose log was applied.
    func `continue`(from other: TestMachine) {
        now = other.now
        version = other.version
        number = other.number
    }

    func advance(milliseconds: Int64) { now.microseconds += milliseconds * 1000 }

    /// Carries out a command, written as words between blanks, and returns its reply. `""` stands for an empty word.
    @discardableResult
    func run(_ words: String) -> String {
        run(words.split(separator: " ").map { $0 == "\"\"" ? "" : String($0) })
    }

    /// Carries out a command and returns its reply as text.
    @discardableResult
    func run(_ words: [String]) -> String { String(decoding: run(bytes: words.map { Array($0.utf8) }), as: UTF8.self) }

    /// Carries out a command and returns its reply.
    @discardableResult
    func run(bytes words: [[UInt8]]) -> [UInt8] {
        let output = ByteBuffer()
        let reply = ReplyWriter(output, version: version)
        withArguments(words) { arguments in
            let resolution = CommandTable.standard.resolve(arguments)
            guard case .command(let command) = resolution else {
                CommandTable.standard.replyError(resolution, arguments, reply)
                return
            }
            switch command.scope(of: arguments) {
            case .write:
                number += 1
                apply(payload([segment([(database, words)], first: number)]), reply: reply)
            case .read:
                machine.read(command, arguments: arguments, database: database, readTime: now, random: number, reply: reply)
            case .local:
                check(
                    CommandIntrospection.reply(command, arguments, table: .standard, reply),
                    "only COMMAND is answered without a node")
            }
        }
        return output.view.array
    }

    /// An entry that only carries the time forward.
    func tick() { apply(payload([]), reply: ReplyWriter(ByteBuffer(), discards: true)) }

    /// Applies a payload as the next entry; returns the numbers of the items that were executed.
    @discardableResult
    func apply(_ payload: [UInt8], reply: ReplyWriter = ReplyWriter(ByteBuffer(), discards: true)) -> [UInt64] {
        log.append(payload)
        var executed: [UInt64] = []
        payload.withView { view in
            machine.begin(payload: view, index: machine.appliedIndex.next, term: max(Term(1), machine.appliedTerm))
            while machine.nextItem() {
                executed.append(machine.current.number)
                machine.execute(reply: reply)
            }
            machine.end()
        }
        return executed
    }

    /// The bytes of a segment.
    func segment(
        _ items: [(database: Int, words: [[UInt8]])], first: UInt64, owner: UInt32 = 1, incarnation: UInt64 = 1
    ) -> [UInt8] {
        let body = ByteBuffer()
        for (database, words) in items {
            withArguments(words) {
                CommandBatch.appendItem(database: database, connection: 7, arguments: $0, to: body)
            }
        }
        let segment = ByteBuffer()
        CommandBatch.appendSegmentHeader(
            owner: NodeID(owner), incarnation: Incarnation(incarnation), first: first, count: items.count, byteCount: body.count,
            to: segment)
        segment.append(body.view)
        return segment.view.array
    }

    /// The payload of an entry at `now`.
    func payload(_ segments: [[UInt8]]) -> [UInt8] {
        let payload = ByteBuffer()
        CommandBatch.beginPayload(time: now, seed: UInt64(entriesBefore + log.count) &* 0x9E37_79B9, to: payload)
        for segment in segments { payload.append(segment) }
        return payload.view.array
    }

    func checkInvariants() {
        for keyspace in machine.execution.keyspaces { keyspace.checkInvariants() }
    }
}

/// Calls `body` with words laid out as arguments.
func withArguments(_ words: [[UInt8]], _ body: (Arguments) -> Void) {
    let arguments = Arguments()
    arguments.replace(with: words)
    body(arguments)
}

/// One row of a table: a command and its reply, with `|` for line ends.
func expect(_ machine: TestMachine, _ rows: [(String, String)], sourceLocation: SourceLocation = #_sourceLocation) {
    for (command, reply) in rows {
        let got = machine.run(command).split(separator: "\r\n", omittingEmptySubsequences: false).dropLast().joined(
            separator: "|")
        #expect(got == reply, "\(command)", sourceLocation: sourceLocation)
    }
    machine.checkInvariants()
}
