import Base

/// The way from the root of a counted tree to one leaf, for a change that goes back up the same way.
struct TreePath {
    struct Step {
        var node: Page
        var index: Int32
        /// Whether the node, or one above it, has another owner: then it is replaced, not changed.
        var isShared: Bool
    }

    /// With 16 children a node, the least after merging, this is more leaves than fit in memory.
    static let depthMax = 9

    private var steps: InlineArray<9, Step>
    private(set) var depth = 0
    /// The leaf at the end.
    private(set) var leaf: Page
    /// Whether the leaf, or a node above it, has another owner.
    private(set) var isLeafShared: Bool
    /// Whether the way took the first child everywhere.
    private(set) var isFirst = true
    /// Whether the way took the last child everywhere.
    private(set) var isLast = true

    @inline(__always)
    init(root: Page) {
        let none = Step(node: root, index: 0, isShared: false)
        steps = InlineArray(repeating: none)
        leaf = root
        isLeafShared = !root.isUnique
    }

    /// The same way as a short note of it.
    init(root: Page, _ way: TreeWay) {
        self.init(root: root)
        for level in 0..<way.depth { descend(way[level]) }
        check(leaf.isSame(way.leaf), "a way leads to its leaf")
    }

    @inline(__always) subscript(level: Int) -> Step { steps[level] }

    /// Goes down to child `index` of the node at which the way ends so far.
    @inline(__always)
    mutating func descend(_ index: Int) {
        check(depth < TreePath.depthMax, "a tree is not deeper than its limit")
        let node = CountedNode(page: leaf)
        steps[depth] = Step(node: leaf, index: Int32(index), isShared: isLeafShared)
        depth += 1
        if index > 0 { isFirst = false }
        if index < node.count - 1 { isLast = false }
        leaf = node.child(index)
        if !isLeafShared { isLeafShared = !leaf.isUnique }
    }
}

/// What trees of all leaves have in common: a root that is a leaf or a `CountedNode`, counts on the way down, and how a
/// changed leaf is put back. (A B+-tree without links between leaves, so that a record can share any part of it.)
struct CountedTree {
    var root: Page
    /// The lowest level that the root may have: 1 keeps an inner root above a single leaf.
    let rootLevelMin: UInt8
    /// How much a leaf of a list holds.
    let chunkLimit: ListChunkLimit

    @inline(__always)
    init(root: Page, rootLevelMin: UInt8 = 0, chunkLimit: ListChunkLimit = .standard) {
        self.root = root
        self.rootLevelMin = rootLevelMin
        self.chunkLimit = chunkLimit
    }

    /// Number of elements in or below a page.
    @inline(__always)
    static func total(_ page: Page) -> Int { page.isInner ? CountedNode(page: page).total : page.count }

    /// Smallest key in or below a page; 0 where there are no keys.
    @inline(__always)
    static func firstKey(_ page: Page) -> UInt64 {
        switch page.kind {
        case .inner: CountedNode(page: page).key(0)
        case .keyedLeaf: KeyedLeaf(page: page).key(0)
        case .streamNode: StreamNode(page: page).base.milliseconds
        case .streamGroup: StreamGroup(page: page).key
        default: 0
        }
    }

    static func height(_ page: Page) -> UInt8 { page.isInner ? page.level : 0 }

    /// Number of elements.
    @inline(__always) var count: Int { CountedTree.total(root) }

    /// The leaf that holds element `rank`, and the index there. With `rank == count`: behind the last element.
    @inline(__always)
    func locate(_ rank: Int) -> (leaf: Page, index: Int) {
        var page = root
        var rest = rank
        while page.isInner {
            let node = CountedNode(page: page)
            let (index, inside) = node.child(holding: rest)
            page = node.child(index)
            rest = inside
        }
        return (page, rest)
    }

    /// The way to the leaf that holds element `rank`, and the index there.
    @inline(__always)
    func path(to rank: Int) -> (path: TreePath, index: Int) {
        var path = TreePath(root: root)
        var rest = rank
        while path.leaf.isInner {
            let (index, inside) = CountedNode(page: path.leaf).child(holding: rest)
            path.descend(index)
            rest = inside
        }
        return (path, rest)
    }

    /// Puts a changed leaf back: `leaf` in the place of the path's leaf, `sibling` (where it was cut in two) behind it. A leaf that
    /// has become empty is dropped. Nodes that have other owners are replaced by copies on the way up.
    ///
    /// Who changed a leaf that the path calls shared changed a copy; this lets go of the old one. A leaf that was not shared
    /// was changed in place, or moved and freed, by its only owner.
    @inline(__always)
    mutating func commit(_ path: TreePath, leaf: Page, sibling: Page? = nil, mayShrink: Bool = false) {
        if sibling == nil, !path.isLeafShared, !mayShrink || keepsShape(path, leaf: leaf) {
            commitInPlace(path, leaf: leaf)
        } else {
            commitShape(path, leaf: leaf, sibling: sibling, mayShrink: mayShrink)
        }
    }

