import Base
import RESP

/// The name of a stream's entry: a time in milliseconds and a number among the entries of that millisecond. IDs only grow.
package struct StreamID: Comparable, Hashable, Sendable {
    package var milliseconds: UInt64
    package var sequence: UInt64

    @inline(__always)
    package init(milliseconds: UInt64, sequence: UInt64) {
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    /// Less than the ID of any entry.
    package static let zero = StreamID(milliseconds: 0, sequence: 0)
    /// The last ID there is.
    package static let last = StreamID(milliseconds: .max, sequence: .max)

    @inline(__always)
    package static func < (a: StreamID, b: StreamID) -> Bool {
        a.milliseconds != b.milliseconds ? a.milliseconds < b.milliseconds : a.sequence < b.sequence
    }

    /// The ID behind this one; nil behind the last.
    package var next: StreamID? {
        if sequence < .max { return StreamID(milliseconds: milliseconds, sequence: sequence + 1) }
        return milliseconds < .max ? StreamID(milliseconds: milliseconds + 1, sequence: 0) : nil
    }

    /// The ID before this one; nil before 0-0.
    package var previous: StreamID? {
        if sequence > 0 { return StreamID(milliseconds: milliseconds, sequence: sequence - 1) }
        return milliseconds > 0 ? StreamID(milliseconds: milliseconds - 1, sequence: .max) : nil
    }

    /// Calls `body` with the text `milliseconds-sequence`, made on the stack.
    @inline(__always)
    func withText<Result>(_ body: (ByteView) -> Result) -> Result {
        withUnsafeTemporaryAllocation(byteCount: StreamID.textBytesMax, alignment: 8) { space in
            guard let base = space.baseAddress else { return body(.empty) }
            var start = StreamID.textBytesMax
            StreamID.prepend(sequence, to: base, &start)
            start -= 1
            base.storeBytes(of: UInt8(ascii: "-"), toByteOffset: start, as: UInt8.self)
            StreamID.prepend(milliseconds, to: base, &start)
            return body(ByteView(start: UnsafeRawPointer(base) + start, count: StreamID.textBytesMax - start))
        }
    }

    /// Two numbers of up to 20 digits and a hyphen, rounded up.
    private static let textBytesMax = 48

    @inline(__always)
    private static func prepend(_ value: UInt64, to base: UnsafeMutableRawPointer, _ start: inout Int) {
        var rest = value
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            start -= 1
            base.storeBytes(of: 0x30 + UInt8(truncatingIfNeeded: digit), toByteOffset: start, as: UInt8.self)
            rest = quotient
        } while rest != 0
    }

    /// Calls `body` with 16 bytes that sort as the ID does.
    @inline(__always)
    func withBytes<Result>(_ body: (ByteView) -> Result) -> Result {
        withUnsafeBytes(of: (milliseconds.bigEndian, sequence.bigEndian)) { body(ByteView($0)) }
    }

    /// The ID of 16 bytes as `withBytes` makes them.
    @inline(__always)
    init(bytes: ByteView) {
        check(bytes.count == 16, "an ID has 16 bytes")
        milliseconds = UInt64(bigEndian: bytes.start.loadUnaligned(as: UInt64.self))
        sequence = UInt64(bigEndian: bytes.start.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
}

extension StreamID {
    /// What the text of an ID said.
    struct Parsed {
        var id: StreamID
        /// Whether it was `milliseconds-*`, which leaves the sequence number to the stream.
        var lacksSequence = false
    }

    /// Longer texts are no IDs.
    private static let parsedBytesMax = 127

    /// Reads an ID; nil where it is none.
    ///
    /// - Parameters:
    ///   - missingSequence: the sequence number where the text has none.
    ///   - allowsEnds: whether `-` and `+` stand for the least and the last ID.
    ///   - allowsStar: whether `milliseconds-*` is allowed.
    static func parse(
        _ text: ByteView, missingSequence: UInt64 = 0, allowsEnds: Bool = false, allowsStar: Bool = false
    ) -> Parsed? {
        if let plain = plain(text) { return Parsed(id: plain) }
        if text.count > parsedBytesMax { return nil }
        // As C does: the text ends at the first zero byte.
        let text = text.slice(0, text.firstIndex(of: 0) ?? text.count)
        if text.count == 1 && (text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+")) {
            if !allowsEnds { return nil }
            return Parsed(id: text[0] == UInt8(ascii: "-") ? .zero : .last)
        }
        let hyphen = text.firstIndex(of: UInt8(ascii: "-"))
        guard let milliseconds = number(text.slice(0, hyphen ?? text.count)) else { return nil }
        guard let hyphen else {
            return Parsed(id: StreamID(milliseconds: milliseconds, sequence: missingSequence))
        }
        let rest = text.dropFirst(hyphen + 1)
        if allowsStar && rest.count == 1 && rest[0] == UInt8(ascii: "*") {
            return Parsed(id: StreamID(milliseconds: milliseconds, sequence: 0), lacksSequence: true)
        }
        guard let sequence = number(rest) else { return nil }
        return Parsed(id: StreamID(milliseconds: milliseconds, sequence: sequence))
    }

    /// Digits of a number that fits whatever they are.
    private static let plainDigitsMax = 18

    /// The usual form: two numbers of digits with a hyphen between them, and nothing else.
    @inline(__always)
    private static func plain(_ text: ByteView) -> StreamID? {
        if text.count > 2 * plainDigitsMax + 1 { return nil }
        var (first, value, digits) = (UInt64(0), UInt64(0), 0)
        var hasHyphen = false
        for index in 0..<text.count {
            let byte = text.start.load(fromByteOffset: index, as: UInt8.self)
            if byte == UInt8(ascii: "-"), !hasHyphen, digits > 0 {
                (first, value, digits, hasHyphen) = (value, 0, 0, true)
                continue
            }
            let digit = byte &- UInt8(ascii: "0")
            if digit > 9 || digits == plainDigitsMax { return nil }
            value = value &* 10 &+ UInt64(digit)
            digits += 1
        }
        return hasHyphen && digits > 0 ? StreamID(milliseconds: first, sequence: value) : nil
    }

    /// An unsigned number as Redis reads it: a plain one, or what C's `strtoull` takes (blanks in front, a sign, leading zeros).
    private static func number(_ text: ByteView) -> UInt64? {
        if let plain = parseUnsigned(text) { return plain }
        if let negative = parseInteger(text), negative < 0 { return nil }
        var index = 0
        while index < text.count && (text[index] == 0x20 || text[index] >= 0x09 && text[index] <= 0x0D) { index += 1 }
        let isNegative = index < text.count && text[index] == UInt8(ascii: "-")
        if index < text.count && (isNegative || text[index] == UInt8(ascii: "+")) { index += 1 }
        if index == text.count { return nil }
        var value: UInt64 = 0
        while index < text.count {
            let digit = UInt64(text[index] &- 0x30)
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(digit)
            if digit > 9 || overflow || carry { return nil }
            value = sum
            index += 1
        }
        return isNegative ? 0 &- value : value
    }
}
