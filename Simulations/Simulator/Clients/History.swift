import Base

/// One command of a client on one key, from its sending to its reply.
package struct Operation: Sendable {
    /// How it ended.
    package enum Outcome: Hashable, Sendable {
        /// No reply yet.
        case pending
        /// Executed once, with this reply.
        case reply(Reply)
        /// An error that promises that nothing was done.
        case refused
        /// The connection broke: executed once or not at all, then or later.
        case unknown
    }

    /// Number of the connection it went over; connections are numbered over the whole run, across clients.
    package var connection: Int
    package var key: Int
    package var command: KeyCommand
    /// Order of the invocation among all invocations and replies of the run.
    package var invoked: UInt64
    /// Order of the reply, once there is one.
    package var returned: UInt64?
    package var outcome = Outcome.pending
    /// When it was sent and answered, in the simulation's time, for messages.
    package var sentAt = Instant(nanoseconds: 0)
    package var answeredAt: Instant?

    package init(connection: Int, key: Int, command: KeyCommand, invoked: UInt64) {
        self.connection = connection
        self.key = key
        self.command = command
        self.invoked = invoked
    }
}

extension Operation: CustomStringConvertible {
    package var description: String {
        let words = command.words(key: Array("k\(key)".utf8)).map(abbreviated).joined(separator: " ")
        let end =
            switch outcome {
            case .pending: "no reply yet"
            case .reply(let reply): reply.description
            case .refused: "refused"
            case .unknown: "unknown"
            }
        let answered = answeredAt.map { seconds($0) } ?? "never"
        return
            "[\(invoked)–\(returned.map(String.init) ?? "∞"), \(seconds(sentAt))–\(answered), connection \(connection)] \(words) → \(end)"
    }
}

/// All commands of all clients in the order of their sending, by key.
package struct History: Sendable {
    /// Every operation, in the order of invocation.
    package private(set) var operations: [Operation] = []
    private var events: UInt64 = 0
    /// The present moment, in the order of invocations and replies.
    var mark: UInt64 { events }
    /// Commands that have ended with an answer.
    package private(set) var answered = 0

    package init() {}

    /// Notes that a command was sent. Returns its number.
    package mutating func invoke(connection: Int, key: Int, command: KeyCommand, at time: Instant) -> Int {
        events += 1
        var operation = Operation(connection: connection, key: key, command: command, invoked: events)
        operation.sentAt = time
        operations.append(operation)
        return operations.count - 1
    }

    /// Notes how a command ended.
    package mutating func end(_ number: Int, _ outcome: Operation.Outcome, at time: Instant) {
        check(operations[number].outcome == .pending, "a command ends once")
        check(outcome != .pending, "an end is an end")
        events += 1
        operations[number].outcome = outcome
        operations[number].answeredAt = time
        // An unknown command may still take effect after the connection broke.
        if outcome == .unknown { return }
        operations[number].returned = events
        answered += 1
    }

    /// The operations on `key`, in the order of invocation.
    package func operations(on key: Int) -> [Operation] { operations.filter { $0.key == key } }
}

/// A time of the simulation in seconds, for messages.
func seconds(_ time: Instant) -> String {
    let micros = String(time.nanoseconds / 1000 % 1_000_000)
    return "\(time.nanoseconds / 1_000_000_000)." + String(repeating: "0", count: 6 - micros.count) + micros + " s"
}
