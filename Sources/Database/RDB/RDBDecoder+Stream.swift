import Base

// Streams: nodes of entries as listpacks, the stream's position, and its groups. Nodes are written again element by element, so that what is in
// memory has one form whatever was read; counts, IDs and whose a pending entry is are compared wherever they stand twice.
extension RDBDecoder {
    func stream(_ type: RDBType) throws(RDBError) -> CollectionValue {
        let nodes = try reader.count(bytesEach: 2)
        var made: [StreamNode] = []
        // What was made belongs to the stream in the end; on an error it goes.
        var isDone = false
        defer { if !isDone { for node in made { node.page.release() } } }
        var position = StreamValue.Position()
        var last: StreamID?
        var alive: UInt64 = 0
        for _ in 0..<nodes {
            let key = try reader.string()
            guard key.count == 16 else { throw .invalidStream }
            let base = StreamID(bytes: key)
            var source = try StreamNodeReader(try reader.string(), base: base, after: last)
            // One with tombstones alone, which Redis may leave behind, is not kept.
            guard let node = try source.node() else { continue }
            made.append(node)
            last = node.lastID
            alive += UInt64(node.count)
        }
        let length = try reader.number()
        if length != alive { throw .invalidStream }
        position.lastID = try id()
        if let last, last > position.lastID { throw .invalidStream }
        position.entriesAdded = length
        if type != .streamListpacks {
            // The first ID is known from the entries.
            _ = try id()
            position.maxDeletedID = try id()
            position.entriesAdded = try reader.number()
        }
        if let first = made.first { position.firstID = first.entry(at: first.firstAlive).id }
        let stream = StreamValue(position: position)
        for node in made { stream.add(node) }
        isDone = true
        let groups = try reader.count(bytesEach: 4)
        for _ in 0..<groups { try group(type, of: stream) }
        return stream
    }

    private func id() throws(RDBError) -> StreamID {
        StreamID(milliseconds: try reader.number(), sequence: try reader.number())
    }

    private func group(_ type: RDBType, of stream: StreamValue) throws(RDBError) {
        let name = try reader.string().array
        let lastID = try id()
        // The oldest form does not say how many entries were read; Redis estimates it as well.
        var entriesRead = stream.entriesAdded(upTo: lastID) ?? -1
        if type != .streamListpacks { entriesRead = Int64(bitPattern: try reader.number()) }
        if entriesRead < -1 { throw .invalidStream }
        let isNew = name.withView { stream.addGroup($0, lastID: lastID, entriesRead: entriesRead) }
        guard isNew, let edit = name.withView({ stream.edit($0) }) else { throw .duplicate }
        defer { stream.finish(edit) }
        try fill(edit.group, type)
    }

    /// An entry that is pending, until it is known for whom.
    private struct Unowned {
        var id: StreamID
        var time: Int64
        var count: Int64
        var hasOwner = false
    }

    private func fill(_ group: StreamGroup, _ type: RDBType) throws(RDBError) {
        var pending: [Unowned] = []
        let count = try reader.count(bytesEach: 25)
        for _ in 0..<count {
            let id = StreamID(bytes: try reader.bytes(16))
            if let last = pending.last, id <= last.id { throw .invalidStream }
            let time = try reader.integer(Int64.self)
            guard let deliveries = Int64(exactly: try reader.number()) else { throw .invalidStream }
            pending.append(Unowned(id: id, time: time, count: deliveries))
        }
        var owned = 0
        let consumers = try reader.count(bytesEach: 10)
        for _ in 0..<consumers {
            let name = try reader.string()
            if group.consumer(named: name) != nil { throw .duplicate }
            let seen = try reader.integer(Int64.self)
            let active = type == .streamListpacks3 ? try reader.integer(Int64.self) : seen
            let consumer = group.addConsumer(named: name, seenTime: seen, activeTime: active)
            let mine = try reader.count(bytesEach: 16)
            for _ in 0..<mine {
                let id = StreamID(bytes: try reader.bytes(16))
                guard let place = RDBDecoder.place(of: id, in: pending), !pending[place].hasOwner else { throw .invalidStream }
                pending[place].hasOwner = true
                let found = pending[place]
                group.put(
                    id, StreamPending(consumer: consumer.number, deliveryTime: found.time, deliveryCount: found.count), old: nil)
                owned += 1
            }
        }
        if owned != pending.count { throw .invalidStream }
    }

