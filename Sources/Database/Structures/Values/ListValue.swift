import Base

/// A list. Small: one packed list ("listpack"). Large: packed chunks in a counted tree ("quicklist").
package final class ListValue: CollectionValue {
    /// Which end.
    package enum End { case head, tail }

    /// A packed list, or the root of a chunked one. Owned.
    @exclusivity(unchecked) private(set) var page: Page
    /// Bytes of all entries of a chunked list.
    @exclusivity(unchecked) private var chunkedBytes = 0

    /// An empty list, to be filled at once.
    package override init() {
        page = PackedList(room: 0).page
        super.init()
    }

    private init(copying other: ListValue) {
        page = other.page
        page.retain()
        chunkedBytes = other.chunkedBytes
        super.init()
    }

    /// Around a page that it takes over.
    init(page: Page) {
        self.page = page
        super.init()
    }

    /// Around the root of a chunked list that it takes over; `bytes` of all entries.
    init(chunked root: Page, bytes: Int) {
        page = root
        chunkedBytes = bytes
        super.init()
    }

    deinit { if !page.isNone { page.release() } }

    override var isBarePage: Bool { isPacked }

    override func giveUpPage() -> Page {
        check(isBarePage, "only a small value is a bare page")
        check(chunkedBytes == 0, "a packed list counts no chunks")
        let given = page
        page = .none
        return given
    }

    override func take(_ page: Page) {
        check(self.page.isNone, "a value has one page")
        self.page = page
    }

    package override class var type: ValueType { .list }

    @inline(__always) var isPacked: Bool { page.kind == .packedList }

    package override var count: Int { CountedTree.total(page) }

    package override var memoryBytes: Int {
        isPacked ? allocatedBytes(page.capacity) : CollectionValue.objectBytes + chunkedBytes + chunkedBytes / 32
    }

    package override var encodingName: StaticString { isPacked ? "listpack" : "quicklist" }

    package override func copy() -> CollectionValue { ListValue(copying: self) }

    package override func discard(budget: inout Int) -> Bool {
        var root = page
        defer { page = root }
        return CountedTree.discard(&root, budget: &budget)
    }

    override func sharesContent(with other: CollectionValue) -> Bool {
        guard let other = other as? ListValue else { return false }
        return page.isSame(other.page)
    }

    package override func digest(seed: UInt64) -> Digest {
        var whole = Digest()
        forEach { element in
            whole.append(element.withBytes { Digest($0, seed: seed) })
            return true
        }
        return whole
    }

    // MARK: Reading

    @inline(__always)
    private func locate(_ index: Int) -> (chunk: PackedList, index: Int) {
        if isPacked { return (PackedList(page: page), index) }
        let (leaf, inside) = CountedTree(root: page).locate(index)
        return (PackedList(page: leaf), inside)
    }

    /// The element at `index`, `0 ..< count`; valid until the next change.
    @inline(__always)
    func element(at index: Int) -> PackedElement {
        check(index >= 0 && index < count, "an element is named by an index that exists")
        let (chunk, inside) = locate(index)
        return chunk.element(at: chunk.position(ofIndex: inside))
    }

    /// Calls `body` with up to `limit` elements from `index` on, until it answers false.
    @inline(__always)
    func forEach(from index: Int = 0, limit: Int = .max, _ body: (PackedElement) -> Bool) {
        var index = index
        var left = min(limit, count - index)
        while left > 0 {
            let (chunk, inside) = locate(index)
            var position = chunk.position(ofIndex: inside)
            let here = min(left, chunk.count - inside)
            for _ in 0..<here {
                if !body(chunk.element(at: position)) { return }
                position = chunk.position(after: position)
            }
            index += here
            left -= here
        }
    }

    /// Calls `body` with the elements from `index` backwards, until it answers false.
    func forEachReversed(from index: Int, _ body: (PackedElement) -> Bool) {
        var index = index
        while index >= 0 {
            let (chunk, inside) = locate(index)
            var position = chunk.position(ofIndex: inside + 1)
            for _ in 0...inside {
                position = chunk.position(before: position)
                if !body(chunk.element(at: position)) { return }
            }
            index -= inside + 1
        }
    }

    // MARK: Changing (elements may not lie in this list)

    /// Becomes chunked where `elements` more elements of `bytes` bytes in all are too much for one packed list.
    func prepare(forElements elements: Int, bytes: Int, limits: CollectionLimits) {
        if !isPacked { return }
        let list = PackedList(page: page)
        let limit = ListChunkLimit(limits.listSize)
        if limit.isExceeded(bytes: list.byteCount + PackedList.frameBytes + bytes, count: list.count + elements) {
            becomeChunked(limit)
        }
    }

    private func becomeChunked(_ limit: ListChunkLimit) {
        let list = PackedList(page: page)
        chunkedBytes = list.byteCount
        if list.count == 0 || !limit.isExceeded(bytes: list.byteCount + PackedList.frameBytes, count: list.count) {
            page = ChunkedList(chunk: list, limit: limit).root
            return
        }
        // The limit was lowered since: the elements go over one by one.
        var chunked = ChunkedList(chunk: PackedList(room: 0), limit: limit)
        var position = list.first
        while position < list.end {
            chunked.insert(list.element(at: position), at: chunked.count)
            position = list.position(after: position)
        }
        page.release()
        page = chunked.root
    }

    /// Becomes packed again where everything fits well into one packed list: half of the limit, so that it does not go to
    /// and fro.
    func shrink(limits: CollectionLimits) {
        if isPacked || page.level > 1 || count == 0 { return }
        let limit = ListChunkLimit(limits.listSize)
        if limit.isExceeded(bytes: (chunkedBytes + PackedList.frameBytes) * 2, count: count * 2) { return }
        var list = PackedList(room: chunkedBytes)
        let node = CountedNode(page: page)
        for index in 0..<node.count { list.append(contentsOf: PackedList(page: node.child(index))) }
        page.release()
        page = list.page
        chunkedBytes = 0
    }

    /// Inserts an element in front of element `index`; `index == count` appends.
    @inline(__always)
    func insert(_ element: PackedElement, at index: Int, limits: CollectionLimits) {
        if isPacked {
            var list = PackedList(page: page)
            list.makeUnique()
            list.insert(element, at: index == 0 ? list.first : index == list.count ? list.end : list.position(ofIndex: index))
            page = list.page
        } else {
            var list = ChunkedList(root: page, limit: ListChunkLimit(limits.listSize))
            list.insert(element, at: index)
            chunkedBytes += PackedEntry.totalBytes(element)
            page = list.root
        }
    }

    /// Adds an element at an end.
    @inline(__always)
    func push(_ element: PackedElement, _ end: End, limits: CollectionLimits) {
        let body = PackedEntry.bodyBytes(element)
        if isPacked {
            var list = PackedList(page: page)
            list.makeUnique()
            list.push(element, bodyBytes: body, atHead: end == .head)
            page = list.page
            return
        }
        let list = ChunkedList(root: page, limit: ListChunkLimit(limits.listSize))
        if list.pushInPlace(element, bodyBytes: body, atHead: end == .head) {
            chunkedBytes += body + PackedEntry.backBytes(body)
        } else {
            insert(element, at: end == .head ? 0 : count, limits: limits)
        }
    }

    /// Puts another element in the place of element `index`.
    func set(_ index: Int, to element: PackedElement, limits: CollectionLimits) {
        if isPacked {
            var list = PackedList(page: page)
            list.makeUnique()
            list.replace(at: list.position(ofIndex: index), with: element)
            page = list.page
        } else {
            chunkedBytes += PackedEntry.totalBytes(element) - PackedEntry.totalBytes(self.element(at: index))
            var list = ChunkedList(root: page, limit: ListChunkLimit(limits.listSize))
            list.set(index, to: element)
            page = list.root
        }
    }

    /// Removes `elements` elements from `index` on. The form stays; see `shrink`.
    @inline(__always)
    func remove(from index: Int, count elements: Int = 1, limits: CollectionLimits) {
        check(index >= 0 && elements >= 0 && index + elements <= count, "only elements that exist are removed")
        if elements == 0 { return }
        if isPacked {
            var list = PackedList(page: page)
            list.makeUnique()
            list.remove(fromIndex: index, count: elements)
            page = list.page
            return
        }
        var bytes = 0
        forEach(from: index, limit: elements) { element in
            bytes += PackedEntry.totalBytes(element)
            return true
        }
        chunkedBytes -= bytes
        var list = ChunkedList(root: page, limit: ListChunkLimit(limits.listSize))
        list.remove(from: index, count: elements)
        page = list.root
    }

    /// Stops the process where the list is not what it must be.
    func _checkInvariants(limits: CollectionLimits = CollectionLimits()) {
        if isPacked { return PackedList(page: page)._checkInvariants() }
        ChunkedList(root: page, limit: ListChunkLimit(limits.listSize))._checkInvariants()
        var bytes = 0
        forEach { element in
            bytes += PackedEntry.totalBytes(element)
            return true
        }
        check(bytes == chunkedBytes, "a list knows the bytes of its entries")
    }
}
