import Base
import RESP

/// A leaf of a stream: up to a hundred entries, one behind the other.
///
/// The entries are encoded as in the listpacks that Redis documents for its streams: the fields of the first entry stand at
/// the front, an entry with the same fields has its values alone, and IDs are differences to the node's `base`. So a node
/// is full at the same moment as in Redis, which decides what approximate trimming removes, and a value can be dumped without
/// being encoded again. An entry that is deleted stays as a tombstone until nothing in the node is alive.
///
/// Elements from `dataOffset` on: the shared fields, 0, then for each entry: flags, difference of the milliseconds, difference of the
/// sequence, (number of fields where they are not the shared ones,) fields and values or values alone, number of the elements
/// of the entry before this one.
///
/// Layout behind the page header (count = entries that are alive): 16 tail (UInt32), 20 tombstones (UInt32), 24 base (two
/// UInt64), 40 number of shared fields (UInt32), 44 where entries begin (UInt32), 48 first entry that is alive (UInt32), 52
/// nothing, 56 on: elements, room.
struct StreamNode {
    var page: Page

    static let dataOffset = 56
    /// The most bytes of fields and values of one entry, as in Redis.
    static let entryBytesMax = 1 << 30

    @inline(__always) init(page: Page) { self.page = page }

    /// A node without entries: what a stream without entries has for a root.
    static func empty() -> StreamNode { StreamNode(base: .zero, fieldCount: 0, bytes: dataOffset) }

    private init(base: StreamID, fieldCount: Int, bytes: Int) {
        page = Page.allocate(.streamNode, bytes: StreamNode.capacity(for: bytes))
        tail = StreamNode.dataOffset
        deadCount = 0
        page.start.storeBytes(of: base.milliseconds, toByteOffset: 24, as: UInt64.self)
        page.start.storeBytes(of: base.sequence, toByteOffset: 32, as: UInt64.self)
        store(fieldCount, 40)
        entriesOffset = StreamNode.dataOffset
        firstAlive = StreamNode.dataOffset
    }

    /// A node of elements that were checked elsewhere to be what a node holds.
    ///
    /// - Parameters:
    ///   - entriesOffset, firstAlive: from the first of the elements.
    ///   - count: entries that are alive.
    init(
        base: StreamID, fieldCount: Int, elements: ByteView, entriesOffset: Int, firstAlive: Int, count: Int, deadCount: Int
    ) {
        self.init(base: base, fieldCount: fieldCount, bytes: StreamNode.dataOffset + elements.count)
        (page.start + StreamNode.dataOffset).copyMemory(from: elements.start, byteCount: elements.count)
        tail = StreamNode.dataOffset + elements.count
        self.entriesOffset = StreamNode.dataOffset + entriesOffset
        self.firstAlive = StreamNode.dataOffset + firstAlive
        self.deadCount = deadCount
        page.count = count
    }

    /// Size of the allocation for `bytes`: what the system's allocator would round up to anyway.
    private static func capacity(for bytes: Int) -> Int { (bytes + 7) / 16 * 16 + 8 }

    // MARK: Header

    @inline(__always) private func load(_ offset: Int) -> Int { Int(page.start.load(fromByteOffset: offset, as: UInt32.self)) }
    @inline(__always) private func store(_ value: Int, _ offset: Int) {
        page.start.storeBytes(of: UInt32(value), toByteOffset: offset, as: UInt32.self)
    }

    /// Entries that are alive.
    @inline(__always) var count: Int { page.count }

    /// Offset behind the last entry.
    @inline(__always) private(set) var tail: Int {
        get { load(16) }
        nonmutating set { store(newValue, 16) }
    }

    /// Tombstones.
    @inline(__always) private(set) var deadCount: Int {
        get { load(20) }
        nonmutating set { store(newValue, 20) }
    }

    /// The ID of the first entry that the node had.
    @inline(__always) var base: StreamID {
        StreamID(
            milliseconds: page.start.load(fromByteOffset: 24, as: UInt64.self),
            sequence: page.start.load(fromByteOffset: 32, as: UInt64.self))
    }

    /// Fields that entries share.
    @inline(__always) var fieldCount: Int { load(40) }

