import Base

/// Which commands can be next, the most promising first. Any order gives the same verdict; a good one gives it soon.
extension LinearizabilityChecker {
    /// The commands that can be next, in the order in which they are to be tried.
    mutating func choicesHere() -> [Choice] {
        var telling: [Choice] = []
        var blind: [Choice] = []
        var waiting: [Int] = []
        var entry = following[head]
        // Everything before the first reply runs at the same time.
        while entry != head, entry & 1 == 0 {
            let operation = entry / 2
            entry = following[entry]
            guard let next = attempt(operation) else {
                waiting.append(operation)
                continue
            }
            let choice = Choice(operation: operation, next: next)
            // A read that fits changes nothing and can't fit better later: it is taken now, and nothing else is tried.
            if operations[operation].command.isRead { return [choice] }
            if isBlind(operation) { blind.append(choice) } else { telling.append(choice) }
        }
        let bound = entry == head ? .max : operations[entry / 2].returned ?? .max
        return telling + order(blind, waiting: waiting + telling.map(\.operation)) + unknownChoices(before: bound, waiting)
    }

    /// Answered in the same way whatever the key holds.
    private func isBlind(_ operation: Int) -> Bool {
        if case .set = operations[operation].command { return true }
        return false
    }

    /// Blind writes: first those whose value somebody waits for now, then those whose value nobody ever saw, then the others,
    /// whose time is still to come.
    private mutating func order(_ blind: [Choice], waiting: [Int]) -> [Choice] {
        if blind.count < 2 { return blind }
        var wanted: [Choice] = []
        var unseen: [Choice] = []
        var later: [Choice] = []
        for choice in blind {
            let value = values.written[choice.operation]
            if value < 0 || demand[value] == 0 {
                unseen.append(choice)
            } else if waiting.contains(where: { values.needed[$0] == value && isNext($0) }) {
                wanted.append(choice)
            } else {
                later.append(choice)
            }
        }
        return wanted + unseen + later
    }

    /// Whether only the key's content keeps an answered command from being next.
    private mutating func isNext(_ operation: Int) -> Bool {
        values.needed[operation] >= 0 && wouldFit(operation, .string(valueText(operation)))
    }

    /// What a command must have found to be answered as it was.
    private func valueText(_ operation: Int) -> [UInt8] {
        if case .bulk(let bytes)? = replies[operation] { return bytes }
        return []
    }

    /// Commands of unknown outcome that were sent before `bound`: first those that let an answered command follow that does not
    /// fit without them.
    private mutating func unknownChoices(before bound: UInt64, _ waiting: [Int]) -> [Choice] {
        var helpful: [Choice] = []
        var others: [Choice] = []
        for (position, operation) in unknowns.enumerated() where operations[operation].invoked < bound {
            if isTaken(operation) || hasEqualBefore(position) { continue }
            if row >= rowMax {
                wasLimited = true
                break
            }
            guard let next = attempt(operation) else { continue }
            let choice = Choice(operation: operation, next: next)
            if waiting.contains(where: { wouldFit($0, next) }) {
                helpful.append(choice)
            } else {
                others.append(choice)
            }
        }
        return helpful + others
    }

    /// Whether the key holds what a command must have found, where that is known.
    func findsWhatItNeeds(_ operation: Int) -> Bool {
        let number = values.needed[operation]
        guard number >= 0 else { return true }
        if case .string(let bytes) = value { return values.numbers[bytes] == number }
        return false
    }

    /// Whether the key holds a value that commands besides this one must still find, and that nothing can bring back: then it
    /// must not go yet.
    func isProtected(_ operation: Int) -> Bool {
        guard case .string(let bytes) = value, let number = values.numbers[bytes], values.isUnique[number] else { return false }
        return demand[number] > (values.needed[operation] == number ? 1 : 0)
    }
}
