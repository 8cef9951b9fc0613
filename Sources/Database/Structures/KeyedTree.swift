import Base

/// Entries sorted by (64-bit key, member bytes), with optional values: the large form of sets, hashes and sorted sets.
///
/// The key is what gives the order its meaning: the seeded hash of the member (`ByteStringTable`), or a score
/// (`OrderedTable`). Finding, inserting, removing, the rank of an entry and the entry at a rank cost O(log n) with a base of
/// about 40 to 60: two node visits at ten thousand entries, three at a million. It grows and shrinks by one leaf at a time,
/// so no single change is long, and a record of it is one count on the root.
struct KeyedTree {
    var tree: CountedTree
    /// The longest element that stands in a leaf; longer ones are blobs.
    let inlineMax: Int

    /// A handle on an existing tree.
    @inline(__always)
    init(root: Page, inlineMax: Int = KeyedLeaf.inlineBytesMax) {
        tree = CountedTree(root: root)
        self.inlineMax = inlineMax
    }

    /// An empty tree.
    init(hasValues: Bool, inlineMax: Int = KeyedLeaf.inlineBytesMax) {
        self.init(root: KeyedLeaf(hasValues: hasValues).page, inlineMax: inlineMax)
    }

    @inline(__always) var root: Page { tree.root }

    /// Number of entries.
    @inline(__always) var count: Int { tree.count }

    /// Whether the tree is larger than what the processor's first cache keeps of it.
    @inline(__always) private var isLarge: Bool { count > 1 << 11 }

    /// Asks for what a search in a page looks at: its header and the keys of a node, or the slots of a leaf. Of a leaf in a tree that no
    /// cache keeps, for all of it: the entry that is found would be waited for, too.
    @inline(__always)
    private func warm(_ page: Page, below node: CountedNode) {
        prefetch(page.start, lines: KeyedTree.slotLines)
        if count > 1 << 17 && node.page.level == 1 {
            prefetch(page.start + 64 * KeyedTree.slotLines, lines: KeyedLeaf.bytesMax / 64 - KeyedTree.slotLines)
        }
    }

    /// Cache lines that the header and the keys of a page take.
    private static let slotLines = 11

    // MARK: Finding

    /// The first member below a page.
    private static func firstMember(_ page: Page) -> ByteView {
        var page = page
        while page.isInner { page = CountedNode(page: page).child(0) }
        return KeyedLeaf(page: page).member(0)
    }

    /// The child in which (`key`, `member`) is or would be.
    @inline(__always)
    private static func childIndex(_ node: CountedNode, _ key: UInt64, _ member: ByteView) -> Int {
        let below = node.childrenBelow(key)
        if below == node.count || node.key(below) != key { return max(below - 1, 0) }
        return childIndexAmongEqual(node, key, member, from: below)
    }

    /// Where children begin with the same key, their first members decide.
    private static func childIndexAmongEqual(_ node: CountedNode, _ key: UInt64, _ member: ByteView, from below: Int) -> Int {
        var low = below
        var high = key == .max ? node.count : node.childrenBelow(key + 1)
        // What is used as a queue is asked for at its front, and need not go through the middle.
        if low < high, firstMember(node.child(low)).compare(member) > 0 { return max(low - 1, 0) }
        if low + 1 < high, firstMember(node.child(low + 1)).compare(member) > 0 { return low }
        while low < high {
            let middle = (low + high) / 2
            if firstMember(node.child(middle)).compare(member) <= 0 { low = middle + 1 } else { high = middle }
        }
        return max(low - 1, 0)
    }

    /// Where the entry (`key`, `member`) is, nil when there is none. Valid until the next change.
    @inline(__always)
    func find(_ key: UInt64, _ member: ByteView) -> (leaf: KeyedLeaf, index: Int)? {
        var page = root
        let isLarge = self.isLarge
        while page.isInner {
            let node = CountedNode(page: page)
            page = node.child(KeyedTree.childIndex(node, key, member))
            if isLarge { warm(page, below: node) }
        }
        let leaf = KeyedLeaf(page: page)
        let (index, isEqual) = leaf.lowerBound(key, member)
        return isEqual ? (leaf, index) : nil
    }

    /// Number of entries before (`key`, `member`), and whether that is an entry.
    func rank(of key: UInt64, _ member: ByteView) -> (rank: Int, isEqual: Bool) {
        var page = root
        let isLarge = self.isLarge
        var rank = 0
        while page.isInner {
            let node = CountedNode(page: page)
            let index = KeyedTree.childIndex(node, key, member)
            page = node.child(index)
            if isLarge { warm(page, below: node) }
            rank += node.countBefore(index)
        }
        let (index, isEqual) = KeyedLeaf(page: page).lowerBound(key, member)
        return (rank + index, isEqual)
    }