    /// Offset of the first entry.
    @inline(__always) private(set) var entriesOffset: Int {
        get { load(44) }
        nonmutating set { store(newValue, 44) }
    }

    /// Offset of the first entry that is alive.
    @inline(__always) private(set) var firstAlive: Int {
        get { load(48) }
        nonmutating set { store(newValue, 48) }
    }

    /// Bytes of the node as a listpack in Redis.
    @inline(__always) var listpackBytes: Int {
        PackedList.frameBytes + StreamNode.integerBytes(count) + StreamNode.integerBytes(deadCount)
            + StreamNode.integerBytes(fieldCount) + tail - StreamNode.dataOffset
    }

    @inline(__always)
    private static func integerBytes(_ value: Int) -> Int {
        value <= 127 ? 2 : PackedEntry.totalBytes(PackedElement(integer: Int64(value)))
    }

    /// The elements as they lie in memory, from the shared fields on.
    var elements: ByteView {
        ByteView(start: UnsafeRawPointer(page.start) + StreamNode.dataOffset, count: tail - StreamNode.dataOffset)
    }

    // MARK: Elements

    @inline(__always)
    private func pointer(_ offset: Int) -> UnsafeRawPointer {
        check(offset >= StreamNode.dataOffset && offset < tail, "an element lies inside its node")
        return UnsafeRawPointer(page.start) + offset
    }

    @inline(__always)
    func element(at offset: Int) -> PackedElement { PackedEntry.decode(pointer(offset)) }

    @inline(__always)
    private func integer(at offset: Int) -> Int64 {
        let element = PackedEntry.decode(pointer(offset))
        check(element.isInteger, "what is not a field or a value of an entry is an integer")
        return element.integer
    }

    @inline(__always)
    func offset(after offset: Int) -> Int {
        let body = PackedEntry.bodyBytes(pointer(offset))
        return offset + body + PackedEntry.backBytes(body)
    }

    @inline(__always)
    private func offset(before offset: Int) -> Int {
        check(offset > StreamNode.dataOffset && offset <= tail, "a walk backward stays inside the node")
        let body = PackedEntry.bodyBytesBackward(UnsafeRawPointer(page.start) + offset)
        let before = offset - body - PackedEntry.backBytes(body)
        check(before >= StreamNode.dataOffset, "an element's length leads to the element before it")
        return before
    }

    // MARK: Entries

    /// The entry that begins at `offset`.
    @inline(__always)
    func entry(at offset: Int) -> StreamEntry {
        let flags = UInt8(truncatingIfNeeded: integer(at: offset))
        let milliseconds = self.offset(after: offset)
        let sequence = self.offset(after: milliseconds)
        let id = StreamID(
            milliseconds: base.milliseconds &+ UInt64(bitPattern: integer(at: milliseconds)),
            sequence: base.sequence &+ UInt64(bitPattern: integer(at: sequence)))
        var content = self.offset(after: sequence)
        var fields = fieldCount
        if flags & StreamEntry.sharesFieldsFlag == 0 {
            fields = Int(integer(at: content))
            content = self.offset(after: content)
        }
        check(fields >= 0, "an entry has no negative number of fields")
        return StreamEntry(node: self, id: id, offset: offset, content: content, fieldCount: fields, flags: flags)
    }

    /// The entry that ends at `offset`, which lies behind the first one's beginning.
    @inline(__always)
    func entry(before offset: Int) -> StreamEntry {
        check(offset > entriesOffset, "an entry ends behind the beginning of the entries")
        var start = self.offset(before: offset)
        for _ in 0..<integer(at: start) { start = self.offset(before: start) }
        check(start >= entriesOffset, "an entry begins where entries do, or later")
        return entry(at: start)
    }

    /// The ID of the last entry, tombstones included.
    var lastID: StreamID { entry(before: tail).id }

    /// The entry of an ID, where it is there and alive.
    func find(_ id: StreamID) -> StreamEntry? {
        var offset = firstAlive
        while offset < tail {
            let entry = self.entry(at: offset)
            if entry.id >= id { return entry.id == id && !entry.isDeleted ? entry : nil }
            offset = entry.end
        }
        return nil
    }

