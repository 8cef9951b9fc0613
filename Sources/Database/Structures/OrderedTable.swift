import Base

/// The large form of a sorted set: members with scores in the order of (score, member bytes), and found by member.
///
/// Two keyed trees: `order` has the score as its key, `index` the member's hash, and the score as its value. Members of up to 31
/// bytes stand in both, longer ones once, in a blob that both refer to: at every length that is less memory than a
/// skip list with a dictionary.
struct OrderedTable {
    var order: KeyedTree
    var index: ByteStringTable

    /// The longest member that stands in both trees.
    static let inlineMax = 31

    /// A handle on existing trees.
    @inline(__always)
    init(order: Page, index: Page, seed: UInt64) {
        self.order = KeyedTree(root: order, inlineMax: OrderedTable.inlineMax)
        self.index = ByteStringTable(root: index, seed: seed, inlineMax: OrderedTable.inlineMax)
    }

    /// An empty table.
    init(seed: UInt64) {
        self.init(order: KeyedLeaf(hasValues: false).page, index: KeyedLeaf(hasValues: true).page, seed: seed)
    }

    @inline(__always) var count: Int { order.count }

    /// The key that sorts as the score does. -0 sorts, and reads back, as 0.
    @inline(__always)
    static func key(_ score: Double) -> UInt64 {
        let bits = (score + 0.0).bitPattern
        return bits >> 63 == 1 ? ~bits : bits | 1 << 63
    }

    /// The score of a key.
    @inline(__always)
    static func score(_ key: UInt64) -> Double { Double(bitPattern: key >> 63 == 1 ? key & ~(1 << 63) : ~key) }

    /// The score of a member, nil when it is not there.
    @inline(__always)
    func score(of member: ByteView) -> Double? {
        guard let (leaf, place) = index.find(member) else { return nil }
        return OrderedTable.score(leaf.value(place).integer(at: 0, as: UInt64.self))
    }

    /// Number of members before `member`, which has this score.
    func rank(of member: ByteView, score: Double) -> Int {
        let (rank, isEqual) = order.rank(of: OrderedTable.key(score), member)
        check(isEqual, "a member is where its score says")
        return rank
    }

    /// Adds a member that is not there.
    mutating func insert(_ member: ByteView, score: Double) {
        let key = OrderedTable.key(score)
        let blob = member.count > OrderedTable.inlineMax ? Page.blob(member) : nil
        withBytes(of: key) { value in
            let put = index.put(member, value: value, replacing: false, blob: blob)
            check(put == .inserted, "a member is inserted once")
        }
        let put = order.put(key, KeyedElement(member, blob: blob))
        check(put == .inserted, "the order and the index have the same members")
        blob?.release()
    }

    /// Gives a member another score.
    mutating func update(_ member: ByteView, from old: Double, to new: Double) {
        let (oldKey, newKey) = (OrderedTable.key(old), OrderedTable.key(new))
        if oldKey == newKey { return }
        var blob: Page?
        if member.count > OrderedTable.inlineMax, let (leaf, place) = index.find(member) { blob = leaf.memberBlob(place) }
        blob?.retain()
        let removed = order.remove(oldKey, member)
        check(removed, "a member is where its score says")
        _ = order.put(newKey, KeyedElement(member, blob: blob))
        withBytes(of: newKey) { value in
            let put = index.put(member, value: value, blob: blob)
            check(put == .replaced(valueBytes: 8), "only a member that is there is updated")
        }
        blob?.release()
    }

    /// Removes a member; false when it was not there, or `hasFirstScore` and it has not the lowest score of all.
    mutating func remove(_ member: ByteView, hasFirstScore: Bool = false) -> Bool {
        guard let score = score(of: member) else { return false }
        let key = OrderedTable.key(score)
        if hasFirstScore, key != CountedTree.firstKey(order.root) { return false }
        let removed = index.remove(member)
        let ordered = order.remove(key, member)
        check(removed && ordered, "the order and the index have the same members")
        return true
    }

    /// Removes `count` members from `rank` on.
    mutating func remove(fromRank rank: Int, count: Int) {
        order.forEach(from: rank, limit: count) { leaf, place in
            let removed = index.remove(leaf.member(place))
            check(removed, "the order and the index have the same members")
            return true
        }
        order.remove(fromRank: rank, count: count)
    }

    @inline(__always)
    private func withBytes(of key: UInt64, _ body: (ByteView) -> Void) {
        withUnsafeBytes(of: key.littleEndian) { body(ByteView($0)) }
    }

    /// Stops the process where the table is not what it must be.
    func _checkInvariants() {
        order._checkInvariants()
        index.tree._checkInvariants()
        check(order.count == index.count, "the order and the index have the same members")
        order.forEach { leaf, place in
            let score = self.score(of: leaf.member(place))
            check(score.map(OrderedTable.key) == leaf.key(place), "the index knows each member's score")
            return true
        }
    }
}
