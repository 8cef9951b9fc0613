import Base

/// Takes lengths, strings and numbers of the RDB format from bytes that nobody vouches for: what does not fit is an error.
package final class RDBReader {
    @exclusivity(unchecked) private var reader: ByteReader
    /// Texts of integers and unfolded strings, in turn, so that two strings are valid at a time. Nil where none was needed yet.
    @exclusivity(unchecked) private var scratch: (ByteBuffer?, ByteBuffer?) = (nil, nil)
    /// Bytes that compressed strings have unfolded to so far.
    @exclusivity(unchecked) private var expandedBytes = 0

    /// Starts at the front of `view`, which must stay valid as long as the reader.
    package init(_ view: ByteView) { reader = ByteReader(view) }

    /// Offset of the next byte.
    package var offset: Int { reader.offset }
    /// Bytes not yet read.
    package var remaining: Int { reader.remaining }

    /// The bytes between two offsets that were passed.
    package func slice(from start: Int, to end: Int) -> ByteView { reader.view.slice(start, end - start) }

    /// Another reader of the same bytes, at the front of them.
    func again() -> RDBReader { RDBReader(reader.view) }

    /// Goes back to an offset that was passed, here or by another reader of the same bytes.
    func go(to offset: Int) {
        check(offset >= 0 && offset <= reader.view.count, "a reader stays inside its bytes")
        reader.offset = offset
    }

    /// Asks for the bytes at an offset.
    @inline(__always)
    func warm(_ offset: Int) { prefetch(reader.view.start + offset, lines: 1) }

    /// Begins a new value: what its strings may unfold to is counted anew.
    package func beginValue() { expandedBytes = 0 }

    /// The next byte.
    package func byte() throws(RDBError) -> UInt8 { try integer(UInt8.self) }

    /// The next little-endian integer.
    package func integer<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type) throws(RDBError) -> Value {
        guard let value = reader.integer(type) else { throw .truncated }
        return value
    }

    /// The next `count` bytes as they are.
    package func bytes(_ count: Int) throws(RDBError) -> ByteView {
        guard let bytes = reader.bytes(count) else { throw .truncated }
        return bytes
    }

    /// What a length's first byte announces.
    private enum Length {
        case number(UInt64)
        /// A string in one of the special encodings.
        case encoded(UInt8)
    }

    private func anyLength() throws(RDBError) -> Length {
        let first = try byte()
        switch first >> 6 {
        case 0: return .number(UInt64(first & 0x3F))
        case 1: return .number(UInt64(first & 0x3F) << 8 | UInt64(try byte()))
        case 3: return .encoded(first & 0x3F)
        default:
            if first == 0x80 { return .number(UInt64(try integer(UInt32.self).byteSwapped)) }
            if first == 0x81 { return .number(try integer(UInt64.self).byteSwapped) }
            throw .invalidLength
        }
    }

    /// The next number in the encoding of lengths, of any size.
    package func number() throws(RDBError) -> UInt64 {
        guard case .number(let value) = try anyLength() else { throw .invalidLength }
        return value
    }

    /// The next count of things that take at least `bytesEach` bytes each, so that no count is larger than what follows can hold.
    package func count(bytesEach: Int = 1) throws(RDBError) -> Int {
        let value = try number()
        guard value <= UInt64(reader.remaining / bytesEach) else { throw .invalidLength }
        return Int(value)
    }

    /// The next string; valid until the string after the next one is read.
    package func string() throws(RDBError) -> ByteView {
        switch try anyLength() {
        case .number(let count):
            guard count <= UInt64(reader.remaining) else { throw .truncated }
            if count > UInt64(RDBFormat.stringBytesMax) { throw .tooLarge }
            return try bytes(Int(count))
        case .encoded(0): return text(of: Int64(try integer(Int8.self)))
        case .encoded(1): return text(of: Int64(try integer(Int16.self)))
        case .encoded(2): return text(of: Int64(try integer(Int32.self)))
        case .encoded(3): return try compressed()
        case .encoded: throw .invalidString
        }
    }

    private func nextScratch(_ count: Int) -> ByteBuffer {
        let next = scratch.1 ?? ByteBuffer(capacity: max(64, count))
        scratch = (next, scratch.0)
        next.removeAll()
        return next
    }

    private func text(of value: Int64) -> ByteView {
        let buffer = nextScratch(32)
        buffer.append(decimal: value)
        return buffer.view
    }

    private func compressed() throws(RDBError) -> ByteView {
        let count = try number()
        let expected = try number()
        guard count <= UInt64(reader.remaining) else { throw .truncated }
        if count == 0 || expected == 0 { throw .invalidString }
        if expected > UInt64(RDBFormat.expandedBytesMax - expandedBytes) { throw .tooLarge }
        let input = try bytes(Int(count))
        // A count that nobody vouches for: no more room at once than the input can need.
        let buffer = nextScratch(min(Int(expected), 64 * Int(count)))
        guard LZF.decompress(input, expected: Int(expected), into: buffer) else { throw .invalidString }
        expandedBytes += Int(expected)
        return buffer.view
    }

    /// Passes over the next string without looking into it.
    package func skipString() throws(RDBError) {
        switch try anyLength() {
        case .number(let count):
            guard count <= UInt64(reader.remaining) else { throw .truncated }
            _ = try bytes(Int(count))
        case .encoded(0): _ = try bytes(1)
        case .encoded(1): _ = try bytes(2)
        case .encoded(2): _ = try bytes(4)
        case .encoded(3):
            let count = try number()
            _ = try number()
            guard count <= UInt64(reader.remaining) else { throw .truncated }
            _ = try bytes(Int(count))
        case .encoded: throw .invalidString
        }
    }

    /// The next score: eight bytes of a double, not NaN.
    package func binaryScore() throws(RDBError) -> Double {
        let score = Double(bitPattern: try integer(UInt64.self))
        if score.isNaN { throw .invalidScore }
        return score
    }

    /// The next score as the old form has it: a length, and so many bytes of text; three lengths stand for NaN and the infinities.
    package func textScore() throws(RDBError) -> Double {
        switch try byte() {
        case 253: throw .invalidScore
        case 254: return .infinity
        case 255: return -.infinity
        case let count: return try score(fromText: try bytes(Int(count)))
        }
    }
}
