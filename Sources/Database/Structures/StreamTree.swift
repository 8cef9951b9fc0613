import Base
import RESP

/// The entries of a stream: nodes in a counted tree, in the order of their IDs. (Redis: a radix tree of listpacks.)
///
/// Appending costs O(1) in practice, as the way to the last node stays in the cache; finding an ID costs O(log n) and a walk
/// through one node. Where nodes begin is part of the replicated state, because approximate trimming removes whole nodes.
struct StreamTree {
    /// The root is a node without entries where there are none.
    private(set) var tree: CountedTree
    /// Nodes with entries.
    private(set) var nodeCount = 0
    /// Bytes of the nodes as the allocator counts them.
    private(set) var bytes = 0

    /// No entries.
    init() { tree = CountedTree(root: StreamNode.empty().page) }

    /// The same nodes; the root has one owner more.
    func shared() -> StreamTree {
        tree.root.retain()
        return self
    }

    func release() { tree.root.release() }

    /// Entries that are alive.
    @inline(__always) var count: Int { tree.count }

    // MARK: Finding

    /// The ID with which a page begins.
    private static func base(_ page: Page) -> StreamID {
        var page = page
        while page.kind == .inner { page = CountedNode(page: page).child(0) }
        return StreamNode(page: page).base
    }

    /// The child in which `id` is or would be.
    @inline(__always)
    private static func childIndex(_ node: CountedNode, _ id: StreamID) -> Int {
        let below = node.childrenBelow(id.milliseconds)
        if below == node.count || node.key(below) != id.milliseconds { return max(below - 1, 0) }
        return childIndexInMillisecond(node, id, from: below)
    }

    /// Where children begin in the same millisecond, their sequence numbers decide.
    private static func childIndexInMillisecond(_ node: CountedNode, _ id: StreamID, from below: Int) -> Int {
        var low = below
        var high = id.milliseconds == .max ? node.count : node.childrenBelow(id.milliseconds + 1)
        while low < high {
            let middle = (low + high) / 2
            if base(node.child(middle)) <= id { low = middle + 1 } else { high = middle }
        }
        return max(low - 1, 0)
    }

    /// The node in which `id` is or would be, and the number of entries before that node.
    private func seek(_ id: StreamID) -> (node: StreamNode, before: Int) {
        var page = tree.root
        var before = 0
        while page.kind == .inner {
            let node = CountedNode(page: page)
            let index = StreamTree.childIndex(node, id)
            before += node.countBefore(index)
            page = node.child(index)
        }
        return (StreamNode(page: page), before)
    }

    /// The entry of an ID, where it is there; valid until the next change.
    func find(_ id: StreamID) -> StreamEntry? { count == 0 ? nil : seek(id).node.find(id) }

    /// The ID of the first entry; nil where there is none.
    var firstID: StreamID? {
        if count == 0 { return nil }
        let node = StreamNode(page: tree.locate(0).leaf)
        return node.entry(at: node.firstAlive).id
    }

    /// The ID of the last entry; nil where there is none.
    var lastID: StreamID? {
        var last: StreamID?
        forEachReversed { entry in
            last = entry.id
            return false
        }
        return last
    }

    /// Calls `body` with the entries from `start` to `end`, both included, until it answers false.
    @inline(__always)
    func forEach(from start: StreamID = .zero, through end: StreamID = .last, _ body: (StreamEntry) -> Bool) {
        if count == 0 || start > end { return }
        var (node, before) = seek(start)
        while true {
            var offset = node.firstAlive
            while offset < node.tail {
                let entry = node.entry(at: offset)
                if entry.id > end { return }
                if !entry.isDeleted && entry.id >= start && !body(entry) { return }
                offset = entry.end
            }
            before += node.count
            if before == count { return }
            node = StreamNode(page: tree.locate(before).leaf)
        }
    }

