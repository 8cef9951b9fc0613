import Base

/// An inner page of a counted tree: for each child its page, the number of elements below it and, in trees with keys,
/// the smallest key below it.
///
/// Layout behind the page header (count = children, level = height above the leaves): 16 total elements (Int), 24 three
/// arrays of equal capacity: keys (UInt64), children (pointers), counts (Int).
struct CountedNode {
    let page: Page

    /// The most children of a node. With 64, a million elements in leaves of about 60 need two levels.
    static let childrenMax = 64
    /// Below this a node looks for a neighbour to merge with.
    static let childrenMin = 16

    @inline(__always) init(page: Page) { self.page = page }

    /// A node without children.
    init(level: UInt8, room: Int) {
        page = Page.allocate(.inner, level: level, bytes: 24 + 24 * min(max(room, 4), CountedNode.childrenMax + 1))
        total = 0
    }

    @inline(__always) var count: Int { page.count }
    @inline(__always) var room: Int { (page.capacity - 24) / 24 }

    /// Number of elements below.
    @inline(__always) var total: Int {
        get { page.start.load(fromByteOffset: 16, as: Int.self) }
        nonmutating set { page.start.storeBytes(of: newValue, toByteOffset: 16, as: Int.self) }
    }

    @inline(__always) private var keys: UnsafeMutableRawPointer { page.start + 24 }
    @inline(__always) private var children: UnsafeMutableRawPointer { page.start + (24 + 8 * room) }
    @inline(__always) private var counts: UnsafeMutableRawPointer { page.start + (24 + 16 * room) }

    /// The smallest key below child `index`.
    @inline(__always)
    func key(_ index: Int) -> UInt64 {
        check(index >= 0 && index < count, "a child is named by an index that exists")
        return keys.load(fromByteOffset: 8 * index, as: UInt64.self)
    }

    @inline(__always)
    func child(_ index: Int) -> Page {
        check(index >= 0 && index < count, "a child is named by an index that exists")
        return Page(start: children.load(fromByteOffset: 8 * index, as: UnsafeMutableRawPointer.self))
    }

    @inline(__always)
    func count(_ index: Int) -> Int {
        check(index >= 0 && index < count, "a child is named by an index that exists")
        return counts.load(fromByteOffset: 8 * index, as: Int.self)
    }

    /// Asks for the count of child `index`.
    @inline(__always)
    func warmCount(_ index: Int) { prefetch(counts + 8 * index, lines: 1) }

    /// Puts another page, or the same one changed, in the place of child `index`. Owners are the caller's business.
    @inline(__always)
    func set(_ index: Int, child: Page, key: UInt64, count elements: Int) {
        check(index >= 0 && index < count, "a child is named by an index that exists")
        total += elements - counts.load(fromByteOffset: 8 * index, as: Int.self)
        keys.storeBytes(of: key, toByteOffset: 8 * index, as: UInt64.self)
        children.storeBytes(of: child.start, toByteOffset: 8 * index, as: UnsafeMutableRawPointer.self)
        counts.storeBytes(of: elements, toByteOffset: 8 * index, as: Int.self)
    }

    /// Says where child `index` is now.
    @inline(__always)
    func setChild(_ index: Int, _ child: Page) {
        check(index >= 0 && index < count, "a child is named by an index that exists")
        children.storeBytes(of: child.start, toByteOffset: 8 * index, as: UnsafeMutableRawPointer.self)
    }

    /// Counts elements more (or less) below child `index`.
    @inline(__always)
    func add(_ change: Int, below index: Int) {
        counts.storeBytes(of: count(index) + change, toByteOffset: 8 * index, as: Int.self)
        total += change
    }

    /// Number of elements below the children before `index`.
    @inline(__always)
    func countBefore(_ index: Int) -> Int {
        var sum = 0
        for child in 0..<index { sum += count(child) }
        return sum
    }

    /// The child that holds element `rank` and the rank inside of that child. A rank behind the last element is behind the last
    /// element of the last child.
    @inline(__always)
    func child(holding rank: Int) -> (index: Int, rest: Int) {
        var rest = rank
        let last = count - 1
        if rank * 2 > total {
            // From the end: pushes and pops there look at one child.
            var before = total
            var index = last
            while index > 0 {
                before -= count(index)
                if rank >= before { return (index, rank - before) }
                index -= 1
            }
            return (0, rank)
        }
        var index = 0
        while index < last {
            let here = count(index)
            if rest < here { return (index, rest) }
            rest -= here
            index += 1
        }
        return (last, rest)
    }

    /// Number of children whose smallest key is less than `key`.
    @inline(__always)
    func childrenBelow(_ key: UInt64) -> Int { countBelow(key, from: keys, count: count, stride: 8) }

    /// A node with the children in `range`; they get one owner more.
    func copied(_ range: Range<Int>, room: Int) -> CountedNode {
        let copy = CountedNode(level: page.level, room: room)
        copy.take(from: self, range)
        for index in 0..<copy.count { copy.child(index).retain() }
        return copy
    }

    /// Appends entries of `other` without touching the owners of their children.
    func take(from other: CountedNode, _ range: Range<Int>) {
        let start = count
        check(start + range.count <= room, "a node has room for the children it takes")
        (keys + 8 * start).copyMemory(from: other.keys + 8 * range.lowerBound, byteCount: 8 * range.count)
        (children + 8 * start).copyMemory(from: other.children + 8 * range.lowerBound, byteCount: 8 * range.count)
        (counts + 8 * start).copyMemory(from: other.counts + 8 * range.lowerBound, byteCount: 8 * range.count)
        page.count = start + range.count
        var sum = 0
        for index in start..<(start + range.count) { sum += count(index) }
        total += sum
    }

    /// Inserts a child, whose one count moves into the node. Returns the node, at another place where it had to grow. The
    /// node must have one owner.
    func inserting(_ child: Page, key: UInt64, count elements: Int, at index: Int) -> CountedNode {
        check(index >= 0 && index <= count && page.isUnique, "a child is inserted at a place that exists, by the only owner")
        var node = self
        if count == room {
            node = CountedNode(level: page.level, room: count + max(4, count / 4))
            node.take(from: self, 0..<count)
            page.deallocateMoved()
        }
        let after = count(after: index, in: node)
        for array in [node.keys, node.children, node.counts] {
            (array + 8 * (index + 1)).copyMemory(from: array + 8 * index, byteCount: 8 * after)
        }
        node.page.count += 1
        node.counts.storeBytes(of: 0, toByteOffset: 8 * index, as: Int.self)
        node.set(index, child: child, key: key, count: elements)
        return node
    }

    private func count(after index: Int, in node: CountedNode) -> Int { node.count - index }

    /// Takes child `index` out of the node. Its owner is the caller's business.
    func remove(at index: Int) {
        total -= count(index)
        let after = count - index - 1
        for array in [keys, children, counts] {
            (array + 8 * index).copyMemory(from: array + 8 * (index + 1), byteCount: 8 * after)
        }
        page.count -= 1
    }
}
