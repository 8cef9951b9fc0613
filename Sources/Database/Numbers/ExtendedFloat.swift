import Base

/// A floating-point number with 64 bits of precision and 15 of exponent, rounded to nearest, ties to even: what `long double` is
/// on x86-64, computed with integers alone, so that every platform gets the same bits.
///
/// INCRBYFLOAT and HINCRBYFLOAT count with it, because Redis does and its texts show all the digits.
package struct ExtendedFloat: Equatable, Sendable {
    /// The value is `significand * 2^exponent`, negated when `isNegative`.
    let significand: UInt64
    let exponent: Int
    let isNegative: Bool
    /// False for the infinities, and for what is no number.
    package let isFinite: Bool

    /// Exponent of the last bit of the smallest numbers.
    static let exponentMin = -16445
    /// Exponent of the last bit of the largest numbers.
    static let exponentMax = 16320

    private init(significand: UInt64, exponent: Int, isNegative: Bool, isFinite: Bool = true) {
        self.significand = significand
        self.exponent = significand == 0 ? 0 : exponent
        self.isNegative = isNegative
        self.isFinite = isFinite
    }

    /// Zero.
    package static let zero = ExtendedFloat(significand: 0, exponent: 0, isNegative: false)

    static func infinity(isNegative: Bool) -> ExtendedFloat {
        ExtendedFloat(significand: 1 << 63, exponent: exponentMax + 1, isNegative: isNegative, isFinite: false)
    }

    /// The value of an integer, exactly.
    package init(_ value: Int64) {
        self = ExtendedFloat.rounded(UInt128(value.magnitude), exponent: 0, inexact: false, isNegative: value < 0)
    }

    /// The value of a finite double, exactly.
    init(_ value: Double) {
        check(value.isFinite, "only a finite number has a value")
        let isNormal = value.exponentBitPattern > 0
        let significand = value.significandBitPattern | (isNormal ? 1 << 52 : 0)
        self = ExtendedFloat.rounded(
            UInt128(significand), exponent: Int(isNormal ? value.exponentBitPattern : 1) - 1075, inexact: false,
            isNegative: value.sign == .minus)
    }

    /// The number nearest to `magnitude * 2^exponent` (plus something below the last bit when `inexact`; there must be 65 bits then).
    static func rounded(_ magnitude: UInt128, exponent: Int, inexact: Bool, isNegative: Bool) -> ExtendedFloat {
        if magnitude == 0 { return ExtendedFloat(significand: 0, exponent: 0, isNegative: isNegative) }
        let bits = 128 - magnitude.leadingZeroBitCount
        var shift = max(bits - 64, exponentMin - exponent)
        check(!inexact || shift > 0, "an inexact number has bits to round")
        var result: UInt128
        if shift > 128 {
            return ExtendedFloat(significand: 0, exponent: 0, isNegative: isNegative)
        } else if shift > 0 {
            result = shift == 128 ? 0 : magnitude >> UInt128(shift)
            let rest = shift == 128 ? magnitude : magnitude & ((1 << UInt128(shift)) - 1)
            let half: UInt128 = 1 << UInt128(shift - 1)
            if rest > half || (rest == half && (inexact || result & 1 == 1)) { result += 1 }
            if result >> 64 != 0 {
                result >>= 1
                shift += 1
            }
        } else {
            result = magnitude << UInt128(-shift)
        }
        if exponent + shift > exponentMax { return infinity(isNegative: isNegative) }
        return ExtendedFloat(
            significand: UInt64(truncatingIfNeeded: result), exponent: exponent + shift, isNegative: isNegative)
    }

    /// The sum, correctly rounded.
    package static func + (a: ExtendedFloat, b: ExtendedFloat) -> ExtendedFloat {
        if !a.isFinite { return a }
        if !b.isFinite { return b }
        if a.significand == 0 { return b }
        if b.significand == 0 { return a }
        let aIsLarger = a.exponent != b.exponent ? a.exponent > b.exponent : a.significand >= b.significand
        let large = aIsLarger ? a : b
        let small = aIsLarger ? b : a
        // 62 more bits than needed below the larger one, 2 above for the carry.
        let guardBits = 62
        let distance = large.exponent - small.exponent
        let largeBits = UInt128(large.significand) << UInt128(guardBits)
        let wide = UInt128(small.significand) << UInt128(guardBits)
        let smallBits = distance >= 128 ? 0 : wide >> UInt128(distance)
        let inexact = distance >= 128 || smallBits << UInt128(distance) != wide
        var sum: UInt128
        if a.isNegative == b.isNegative {
            sum = largeBits + smallBits
        } else {
            sum = largeBits - smallBits
            // What was cut off the smaller one makes the difference a little less.
            if inexact { sum -= 1 }
        }
        if sum == 0 { return .zero }
        return rounded(sum, exponent: large.exponent - guardBits, inexact: inexact, isNegative: large.isNegative)
    }
}
