import Base

extension ExtendedFloat {
    /// Longest text that is looked at, in bytes.
    private static let textBytesMax = 5119

    /// Reads a whole text as C's `strtold` does, without leading blanks, "nan", and what overflows or underflows to zero; nil then.
    package init?(text: ByteView) {
        if text.isEmpty || text.count > ExtendedFloat.textBytesMax { return nil }
        let isNegative = text[0] == UInt8(ascii: "-")
        let rest = text.dropFirst(isNegative || text[0] == UInt8(ascii: "+") ? 1 : 0)
        if rest.equalsIgnoringCase("inf") || rest.equalsIgnoringCase("infinity") {
            self = ExtendedFloat.infinity(isNegative: isNegative)
            return
        }
        let isHexadecimal = rest.count > 2 && rest[0] == UInt8(ascii: "0") && lowercased(rest[1]) == UInt8(ascii: "x")
        guard let number = ScannedNumber(isHexadecimal ? rest.dropFirst(2) : rest, base: isHexadecimal ? 16 : 10) else {
            return nil
        }
        if number.significantDigits == 0 {
            self = ExtendedFloat(isNegative: isNegative)
            return
        }
        let value = isHexadecimal ? number.hexadecimal(isNegative) : number.decimal(isNegative)
        if !value.isFinite || value.significand == 0 { return nil }
        self = value
    }

    private init(isNegative: Bool) {
        self = ExtendedFloat.rounded(0, exponent: 0, inexact: false, isNegative: isNegative)
    }

    /// Appends the text that Redis gives: 17 decimals as `%.17Lf` rounds them, without zeros at the end, never "-0". The number must
    /// be finite.
    package func appendText(to buffer: ByteBuffer) {
        check(isFinite, "only a finite number has digits")
        if exponent >= 0 {
            if isNegative && significand != 0 { buffer.append("-") }
            if exponent <= 64 {
                appendDecimal(UInt128(significand) << UInt128(exponent), to: buffer)
            } else {
                LargeInteger(significand).shifted(left: exponent).appendDecimal(to: buffer)
            }
            return
        }
        let unit: UInt128 = 100_000_000_000_000_000
        let product = UInt128(significand) * unit
        let shift = -exponent
        var scaled: UInt128 = 0
        if shift < 128 {
            scaled = product >> UInt128(shift)
            let rest = product & ((1 << UInt128(shift)) - 1)
            let half: UInt128 = 1 << UInt128(shift - 1)
            if rest > half || (rest == half && scaled & 1 == 1) { scaled += 1 }
        }
        if isNegative && scaled != 0 { buffer.append("-") }
        appendDecimal(scaled / unit, to: buffer)
        var fraction = UInt64(truncatingIfNeeded: scaled % unit)
        if fraction == 0 { return }
        var digits = 17
        while fraction % 10 == 0 {
            fraction /= 10
            digits -= 1
        }
        buffer.append(".")
        for _ in decimalDigitCount(fraction)..<digits { buffer.append("0") }
        buffer.append(decimal: Int64(fraction))
    }

    private func appendDecimal(_ value: UInt128, to buffer: ByteBuffer) {
        if value <= UInt128(Int64.max) { return buffer.append(decimal: Int64(value)) }
        let unit: UInt128 = 1_000_000_000_000_000_000
        appendDecimal(value / unit, to: buffer)
        let low = UInt64(value % unit)
        for _ in decimalDigitCount(low)..<18 { buffer.append("0") }
        buffer.append(decimal: Int64(low))
    }
}

/// The digits and the exponent of a number's text.
private struct ScannedNumber {
    /// Digits without the point and without zeros in front.
    private var digits: [UInt8] = []
    /// The power of the base (of 2, for hexadecimal) that the last digit stands for.
    private var exponent = 0
    var significantDigits: Int { digits.count }