    /// Calls `body` with the entries from `end` back to `start`, both included, until it answers false.
    @inline(__always)
    func forEachReversed(from end: StreamID = .last, through start: StreamID = .zero, _ body: (StreamEntry) -> Bool) {
        if count == 0 || start > end { return }
        var (node, before) = seek(end)
        while true {
            var offset = node.tail
            while offset > node.firstAlive {
                let entry = node.entry(before: offset)
                if entry.id < start { return }
                if !entry.isDeleted && entry.id <= end && !body(entry) { return }
                offset = entry.offset
            }
            if before == 0 { return }
            node = StreamNode(page: tree.locate(before - 1).leaf)
            before -= node.count
        }
    }

    /// Calls `body` with every node, in order.
    func forEachNode(_ body: (StreamNode) -> Void) {
        var before = 0
        while before < count {
            let node = StreamNode(page: tree.locate(before).leaf)
            body(node)
            before += node.count
        }
    }

    /// Pages above the nodes.
    var innerPageCount: Int { StreamTree.innerPages(tree.root) }

    private static func innerPages(_ page: Page) -> Int {
        guard page.kind == .inner else { return 0 }
        if page.level == 1 { return 1 }
        var pages = 1
        let node = CountedNode(page: page)
        for index in 0..<node.count { pages += innerPages(node.child(index)) }
        return pages
    }

    // MARK: Changing

    @inline(__always)
    private func writable(_ path: TreePath) -> StreamNode {
        let node = StreamNode(page: path.leaf)
        return path.isLeafShared ? node.copied() : node
    }

    @inline(__always)
    private func path(_ id: StreamID) -> TreePath {
        var path = TreePath(root: tree.root)
        while path.leaf.kind == .inner { path.descend(StreamTree.childIndex(CountedNode(page: path.leaf), id)) }
        return path
    }

    @inline(__always)
    private static func allocated(_ node: StreamNode) -> Int { allocatedBytes(node.page.capacity) }

    /// Appends an entry with an ID greater than all before it, of the fields and values that the arguments from `first` on are.
    @inline(__always)
    mutating func append(_ id: StreamID, _ arguments: Arguments.Views, from first: Int, limits: CollectionLimits) {
        if count == 0 {
            add(StreamNode(id: id, arguments, from: first))
            return
        }
        var bytes = 0
        for index in first..<arguments.count { bytes += arguments[index].count }
        let (path, _) = tree.path(to: count)
        let last = StreamNode(page: path.leaf)
        if limits.isFull(last, entryBytes: bytes) {
            add(StreamNode(id: id, arguments, from: first), behind: path)
            return
        }
        let before = StreamTree.allocated(last)
        var node = writable(path)
        node.append(id: id, arguments, from: first)
        self.bytes += StreamTree.allocated(node) - before
        tree.commit(path, leaf: node.page)
    }

    /// Appends a node, which moves into the tree, with IDs greater than all before it.
    mutating func add(_ node: StreamNode) {
        check(node.count > 0, "a node has entries")
        if count > 0 {
            add(node, behind: tree.path(to: count).path)
            return
        }
        tree.root.release()
        tree = CountedTree(root: node.page)
        nodeCount = 1
        bytes = StreamTree.allocated(node)
    }

    /// Puts a node behind the last one, which is full and gives back what room it has.
    private mutating func add(_ node: StreamNode, behind path: TreePath) {
        var last = StreamNode(page: path.leaf)
        check(last.lastID < node.base, "nodes ascend")
        bytes += StreamTree.allocated(node) - StreamTree.allocated(last)
        if path.isLeafShared { last.page.retain() } else { last.shrink() }
        bytes += StreamTree.allocated(last)
        nodeCount += 1
        tree.commit(path, leaf: last.page, sibling: node.page)
    }

    /// Removes an entry; false where it is not there.
    mutating func remove(_ id: StreamID) -> Bool {
        if count == 0 { return false }
        let path = path(id)
        guard let entry = StreamNode(page: path.leaf).find(id) else { return false }
        if entry.node.count == 1 {
            removeNode(path)
            return true
        }
        let before = StreamTree.allocated(entry.node)
        let node = writable(path)
        node.delete(node.entry(at: entry.offset))
        bytes += StreamTree.allocated(node) - before
        tree.commit(path, leaf: node.page)
        return true
    }

