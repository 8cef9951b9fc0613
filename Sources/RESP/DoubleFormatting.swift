import Base

/// The text of a double as Redis 7.2 replies it: the shortest digits that read back to the same number, integers up to
/// 2^62 without an exponent, "inf", "-inf", "nan", "-0".
///
/// The digits are the standard library's (shortest, and nearest among the shortest: the same everywhere); the layout follows
/// Redis's `d2string`: plain digits while the decimal exponent is small, `1e+20` beyond.
package func formatDouble(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    if value == 0 { return value.sign == .minus ? "-0" : "0" }
    // Converting there and back drops the fraction. (`rounded` would need libm, which pure modules don't link.)
    if value.magnitude <= 0x1p62 && Double(Int64(value)) == value { return String(Int64(value)) }
    let (digits, exponent) = shortestDigits(value.magnitude)
    let text = layOut(digits, exponent: exponent)
    return value < 0 ? "-" + text : text
}

/// The shortest decimal digits of a positive number, without zeros at either end, and the power of ten of the last one.
private func shortestDigits(_ value: Double) -> (digits: [UInt8], exponent: Int) {
    var digits: [UInt8] = []
    var exponent = 0
    var point = false
    var text = value.description[...].utf8
    while let byte = text.first, byte != UInt8(ascii: "e") {
        if byte == ASCII.point {
            point = true
        } else {
            digits.append(byte)
            if point { exponent -= 1 }
        }
        text = text.dropFirst()
    }
    if let written = Int(Substring(text.dropFirst())) { exponent += written }
    while let last = digits.last, last == ASCII.zero {
        digits.removeLast()
        exponent += 1
    }
    digits.removeFirst(digits.prefix { $0 == ASCII.zero }.count)
    check(!digits.isEmpty && digits.count <= 17, "a double has 1 to 17 significant digits")
    return (digits, exponent)
}

/// Redis's choice between plain and scientific notation, for digits whose last one stands for `10^exponent`.
private func layOut(_ digits: [UInt8], exponent: Int) -> String {
    let leading = exponent + digits.count - 1
    let size = leading.magnitude
    var text: [UInt8] = []
    if exponent >= 0 && size < digits.count + 7 {
        text += digits
        text += [UInt8](repeating: ASCII.zero, count: exponent)
    } else if exponent < 0 && (exponent > -7 || size < 4) {
        let whole = digits.count + exponent
        if whole <= 0 {
            text += [ASCII.zero, ASCII.point]
            text += [UInt8](repeating: ASCII.zero, count: -whole)
            text += digits
        } else {
            text += digits[..<whole]
            text.append(ASCII.point)
            text += digits[whole...]
        }
    } else {
        text.append(digits[0])
        if digits.count > 1 {
            text.append(ASCII.point)
            text += digits[1...]
        }
        text.append(UInt8(ascii: "e"))
        text.append(leading < 0 ? ASCII.minus : ASCII.plus)
        text += String(size).utf8
    }
    return String(decoding: text, as: UTF8.self)
}
