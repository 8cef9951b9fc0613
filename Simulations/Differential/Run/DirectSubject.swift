import Base
import Database
import RESP

/// The state machine itself, without a node around it: commands that follow one another share log entries, as many as the sequence's
/// number says. In half of the sequences a read behind a write is an item of its entry, as in a node; in the others every read is
/// carried out at the state as it is.
package final class DirectSubject: Subject {
    private var machine: StateMachine
    /// The time that the next entry is stamped with.
    private var time: WallTime
    private let clock: () -> WallTime
    private let salt: UInt64
    private var database = 0
    private var version = RESPVersion.two
    /// Items applied so far.
    private var items: UInt64 = 0
    /// Items that an entry takes, and those that wait for the next one in `body`.
    private var batch = 1
    private var gathered = 0
    private var readsJoin = false
    private let output = ByteBuffer(capacity: 4096)
    private let payload = ByteBuffer(capacity: 4096)
    private let body = ByteBuffer(capacity: 4096)
    private let arguments = Arguments()

    /// A subject without data.
    ///
    /// - Parameters:
    ///   - salt: another one makes other random choices and another order of keys.
    ///   - clock: the time when a sequence begins; within a sequence it goes on by itself.
    package init(salt: UInt64 = 0, clock: @escaping () -> WallTime = { WallTime(microseconds: 1_700_000_000_000_000) }) {
        self.salt = salt
        self.clock = clock
        machine = StateMachine(seed: 1)
        time = clock()
    }

    package func begin(_ sequence: CommandSequence) throws(SubjectError) {
        machine = StateMachine(seed: UInt64(sequence.number) &* 0x9E37_79B9_7F4A_7C15 ^ salt)
        time = clock()
        database = 0
        items = 0
        batch = 1 + sequence.number % 7
        readsJoin = sequence.number / 7 % 2 == 1
        version = .two
        for (name, value) in sequence.forms.parameters(isPeer: false) {
            let reply = try run([Step(["kv.set-parameter".word, name.word, "\(value)".word])])[0]
            if reply != "+OK\r\n".word { throw SubjectError("KV.SET-PARAMETER \(name) answers \(reply.literal)") }
        }
        version = sequence.isVersionThree ? .three : .two
    }

    package func run(_ steps: [Step]) throws(SubjectError) -> [[UInt8]] {
        var replies: [[UInt8]] = []
        replies.reserveCapacity(steps.count)
        for step in steps {
            arguments.replace(with: step.words)
            var scope = CommandScope.local
            if case .command(let command) = CommandTable.standard.resolve(arguments) { scope = command.scope(of: arguments) }
            if scope == .write || scope == .read && readsJoin && gathered > 0 {
                CommandBatch.appendItem(database: database, connection: 1, arguments: arguments, to: body)
                gathered += 1
                if gathered == batch { apply(&replies) }
            } else {
                apply(&replies)
                replies.append(answer(step.words))
            }
        }
        apply(&replies)
        return replies
    }

    package func pause() throws(SubjectError) {
        time.microseconds += 5000
        var none: [[UInt8]] = []
        applyEntry(&none)
    }

    /// The digest of the whole state.
    package var digest: String { "\(machine.digest())" }

    /// Whether every structure is as it must be; stops the process where it is not.
    package func checkInvariants() {
        for keyspace in machine.execution.keyspaces { keyspace.checkInvariants() }
    }

    /// Answers what is not a write.
    private func answer(_ step: [Word]) -> [UInt8] {
        output.removeAll()
        let reply = ReplyWriter(output, version: version)
        let resolution = CommandTable.standard.resolve(arguments)
        guard case .command(let command) = resolution else {
            CommandTable.standard.replyError(resolution, arguments, reply)
            return output.view.array
        }
        time.microseconds += 1
        if command.scope(of: arguments) == .read {
            machine.read(command, arguments: arguments, database: database, readTime: time, random: items ^ salt, reply: reply)
        } else {
            answerLocally(command, reply)
        }
        return output.view.array
    }

    /// Applies the items that wait, if there are any, and takes their replies.
    private func apply(_ replies: inout [[UInt8]]) {
        if gathered > 0 { applyEntry(&replies) }
    }

    private func applyEntry(_ replies: inout [[UInt8]]) {
        time.microseconds += 1
        payload.removeAll()
        CommandBatch.beginPayload(time: time, seed: UInt64(machine.appliedIndex.rawValue) &* 0x9E37_79B9 ^ salt, to: payload)
        if gathered > 0 {
            CommandBatch.appendSegmentHeader(
                owner: NodeID(1), incarnation: Incarnation(1), first: items + 1, count: gathered, byteCount: body.count,
                to: payload)
            payload.append(body.view)
            items += UInt64(gathered)
        }
        body.removeAll()
        gathered = 0
        machine.begin(payload: payload.view, index: machine.appliedIndex.next, term: Term(1))
        while machine.nextItem() {
            output.removeAll()
            machine.execute(reply: ReplyWriter(output, version: version))
            replies.append(output.view.array)
        }
        machine.end()
    }

    /// SELECT, for which there is no connection here.
    private func answerLocally(_ command: Command, _ reply: ReplyWriter) {
        guard command.name == "select", let number = parseInteger(arguments[1]), number >= 0, number < Int64(Execution.databases)
        else {
            return reply.error("ERR a subject without a node does not answer this")
        }
        database = Int(number)
        reply.ok()
    }
}
