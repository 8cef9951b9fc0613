import Base

/// A hash table of byte strings, with values or without: a keyed tree in the order of the members' seeded hashes.
///
/// So the order depends on the members and the seed alone, a cursor names a place in the order of hashes and stays good
/// whatever grows or shrinks, on any node, and an entry picked by a random rank is picked fairly.
struct ByteStringTable {
    var tree: KeyedTree
    let seed: UInt64

    /// A handle on an existing table.
    @inline(__always)
    init(root: Page, seed: UInt64, inlineMax: Int = KeyedLeaf.inlineBytesMax) {
        tree = KeyedTree(root: root, inlineMax: inlineMax)
        self.seed = seed
    }

    @inline(__always) var root: Page { tree.root }
    @inline(__always) var count: Int { tree.count }

    /// Where `member` is, nil when it is not there. Valid until the next change.
    @inline(__always)
    func find(_ member: ByteView) -> (leaf: KeyedLeaf, index: Int)? { tree.find(hash(member, seed: seed), member) }

    @inline(__always)
    func contains(_ member: ByteView) -> Bool { find(member) != nil }

    /// Adds a member, or gives it another value.
    @inline(__always)
    mutating func put(
        _ member: ByteView, value: ByteView = .empty, replacing: Bool = true, blob: Page? = nil
    ) -> KeyedTree.Put {
        tree.put(hash(member, seed: seed), KeyedElement(member, blob: blob), value: value, replacing: replacing)
    }

    /// Removes a member; false when it was not there.
    @inline(__always)
    mutating func remove(_ member: ByteView) -> Bool { tree.removeValue(hash(member, seed: seed), member) != nil }

    /// Removes a member; how many bytes its value had (0 where there are no values), nil when it was not there.
    @inline(__always)
    mutating func removeValue(_ member: ByteView) -> Int? { tree.removeValue(hash(member, seed: seed), member) }

    /// Bits of a hash that a cursor names.
    private static let cursorBits: UInt64 = 48

    /// Calls `body` with about `count` entries from `cursor` on (0 is the beginning); returns the cursor to go on with, 0 at the end.
    /// An entry that is there from the first call to the last is seen exactly once.
    func scan(from cursor: UInt64, count: Int, _ body: (KeyedLeaf, Int) -> Void) -> UInt64 {
        if cursor >> ByteStringTable.cursorBits != 0 { return 0 }
        let shift = 64 - ByteStringTable.cursorBits
        var seen = 0
        var last: UInt64 = 0
        var next: UInt64 = 0
        tree.forEach(from: tree.countBelow(cursor << shift)) { leaf, index in
            let place = leaf.key(index) >> shift
            // Members that a cursor can't tell apart come together.
            if seen >= count && place != last {
                next = last + 1
                return false
            }
            body(leaf, index)
            seen += 1
            last = place
            return true
        }
        return next
    }
}
