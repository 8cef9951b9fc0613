import Base

/// The keys of one keyspace that have a deadline, soonest first: a heap of four children per node in which every entry
/// knows its place, so that a changed or dropped deadline leaves nothing behind.
///
/// The order is total and does not depend on layout or history (deadline, then hash, then key): every node removes
/// expired keys in the same order.
final class ExpiryHeap {
    /// What is known of a key without looking at it.
    struct Element {
        var deadline: Int64
        var hash: UInt64
        var entry: Entry
    }

    @exclusivity(unchecked) private var elements: [Element] = []
    /// Sum of all deadlines, for the average time to live. Wraps; only the difference from `count` times now matters.
    @exclusivity(unchecked) private(set) var deadlineSum: Int64 = 0

    /// Keys with a deadline.
    var count: Int { elements.count }

    /// The key that expires first.
    var first: Element? { elements.first }

    /// Bytes of memory.
    var memoryBytes: Int { elements.capacity * MemoryLayout<Element>.stride }

    /// Adds an entry that has its deadline set.
    func insert(_ entry: Entry, hash: UInt64) {
        let deadline = entry.deadlineField
        deadlineSum &+= deadline
        elements.append(Element(deadline: deadline, hash: hash, entry: entry))
        entry.heapIndex = elements.count - 1
        siftUp(elements.count - 1)
    }

    /// Takes an entry out.
    func remove(_ entry: Entry) {
        let index = position(of: entry)
        deadlineSum &-= elements[index].deadline
        entry.heapIndex = -1
        let last = elements.removeLast()
        if index == elements.count { return }
        elements[index] = last
        last.entry.heapIndex = index
        siftDown(index)
        siftUp(index)
    }

    /// Follows a deadline that was changed in the entry.
    func deadlineChanged(_ entry: Entry) {
        let index = position(of: entry)
        deadlineSum &+= entry.deadlineField &- elements[index].deadline
        elements[index].deadline = entry.deadlineField
        siftDown(index)
        siftUp(index)
    }

    /// Follows an entry that was moved to another allocation (same key, same deadline).
    func moved(to entry: Entry) {
        let index = entry.heapIndex
        check(index >= 0 && index < elements.count, "an entry with a deadline has a place in the heap")
        check(elements[index].deadline == entry.deadlineField, "the heap knows the deadline of its entries")
        elements[index].entry = entry
    }

    private func position(of entry: Entry) -> Int {
        let index = entry.heapIndex
        check(index >= 0 && index < elements.count, "an entry with a deadline has a place in the heap")
        check(elements[index].entry.pointer == entry.pointer, "an entry's place in the heap holds that entry")
        return index
    }

    private func precedes(_ a: Element, _ b: Element) -> Bool {
        if a.deadline != b.deadline { return a.deadline < b.deadline }
        if a.hash != b.hash { return a.hash < b.hash }
        return a.entry.key.compare(b.entry.key) < 0
    }

    private func siftUp(_ start: Int) {
        var index = start
        let element = elements[index]
        while index > 0 {
            let parent = (index - 1) / 4
            if !precedes(element, elements[parent]) { break }
            elements[index] = elements[parent]
            elements[index].entry.heapIndex = index
            index = parent
        }
        elements[index] = element
        element.entry.heapIndex = index
    }

    private func siftDown(_ start: Int) {
        var index = start
        let element = elements[index]
        while true {
            let children = index * 4 + 1
            if children >= elements.count { break }
            var least = children
            var child = children + 1
            while child < min(children + 4, elements.count) {
                if precedes(elements[child], elements[least]) { least = child }
                child += 1
            }
            if !precedes(elements[least], element) { break }
            elements[index] = elements[least]
            elements[index].entry.heapIndex = index
            index = least
        }
        elements[index] = element
        element.entry.heapIndex = index
    }

    /// Checks the heap's order and every entry's place; for tests.
    func checkInvariants() {
        for (index, element) in elements.enumerated() {
            check(element.entry.heapIndex == index, "an entry knows its place in the heap")
            check(element.entry.deadlineField == element.deadline, "the heap knows the deadline of its entries")
            check(index == 0 || !precedes(element, elements[(index - 1) / 4]), "a parent expires no later than its children")
        }
    }
}
