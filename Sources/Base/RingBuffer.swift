/// A growing first-in-first-out queue with random access, in one allocation. Front and back operations take constant time.
@frozen @usableFromInline
package struct RingBuffer<Element> {
    @usableFromInline var slots: [Element?]
    @usableFromInline var head = 0
    @usableFromInline package var count = 0

    /// An empty queue.
    @inlinable
    package init() { slots = Array(repeating: nil, count: 8) }

    /// Whether nothing is queued.
    @inlinable package var isEmpty: Bool { count == 0 }

    /// The oldest element.
    @inlinable package var first: Element? { count == 0 ? nil : slots[head] }

    /// The newest element.
    @inlinable package var last: Element? { count == 0 ? nil : slots[position(count - 1)] }

    @inlinable
    func position(_ index: Int) -> Int { (head + index) & (slots.count - 1) }

    /// The element `index` places behind the oldest.
    @inlinable
    package subscript(index: Int) -> Element {
        get {
            check(index >= 0 && index < count, "an index lies inside its queue")
            guard let element = slots[position(index)] else { checkFailed("a queued slot is filled", file: #fileID, line: #line) }
            return element
        }
        set {
            check(index >= 0 && index < count, "an index lies inside its queue")
            slots[position(index)] = newValue
        }
    }

    /// Adds behind the newest.
    @inlinable
    package mutating func append(_ element: Element) {
        if count == slots.count {
            var larger: [Element?] = []
            larger.reserveCapacity(count * 2)
            for index in 0..<count { larger.append(slots[position(index)]) }
            larger.append(contentsOf: repeatElement(nil, count: count))
            slots = larger
            head = 0
        }
        slots[position(count)] = element
        count += 1
    }

    /// Takes the oldest out.
    @inlinable
    package mutating func popFirst() -> Element? {
        if count == 0 { return nil }
        let element = slots[head]
        slots[head] = nil
        head = (head + 1) & (slots.count - 1)
        count -= 1
        return element
    }

    /// Takes the newest out.
    @inlinable
    package mutating func popLast() -> Element? {
        if count == 0 { return nil }
        let index = position(count - 1)
        let element = slots[index]
        slots[index] = nil
        count -= 1
        return element
    }

    /// Empties the queue.
    @inlinable
    package mutating func removeAll() { self = RingBuffer() }
}
