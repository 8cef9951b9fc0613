import Base

/// A byte string on its way into a keyed leaf; `blob` where a page with the bytes exists already and is to be shared.
struct KeyedElement {
    let bytes: ByteView
    let blob: Page?

    @inline(__always) init(_ bytes: ByteView, blob: Page? = nil) {
        self.bytes = bytes
        self.blob = blob
    }
}

/// A leaf of a keyed tree: entries of a 64-bit key and a member, and in maps a value, sorted by (key, member bytes).
///
/// Slots (key and place of the entry) stand in order at the front, entries are written from the end downwards in the order in
/// which they came. What is removed leaves waste, which is squeezed out when the page is rebuilt. An element longer than
/// the tree's limit is a pointer to a blob.
///
/// Layout behind the page header (level = 1 in maps): 16 bytes of entries, waste included (UInt32), 20 waste (UInt32), 24
/// slots of 10 bytes: key (UInt64), distance of the entry from the end of the page (UInt16). An element is a length byte and
/// so many bytes, or 255 and a pointer.
struct KeyedLeaf {
    var page: Page

    private static let slotsOffset = 24
    static let slotBytes = 10
    /// The longest element that can stand in a leaf.
    static let inlineBytesMax = 254
    /// A leaf is cut in two before it holds more.
    static let bytesMax = 2048
    /// Below this a leaf looks for a neighbour to merge with.
    static let bytesMin = 512

    @inline(__always) init(page: Page) { self.page = page }

    /// An empty leaf.
    init(hasValues: Bool, room: Int = 64) {
        let bytes = min(KeyedLeaf.slotsOffset + room + room / 8, 65520)
        page = Page.allocate(.keyedLeaf, level: hasValues ? 1 : 0, bytes: (bytes + 7) / 16 * 16 + 8)
        heapBytes = 0
        waste = 0
    }

    @inline(__always) var hasValues: Bool { page.level == 1 }
    @inline(__always) var count: Int { page.count }

    @inline(__always) private var heapBytes: Int {
        get { Int(page.start.load(fromByteOffset: 16, as: UInt32.self)) }
        nonmutating set { page.start.storeBytes(of: UInt32(newValue), toByteOffset: 16, as: UInt32.self) }
    }

    @inline(__always) private var waste: Int {
        get { Int(page.start.load(fromByteOffset: 20, as: UInt32.self)) }
        nonmutating set { page.start.storeBytes(of: UInt32(newValue), toByteOffset: 20, as: UInt32.self) }
    }

    /// Bytes that the entries need, without waste and room.
    @inline(__always) var liveBytes: Int { heapBytes - waste + count * KeyedLeaf.slotBytes }

    @inline(__always)
    private func slot(_ index: Int) -> UnsafeMutableRawPointer {
        check(index >= 0 && index < count, "a slot is named by an index that exists")
        return page.start + (KeyedLeaf.slotsOffset + index * KeyedLeaf.slotBytes)
    }

    // MARK: Reading

    @inline(__always) func key(_ index: Int) -> UInt64 { slot(index).loadUnaligned(as: UInt64.self) }

    @inline(__always)
    private func entry(_ index: Int) -> UnsafeMutableRawPointer {
        let distance = Int(slot(index).loadUnaligned(fromByteOffset: 8, as: UInt16.self))
        check(distance > 0 && distance <= heapBytes, "an entry lies among the entries")
        return page.start + (page.capacity - distance)
    }

    @inline(__always)
    private static func read(_ pointer: UnsafeMutableRawPointer) -> ByteView {
        let count = Int(pointer.load(as: UInt8.self))
        if count == 255 { return blob(pointer).blobBytes }
        return ByteView(start: UnsafeRawPointer(pointer) + 1, count: count)
    }

    @inline(__always)
    private static func blob(_ pointer: UnsafeMutableRawPointer) -> Page {
        Page(start: pointer.loadUnaligned(fromByteOffset: 1, as: UnsafeMutableRawPointer.self))
    }

    /// Bytes of the element at `pointer` in the leaf.
    @inline(__always)
    private static func elementBytes(_ pointer: UnsafeMutableRawPointer) -> Int {
        let count = Int(pointer.load(as: UInt8.self))
        return count == 255 ? 9 : 1 + count
    }

    @inline(__always)
    private func entryBytes(_ pointer: UnsafeMutableRawPointer) -> Int {
        let member = KeyedLeaf.elementBytes(pointer)
        return hasValues ? member + KeyedLeaf.elementBytes(pointer + member) : member
    }

