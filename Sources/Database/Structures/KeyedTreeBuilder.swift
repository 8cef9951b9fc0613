import Base

/// Makes a keyed tree of entries that come in ascending order: leaf after leaf and node after node, so that nothing is searched for and
/// nothing is moved once it is written.
///
/// Leaves and nodes are filled to a little below what they hold at most, so that the first changes behind it do not cut all of them in two.
struct KeyedTreeBuilder {
    private let hasValues: Bool
    private let inlineMax: Int
    /// The leaf at work, and on each level above it the node at work, from the lowest on.
    private var leaf: KeyedLeaf
    private var nodes: [CountedNode] = []

    /// Bytes of entries with their slots that are put into a leaf.
    private static let leafBytes = KeyedLeaf.bytesMax * 15 / 16
    /// Children that are put into a node.
    private static let children = CountedNode.childrenMax * 7 / 8

    init(hasValues: Bool, inlineMax: Int = KeyedLeaf.inlineBytesMax) {
        self.hasValues = hasValues
        self.inlineMax = inlineMax
        leaf = KeyedTreeBuilder.emptyLeaf(hasValues)
    }

    private static func emptyLeaf(_ hasValues: Bool) -> KeyedLeaf {
        // With the room that a leaf adds, what is filled into it and a few bytes more.
        KeyedLeaf(hasValues: hasValues, room: leafBytes * 15 / 16)
    }

    /// Appends an entry, which is greater than all before it.
    mutating func append(_ key: UInt64, _ member: KeyedElement, value: ByteView = .empty) {
        let count = leaf.count
        check(count == 0 || leaf.key(count - 1) <= key, "entries come in ascending order")
        let bytes = leaf.bytes(of: member, value, inlineMax: inlineMax) + KeyedLeaf.slotBytes
        if count > 0, leaf.liveBytes + bytes > KeyedTreeBuilder.leafBytes {
            add(leaf.page, level: 0)
            leaf = KeyedTreeBuilder.emptyLeaf(hasValues)
        }
        leaf.insert(at: leaf.count, key: key, member: member, value: value, inlineMax: inlineMax)
    }

    /// Gives a page that is complete to the node above it; a full one goes to the node above that, and another takes its place.
    private mutating func add(_ page: Page, level: Int) {
        var (page, level) = (page, level)
        while level < nodes.count {
            let node = nodes[level]
            if node.count < KeyedTreeBuilder.children {
                nodes[level] = KeyedTreeBuilder.appending(page, to: node)
                return
            }
            nodes[level] = KeyedTreeBuilder.appending(page, to: KeyedTreeBuilder.emptyNode(level))
            page = node.page
            level += 1
        }
        nodes.append(KeyedTreeBuilder.appending(page, to: KeyedTreeBuilder.emptyNode(level)))
    }

    private static func emptyNode(_ level: Int) -> CountedNode { CountedNode(level: UInt8(level + 1), room: children + 4) }

    private static func appending(_ page: Page, to node: CountedNode) -> CountedNode {
        node.inserting(page, key: CountedTree.firstKey(page), count: CountedTree.total(page), at: node.count)
    }

    /// The root of the tree, which the caller owns; the builder is of no more use.
    mutating func finish() -> Page {
        // The last leaf is as large as what is in it.
        let last = leaf.rebuilt(0..<leaf.count)
        leaf.page.release()
        if nodes.isEmpty { return last.page }
        add(last.page, level: 0)
        var level = 0
        while level + 1 < nodes.count {
            add(nodes[level].page, level: level + 1)
            level += 1
        }
        let root = nodes[nodes.count - 1]
        check(root.count > 1, "a root has more than one child")
        return root.page
    }

    /// Lets go of what was made, where it will not be finished.
    func discard() {
        leaf.page.release()
        for node in nodes { node.page.release() }
    }
}
