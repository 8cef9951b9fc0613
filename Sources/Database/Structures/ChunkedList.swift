import Base

/// How much one chunk of a list holds: Redis's `list-max-listpack-size`.
struct ListChunkLimit: Equatable {
    /// Positive: elements of a chunk. Negative: -1 to -5 for 4, 8, 16, 32, 64 KiB.
    let rawValue: Int

    init(_ rawValue: Int) { self.rawValue = rawValue }

    /// The default: 8 KiB.
    static let standard = ListChunkLimit(-2)

    /// Whether `bytes` (as Redis counts a listpack) or `count` elements are too many for one chunk.
    @inline(__always)
    func isExceeded(bytes: Int, count: Int) -> Bool {
        if rawValue >= 0 { return count > max(rawValue, 1) || bytes > 8192 }
        return bytes > 4096 << (min(-rawValue, 5) - 1)
    }
}

/// A long list: packed lists of a bounded size in a counted tree. Both ends cost O(1) in practice (the way there is two or
/// three nodes that stay in the cache), an index O(log n) and the walk through one chunk. An element larger than a
/// chunk has a chunk of its own.
struct ChunkedList {
    var tree: CountedTree
    let limit: ListChunkLimit

    /// A handle on an existing list, whose root is an inner node.
    @inline(__always)
    init(root: Page, limit: ListChunkLimit) {
        tree = CountedTree(root: root, rootLevelMin: 1, chunkLimit: limit)
        self.limit = limit
    }

    /// A list of one chunk, whose page moves into it.
    init(chunk: PackedList, limit: ListChunkLimit) {
        let node = CountedNode(level: 1, room: 4).inserting(chunk.page, key: 0, count: chunk.count, at: 0)
        self.init(root: node.page, limit: limit)
    }

    @inline(__always) var root: Page { tree.root }

    /// Number of elements.
    @inline(__always) var count: Int { tree.count }

    /// The chunk that holds everything, where there is only one.
    var onlyChunk: PackedList? {
        root.count == 1 && root.level == 1 ? PackedList(page: CountedNode(page: root).child(0)) : nil
    }

    // MARK: Reading

    /// The chunk that holds element `index`, and its index there.
    @inline(__always)
    func locate(_ index: Int) -> (chunk: PackedList, index: Int) {
        let (leaf, inside) = tree.locate(index)
        return (PackedList(page: leaf), inside)
    }

    // MARK: Changing

    @inline(__always)
    private func writable(_ path: TreePath) -> PackedList {
        let chunk = PackedList(page: path.leaf)
        return path.isLeafShared ? chunk.copied() : chunk
    }

    private func fits(_ element: PackedElement, in chunk: PackedList) -> Bool {
        fits(bytes: PackedEntry.totalBytes(element), in: chunk)
    }

    /// Whether a chunk has room for one more entry of so many bytes.
    @inline(__always)
    private func fits(bytes: Int, in chunk: PackedList) -> Bool {
        !limit.isExceeded(bytes: chunk.byteCount + PackedList.frameBytes + bytes, count: chunk.count + 1)
    }

    private static func chunk(of element: PackedElement) -> Page {
        var chunk = PackedList(room: PackedEntry.totalBytes(element))
        chunk.append(element)
        return chunk.page
    }

    /// Inserts an element in front of element `index`; `index == count` appends.
    mutating func insert(_ element: PackedElement, at index: Int) {
        check(index >= 0 && index <= count, "an element is inserted at a place that exists")
        let (path, inside) = tree.path(to: index)
        let found = PackedList(page: path.leaf)
        if fits(element, in: found) {
            var chunk = writable(path)
            chunk.insert(
                element, at: inside == 0 ? chunk.first : inside == chunk.count ? chunk.end : chunk.position(ofIndex: inside))
            tree.commit(path, leaf: chunk.page)
        } else if inside == found.count {
            keep(path, found, sibling: ChunkedList.chunk(of: element))
        } else if inside == 0 {
            // The new chunk takes the place, the old one follows it. A shared one gets an owner more for its new place,
            // because the commit lets go of the old one.
            if path.isLeafShared { found.page.retain() }
            tree.commit(path, leaf: ChunkedList.chunk(of: element), sibling: found.page)
        } else {
            insertCutting(element, path: path, inside: inside, index: index)
        }
    }

