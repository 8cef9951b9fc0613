import Base

/// One element of a packed list: an integer, where the bytes are exactly its decimal text, or the bytes.
struct PackedElement {
    /// The value where `isInteger`.
    let integer: Int64
    /// The bytes where not `isInteger`; valid as long as what they were read from is not changed.
    let bytes: ByteView
    let isInteger: Bool

    @inline(__always) init(integer: Int64) {
        self.integer = integer
        bytes = .empty
        isInteger = true
    }

    /// The bytes as they are, even where they look like a number.
    @inline(__always) init(raw bytes: ByteView) {
        integer = 0
        self.bytes = bytes
        isInteger = false
    }

    /// An element that is stored as an integer where the text allows it.
    @inline(__always) init(_ bytes: ByteView) {
        if let value = PackedElement.canonicalInteger(bytes) {
            self.init(integer: value)
        } else {
            self.init(raw: bytes)
        }
    }

    /// The value of `text` where it is a decimal that prints as the same text again: no sign plus, no leading zero, at
    /// most 20 bytes.
    static func canonicalInteger(_ text: ByteView) -> Int64? {
        let count = text.count
        if count == 0 || count > 20 { return nil }
        let bytes = text.start
        let first = bytes.load(as: UInt8.self)
        let negative = first == 0x2D
        var index = negative ? 1 : 0
        if index == count { return nil }
        let lead = bytes.load(fromByteOffset: index, as: UInt8.self)
        if lead == 0x30 { return count == 1 ? 0 : nil }
        if lead < 0x31 || lead > 0x39 { return nil }
        var magnitude: UInt64 = 0
        while index < count {
            let digit = bytes.load(fromByteOffset: index, as: UInt8.self) &- 0x30
            if digit > 9 { return nil }
            let (tens, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(digit))
            if overflow || carry { return nil }
            magnitude = sum
            index += 1
        }
        if negative {
            if magnitude > UInt64(Int64.max) + 1 { return nil }
            return Int64(truncatingIfNeeded: 0 &- magnitude)
        }
        return magnitude > UInt64(Int64.max) ? nil : Int64(magnitude)
    }

    /// Whether both stand for the same bytes. Both must have been made by the same rule (integers as integers).
    @inline(__always) func equals(_ other: PackedElement) -> Bool {
        if isInteger != other.isInteger { return false }
        return isInteger ? integer == other.integer : bytes.equals(other.bytes)
    }

    /// Calls `body` with the element's bytes, the digits of an integer included.
    @inline(__always)
    func withBytes<Result>(_ body: (ByteView) -> Result) -> Result {
        if !isInteger { return body(bytes) }
        return withDecimal(integer, body)
    }

    /// Length of the bytes, digits included.
    var byteCount: Int {
        if !isInteger { return bytes.count }
        return decimalDigitCount(integer.magnitude) + (integer < 0 ? 1 : 0)
    }

    /// A copy of the bytes. Not for hot paths.
    var array: [UInt8] { withBytes { $0.array } }
}

/// Calls `body` with the decimal digits of `value`, made on the stack.
@inline(__always)
func withDecimal<Result>(_ value: Int64, _ body: (ByteView) -> Result) -> Result {
    withUnsafeTemporaryAllocation(byteCount: 24, alignment: 8) { space in
        guard let base = space.baseAddress else { return body(.empty) }
        var magnitude = value.magnitude
        var position = 24
        repeat {
            let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: 10)
            position -= 1
            base.storeBytes(of: 0x30 + UInt8(truncatingIfNeeded: remainder), toByteOffset: position, as: UInt8.self)
            magnitude = quotient
        } while magnitude != 0
        if value < 0 {
            position -= 1
            base.storeBytes(of: 0x2D, toByteOffset: position, as: UInt8.self)
        }
        return body(ByteView(start: UnsafeRawPointer(base) + position, count: 24 - position))
    }
}