    // MARK: Changing (the page must have one owner)

    /// A node with one entry, whose fields and values are the arguments from `first` on.
    init(id: StreamID, _ arguments: Arguments.Views, from first: Int) {
        var bytes = StreamNode.dataOffset + StreamNode.overheadMax
        for index in stride(from: first, to: arguments.count, by: 2) {
            bytes += arguments[index].count + arguments[index + 1].count + 2 * StreamNode.elementOverheadMax
        }
        self.init(base: id, fieldCount: (arguments.count - first) / 2, bytes: bytes)
        var end = StreamNode.dataOffset
        for index in stride(from: first, to: arguments.count, by: 2) { put(PackedElement(arguments[index]), at: &end) }
        put(PackedElement(integer: 0), at: &end)
        tail = end
        entriesOffset = end
        firstAlive = end
        write(id: id, arguments, from: first, sharesFields: true)
        shrink()
    }

    /// Whether an entry with the fields of the arguments from `first` on can do without its own.
    @inline(__always)
    private func sharesFields(_ arguments: Arguments.Views, from first: Int) -> Bool {
        if fieldCount * 2 != arguments.count - first { return false }
        var offset = StreamNode.dataOffset
        for index in stride(from: first, to: arguments.count, by: 2) {
            if !PackedEntry.equals(pointer(offset), PackedElement(arguments[index])) { return false }
            offset = self.offset(after: offset)
        }
        return true
    }

    /// The most that an element's encoding adds to its bytes.
    private static let elementOverheadMax = 10
    /// The most that the integers of an entry and of a new node take.
    private static let overheadMax = 64

    /// Appends an entry with an ID greater than all before it.
    @inline(__always)
    mutating func append(id: StreamID, _ arguments: Arguments.Views, from first: Int) {
        check(page.isUnique, "a node is changed by its only owner")
        let sharesFields = self.sharesFields(arguments, from: first)
        var bytes = StreamNode.overheadMax
        for index in stride(from: sharesFields ? first + 1 : first, to: arguments.count, by: sharesFields ? 2 : 1) {
            bytes += arguments[index].count + StreamNode.elementOverheadMax
        }
        if tail + bytes > page.capacity { move(capacity: max(tail + bytes, min(page.capacity * 2, StreamNode.growthMax))) }
        write(id: id, arguments, from: first, sharesFields: sharesFields)
    }

    /// Nodes double up to this size.
    private static let growthMax = 4096 + dataOffset

    @inline(__always)
    private func write(id: StreamID, _ arguments: Arguments.Views, from first: Int, sharesFields: Bool) {
        let base = self.base
        var end = tail
        put(PackedElement(integer: sharesFields ? Int64(StreamEntry.sharesFieldsFlag) : 0), at: &end)
        put(PackedElement(integer: Int64(bitPattern: id.milliseconds &- base.milliseconds)), at: &end)
        put(PackedElement(integer: Int64(bitPattern: id.sequence &- base.sequence)), at: &end)
        let pairs = (arguments.count - first) / 2
        if sharesFields {
            for index in stride(from: first + 1, to: arguments.count, by: 2) { put(PackedElement(arguments[index]), at: &end) }
        } else {
            put(PackedElement(integer: Int64(pairs)), at: &end)
            for index in first..<arguments.count { put(PackedElement(arguments[index]), at: &end) }
        }
        put(PackedElement(integer: Int64(sharesFields ? pairs + 3 : 2 * pairs + 4)), at: &end)
        tail = end
        page.count += 1
    }

    @inline(__always)
    private func put(_ element: PackedElement, at offset: inout Int) {
        let body = PackedEntry.bodyBytes(element)
        let end = offset + body + PackedEntry.backBytes(body)
        check(end <= page.capacity, "an element has room in its node")
        PackedEntry.encode(element, bodyBytes: body, to: page.start + offset)
        offset = end
    }

