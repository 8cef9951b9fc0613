import Base

/// A hash: fields with values. Small: a packed list of fields and values in the order in which they came ("listpack"). Large: a
/// table in the order of the fields' hashes ("hashtable").
package final class HashValue: CollectionValue {
    /// A packed list, or the root of a table. Owned.
    @exclusivity(unchecked) private(set) var page: Page
    /// Bytes of fields and values with their slots, in a table.
    @exclusivity(unchecked) private var tableBytes = 0
    /// The deadlines of single fields; nil where none has one.
    @exclusivity(unchecked) var deadlines: FieldDeadlines?

    /// An empty hash, to be filled at once.
    package override init() {
        page = PackedList(room: 0).page
        super.init()
    }

    private init(copying other: HashValue) {
        page = other.page
        page.retain()
        tableBytes = other.tableBytes
        deadlines = other.deadlines?.copy()
        super.init()
    }

    /// Around a page that it takes over.
    init(page: Page) {
        self.page = page
        super.init()
    }

    /// Around the root of a table that it takes over; `bytes` of all fields and values.
    init(table root: Page, bytes: Int) {
        page = root
        tableBytes = bytes
        super.init()
    }

    deinit { if !page.isNone { page.release() } }

    override var isBarePage: Bool { isPacked && deadlines == nil }

    override func giveUpPage() -> Page {
        check(isBarePage, "only a small value is a bare page")
        check(tableBytes == 0, "a small hash counts no table")
        let given = page
        page = .none
        return given
    }

    override func take(_ page: Page) {
        check(self.page.isNone, "a value has one page")
        self.page = page
    }

    package override class var type: ValueType { .hash }

    @inline(__always) var isPacked: Bool { page.kind == .packedList }

    /// Fields that are kept, those that are expired but not yet removed included.
    @inline(__always) var storedCount: Int { isPacked ? page.count / 2 : CountedTree.total(page) }

    /// Number of fields.
    package override var count: Int { storedCount - (hiding?.expiredCount ?? 0) }

    package override var memoryBytes: Int {
        if isBarePage { return allocatedBytes(page.capacity) }
        let bytes = isPacked ? allocatedBytes(page.capacity) : tableBytes + tableBytes / 8
        return CollectionValue.objectBytes + bytes + (deadlines?.memoryBytes ?? 0)
    }

    package override var encodingName: StaticString {
        if !isPacked { return "hashtable" }
        return deadlines == nil ? "listpack" : "listpackex"
    }

    package override func copy() -> CollectionValue { HashValue(copying: self) }

    package override func discard(budget: inout Int) -> Bool {
        if let deadlines, !deadlines.discard(budget: &budget) { return false }
        var root = page
        defer { page = root }
        return CountedTree.discard(&root, budget: &budget)
    }

    override func sharesContent(with other: CollectionValue) -> Bool {
        guard let other = other as? HashValue, page.isSame(other.page) else { return false }
        guard let deadlines else { return other.deadlines == nil }
        return other.deadlines.map { deadlines.sharesContent(with: $0) } ?? false
    }

    package override func digest(seed: UInt64) -> Digest {
        var sum = Digest()
        forEachStored { field, value in
            var pair = field.withBytes { Digest($0, seed: seed) }
            pair.append(value.withBytes { Digest($0, seed: seed) })
            if let deadline = field.withBytes({ deadlines?.deadline(of: $0) }) { pair.append(UInt64(bitPattern: deadline)) }
            sum.add(pair)
        }
        return sum
    }

    // MARK: Reading

    /// The value of a field, nil when it is not there. Valid until the next change.
    @inline(__always)
    func value(of field: ByteView, seed: UInt64) -> PackedElement? {
        if let hiding, hiding.isExpired(field) { return nil }
        if isPacked {
            let list = PackedList(page: page)
            guard let position = list.find(PackedElement(field), from: list.first, skipping: 1) else { return nil }
            return list.element(at: list.position(after: position))
        }
        guard let (leaf, index) = ByteStringTable(root: page, seed: seed).find(field) else { return nil }
        return PackedElement(raw: leaf.value(index))
    }

    /// Calls `body` with each field and its value.
    @inline(__always)
    func forEach(_ body: (_ field: PackedElement, _ value: PackedElement) -> Void) {
        guard let hiding else { return forEachStored(body) }
        forEachStored { field, value in
            if !field.withBytes({ hiding.isExpired($0) }) { body(field, value) }
        }
    }

    /// As `forEach`, with the fields that are expired but not yet removed.
    @inline(__always)
    func forEachStored(_ body: (_ field: PackedElement, _ value: PackedElement) -> Void) {
        if isPacked {
            let list = PackedList(page: page)
            var position = list.first
            while position < list.end {
                let value = list.position(after: position)
                body(list.element(at: position), list.element(at: value))
                position = list.position(after: value)
            }
        } else {
            KeyedTree(root: page).forEach { leaf, index in
                body(PackedElement(raw: leaf.member(index)), PackedElement(raw: leaf.value(index)))
                return true
            }
        }
    }

    /// As `forEachStored(_:)`, from field `rank` on, until `body` answers false.
    func forEachStored(from rank: Int, _ body: (_ field: PackedElement, _ value: PackedElement) -> Bool) {
        if isPacked {
            let list = PackedList(page: page)
            var position = list.position(ofIndex: 2 * rank)
            while position < list.end {
                let value = list.position(after: position)
                if !body(list.element(at: position), list.element(at: value)) { return }
                position = list.position(after: value)
            }
            return
        }
        KeyedTree(root: page).forEach(from: rank) { leaf, index in
            body(PackedElement(raw: leaf.member(index)), PackedElement(raw: leaf.value(index)))
        }
    }

    /// Field `rank` of the hash's order, and its value.
    func entry(at rank: Int) -> (field: PackedElement, value: PackedElement) {
        check(rank >= 0 && rank < count, "a field is named by a rank that exists")
        if let hiding { return storedEntry(at: hiding.storedRank(rank, in: self)) }
        return storedEntry(at: rank)
    }

    @inline(__always)
    private func storedEntry(at rank: Int) -> (field: PackedElement, value: PackedElement) {
        if isPacked {
            let list = PackedList(page: page)
            let position = list.position(ofIndex: 2 * rank)
            return (list.element(at: position), list.element(at: list.position(after: position)))
        }
        let (leaf, index) = KeyedTree(root: page).entry(at: rank)
        return (PackedElement(raw: leaf.member(index)), PackedElement(raw: leaf.value(index)))
    }

    /// One step of HSCAN: everything at once while it is packed.
    func scan(from cursor: UInt64, count: Int, seed: UInt64, _ body: (PackedElement, PackedElement) -> Void) -> UInt64 {
        if isPacked {
            forEach(body)
            return 0
        }
        let hiding = self.hiding
        return ByteStringTable(root: page, seed: seed).scan(from: cursor, count: count) { leaf, index in
            if let hiding, hiding.isExpired(leaf.member(index)) { return }
            body(PackedElement(raw: leaf.member(index)), PackedElement(raw: leaf.value(index)))
        }
    }

    // MARK: Changing

    /// Whether a field or value of so many bytes can stand in a packed hash.
    @inline(__always)
    private func fits(_ bytes: Int, _ limits: CollectionLimits) -> Bool {
        bytes <= limits.hashValueBytes && PackedList(page: page).byteCount + bytes <= PackedList.bytesMax
    }

    /// Leaves the small form where one of the arguments to come is too long for it.
    func prepare(forBytes bytes: Int, seed: UInt64, limits: CollectionLimits) {
        if isPacked && !fits(bytes, limits) { convert(seed: seed) }
    }

    /// Sets a field; true when it is new. Neither view may lie in this hash. Its deadline goes with the value before, but where
    /// `keepsDeadline` (counting up is no new value).
    @inline(__always)
    func set(
        _ field: ByteView, to value: ByteView, seed: UInt64, limits: CollectionLimits, keepsDeadline: Bool = false
    ) -> Bool {
        let wasExpired = deadlines != nil && overwritten(field, keepsDeadline: keepsDeadline)
        return setStored(field, value, seed, limits) || wasExpired
    }

    @inline(__always)
    private func setStored(_ field: ByteView, _ value: ByteView, _ seed: UInt64, _ limits: CollectionLimits) -> Bool {
        if isPacked {
            if fits(field.count, limits) && fits(value.count, limits) { return setPacked(field, value, seed, limits) }
            convert(seed: seed)
        }
        return setInTable(field, value, seed)
    }

    private func setPacked(_ field: ByteView, _ value: ByteView, _ seed: UInt64, _ limits: CollectionLimits) -> Bool {
        var list = PackedList(page: page)
        list.makeUnique()
        let key = PackedElement(field)
        if let position = list.find(key, from: list.first, skipping: 1) {
            list.replace(at: list.position(after: position), with: PackedElement(value))
            page = list.page
            return false
        }
        list.append(key)
        list.append(PackedElement(value))
        page = list.page
        if storedCount > limits.hashEntries { convert(seed: seed) }
        return true
    }

    private func setInTable(_ field: ByteView, _ value: ByteView, _ seed: UInt64) -> Bool {
        var table = ByteStringTable(root: page, seed: seed)
        let put = table.put(field, value: value)
        page = table.root
        tableBytes += HashValue.entryBytes(field.count, value.count)
        if case .replaced(let before) = put {
            tableBytes -= HashValue.entryBytes(field.count, before)
            return false
        }
        return true
    }

    static func entryBytes(_ field: Int, _ value: Int) -> Int {
        KeyedLeaf.accountedBytes(field, inlineMax: KeyedLeaf.inlineBytesMax) + 10
            + KeyedLeaf.accountedBytes(value, inlineMax: KeyedLeaf.inlineBytesMax)
    }

    /// Removes a field; false when it was not there.
    @inline(__always)
    func remove(_ field: ByteView, seed: UInt64) -> Bool {
        if deadlines != nil, !mayRemove(field) { return false }
        return removeStored(field, seed: seed)
    }

    @inline(__always)
    func removeStored(_ field: ByteView, seed: UInt64) -> Bool {
        if isPacked {
            var list = PackedList(page: page)
            guard let position = list.find(PackedElement(field), from: list.first, skipping: 1) else { return false }
            list.remove(at: list.makeUnique(keeping: position), count: 2)
            page = list.page
            return true
        }
        var table = ByteStringTable(root: page, seed: seed)
        guard let valueBytes = table.removeValue(field) else { return false }
        tableBytes -= HashValue.entryBytes(field.count, valueBytes)
        page = table.root
        return true
    }

    private func convert(seed: UInt64) {
        var table = ByteStringTable(root: KeyedLeaf(hasValues: true).page, seed: seed)
        forEachStored { field, value in
            field.withBytes { name in
                value.withBytes { bytes in
                    let put = table.put(name, value: bytes)
                    check(put == .inserted, "fields of a hash differ")
                    tableBytes += HashValue.entryBytes(name.count, bytes.count)
                }
            }
        }
        page.release()
        page = table.root
    }

    /// Stops the process where the hash is not what it must be.
    func _checkInvariants() {
        if isPacked {
            PackedList(page: page)._checkInvariants()
            check(page.count % 2 == 0, "every field has a value")
        } else {
            KeyedTree(root: page)._checkInvariants()
            var bytes = 0
            forEachStored { bytes += HashValue.entryBytes($0.bytes.count, $1.bytes.count) }
            check(bytes == tableBytes, "a hash knows the bytes of its entries")
        }
        deadlines?._checkInvariants(of: self)
    }
}