    private mutating func removeNode(_ path: TreePath) {
        bytes -= StreamTree.allocated(StreamNode(page: path.leaf))
        nodeCount -= 1
        if !path.isLeafShared { path.leaf.release() }
        tree.commit(path, leaf: StreamNode.empty().page, mayShrink: true)
    }

    /// What trimming leaves.
    enum TrimGoal {
        /// So many entries.
        case count(Int)
        /// Entries with this ID or a greater one.
        case from(StreamID)
    }

    /// Removes entries from the front; returns how many.
    ///
    /// - Parameters:
    ///   - isApproximate: whole nodes alone go.
    ///   - limit: at most so many entries go; 0 for any number. Counts whole nodes.
    mutating func trim(_ goal: TrimGoal, isApproximate: Bool, limit: Int) -> Int {
        var removed = 0
        while count > 0 {
            if case .count(let kept) = goal, count <= kept { break }
            let (path, _) = tree.path(to: 0)
            let node = StreamNode(page: path.leaf)
            if limit > 0 && removed + node.count > limit { break }
            let goes =
                switch goal {
                case .count(let kept): count - node.count >= kept
                case .from(let id): node.lastID < id
                }
            if !goes && isApproximate { break }
            removed += goes ? node.count : 0
            if goes { removeNode(path) } else { return removed + trimFirstNode(path, goal) }
        }
        return removed
    }

    /// Removes entries from the front of the first node, of which a part stays (or nothing but tombstones).
    private mutating func trimFirstNode(_ path: TreePath, _ goal: TrimGoal) -> Int {
        let old = StreamNode(page: path.leaf)
        var left = old.count
        if case .count(let kept) = goal {
            left = count - kept
        } else if case .from(let id) = goal {
            left = 0
            var offset = old.firstAlive
            while offset < old.tail {
                let entry = old.entry(at: offset)
                if entry.id >= id { break }
                if !entry.isDeleted { left += 1 }
                offset = entry.end
            }
        }
        if left == 0 { return 0 }
        if left == old.count {
            removeNode(path)
            return left
        }
        let before = StreamTree.allocated(old)
        let node = writable(path)
        for _ in 0..<left { node.delete(node.entry(at: node.firstAlive)) }
        bytes += StreamTree.allocated(node) - before
        tree.commit(path, leaf: node.page)
        return left
    }

    /// Frees a part of what nobody uses any more.
    mutating func discard(budget: inout Int) -> Bool {
        var root = tree.root
        defer { tree.root = root }
        return CountedTree.discard(&root, budget: &budget)
    }

    /// Stops the process where the tree is not what it must be.
    func _checkInvariants() {
        if count == 0 {
            check(tree.root.kind == .streamNode && nodeCount == 0 && bytes == 0, "without entries there are no nodes")
            return
        }
        tree._checkInvariants { StreamNode(page: $0)._checkInvariants() }
        var (nodes, sum, last) = (0, 0, StreamID.zero)
        forEachNode { node in
            check(node.base > last, "nodes ascend")
            last = node.lastID
            nodes += 1
            sum += StreamTree.allocated(node)
        }
        check(nodes == nodeCount && sum == bytes, "the tree counts its nodes and their bytes")
    }
}

extension CollectionLimits {
    /// Whether a node takes no further entry of so many bytes of fields and values: Redis's rule.
    @inline(__always)
    func isFull(_ node: StreamNode, entryBytes: Int) -> Bool {
        let bytesMax = streamNodeBytes <= 0 ? CollectionLimits.streamNodeBytesMax : streamNodeBytes
        if node.listpackBytes + entryBytes >= min(bytesMax, CollectionLimits.streamNodeBytesMax) { return true }
        return streamNodeEntries > 0 && node.count + node.deadCount >= streamNodeEntries
    }
}
