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

    /// The elements, in pages so that growing copies none of them.
    @exclusivity(unchecked) private var pages: [UnsafeMutablePointer<Element>] = []
    /// Keys with a deadline.
    @exclusivity(unchecked) private(set) var count = 0
    /// Sum of all deadlines, for the average time to live. Wraps; only the difference from `count` times now matters.
    @exclusivity(unchecked) private(set) var deadlineSum: Int64 = 0

    /// Elements of a page.
    private static let pageElements = 4096

    deinit { for page in pages { page.deallocate() } }

    /// The key that expires first.
    var first: Element? { count == 0 ? nil : self[0] }

    /// Bytes of memory.
    var memoryBytes: Int { pages.count * ExpiryHeap.pageElements * MemoryLayout<Element>.stride }

    @inline(__always)
    private subscript(index: Int) -> Element {
        get {
            check(index >= 0 && index < count, "a place in the heap lies inside it")
            return pages[index / ExpiryHeap.pageElements][index % ExpiryHeap.pageElements]
        }
        set {
            check(index >= 0 && index < count, "a place in the heap lies inside it")
            pages[index / ExpiryHeap.pageElements][index % ExpiryHeap.pageElements] = newValue
        }
    }

    private func append(_ element: Element) {
        if count == pages.count * ExpiryHeap.pageElements { pages.append(.allocate(capacity: ExpiryHeap.pageElements)) }
        count += 1
        self[count - 1] = element
    }

    private func removeLast() -> Element {
        let last = self[count - 1]
        count -= 1
        // One empty page stays, so that a count around a page's end does not allocate each time.
        if pages.count * ExpiryHeap.pageElements >= count + 2 * ExpiryHeap.pageElements { pages.removeLast().deallocate() }
        return last
    }

    /// Adds an entry that has its deadline set.
    func insert(_ entry: Entry, hash: UInt64) {
        let deadline = entry.deadlineField
        deadlineSum &+= deadline
        append(Element(deadline: deadline, hash: hash, entry: entry))
        entry.heapIndex = count - 1
        siftUp(count - 1)
    }

    /// Takes an entry out.
    func remove(_ entry: Entry) {
        let index = position(of: entry)
        deadlineSum &-= self[index].deadline
        entry.heapIndex = -1
        let last = removeLast()
        if index == count { return }
        self[index] = last
        last.entry.heapIndex = index
        siftDown(index)
        siftUp(index)
    }

    /// Follows a deadline that was changed in the entry.
    func deadlineChanged(_ entry: Entry) {
        let index = position(of: entry)
        deadlineSum &+= entry.deadlineField &- self[index].deadline
        self[index].deadline = entry.deadlineField
        siftDown(index)
        siftUp(index)
    }

    /// Follows an entry that was moved to another allocation (same key, same deadline).
    func moved(to entry: Entry) {
        let index = entry.heapIndex
        check(index >= 0 && index < count, "an entry with a deadline has a place in the heap")
        check(self[index].deadline == entry.deadlineField, "the heap knows the deadline of its entries")
        self[index].entry = entry
    }

    /// Keys whose deadline is at or before a time. Looks at these and their children alone.
    func countDue(by time: Int64) -> Int {
        guard let first, first.deadline <= time else { return 0 }
        var due = 0
        var open = [0]
        while let index = open.popLast() {
            due += 1
            let children = index * 4 + 1
            for child in children..<max(children, min(children + 4, count)) where self[child].deadline <= time {
                open.append(child)
            }
        }
        return due
    }

    private func position(of entry: Entry) -> Int {
        let index = entry.heapIndex
        check(index >= 0 && index < count, "an entry with a deadline has a place in the heap")
        check(self[index].entry.pointer == entry.pointer, "an entry's place in the heap holds that entry")
        return index
    }

    private func precedes(_ a: Element, _ b: Element) -> Bool {
        if a.deadline != b.deadline { return a.deadline < b.deadline }
        if a.hash != b.hash { return a.hash < b.hash }
        return a.entry.key.compare(b.entry.key) < 0
    }

    private func siftUp(_ start: Int) {
        var index = start
        let element = self[index]
        while index > 0 {
            let parent = (index - 1) / 4
            if !precedes(element, self[parent]) { break }
            self[index] = self[parent]
            self[index].entry.heapIndex = index
            index = parent
        }
        self[index] = element
        element.entry.heapIndex = index
    }

    private func siftDown(_ start: Int) {
        var index = start
        let element = self[index]
        while true {
            let children = index * 4 + 1
            if children >= count { break }
            var least = children
            var child = children + 1
            while child < min(children + 4, count) {
                if precedes(self[child], self[least]) { least = child }
                child += 1
            }
            if !precedes(self[least], element) { break }
            self[index] = self[least]
            self[index].entry.heapIndex = index
            index = least
        }
        self[index] = element
        element.entry.heapIndex = index
    }

    /// Checks the heap's order and every entry's place; for tests.
    func checkInvariants() {
        for index in 0..<count {
            let element = self[index]
            check(element.entry.heapIndex == index, "an entry knows its place in the heap")
            check(element.entry.deadlineField == element.deadline, "the heap knows the deadline of its entries")
            check(index == 0 || !precedes(element, self[(index - 1) / 4]), "a parent expires no later than its children")
        }
    }
}
