import Base

/// The arguments of one command: views into bytes that somebody else owns, kept as offsets so that the owner may move
/// the bytes between two pieces of input.
///
/// Reused: one instance serves every command of a thread, and allocates only when a command has more arguments than any
/// before it. Filled by `RequestParser`, or by a decoder of another encoding through `removeAll(over:)` and
/// `append(offset:count:)`. The views are valid as long as the bytes under them.
@usableFromInline
package final class Arguments {
    /// Where one argument lies, in bytes from the start of the base.
    @frozen @usableFromInline
    struct Slot {
        @usableFromInline var offset: Int
        @usableFromInline var count: Int
    }

    /// Slots that are kept allocated however large one command was.
    static let slotsKept = 1024

    /// What changes, behind a constant pointer for the reason that `ByteBuffer` gives.
    @frozen @usableFromInline
    struct State {
        /// The bytes that the offsets count from.
        @usableFromInline var base: ByteView
        @usableFromInline var slots: UnsafeMutablePointer<Slot>
        @usableFromInline var count = 0
        var capacity: Int
    }

    @usableFromInline let state: UnsafeMutablePointer<State>
    /// Owns the bytes of inline commands, whose quotes and escapes are resolved, and of words that were copied.
    let scratch = ByteBuffer(capacity: 16)

    /// An empty list with room for a usual command.
    package init() {
        state = .allocate(capacity: 1)
        state.initialize(to: State(base: .empty, slots: .allocate(capacity: 16), capacity: 16))
    }

    deinit {
        state.pointee.slots.deallocate()
        state.deallocate()
    }

    /// The arguments without a reference to the list: to read them counts nothing. Valid as long as somebody else has the list.
    @frozen @usableFromInline
    package struct Views {
        @usableFromInline let state: UnsafeMutablePointer<State>

        @inlinable @inline(__always)
        init(state: UnsafeMutablePointer<State>) { self.state = state }

        /// Number of arguments, the command's name included.
        @inlinable @inline(__always)
        package var count: Int { state.pointee.count }

        /// The argument at `index`, which must be in `0 ..< count`. The command's name is at 0.
        @inlinable @inline(__always)
        package subscript(index: Int) -> ByteView {
            check(index >= 0 && index < state.pointee.count, "an argument's index lies inside its command")
            let slot = state.pointee.slots[index]
            return state.pointee.base.slice(slot.offset, slot.count)
        }
    }

    /// The arguments, to be read while the list lives.
    @inlinable @inline(__always)
    package var views: Views { Views(state: state) }

    /// Number of arguments, the command's name included.
    @inlinable @inline(__always)
    package var count: Int { state.pointee.count }

    /// Whether there are no arguments.
    @inlinable @inline(__always)
    package var isEmpty: Bool { count == 0 }

    /// The argument at `index`, which must be in `0 ..< count`. The command's name is at 0.
    @inlinable @inline(__always)
    package subscript(index: Int) -> ByteView {
        check(index >= 0 && index < state.pointee.count, "an argument's index lies inside its command")
        let slot = state.pointee.slots[index]
        return state.pointee.base.slice(slot.offset, slot.count)
    }

    /// Bytes of all arguments together.
    package var byteCount: Int {
        var total = 0
        for index in 0..<count { total += state.pointee.slots[index].count }
        return total
    }

    /// At least `byteCount`, without a look at every argument: from the first one's beginning to the last one's end.
    @inline(__always)
    package var byteCountBound: Int {
        if count == 0 { return 0 }
        let last = state.pointee.slots[count - 1]
        return last.offset + last.count - state.pointee.slots[0].offset
    }

    /// Forgets all arguments; the next ones lie in `view`.
    @inline(__always)
    package func removeAll(over view: ByteView) {
        if state.pointee.capacity > Arguments.slotsKept && count <= Arguments.slotsKept / 2 { shrink() }
        state.pointee.base = view
        state.pointee.count = 0
    }

    /// Adds the `count` bytes at `offset` of the base as the next argument. They must lie in the base when the argument
    /// is read, not yet now.
    @inline(__always)
    package func append(offset: Int, count length: Int) {
        check(offset >= 0 && length >= 0, "an argument lies inside its base")
        if state.pointee.count == state.pointee.capacity { grow() }
        state.pointee.slots[state.pointee.count] = Slot(offset: offset, count: length)
        state.pointee.count += 1
    }

    /// Says where the bytes are now. The offsets stay.
    @inline(__always)
    func rebase(_ view: ByteView) { state.pointee.base = view }

    /// Swaps the lists (not the bases) of two instances, in constant time: how a parser keeps the first part of a command
    /// with many arguments until the rest arrives.
    func exchangeSlots(with other: Arguments) {
        let mine = state.pointee
        let theirs = other.state.pointee
        state.pointee = State(base: mine.base, slots: theirs.slots, count: theirs.count, capacity: theirs.capacity)
        other.state.pointee = State(base: theirs.base, slots: mine.slots, count: mine.count, capacity: mine.capacity)
    }

    @inline(never)
    private func grow() { reallocate(state.pointee.capacity * 2) }

    /// Gives back what one very large command needed.
    @inline(never)
    private func shrink() {
        state.pointee.count = 0
        reallocate(Arguments.slotsKept)
    }

    private func reallocate(_ capacity: Int) {
        check(capacity >= count, "no argument is lost when the list changes its size")
        let fresh = UnsafeMutablePointer<Slot>.allocate(capacity: capacity)
        fresh.update(from: state.pointee.slots, count: count)
        state.pointee.slots.deallocate()
        state.pointee.slots = fresh
        state.pointee.capacity = capacity
    }
}
