import Base

/// A sequence of elements in one page, each with its length before and behind it, so that it can be walked both ways:
/// the small form of lists, hashes, sets and sorted sets, and the chunk of long lists.
///
/// An entry is encoded as in the listpack format that Redis documents (encoding byte, data, total length backwards), so
/// sizes, and with them the moments at which a collection changes its encoding, are the same, and a value can be dumped
/// without being encoded again. What differs is the frame: entries may begin behind a gap, so that pushing and popping at
/// the front costs the same as at the end.
///
/// A position is the byte offset of an entry in the page; `end` is the position behind the last one. A position is
/// valid until the next change. Changes ask for a page with one owner (`makeUnique`).
///
/// Layout behind the page header: 16 head (UInt32), 20 tail (UInt32), 24 on: gap, entries, room.
struct PackedList {
    var page: Page

    /// Where entries can begin.
    static let dataOffset = 24
    /// What a listpack has besides its entries in Redis (header and terminator); counted where sizes decide.
    static let frameBytes = 7
    /// The most bytes of entries that are packed into one list, as Redis's safety limit.
    static let bytesMax = 1 << 30

    @inline(__always) init(page: Page) { self.page = page }

    /// An empty list with room for `bytes` of entries.
    init(room bytes: Int = 16) {
        page = Page.allocate(.packedList, bytes: PackedList.capacity(for: bytes))
        head = PackedList.dataOffset
        tail = PackedList.dataOffset
    }

    /// Size of the allocation for `bytes` of entries: what the system's allocator would round up to anyway.
    private static func capacity(for bytes: Int) -> Int { (dataOffset + bytes + 7) / 16 * 16 + 8 }

    @inline(__always) var head: Int {
        get { Int(page.start.load(fromByteOffset: 16, as: UInt32.self)) }
        nonmutating set { page.start.storeBytes(of: UInt32(newValue), toByteOffset: 16, as: UInt32.self) }
    }

    @inline(__always) var tail: Int {
        get { Int(page.start.load(fromByteOffset: 20, as: UInt32.self)) }
        nonmutating set { page.start.storeBytes(of: UInt32(newValue), toByteOffset: 20, as: UInt32.self) }
    }

    /// Number of elements.
    @inline(__always) var count: Int {
        get { page.count }
        nonmutating set { page.count = newValue }
    }

    /// Bytes of all entries.
    @inline(__always) var byteCount: Int { tail - head }

    /// Position of the first element (`end` when there is none).
    @inline(__always) var first: Int { head }

    /// Position behind the last element.
    @inline(__always) var end: Int { tail }

    /// The entries as they lie in memory, in the listpack entry format.
    var entries: ByteView { ByteView(start: UnsafeRawPointer(page.start) + head, count: byteCount) }

    // MARK: Reading

    @inline(__always) func byte(_ offset: Int) -> UInt8 { page.start.load(fromByteOffset: offset, as: UInt8.self) }

    /// The element at `position`.
    @inline(__always)
    func element(at position: Int) -> PackedElement {
        check(position >= head && position < tail, "an element is read at a position that exists")
        return PackedEntry.decode(UnsafeRawPointer(page.start) + position)
    }

    /// The position behind the element at `position`.
    @inline(__always)
    func position(after position: Int) -> Int {
        check(position >= head && position < tail, "a walk forward starts at an element")
        let body = PackedEntry.bodyBytes(UnsafeRawPointer(page.start) + position)
        return position + body + PackedEntry.backBytes(body)
    }

    /// The position of the element before `position`, which must not be the first.
    @inline(__always)
    func position(before position: Int) -> Int {
        check(position > head && position <= tail, "a walk backward stays inside the list")
        let body = PackedEntry.bodyBytesBackward(UnsafeRawPointer(page.start) + position)
        let before = position - body - PackedEntry.backBytes(body)
        check(before >= head, "an entry's length leads to the entry before it")
        return before
    }

    /// The position of the element with this index, `0 ..< count`, walked from the nearer end.
    func position(ofIndex index: Int) -> Int {
        check(index >= 0 && index <= count, "an index lies inside its list")
        if index <= count / 2 {
            var position = head
            for _ in 0..<index { position = self.position(after: position) }
            return position
        }
        var position = tail
        for _ in index..<count { position = self.position(before: position) }
        return position
    }

    /// Whether all elements that ever came into the page are strings of up to 63 bytes below 128, or numbers from 0 to 127. Then every
    /// byte from 128 on is the first one of an entry, so an entry can be searched for like a word in a text.
    @inline(__always)
    private var isPlain: Bool { page.blobs == 0 }

    /// Whether `element` leaves a plain list plain.
    @inline(__always)
    private static func isPlain(_ element: PackedElement) -> Bool {
        if element.isInteger { return element.integer >= 0 && element.integer <= 127 }
        return element.bytes.count <= 63 && element.bytes.isASCII
    }

    @inline(__always)
    private func noteKind(of element: PackedElement) { if isPlain && !PackedList.isPlain(element) { page.blobs = 1 } }

