import Base

/// The groups of a stream in the order of their names: a counted tree whose leaves are one group each.
struct StreamGroupTree {
    /// Nil where there are no groups.
    private var tree: CountedTree?
    /// Bytes of all groups.
    private(set) var bytes = 0
    /// Consumers and pending entries of all groups: what there is to free.
    private(set) var elements = 0

    init() {}

    /// The one group that `group` is, which moves into the tree.
    init(_ group: StreamGroup) { insert(group) }

    /// The same groups; the root has one owner more.
    func shared() -> StreamGroupTree {
        tree?.root.retain()
        return self
    }

    func release() { tree?.root.release() }

    var count: Int { tree?.count ?? 0 }

    // MARK: Finding

    private static func first(_ page: Page) -> StreamGroup {
        var page = page
        while page.kind == .inner { page = CountedNode(page: page).child(0) }
        return StreamGroup(page: page)
    }

    /// The child in which the group of a name is or would be.
    private static func childIndex(_ node: CountedNode, _ key: UInt64, _ name: ByteView) -> Int {
        var low = node.childrenBelow(key)
        var high = key == .max ? node.count : node.childrenBelow(key + 1)
        while low < high {
            let middle = (low + high) / 2
            if first(node.child(middle)).name.compare(name) <= 0 { low = middle + 1 } else { high = middle }
        }
        return max(low - 1, 0)
    }

    /// The group of a name, to be read; valid until the next change.
    func find(_ name: ByteView) -> StreamGroup? {
        guard var page = tree?.root else { return nil }
        let key = StreamGroup.key(name)
        while page.kind == .inner {
            let node = CountedNode(page: page)
            page = node.child(StreamGroupTree.childIndex(node, key, name))
        }
        let group = StreamGroup(page: page)
        return group.name.equals(name) ? group : nil
    }

    /// Calls `body` with the groups in the order of their names.
    func forEach(_ body: (StreamGroup) -> Void) {
        guard let tree else { return }
        for rank in 0..<tree.count { body(StreamGroup(page: tree.locate(rank).leaf)) }
    }

    /// The group of a rank in that order.
    func group(at rank: Int) -> StreamGroup {
        guard let tree, rank >= 0, rank < tree.count else {
            check(false, "a group is named by a rank that exists")
            return StreamGroup(name: .empty, lastID: .zero, entriesRead: -1)
        }
        return StreamGroup(page: tree.locate(rank).leaf)
    }

    /// Whether both are the same pages.
    func isSame(as other: StreamGroupTree) -> Bool { tree?.root.start == other.tree?.root.start }

    // MARK: Changing

    /// A group that is being changed: `finish` counts what has become of it.
    struct Edit {
        let group: StreamGroup
        fileprivate let bytes: Int
        fileprivate let elements: Int
    }

    private static func path(_ tree: CountedTree, _ name: ByteView) -> TreePath {
        var path = TreePath(root: tree.root)
        let key = StreamGroup.key(name)
        while path.leaf.kind == .inner { path.descend(childIndex(CountedNode(page: path.leaf), key, name)) }
        return path
    }

    private static func elements(_ group: StreamGroup) -> Int { group.pendingCount + group.consumerCount }

    /// Begins to change the group of a name; nil where there is none. Nothing else may be changed until `finish`.
    mutating func edit(_ name: ByteView) -> Edit? {
        guard let group = findUnshared(name) ?? unshare(name) else { return nil }
        return Edit(group: group, bytes: group.bytes, elements: StreamGroupTree.elements(group))
    }

    /// The group of a name where nobody else has it, nor a page above it: it can be changed where it is, as what the nodes know of it
    /// (its name, and that it is one) stays the same.
    @inline(__always)
    private func findUnshared(_ name: ByteView) -> StreamGroup? {
        guard var page = tree?.root else { return nil }
        let key = StreamGroup.key(name)
        while page.kind == .inner {
            if !page.isUnique { return nil }
            let node = CountedNode(page: page)
            page = node.child(StreamGroupTree.childIndex(node, key, name))
        }
        let group = StreamGroup(page: page)
        return page.isUnique && group.name.equals(name) ? group : nil
    }