    /// Puts a leaf back that was changed in place or moved by its only owner: `change` elements have come or gone, not the first
    /// one, and it neither merges nor splits.
    @inline(__always)
    mutating func commit(_ way: TreeWay, leaf: Page, change: Int) {
        check(!way.isShared, "only what nobody else has is changed in place")
        if way.depth == 0 {
            root = leaf
            return
        }
        var node = CountedNode(page: root)
        var level = 0
        while true {
            let index = way[level]
            node.add(change, below: index)
            level += 1
            if level == way.depth {
                check(node.key(index) == CountedTree.firstKey(leaf), "the first element stays what it was")
                return node.setChild(index, leaf)
            }
            node = CountedNode(page: node.child(index))
        }
    }

    /// Whether `commitShape` would merge nothing: neither the leaf nor a node on the way is so small that it looks for a neighbour.
    private func keepsShape(_ path: TreePath, leaf: Page) -> Bool {
        if path.depth > 0, leaf.count == 0 || isSmall(leaf) { return false }
        var level = 1
        while level < path.depth {
            if path[level].node.count < CountedNode.childrenMin { return false }
            level += 1
        }
        return true
    }

    /// The usual case of `commit`: nobody shares the way, and no child comes or goes.
    private mutating func commitInPlace(_ path: TreePath, leaf: Page) {
        var child = leaf
        var level = path.depth
        while level > 0 {
            level -= 1
            let node = CountedNode(page: path[level].node)
            node.set(
                Int(path[level].index), child: child, key: CountedTree.firstKey(child), count: CountedTree.total(child))
            child = node.page
        }
        root = child
    }

    @inline(never)
    private mutating func commitShape(_ path: TreePath, leaf: Page, sibling: Page?, mayShrink: Bool) {
        var old = path.leaf
        var isOldShared = path.isLeafShared
        var new: Page? = leaf
        var emptied: Page?
        if mayShrink && leaf.count == 0 && path.depth > 0 {
            emptied = leaf
            new = nil
        }
        var extra = sibling
        var level = path.depth
        while level > 0 {
            level -= 1
            let step = path[level]
            var node = CountedNode(page: step.node)
            if step.isShared { node = node.copied(0..<node.count, room: node.count + 1) }
            if isOldShared { old.release() }
            let index = Int(step.index)
            if let new {
                node.set(index, child: new, key: CountedTree.firstKey(new), count: CountedTree.total(new))
            } else {
                node.remove(at: index)
            }
            if let page = extra {
                node = node.inserting(
                    page, key: CountedTree.firstKey(page), count: CountedTree.total(page), at: index + 1)
                extra = nil
            }
            if mayShrink && new != nil { mergeIfSmall(node, at: index) }
            if node.count > CountedNode.childrenMax { extra = CountedTree.split(&node, atEnd: path.isLast) }
            old = step.node
            isOldShared = step.isShared
            new = node.page
            if node.count == 0 {
                node.page.release()
                new = nil
            }
        }
        if isOldShared { old.release() }
        setRoot(new, extra, emptied)
    }

    private mutating func setRoot(_ new: Page?, _ extra: Page?, _ emptied: Page?) {
        guard let new else {
            // Nothing is left: the emptied leaf is the tree.
            guard let emptied else {
                check(false, "a tree without a root had its last leaf emptied")
                return
            }
            root = emptied
            return
        }
        emptied?.release()
        root = new
        if let extra {
            let node = CountedNode(level: CountedTree.height(new) + 1, room: 4)
            var top = node.inserting(new, key: CountedTree.firstKey(new), count: CountedTree.total(new), at: 0)
            top = top.inserting(extra, key: CountedTree.firstKey(extra), count: CountedTree.total(extra), at: 1)
            root = top.page
        }
        while root.kind == .inner && root.count == 1 && root.level > rootLevelMin {
            let only = CountedNode(page: root).child(0)
            only.retain()
            root.release()
            root = only
        }
    }

    /// Cuts a node that has too many children; returns the right part. At the end of the tree nearly all stay, as growth goes on
    /// behind.
    private static func split(_ node: inout CountedNode, atEnd: Bool) -> Page {
        let count = node.count
        let middle = atEnd ? count - 2 : count / 2
        let right = CountedNode(level: node.page.level, room: count - middle + 4)
        right.take(from: node, middle..<count)
        let left = CountedNode(level: node.page.level, room: middle + (atEnd ? 0 : 4))
        left.take(from: node, 0..<middle)
        node.page.deallocateMoved()
        node = left
        return right.page
    }