    /// Position of the first element from `start` on that equals `element`, looking at every `1 + skipping`th; nil when there is
    /// none. `element` must have been made by the rule by which the list's elements were made.
    func find(_ element: PackedElement, from start: Int, skipping: Int = 0) -> Int? {
        if skipping == 0 && isPlain && !element.isInteger && element.bytes.count > 0 {
            return findPlain(element.bytes, from: start)
        }
        var position = start
        var wait = 0
        while position < tail {
            if wait == 0 {
                if PackedEntry.equals(UnsafeRawPointer(page.start) + position, element) { return position }
                wait = skipping
            } else {
                wait -= 1
            }
            position = self.position(after: position)
        }
        return nil
    }

    /// As `find`, of a string that is not empty in a plain list.
    private func findPlain(_ bytes: ByteView, from start: Int) -> Int? {
        if bytes.count > 63 || start == tail { return nil }
        check(start >= head && start < tail, "a search begins at an element")
        let entries = ByteView(start: UnsafeRawPointer(page.start) + start, count: tail - start)
        return entries.firstIndex(of: 0x80 | UInt8(bytes.count), followedBy: bytes).map { start + $0 }
    }

    // MARK: Changing

    /// As `makeUnique`; where the element at `position` is then.
    @inline(__always)
    mutating func makeUnique(keeping position: Int) -> Int {
        let offset = position - head
        makeUnique()
        return head + offset
    }

    /// Makes this the only owner of the page: copies it where a record holds it too.
    @inline(__always)
    mutating func makeUnique() {
        if page.isUnique { return }
        let old = page
        self = copied()
        old.release()
    }

    /// A copy with one owner.
    func copied() -> PackedList {
        let copy = PackedList(room: byteCount)
        (copy.page.start + copy.head).copyMemory(from: page.start + head, byteCount: byteCount)
        copy.tail = copy.head + byteCount
        copy.count = count
        copy.page.blobs = page.blobs
        return copy
    }

    /// Appends an element.
    @inline(__always)
    mutating func append(_ element: PackedElement) { insert(element, at: tail) }

    /// Adds an element at an end, whose entry takes `body` bytes without its backward length: the usual case, in which there is room,
    /// without moving anything. The page must have one owner.
    @inline(__always)
    mutating func push(_ element: PackedElement, bodyBytes body: Int, atHead: Bool) {
        check(page.isUnique, "a list is changed by its only owner")
        let bytes = body + PackedEntry.backBytes(body)
        let place: Int
        if atHead {
            place = head - bytes
            if place < PackedList.dataOffset { return pushGrowing(element, at: head) }
            head = place
        } else {
            place = tail
            if place + bytes > page.capacity { return pushGrowing(element, at: place) }
            tail = place + bytes
        }
        PackedEntry.encode(element, bodyBytes: body, to: page.start + place)
        noteKind(of: element)
        count += 1
    }

    @inline(never)
    private mutating func pushGrowing(_ element: PackedElement, at position: Int) { insert(element, at: position) }

    /// Inserts an element in front of the one at `position` (or at the end) and returns its position.
    @discardableResult
    mutating func insert(_ element: PackedElement, at position: Int) -> Int {
        let body = PackedEntry.bodyBytes(element)
        let gap = splice(at: position, removing: 0, inserting: body + PackedEntry.backBytes(body))
        PackedEntry.encode(element, bodyBytes: body, to: page.start + gap)
        noteKind(of: element)
        count += 1
        return gap
    }

    /// Puts another element in the place of the one at `position`; returns its position.
    @discardableResult
    mutating func replace(at position: Int, with element: PackedElement) -> Int {
        let body = PackedEntry.bodyBytes(element)
        let old = self.position(after: position) - position
        let gap = splice(at: position, removing: old, inserting: body + PackedEntry.backBytes(body))
        PackedEntry.encode(element, bodyBytes: body, to: page.start + gap)
        noteKind(of: element)
        return gap
    }

    /// Removes `elements` elements from `position` on; returns the position of what follows them.
    @discardableResult
    mutating func remove(at position: Int, count elements: Int = 1) -> Int {
        check(elements >= 0 && elements <= count, "only elements that exist are removed")
        var last = position
        for _ in 0..<elements { last = self.position(after: last) }
        count -= elements
        let gap = splice(at: position, removing: last - position, inserting: 0)
        return trimmed(keeping: gap)
    }

    /// Removes `elements` elements from index `index` on.
    mutating func remove(fromIndex index: Int, count elements: Int) {
        if elements == 0 { return }
        if index + elements == count {
            // To the end: no need to walk what goes.
            let position = self.position(ofIndex: index)
            count -= elements
            _ = trimmed(keeping: splice(at: position, removing: tail - position, inserting: 0))
        } else {
            remove(at: position(ofIndex: index), count: elements)
        }
    }

