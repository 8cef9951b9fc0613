import Base

/// Appends the text of a number with a fixed number of decimals (6 at most), as C's `%.4f` writes it: of the exact value, rounded to
/// nearest, ties to even.
func appendFixed(_ value: Double, decimals: Int, to buffer: ByteBuffer) {
    check(decimals >= 1 && decimals <= 6, "a fixed number of decimals is small")
    if value.isNaN { return buffer.append("nan") }
    if value.sign == .minus { buffer.append("-") }
    if value.isInfinite { return buffer.append("inf") }
    var unit: UInt64 = 1
    for _ in 0..<decimals { unit *= 10 }
    let isNormal = value.exponentBitPattern > 0
    let significand = isNormal ? value.significandBitPattern | 1 << 52 : value.significandBitPattern
    let exponent = Int(isNormal ? value.exponentBitPattern : 1) - 1075
    var whole: UInt64 = 0
    var fraction: UInt64 = 0
    if exponent > 10 {
        LargeInteger(significand).shifted(left: exponent).appendDecimal(to: buffer)
    } else {
        let scaled =
            exponent >= 0
            ? UInt128(significand) << UInt128(exponent) * UInt128(unit) : rounded(UInt128(significand) * UInt128(unit), -exponent)
        whole = UInt64(scaled / UInt128(unit))
        fraction = UInt64(scaled % UInt128(unit))
        buffer.append(decimal: Int64(whole))
    }
    buffer.append(".")
    for _ in decimalDigitCount(fraction)..<decimals { buffer.append("0") }
    buffer.append(decimal: Int64(fraction))
}

/// `value / 2^shift`, rounded to nearest, ties to even.
private func rounded(_ value: UInt128, _ shift: Int) -> UInt128 {
    if shift > 100 { return 0 }
    let result = value >> UInt128(shift)
    let rest = value & ((1 << UInt128(shift)) - 1)
    let half: UInt128 = 1 << UInt128(shift - 1)
    return rest > half || (rest == half && result & 1 == 1) ? result + 1 : result
}