    /// Merges child `index` with a neighbour where both together are well below the limit.
    private func mergeIfSmall(_ node: CountedNode, at index: Int) {
        let child = node.child(index)
        if !isSmall(child) { return }
        for left in [index, index - 1] where left >= 0 && left + 1 < node.count {
            let right = left + 1
            guard let merged = merged(node.child(left), node.child(right)) else { continue }
            let released = (node.child(left), node.child(right))
            node.remove(at: right)
            node.set(left, child: merged, key: CountedTree.firstKey(merged), count: CountedTree.total(merged))
            released.0.release()
            released.1.release()
            return
        }
    }

    private func isSmall(_ page: Page) -> Bool {
        switch page.kind {
        case .inner: page.count < CountedNode.childrenMin
        case .keyedLeaf: KeyedLeaf(page: page).liveBytes < KeyedLeaf.bytesMin
        // What a node of a stream holds is part of the state: it goes as a whole.
        case .streamNode, .streamGroup: false
        default: !chunkLimit.isExceeded(bytes: PackedList(page: page).byteCount * 4, count: page.count * 4)
        }
    }

    /// A new page with the content of both, nil where that would be nearly full.
    private func merged(_ left: Page, _ right: Page) -> Page? {
        switch left.kind {
        case .inner:
            let sum = left.count + right.count
            if sum > CountedNode.childrenMax * 3 / 4 { return nil }
            let node = CountedNode(page: left).copied(0..<left.count, room: sum)
            let other = CountedNode(page: right)
            node.take(from: other, 0..<other.count)
            for index in 0..<other.count { other.child(index).retain() }
            return node.page
        case .keyedLeaf:
            let (a, b) = (KeyedLeaf(page: left), KeyedLeaf(page: right))
            let sum = a.liveBytes + b.liveBytes
            if sum > KeyedLeaf.bytesMax * 3 / 4 { return nil }
            let leaf = a.rebuilt(0..<a.count, extra: b.liveBytes)
            leaf.copyEntries(of: b, 0..<b.count)
            return leaf.page
        default:
            let (a, b) = (PackedList(page: left), PackedList(page: right))
            let (bytes, count) = (a.byteCount + b.byteCount + PackedList.frameBytes, a.count + b.count)
            if chunkLimit.isExceeded(bytes: bytes + bytes / 4, count: count + (count + 3) / 4) { return nil }
            var list = a.copied()
            list.append(contentsOf: b)
            return list.page
        }
    }

    /// Frees the last parts of a tree that nobody uses any more, children of the root, until `budget` elements are gone. True when
    /// what is left can go at once.
    static func discard(_ root: inout Page, budget: inout Int) -> Bool {
        while root.kind == .inner && root.isUnique {
            if budget <= 0 { return false }
            let node = CountedNode(page: root)
            let last = node.count - 1
            if last == 0 {
                let only = node.child(0)
                only.retain()
                root.release()
                root = only
                continue
            }
            budget -= node.count(last)
            let child = node.child(last)
            node.remove(at: last)
            child.release()
        }
        budget -= min(max(budget, 0), 1 + (root.kind == .inner ? 0 : root.count))
        return true
    }

    /// Stops the process where the tree is not what it must be. `checkLeaf` looks at each leaf.
    func _checkInvariants(_ checkLeaf: (Page) -> Void) {
        CountedTree.checkPage(root, isRoot: true, checkLeaf)
    }

    private static func checkPage(_ page: Page, isRoot: Bool, _ checkLeaf: (Page) -> Void) {
        guard page.kind == .inner else {
            check(isRoot || page.count > 0, "only a root may be empty")
            checkLeaf(page)
            return
        }
        let node = CountedNode(page: page)
        check(node.count > 0 && node.count <= CountedNode.childrenMax, "a node has children, and not too many")
        var sum = 0
        for index in 0..<node.count {
            let child = node.child(index)
            check(height(child) + 1 == page.level, "all leaves have the same depth")
            check(node.count(index) == total(child), "a node knows the count below each child")
            check(node.key(index) == firstKey(child), "a node knows the smallest key below each child")
            check(index == 0 || node.key(index - 1) <= node.key(index), "keys of children ascend")
            sum += node.count(index)
            checkPage(child, isRoot: false, checkLeaf)
        }
        check(sum == node.total, "a node knows the count below it")
    }
}
