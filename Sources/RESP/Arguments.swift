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

    /// The bytes that the offsets count from.
    @usableFromInline var base: ByteView = .empty
    @usableFromInline var slots: UnsafeMutablePointer<Slot>
    /// Number of arguments, the command's name included.
    @usableFromInline package private(set) var count = 0
    private var capacity: Int
    /// Owns the bytes of inline commands, whose quotes and escapes are resolved.
    let scratch = ByteBuffer(capacity: 16)

    /// An empty list with room for a usual command.
    package init() {
        capacity = 16
        slots = .allocate(capacity: capacity)
    }

    deinit { slots.deallocate() }

    /// Whether there are no arguments.
    @inlinable @inline(__always)
    package var isEmpty: Bool { count == 0 }

    /// The argument at `index`, which must be in `0 ..< count`. The command's name is at 0.
    @inlinable @inline(__always)
    package subscript(index: Int) -> ByteView {
        check(index >= 0 && index < count, "an argument's index lies inside its command")
        let slot = slots[index]
        return base.slice(slot.offset, slot.count)
    }

    /// Bytes of all arguments together.
    package var byteCount: Int {
        var total = 0
        for index in 0..<count { total += slots[index].count }
        return total
    }

    /// Forgets all arguments; the next ones lie in `view`.
    @inline(__always)
    package func removeAll(over view: ByteView) {
        if capacity > Arguments.slotsKept && count <= Arguments.slotsKept / 2 { shrink() }
        base = view
        count = 0
    }

    /// Adds the `count` bytes at `offset` of the base as the next argument. They must lie in the base when the argument
    /// is read, not yet now.
    @inline(__always)
    package func append(offset: Int, count length: Int) {
        check(offset >= 0 && length >= 0, "an argument lies inside its base")
        if count == capacity { grow() }
        slots[count] = Slot(offset: offset, count: length)
        count += 1
    }

    /// Says where the bytes are now. The offsets stay.
    @inline(__always)
    func rebase(_ view: ByteView) { base = view }

    /// Swaps the lists (not the bases) of two instances, in constant time: how a parser keeps the first part of a command
    /// with many arguments until the rest arrives.
    func exchangeSlots(with other: Arguments) {
        swap(&slots, &other.slots)
        swap(&count, &other.count)
        swap(&capacity, &other.capacity)
    }

    @inline(never)
    private func grow() {
        let larger = UnsafeMutablePointer<Slot>.allocate(capacity: capacity * 2)
        larger.update(from: slots, count: count)
        slots.deallocate()
        slots = larger
        capacity *= 2
    }

    /// Gives back what one very large command needed.
    @inline(never)
    private func shrink() {
        slots.deallocate()
        capacity = Arguments.slotsKept
        slots = .allocate(capacity: capacity)
        count = 0
    }
}
