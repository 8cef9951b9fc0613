import Base

/// Reads a whole view as a signed 64-bit integer, as Redis does everywhere: no blanks, no plus sign, no leading zeros, no "-0",
/// nothing behind the digits. nil for anything else, also when out of range.
package func parseInteger(_ text: ByteView) -> Int64? {
    let negative = !text.isEmpty && text[0] == ASCII.minus
    guard let magnitude = parseUnsigned(negative ? text.dropFirst(1) : text) else { return nil }
    if !negative { return Int64(exactly: magnitude) }
    if magnitude == 0 || magnitude > Int64.min.magnitude { return nil }
    return Int64(truncatingIfNeeded: 0 &- magnitude)
}

/// Reads a whole view as an unsigned 64-bit integer: digits only, no leading zeros.
package func parseUnsigned(_ text: ByteView) -> UInt64? {
    let count = text.count
    if count == 0 || count > 20 { return nil }
    let first = UInt64(text[0] &- ASCII.zero)
    if first > 9 || (first == 0 && count > 1) { return nil }
    var value = first
    for index in 1..<count {
        let digit = UInt64(text[index] &- ASCII.zero)
        if digit > 9 { return nil }
        // Nineteen digits always fit.
        if index == 19 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(digit)
            return overflow || carry ? nil : sum
        }
        value = value &* 10 &+ digit
    }
    return value
}

/// Reads a whole view as a floating-point number, as Redis reads scores and increments: C's `strtod` without leading blanks
/// and without "nan". So "inf", "-Infinity", "+5", ".5", "5.", "1e5" and "0x1p3" are numbers; what overflows, or underflows
/// to zero, is not. Correctly rounded, the same bits on every platform.
package func parseDouble(_ text: ByteView) -> Double? {
    if text.isEmpty || text.count > doubleBytesMax { return nil }
    var position = 0
    let negative = text[0] == ASCII.minus
    if negative || text[0] == ASCII.plus { position = 1 }
    let rest = text.dropFirst(position)
    if rest.isEmpty { return nil }
    let magnitude: Double?
    if rest.equalsIgnoringCase("inf") || rest.equalsIgnoringCase("infinity") {
        magnitude = .infinity
    } else if rest.count > 2 && rest[0] == ASCII.zero && lowercased(rest[1]) == UInt8(ascii: "x") {
        magnitude = parseHexadecimal(rest.dropFirst(2))
    } else {
        magnitude = parseDecimal(rest)
    }
    guard let magnitude else { return nil }
    return negative ? -magnitude : magnitude
}

/// Longest text of a number that is looked at, in bytes (the shortest text never needs more than 24).
private let doubleBytesMax = 5 << 10

/// The parts of a number's text: digits, with the power of the base that the last one stands for.
private struct Digits {
    /// The first significant digits as a number, at most `kept` of them.
    var mantissa: UInt64 = 0
    /// Significant digits seen: leading zeros don't count.
    var significant = 0
    /// Digits behind the point.
    var fraction = 0
    /// Offset behind the digits and the point.
    var end = 0

    /// Reads digits with at most one point among them; nil when there is no digit.
    init?(_ text: ByteView, base: UInt64) {
        var seen = false
        var point = false
        while end < text.count {
            let byte = text[end]
            if byte == ASCII.point {
                if point { break }
                point = true
            } else {
                guard let digit = ASCII.hexValue(byte), UInt64(digit) < base else { break }
                seen = true
                if significant > 0 || digit > 0 { significant += 1 }
                mantissa = mantissa &* base &+ UInt64(digit)
                if point { fraction += 1 }
            }
            end += 1
        }
        if !seen { return nil }
    }
}

/// An optional exponent, which must reach to the end; saturates far beyond every double's range. nil when malformed.
private func parseExponent(_ text: ByteView, marker: UInt8) -> Int? {
    if text.isEmpty { return 0 }
    if lowercased(text[0]) != marker { return nil }
    var position = 1
    let negative = position < text.count && text[position] == ASCII.minus
    if negative || (position < text.count && text[position] == ASCII.plus) { position += 1 }
    if position == text.count { return nil }
    var value = 0
    while position < text.count {
        let digit = Int(text[position]) - 0x30
        if digit < 0 || digit > 9 { return nil }
        value = min(value * 10 + digit, 1_000_000)
        position += 1
    }
    return negative ? -value : value
}

/// 10 to the 0 … 22: all the powers of ten that a double holds exactly.
private let exactPowersOfTen: InlineArray<23, Double> = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
    1e22,
]

/// 10 to the 0 … 19: all that fit 64 bits.
private let integerPowersOfTen: InlineArray<20, UInt64> = [
    1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000,
    1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000, 10_000_000_000_000_000,
    100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
]

private func parseDecimal(_ text: ByteView) -> Double? {
    guard let digits = Digits(text, base: 10), let written = parseExponent(text.dropFirst(digits.end), marker: UInt8(ascii: "e"))
    else { return nil }
    if digits.significant == 0 { return 0 }
    let exponent = written - digits.fraction
    if digits.significant <= 19 {
        // Both factors exact, so one correctly rounded operation gives the correctly rounded result (Clinger, 1990).
        if digits.mantissa <= 1 << 53 && exponent >= -22 && exponent <= 22 {
            let mantissa = Double(digits.mantissa)
            return exponent < 0 ? mantissa / exactPowersOfTen[-exponent] : mantissa * exactPowersOfTen[exponent]
        }
        if exponent <= 0 && exponent >= -19 { return quotient(digits.mantissa, integerPowersOfTen[-exponent]) }
    }
    return rounded(prefix: "", text.slice(0, digits.end), separator: "e", exponent: exponent)
}

/// The double that is nearest to a quotient of two positive integers: 64 bits of it, with a last one that stands for all behind it, are more
/// than rounding needs.
private func quotient(_ dividend: UInt64, _ divisor: UInt64) -> Double {
    check(dividend > 0 && divisor > 0, "a quotient is positive")
    let (up, upDivisor) = (dividend.leadingZeroBitCount, divisor.leadingZeroBitCount)
    let (high, by) = (dividend << UInt64(up), divisor << UInt64(upDivisor))
    // Half of the dividend is less than the divisor, so the quotient fits 64 bits and has its highest or second highest one.
    let (bits, rest) = by.dividingFullWidth((high >> 1, high << 63))
    let exact = Double(bits | (rest == 0 ? 0 : 1))
    return exact * Double(sign: .plus, exponent: upDivisor - up - 63, significand: 1)
}

private func parseHexadecimal(_ text: ByteView) -> Double? {
    guard let digits = Digits(text, base: 16), let written = parseExponent(text.dropFirst(digits.end), marker: UInt8(ascii: "p"))
    else { return nil }
    if digits.significant == 0 { return 0 }
    return rounded(prefix: "0x", text.slice(0, digits.end), separator: "p", exponent: written - 4 * digits.fraction)
}

/// Leaves the rounding to the standard library, in one plain form: digits, exponent. nil when out of range.
private func rounded(prefix: String, _ digits: ByteView, separator: String, exponent: Int) -> Double? {
    var plain = prefix
    for index in 0..<digits.count where digits[index] != ASCII.point {
        plain.unicodeScalars.append(UnicodeScalar(digits[index]))
    }
    plain += separator + String(exponent)
    guard let value = Double(plain), value.isFinite, value != 0 else { return nil }
    return value
}
