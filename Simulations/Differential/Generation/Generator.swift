import Base

/// What a key usually holds. Every kind has a few keys of its own; now and then a command takes another kind's.
package enum KeyKind: String, CaseIterable, Sendable {
    case string = "s"
    case number = "n"
    case hash = "h"
    case list = "l"
    case set = "t"
    case sortedSet = "z"
    /// A sorted set whose scores are all 0, for the commands that order by name.
    case lexicalSet = "x"
    case bitmap = "b"
    case hyperloglog = "p"
    case geo = "g"
    case stream = "q"
}

/// Draws the words of commands. Everything follows from the seed.
package final class Generator {
    var random: RandomGenerator
    /// The kinds of keys that this sequence prefers when any key will do.
    private let kinds: [KeyKind]
    /// Deadlines drawn so far: no two in one sequence are alike, so that GT and LT never depend on a millisecond.
    private var deadlines = 0
    /// The time of the newest stream entry that was drawn.
    private(set) var streamTime = 1
    /// Set by a shape whose deadline is about to pass.
    package var pauses = false

    package init(seed: UInt64, kinds: [KeyKind] = KeyKind.allCases) {
        random = RandomGenerator(seed: seed)
        self.kinds = kinds.isEmpty ? KeyKind.allCases.filter { $0 != .hyperloglog } : kinds
    }

    // MARK: choices

    /// True in so many of a hundred cases.
    func chance(_ percent: UInt64) -> Bool { random.chance(percent, in: 100) }

    /// One of a list that is not empty.
    func pick<Element>(_ list: [Element]) -> Element { list[random.index(below: list.count)] }

    /// A number of a range.
    func number(_ range: ClosedRange<Int>) -> Int { range.lowerBound + random.index(below: range.count) }

    /// The words, or none.
    func maybe(_ percent: UInt64 = 50, _ words: @autoclosure () -> [Word]) -> [Word] { chance(percent) ? words() : [] }

    /// One of several alternatives.
    func either(_ alternatives: (() -> [Word])...) -> [Word] { pick(alternatives)() }

    /// The words of several draws, mostly few; once in a while so many that a collection outgrows its small form.
    func several(_ most: Int = 4, many: Int = 0, _ draw: () -> [Word]) -> [Word] {
        let count = many > 0 && chance(3) ? number(most...many) : number(1...most)
        return (0..<count).flatMap { _ in draw() }
    }

    /// A keyword in some case.
    func word(_ text: String) -> Word {
        switch random.index(below: 8) {
        case 0: Word(text.lowercased().utf8)
        case 1: Word(text.utf8.enumerated().map { $0.offset % 2 == 0 ? lowercased($0.element) : $0.element })
        default: Word(text.utf8)
        }
    }

    /// One of some keywords.
    func word(of texts: String...) -> Word { word(pick(texts)) }

    // MARK: keys

    /// A time for a stream entry, not before those drawn so far.
    func nextStreamTime() -> Int {
        streamTime += number(0...2)
        return streamTime
    }

    /// A key, most likely of this kind.
    func key(_ kind: KeyKind) -> Word {
        let draw = random.index(below: 100)
        if draw < 86 { return Generator.name(kind, number(1...3)) }
        if draw < 96 { return anyKey() }
        return pick(Generator.strangeKeys)
    }

    /// A key of any kind.
    func anyKey() -> Word { Generator.name(pick(kinds), number(1...3)) }

    /// Several keys of a kind.
    func keys(_ kind: KeyKind, _ most: Int = 4) -> [Word] { several(most) { [key(kind)] } }

    /// A count and so many keys; now and then the count is wrong.
    func countedKeys(_ kind: KeyKind, _ most: Int = 3) -> [Word] {
        let keys = keys(kind, most)
        let count = chance(92) ? String(keys.count) : pick(["0", "-1", "abc", "1", "2", "9", "9223372036854775807"])
        return [count.word] + keys
    }

    private static func name(_ kind: KeyKind, _ number: Int) -> Word { Word("\(kind.rawValue)\(number)".utf8) }
    private static let strangeKeys: [Word] = ["missing".word, "missing".word, [], [0, 0xFF, 0x0D, 0x0A], "a key".word]

    // MARK: deadlines

    /// Seconds from now, far off and different from all before.
    func seconds() -> Word {
        if chance(10) { return pick(Generator.strangeDeadlines) }
        deadlines += 1
        return "\(100_000 + 1000 * deadlines)".word
    }

    /// Milliseconds from now, far off; sometimes one, and then a pause follows.
    func milliseconds() -> Word {
        if chance(10) { return pick(Generator.strangeDeadlines) }
        if chance(12) {
            pauses = true
            return "1".word
        }
        deadlines += 1
        return "\((100_000 + 1000 * deadlines) * 1000)".word
    }

    /// Seconds since 1970: in the year 2096 and later, or long past. Read as a time to live, each is far off: a word may be lost or
    /// another put in its place.
    func unixSeconds() -> Word {
        if chance(10) { return pick(Generator.strangeDeadlines) }
        if chance(8) { return pick(["1000000000", "1500000000"]).word }
        deadlines += 1
        return "\(4_000_000_000 + 1000 * deadlines)".word
    }

    /// Milliseconds since 1970.
    func unixMilliseconds() -> Word {
        if chance(10) { return pick(Generator.strangeDeadlines) }
        if chance(8) { return "1000000000000".word }
        deadlines += 1
        return "\((4_000_000_000 + 1000 * deadlines) * 1000)".word
    }

    /// None of them is a moment that comes while a sequence runs.
    private static let strangeDeadlines: [Word] = [
        "0".word, "-1".word, "-100000".word, "9223372036854775807".word, "-9223372036854775808".word, "9223372036854775".word,
        "9223372036854776".word, "99999999999999999999".word, "abc".word, "".word, "1.5".word, " 1".word, "1e5".word,
    ]
}