    /// Makes a tombstone of an entry that is alive. The last one alive goes with its node instead.
    func delete(_ entry: StreamEntry) {
        check(page.isUnique && entry.node.page.isSame(page), "a node is changed by its only owner")
        check(!entry.isDeleted && count > 1, "an entry is deleted once, and not the last one")
        // The flags are an integer of one byte.
        page.start.storeBytes(of: entry.flags | StreamEntry.deletedFlag, toByteOffset: entry.offset, as: UInt8.self)
        page.count -= 1
        deadCount += 1
        if entry.offset != firstAlive { return }
        var offset = entry.end
        while true {
            let next = self.entry(at: offset)
            if !next.isDeleted { break }
            offset = next.end
        }
        firstAlive = offset
    }

    /// A copy with one owner.
    func copied() -> StreamNode {
        let copy = Page.allocate(.streamNode, bytes: StreamNode.capacity(for: tail))
        (copy.start + Page.headerBytes).copyMemory(from: page.start + Page.headerBytes, byteCount: tail - Page.headerBytes)
        copy.count = count
        return StreamNode(page: copy)
    }

    private mutating func move(capacity: Int) {
        let target = Page.allocate(.streamNode, bytes: StreamNode.capacity(for: capacity))
        (target.start + Page.headerBytes).copyMemory(from: page.start + Page.headerBytes, byteCount: tail - Page.headerBytes)
        target.count = count
        page.deallocateMoved()
        page = target
    }

    /// Gives back room that no entry will fill.
    mutating func shrink() {
        if page.capacity - StreamNode.capacity(for: tail) >= 32 { move(capacity: tail) }
    }

    /// Stops the process where the node is not what it must be.
    func _checkInvariants() {
        check(page.kind == .streamNode, "a node lives in a page of its kind")
        check(tail <= page.capacity && entriesOffset <= firstAlive && firstAlive < tail, "entries lie inside the page")
        var offset = StreamNode.dataOffset
        for _ in 0..<fieldCount { offset = self.offset(after: offset) }
        check(integer(at: offset) == 0 && self.offset(after: offset) == entriesOffset, "entries begin behind the shared fields")
        offset = entriesOffset
        var (alive, dead, last, first) = (0, 0, StreamID.zero, 0)
        while offset < tail {
            let entry = self.entry(at: offset)
            check(entry.id > last && entry.id >= base, "IDs ascend")
            last = entry.id
            if entry.isDeleted { dead += 1 } else { alive += 1 }
            if !entry.isDeleted && first == 0 { first = offset }
            check(self.entry(before: entry.end).offset == offset, "the way back meets the entries of the way forward")
            offset = entry.end
        }
        check(offset == tail && alive == count && dead == deadCount, "a node counts its entries and tombstones")
        check(first == firstAlive, "a node knows its first entry that is alive")
    }
}

/// One entry of a stream, as it lies in its node; valid until the next change.
struct StreamEntry {
    let node: StreamNode
    let id: StreamID
    /// Where it begins.
    let offset: Int
    /// Where its first field (or value, where fields are shared) begins.
    let content: Int
    let fieldCount: Int
    let flags: UInt8

    static let deletedFlag: UInt8 = 1
    static let sharesFieldsFlag: UInt8 = 2

    @inline(__always) var isDeleted: Bool { flags & StreamEntry.deletedFlag != 0 }
    @inline(__always) var sharesFields: Bool { flags & StreamEntry.sharesFieldsFlag != 0 }

    /// Where the next entry begins.
    @inline(__always) var end: Int {
        var offset = content
        for _ in 0..<(sharesFields ? fieldCount : 2 * fieldCount) { offset = node.offset(after: offset) }
        return node.offset(after: offset)
    }

    /// Calls `body` with each field and its value.
    @inline(__always)
    func forEachField(_ body: (_ field: PackedElement, _ value: PackedElement) -> Void) {
        var field = sharesFields ? StreamNode.dataOffset : content
        var value = sharesFields ? content : fieldCount == 0 ? content : node.offset(after: content)
        for index in 0..<fieldCount {
            body(node.element(at: field), node.element(at: value))
            if index == fieldCount - 1 { return }
            field = sharesFields ? node.offset(after: field) : node.offset(after: value)
            value = node.offset(after: sharesFields ? value : field)
        }
    }
}
