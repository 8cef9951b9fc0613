import Base

/// Sine, cosine and arcsine in integer arithmetic: the same bits on every platform, which the C library does not promise.
///
/// Angles and results are doubles; between them stand 64-bit fractions. Their error stays below 2^-61 of the result, so nearly every
/// result is the correctly rounded one, and none is off by more than 0.51 units in the last place.
enum Trigonometry {
    /// Half of pi, as what a double holds of it and what is left.
    static let halfPi = 0x1.921FB54442D18p+0
    static let halfPiRest = 0x1.1A62633145C07p-54

    /// Below this a sine and an arcsine are their argument: the next term is less than half a unit in the last place.
    private static let tiny = 0x1p-27
    /// Angles from here on count as 0. (A search asks for no such angle; an exact answer needs more digits of pi.)
    private static let angleMax = 1024.0

    /// 1/3!, 1/5!, … and 1/2!, 1/4!, … in units of 2^-64.
    private static let sineTerms: InlineArray<9, UInt64> = [
        0x2AAA_AAAA_AAAA_AAAB, 0x0222_2222_2222_2222, 0x000D_00D0_0D00_D00D, 0x0000_2E3B_C74A_AD8E, 0x0000_006B_9915_9FD5,
        0xB092_309D, 0x00D7_3F9F, 0xCA96, 0x98,
    ]
    private static let cosineTerms: InlineArray<10, UInt64> = [
        0x8000_0000_0000_0000, 0x0AAA_AAAA_AAAA_AAAB, 0x005B_05B0_5B05_B05B, 0x0001_A01A_01A0_1A02, 0x0000_049F_93ED_DE28,
        0x0008_F76C_77FC, 0x0C9C_BA54, 0x000D_73FA, 0x0B41, 0x08,
    ]

    // MARK: fractions

    /// A number from 0 to 1: `mantissa * 2^(-64 - shift)`. The mantissa's highest bit is set, unless it is 0.
    private struct Fraction {
        var mantissa: UInt64
        var shift: Int

        /// A positive double less than 1.
        init(_ value: Double) {
            mantissa = (value.significandBitPattern | 1 << 52) << 11
            shift = -1 - Int(value.exponent)
        }

        /// `value * 2^-scale`.
        init(_ value: UInt128, scale: Int) {
            let zeros = value.leadingZeroBitCount
            mantissa = value == 0 ? 0 : UInt64(truncatingIfNeeded: (value << UInt128(zeros)) >> 64)
            shift = value == 0 ? 0 : scale + zeros - 128
        }

        /// The square in units of 2^-64.
        var square: UInt64 {
            let high = mantissa.multipliedFullWidth(by: mantissa).high
            return shift < 32 ? high >> UInt64(2 * shift) : 0
        }

        /// The sine in units of 2^(-128 - shift): `r (1 - r^2 (1/3! - r^2 (1/5! - …)))`.
        var sine: UInt128 {
            let square = self.square
            var sum: UInt64 = 0
            var term = 8
            while term >= 0 {
                sum = Trigonometry.sineTerms[term] &- square.multipliedFullWidth(by: sum).high
                term -= 1
            }
            let less = square.multipliedFullWidth(by: sum).high
            return UInt128(mantissa) << 64 - UInt128(mantissa) * UInt128(less)
        }

        /// One minus the cosine, in units of 2^-64.
        var versine: UInt64 {
            let square = self.square
            var sum: UInt64 = 0
            var term = 9
            while term >= 0 {
                sum = Trigonometry.cosineTerms[term] &- square.multipliedFullWidth(by: sum).high
                term -= 1
            }
            return square.multipliedFullWidth(by: sum).high
        }
    }

    /// `value * 2^exponent`, rounded to nearest.
    private static func double(_ value: UInt128, exponent: Int) -> Double {
        // 64 bits hold more than enough to round by, with a last one that stands for all behind it.
        let zeros = value.leadingZeroBitCount
        if zeros == 128 { return 0 }
        let normal = value << UInt128(zeros)
        let top = UInt64(truncatingIfNeeded: normal >> 64) | (UInt64(truncatingIfNeeded: normal) == 0 ? 0 : 1)
        return Double(top) * Double(sign: .plus, exponent: exponent + 64 - zeros, significand: 1)
    }

    private static func sine(_ fraction: Fraction) -> Double { double(fraction.sine, exponent: -128 - fraction.shift) }

    private static func cosine(_ fraction: Fraction) -> Double {
        let less = fraction.versine
        return less == 0 ? 1 : Double(0 &- less) * 0x1p-64
    }

    // MARK: angles

    /// An angle as a number of quarters of the circle and what is left, which may be negative.
    private struct Reduced {
        var quarters: Int
        var rest: Fraction
        var isNegative: Bool

