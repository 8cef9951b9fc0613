import CIntrinsics

/// An unowned view of bytes with bounds checks that stay on in release builds.
///
/// It does not keep the bytes alive: it is valid only during the call it was passed to, or as long as the owner
/// (usually a `ByteBuffer`) says. Copy what must live longer with `array` or `ByteBuffer.append`.
///
/// Why not `Span`: a span can't be stored in a type without the experimental `Lifetimes` feature, and parsers need to
/// keep views in argument lists. `docs/decisions/0001-byte-view.md` has the trade-off.
@frozen @usableFromInline
package struct ByteView {
    /// First byte. Meaningless when `count` is 0.
    @usableFromInline package let start: UnsafeRawPointer
    /// Number of bytes.
    @usableFromInline package let count: Int

    /// A view of `count` bytes from `start`.
    @inlinable @inline(__always)
    package init(start: UnsafeRawPointer, count: Int) {
        check(count >= 0, "a view has no negative length")
        self.start = start
        self.count = count
    }

    /// A view of a buffer pointer.
    @inlinable
    package init(_ buffer: UnsafeRawBufferPointer) {
        self.init(start: buffer.baseAddress ?? ByteView.nowhere, count: buffer.count)
    }

    /// A view of the UTF-8 bytes of a literal, which live as long as the process.
    @inlinable
    package init(_ literal: StaticString) {
        check(literal.hasPointerRepresentation, "a literal view needs a multi-byte literal")
        self.init(start: UnsafeRawPointer(literal.utf8Start), count: literal.utf8CodeUnitCount)
    }

    /// The view of no bytes.
    @inlinable
    package static var empty: ByteView { ByteView(start: nowhere, count: 0) }

    /// A non-null address for empty views; it is never read.
    @usableFromInline
    static var nowhere: UnsafeRawPointer { UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped }

    /// Whether there are no bytes.
    @inlinable @inline(__always)
    package var isEmpty: Bool { count == 0 }

    /// The byte at `index`, which must be in `0 ..< count`.
    @inlinable @inline(__always)
    package subscript(index: Int) -> UInt8 {
        check(index >= 0 && index < count, "an index lies inside its view")
        return start.load(fromByteOffset: index, as: UInt8.self)
    }

    /// The `count` bytes from `offset`; both must lie inside this view.
    @inlinable @inline(__always)
    package func slice(_ offset: Int, _ count: Int) -> ByteView {
        check(offset >= 0 && count >= 0 && offset <= self.count - count, "a slice lies inside its view")
        return ByteView(start: start + offset, count: count)
    }

    /// All bytes from `offset` on.
    @inlinable @inline(__always)
    package func dropFirst(_ offset: Int) -> ByteView { slice(offset, count - offset) }

    /// The little-endian integer at `offset`, unaligned.
    @inlinable @inline(__always)
    package func integer<Value: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: Value.Type) -> Value {
        check(offset >= 0 && offset <= count - MemoryLayout<Value>.size, "an integer lies inside its view")
        return Value(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    /// The bytes as a raw buffer pointer, for calls into the standard library.
    @inlinable
    package var rawBuffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    /// A copy of the bytes.
    package var array: [UInt8] { [UInt8](rawBuffer) }

    /// The bytes as text for messages, with invalid UTF-8 repaired. Not for keys or comparisons.
    package var text: String { String(decoding: rawBuffer, as: UTF8.self) }

    /// Index of the first `byte` at or after `from`, or nil.
    @inlinable
    package func firstIndex(of byte: UInt8, from: Int = 0) -> Int? {
        check(from >= 0 && from <= count, "a search starts inside its view")
        var index = from
        // Eight bytes at a time: a byte equal to `byte` becomes zero under the xor, and the classic bit trick finds it.
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        while index <= count - 8 {
            let word = start.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian ^ pattern
            let hit = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            if hit != 0 { return index + hit.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < count {
            if start.load(fromByteOffset: index, as: UInt8.self) == byte { return index }
            index += 1
        }
        return nil
    }

    /// Index of the first `byte` that stands directly in front of the bytes of `rest`, which must not be empty; nil where there is none.
    /// Costs a little for each 32 bytes, where few places end as `rest` does.
    package func firstIndex(of byte: UInt8, followedBy rest: ByteView) -> Int? {
        firstIndex(of: byte, followedBy: rest, wide: ByteView.hasAVX2)
    }

    /// As above; `wide` where the processor has AVX2.
    @inline(__always)
    func firstIndex(of byte: UInt8, followedBy rest: ByteView, wide: Bool) -> Int? {
        check(!rest.isEmpty, "what is searched for has more than one byte")
        if count <= rest.count { return nil }
        let bytes = start.assumingMemoryBound(to: UInt8.self)
        let others = rest.start.assumingMemoryBound(to: UInt8.self)
        let found =
            wide
            ? coracle_find_avx2(bytes, count, byte, others, rest.count) : coracle_find(bytes, count, byte, others, rest.count)
        check(found < count - rest.count, "what is found lies inside its view")
        return found < 0 ? nil : found
    }

    static let hasAVX2 = coracle_has_avx2()

    /// Whether all bytes are less than 128.
    @inlinable
    package var isASCII: Bool {
        var index = 0
        var bits: UInt64 = 0
        while index <= count - 8 {
            bits |= start.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < count {
            bits |= UInt64(start.load(fromByteOffset: index, as: UInt8.self))
            index += 1
        }
        return bits & 0x8080_8080_8080_8080 == 0
    }

    /// Whether both hold the same bytes.
    @inlinable
    package func equals(_ other: ByteView) -> Bool {
        if count != other.count { return false }
        var index = 0
        while index <= count - 8 {
            if start.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                != other.start.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            {
                return false
            }
            index += 8
        }
        while index < count {
            if start.load(fromByteOffset: index, as: UInt8.self) != other.start.load(fromByteOffset: index, as: UInt8.self) {
                return false
            }
            index += 1
        }
        return true
    }

    /// Whether the bytes equal `literal`, ignoring the case of ASCII letters. `literal` must be lower-case.
    @inlinable
    package func equalsIgnoringCase(_ literal: StaticString) -> Bool {
        let other = ByteView(literal)
        if count != other.count { return false }
        for index in 0..<count where lowercased(self[index]) != other[index] { return false }
        return true
    }

    /// Order of the bytes as unsigned numbers, shorter first on a tie (as `memcmp` and then length):
    /// negative, zero or positive.
    @inlinable
    package func compare(_ other: ByteView) -> Int {
        let shared = min(count, other.count)
        var index = 0
        while index <= shared - 8 {
            let mine = UInt64(bigEndian: start.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let theirs = UInt64(bigEndian: other.start.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            if mine != theirs { return mine < theirs ? -1 : 1 }
            index += 8
        }
        while index < shared {
            let mine = start.load(fromByteOffset: index, as: UInt8.self)
            let theirs = other.start.load(fromByteOffset: index, as: UInt8.self)
            if mine != theirs { return mine < theirs ? -1 : 1 }
            index += 1
        }
        return count - other.count
    }
}

/// The ASCII lower-case form of a byte; other bytes as they are.
@inlinable @inline(__always)
package func lowercased(_ byte: UInt8) -> UInt8 {
    byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
}

extension Array where Element == UInt8 {
    /// Calls `body` with a view of the array's bytes, valid during the call.
    @inlinable
    package func withView<Result>(_ body: (ByteView) throws -> Result) rethrows -> Result {
        try withUnsafeBytes { try body(ByteView($0)) }
    }
}