    /// Number of entries whose key is less than `key`.
    func countBelow(_ key: UInt64) -> Int {
        var page = root
        var rank = 0
        while page.isInner {
            let node = CountedNode(page: page)
            let index = max(node.childrenBelow(key) - 1, 0)
            rank += node.countBefore(index)
            page = node.child(index)
        }
        return rank + KeyedLeaf(page: page).lowerBound(key)
    }

    /// The entry at `rank`, which must exist.
    @inline(__always)
    func entry(at rank: Int) -> (leaf: KeyedLeaf, index: Int) {
        check(rank >= 0 && rank < count, "an entry is named by a rank that exists")
        let (leaf, index) = tree.locate(rank)
        return (KeyedLeaf(page: leaf), index)
    }

    /// Calls `body` with the entries whose keys are `key` or greater, in ascending order, until it answers false.
    @inline(__always)
    func forEach(fromKey key: UInt64, _ body: (KeyedLeaf, Int) -> Bool) {
        var page = root
        var before = 0
        while page.isInner {
            let node = CountedNode(page: page)
            let index = max(node.childrenBelow(key) - 1, 0)
            before += node.countBefore(index)
            page = node.child(index)
        }
        let leaf = KeyedLeaf(page: page)
        for index in leaf.lowerBound(key)..<leaf.count where !body(leaf, index) { return }
        forEach(from: before + leaf.count, limit: count - before - leaf.count, body)
    }

    /// Calls `body` with up to `limit` entries from `rank` on in ascending order, until it answers false.
    @inline(__always)
    func forEach(from rank: Int = 0, limit: Int = .max, _ body: (KeyedLeaf, Int) -> Bool) {
        var rank = rank
        var left = min(limit, count - rank)
        while left > 0 {
            let (page, start) = tree.locate(rank)
            let leaf = KeyedLeaf(page: page)
            let end = min(leaf.count, start + left)
            for index in start..<end where !body(leaf, index) { return }
            rank += end - start
            left -= end - start
        }
    }

    /// Calls `body` with up to `limit` entries from `rank` on in descending order, until it answers false.
    @inline(__always)
    func forEachReversed(from rank: Int, limit: Int = .max, _ body: (KeyedLeaf, Int) -> Bool) {
        var rank = rank
        var left = min(limit, rank + 1)
        while left > 0 {
            let (page, start) = tree.locate(rank)
            let leaf = KeyedLeaf(page: page)
            let steps = min(start + 1, left)
            for index in stride(from: start, to: start - steps, by: -1) where !body(leaf, index) { return }
            rank -= steps
            left -= steps
        }
    }

    // MARK: Changing

    /// The way to where (`key`, `member`) is or would be.
    @inline(__always)
    private func way(_ key: UInt64, _ member: ByteView) -> TreeWay {
        var way = TreeWay(root: root)
        let isLarge = self.isLarge
        while way.leaf.isInner {
            let node = CountedNode(page: way.leaf)
            let index = KeyedTree.childIndex(node, key, member)
            way.descend(index)
            if isLarge {
                warm(way.leaf, below: node)
                // What the change will be noted in afterwards.
                node.warmCount(index)
            }
        }
        return way
    }

    /// The path's leaf, or a copy where another owner has it too.
    @inline(__always)
    private func writable(_ path: TreePath) -> KeyedLeaf {
        let leaf = KeyedLeaf(page: path.leaf)
        return path.isLeafShared ? leaf.rebuilt(0..<leaf.count) : leaf
    }

    /// What `put` found.
    enum Put: Equatable {
        case inserted
        /// There was an entry; its value had so many bytes.
        case replaced(valueBytes: Int)
        case unchanged
    }

    /// Inserts an entry, or gives an existing one the value (where `replacing`).
    mutating func put(_ key: UInt64, _ member: KeyedElement, value: ByteView = .empty, replacing: Bool = true) -> Put {
        let way = self.way(key, member.bytes)
        var leaf = KeyedLeaf(page: way.leaf)
        let found = leaf.lowerBound(key, member.bytes)
        if found.isEqual {
            if !replacing || way.leaf.level == 0 { return .unchanged }
            let before = leaf.value(found.index).count
            if way.isShared {
                replaceShared(way, found.index, value)
            } else {
                leaf.replaceValue(at: found.index, with: value, inlineMax: inlineMax)
                if !leaf.page.isSame(way.leaf) { tree.commit(way, leaf: leaf.page, change: 0) }
            }
            return .replaced(valueBytes: before)
        }
        let bytes = leaf.bytes(of: member, value, inlineMax: inlineMax) + 10
        let fits = leaf.liveBytes + bytes <= KeyedLeaf.bytesMax || leaf.count < 2
        if fits && !way.isShared && (found.index > 0 || way.depth == 0) {
            leaf.insert(at: found.index, key: key, member: member, value: value, inlineMax: inlineMax)
            tree.commit(way, leaf: leaf.page, change: 1)
        } else {
            insert(way, at: found.index, key, member, value, fits: fits)
        }
        return .inserted
    }

