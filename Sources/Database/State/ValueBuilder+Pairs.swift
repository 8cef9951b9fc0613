import Base

final class SortedSetBuilder: ValueBuilder {
    private let isTable: Bool
    private var packed: PackedBuilder?
    private var table: OrderedTable?
    private var left = 0
    private var bytes = 0
    /// The score and the member before.
    private var last: (score: Double, member: [UInt8])?

    init(seed: UInt64, isTable: Bool) {
        self.isTable = isTable
        super.init(seed: seed)
    }

    deinit {
        packed?.list.page.release()
        table?.order.root.release()
        table?.index.root.release()
    }

    override func step(_ reader: inout StateReader) throws(StateHalt) -> Bool {
        if packed == nil && table == nil {
            if isTable {
                left = try reader.count()
                table = OrderedTable(seed: seed)
            } else {
                packed = try PackedBuilder(&reader)
                left = (packed?.left ?? 0) / 2
                if packed?.left != left * 2 { throw .bad("every member of a sorted set has a score") }
            }
            if left == 0 { throw .bad("a sorted set has members") }
            return false
        }
        let member = try reader.element()
        let score = Double(bitPattern: try reader.integer(UInt64.self))
        if score.isNaN || score == 0 && score.sign == .minus { throw .bad("a score is a number, and zero has no sign") }
        if let packed { try append(member, score, to: packed) } else { try insert(member, score) }
        var pair = member.withBytes { Digest($0, seed: seed) }
        pair.append(score.bitPattern)
        digest.add(pair)
        left -= 1
        return left == 0
    }

    private func append(_ member: PackedElement, _ score: Double, to builder: PackedBuilder) throws(StateHalt) {
        if builder.list.find(member, from: builder.list.first, skipping: 1) != nil { throw .bad("a member comes twice") }
        if let last {
            let order = last.member.withView { before in member.withBytes { before.compare($0) } }
            if last.score > score || last.score == score && order >= 0 { throw .bad("members ascend by score, then by bytes") }
        }
        last = (score, member.array)
        try packed?.append(member)
        // A typed throw does not pass through the closure.
        var halt: StateHalt?
        SortedSetValue.withElement(of: score) { element in
            do throws(StateHalt) { try packed?.append(element, isScore: true) } catch { halt = error }
        }
        if let halt { throw halt }
    }

    private func insert(_ member: PackedElement, _ score: Double) throws(StateHalt) {
        if member.isInteger { throw .bad("members of a table are bytes") }
        if table?.score(of: member.bytes) != nil { throw .bad("a member comes twice") }
        table?.insert(member.bytes, score: score)
        bytes += SortedSetValue.entryBytes(member.bytes.count)
    }

    override func finish() -> CollectionValue {
        defer {
            packed = nil
            table = nil
        }
        if let packed { return SortedSetValue(page: packed.list.page) }
        guard let table else {
            check(false, "a sorted set is finished when it is complete")
            return SortedSetValue()
        }
        return SortedSetValue(table: table, bytes: bytes)
    }
}

final class HashBuilder: ValueBuilder {
    private let isTable: Bool
    private let hasDeadlines: Bool
    private var packed: PackedBuilder?
    private var table: ByteStringTable?
    private var deadlines: FieldDeadlines?
    private var left = 0
    private var bytes = 0

    init(seed: UInt64, isTable: Bool, hasDeadlines: Bool) {
        self.isTable = isTable
        self.hasDeadlines = hasDeadlines
        super.init(seed: seed)
    }

    deinit {
        packed?.list.page.release()
        table?.root.release()
    }

    override func step(_ reader: inout StateReader) throws(StateHalt) -> Bool {
        if packed == nil && table == nil {
            try begin(&reader)
            return false
        }
        let field = try reader.element()
        let value = try reader.element()
        var deadline: Int64?
        if hasDeadlines {
            let number = try reader.number()
            if number > UInt64(FieldDeadlines.deadlineMax) + 1 { throw .bad("a field's deadline is too late") }
            if number > 0 { deadline = Int64(number - 1) }
        }
        try put(field, value)
        var pair = field.withBytes { Digest($0, seed: seed) }
        pair.append(value.withBytes { Digest($0, seed: seed) })
        if let deadline {
            let deadlines = self.deadlines ?? FieldDeadlines(seed: seed)
            self.deadlines = deadlines
            field.withBytes { deadlines.set($0, to: deadline) }
            pair.append(UInt64(bitPattern: deadline))
        }
        digest.add(pair)
        left -= 1
        if left == 0 && hasDeadlines && deadlines == nil { throw .bad("none of a hash's fields has a deadline") }
        return left == 0
    }

    private func begin(_ reader: inout StateReader) throws(StateHalt) {
        if isTable {
            left = try reader.count()
            table = ByteStringTable(root: KeyedLeaf(hasValues: true).page, seed: seed)
        } else {
            packed = try PackedBuilder(&reader)
            left = (packed?.left ?? 0) / 2
            if packed?.left != left * 2 { throw .bad("every field has a value") }
        }
        if left == 0 { throw .bad("a hash has fields") }
    }

    private func put(_ field: PackedElement, _ value: PackedElement) throws(StateHalt) {
        if let list = packed?.list {
            if list.find(field, from: list.first, skipping: 1) != nil { throw .bad("a field comes twice") }
            try packed?.append(field)
            try packed?.append(value)
            return
        }
        if field.isInteger || value.isInteger { throw .bad("fields and values of a table are bytes") }
        if table?.put(field.bytes, value: value.bytes, replacing: false) != .inserted { throw .bad("a field comes twice") }
        bytes += HashValue.entryBytes(field.bytes.count, value.bytes.count)
    }

    override func finish() -> CollectionValue {
        let hash: HashValue
        if let packed {
            hash = HashValue(page: packed.list.page)
        } else if let table {
            hash = HashValue(table: table.root, bytes: bytes)
        } else {
            check(false, "a hash is finished when it is complete")
            return HashValue()
        }
        packed = nil
        table = nil
        if let deadlines { hash.deadlines = deadlines }
        return hash
    }
}
