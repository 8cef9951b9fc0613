import Base

/// Puts a collection together from its parts, in steps. Whatever the bytes are, the result is a sound value or an error.
class ValueBuilder {
    let seed: UInt64
    /// Of what was read; the content's at the end.
    final var digest = Digest()

    init(seed: UInt64) { self.seed = seed }

    /// Reads one part and keeps it. True when the value is complete.
    func step(_ reader: inout StateReader) throws(StateHalt) -> Bool {
        check(false, "a builder reads parts")
        return true
    }

    /// The value, once, when it is complete.
    func finish() -> CollectionValue {
        check(false, "a builder makes a value")
        return ListValue()
    }

    /// A builder for a value of this type and form.
    static func make(_ type: ValueType, form: UInt8, seed: UInt64) throws(StateHalt) -> ValueBuilder {
        switch type {
        case .list where form <= StateForm.table: return ListBuilder(seed: seed, isChunked: form == StateForm.table)
        case .set where form == StateForm.integers: return IntegerSetBuilder(seed: seed)
        case .set where form <= StateForm.table: return SetBuilder(seed: seed, isTable: form == StateForm.table)
        case .sortedSet where form <= StateForm.table: return SortedSetBuilder(seed: seed, isTable: form == StateForm.table)
        case .hash where form <= StateForm.table + StateForm.fieldDeadlines:
            return HashBuilder(
                seed: seed, isTable: form & 1 == StateForm.table, hasDeadlines: form & StateForm.fieldDeadlines != 0)
        case .stream where form == 0: return StreamBuilder(seed: seed)
        default: throw .bad("a value's form is not known")
        }
    }
}

/// A packed list under construction: elements as they come, of which the number and bytes are told before.
struct PackedBuilder {
    private(set) var list: PackedList
    private(set) var left: Int
    private let bytes: Int

    /// Makes no more room at once than this, whatever is promised.
    private static let roomMax = 1 << 16

    init(_ reader: inout StateReader) throws(StateHalt) {
        left = try reader.count()
        bytes = try reader.count(max: Int(Int32.max))
        if left > bytes / 2 { throw .bad("an element of a packed collection has two bytes at least") }
        list = PackedList(room: min(bytes, PackedBuilder.roomMax))
    }

    /// Appends an element. An error leaves the list as it is.
    ///
    /// - Parameter isScore: a double's bytes may look like an integer; other bytes that do would not be found.
    @inline(__always)
    mutating func append(_ element: PackedElement, isScore: Bool = false) throws(StateHalt) {
        if !element.isInteger, !isScore, PackedElement.canonicalInteger(element.bytes) != nil {
            throw .bad("an integer stands as bytes where it is an integer")
        }
        if left == 0 || PackedEntry.totalBytes(element) > bytes - list.byteCount {
            throw .bad("a packed collection has other bytes than it says")
        }
        list.append(element)
        left -= 1
        if left == 0 && list.byteCount != bytes { throw .bad("a packed collection has other bytes than it says") }
    }
}

final class ListBuilder: ValueBuilder {
    private let isChunked: Bool
    private var packed: PackedBuilder?
    /// Of a chunked list: the nodes on the way to the chunk at work, from the root on, with the children that are to come.
    private var nodes: [(node: CountedNode, left: Int)] = []
    private var height = 0
    private var root: Page?
    private var bytes = 0

    init(seed: UInt64, isChunked: Bool) {
        self.isChunked = isChunked
        super.init(seed: seed)
    }

    deinit {
        packed?.list.page.release()
        for (node, _) in nodes { node.page.release() }
        root?.release()
    }

    override func step(_ reader: inout StateReader) throws(StateHalt) -> Bool {
        guard packed != nil else { return try begin(&reader) }
        let element = try reader.element()
        try packed?.append(element)
        digest.append(element.withBytes { Digest($0, seed: seed) })
        guard let done = packed, done.left == 0 else { return false }
        if !isChunked { return true }
        bytes += done.list.byteCount
        packed = nil
        close(done.list.page)
        return root != nil
    }