    @inline(never)
    private mutating func replaceShared(_ way: TreeWay, _ index: Int, _ value: ByteView) {
        let path = TreePath(root: root, way)
        var leaf = writable(path)
        leaf.replaceValue(at: index, with: value, inlineMax: inlineMax)
        tree.commit(path, leaf: leaf.page)
    }

    /// The part of `put` that changes more than a leaf.
    @inline(never)
    private mutating func insert(
        _ way: TreeWay, at index: Int, _ key: UInt64, _ member: KeyedElement, _ value: ByteView, fits: Bool
    ) {
        let path = TreePath(root: root, way)
        var leaf = writable(path)
        if fits {
            leaf.insert(at: index, key: key, member: member, value: value, inlineMax: inlineMax)
            tree.commit(path, leaf: leaf.page)
        } else {
            let right = split(&leaf, path: path, at: index, key: key, member: member, value: value)
            tree.commit(path, leaf: leaf.page, sibling: right)
        }
    }

    /// Cuts a full leaf in two and inserts the entry into its half; returns the right one. What grows at one end of the
    /// tree leaves full leaves behind.
    private func split(
        _ leaf: inout KeyedLeaf, path: TreePath, at index: Int, key: UInt64, member: KeyedElement, value: ByteView
    ) -> Page {
        let count = leaf.count
        let middle = path.isLast && index == count ? count : path.isFirst && index == 0 ? 0 : count / 2
        var left = leaf.rebuilt(0..<middle)
        var right = leaf.rebuilt(middle..<count)
        leaf.page.release()
        if index < middle || middle == 0 {
            left.insert(at: index, key: key, member: member, value: value, inlineMax: inlineMax)
        } else {
            right.insert(at: index - middle, key: key, member: member, value: value, inlineMax: inlineMax)
        }
        leaf = left
        return right.page
    }

    /// Removes the entry (`key`, `member`); false when there was none.
    @inline(__always)
    mutating func remove(_ key: UInt64, _ member: ByteView) -> Bool { removeValue(key, member) != nil }

    /// Removes the entry (`key`, `member`); how many bytes its value had (0 where there are no values), nil when there was none.
    mutating func removeValue(_ key: UInt64, _ member: ByteView) -> Int? { removeValue(key, member) { _ in } }

    /// As `removeValue(_:_:)`; `body` gets the value before it goes.
    @inline(__always)
    mutating func removeValue(_ key: UInt64, _ member: ByteView, _ body: (ByteView) -> Void) -> Int? {
        let way = self.way(key, member)
        var leaf = KeyedLeaf(page: way.leaf)
        let found = leaf.lowerBound(key, member)
        if !found.isEqual { return nil }
        let value = leaf.value(found.index)
        let valueBytes = value.count
        body(value)
        let staysLarge = leaf.liveBytes - leaf.entryBytes(found.index) >= KeyedLeaf.bytesMin
        if !way.isShared && (way.depth == 0 || found.index > 0 && staysLarge && !way.isThin) {
            leaf.remove(at: found.index)
            tree.commit(way, leaf: leaf.page, change: -1)
        } else {
            remove(way, at: found.index)
        }
        return valueBytes
    }

    /// The part of `removeValue` that changes more than a leaf.
    @inline(never)
    private mutating func remove(_ way: TreeWay, at index: Int) {
        let path = TreePath(root: root, way)
        var leaf = writable(path)
        leaf.remove(at: index)
        tree.commit(path, leaf: leaf.page, mayShrink: true)
    }

    /// Removes `elements` entries from `rank` on.
    mutating func remove(fromRank rank: Int, count elements: Int = 1) {
        check(rank >= 0 && elements >= 0 && rank + elements <= count, "only entries that exist are removed")
        var left = elements
        while left > 0 {
            let (path, index) = tree.path(to: rank)
            var leaf = writable(path)
            let end = min(leaf.count, index + left)
            if end - index == 1 { leaf.remove(at: index) } else { leaf.remove(index..<end) }
            tree.commit(path, leaf: leaf.page, mayShrink: true)
            left -= end - index
        }
    }

    /// Stops the process where the tree is not what it must be.
    func _checkInvariants() {
        tree._checkInvariants { KeyedLeaf(page: $0)._checkInvariants() }
        var last: (UInt64, [UInt8])?
        forEach { leaf, index in
            let member = leaf.member(index)
            if let (key, bytes) = last {
                let ordered =
                    key < leaf.key(index) || key == leaf.key(index) && bytes.withView { $0.compare(member) < 0 }
                check(ordered, "entries ascend from leaf to leaf")
            }
            last = (leaf.key(index), member.array)
            return true
        }
    }
}