    /// Adds an element, whose entry takes `body` bytes without its backward length, at an end without noting the way there: the usual
    /// case, in which nobody shares it and the chunk at its end has room. False where that is not so, and nothing was done. The list is
    /// then what `insert` would have made of it.
    @inline(__always)
    func pushInPlace(_ element: PackedElement, bodyBytes body: Int, atHead: Bool) -> Bool {
        var node = CountedNode(page: root)
        while true {
            if !node.page.isUnique { return false }
            let child = node.child(atHead ? 0 : node.count - 1)
            if node.page.level == 1 { break }
            node = CountedNode(page: child)
        }
        let index = atHead ? 0 : node.count - 1
        var chunk = PackedList(page: node.child(index))
        if !chunk.page.isUnique || !fits(bytes: body + PackedEntry.backBytes(body), in: chunk) { return false }
        chunk.push(element, bodyBytes: body, atHead: atHead)
        node.setChild(index, chunk.page)
        node = CountedNode(page: root)
        while true {
            let index = atHead ? 0 : node.count - 1
            node.add(1, below: index)
            if node.page.level == 1 { return true }
            node = CountedNode(page: node.child(index))
        }
    }

    /// Leaves the path's chunk as it is and puts `sibling` behind it.
    private mutating func keep(_ path: TreePath, _ chunk: PackedList, sibling: Page) {
        if path.isLeafShared { chunk.page.retain() }
        tree.commit(path, leaf: chunk.page, sibling: sibling)
    }

    /// Cuts a full chunk where the element comes in; the element goes to the shorter part if it fits there, else between.
    private mutating func insertCutting(_ element: PackedElement, path: TreePath, inside: Int, index: Int) {
        var left = writable(path)
        var right = left.split(atIndex: inside)
        let goesLeft = left.byteCount <= right.byteCount && fits(element, in: left)
        let goesRight = !goesLeft && fits(element, in: right)
        if goesLeft { left.append(element) }
        if goesRight { right.insert(element, at: right.first) }
        tree.commit(path, leaf: left.page, sibling: right.page)
        if goesLeft || goesRight { return }
        // A chunk of its own, in front of the right part.
        let (between, start) = tree.path(to: index)
        check(start == 0, "a chunk is inserted between chunks")
        tree.commit(between, leaf: ChunkedList.chunk(of: element), sibling: between.leaf)
    }

    /// Puts another element in the place of element `index`.
    mutating func set(_ index: Int, to element: PackedElement) {
        check(index >= 0 && index < count, "an element that exists is replaced")
        let (path, inside) = tree.path(to: index)
        let found = PackedList(page: path.leaf)
        if found.count == 1 {
            if !path.isLeafShared { found.page.release() }
            tree.commit(path, leaf: ChunkedList.chunk(of: element))
        } else if fits(element, in: found) {
            var chunk = writable(path)
            chunk.replace(at: chunk.position(ofIndex: inside), with: element)
            tree.commit(path, leaf: chunk.page)
        } else {
            remove(from: index)
            insert(element, at: index)
        }
    }

    /// Removes `elements` elements from `index` on.
    mutating func remove(from index: Int, count elements: Int = 1) {
        check(index >= 0 && elements >= 0 && index + elements <= count, "only elements that exist are removed")
        var left = elements
        while left > 0 {
            let (path, inside) = tree.path(to: index)
            let found = PackedList(page: path.leaf)
            let here = min(left, found.count - inside)
            if here == found.count {
                // Nothing of the chunk stays, so nothing of it is copied.
                if !path.isLeafShared { found.page.release() }
                tree.commit(path, leaf: PackedList(room: 0).page, mayShrink: true)
            } else {
                var chunk = writable(path)
                chunk.remove(fromIndex: inside, count: here)
                tree.commit(path, leaf: chunk.page, mayShrink: true)
            }
            left -= here
        }
    }

    /// Stops the process where the list is not what it must be.
    func _checkInvariants() {
        check(root.kind == .inner && root.level >= 1, "a chunked list has an inner root")
        tree._checkInvariants { page in
            let chunk = PackedList(page: page)
            chunk._checkInvariants()
            let bytes = chunk.byteCount + PackedList.frameBytes
            check(chunk.count == 1 || !limit.isExceeded(bytes: bytes, count: chunk.count), "a chunk stays under its limit")
        }
    }
}
