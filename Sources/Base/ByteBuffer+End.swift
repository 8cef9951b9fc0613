extension ByteBuffer {
    /// The end of the buffer, where is written.
    @inlinable @inline(__always)
    package var end: End { End(state: state) }

    /// The end of a buffer without a reference to the buffer: who writes through one counts nothing. (Counting a reference costs
    /// as much as writing a short reply, and a command would count several.) Valid as long as somebody else has the buffer.
    @frozen @usableFromInline
    package struct End {
        @usableFromInline let state: UnsafeMutablePointer<State>

        @inlinable @inline(__always)
        init(state: UnsafeMutablePointer<State>) { self.state = state }

        /// Number of bytes that can be read.
        @inlinable @inline(__always)
        package var count: Int { state.pointee.tail - state.pointee.head }

        /// The bytes that can be read.
        @inlinable @inline(__always)
        package var view: ByteView { ByteView(start: UnsafeRawPointer(state.pointee.storage) + state.pointee.head, count: count) }

        /// As `ByteBuffer.reserve`.
        @inlinable @inline(__always)
        package func reserve(_ count: Int) -> UnsafeMutableRawBufferPointer {
            if state.pointee.capacity - state.pointee.tail < count { state.pointee.grow(count) }
            return UnsafeMutableRawBufferPointer(
                start: state.pointee.storage + state.pointee.tail, count: state.pointee.capacity - state.pointee.tail)
        }

        /// As `ByteBuffer.commit`.
        @inlinable @inline(__always)
        package func commit(_ count: Int) {
            check(count >= 0 && count <= state.pointee.capacity - state.pointee.tail, "only reserved bytes are committed")
            state.pointee.tail += count
        }

        /// As `ByteBuffer.truncate`.
        @inlinable
        package func truncate(to count: Int) {
            check(count >= 0 && count <= self.count, "a buffer is only cut shorter")
            state.pointee.tail = state.pointee.head + count
        }

        /// Appends the bytes of a view, which must not lie in this buffer.
        @inlinable
        package func append(_ view: ByteView) {
            if view.count == 0 { return }
            (reserve(view.count).baseAddress.unsafelyUnwrapped).copyMemory(from: view.start, byteCount: view.count)
            state.pointee.tail += view.count
        }

        /// Whether both are ends of the same buffer.
        @inlinable @inline(__always)
        package func isSame(_ other: End) -> Bool { state == other.state }
    }
}
