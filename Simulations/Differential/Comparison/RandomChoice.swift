import Base
import RESP

/// Judges replies of random choice: that what was chosen was there, how much of it, and that it is distinct where that is promised.
struct RandomChoice {
    var elements: ReplyRule.Elements
    /// The word that asks for both halves.
    var option: String?
    var step: Step
    /// The whole collection as it was before, on our side.
    var before: ReplyNode

    /// What is wrong with the replies; nil when nothing is.
    func judge(_ ours: ReplyNode, _ theirs: ReplyNode) -> String? {
        if ours == theirs { return nil }
        guard ours.type == theirs.type, ours.isNull == theirs.isNull, !ours.isError, !ours.isNull else {
            return "the kinds of reply differ"
        }
        guard before.isAggregate else { return "there was no collection" }
        if let wrong = judge(ours) { return "Coracle's choice: \(wrong)" }
        if let wrong = judge(theirs) { return "Redis's choice: \(wrong)" }
        if ours.elements.count != theirs.elements.count { return "the counts differ" }
        if ours.elements.first?.type != theirs.elements.first?.type { return "the kinds of element differ" }
        return nil
    }

    private func judge(_ reply: ReplyNode) -> String? {
        guard reply.isAggregate else { return contains([reply.text]) ? nil : "not an element" }
        let wantsBoth = option.map { option in step.words.dropFirst(3).contains { $0.lowercasedText == option } } ?? false
        let chosen = wantsBoth ? ReplyRule.pairs(reply.elements) : reply.elements.map { [$0.text] }
        for one in chosen where !contains(one) { return "not an element" }
        guard step.words.count > 2, let count = step.words[2].withView({ parseInteger($0) }) else {
            return "no count was asked for"
        }
        if count < 0 { return UInt64(chosen.count) == count.magnitude || size == 0 ? nil : "not as many as were asked for" }
        if chosen.count != min(Int(clamping: count), size) { return "not as many as were asked for" }
        return Set(chosen.map { $0[0] }).count == chosen.count ? nil : "one element twice"
    }

    private var all: [[[UInt8]]] { elements.isPaired ? ReplyRule.pairs(before.elements) : before.elements.map { [$0.text] } }
    private var size: Int { all.count }

    /// Whether an element, or its first half, was there.
    private func contains(_ element: [[UInt8]]) -> Bool {
        for one in all where one[0] == element[0] {
            if element.count < 2 || element[1] == one[1] { return true }
            let numbers = (element[1].withView { parseDouble($0) }, one[1].withView { parseDouble($0) })
            if elements == .scores && ReplyRule.sameNumber(numbers.0, numbers.1) { return true }
        }
        return false
    }
}

/// All calls of one scan together.
struct WholeScan: Equatable {
    /// The reply that ended it early.
    var failure: ReplyNode?
    /// Every element once, with its second half where it has one.
    var found: [[UInt8]: [UInt8]] = [:]

    /// Whether both sides found the same.
    func agrees(_ other: WholeScan, _ elements: ReplyRule.Elements) -> Bool {
        if self == other { return true }
        guard failure == other.failure, found.count == other.found.count else { return false }
        return found.allSatisfy { key, value in
            guard let theirs = other.found[key] else { return false }
            let numbers = (value.withView { parseDouble($0) }, theirs.withView { parseDouble($0) })
            return value == theirs || (elements == .scores && ReplyRule.sameNumber(numbers.0, numbers.1))
        }
    }

    /// For messages.
    var description: String {
        if let failure { return failure.description }
        let lines = found.sorted { $0.key.lexicographicallyPrecedes($1.key) }
            .map { "  " + $0.key.literal + ($0.value.isEmpty ? "" : " " + $0.value.literal) }
        return (["all \(found.count) elements of the whole scan"] + lines.prefix(40)).joined(separator: "\n")
    }
}
