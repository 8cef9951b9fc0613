import Base

/// A short note of the way from the root of a counted tree to one leaf: enough for a change after which every page has the
/// children that it had before, which nearly every change is. Noting what `TreePath` does took longer than such a change.
struct TreeWay {
    /// Which child on each level, from the root on, six bits for each.
    private var indexes: UInt64 = 0
    private(set) var depth = 0
    /// The leaf at the end.
    private(set) var leaf: Page
    /// Whether a page of the way has another owner.
    private(set) var isShared: Bool
    /// Whether a node below the root has so few children that it looks for a neighbour to merge with.
    private(set) var isThin = false

    private static let indexBits = 6

    @inline(__always)
    init(root: Page) {
        leaf = root
        isShared = !root.isUnique
    }

    @inline(__always) subscript(level: Int) -> Int {
        Int(indexes >> UInt64(TreeWay.indexBits * level) & (1 << UInt64(TreeWay.indexBits) - 1))
    }

    /// Goes down to child `index` of the node at which the way ends so far.
    @inline(__always)
    mutating func descend(_ index: Int) {
        check(depth < TreePath.depthMax && index < 1 << TreeWay.indexBits, "a tree is not deeper than its limit, nor wider")
        let node = CountedNode(page: leaf)
        if depth > 0 && node.count < CountedNode.childrenMin { isThin = true }
        indexes |= UInt64(index) << UInt64(TreeWay.indexBits * depth)
        depth += 1
        leaf = node.child(index)
        if !leaf.isUnique { isShared = true }
    }
}
