import Base
import RESP

/// A range of scores, as its two words say: "(1" is greater than 1, "1" is 1 or greater.
struct ScoreRange {
    var lower: Double
    var upper: Double
    var excludesLower: Bool
    var excludesUpper: Bool

    /// Nil where one of the words is not a number.
    init?(_ lower: ByteView, _ upper: ByteView) {
        guard let low = ScoreRange.bound(lower), let high = ScoreRange.bound(upper) else { return nil }
        (self.lower, excludesLower) = low
        (self.upper, excludesUpper) = high
    }

    private static func bound(_ word: ByteView) -> (score: Double, isExcluded: Bool)? {
        if !word.isEmpty && word[0] == UInt8(ascii: "(") { return number(word.dropFirst(1)).map { ($0, true) } }
        return number(word).map { ($0, false) }
    }

    /// What C's `strtod` makes of the word, which is what Redis asks here: nothing is 0, white space in front is allowed, a
    /// zero byte ends it, and a number that is too large is infinite.
    private static func number(_ word: ByteView) -> Double? {
        var text = word
        if let end = text.firstIndex(of: 0) { text = text.slice(0, end) }
        if text.isEmpty { return 0 }
        while !text.isEmpty && (text[0] == 0x20 || text[0] >= 0x09 && text[0] <= 0x0D) { text = text.dropFirst(1) }
        if let value = parseDouble(text) { return value }
        // Out of the range of a double, or no number at all.
        if text.isEmpty || text.count > 512 { return nil }
        for index in 0..<text.count {
            let byte = text[index]
            let isNumeric =
                byte >= 0x30 && byte <= 0x39 || byte == 0x2B || byte == 0x2D || byte == 0x2E || lowercased(byte) == 0x65
            if !isNumeric { return nil }
        }
        guard let value = Double(text.text), value.isInfinite || value.magnitude < .leastNormalMagnitude else { return nil }
        return value
    }

    /// The ranks of the members whose scores are in the range.
    func ranks(in value: SortedSetValue) -> Range<Int> {
        let first = value.count(below: lower, orEqual: excludesLower)
        let end = value.count(below: upper, orEqual: !excludesUpper)
        return first < end ? first..<end : 0..<0
    }
}

/// A range of members in byte order, as its two words say: "[a" is a or greater, "(a" greater, "-" and "+" are the ends.
struct MemberRange {
    enum Bound {
        case lowest
        case highest
        case member(ByteView, isExcluded: Bool)
    }

    var lower: Bound
    var upper: Bound

    /// Nil where one of the words is none of these.
    init?(_ lower: ByteView, _ upper: ByteView) {
        guard let low = MemberRange.bound(lower), let high = MemberRange.bound(upper) else { return nil }
        self.lower = low
        self.upper = high
    }

    private static func bound(_ word: ByteView) -> Bound? {
        if word.isEmpty { return nil }
        switch word[0] {
        case UInt8(ascii: "+"): return word.count == 1 ? .highest : nil
        case UInt8(ascii: "-"): return word.count == 1 ? .lowest : nil
        case UInt8(ascii: "("): return .member(word.dropFirst(1), isExcluded: true)
        case UInt8(ascii: "["): return .member(word.dropFirst(1), isExcluded: false)
        default: return nil
        }
    }

    /// The only member that can be in the range, where there is one.
    @inline(__always)
    var single: ByteView? {
        guard case .member(let low, false) = lower, case .member(let high, false) = upper, low.equals(high) else { return nil }
        return low
    }

    /// The ranks of the members in the range, where all have the same score.
    func ranks(in value: SortedSetValue) -> Range<Int> {
        if let low = single {
            // One member, or none.
            let rank = value.rank(amongEqual: low)
            return rank.isEqual ? rank.rank..<(rank.rank + 1) : 0..<0
        }
        let first: Int
        switch lower {
        case .lowest: first = 0
        case .highest: first = value.count
        case .member(let member, let isExcluded): first = value.count(belowMember: member, orEqual: isExcluded)
        }
        let end: Int
        switch upper {
        case .lowest: end = 0
        case .highest: end = value.count
        case .member(let member, let isExcluded): end = value.count(belowMember: member, orEqual: !isExcluded)
        }
        return first < end ? first..<end : 0..<0
    }
}

/// What the words of ZRANGE and its relatives ask for.
struct SortedSetRange {
    enum Kind {
        case ranks(Int, Int)
        case scores(ScoreRange)
        case members(MemberRange)
    }