    private static func place(of id: StreamID, in pending: [Unowned]) -> Int? {
        var low = 0
        var high = pending.count
        while low < high {
            let middle = (low + high) / 2
            if pending[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < pending.count && pending[low].id == id ? low : nil
    }
}

/// Reads one node of a stream from its listpack: number of entries, of tombstones, of shared fields, the shared fields, 0, and entries as
/// `StreamNode` describes them.
struct StreamNodeReader {
    private var packed: ListpackReader
    private let base: StreamID
    private let previous: StreamID?
    private let elements = ByteBuffer(capacity: 256)

    init(_ view: ByteView, base: StreamID, after previous: StreamID?) throws(RDBError) {
        packed = try ListpackReader(view)
        self.base = base
        self.previous = previous
    }

    /// The next element, without keeping it.
    private mutating func next() throws(RDBError) -> PackedElement {
        if packed.remaining == 0 { throw .invalidStream }
        return packed.next()
    }

    private mutating func integer() throws(RDBError) -> Int64 {
        let element = try next()
        guard element.isInteger else { throw .invalidStream }
        return element.integer
    }

    /// A number of elements that are still to come.
    private mutating func count() throws(RDBError) -> Int {
        let value = try integer()
        guard value >= 0 && value <= Int64(packed.remaining) else { throw .invalidStream }
        return Int(value)
    }

    private func keep(_ element: PackedElement) {
        let body = PackedEntry.bodyBytes(element)
        let total = body + PackedEntry.backBytes(body)
        guard let start = elements.reserve(total).baseAddress else { return }
        PackedEntry.encode(element, bodyBytes: body, to: start)
        elements.commit(total)
    }

    /// Takes over `count` elements as they come.
    private mutating func keep(_ count: Int) throws(RDBError) {
        for _ in 0..<count { keep(try next()) }
    }

    /// The node; nil where it has nothing but tombstones.
    mutating func node() throws(RDBError) -> StreamNode? {
        let alive = try count()
        let dead = try count()
        let fields = try count()
        try keep(fields)
        if try integer() != 0 { throw .invalidStream }
        keep(PackedElement(integer: 0))
        let entriesOffset = elements.count
        var firstAlive: Int?
        var (seenAlive, seenDead) = (0, 0)
        var last = previous
        while packed.remaining > 0 {
            let offset = elements.count
            let (id, isDeleted) = try entry(sharedFields: fields)
            if id <= last ?? .zero || id < base { throw .invalidStream }
            last = id
            if isDeleted { seenDead += 1 } else { seenAlive += 1 }
            if !isDeleted && firstAlive == nil { firstAlive = offset }
        }
        if seenAlive != alive || seenDead != dead { throw .invalidStream }
        guard let firstAlive else { return nil }
        return StreamNode(
            base: base, fieldCount: fields, elements: elements.view, entriesOffset: entriesOffset, firstAlive: firstAlive,
            count: alive, deadCount: dead)
    }

    private mutating func entry(sharedFields: Int) throws(RDBError) -> (id: StreamID, isDeleted: Bool) {
        let flags = try integer()
        guard flags >= 0 && flags <= 3 else { throw .invalidStream }
        keep(PackedElement(integer: flags))
        let milliseconds = try integer()
        let sequence = try integer()
        keep(PackedElement(integer: milliseconds))
        keep(PackedElement(integer: sequence))
        let id = StreamID(
            milliseconds: base.milliseconds &+ UInt64(bitPattern: milliseconds),
            sequence: base.sequence &+ UInt64(bitPattern: sequence))
        let elements: Int
        if UInt8(flags) & StreamEntry.sharesFieldsFlag != 0 {
            if sharedFields > packed.remaining { throw .invalidStream }
            try keep(sharedFields)
            elements = sharedFields + 3
        } else {
            let fields = try count()
            keep(PackedElement(integer: Int64(fields)))
            try keep(2 * fields)
            elements = 2 * fields + 4
        }
        if try integer() != Int64(elements) { throw .invalidStream }
        keep(PackedElement(integer: Int64(elements)))
        return (id, UInt8(flags) & StreamEntry.deletedFlag != 0)
    }
}