        /// - Parameter angle: positive and less than `angleMax`.
        init(_ angle: Double) {
            if angle <= 0x1.921FB54442D18p-1 {
                (quarters, rest, isNegative) = (0, Fraction(angle), false)
                return
            }
            // In units of 2^-112 the angle is exact, and so is half of pi but for what `low` has, in units of 2^-176.
            let high: Int128 = 0x1_921F_B544_42D1_8469_898C_C517_01B8
            let low: UInt64 = 0x39A2_5204_9C11_14CF
            let quarters = Int(angle * 0x1.45F306DC9C883p-1 + 0.5)
            let bits = Int128(angle.significandBitPattern | 1 << 52) << Int128(60 + Int(angle.exponent))
            let rest = bits - Int128(quarters) * high
            let lower = Int128(quarters) * Int128(low)
            self.quarters = quarters
            if rest.magnitude < 1 << 60 {
                let exact = rest << 64 - lower
                isNegative = exact < 0
                self.rest = Fraction(exact.magnitude, scale: 176)
            } else {
                let exact = rest - lower >> 64
                isNegative = exact < 0
                self.rest = Fraction(exact.magnitude, scale: 112)
            }
        }
    }

    /// The sine of an angle in radians.
    static func sine(_ angle: Double) -> Double {
        let size = angle.magnitude
        if size < tiny { return angle }
        if !(size < angleMax) { return size.isFinite ? 0 : .nan }
        let reduced = Reduced(size)
        let value = reduced.quarters & 1 == 0 ? sine(reduced.rest) : cosine(reduced.rest)
        // An even number of quarters leaves the rest's sign.
        let isNegative = (reduced.quarters & 2 != 0) != (reduced.quarters & 1 == 0 && reduced.isNegative)
        return isNegative != (angle < 0) ? -value : value
    }

    /// The cosine of an angle in radians.
    static func cosine(_ angle: Double) -> Double {
        let size = angle.magnitude
        if size < tiny { return 1 }
        if !(size < angleMax) { return size.isFinite ? 1 : .nan }
        let reduced = Reduced(size)
        let value = reduced.quarters & 1 == 0 ? cosine(reduced.rest) : sine(reduced.rest)
        let isNegative = ((reduced.quarters + 1) & 2 != 0) != (reduced.quarters & 1 == 1 && reduced.isNegative)
        return isNegative ? -value : value
    }

    // MARK: arcsine

    /// Coefficients of arcsin(x)/x as a polynomial in x^2 on 0 to 1/4 (Chebyshev interpolation), the highest first; good to 2^-39.
    private static let arcsineTerms: InlineArray<9, Double> = [
        0.03295759470084881, 0.0019156113431105127, 0.02068132717169167, 0.02185574259984348, 0.03042811901907943,
        0.04464056469220037, 0.07500005655821883, 0.16666666613278705, 1.000000000000825,
    ]

    /// The arcsine of a number from 0 to 1/2 plus a small `rest`, as a sum of two doubles.
    private static func arcsineParts(_ value: Double, rest: Double) -> (Double, Double) {
        if value < tiny { return (value, rest) }
        let square = value * value
        var sum = arcsineTerms[0]
        for term in 1..<9 { sum = sum * square + arcsineTerms[term] }
        let angle = value * sum
        // One step of Newton's method, with the sine exact enough to see what is missing.
        let fraction = Fraction(angle)
        let scale = 128 + fraction.shift
        let wanted = UInt128(value.significandBitPattern | 1 << 52) << UInt128(scale + Int(value.exponent) - 52)
        let missing = Int128(truncatingIfNeeded: wanted &- fraction.sine)
        let size = double(missing.magnitude, exponent: -scale)
        let difference = (missing < 0 ? -size : size) + rest
        return (angle, difference / (1 - square).squareRoot())
    }

    /// The arcsine, in radians, of a number from 0 to 1; what is larger counts as 1.
    static func arcsine(_ value: Double) -> Double {
        if value.isNaN { return .nan }
        check(value >= 0, "an arcsine is asked of a number that is not negative")
        if value >= 1 { return halfPi }
        if value <= 0.5 {
            let (angle, rest) = arcsineParts(value, rest: 0)
            return angle + rest
        }
        // arcsin x = pi/2 - 2 arcsin sqrt((1 - x) / 2)
        let half = (1 - value) / 2
        let root = half.squareRoot()
        let (angle, rest) = arcsineParts(root, rest: missing(of: root, half) / (2 * root))
        let high = halfPi - 2 * angle
        let low = (halfPi - high) - 2 * angle
        return high + (low + (halfPiRest - 2 * rest))
    }

    /// `square - root * root`, where they differ by less than a unit in the last place or two.
    private static func missing(of root: Double, _ square: Double) -> Double {
        let mantissa = UInt128(root.significandBitPattern | 1 << 52)
        let exponent = 2 * (Int(root.exponent) - 52)
        let wanted = UInt128(square.significandBitPattern | 1 << 52) << UInt128(Int(square.exponent) - 52 - exponent)
        let missing = Int128(truncatingIfNeeded: wanted &- mantissa * mantissa)
        let size = double(missing.magnitude, exponent: exponent)
        return missing < 0 ? -size : size
    }
}
