import Base

/// Decides whether the history of one key could have come from one machine that executes one command at a time, each
/// between its sending and its reply (Herlihy and Wing, 1990). Keys are independent, so a history is checked key by key.
///
/// The search is Wing and Gong's (1993) with Lowe's memory of positions already seen (2017): take any command that nothing
/// unfinished precedes, execute it on the model, go on; go back when nothing fits. Commands of unknown outcome may be taken at
/// any time after their sending, or never. They would make the search explode, so:
/// - they are tried last, when no answered command fits;
/// - one that makes no difference to the command right behind it is not tried there: without it the rest would fit as well;
/// - of several equal ones only the first is tried.
///
/// Commands of one connection on one key are taken in the order in which they were sent, also where their times overlap
/// (pipelines): a connection sees its own earlier writes. Among commands of unknown outcome that order forbids the second
/// shortcut; when the search with it takes too long, it is done again without it.
package struct LinearizabilityChecker {
    package enum Verdict: Equatable, Sendable {
        case linearizable
        /// No order fits: what can't be explained, in words.
        case violation(String)
        /// The search took more steps than allowed.
        case undecided(steps: Int)
    }

    /// A command that was taken, and how to take it back.
    private struct Frame {
        var operation: Int
        var before: KeyValue
        var unknownBefore: Int?
        var valueBeforeUnknown: KeyValue
        /// Where the search goes on when this one turns out wrong.
        var resume: Cursor
    }

    /// The next candidate to try: an entry of the list of answered commands, or a position among the unknown ones.
    private enum Cursor {
        case answered(entry: Int)
        case unknown(position: Int)
    }

    /// A position of the search: which commands are taken, and what the key holds.
    private struct Position: Hashable {
        var taken: [UInt64]
        var value: KeyValue
        var digest: UInt64

        func hash(into hasher: inout Hasher) { hasher.combine(digest) }
    }

    private let operations: [Operation]
    /// The operation before on the same connection, which must be taken first.
    private let predecessor: [Int?]
    private let hasSuccessor: [Bool]
    /// Operations of unknown outcome, in the order of invocation.
    private let unknowns: [Int]
    private let digests: [UInt64]
    /// Operations with equal commands have equal numbers.
    private let commandNumbers: [Int]

    /// List of invocations and replies of answered commands that are not taken: entry `2 i` is operation i's invocation, `2 i + 1`
    /// its reply; the last one is the head and the end.
    private var following: [Int]
    private var preceding: [Int]
    private let head: Int

    private var taken: [UInt64]
    private var takenDigest: UInt64 = 0
    private var value: KeyValue
    private var frames: [Frame] = []
    /// The unknown command that was taken last, when it makes sense only together with the next one.
    private var lastUnknown: Int?
    private var valueBeforeUnknown = KeyValue.absent
    private var answeredLeft: Int
    private var seen: Set<Position> = []
    private var steps = 0

    private var fewestLeft = Int.max
    private var bestValue = KeyValue.absent
    private var bestBlocker = 0

    /// Checks the operations on one key.
    ///
    /// - Parameters:
    ///   - history: in the order of invocation. None may be pending.
    ///   - stepsMax: the search gives up after this many.
    package static func check(_ history: [Operation], initial: KeyValue = .absent, stepsMax: Int = 3_000_000) -> Verdict {
        var strict = LinearizabilityChecker(history, initial: initial, ordersUnknown: true)
        let verdict = strict.search(stepsMax: min(stepsMax, 20 * history.count + 10_000))
        guard case .undecided = verdict else { return verdict }
        var relaxed = LinearizabilityChecker(history, initial: initial, ordersUnknown: false)
        return relaxed.search(stepsMax: stepsMax)
    }

    private init(_ history: [Operation], initial: KeyValue, ordersUnknown: Bool) {
        // What was refused did nothing; a read that nobody saw the answer of says nothing.
        let operations = history.filter { operation in
            Base.check(operation.outcome != .pending, "a history is checked when all its commands have ended")
            return operation.outcome != .refused && !(operation.outcome == .unknown && operation.command.isRead)
        }
        self.operations = operations
        var predecessor = [Int?](repeating: nil, count: operations.count)
        var hasSuccessor = [Bool](repeating: false, count: operations.count)
        var last: [Int: Int] = [:]
        var unknowns: [Int] = []
        var events: [(time: UInt64, entry: Int)] = []
        var mixer = RandomGenerator(seed: 0x9E37_79B9)
        for (index, operation) in operations.enumerated() {
            if let before = last[operation.connection] {
                predecessor[index] = before
                hasSuccessor[before] = true
            }
            if operation.outcome != .unknown || ordersUnknown { last[operation.connection] = index }
            guard let returned = operation.returned else {
                unknowns.append(index)
                continue
            }
            events.append((operation.invoked, 2 * index))
            events.append((returned, 2 * index + 1))
        }
        events.sort { $0.time < $1.time }
        self.predecessor = predecessor
        self.hasSuccessor = hasSuccessor
        self.unknowns = unknowns
        digests = operations.map { _ in mixer.next() }
        var numbers: [KeyCommand: Int] = [:]
        commandNumbers = operations.map { operation in
            let number = numbers[operation.command] ?? numbers.count
            numbers[operation.command] = number
            return number
        }
        head = 2 * operations.count
        following = [Int](repeating: -1, count: head + 1)
        preceding = following
        answeredLeft = operations.count - unknowns.count
        taken = [UInt64](repeating: 0, count: (operations.count + 63) / 64)
        value = initial
        var before = head
        for event in events {
            following[before] = event.entry
            preceding[event.entry] = before
            before = event.entry
        }
        following[before] = head
        preceding[head] = before
    }

    // MARK: The search

    private mutating func search(stepsMax: Int) -> Verdict {
        var cursor = Cursor.answered(entry: following[head])
        while answeredLeft > 0 {
            if steps > stepsMax { return .undecided(steps: steps) }
            if let (operation, next, resume) = candidate(from: cursor) {
                take(operation, next: next, resume: resume)
                cursor = .answered(entry: following[head])
            } else if let frame = frames.popLast() {
                takeBack(frame)
                cursor = frame.resume
            } else {
                return .violation(explanation)
            }
        }
        return .linearizable
    }

    /// The next command that can be taken now, what the key holds then, and where to go on afterwards.
    private mutating func candidate(from start: Cursor) -> (operation: Int, next: KeyValue, resume: Cursor)? {
        var position = 0
        switch start {
        case .answered(var entry):
            // Everything before the first reply runs at the same time.
            while entry != head, entry & 1 == 0 {
                let after = following[entry]
                if let next = attempt(entry / 2) { return (entry / 2, next, .answered(entry: after)) }
                entry = after
            }
            noteObstacle(entry)
        case .unknown(let resumed):
            position = resumed
        }
        let bound = firstReply
        while position < unknowns.count, operations[unknowns[position]].invoked < bound {
            let operation = unknowns[position]
            position += 1
            if !isTaken(operation), !hasEqualBefore(position - 1), let next = attempt(operation) {
                return (operation, next, .unknown(position: position))
            }
        }
        return nil
    }

    /// When the first command that is not taken was answered.
    private var firstReply: UInt64 {
        var entry = following[head]
        while entry != head, entry & 1 == 0 { entry = following[entry] }
        return entry == head ? .max : operations[entry / 2].returned ?? .max
    }

    /// Whether another command of unknown outcome, equal in every respect that matters, comes first in the list.
    private func hasEqualBefore(_ position: Int) -> Bool {
        let operation = unknowns[position]
        if hasSuccessor[operation] { return false }
        let number = commandNumbers[operation]
        return unknowns[..<position].contains { other in
            commandNumbers[other] == number && !isTaken(other) && !hasSuccessor[other]
                && predecessor[other].map(isTaken) ?? true
        }
    }

    /// What the key would hold after `operation`; nil when it can't be next.
    private mutating func attempt(_ operation: Int) -> KeyValue? {
        steps += 1
        if let before = predecessor[operation], !isTaken(before) { return nil }
        let command = operations[operation].command
        var reply: Reply?
        if case .reply(let known) = operations[operation].outcome { reply = known }
        let step = value.step(command, reply: reply)
        if !step.isLegal { return nil }
        if lastUnknown != nil {
            let without = valueBeforeUnknown.step(command, reply: reply)
            if without.isLegal && without.next == step.next { return nil }
        }
        var bits = taken
        bits[operation / 64] |= 1 << UInt64(operation % 64)
        let digest = takenDigest ^ digests[operation]
        return seen.insert(Position(taken: bits, value: step.next, digest: digest)).inserted ? step.next : nil
    }

    private mutating func take(_ operation: Int, next: KeyValue, resume: Cursor) {
        frames.append(
            Frame(
                operation: operation, before: value, unknownBefore: lastUnknown, valueBeforeUnknown: valueBeforeUnknown,
                resume: resume))
        taken[operation / 64] |= 1 << UInt64(operation % 64)
        takenDigest ^= digests[operation]
        lastUnknown = nil
        if operations[operation].returned != nil {
            answeredLeft -= 1
            unlink(2 * operation)
            unlink(2 * operation + 1)
        } else if !hasSuccessor[operation] {
            lastUnknown = operation
            valueBeforeUnknown = value
        }
        value = next
    }

    private mutating func takeBack(_ frame: Frame) {
        let operation = frame.operation
        taken[operation / 64] &= ~(1 << UInt64(operation % 64))
        takenDigest ^= digests[operation]
        if operations[operation].returned != nil {
            answeredLeft += 1
            relink(2 * operation + 1)
            relink(2 * operation)
        }
        value = frame.before
        lastUnknown = frame.unknownBefore
        valueBeforeUnknown = frame.valueBeforeUnknown
    }

    private func isTaken(_ operation: Int) -> Bool { taken[operation / 64] >> UInt64(operation % 64) & 1 == 1 }

    private mutating func unlink(_ entry: Int) {
        following[preceding[entry]] = following[entry]
        preceding[following[entry]] = preceding[entry]
    }

    /// Undoes `unlink`, in reverse order of the unlinking.
    private mutating func relink(_ entry: Int) {
        following[preceding[entry]] = entry
        preceding[following[entry]] = entry
    }

    // MARK: Explanation

    private mutating func noteObstacle(_ entry: Int) {
        if answeredLeft < fewestLeft, entry != head {
            fewestLeft = answeredLeft
            bestValue = value
            bestBlocker = entry / 2
        }
    }

    private var explanation: String {
        if fewestLeft == .max { return "no order of the commands fits their replies" }
        let blocker = operations[bestBlocker]
        let around = operations.enumerated().filter { index, other in
            index != bestBlocker && other.invoked < (blocker.returned ?? .max) && (other.returned ?? .max) > blocker.invoked
        }
        let answered = operations.count - unknowns.count
        var text = "no order of the commands fits their replies. At best \(answered - fewestLeft) of \(answered) commands fit, "
        text += "the key then holds \(bestValue), and this one does not fit any more: \(blocker). At the same time ran: "
        text += around.prefix(12).map { $0.element.description }.joined(separator: "; ")
        let before = operations.filter { ($0.returned ?? .max) < blocker.invoked }.suffix(4)
        return text + ". Before: " + before.map(\.description).joined(separator: "; ")
    }
}
