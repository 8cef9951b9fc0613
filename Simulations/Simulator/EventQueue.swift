import Base

/// What is going to happen, in the order in which it happens: by time, and at the same time by the order of scheduling. So
/// the order is total and the same in every run of a seed.
///
/// A binary heap. Events are never taken out early: who schedules one that may become void gives it the number of the run,
/// connection or phase that it belongs to and ignores it when that is over.
package struct EventQueue<Event: Sendable>: Sendable {
    private struct Item: Sendable {
        var time: Instant
        var sequence: UInt64
        var event: Event

        func precedes(_ other: Item) -> Bool {
            time != other.time ? time < other.time : sequence < other.sequence
        }
    }

    private var heap: [Item] = []
    /// Events scheduled so far; the number of the last one.
    package private(set) var scheduled: UInt64 = 0

    package init() {}

    /// Number of events that wait.
    package var count: Int { heap.count }

    /// When the next event is due, or nil when there is none.
    package var nextTime: Instant? { heap.first?.time }

    /// Adds an event.
    package mutating func schedule(_ event: Event, at time: Instant) {
        scheduled += 1
        heap.append(Item(time: time, sequence: scheduled, event: event))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if !heap[child].precedes(heap[parent]) { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes out the next event.
    package mutating func next() -> (time: Instant, sequence: UInt64, event: Event)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return (first.time, first.sequence, first.event)
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            let left = 2 * parent + 1
            if left < heap.count, heap[left].precedes(heap[least]) { least = left }
            if left + 1 < heap.count, heap[left + 1].precedes(heap[least]) { least = left + 1 }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
