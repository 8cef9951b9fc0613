import Base

/// A sorted set. Small: a packed list of members and scores in order ("listpack"). Large: an `OrderedTable`, which answers to the
/// name "skiplist" as it stands where Redis has one.
///
/// Ranks count in ascending order of (score, member bytes). A score is never NaN; -0 is kept as 0.
package final class SortedSetValue: CollectionValue {
    /// A packed list, or the root of the order. Owned.
    @exclusivity(unchecked) private var page: Page
    /// The root of the large form's index by member; none in the small form. Owned.
    @exclusivity(unchecked) private var indexPage = Page.none
    /// Bytes of the large form's members.
    @exclusivity(unchecked) private var indexBytes = 0

    /// An empty sorted set, to be filled at once.
    package override init() {
        page = PackedList(room: 0).page
        super.init()
    }

    /// An empty sorted set in the form that suits what is to come.
    convenience init(sizeHint: Int, memberBytesMax: Int, seed: UInt64, limits: CollectionLimits) {
        self.init()
        prepare(sizeHint: sizeHint, memberBytesMax: memberBytesMax, seed: seed, limits: limits)
    }

    private init(copying other: SortedSetValue) {
        page = other.page
        page.retain()
        indexPage = other.indexPage
        indexBytes = other.indexBytes
        if !indexPage.isNone { indexPage.retain() }
        super.init()
    }

    /// Around a page that it takes over.
    init(page: Page) {
        self.page = page
        super.init()
    }

    /// Around the trees of a table that it takes over; `bytes` of all members.
    init(table: OrderedTable, bytes: Int) {
        page = table.order.root
        indexPage = table.index.root
        indexBytes = bytes
        super.init()
    }

    deinit {
        if !page.isNone { page.release() }
        if !indexPage.isNone { indexPage.release() }
    }

    override var isBarePage: Bool { isPacked }

    override func giveUpPage() -> Page {
        check(isBarePage, "only a small value is a bare page")
        let given = page
        page = .none
        return given
    }

    override func take(_ page: Page) {
        check(self.page.isNone, "a value has one page")
        self.page = page
    }

    package override class var type: ValueType { .sortedSet }

    @inline(__always) var isPacked: Bool { indexPage.isNone }
    @inline(__always) var list: PackedList { PackedList(page: page) }

    package override var count: Int { isPacked ? page.count / 2 : CountedTree.total(page) }

    package override var memoryBytes: Int {
        if isPacked { return allocatedBytes(page.capacity) }
        return CollectionValue.objectBytes + 48 + indexBytes + indexBytes / 8
    }

    package override var encodingName: StaticString { isPacked ? "listpack" : "skiplist" }

    package override func copy() -> CollectionValue { SortedSetValue(copying: self) }

    package override func discard(budget: inout Int) -> Bool {
        if !isPacked {
            var root = indexPage
            let isDone = CountedTree.discard(&root, budget: &budget)
            indexPage = root
            if !isDone { return false }
        }
        var root = page
        defer { page = root }
        return CountedTree.discard(&root, budget: &budget)
    }

    override func sharesContent(with other: CollectionValue) -> Bool {
        guard let other = other as? SortedSetValue else { return false }
        return page.isSame(other.page) && indexPage.start == other.indexPage.start
    }

    package override func digest(seed: UInt64) -> Digest {
        var sum = Digest()
        forEach { member, score in
            var pair = member.withBytes { Digest($0, seed: seed) }
            pair.append(score.bitPattern)
            sum.add(pair)
            return true
        }
        return sum
    }

    // MARK: Scores in packed lists

    /// How a score stands in a packed list: as an integer where it is one, else as the eight bytes of the double.
    @inline(__always)
    static func withElement<Result>(of score: Double, _ body: (PackedElement) -> Result) -> Result {
        if score.magnitude < 9_007_199_254_740_992 && score == Double(Int64(score)) {
            return body(PackedElement(integer: Int64(score)))
        }
        return withUnsafeBytes(of: score.bitPattern.littleEndian) { body(PackedElement(raw: ByteView($0))) }
    }

    @inline(__always)
    private static func score(_ element: PackedElement) -> Double {
        element.isInteger ? Double(element.integer) : Double(bitPattern: element.bytes.integer(at: 0, as: UInt64.self))
    }

    @inline(__always)
    private func packedScore(behind position: Int) -> Double {
        SortedSetValue.score(list.element(at: list.position(after: position)))
    }

    // MARK: Reading

    @inline(__always)
    private func table(seed: UInt64) -> OrderedTable { OrderedTable(order: page, index: indexPage, seed: seed) }

    /// The score of a member, nil when it is not there.
    @inline(__always)
    func score(of member: ByteView, seed: UInt64) -> Double? {
        if !isPacked { return table(seed: seed).score(of: member) }
        guard let position = list.find(PackedElement(member), from: list.first, skipping: 1) else { return nil }
        return packedScore(behind: position)
    }

    /// The rank and score of a member, nil when it is not there.
    func rank(of member: ByteView, seed: UInt64) -> (rank: Int, score: Double)? {
        if !isPacked {
            let table = self.table(seed: seed)
            guard let score = table.score(of: member) else { return nil }
            return (table.rank(of: member, score: score), score)
        }
        let wanted = PackedElement(member)
        var position = list.first
        var rank = 0
        while position < list.end {
            if list.element(at: position).equals(wanted) { return (rank, packedScore(behind: position)) }
            position = list.position(after: list.position(after: position))
            rank += 1
        }
        return nil
    }

    /// Number of members with a score less than `score`, or not greater where `orEqual`.
    func count(below score: Double, orEqual: Bool) -> Int {
        if !isPacked {
            let key = OrderedTable.key(score)
            // No score's key is the largest number, so there is always a next one.
            return KeyedTree(root: page).countBelow(orEqual ? key + 1 : key)
        }
        let list = self.list
        guard let last = packedLastScore else { return 0 }
        // What is above all of them need not be walked to.
        if last < score || orEqual && last == score { return count }
        var position = list.first
        var rank = 0
        while position < list.end {
            let place = list.position(after: position)
            let here = SortedSetValue.score(list.element(at: place))
            if here > score || !orEqual && here == score { break }
            position = list.position(after: place)
            rank += 1
        }
        return rank
    }

    /// The greatest score of a packed list; nil where it is empty.
    private var packedLastScore: Double? {
        let list = self.list
        return list.count == 0 ? nil : SortedSetValue.score(list.element(at: list.position(before: list.end)))
    }

    /// Calls `body` with the members whose scores are `low` or greater, and less than `high`, ascending, until it answers false.
    @inline(__always)
    func forEach(fromScore low: Double, below high: Double, _ body: (PackedElement, Double) -> Bool) {
        if !isPacked {
            let tree = KeyedTree(root: page)
            let end = OrderedTable.key(high)
            tree.forEach(fromKey: OrderedTable.key(low)) { leaf, place in
                let key = leaf.key(place)
                return key < end && body(PackedElement(raw: leaf.member(place)), OrderedTable.score(key))
            }
            return
        }
        guard let last = packedLastScore, last >= low else { return }
        let list = self.list
        var position = list.first
        while position < list.end {
            let place = list.position(after: position)
            let score = SortedSetValue.score(list.element(at: place))
            if score >= high || score >= low && !body(list.element(at: position), score) { return }
            position = list.position(after: place)
        }
    }

    /// Number of members less than `member`, or not greater where `orEqual`, where all have the same score.
    func count(belowMember member: ByteView, orEqual: Bool) -> Int {
        let (rank, isEqual) = rank(amongEqual: member)
        return isEqual && orEqual ? rank + 1 : rank
    }

    /// Number of members less than `member`, and whether it is there, where all have the same score.
    func rank(amongEqual member: ByteView) -> (rank: Int, isEqual: Bool) {
        if count == 0 { return (0, false) }
        if !isPacked { return KeyedTree(root: page).rank(of: CountedTree.firstKey(page), member) }
        let list = self.list
        var position = list.first
        var rank = 0
        while position < list.end {
            let order = list.element(at: position).withBytes { $0.compare(member) }
            if order >= 0 { return (rank, order == 0) }
            position = list.position(after: list.position(after: position))
            rank += 1
        }
        return (rank, false)
    }

    /// The member at `rank` and its score; valid until the next change.
    func entry(at rank: Int) -> (member: PackedElement, score: Double) {
        check(rank >= 0 && rank < count, "a member is named by a rank that exists")
        if isPacked {
            let position = list.position(ofIndex: 2 * rank)
            return (list.element(at: position), packedScore(behind: position))
        }
        let (leaf, place) = KeyedTree(root: page).entry(at: rank)
        return (PackedElement(raw: leaf.member(place)), OrderedTable.score(leaf.key(place)))
    }

    /// Calls `body` with up to `limit` members from `rank` on, ascending, until it answers false.
    @inline(__always)
    func forEach(from rank: Int = 0, limit: Int = .max, _ body: (PackedElement, Double) -> Bool) {
        if isPacked {
            var position = list.position(ofIndex: 2 * min(rank, count))
            var left = limit
            while position < list.end && left > 0 {
                let score = list.position(after: position)
                if !body(list.element(at: position), SortedSetValue.score(list.element(at: score))) { return }
                position = list.position(after: score)
                left -= 1
            }
            return
        }
        KeyedTree(root: page).forEach(from: rank, limit: limit) { leaf, place in
            body(PackedElement(raw: leaf.member(place)), OrderedTable.score(leaf.key(place)))
        }
    }

    /// Calls `body` with up to `limit` members from `rank` on, descending, until it answers false.
    func forEachReversed(from rank: Int, limit: Int = .max, _ body: (PackedElement, Double) -> Bool) {
        if rank < 0 { return }
        if isPacked {
            var position = list.position(ofIndex: 2 * (rank + 1))
            var left = limit
            while position > list.first && left > 0 {
                let score = list.position(before: position)
                position = list.position(before: score)
                if !body(list.element(at: position), SortedSetValue.score(list.element(at: score))) { return }
                left -= 1
            }
            return
        }
        KeyedTree(root: page).forEachReversed(from: rank, limit: limit) { leaf, place in
            body(PackedElement(raw: leaf.member(place)), OrderedTable.score(leaf.key(place)))
        }
    }

    /// One step of ZSCAN: everything at once while it is small.
    func scan(from cursor: UInt64, count: Int, seed: UInt64, _ body: (PackedElement, Double) -> Void) -> UInt64 {
        if isPacked {
            forEach { member, score in
                body(member, score)
                return true
            }
            return 0
        }
        return table(seed: seed).index.scan(from: cursor, count: count) { leaf, place in
            let key = leaf.value(place).integer(at: 0, as: UInt64.self)
            body(PackedElement(raw: leaf.member(place)), OrderedTable.score(key))
        }
    }

    // MARK: Changing (members may not lie in this value)

    /// Becomes large where so many members, or such long ones, are to come.
    func prepare(sizeHint: Int, memberBytesMax: Int, seed: UInt64, limits: CollectionLimits) {
        if !isPacked { return }
        if sizeHint > limits.sortedSetEntries || memberBytesMax > limits.sortedSetValueBytes { convert(seed: seed) }
    }

    /// Gives a member a score; `old` is its score so far (`score(of:)`), nil where it is new.
    @inline(__always)
    func put(_ member: ByteView, score: Double, old: Double?, seed: UInt64, limits: CollectionLimits) {
        check(!score.isNaN, "a score is a number")
        if !isPacked { return putInTable(member, score, old, seed) }
        if let old {
            if old != score { movePacked(member, from: old, to: score) }
            return
        }
        if count + 1 > limits.sortedSetEntries || member.count > limits.sortedSetValueBytes
            || list.byteCount + member.count > PackedList.bytesMax
        {
            convert(seed: seed)
            return putInTable(member, score, nil, seed)
        }
        var list = self.list
        list.makeUnique()
        page = list.page
        insertPacked(member, score)
    }

    private func putInTable(_ member: ByteView, _ score: Double, _ old: Double?, _ seed: UInt64) {
        var table = self.table(seed: seed)
        if let old {
            table.update(member, from: old, to: score)
        } else {
            table.insert(member, score: score)
            indexBytes += SortedSetValue.entryBytes(member.count)
        }
        page = table.order.root
        indexPage = table.index.root
    }

    private func insertPacked(_ member: ByteView, _ score: Double) {
        // What comes in order goes to the end at once.
        let isLast = packedLastScore.map { $0 < score } ?? true
        insertPacked(member, score, at: isLast ? list.end : packedPlace(member, score, from: list.first))
    }

    private func insertPacked(_ member: ByteView, _ score: Double, at place: Int) {
        var list = self.list
        let inserted = list.insert(PackedElement(member), at: place)
        SortedSetValue.withElement(of: score) { _ = list.insert($0, at: list.position(after: inserted)) }
        page = list.page
    }

    /// Where a member with a score is in a packed list, or would be.
    @inline(__always)
    private func packedPlace(_ member: ByteView, _ score: Double, from start: Int) -> Int {
        let list = self.list
        var position = start
        while position < list.end {
            let place = list.position(after: position)
            let here = SortedSetValue.score(list.element(at: place))
            if here > score { break }
            if here == score, list.element(at: position).withBytes({ $0.compare(member) }) >= 0 { break }
            position = list.position(after: place)
        }
        return position
    }

    private func movePacked(_ member: ByteView, from old: Double, to score: Double) {
        var list = self.list
        list.makeUnique()
        page = list.page
        let position = packedPlace(member, old, from: list.first)
        check(
            position < list.end && list.element(at: position).withBytes { $0.equals(member) }, "a member is where its score says")
        let next = list.remove(at: position, count: 2)
        page = list.page
        // What was before it stays before it where the score grows.
        insertPacked(member, score, at: packedPlace(member, score, from: score > old ? next : list.first))
    }

    /// Removes a member; false when it was not there (or, in a large set, where it should have the lowest score of all, but has not).
    func remove(_ member: ByteView, seed: UInt64, hasFirstScore: Bool = false) -> Bool {
        if !isPacked {
            var table = self.table(seed: seed)
            let removed = table.remove(member, hasFirstScore: hasFirstScore)
            if removed { indexBytes -= SortedSetValue.entryBytes(member.count) }
            page = table.order.root
            indexPage = table.index.root
            return removed
        }
        var list = self.list
        let wanted = PackedElement(member)
        if list.find(wanted, from: list.first, skipping: 1) == nil { return false }
        list.makeUnique()
        guard let position = list.find(wanted, from: list.first, skipping: 1) else { return false }
        list.remove(at: position, count: 2)
        page = list.page
        return true
    }

    /// Removes `members` members from `rank` on.
    func remove(fromRank rank: Int, count members: Int, seed: UInt64) {
        check(rank >= 0 && members >= 0 && rank + members <= count, "only members that exist are removed")
        if members == 0 { return }
        if !isPacked {
            var table = self.table(seed: seed)
            forEach(from: rank, limit: members) { member, _ in
                indexBytes -= SortedSetValue.entryBytes(member.bytes.count)
                return true
            }
            table.remove(fromRank: rank, count: members)
            page = table.order.root
            indexPage = table.index.root
            return
        }
        var list = self.list
        list.makeUnique()
        list.remove(fromIndex: 2 * rank, count: 2 * members)
        page = list.page
    }

    /// Becomes packed where what is there is little and short enough (results of ZUNIONSTORE and its like).
    func becomePackedIfPossible(limits: CollectionLimits) {
        if isPacked || count > limits.sortedSetEntries { return }
        var longest = 0
        forEach { member, _ in
            longest = max(longest, member.bytes.count)
            return true
        }
        if longest > limits.sortedSetValueBytes { return }
        var list = PackedList(room: 0)
        forEach { member, score in
            list.append(PackedElement(member.bytes))
            SortedSetValue.withElement(of: score) { list.append($0) }
            return true
        }
        page.release()
        page = list.page
        indexPage.release()
        indexPage = .none
        indexBytes = 0
    }

    private func convert(seed: UInt64) {
        var table = OrderedTable(seed: seed)
        var bytes = 0
        forEach { member, score in
            member.withBytes {
                table.insert($0, score: score)
                bytes += SortedSetValue.entryBytes($0.count)
            }
            return true
        }
        page.release()
        page = table.order.root
        indexPage = table.index.root
        indexBytes = bytes
    }

    static func entryBytes(_ member: Int) -> Int {
        // Two slots, the score in the index, and the member twice or its blob once.
        let inline = member <= OrderedTable.inlineMax
        return 20 + 9 + (inline ? 2 + 2 * member : 18 + allocatedBytes(Page.headerBytes + member))
    }

    /// Stops the process where the sorted set is not what it must be.
    func _checkInvariants(seed: UInt64) {
        if !isPacked {
            table(seed: seed)._checkInvariants()
            var bytes = 0
            forEach { member, _ in
                bytes += SortedSetValue.entryBytes(member.bytes.count)
                return true
            }
            check(bytes == indexBytes, "a sorted set knows the bytes of its entries")
            return
        }
        list._checkInvariants()
        check(page.count % 2 == 0, "every member has a score")
        var last: (score: Double, member: [UInt8])?
        forEach { member, score in
            if let last {
                let order = last.member.withView { before in member.withBytes { before.compare($0) } }
                check(last.score < score || last.score == score && order < 0, "members ascend by score, then by bytes")
            }
            last = (score, member.array)
            return true
        }
    }
}
