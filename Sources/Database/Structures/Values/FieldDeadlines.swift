import Base

/// When single fields of a hash expire. Whoever looks at the hash first says what time it is (`shownTime`); fields whose deadline
/// has come by then are as good as gone, until the end of an entry removes them.
final class FieldDeadlines {
    /// Fields in the order of their deadlines, which stand where a sorted set has scores: milliseconds since 1970, exact in a double.
    private let order: SortedSetValue
    /// The seed of the hashes.
    private let seed: UInt64
    /// The soonest deadline; the largest number where there is none.
    @exclusivity(unchecked) private(set) var soonest = Int64.max
    /// The log's time by which fields are shown.
    @exclusivity(unchecked) private(set) var shownTime = Int64.min
    /// The stored ranks of the fields that are shown, where they were asked for.
    private var shownRanks: [Int]?

    /// The latest deadline of a field, in milliseconds since 1970: the year 4199, as in Redis 7.4.
    static let deadlineMax: Int64 = 0x3FFF_FFFF_FFFF
    private static let limits = CollectionLimits()

    init(seed: UInt64) {
        self.seed = seed
        order = SortedSetValue()
    }

    private init(copying other: FieldDeadlines) {
        seed = other.seed
        order = unsafeDowncast(other.order.copy(), to: SortedSetValue.self)
        soonest = other.soonest
        shownTime = other.shownTime
    }

    /// An independent copy.
    func copy() -> FieldDeadlines { FieldDeadlines(copying: self) }

    /// Whether a copy has all its pages in common with what it was made of.
    func sharesContent(with other: FieldDeadlines) -> Bool { order.sharesContent(with: other.order) }

    /// Fields with a deadline.
    var count: Int { order.count }

    /// Bytes of memory.
    var memoryBytes: Int { 96 + order.memoryBytes }

    func discard(budget: inout Int) -> Bool { order.discard(budget: &budget) }

    // MARK: asking

    /// When a field expires; nil where it does not.
    func deadline(of field: ByteView) -> Int64? { order.score(of: field, seed: seed).map { Int64($0) } }

    /// Says what time it is.
    func show(at time: Int64) {
        if time == shownTime { return }
        shownTime = time
        shownRanks = nil
    }

    /// Whether any field's deadline has come.
    @inline(__always) var hidesFields: Bool { soonest <= shownTime }

    /// Whether a field's deadline has come.
    func isExpired(_ field: ByteView) -> Bool { deadline(of: field).map { $0 <= shownTime } ?? false }

    /// Fields whose deadline has come.
    var expiredCount: Int { hidesFields ? order.count(below: Double(shownTime), orEqual: true) : 0 }

    /// The stored rank of the field that is shown at `rank`.
    func storedRank(_ rank: Int, in hash: HashValue) -> Int {
        if let shownRanks { return shownRanks[rank] }
        var ranks: [Int] = []
        var stored = 0
        hash.forEachStored { field, _ in
            if !field.withBytes({ isExpired($0) }) { ranks.append(stored) }
            stored += 1
        }
        shownRanks = ranks
        return ranks[rank]
    }

    /// The field that expires first.
    var first: [UInt8]? { order.count == 0 ? nil : order.entry(at: 0).member.array }

    // MARK: changing

    func set(_ field: ByteView, to deadline: Int64) {
        check(deadline >= 0 && deadline <= FieldDeadlines.deadlineMax, "a field's deadline is within its limit")
        let old = order.score(of: field, seed: seed)
        order.put(field, score: Double(deadline), old: old, seed: seed, limits: FieldDeadlines.limits)
        changed()
    }

    /// Drops a field's deadline; false where it had none.
    @discardableResult
    func remove(_ field: ByteView) -> Bool {
        let removed = order.remove(field, seed: seed)
        if removed { changed() }
        return removed
    }

    private func changed() {
        soonest = order.count == 0 ? .max : Int64(order.entry(at: 0).score)
        forgetRanks()
    }

    /// The hash's fields have changed.
    func forgetRanks() { shownRanks = nil }

    /// Stops the process where the deadlines are not what they must be.
    func _checkInvariants(of hash: HashValue) {
        order._checkInvariants(seed: seed)
        check(order.count > 0 && order.count <= hash.storedCount, "only fields that are there have deadlines")
        check(soonest == Int64(order.entry(at: 0).score), "the soonest deadline is known")
        order.forEach { field, _ in
            check(field.withBytes { hash.storesField($0, seed: seed) }, "a field with a deadline is in its hash")
            return true
        }
    }
}
