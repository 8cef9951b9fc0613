import Base

// Values, members, numbers and ranges.
extension Generator {
    /// Any value: short, empty, a number, binary, or long.
    func value() -> Word {
        switch random.index(below: 20) {
        case 0: []
        case 1: [0, 0xFF, 0x0D, 0x0A, 0x80]
        case 2: Word(repeating: UInt8(ascii: "v"), count: pick([15, 16, 17, 43, 44, 45, 63, 64, 65]))
        case 3: chance(30) ? noise(number(100...2000)) : noise(number(1...80))
        case 4...6: integer()
        case 7, 8: float()
        case 9: "foobar".word
        default: pick(["a", "b", "c", "hello", "world", "mynewtext", "ohmytext", "10", "3.14"]).word
        }
    }

    /// Random bytes.
    func noise(_ count: Int) -> Word { (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) } }

    /// A member of a set or sorted set, an element of a list, a field: few, so that they meet again.
    func member() -> Word {
        switch random.index(below: 40) {
        case 0: []
        case 1: [0xFF, 0]
        case 2: Word(repeating: UInt8(ascii: "m"), count: pick([15, 16, 17, 63, 64, 65, 200]))
        case 3: integer()
        case 4: pick(["1.5", "+1", "01", "-0", " 1", "1 ", "inf"]).word
        case 5...16: "\(number(-3...12))".word
        case 17: "\(number(100...400))".word
        case 18: pick(["32767", "32768", "-32769", "2147483647", "2147483648", "9223372036854775807"]).word
        default: pick(["a", "b", "c", "d", "e", "f", "g", "h", "aa", "ab", "B"]).word
        }
    }

    /// An integer that fits, is at a limit, or is none.
    func integer() -> Word {
        switch random.index(below: 10) {
        case 0: pick(["9223372036854775807", "-9223372036854775808", "9223372036854775806", "-9223372036854775807"]).word
        case 1: pick(Generator.strangeIntegers)
        case 2: "\(number(-1_000_000...1_000_000))".word
        default: "\(number(-10...20))".word
        }
    }

    /// An offset or rank into a short value: near either end, far outside, or none.
    func index() -> Word {
        switch random.index(below: 24) {
        case 0: pick(Generator.strangeIntegers)
        case 1: pick(["9223372036854775807", "-9223372036854775808", "9999999999", "-9999999999"]).word
        case 2: pick(["100", "-100", "1000"]).word
        default: "\(number(-6...8))".word
        }
    }

    /// How many: mostly a few.
    func count() -> Word {
        switch random.index(below: 24) {
        case 0: pick(Generator.strangeIntegers)
        case 1: pick(["9223372036854775807", "9999999999", "1000", "-9223372036854775808"]).word
        case 2: "-1".word
        case 3: "0".word
        default: "\(number(1...6))".word
        }
    }

    /// How many random elements; negative ones may repeat. Nothing that makes a reply of millions.
    func randomCount() -> Word {
        switch random.index(below: 16) {
        case 0: pick(["abc", "", "1.5", "-9223372036854775808", "9999999999"]).word
        case 1: "0".word
        case 2: "100".word
        case 3...6: "\(number(-12 ... -1))".word
        default: "\(number(1...12))".word
        }
    }

    /// A floating-point number of any kind, or none.
    func float() -> Word {
        switch random.index(below: 12) {
        case 0:
            pick([
                "inf", "-inf", "+inf", "nan", "1e308", "-1e308", "1.7976931348623157e308", "1e309", "1e-320", "4.9e-324",
                "1e-400",
                "infinity", "INF", "-Infinity", "9007199254740993", "1e19", "-1e19", "123456789012345678",
            ]).word
        case 1:
            pick(["abc", "", " 1", "1 ", "1.5.5", "0x10", "1e", ".", "-", "+1.5", "1,5", "--1", "1e5000", "-0", "-0.0", "5."])
                .word
        case 2:
            pick(["0.1", "0.2", "3.0e3", "1.1", "2.675", "1e22", "1e21", "1e-7", "123.456e-2", "3.14159265358979323846"]).word
        case 3: "\(Double(number(-1_000_000...1_000_000)) / 1024)".word
        case 4: "\(Double(number(-100_000...100_000)) / 1000)".word
        case 5: "\(number(-10...10)).5".word
        default: "\(number(-10...10))".word
        }
    }

    /// A sorted set's score: mostly a small integer, so that scores tie.
    func score() -> Word { chance(75) ? "\(number(-2...6))".word : float() }

    /// A bound of a range of scores.
    func scoreBound() -> Word {
        switch random.index(below: 10) {
        case 0: pick(["-inf", "+inf", "inf"]).word
        case 1: pick(["-inf", "+inf"]).word
        case 2: "(".word + score()
        case 3: float()
        case 4: pick(["(", "((1", "(nan", "abc", "", "(inf", "[1"]).word
        default: "\(number(-3...7))".word
        }
    }

    /// A bound of a range of names.
    func nameBound() -> Word {
        switch random.index(below: 8) {
        case 0: "-".word
        case 1: "+".word
        case 2: pick(["(", "[", "", "a", "--", "+a", "-a", "(\u{0}"]).word
        case 3, 4: "(".word + member()
        default: "[".word + member()
        }
    }

    /// LIMIT with offset and count.
    func limit() -> [Word] {
        [word("LIMIT"), chance(85) ? "\(number(0...4))".word : index(), chance(85) ? "\(number(-1...5))".word : index()]
    }

    /// A glob pattern.
    func pattern() -> Word {
        pick(["*", "*", "?1", "[a-h]*", "*1*", "a", "[^a]*", "\\*", "", "s?", "*a*b*", "[z-x]?", "[", "\\"]).word
    }

    /// A word that hardly fits anywhere. None makes a reply or a value of millions of bytes, or a deadline that is near.
    func strange() -> Word {
        switch random.index(below: 5) {
        case 0: pick(Generator.strangeIntegers)
        case 1: value()
        case 2: anyKey()
        case 3:
            pick(["-1", "0", "9223372036854775807", "-9223372036854775808", "9999999999", "nan", "inf", "-inf", "1e400"]).word
        default:
            pick([
                "NX", "XX", "GET", "EX", "PX", "EXAT", "PXAT", "KEEPTTL", "PERSIST", "COUNT", "MATCH", "LIMIT", "WITHSCORES",
                "WITHVALUES",
                "BYLEX", "BYSCORE", "REV", "GT", "LT", "CH", "INCR", "WEIGHTS", "AGGREGATE", "LEFT", "RIGHT", "MIN", "MAX",
                "BEFORE",
                "AFTER", "RANK", "MAXLEN", "REPLACE", "DB", "IDX", "LEN", "TYPE",
            ]).word
        }
    }

    private static let strangeIntegers: [Word] = [
        "".word, "abc".word, "1.5".word, " 1".word, "1 ".word, "+1".word, "-0".word, "007".word, "0x10".word, "1e3".word,
        "9223372036854775808".word, "-9223372036854775809".word, "18446744073709551616".word, [0x31, 0],
        "99999999999999999999999999".word,
    ]
}
