import Base

/// An unsigned integer of any size, for numbers whose digits don't fit 128 bits. Rare, so simple.
struct LargeInteger: Equatable {
    /// Low limb first, no zero limb at the top.
    private var limbs: [UInt32]

    init(_ value: UInt64) {
        limbs = [UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32)]
        trim()
    }

    private mutating func trim() { while limbs.last == 0 { limbs.removeLast() } }

    /// Bits up to the highest one that is set.
    var bitCount: Int {
        guard let top = limbs.last else { return 0 }
        return limbs.count * 32 - top.leadingZeroBitCount
    }

    /// Multiplies by a small number and adds another.
    mutating func multiply(by factor: UInt32, adding addend: UInt32) {
        var carry = UInt64(addend)
        for index in limbs.indices {
            let product = UInt64(limbs[index]) * UInt64(factor) + carry
            limbs[index] = UInt32(truncatingIfNeeded: product)
            carry = product >> 32
        }
        if carry > 0 { limbs.append(UInt32(carry)) }
    }

    mutating func multiply(byPowerOfTen exponent: Int) {
        var rest = exponent
        while rest >= 9 {
            multiply(by: 1_000_000_000, adding: 0)
            rest -= 9
        }
        for _ in 0..<rest { multiply(by: 10, adding: 0) }
    }

    func shifted(left count: Int) -> LargeInteger {
        var result = LargeInteger(0)
        result.limbs = [UInt32](repeating: 0, count: count / 32)
        var carry: UInt64 = 0
        for limb in limbs {
            let wide = UInt64(limb) << UInt64(count % 32) | carry
            result.limbs.append(UInt32(truncatingIfNeeded: wide))
            carry = wide >> 32
        }
        result.limbs.append(UInt32(carry))
        result.trim()
        return result
    }

    private mutating func halve() {
        var carry: UInt32 = 0
        for index in limbs.indices.reversed() {
            let limb = limbs[index]
            limbs[index] = limb >> 1 | carry << 31
            carry = limb & 1
        }
        trim()
    }

    /// Takes `other` away if it is not larger; whether it was done.
    private mutating func subtractIfPossible(_ other: LargeInteger) -> Bool {
        if limbs.count < other.limbs.count { return false }
        if limbs.count == other.limbs.count {
            for index in limbs.indices.reversed() where limbs[index] != other.limbs[index] {
                if limbs[index] < other.limbs[index] { return false }
                break
            }
        }
        var borrow: Int64 = 0
        for index in limbs.indices {
            let difference = Int64(limbs[index]) - (index < other.limbs.count ? Int64(other.limbs[index]) : 0) + borrow
            limbs[index] = UInt32(truncatingIfNeeded: difference)
            borrow = difference < 0 ? -1 : 0
        }
        check(borrow == 0, "only the smaller is taken away")
        trim()
        return true
    }

    /// The quotient, which must have at most `bits` bits, and whether nothing remains.
    func divided(by divisor: LargeInteger, bits: Int) -> (quotient: UInt128, isExact: Bool) {
        var rest = self
        var part = divisor.shifted(left: bits - 1)
        var quotient: UInt128 = 0
        for _ in 0..<bits {
            quotient <<= 1
            if rest.subtractIfPossible(part) { quotient |= 1 }
            part.halve()
        }
        return (quotient, rest.limbs.isEmpty)
    }

    /// The number nearest to this times `2^exponent`.
    func rounded(exponent: Int, inexact: Bool, _ isNegative: Bool) -> ExtendedFloat {
        var top: UInt128 = 0
        var rest = inexact
        let skipped = max(0, limbs.count - 4)
        for index in limbs.indices.reversed() {
            if index >= skipped { top = top << 32 | UInt128(limbs[index]) } else if limbs[index] != 0 { rest = true }
        }
        return ExtendedFloat.rounded(top, exponent: exponent + skipped * 32, inexact: rest, isNegative: isNegative)
    }

    func appendDecimal(to buffer: ByteBuffer) {
        var rest = limbs
        var groups: [UInt32] = []
        while !rest.isEmpty {
            var remainder: UInt64 = 0
            for index in rest.indices.reversed() {
                let part = remainder << 32 | UInt64(rest[index])
                rest[index] = UInt32(part / 1_000_000_000)
                remainder = part % 1_000_000_000
            }
            while rest.last == 0 { rest.removeLast() }
            groups.append(UInt32(remainder))
        }
        if groups.isEmpty { return buffer.append("0") }
        buffer.append(decimal: Int64(groups.removeLast()))
        for group in groups.reversed() {
            for _ in decimalDigitCount(UInt64(group))..<9 { buffer.append("0") }
            buffer.append(decimal: Int64(group))
        }
    }
}
