/// Reads integers and byte strings from a view, front to back, for decoders of trusted and untrusted bytes alike: what
/// does not fit is nil, never a trap.
@frozen @usableFromInline
package struct ByteReader {
    /// All the bytes.
    @usableFromInline package let view: ByteView
    /// Offset of the next byte to read.
    @usableFromInline package var offset: Int

    /// Starts at the front of `view`.
    @inlinable
    package init(_ view: ByteView) {
        self.view = view
        offset = 0
    }

    /// Bytes not yet read.
    @inlinable
    package var remaining: Int { view.count - offset }

    /// The next little-endian integer, or nil at the end.
    @inlinable
    package mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type) -> Value? {
        if remaining < MemoryLayout<Value>.size { return nil }
        let value = view.integer(at: offset, as: type)
        offset += MemoryLayout<Value>.size
        return value
    }

    /// The next `count` bytes, or nil when there are fewer (or `count` is negative).
    @inlinable
    package mutating func bytes(_ count: Int) -> ByteView? {
        if count < 0 || remaining < count { return nil }
        let slice = view.slice(offset, count)
        offset += count
        return slice
    }

    /// The next LEB128 integer (see `ByteBuffer.append(variable:)`), or nil when it is cut short or longer than 64 bits.
    @inlinable
    package mutating func variable() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < view.count {
            let byte = view[offset]
            offset += 1
            if shift == 63 && byte > 1 { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
            if shift > 63 { return nil }
        }
        return nil
    }
}