    /// Puts a copy in the place of a group that somebody else has too; nil where there is none of the name.
    @inline(never)
    private mutating func unshare(_ name: ByteView) -> StreamGroup? {
        guard let tree else { return nil }
        let path = StreamGroupTree.path(tree, name)
        let found = StreamGroup(page: path.leaf)
        if !found.name.equals(name) { return nil }
        check(path.isLeafShared, "a group that nobody else has is changed where it is")
        let copy = found.copied()
        self.tree?.commit(path, leaf: copy.page)
        return copy
    }

    /// Ends the change of a group.
    @inline(__always)
    mutating func finish(_ edit: Edit) {
        bytes += edit.group.bytes - edit.bytes
        elements += StreamGroupTree.elements(edit.group) - edit.elements
    }

    /// Adds a group, which moves into the tree; its name is new.
    mutating func insert(_ group: StreamGroup) {
        bytes += group.bytes
        elements += StreamGroupTree.elements(group)
        guard let tree else {
            self.tree = CountedTree(root: group.page)
            return
        }
        let path = StreamGroupTree.path(tree, group.name)
        let order = StreamGroup(page: path.leaf).name.compare(group.name)
        check(order != 0, "a group's name is new")
        // The one that is there keeps its place or becomes the sibling: one owner more where the commit lets go of it.
        if path.isLeafShared { path.leaf.retain() }
        if order < 0 {
            self.tree?.commit(path, leaf: path.leaf, sibling: group.page)
        } else {
            self.tree?.commit(path, leaf: group.page, sibling: path.leaf)
        }
    }

    /// Takes a group out; it has one owner more than the tree gives it, which the caller now is. Nil where there is none.
    mutating func remove(_ name: ByteView) -> StreamGroup? {
        guard let tree else { return nil }
        let path = StreamGroupTree.path(tree, name)
        let group = StreamGroup(page: path.leaf)
        if !group.name.equals(name) { return nil }
        remove(path)
        return group
    }

    /// Takes the path's group out of the tree without letting go of it.
    private mutating func remove(_ path: TreePath) {
        let group = StreamGroup(page: path.leaf)
        bytes -= group.bytes
        elements -= StreamGroupTree.elements(group)
        if path.depth == 0 {
            tree = nil
            return
        }
        // Where the leaf is shared the commit lets go of the tree's count, so the caller gets one of its own.
        if path.isLeafShared { path.leaf.retain() }
        tree?.commit(path, leaf: StreamNode.empty().page, mayShrink: true)
    }

    /// Frees a part of what nobody uses any more. True when what is left can go at once.
    mutating func discard(budget: inout Int) -> Bool {
        while let tree {
            if budget <= 0 { return false }
            let path = tree.path(to: tree.count - 1).path
            let group = StreamGroup(page: path.leaf)
            if path.isLeafShared { return true }
            if !group.discard(budget: &budget) { return false }
            // What the group still has is small.
            budget -= 1
            remove(path)
            group.page.release()
        }
        return true
    }

    /// Stops the process where the groups are not what they must be.
    func _checkInvariants() {
        guard let tree else {
            check(bytes == 0 && elements == 0, "without groups there is nothing")
            return
        }
        tree._checkInvariants { StreamGroup(page: $0)._checkInvariants() }
        var (bytes, elements, last) = (0, 0, [UInt8]?.none)
        forEach { group in
            bytes += group.bytes
            elements += StreamGroupTree.elements(group)
            if let last { check(last.withView { $0.compare(group.name) } < 0, "groups ascend by name") }
            last = group.name.array
        }
        check(bytes == self.bytes && elements == self.elements, "the groups' memory is counted")
    }
}
