import Base
import CLinux
import Glibc
import Synchronization

/// A bounded queue between two threads, with an eventfd that wakes the taker: in its own blocking `wait`, or in an event loop
/// that watches `descriptor`.
package final class Mailbox<Item: Sendable>: Sendable {
    private struct State {
        var items: [Item] = []
        /// The taker sleeps, or is about to: the next post has to wake it.
        var isTakerAsleep: Bool
        var isClosed = false
    }

    private let state: Mutex<State>
    private let capacity: Int
    /// Signalled when there is something to take.
    package let descriptor: Int32

    /// An empty mailbox for `capacity` items.
    ///
    /// - Parameter isWatched: the taker is an event loop: every post signals. Otherwise only one that finds the taker asleep.
    /// - Throws: `system`.
    package init(capacity: Int, isWatched: Bool) throws(PosixError) {
        check(capacity > 0, "a mailbox has room")
        self.capacity = capacity
        state = Mutex(State(isTakerAsleep: isWatched))
        // A watching loop must not block if it reads the counter; a thread waits by reading it.
        let flags = coracle_eventfd_cloexec() | (isWatched ? coracle_eventfd_nonblock() : 0)
        descriptor = eventfd(0, flags)
        if descriptor < 0 { throw .system(operation: "make an eventfd", code: coracle_errno()) }
    }

    deinit { Glibc.close(descriptor) }

    /// Puts an item in. False when the mailbox is full or closed: the item was not taken.
    package func post(_ item: Item) -> Bool {
        let (isTaken, wakes) = state.withLock { state in
            if state.items.count >= capacity || state.isClosed { return (false, false) }
            state.items.append(item)
            return (true, state.isTakerAsleep)
        }
        if wakes { signal() }
        return isTaken
    }

    /// Takes all there is, in order, without waiting.
    package func takeAll() -> [Item] {
        state.withLock { state in
            if state.items.isEmpty { return [] }
            let items = state.items
            state.items = []
            return items
        }
    }

    /// Takes all there is, in order, and waits when there is nothing. Nil when the mailbox is closed and empty.
    /// For one taker, on a mailbox that is not watched.
    package func waitAndTakeAll() -> [Item]? {
        while true {
            let (items, isClosed) = state.withLock { state -> ([Item], Bool) in
                state.isTakerAsleep = state.items.isEmpty
                let items = state.items
                state.items = []
                return (items, state.isClosed)
            }
            if !items.isEmpty { return items }
            if isClosed { return nil }
            var count: UInt64 = 0
            // Interrupted or not: the state is looked at again.
            _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
        }
    }

    /// Lets the taker finish what is in and then end.
    package func close() {
        state.withLock { $0.isClosed = true }
        signal()
    }

    private func signal() {
        var one: UInt64 = 1
        let count = write(descriptor, &one, MemoryLayout<UInt64>.size)
        // EAGAIN: the counter is at its end, so the taker is signalled anyway.
        check(count == MemoryLayout<UInt64>.size || coracle_errno() == EAGAIN, "an eventfd takes its signal")
    }
}