    /// Reads a whole text; nil when it is not a number.
    init?(_ text: ByteView, base: UInt8) {
        var index = 0
        var hasDigits = false
        var hasPoint = false
        var fraction = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else if let digit = ScannedNumber.value(text[index]), digit < base {
                hasDigits = true
                if digit > 0 || !digits.isEmpty { digits.append(digit) }
                if hasPoint { fraction += 1 }
            } else {
                break
            }
            index += 1
        }
        if !hasDigits { return nil }
        var written = 0
        if index < text.count {
            guard lowercased(text[index]) == UInt8(ascii: base == 16 ? "p" : "e"),
                let value = ScannedNumber.exponent(text.dropFirst(index + 1))
            else { return nil }
            written = value
        }
        exponent = written - fraction * (base == 16 ? 4 : 1)
        while digits.last == 0 {
            digits.removeLast()
            exponent += base == 16 ? 4 : 1
        }
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch lowercased(byte) {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: lowercased(byte) - 0x61 + 10
        default: nil
        }
    }

    /// A signed exponent, saturated far outside of what any number has.
    private static func exponent(_ text: ByteView) -> Int? {
        let isNegative = !text.isEmpty && text[0] == UInt8(ascii: "-")
        let start = isNegative || (!text.isEmpty && text[0] == UInt8(ascii: "+")) ? 1 : 0
        if start == text.count { return nil }
        var value = 0
        for index in start..<text.count {
            guard let digit = ScannedNumber.value(text[index]), digit < 10 else { return nil }
            value = min(value * 10 + Int(digit), 1_000_000)
        }
        return isNegative ? -value : value
    }

    func hexadecimal(_ isNegative: Bool) -> ExtendedFloat {
        var integer = LargeInteger(0)
        for digit in digits { integer.multiply(by: 16, adding: UInt32(digit)) }
        return integer.rounded(exponent: exponent, inexact: false, isNegative)
    }

    func decimal(_ isNegative: Bool) -> ExtendedFloat {
        let leading = exponent + digits.count
        if leading > 4940 { return .infinity(isNegative: isNegative) }
        if leading < -4970 { return .zero }
        if digits.count <= 19, exponent >= -27, exponent <= 19 { return short(isNegative) }
        var integer = LargeInteger(0)
        for digit in digits { integer.multiply(by: 10, adding: UInt32(digit)) }
        if exponent >= 0 {
            integer.multiply(byPowerOfTen: exponent)
            return integer.rounded(exponent: 0, inexact: false, isNegative)
        }
        var divisor = LargeInteger(1)
        divisor.multiply(byPowerOfTen: -exponent)
        // Shifted so that the quotient has 67 or 68 bits: enough to round by, with what remains.
        let shift = 67 - (integer.bitCount - divisor.bitCount)
        if shift > 0 { integer = integer.shifted(left: shift) } else { divisor = divisor.shifted(left: -shift) }
        let (quotient, isExact) = integer.divided(by: divisor, bits: 69)
        return ExtendedFloat.rounded(quotient, exponent: -shift, inexact: !isExact, isNegative: isNegative)
    }

    /// Up to 19 digits and a small exponent: 128 bits hold everything.
    private func short(_ isNegative: Bool) -> ExtendedFloat {
        var value: UInt64 = 0
        for digit in digits { value = value * 10 + UInt64(digit) }
        var power: UInt64 = 1
        if exponent >= 0 {
            for _ in 0..<exponent { power *= 10 }
            return ExtendedFloat.rounded(UInt128(value) * UInt128(power), exponent: 0, inexact: false, isNegative: isNegative)
        }
        for _ in 0..<(-exponent) { power *= 5 }
        let zeros = value.leadingZeroBitCount
        let dividend = UInt128(value << UInt64(zeros)) << 64
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: UInt128(power))
        return ExtendedFloat.rounded(
            quotient, exponent: exponent - zeros - 64, inexact: remainder != 0, isNegative: isNegative)
    }
}