    /// Bytes that entry `index` takes with its slot.
    @inline(__always) func entryBytes(_ index: Int) -> Int { entryBytes(entry(index)) + KeyedLeaf.slotBytes }

    /// The member of entry `index`; valid until the next change.
    @inline(__always) func member(_ index: Int) -> ByteView { KeyedLeaf.read(entry(index)) }

    /// The blob that holds the member of entry `index`, where it is a long one.
    func memberBlob(_ index: Int) -> Page? {
        let pointer = entry(index)
        return pointer.load(as: UInt8.self) == 255 ? KeyedLeaf.blob(pointer) : nil
    }

    /// The value of entry `index`; valid until the next change. Empty where the tree has no values.
    @inline(__always)
    func value(_ index: Int) -> ByteView {
        if !hasValues { return .empty }
        let pointer = entry(index)
        return KeyedLeaf.read(pointer + KeyedLeaf.elementBytes(pointer))
    }

    /// Calls `body` with every blob that the leaf refers to.
    func forEachBlob(_ body: (Page) -> Void) {
        for index in 0..<count {
            let pointer = entry(index)
            if pointer.load(as: UInt8.self) == 255 { body(KeyedLeaf.blob(pointer)) }
            if hasValues {
                let value = pointer + KeyedLeaf.elementBytes(pointer)
                if value.load(as: UInt8.self) == 255 { body(KeyedLeaf.blob(value)) }
            }
        }
    }

    /// Index of the first entry whose key is not less than `key`.
    @inline(__always)
    func lowerBound(_ key: UInt64) -> Int {
        countBelow(key, from: page.start + KeyedLeaf.slotsOffset, count: count, stride: KeyedLeaf.slotBytes)
    }

    /// Index of the first entry that is not less than (`key`, `member`), and whether it is equal.
    @inline(__always)
    func lowerBound(_ key: UInt64, _ member: ByteView) -> (index: Int, isEqual: Bool) {
        let start = lowerBound(key)
        if start == count || self.key(start) != key { return (start, false) }
        if start + 1 == count || self.key(start + 1) != key {
            // One entry has the key, as a rule.
            let order = self.member(start).compare(member)
            return (order < 0 ? start + 1 : start, order == 0)
        }
        return lowerBoundAmongEqual(key, member, from: start)
    }