    /// By what a command counts; nil where its words say it.
    enum By { case rank, score, member }

    var kind: Kind
    var isReversed: Bool
    var withScores: Bool
    var offset: Int
    /// Negative: no limit.
    var limit: Int

    /// Reads the two ends at arguments `first` and `first + 1` and the options behind them. Nil after the error was replied.
    ///
    /// - Parameters:
    ///   - by: fixed by the command, or nil.
    ///   - isReversed: fixed by the command, or nil.
    ///   - stores: whether the result is stored, so that WITHSCORES makes no sense.
    static func parse(
        _ execution: Execution, from first: Int, by fixedBy: By?, isReversed fixedReversed: Bool?, stores: Bool
    ) -> SortedSetRange? {
        let arguments = execution.arguments
        var (by, isReversed, withScores) = (fixedBy, fixedReversed ?? false, false)
        var (offset, limit): (Int, Int?) = (0, nil)
        var index = first + 2
        while index < arguments.count {
            let word = arguments[index]
            if !stores && word.equalsIgnoringCase("withscores") {
                withScores = true
            } else if word.equalsIgnoringCase("limit") && index + 2 < arguments.count {
                guard let start = execution.integerArgument(index + 1), let count = execution.integerArgument(index + 2)
                else { return nil }
                (offset, limit) = (start, count)
                index += 2
            } else if fixedReversed == nil && !isReversed && word.equalsIgnoringCase("rev") {
                isReversed = true
            } else if by == nil && word.equalsIgnoringCase("bylex") {
                by = .member
            } else if by == nil && word.equalsIgnoringCase("byscore") {
                by = .score
            } else {
                execution.syntaxError()
                return nil
            }
            index += 1
        }
        // As Redis has it, a limit of -1 is no limit, and so no error either.
        if let limit, limit != -1, by == nil || by == .rank {
            execution.reply.error("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX")
            return nil
        }
        if withScores && by == .member {
            execution.reply.error("ERR syntax error, WITHSCORES not supported in combination with BYLEX")
            return nil
        }
        guard let kind = ends(execution, first, by: by ?? .rank, isReversed: isReversed) else { return nil }
        return SortedSetRange(
            kind: kind, isReversed: isReversed, withScores: withScores, offset: offset, limit: limit ?? -1)
    }

    private static func ends(_ execution: Execution, _ first: Int, by: By, isReversed: Bool) -> Kind? {
        // Backwards, the greater end comes first.
        let (low, high) = isReversed ? (first + 1, first) : (first, first + 1)
        switch by {
        case .rank:
            guard let start = execution.integerArgument(first), let end = execution.integerArgument(first + 1) else { return nil }
            return .ranks(start, end)
        case .score:
            guard let range = ScoreRange(execution.arguments[low], execution.arguments[high]) else {
                execution.reply.error("ERR min or max is not a float")
                return nil
            }
            return .scores(range)
        case .member:
            guard let range = MemberRange(execution.arguments[low], execution.arguments[high]) else {
                execution.reply.error("ERR min or max not valid string range item")
                return nil
            }
            return .members(range)
        }
    }

    /// The ranks asked for, after offset and limit, and whether they are visited from the last to the first.
    func ranks(in value: SortedSetValue) -> Range<Int> {
        var ranks: Range<Int>
        switch kind {
        case .ranks(let first, let last):
            let range = ListCommands.range(first, last, count: value.count)
            return isReversed ? (value.count - range.upperBound)..<(value.count - range.lowerBound) : range
        case .scores(let range): ranks = range.ranks(in: value)
        case .members(let range): ranks = range.ranks(in: value)
        }
        if offset < 0 || offset >= ranks.count { return 0..<0 }
        let count = limit < 0 ? ranks.count - offset : min(limit, ranks.count - offset)
        if isReversed { return (ranks.upperBound - offset - count)..<(ranks.upperBound - offset) }
        return (ranks.lowerBound + offset)..<(ranks.lowerBound + offset + count)
    }

    /// Calls `body` with the members of `ranks` in the order asked for.
    @inline(__always)
    func forEach(_ ranks: Range<Int>, of value: SortedSetValue, _ body: (PackedElement, Double) -> Void) {
        if ranks.isEmpty { return }
        if isReversed {
            value.forEachReversed(from: ranks.upperBound - 1, limit: ranks.count) { member, score in
                body(member, score)
                return true
            }
        } else {
            value.forEach(from: ranks.lowerBound, limit: ranks.count) { member, score in
                body(member, score)
                return true
            }
        }
    }
}
