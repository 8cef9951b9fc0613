import Base

/// How much of a reply Redis promises.
package enum ReplyRule: Sendable, Equatable {
    /// Every byte.
    case exact
    /// The elements, in any order.
    case unordered
    /// Pairs of key and value, in any order.
    case unorderedPairs
    /// Strings that are numbers may be written in another way.
    case scores
    /// A time that goes on while the other side works.
    case remaining
    /// Times in places that stream commands have for them are left out.
    case streamTimes
    /// Places: in any order where none is asked for, numbers written in any way.
    case places
    /// The order is open where elements weigh the same.
    case sorted
    /// The bytes are an implementation's; that each side understands the other's is found out by asking.
    case dump
    /// Any key of the database.
    case randomKey
    /// Elements of a collection, chosen at random; `option` asks for the second half of each.
    case choice(Elements, option: String?)
    /// As `choice`, and the elements are gone afterwards.
    case pop
    /// A cursor and some elements: all calls of a whole scan together return every element.
    case scan(Elements)

    /// What a collection consists of.
    package enum Elements: Sendable, Equatable {
        case keys, members, pairs, scores

        /// The command that returns all of them.
        func question(_ key: Word) -> Step {
            switch self {
            case .keys: Step(["keys".word, "*".word])
            case .members: Step(["smembers".word, key])
            case .pairs: Step(["hgetall".word, key])
            case .scores: Step(["zrange".word, key, "0".word, "-1".word, "withscores".word])
            }
        }

        /// Whether an element has two halves.
        var isPaired: Bool { self == .pairs || self == .scores }
    }

    /// Whether a step with this rule is run by itself: what follows it hangs on its reply.
    var isAlone: Bool {
        switch self {
        case .scan, .dump: true
        default: false
        }
    }

    /// Whether two replies that differ in their bytes agree under a rule that needs no questions.
    func agrees(_ step: Step, _ ours: ReplyNode, _ theirs: ReplyNode) -> Bool {
        // A number in place of an error, one null in place of another: never.
        guard ours.type == theirs.type, ours.isNull == theirs.isNull, !ours.isError else { return false }
        switch self {
        case .exact, .randomKey, .choice, .pop, .scan: return ours == theirs
        case .dump: return true
        case .streamTimes: return StreamTimes.without(ours) == StreamTimes.without(theirs)
        case .places: return PlacesRule.agrees(step, ours, theirs)
        case .sorted: return ours.isAggregate && SortedRule.agrees(step, ours, theirs)
        case .unordered: return ours.isAggregate && ReplyRule.sorted(ours.elements) == ReplyRule.sorted(theirs.elements)
        case .unorderedPairs:
            return ours.isAggregate && ReplyRule.sortedPairs(ours.elements) == ReplyRule.sortedPairs(theirs.elements)
        case .scores: return ReplyRule.sameNumbers(ours, theirs)
        case .remaining: return ReplyRule.sameTime(step, ours, theirs)
        }
    }

    static func sorted(_ elements: [ReplyNode]) -> [[UInt8]] {
        elements.map { [$0.type] + $0.text }.sorted { $0.lexicographicallyPrecedes($1) }
    }

    static func sortedPairs(_ elements: [ReplyNode]) -> [[[UInt8]]] {
        pairs(elements).sorted { $0[0].lexicographicallyPrecedes($1[0]) }
    }

    /// Flat pairs, or arrays of two, as pairs of texts.
    static func pairs(_ elements: [ReplyNode]) -> [[[UInt8]]] {
        if let first = elements.first, first.isAggregate { return elements.map { $0.elements.map(\.text) } }
        return stride(from: 0, to: elements.count - 1, by: 2).map { [elements[$0].text, elements[$0 + 1].text] }
    }

    static func sameNumbers(_ ours: ReplyNode, _ theirs: ReplyNode) -> Bool {
        if ours == theirs { return true }
        guard ours.type == theirs.type, ours.isNull == theirs.isNull else { return false }
        if ours.isAggregate {
            return ours.elements.count == theirs.elements.count
                && zip(ours.elements, theirs.elements).allSatisfy { sameNumbers($0, $1) }
        }
        return sameNumber(ours.number, theirs.number)
    }

    static func sameNumber(_ ours: Double?, _ theirs: Double?) -> Bool {
        guard let ours, let theirs else { return false }
        return ours == theirs || (ours.isNaN && theirs.isNaN)
    }

    /// No two deadlines of a sequence are nearer to one another than twice what is allowed here.
    private static func sameTime(_ step: Step, _ ours: ReplyNode, _ theirs: ReplyNode) -> Bool {
        if ours.isAggregate {
            return ours.elements.count == theirs.elements.count
                && zip(ours.elements, theirs.elements).allSatisfy { $0 == $1 || sameTime(step, $0, $1) }
        }
        guard let ours = ours.integer, let theirs = theirs.integer else { return false }
        let inMilliseconds = step.name.hasPrefix("p") || step.name.hasPrefix("hp")
        if step.name == "object" { return ours >= 0 && theirs >= 0 && ours < 500 && theirs < 500 }
        return ours > 0 && theirs > 0 && ours.distance(to: theirs).magnitude <= (inMilliseconds ? 499_000 : 499)
    }
}
