import Base

/// Takes times, and figures of an implementation, out of the replies of XPENDING and XINFO.
enum StreamTimes {
    private static let left: Set<Word> = [
        "idle".word, "inactive".word, "seen-time".word, "active-time".word, "radix-tree-keys".word, "radix-tree-nodes".word,
    ]

    /// The reply without them.
    static func without(_ node: ReplyNode) -> ReplyNode {
        guard node.isAggregate else { return node }
        var result = node
        result.elements = []
        var index = 0
        while index < node.elements.count {
            // Fields stand in pairs; a consumer that the group of a summary has may be named alike, and is not at an even place.
            if index % 2 == 0, index + 1 < node.elements.count, left.contains(node.elements[index].text) {
                index += 2
                continue
            }
            result.elements.append(without(node.elements[index]))
            index += 1
        }
        // Deliveries: identifier, consumer, time, count; or without the consumer.
        let types = result.elements.map(\.type)
        let (text, number) = (UInt8(ascii: "$"), UInt8(ascii: ":"))
        if types == [text, text, number, number] { result.elements[2].text = [] }
        if types == [text, number, number] { result.elements[1].text = [] }
        return result
    }
}

/// Compares the places of GEOSEARCH and its relatives.
enum PlacesRule {
    static func agrees(_ step: Step, _ ours: ReplyNode, _ theirs: ReplyNode) -> Bool {
        guard ours.isAggregate, ours.elements.count == theirs.elements.count else { return false }
        if ReplyRule.sameNumbers(ours, theirs) { return true }
        let (mine, other) = (byName(ours), byName(theirs))
        return zip(mine, other).allSatisfy { $0.name == $1.name && ReplyRule.sameNumbers($0.place, $1.place) }
    }

    /// Whether as many places came within COUNT, though perhaps not the same of those at one distance.
    static func areTied(_ step: Step, _ ours: ReplyNode, _ theirs: ReplyNode) -> Bool {
        ours.isAggregate && ours.type == theirs.type && ours.elements.count == theirs.elements.count
            && step.words.contains { $0.lowercasedText == "count" }
    }

    /// Whether two replies differ in the last digits of long fractions alone.
    static func differInLastDigits(_ ours: ReplyNode, _ theirs: ReplyNode) -> Bool {
        guard ours.type == theirs.type, ours.isNull == theirs.isNull, ours.elements.count == theirs.elements.count else {
            return false
        }
        if ours.isAggregate { return zip(ours.elements, theirs.elements).allSatisfy { differInLastDigits($0, $1) } }
        if ours == theirs { return true }
        guard let mine = ours.number, let other = theirs.number, mine.isFinite, other.isFinite,
            max(ours.text.count, theirs.text.count) > 15
        else { return false }
        return (mine - other).magnitude <= 4 * max(mine.ulp, other.ulp)
    }

    private static func byName(_ reply: ReplyNode) -> [(name: [UInt8], place: ReplyNode)] {
        reply.elements.map { (name: $0.isAggregate ? $0.elements.first?.text ?? [] : $0.text, place: $0) }
            .sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }
}

/// Compares what SORT returns.
enum SortedRule {
    /// The order is open for sets that are not sorted, and among equal weights of texts.
    static func agrees(_ step: Step, _ ours: ReplyNode, _ theirs: ReplyNode) -> Bool {
        let words = step.words.map(\.lowercasedText)
        guard ours.elements.count == theirs.elements.count else { return false }
        guard let by = words.lastIndex(of: "by"), by + 1 < words.count else { return false }
        let isUnsorted = !words[by + 1].contains("*")
        guard isUnsorted || words.contains("alpha") else { return false }
        // Which elements come within the limits hangs on the order.
        return words.contains("limit") || ReplyRule.sorted(ours.elements) == ReplyRule.sorted(theirs.elements)
    }
}
