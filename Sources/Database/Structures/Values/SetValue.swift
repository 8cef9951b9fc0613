import Base

/// A set. Small: sorted integers ("intset") where all members are integers, or a packed list in the order in which they came
/// ("listpack"). Large: a table in the order of the members' hashes ("hashtable").
package final class SetValue: CollectionValue {
    /// An integer set, a packed list, or the root of a table. Owned.
    @exclusivity(unchecked) private(set) var page: Page
    /// Bytes of members with their slots, in a table.
    @exclusivity(unchecked) private var tableBytes = 0

    /// The encodings of sets.
    enum Encoding { case intset, listpack, hashtable }

    /// An empty set in one of the forms, to be filled at once.
    init(_ encoding: Encoding) {
        switch encoding {
        case .intset: page = IntegerSet().page
        case .listpack: page = PackedList(room: 0).page
        case .hashtable: page = KeyedLeaf(hasValues: false).page
        }
        super.init()
    }

    /// An empty set in the form that suits a first member and how many are to come.
    convenience init(for member: ByteView, sizeHint: Int, limits: CollectionLimits) {
        if sizeHint <= limits.setIntegers && PackedElement.canonicalInteger(member) != nil {
            self.init(.intset)
        } else {
            self.init(sizeHint <= limits.setEntries ? .listpack : .hashtable)
        }
    }

    private init(copying other: SetValue) {
        page = other.page
        page.retain()
        tableBytes = other.tableBytes
        super.init()
    }

    /// Around a page that it takes over.
    init(page: Page) {
        self.page = page
        super.init()
    }

    /// Around the root of a table that it takes over; `bytes` of all members.
    init(table root: Page, bytes: Int) {
        page = root
        tableBytes = bytes
        super.init()
    }

    deinit { if !page.isNone { page.release() } }

    override var isBarePage: Bool { encoding != .hashtable }

    override func giveUpPage() -> Page {
        check(isBarePage, "only a small value is a bare page")
        check(tableBytes == 0, "a small set counts no table")
        let given = page
        page = .none
        return given
    }

    override func take(_ page: Page) {
        check(self.page.isNone, "a value has one page")
        self.page = page
    }

    package override class var type: ValueType { .set }

    @inline(__always) var encoding: Encoding { content.encoding }

    package override var count: Int { CountedTree.total(page) }

    package override var memoryBytes: Int {
        switch encoding {
        case .intset: allocatedBytes(page.capacity)
        case .listpack: allocatedBytes(page.capacity)
        case .hashtable: CollectionValue.objectBytes + tableBytes + tableBytes / 8
        }
    }

    package override var encodingName: StaticString {
        switch encoding {
        case .intset: "intset"
        case .listpack: "listpack"
        case .hashtable: "hashtable"
        }
    }

    package override func copy() -> CollectionValue { SetValue(copying: self) }

    package override func discard(budget: inout Int) -> Bool {
        var root = page
        defer { page = root }
        return CountedTree.discard(&root, budget: &budget)
    }

    override func sharesContent(with other: CollectionValue) -> Bool {
        guard let other = other as? SetValue else { return false }
        return page.isSame(other.page)
    }

    package override func digest(seed: UInt64) -> Digest {
        var sum = Digest()
        forEach { member in
            sum.add(member.withBytes { Digest($0, seed: seed) })
            return true
        }
        return sum
    }

    // MARK: Reading

    /// What the set holds, to be read until its next change, and while somebody has the set.
    @inline(__always) var content: SetContent { SetContent(page: page) }

    /// Whether a member is there.
    @inline(__always)
    func contains(_ member: PackedElement, seed: UInt64) -> Bool { content.contains(member, seed: seed) }

    /// Calls `body` with the members in the set's order, until it answers false.
    @inline(__always)
    func forEach(_ body: (PackedElement) -> Bool) { content.forEach(body) }

    /// As `forEach(_:)`, from member `rank` on.
    func forEach(from rank: Int, _ body: (PackedElement) -> Bool) {
        switch encoding {
        case .intset:
            let set = IntegerSet(page: page)
            for index in rank..<set.count where !body(PackedElement(integer: set[index])) { return }
        case .listpack:
            let list = PackedList(page: page)
            var position = list.position(ofIndex: rank)
            while position < list.end {
                if !body(list.element(at: position)) { return }
                position = list.position(after: position)
            }
        case .hashtable:
            KeyedTree(root: page).forEach(from: rank) { leaf, index in body(PackedElement(raw: leaf.member(index))) }
        }
    }

    /// Member `rank` of the set's order; valid until the next change.
    func member(at rank: Int) -> PackedElement {
        check(rank >= 0 && rank < count, "a member is named by a rank that exists")
        switch encoding {
        case .intset:
            return PackedElement(integer: IntegerSet(page: page)[rank])
        case .listpack:
            let list = PackedList(page: page)
            return list.element(at: list.position(ofIndex: rank))
        case .hashtable:
            let (leaf, index) = KeyedTree(root: page).entry(at: rank)
            return PackedElement(raw: leaf.member(index))
        }
    }

    /// One step of SSCAN: everything at once while it is small.
    func scan(from cursor: UInt64, count: Int, seed: UInt64, _ body: (PackedElement) -> Void) -> UInt64 {
        if encoding != .hashtable {
            forEach { member in
                body(member)
                return true
            }
            return 0
        }
        return ByteStringTable(root: page, seed: seed).scan(from: cursor, count: count) { leaf, index in
            body(PackedElement(raw: leaf.member(index)))
        }
    }

    // MARK: Changing (members may not lie in this set)

    /// Becomes a table where `sizeHint` members are to come and that is too many for the small form.
    func prepare(sizeHint: Int, seed: UInt64, limits: CollectionLimits) {
        switch encoding {
        case .intset where sizeHint > limits.setIntegers: convertToTable(seed: seed)
        case .listpack where sizeHint > limits.setEntries: convertToTable(seed: seed)
        default: break
        }
    }

    /// Adds a member; false when it was there.
    @inline(__always)
    func add(_ member: PackedElement, seed: UInt64, limits: CollectionLimits) -> Bool {
        switch encoding {
        case .hashtable: return member.withBytes { addToTable($0, seed: seed) }
        case .intset: return addToIntegers(member, seed, limits)
        case .listpack: return addToList(member, seed, limits)
        }
    }

    private func addToTable(_ member: ByteView, seed: UInt64) -> Bool {
        var table = ByteStringTable(root: page, seed: seed)
        let put = table.put(member, replacing: false)
        page = table.root
        if put != .inserted { return false }
        tableBytes += SetValue.entryBytes(member.count)
        return true
    }

    private func addToIntegers(_ member: PackedElement, _ seed: UInt64, _ limits: CollectionLimits) -> Bool {
        if let value = SetContent.integer(of: member) {
            var set = IntegerSet(page: page)
            if set.contains(value) { return false }
            set.makeUnique()
            _ = set.insert(value)
            page = set.page
            if set.count > min(limits.setIntegers, 1 << 30) { convertToTable(seed: seed) }
            return true
        }
        let longest = longestInteger
        if count < limits.setEntries && max(member.byteCount, longest) <= limits.setValueBytes {
            convertToList()
            return addToList(member, seed, limits)
        }
        convertToTable(seed: seed)
        return member.withBytes { addToTable($0, seed: seed) }
    }

    /// Digits of the longest integer of an integer set.
    private var longestInteger: Int {
        let set = IntegerSet(page: page)
        if set.count == 0 { return 0 }
        return max(PackedElement(integer: set[0]).byteCount, PackedElement(integer: set[set.count - 1]).byteCount)
    }

    private func addToList(_ member: PackedElement, _ seed: UInt64, _ limits: CollectionLimits) -> Bool {
        var list = PackedList(page: page)
        let element = member.isInteger ? member : PackedElement(member.bytes)
        if list.find(element, from: list.first) != nil { return false }
        let bytes = element.byteCount
        if list.count < limits.setEntries && bytes <= limits.setValueBytes && list.byteCount + bytes <= PackedList.bytesMax {
            list.makeUnique()
            list.append(element)
            page = list.page
            return true
        }
        convertToTable(seed: seed)
        return element.withBytes { addToTable($0, seed: seed) }
    }

    /// Removes a member; false when it was not there.
    @inline(__always)
    func remove(_ member: PackedElement, seed: UInt64) -> Bool {
        switch encoding {
        case .intset:
            var set = IntegerSet(page: page)
            guard let value = SetContent.integer(of: member), set.contains(value) else { return false }
            set.makeUnique()
            let removed = set.remove(value)
            page = set.page
            return removed
        case .listpack:
            var list = PackedList(page: page)
            let wanted = member.isInteger ? member : PackedElement(member.bytes)
            guard let position = list.find(wanted, from: list.first) else { return false }
            list.remove(at: list.makeUnique(keeping: position))
            page = list.page
            return true
        case .hashtable:
            var table = ByteStringTable(root: page, seed: seed)
            let removed = member.withBytes { table.remove($0) }
            page = table.root
            if removed { tableBytes -= SetValue.entryBytes(member.byteCount) }
            return removed
        }
    }

    /// Removes member `rank` of the set's order.
    @inline(__always)
    func remove(at rank: Int) {
        check(rank >= 0 && rank < count, "a member is named by a rank that exists")
        switch encoding {
        case .intset:
            var set = IntegerSet(page: page)
            let value = set[rank]
            set.makeUnique()
            _ = set.remove(value)
            page = set.page
        case .listpack:
            var list = PackedList(page: page)
            list.makeUnique()
            list.remove(at: list.position(ofIndex: rank))
            page = list.page
        case .hashtable:
            var tree = KeyedTree(root: page)
            let (leaf, index) = tree.entry(at: rank)
            tableBytes -= SetValue.entryBytes(leaf.member(index).count)
            tree.remove(fromRank: rank)
            page = tree.root
        }
    }

    /// Becomes an integer set where all members are integers and they are few enough.
    func becomeIntegersIfPossible(limits: CollectionLimits) {
        if encoding == .intset || count > min(limits.setIntegers, 1 << 30) { return }
        var set = IntegerSet()
        var isPossible = true
        forEach { member in
            if let value = SetContent.integer(of: member) { _ = set.insert(value) } else { isPossible = false }
            return isPossible
        }
        if isPossible {
            page.release()
            page = set.page
            tableBytes = 0
        } else {
            set.page.release()
        }
    }

    private func convertToList() {
        var list = PackedList(room: IntegerSet(page: page).bytes.count)
        forEach { member in
            list.append(member)
            return true
        }
        page.release()
        page = list.page
    }

    private func convertToTable(seed: UInt64) {
        var table = ByteStringTable(root: KeyedLeaf(hasValues: false).page, seed: seed)
        forEach { member in
            member.withBytes { bytes in
                let put = table.put(bytes, replacing: false)
                check(put == .inserted, "members of a set differ")
                tableBytes += SetValue.entryBytes(bytes.count)
            }
            return true
        }
        page.release()
        page = table.root
    }

    static func entryBytes(_ member: Int) -> Int {
        KeyedLeaf.accountedBytes(member, inlineMax: KeyedLeaf.inlineBytesMax) + 10
    }

    /// Stops the process where the set is not what it must be.
    func _checkInvariants() {
        switch encoding {
        case .intset: IntegerSet(page: page)._checkInvariants()
        case .listpack: PackedList(page: page)._checkInvariants()
        case .hashtable:
            KeyedTree(root: page)._checkInvariants()
            var bytes = 0
            forEach { member in
                bytes += SetValue.entryBytes(member.bytes.count)
                return true
            }
            check(bytes == tableBytes, "a set knows the bytes of its entries")
        }
    }
}
