import Base

/// Decides whether the history of one key could have come from one machine that executes one command at a time, each
/// between its sending and its reply (Herlihy and Wing, 1990). Keys are independent, so a history is checked key by key.
///
/// The search is Wing and Gong's (1993) with Lowe's memory of positions already seen (2017): take any command that nothing
/// unfinished precedes, execute it on the model, go on; go back when nothing fits. `LinearizabilityChecker+Choices` says in which
/// order commands are tried, which decides how long it takes.
///
/// Commands of unknown outcome may be taken at any time after their sending, or never. They would make the search explode, so:
/// - few of them are taken in a row at first, more only when that leads nowhere;
/// - one that makes no difference to the command right behind it is not tried there: without it the rest would fit as well;
/// - of several equal ones only the first is tried.
///
/// Commands of one connection on one key are taken in the order in which they were sent, also where their times overlap
/// (pipelines): a connection sees its own earlier writes. Among commands of unknown outcome that order forbids most shortcuts;
/// when the search with it takes too long, it is done again without it.
package struct LinearizabilityChecker {
    package enum Verdict: Equatable, Sendable {
        case linearizable
        /// No order fits: what can't be explained, in words.
        case violation(String)
        /// The search took more steps than allowed.
        case undecided(steps: Int)
    }

    /// A command that can be taken, and what the key holds then.
    struct Choice {
        var operation: Int
        var next: KeyValue
    }

    /// A command that was taken, how to take it back, and what is left to try in its place.
    private struct Frame {
        var operation: Int
        var before: KeyValue
        var unknownBefore: Int?
        var rowBefore: Int
        var valueBeforeUnknown: KeyValue
        var choices: [Choice]
        var nextChoice: Int
    }

    /// A position of the search: which commands are taken, and what the key holds.
    private struct Position: Hashable {
        var taken: [UInt64]
        var value: KeyValue
        /// How many commands of unknown outcome came last.
        var row: Int
        var digest: UInt64

        func hash(into hasher: inout Hasher) { hasher.combine(digest) }
    }

    let operations: [Operation]
    /// The reply of each operation; nil for an unknown one.
    let replies: [Reply?]
    /// The operation before on the same connection, which must be taken first.
    private let predecessor: [Int?]
    private let hasSuccessor: [Bool]
    /// Operations of unknown outcome, in the order of invocation.
    let unknowns: [Int]
    private let digests: [UInt64]
    /// Operations with equal commands have equal numbers.
    private let commandNumbers: [Int]
    /// The values that commands must have found.
    let values: ValueTable
    /// How many operations that are not taken must find each value.
    private(set) var demand: [Int]

    /// List of invocations and replies of answered commands that are not taken: entry `2 i` is operation i's invocation, `2 i + 1`
    /// its reply; the last one is the head and the end.
    private(set) var following: [Int]
    private var preceding: [Int]
    let head: Int

    private var taken: [UInt64]
    private var takenDigest: UInt64 = 0
    private(set) var value: KeyValue
    private var frames: [Frame] = []
    /// The unknown command that was taken last, when it makes sense only together with the next one.
    private var lastUnknown: Int?
    private var valueBeforeUnknown = KeyValue.absent
    /// Commands of unknown outcome that were taken last, one behind the other, and how many may be.
    private(set) var row = 0
    let rowMax: Int
    /// Whether that limit ever forbade anything.
    var wasLimited = false
    private var answeredLeft: Int
    private var seen: Set<Position> = []
    var steps = 0

    private var fewestLeft = Int.max
    private var bestValue = KeyValue.absent
    private var bestBlocker = 0

    /// Checks the operations on one key.
    ///
    /// - Parameters:
    ///   - history: in the order of invocation. None may be pending.
    ///   - stepsMax: each search gives up after about so many.
    package static func check(_ history: [Operation], initial: KeyValue = .absent, stepsMax: Int = 400_000) -> Verdict {
        let short = min(stepsMax, 40 * history.count + 20_000)
        let searches: [(ordersUnknown: Bool, rowMax: Int, stepsMax: Int)] = [
            (true, 1, short), (true, 2, short), (true, .max, short), (false, 1, short), (false, 2, short),
            (false, .max, stepsMax),
        ]
        var steps = 0
        for search in searches {
            var checker = LinearizabilityChecker(
                history, initial: initial, ordersUnknown: search.ordersUnknown, rowMax: search.rowMax)
            switch checker.search(stepsMax: search.stepsMax) {
            case .linearizable: return .linearizable
            case .violation(let explanation): if !checker.wasLimited { return .violation(explanation) }
            case .undecided: break
            }
            steps += checker.steps
        }
        return .undecided(steps: steps)
    }

    private init(_ history: [Operation], initial: KeyValue, ordersUnknown: Bool, rowMax: Int) {
        self.rowMax = rowMax
        // What was refused did nothing; a read that nobody saw the answer of says nothing.
        let operations = history.filter { operation in
            Base.check(operation.outcome != .pending, "a history is checked when all its commands have ended")
            return operation.outcome != .refused && !(operation.outcome == .unknown && operation.command.isRead)
        }
        self.operations = operations
        replies = operations.map { operation in
            if case .reply(let reply) = operation.outcome { return reply }
            return nil
        }
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
        values = ValueTable(operations, initial: initial)
        demand = values.demand
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
        var choices = choicesHere()
        var next = 0
        while answeredLeft > 0 {
            if steps > stepsMax { return .undecided(steps: steps) }
            if next < choices.count {
                let choice = choices[next]
                if remember(choice) {
                    take(choice, choices: choices, nextChoice: next + 1)
                    choices = choicesHere()
                    next = 0
                } else {
                    next += 1
                }
            } else if let frame = frames.popLast() {
                noteObstacle()
                takeBack(frame)
                choices = frame.choices
                next = frame.nextChoice
            } else {
                noteObstacle()
                return .violation(explanation)
            }
        }
        return .linearizable
    }

    /// What the key would hold after `operation`; nil when it can't be next.
    mutating func attempt(_ operation: Int) -> KeyValue? {
        steps += 1
        if let before = predecessor[operation], !isTaken(before) { return nil }
        let command = operations[operation].command
        let step = value.step(command, reply: replies[operation])
        if !step.isLegal || !findsWhatItNeeds(operation) || (isProtected(operation) && step.next != value) { return nil }
        if lastUnknown != nil {
            let without = valueBeforeUnknown.step(command, reply: replies[operation])
            if without.isLegal && without.next == step.next { return nil }
        }
        return step.next
    }

    /// Whether an answered command that could be next would be answered as it was if the key held `value`.
    mutating func wouldFit(_ operation: Int, _ value: KeyValue) -> Bool {
        steps += 1
        if let before = predecessor[operation], !isTaken(before) { return false }
        return value.step(operations[operation].command, reply: replies[operation]).isLegal
    }

    /// Whether another command of unknown outcome, equal in every respect that matters, comes first in the list.
    func hasEqualBefore(_ position: Int) -> Bool {
        let operation = unknowns[position]
        if hasSuccessor[operation] { return false }
        let number = commandNumbers[operation]
        return unknowns[..<position].contains { other in
            commandNumbers[other] == number && !isTaken(other) && !hasSuccessor[other]
                && predecessor[other].map(isTaken) ?? true
        }
    }

    /// Whether the position behind a choice is new.
    private mutating func remember(_ choice: Choice) -> Bool {
        let operation = choice.operation
        var bits = taken
        bits[operation / 64] |= 1 << UInt64(operation % 64)
        let position = Position(
            taken: bits, value: choice.next, row: replies[operation] == nil ? row + 1 : 0,
            digest: takenDigest ^ digests[operation])
        return seen.insert(position).inserted
    }

    private mutating func take(_ choice: Choice, choices: [Choice], nextChoice: Int) {
        let operation = choice.operation
        frames.append(
            Frame(
                operation: operation, before: value, unknownBefore: lastUnknown, rowBefore: row,
                valueBeforeUnknown: valueBeforeUnknown, choices: choices, nextChoice: nextChoice))
        taken[operation / 64] |= 1 << UInt64(operation % 64)
        takenDigest ^= digests[operation]
        lastUnknown = nil
        if values.needed[operation] >= 0 { demand[values.needed[operation]] -= 1 }
        if replies[operation] != nil {
            answeredLeft -= 1
            row = 0
            unlink(2 * operation)
            unlink(2 * operation + 1)
        } else {
            row += 1
            if !hasSuccessor[operation] {
                lastUnknown = operation
                valueBeforeUnknown = value
            }
        }
        value = choice.next
    }

    private mutating func takeBack(_ frame: Frame) {
        let operation = frame.operation
        taken[operation / 64] &= ~(1 << UInt64(operation % 64))
        takenDigest ^= digests[operation]
        if values.needed[operation] >= 0 { demand[values.needed[operation]] += 1 }
        if replies[operation] != nil {
            answeredLeft += 1
            relink(2 * operation + 1)
            relink(2 * operation)
        }
        value = frame.before
        row = frame.rowBefore
        lastUnknown = frame.unknownBefore
        valueBeforeUnknown = frame.valueBeforeUnknown
    }

    func isTaken(_ operation: Int) -> Bool { taken[operation / 64] >> UInt64(operation % 64) & 1 == 1 }

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

    /// Remembers the position that came furthest, and what did not fit there.
    private mutating func noteObstacle() {
        if answeredLeft >= fewestLeft { return }
        var entry = following[head]
        while entry != head, entry & 1 == 0 { entry = following[entry] }
        if entry == head { return }
        fewestLeft = answeredLeft
        bestValue = value
        bestBlocker = entry / 2
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