    /// Cuts the list at `index`: this keeps the elements before it, the result gets the rest.
    mutating func split(atIndex index: Int) -> PackedList {
        let position = self.position(ofIndex: index)
        let rest = tail - position
        let other = PackedList(room: rest)
        (other.page.start + other.head).copyMemory(from: page.start + position, byteCount: rest)
        other.tail = other.head + rest
        other.count = count - index
        other.page.blobs = page.blobs
        count = index
        _ = trimmed(keeping: splice(at: position, removing: rest, inserting: 0))
        return other
    }

    /// Appends all elements of `other`.
    mutating func append(contentsOf other: PackedList) {
        let gap = splice(at: tail, removing: 0, inserting: other.byteCount)
        (page.start + gap).copyMemory(from: other.page.start + other.head, byteCount: other.byteCount)
        count += other.count
        page.blobs |= other.page.blobs
    }

    /// Gives memory back when three quarters of it are empty. Returns the position that was `position`.
    private mutating func trimmed(keeping position: Int) -> Int {
        if page.capacity <= 128 || byteCount * 4 > page.capacity { return position }
        return position - head + move(room: byteCount + byteCount / 4, gapInFront: 0)
    }

    /// Makes `inserting` unwritten bytes out of the `removing` bytes at `position`; returns where they are. Moves the shorter
    /// side.
    private mutating func splice(at position: Int, removing: Int, inserting: Int) -> Int {
        check(position >= head && position + removing <= tail, "a change lies inside the list")
        check(page.isUnique, "a list is changed by its only owner")
        let delta = inserting - removing
        let before = position - head
        let after = tail - position - removing
        let start = page.start
        if delta == 0 { return position }
        if delta < 0 {
            if before < after {
                (start + head - delta).copyMemory(from: start + head, byteCount: before)
                head -= delta
                return position - delta
            }
            (start + position + inserting).copyMemory(from: start + position + removing, byteCount: after)
            tail += delta
            return position
        }
        let frontRoom = head - PackedList.dataOffset
        let backRoom = page.capacity - tail
        if frontRoom >= delta && (before < after || backRoom < delta) {
            (start + head - delta).copyMemory(from: start + head, byteCount: before)
            head -= delta
            return position - delta
        }
        if backRoom >= delta {
            (start + position + inserting).copyMemory(from: start + position + removing, byteCount: after)
            tail += delta
            return position
        }
        return grow(by: delta, at: position, before: before, after: after, removing: removing)
    }

    /// The part of `splice` that moves to another page, or inside this one, because neither end has room.
    private mutating func grow(by delta: Int, at position: Int, before: Int, after: Int, removing: Int) -> Int {
        let used = byteCount + delta
        check(used <= PackedList.bytesMax + (1 << 29) + 64, "a packed list stays under its limit")
        let atFront = before == 0 && after > 0
        // Small lists are exact, as memory counts there; longer ones grow by a quarter, up to a chunk of usual size.
        var slack = used < 256 ? 0 : used / 4
        if used <= 8192 { slack = min(slack, 8192 - used) }
        var target = page
        let spare = page.capacity - PackedList.dataOffset - used
        if spare < 0 || spare < used / 16 {
            target = Page.allocate(.packedList, bytes: PackedList.capacity(for: used + slack))
            target.count = count
            target.blobs = page.blobs
        }
        let room = target.capacity - PackedList.dataOffset - used
        let newHead = PackedList.dataOffset + (atFront ? room : 0)
        let source = page.start
        let gap = newHead + before
        // In the same page, the order of the two moves matters: never over what has not moved yet.
        let tailTarget = target.start + gap + removing + delta
        if newHead > head {
            tailTarget.copyMemory(from: source + position + removing, byteCount: after)
            (target.start + newHead).copyMemory(from: source + head, byteCount: before)
        } else {
            (target.start + newHead).copyMemory(from: source + head, byteCount: before)
            tailTarget.copyMemory(from: source + position + removing, byteCount: after)
        }
        if !target.isSame(page) { page.deallocateMoved() }
        page = target
        head = newHead
        tail = newHead + used
        return gap
    }

    /// Moves the entries to a page of another size; returns the new head.
    private mutating func move(room: Int, gapInFront: Int) -> Int {
        let target = PackedList(room: room)
        (target.page.start + target.head).copyMemory(from: page.start + head, byteCount: byteCount)
        target.tail = target.head + byteCount
        target.count = count
        target.page.blobs = page.blobs
        page.deallocateMoved()
        page = target.page
        return head
    }

    /// Stops the process where the list is not what it must be.
    func _checkInvariants() {
        check(page.kind == .packedList, "a packed list lives in a page of its kind")
        check(head >= PackedList.dataOffset && head <= tail && tail <= page.capacity, "entries lie inside the page")
        var forward: [Int] = []
        var position = head
        while position < tail {
            forward.append(position)
            check(!isPlain || PackedList.isPlain(element(at: position)), "a plain list has plain elements")
            position = self.position(after: position)
        }
        check(position == tail, "the last entry ends where the list ends")
        check(forward.count == count, "the count is the number of entries")
        for expected in forward.reversed() {
            position = self.position(before: position)
            check(position == expected, "the way back meets the entries of the way forward")
        }
    }
}