    private func lowerBoundAmongEqual(_ key: UInt64, _ member: ByteView, from start: Int) -> (index: Int, isEqual: Bool) {
        // The front of a queue first.
        let order = self.member(start).compare(member)
        if order >= 0 { return (start, order == 0) }
        var low = start + 1
        var high = key == .max ? count : lowerBound(key + 1)
        while low < high {
            let middle = (low + high) / 2
            let order = self.member(middle).compare(member)
            if order == 0 { return (middle, true) }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return (low, false)
    }

    // MARK: Changing (the page must have one owner)

    /// Bytes that an element takes in a leaf whose longest inline element is `inlineMax`.
    @inline(__always)
    static func bytes(of element: KeyedElement, inlineMax: Int) -> Int {
        element.bytes.count > inlineMax ? 9 : 1 + element.bytes.count
    }

    /// Bytes of memory that an element of `count` bytes takes, a blob of its own included.
    @inline(__always)
    static func accountedBytes(_ count: Int, inlineMax: Int) -> Int {
        count > inlineMax ? 9 + allocatedBytes(Page.headerBytes + count) : 1 + count
    }

    /// Bytes that an entry adds to a leaf.
    @inline(__always)
    func bytes(of member: KeyedElement, _ value: ByteView, inlineMax: Int) -> Int {
        var bytes = KeyedLeaf.bytes(of: member, inlineMax: inlineMax)
        if hasValues { bytes += KeyedLeaf.bytes(of: KeyedElement(value), inlineMax: inlineMax) }
        return bytes
    }

    /// Inserts an entry at `index`, which must be its place in the order.
    mutating func insert(at index: Int, key: UInt64, member: KeyedElement, value: ByteView, inlineMax: Int) {
        check(index >= 0 && index <= count, "an entry is inserted at a place that exists")
        let bytes = self.bytes(of: member, value, inlineMax: inlineMax)
        reserve(bytes + KeyedLeaf.slotBytes)
        let after = count - index
        let slot = page.start + (KeyedLeaf.slotsOffset + index * KeyedLeaf.slotBytes)
        (slot + KeyedLeaf.slotBytes).copyMemory(from: slot, byteCount: after * KeyedLeaf.slotBytes)
        page.count += 1
        slot.storeBytes(of: key, as: UInt64.self)
        writeEntry(at: index, member: member, value: value, inlineMax: inlineMax)
    }

    /// Removes entry `index`.
    mutating func remove(at index: Int) {
        drop(index)
        squeeze()
    }

    /// Removes entry `index` and leaves the page as large as it is.
    private func drop(_ index: Int) {
        releaseBlobs(of: entry(index))
        discard(index)
        let slot = self.slot(index)
        let after = count - index - 1
        slot.copyMemory(from: slot + KeyedLeaf.slotBytes, byteCount: after * KeyedLeaf.slotBytes)
        page.count -= 1
    }

    /// Removes the entries in `range`.
    mutating func remove(_ range: Range<Int>) {
        if range.isEmpty { return }
        let kept = KeyedLeaf(hasValues: hasValues, room: liveBytes)
        kept.copyEntries(of: self, 0..<range.lowerBound)
        kept.copyEntries(of: self, range.upperBound..<count)
        page.release()
        page = kept.page
    }

    /// Gives entry `index` another value.
    mutating func replaceValue(at index: Int, with value: ByteView, inlineMax: Int) {
        check(hasValues, "only maps have values")
        let pointer = entry(index)
        let target = pointer + KeyedLeaf.elementBytes(pointer)
        if value.count <= inlineMax && target.load(as: UInt8.self) == UInt8(truncatingIfNeeded: value.count) {
            (target + 1).copyMemory(from: value.start, byteCount: value.count)
            return
        }
        // Another length: the entry is written again. Its member is kept aside meanwhile; `value` never lies in this page.
        let key = self.key(index)
        let blob = memberBlob(index)
        blob?.retain()
        withUnsafeTemporaryAllocation(byteCount: KeyedLeaf.inlineBytesMax + 1, alignment: 8) { space in
            var member = self.member(index)
            if blob == nil, let base = space.baseAddress {
                base.copyMemory(from: member.start, byteCount: member.count)
                member = ByteView(start: UnsafeRawPointer(base), count: member.count)
            }
            drop(index)
            insert(at: index, key: key, member: KeyedElement(member, blob: blob), value: value, inlineMax: inlineMax)
        }
        blob?.release()
        squeeze()
    }

    /// Writes an entry below the others and lets slot `index` name it.
    private func writeEntry(at index: Int, member: KeyedElement, value: ByteView, inlineMax: Int) {
        let bytes = self.bytes(of: member, value, inlineMax: inlineMax)
        heapBytes += bytes
        check(
            KeyedLeaf.slotsOffset + count * KeyedLeaf.slotBytes + heapBytes <= page.capacity, "slots and entries do not meet")
        let pointer = page.start + (page.capacity - heapBytes)
        let used = write(member, to: pointer, inlineMax: inlineMax)
        if hasValues { write(KeyedElement(value), to: pointer + used, inlineMax: inlineMax) }
        slot(index).storeBytes(of: UInt16(heapBytes), toByteOffset: 8, as: UInt16.self)
    }

    @discardableResult
    private func write(_ element: KeyedElement, to pointer: UnsafeMutableRawPointer, inlineMax: Int) -> Int {
        let count = element.bytes.count
        if count <= inlineMax {
            pointer.storeBytes(of: UInt8(count), as: UInt8.self)
            (pointer + 1).copyMemory(from: element.bytes.start, byteCount: count)
            return 1 + count
        }
        let blob: Page
        if let shared = element.blob {
            shared.retain()
            blob = shared
        } else {
            blob = Page.blob(element.bytes)
        }
        pointer.storeBytes(of: 255, as: UInt8.self)
        pointer.storeBytes(of: blob.start, toByteOffset: 1, as: UnsafeMutableRawPointer.self)
        page.blobs += 1
        return 9
    }

    private func releaseBlobs(of pointer: UnsafeMutableRawPointer) {
        if page.blobs == 0 { return }
        if pointer.load(as: UInt8.self) == 255 {
            KeyedLeaf.blob(pointer).release()
            page.blobs -= 1
        }
        if !hasValues { return }
        let value = pointer + KeyedLeaf.elementBytes(pointer)
        if value.load(as: UInt8.self) == 255 {
            KeyedLeaf.blob(value).release()
            page.blobs -= 1
        }
    }

    /// Counts the bytes of entry `index` as free: at once where it was the last one written.
    private func discard(_ index: Int) {
        let pointer = entry(index)
        let bytes = entryBytes(pointer)
        if page.start + (page.capacity - heapBytes) == pointer { heapBytes -= bytes } else { waste += bytes }
    }

    /// Makes room for `bytes` more, in a larger page where there is none.
    private mutating func reserve(_ bytes: Int) {
        if KeyedLeaf.slotsOffset + count * KeyedLeaf.slotBytes + heapBytes + bytes <= page.capacity { return }
        replace(with: rebuilt(0..<count, extra: bytes))
    }

    /// Gives waste back when it is a third of the page.
    private mutating func squeeze() {
        if waste * 3 < page.capacity && (page.capacity <= 256 || liveBytes * 2 > page.capacity) { return }
        if page.capacity <= 96 { return }
        replace(with: rebuilt(0..<count))
    }

    private mutating func replace(with other: KeyedLeaf) {
        page.release()
        page = other.page
    }

    /// A leaf with the entries in `range` and room for `extra` bytes more.
    func rebuilt(_ range: Range<Int>, extra: Int = 0) -> KeyedLeaf {
        var live = liveBytes
        if range.count < count {
            live = range.count * KeyedLeaf.slotBytes
            for index in range { live += entryBytes(entry(index)) }
        }
        let copy = KeyedLeaf(hasValues: hasValues, room: live + extra)
        copy.copyEntries(of: self, range)
        return copy
    }

    /// Appends entries of another leaf of the same kind; their blobs get one owner more.
    func copyEntries(of other: KeyedLeaf, _ range: Range<Int>) {
        if range.isEmpty { return }
        let start = count
        (page.start + (KeyedLeaf.slotsOffset + start * KeyedLeaf.slotBytes))
            .copyMemory(
                from: other.page.start + (KeyedLeaf.slotsOffset + range.lowerBound * KeyedLeaf.slotBytes),
                byteCount: range.count * KeyedLeaf.slotBytes)
        page.count = start + range.count
        if start == 0 && other.waste == 0 && range.count == other.count {
            copyHeap(of: other)
            return
        }
        for index in range {
            let source = other.entry(index)
            let bytes = other.entryBytes(source)
            heapBytes += bytes
            let target = page.start + (page.capacity - heapBytes)
            target.copyMemory(from: source, byteCount: bytes)
            retainBlobs(of: target)
            slot(start + index - range.lowerBound).storeBytes(of: UInt16(heapBytes), toByteOffset: 8, as: UInt16.self)
        }
        check(
            KeyedLeaf.slotsOffset + count * KeyedLeaf.slotBytes + heapBytes <= page.capacity, "slots and entries do not meet")
    }

    /// The fast way for a whole leaf without waste: distances from the end stay the same.
    private func copyHeap(of other: KeyedLeaf) {
        heapBytes = other.heapBytes
        check(
            KeyedLeaf.slotsOffset + count * KeyedLeaf.slotBytes + heapBytes <= page.capacity, "slots and entries do not meet")
        (page.start + (page.capacity - heapBytes))
            .copyMemory(from: other.page.start + (other.page.capacity - heapBytes), byteCount: heapBytes)
        if other.page.blobs == 0 { return }
        for index in 0..<count { retainBlobs(of: entry(index)) }
    }

    private func retainBlobs(of pointer: UnsafeMutableRawPointer) {
        if pointer.load(as: UInt8.self) == 255 {
            KeyedLeaf.blob(pointer).retain()
            page.blobs += 1
        }
        if !hasValues { return }
        let value = pointer + KeyedLeaf.elementBytes(pointer)
        if value.load(as: UInt8.self) == 255 {
            KeyedLeaf.blob(value).retain()
            page.blobs += 1
        }
    }

    /// Stops the process where the leaf is not what it must be.
    func _checkInvariants() {
        check(page.kind == .keyedLeaf && page.level <= 1, "a leaf lives in a page of its kind")
        check(
            KeyedLeaf.slotsOffset + count * KeyedLeaf.slotBytes + heapBytes <= page.capacity, "slots and entries do not meet")
        var bytes = 0
        var blobs = 0
        forEachBlob { _ in blobs += 1 }
        for index in 0..<count {
            bytes += entryBytes(entry(index))
            if index == 0 { continue }
            let ordered =
                key(index - 1) < key(index)
                || key(index - 1) == key(index) && member(index - 1).compare(member(index)) < 0
            check(ordered, "entries ascend without repetition")
        }
        check(bytes + waste == heapBytes, "what is not an entry is waste")
        check(blobs == page.blobs, "every blob is counted")
    }
}