    private func begin(_ reader: inout StateReader) throws(StateHalt) -> Bool {
        if isChunked && height == 0 {
            height = Int(try reader.byte())
            if height == 0 || height > TreePath.depthMax { throw .bad("a list's tree is too high") }
            return false
        }
        if isChunked && nodes.count < height {
            let children = Int(try reader.byte())
            if children == 0 || children > CountedNode.childrenMax {
                throw .bad("a node of a list has no such number of children")
            }
            nodes.append((CountedNode(level: UInt8(height - nodes.count), room: children), children))
            return false
        }
        packed = try PackedBuilder(&reader)
        if packed?.left == 0 { throw .bad("a list has elements") }
        return false
    }

    /// Gives a page that is complete to the node above it, and so on while that completes one.
    private func close(_ page: Page) {
        var page = page
        while var (node, left) = nodes.popLast() {
            node = node.inserting(page, key: 0, count: CountedTree.total(page), at: node.count)
            left -= 1
            if left > 0 { return nodes.append((node, left)) }
            page = node.page
        }
        root = page
    }

    override func finish() -> CollectionValue {
        if isChunked, let root {
            self.root = nil
            return ListValue(chunked: root, bytes: bytes)
        }
        guard let packed, packed.left == 0 else {
            check(false, "a list is finished when it is complete")
            return ListValue()
        }
        self.packed = nil
        return ListValue(page: packed.list.page)
    }
}

final class IntegerSetBuilder: ValueBuilder {
    private var set: IntegerSet?
    private var left = 0

    deinit { set?.page.release() }

    override func step(_ reader: inout StateReader) throws(StateHalt) -> Bool {
        guard var set else {
            let width = Int(try reader.byte())
            left = try reader.count()
            if width != 2 && width != 4 && width != 8 || left == 0 { throw .bad("a set of integers has a width and members") }
            self.set = IntegerSet(width: width)
            return false
        }
        let element = try reader.element()
        if !element.isInteger || IntegerSet.width(of: element.integer) > set.width {
            throw .bad("a member of a set of integers is no such integer")
        }
        if set.count > 0 && set[set.count - 1] >= element.integer { throw .bad("a set's integers ascend") }
        _ = set.insert(element.integer)
        self.set = set
        digest.add(element.withBytes { Digest($0, seed: seed) })
        left -= 1
        return left == 0
    }

    override func finish() -> CollectionValue {
        guard let set else {
            check(false, "a set is finished when it is complete")
            return SetValue(.intset)
        }
        self.set = nil
        return SetValue(page: set.page)
    }
}

final class SetBuilder: ValueBuilder {
    private let isTable: Bool
    private var packed: PackedBuilder?
    private var table: ByteStringTable?
    private var left = 0
    private var bytes = 0

    init(seed: UInt64, isTable: Bool) {
        self.isTable = isTable
        super.init(seed: seed)
    }

    deinit {
        packed?.list.page.release()
        table?.root.release()
    }

    override func step(_ reader: inout StateReader) throws(StateHalt) -> Bool {
        if packed == nil && table == nil {
            if isTable {
                left = try reader.count()
                table = ByteStringTable(root: KeyedLeaf(hasValues: false).page, seed: seed)
            } else {
                packed = try PackedBuilder(&reader)
                left = packed?.left ?? 0
            }
            if left == 0 { throw .bad("a set has members") }
            return false
        }
        let element = try reader.element()
        if let list = packed?.list {
            if list.find(element, from: list.first) != nil { throw .bad("a member comes twice") }
            try packed?.append(element)
        } else {
            if element.isInteger { throw .bad("members of a table are bytes") }
            if table?.put(element.bytes, replacing: false) != .inserted { throw .bad("a member comes twice") }
            bytes += SetValue.entryBytes(element.bytes.count)
        }
        digest.add(element.withBytes { Digest($0, seed: seed) })
        left -= 1
        return left == 0
    }

    override func finish() -> CollectionValue {
        defer {
            packed = nil
            table = nil
        }
        if let packed { return SetValue(page: packed.list.page) }
        guard let table else {
            check(false, "a set is finished when it is complete")
            return SetValue(.intset)
        }
        return SetValue(table: table.root, bytes: bytes)
    }
}
