import Base
import RESP
import Testing

@Suite struct NumberTests {
    @Test(arguments: [
        ("0", 0), ("1", 1), ("-1", -1), ("10", 10), ("9223372036854775807", Int64.max), ("-9223372036854775808", .min),
        ("999999999999999999", 999_999_999_999_999_999),
    ])
    func integersAreRead(_ text: String, _ value: Int64) {
        #expect(bytes(text).withView { parseInteger($0) } == value)
        #expect(String(value) == text)
    }

    @Test(arguments: [
        "", "-", "+1", " 1", "1 ", "01", "-0", "-01", "00", "1.0", "1e3", "0x1", "a", "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616", "99999999999999999999", "100000000000000000000", "1\0", "--1",
    ])
    func whatIsNoIntegerIsRefused(_ text: String) { #expect(bytes(text).withView { parseInteger($0) } == nil) }

    @Test func unsignedReachesItsEdge() {
        #expect(bytes("18446744073709551615").withView { parseUnsigned($0) } == .max)
        #expect(bytes("18446744073709551616").withView { parseUnsigned($0) } == nil)
        #expect(bytes("-1").withView { parseUnsigned($0) } == nil)
    }

    @Test(arguments: [
        ("0", 0.0), ("3", 3), ("-3", -3), ("+5", 5), ("1.5", 1.5), (".5", 0.5), ("5.", 5), ("1e5", 1e5), ("1E5", 1e5),
        ("1e+5", 1e5),
        ("1e-5", 1e-5), ("inf", .infinity), ("-inf", -.infinity), ("+InF", .infinity), ("infinity", .infinity),
        ("-Infinity", -.infinity), ("0x10", 16), ("0x1.8p1", 3), ("0X1P-3", 0.125), ("0x.8", 0.5), ("00012", 12), ("0.1", 0.1),
        ("123456789012345678901234567890", 123456789012345678901234567890.0), ("4.9e-324", .leastNonzeroMagnitude),
        ("1.7976931348623157e308", 1.7976931348623157e308), ("2.2250738585072011e-308", .leastNormalMagnitude.nextDown),
        ("9007199254740993", 9007199254740992), ("9007199254740993.0000000001", 9007199254740994),
        ("0.000000000000000000000000000000000001e36", 1), ("0e999999999", 0), ("1e22", 1e22), ("1e23", 1e23),
        ("3.0e-22", 3.0e-22),
        ("1152921504606846977", 1152921504606846976), ("17.976931348623157e307", 1.7976931348623157e308),
    ])
    func doublesAreRead(_ text: String, _ value: Double) {
        #expect(bytes(text).withView { parseDouble($0) }?.bitPattern == value.bitPattern)
    }

    @Test(arguments: [
        "", "-", "+", ".", "e5", "1e", "1e+", "1e5x", "1.2.3", " 1", "1 ", "nan", "-nan", "infi", "0x", "0x.", "0x1p", "0xg",
        "1_0", "1e400",
        "-1e400", "1e-400", "0x1p5000", "--1", "+-1", "1\0", "١",
    ])
    func whatIsNoDoubleIsRefused(_ text: String) { #expect(bytes(text).withView { parseDouble($0) } == nil) }

    @Test func negativeZeroIsKept() {
        #expect(bytes("-0").withView { parseDouble($0) }?.bitPattern == (-0.0).bitPattern)
    }

    @Test(arguments: [
        (0.0, "0"), (-0.0, "-0"), (1.1, "1.1"), (3, "3"), (-3, "-3"), (0.1, "0.1"), (1e15, "1000000000000000"),
        (1e18, "1000000000000000000"), (4611686018427387904, "4611686018427387904"), (1e19, "1e+19"), (1e20, "1e+20"),
        (-1e20, "-1e+20"), (9.3e18, "9.3e+18"), (9223372036854775808, "9223372036854776000"), (1.5e300, "1.5e+300"),
        (1e100, "1e+100"), (0.0001, "0.0001"), (0.000001, "0.000001"), (1e-7, "1e-7"), (1.5e-7, "1.5e-7"), (1.5e-10, "1.5e-10"),
        (.leastNonzeroMagnitude, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"),
        (3.141592653589793, "3.141592653589793"),
        (1234.5678901234567, "1234.5678901234567"), (12345.678901234567, "1.2345678901234567e+4"), (123456.789, "123456.789"),
        (0.30000000000000004, "0.30000000000000004"), (100.5, "100.5"), (-0.5, "-0.5"), (1.1234567, "1.1234567"),
        (0.0012345678, "0.0012345678"), (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"),
        (2.5e15 + 0.5, "2500000000000000.5"),
    ])
    func doublesAreWrittenAsRedisDoes(_ value: Double, _ text: String) { #expect(formatDouble(value) == text) }

    @Test func everyDoubleReadsBack() {
        var random = RandomGenerator(seed: 42)
        for _ in 0..<50_000 {
            let value = Double(bitPattern: random.next())
            if value.isNaN { continue }
            let text = formatDouble(value)
            #expect(bytes(text).withView { parseDouble($0) }?.bitPattern == value.bitPattern, "\(text)")
            let short = Double(Int64(bitPattern: random.next()) >> 20) / 1000
            #expect(bytes(formatDouble(short)).withView { parseDouble($0) } == short)
        }
    }

    /// As many digits as 64 bits hold, more than a double does: rounded once, as the standard library does.
    @Test func manyDigitsAreRoundedOnce() {
        var random = RandomGenerator(seed: 8)
        for round in 0..<20000 {
            var digits = String(random.next() >> UInt64(random.index(below: 12)))
            if round % 4 == 0 {
                // Halfway between two doubles, and next to it.
                let middle: UInt64 = 2 * (random.next() >> 10 | 1 << 53) + 1
                digits = String(middle - 1 + UInt64(random.index(below: 3)))
            }
            digits = String(digits.prefix(19))
            let place = random.index(below: digits.count + 1)
            let zeros = String(repeating: "0", count: random.index(below: 4))
            let text = "\(digits.prefix(place)).\(place == 0 ? zeros : "")\(digits.dropFirst(place))"
            #expect(bytes(text).withView { parseDouble($0) }?.bitPattern == Double("0" + text)?.bitPattern, "\(text)")
        }
    }
}
