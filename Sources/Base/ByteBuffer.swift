/// A growing buffer of raw bytes with a read end and a write end: input that arrives in pieces, output that leaves in
/// pieces, frames and log records under construction.
///
/// Bytes are appended at the end and consumed from the front. Views into it are valid until the next append, reserve
/// or consume. A class, so that a buffer has one owner and no hidden copies.
@usableFromInline
package final class ByteBuffer {
    /// What changes. It stands behind a constant pointer because the compiler can't prove exclusive access to a class's stored
    /// variables from another module, and then every append pays for a call into the runtime (measured: seven times the
    /// cost of writing a small reply).
    @frozen @usableFromInline
    struct State {
        @usableFromInline var storage: UnsafeMutableRawPointer
        /// Bytes allocated.
        @usableFromInline var capacity: Int
        /// Offset of the first byte not yet consumed.
        @usableFromInline var head = 0
        /// Offset behind the last byte written.
        @usableFromInline var tail = 0
        /// Alignment of the allocation in bytes (4096 for direct disk I/O).
        @usableFromInline let alignment: Int

        init(storage: UnsafeMutableRawPointer, capacity: Int, alignment: Int) {
            self.storage = storage
            self.capacity = capacity
            self.alignment = alignment
        }

        /// Makes room for `count` more bytes at the end.
        @inline(never) @usableFromInline
        mutating func grow(_ count: Int) {
            let used = tail - head
            // Moving to the front is enough when at least half of the buffer is consumed.
            if head > 0, capacity - used >= count, used <= capacity / 2 {
                storage.copyMemory(from: storage + head, byteCount: used)
            } else {
                var larger = capacity * 2
                while larger - used < count { larger *= 2 }
                let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: alignment)
                fresh.copyMemory(from: storage + head, byteCount: used)
                storage.deallocate()
                storage = fresh
                capacity = larger
            }
            head = 0
            tail = used
        }
    }

    @usableFromInline let state: UnsafeMutablePointer<State>

    @inlinable @inline(__always)
    var storage: UnsafeMutableRawPointer {
        get { state.pointee.storage }
        set { state.pointee.storage = newValue }
    }
    /// Bytes allocated.
    @inlinable @inline(__always)
    package internal(set) var capacity: Int {
        get { state.pointee.capacity }
        set { state.pointee.capacity = newValue }
    }
    @inlinable @inline(__always)
    var head: Int {
        get { state.pointee.head }
        set { state.pointee.head = newValue }
    }
    @inlinable @inline(__always)
    var tail: Int {
        get { state.pointee.tail }
        set { state.pointee.tail = newValue }
    }

    /// An empty buffer.
    ///
    /// - Parameters:
    ///   - capacity: bytes to allocate at once.
    ///   - alignment: of the first byte, in bytes; 4096 where the buffer is handed to direct disk I/O.
    package init(capacity: Int = 256, alignment: Int = 16) {
        check(capacity > 0 && alignment > 0, "a buffer has a capacity")
        state = .allocate(capacity: 1)
        let storage = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: alignment)
        state.initialize(to: State(storage: storage, capacity: capacity, alignment: alignment))
    }

    deinit {
        storage.deallocate()
        state.deallocate()
    }

    /// Number of bytes that can be read.
    @inlinable @inline(__always)
    package var count: Int { tail - head }

    /// Whether there is nothing to read.
    @inlinable @inline(__always)
    package var isEmpty: Bool { tail == head }

    /// The bytes that can be read.
    @inlinable @inline(__always)
    package var view: ByteView { ByteView(start: UnsafeRawPointer(storage) + head, count: tail - head) }

    /// Drops `count` bytes from the front.
    @inlinable
    package func consume(_ count: Int) {
        check(count >= 0 && count <= tail - head, "only bytes that are there are consumed")
        head += count
        if head == tail { head = 0; tail = 0 }
    }

    /// Cuts the buffer to its first `count` bytes: takes back what was appended last.
    @inlinable
    package func truncate(to count: Int) {
        check(count >= 0 && count <= tail - head, "a buffer is only cut shorter")
        tail = head + count
    }

    /// Drops everything. Gives memory above `keeping` bytes back.
    package func removeAll(keeping: Int = 1 << 16) {
        head = 0
        tail = 0
        if capacity > keeping {
            storage.deallocate()
            capacity = max(keeping, 16)
            storage = .allocate(byteCount: capacity, alignment: state.pointee.alignment)
        }
    }

    /// Makes room for `count` more bytes and returns it; `commit` says how many were filled.
    @inlinable
    package func reserve(_ count: Int) -> UnsafeMutableRawBufferPointer {
        if capacity - tail < count { grow(count) }
        return UnsafeMutableRawBufferPointer(start: storage + tail, count: capacity - tail)
    }

    /// Counts `count` bytes of what `reserve` returned as written.
    @inlinable
    package func commit(_ count: Int) {
        check(count >= 0 && count <= capacity - tail, "only reserved bytes are committed")
        tail += count
    }

    @inlinable @inline(__always)
    func grow(_ count: Int) { state.pointee.grow(count) }

    /// Appends the bytes of a view, which must not lie in this buffer.
    @inlinable
    package func append(_ view: ByteView) {
        if view.count == 0 { return }
        if capacity - tail < view.count { grow(view.count) }
        (storage + tail).copyMemory(from: view.start, byteCount: view.count)
        tail += view.count
    }

    /// Appends one byte.
    @inlinable @inline(__always)
    package func append(byte: UInt8) {
        if capacity - tail < 1 { grow(1) }
        storage.storeBytes(of: byte, toByteOffset: tail, as: UInt8.self)
        tail += 1
    }

    /// Appends the UTF-8 bytes of a literal.
    @inlinable
    package func append(_ literal: StaticString) { append(ByteView(literal)) }

    /// Appends the UTF-8 bytes of a string. Not for hot paths.
    package func append(text: String) {
        var copy = text
        copy.withUTF8 { append(ByteView(UnsafeRawBufferPointer($0))) }
    }

    /// Appends the bytes of an array.
    @inlinable
    package func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append(ByteView($0)) } }

    /// Appends an integer in little-endian order.
    @inlinable @inline(__always)
    package func append<Value: FixedWidthInteger & BitwiseCopyable>(integer value: Value) {
        let size = MemoryLayout<Value>.size
        if capacity - tail < size { grow(size) }
        storage.storeBytes(of: value.littleEndian, toByteOffset: tail, as: Value.self)
        tail += size
    }

    /// Appends `count` zero bytes.
    package func append(zeros count: Int) {
        if count == 0 { return }
        if capacity - tail < count { grow(count) }
        (storage + tail).initializeMemory(as: UInt8.self, repeating: 0, count: count)
        tail += count
    }

    /// Overwrites an integer at `offset` bytes from the front, in little-endian order (lengths and checksums that are
    /// known only at the end).
    @inlinable
    package func overwrite<Value: FixedWidthInteger & BitwiseCopyable>(at offset: Int, integer value: Value) {
        check(offset >= 0 && offset <= count - MemoryLayout<Value>.size, "only written bytes are overwritten")
        storage.storeBytes(of: value.littleEndian, toByteOffset: head + offset, as: Value.self)
    }

    /// Appends an unsigned integer in 7-bit groups, low group first, at most 10 bytes (LEB128).
    @inlinable
    package func append(variable value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(byte: UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(byte: UInt8(truncatingIfNeeded: rest))
    }

    /// Appends a signed integer in decimal digits.
    @inlinable
    package func append(decimal value: Int64) {
        if capacity - tail < 20 { grow(20) }
        var magnitude = value.magnitude
        if value < 0 {
            storage.storeBytes(of: 0x2D, toByteOffset: tail, as: UInt8.self)
            tail += 1
        }
        let digits = decimalDigitCount(magnitude)
        var position = tail + digits
        repeat {
            position -= 1
            let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: 10)
            storage.storeBytes(of: 0x30 + UInt8(truncatingIfNeeded: remainder), toByteOffset: position, as: UInt8.self)
            magnitude = quotient
        } while magnitude != 0
        tail += digits
    }
}

/// Number of decimal digits of `value` (1 for 0).
@inlinable
package func decimalDigitCount(_ value: UInt64) -> Int {
    var rest = value
    var digits = 1
    while rest >= 10_000 {
        rest /= 10_000
        digits += 4
    }
    if rest >= 100 { return digits + (rest >= 1000 ? 3 : 2) }
    return digits + (rest >= 10 ? 1 : 0)
}
