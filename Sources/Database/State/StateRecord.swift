import Base

/// A record of a group's state at one moment: what a state file, or a node's part of a distributed snapshot, is written from.
///
/// Begun in constant time (`StateMachine.beginRecord`): it notes the count of changes, and every entry has the count at which it last
/// changed. `encode` walks through the databases in order of the keys' hashes, a slice at a time, and skips what is newer.
/// Where it is, is a hash: so splits and merges of the table between two slices do not matter. Who is about to change an entry that
/// is older than the record and still ahead of the walk hands it over first (`OpenRecords`). So every key is encoded once, as it
/// was when the record began, and nothing is shared with another thread, frozen or copied in one step.
/// docs/decisions/0005-record-by-versions.md says why.
///
/// The record ends when `encode` has said that it is complete, with `cancel`, or with its last reference.
package final class StateRecord {
    /// Where a database's entries are: in its keyspace, or in the table that a flush has dropped since.
    struct Source {
        let keyspace: Keyspace
        var dropped: DroppedTable?
        /// Keys that it had when the record began, and those that are encoded.
        let keys: Int
        var keysDone = 0
        /// Sum of the digests of what is encoded.
        var digest = Digest()
    }

    /// Longer strings are not copied when they are about to change: their allocation is kept.
    static let longStringBytes = 1 << 14
    /// Collections that take more memory are encoded in slices.
    static let smallCollectionBytes = 1 << 12
    /// A buffer of pending bytes that has more is followed by another one.
    private static let pendingBytesMax = 1 << 17
    /// What a visited entry counts of the budget at least, as it takes time to look at one that is newer.
    private static let visitBytes = 32

    /// The last entry of the log that is in it, its term and the time of the state.
    package let appliedIndex: LogIndex
    package let appliedTerm: Term
    package let time: WallTime
    /// The state machine's count of changes when it began: entries with a greater version are newer.
    let version: UInt64
    let seed: UInt64
    private let head: Digest
    private let records: OpenRecords
    private let graveyard: Graveyard

    /// The databases by number.
    @exclusivity(unchecked) var sources: [Source]
    /// The number that a keyspace had, by its identity.
    private let numberOf: [Int]
    /// Whether changes are still handed over.
    @exclusivity(unchecked) private var isOpen = true
    /// The digest of the recorded state (`StateMachine.digest` at the moment it began); nil until it is complete.
    @exclusivity(unchecked) package private(set) var digest: Digest?
    /// Keys that the state has.
    package let keysTotal: Int
    /// Keys that are encoded, or handed over for it.
    @exclusivity(unchecked) package private(set) var keysDone = 0

    // The walk: all entries of the databases before `database` are done, and in this one those whose hash is below `bound`.
    @exclusivity(unchecked) var database = 0
    @exclusivity(unchecked) var bound: UInt64 = 0
    @exclusivity(unchecked) var isAtEnd = false
    /// What was loaded ahead, so that loading it is not for nothing in the compiler's eyes.
    @exclusivity(unchecked) var warmth: UInt64 = 0
    /// Entries that the walk has looked at in this call.
    @exclusivity(unchecked) var visits = 0

    // What was handed over: small values encoded already, others whole.
    @exclusivity(unchecked) private var pending = ByteBuffer()
    @exclusivity(unchecked) private var draining = ByteBuffer()
    @exclusivity(unchecked) private var pendingDatabase = -1
    /// Pending bytes before those in `pending`, each buffer with whole items: so that growing copies little.
    @exclusivity(unchecked) private var filled = RingBuffer<ByteBuffer>()
    @exclusivity(unchecked) private var filledBytes = 0
    @exclusivity(unchecked) var queue = RingBuffer<RecordedValue>()
    @exclusivity(unchecked) private var valueBytes = 0
    /// Entries that were handed over and have kept their version. An entry that takes the place of one of them is newer.
    @exclusivity(unchecked) var taken = Set<UInt>()
    /// Commands of which some pieces were applied, and the bytes of the first one that are encoded.
    private var partials: RingBuffer<PieceTable.Partial>
    private var partialBytesDone = 0
    /// The database of what was encoded last.
    @exclusivity(unchecked) var selected = -1
    @exclusivity(unchecked) private var blocks: UInt64 = 0

    /// Begins a record of a state between two entries of the log.
    init(_ machine: StateMachine) {
        let execution = machine.execution
        (appliedIndex, appliedTerm, time) = (machine.appliedIndex, machine.appliedTerm, machine.time)
        (version, seed) = (execution.changes, machine.seed)
        (records, graveyard) = (execution.records, execution.graveyard)
        head = machine.headDigest
        partials = RingBuffer()
        for partial in machine.pieces.partials { partials.append(partial) }
        sources = execution.keyspaces.map { Source(keyspace: $0, keys: $0.count) }
        var numberOf = [Int](repeating: 0, count: execution.keyspaces.count)
        for (number, keyspace) in execution.keyspaces.enumerated() { numberOf[keyspace.identity] = number }
        self.numberOf = numberOf
        keysTotal = sources.reduce(0) { $0 + $1.keys }
        StateRecord.append(headOf: machine, to: draining)
        records.add(self)
    }

    deinit { cancel() }

    // MARK: asking

    /// Whether everything has been encoded.
    package var isComplete: Bool { digest != nil }

    /// Bytes of memory that exist only because of this record, tables that a flush has dropped apart.
    package var pendingBytes: Int { pending.count + filledBytes + draining.count + valueBytes + taken.capacity * 8 }

    var keyspaces: [Keyspace] { sources.map { $0.keyspace } }

    // MARK: encoding

    /// Appends the next part of the recorded state. A part means nothing by itself: `StateLoader` takes them in this order, cut anywhere.
    ///
    /// Call it between two entries of the log. It goes over the budget by no more than a piece of a value (64 KiB) and a key.
    ///
    /// - Parameter budgetBytes: about so many bytes are appended; fewer where many entries are looked at that are newer.
    /// - Returns: whether it is complete.
    package func encode(into output: ByteBuffer, budgetBytes: Int) -> Bool {
        check(isOpen || isComplete, "a record that was cancelled is not encoded")
        check(budgetBytes > 0, "a step of a record has a budget")
        var left = budgetBytes
        while !isComplete && left > 0 {
            let before = output.count
            if blocks == 0 {
                output.append(StateFormat.magic)
                output.append(integer: StateFormat.version)
            }
            visits = 0
            appendBlock(to: output, bytes: min(left, StateFormat.blockBytes))
            left -= max(output.count - before, visits * StateRecord.visitBytes)
        }
        return isComplete
    }

    private func appendBlock(to output: ByteBuffer, bytes: Int) {
        let start = output.count
        output.append(integer: UInt32(0))
        fill(output, limit: output.count + bytes, visitsMax: bytes / StateRecord.visitBytes + 1)
        let count = output.count - start - StateFormat.blockHeaderBytes
        if count == 0 { return output.truncate(to: start) }
        check(count <= StateFormat.blockBytesMax, "a block is not longer than who loads it allows")
        output.overwrite(at: start, integer: UInt32(count))
        let hash = StateFormat.hash(output.view.slice(start + StateFormat.blockHeaderBytes, count), number: blocks)
        output.append(integer: hash)
        blocks += 1
    }

    /// Appends until there are `limit` bytes, or the walk has looked at so many entries. What is begun goes on first.
    private func fill(_ output: ByteBuffer, limit: Int, visitsMax: Int) {
        while output.count < limit && !isComplete && visits < visitsMax {
            if !draining.isEmpty {
                drain(output, limit)
            } else if let partial = partials.first {
                encode(partial, output, limit)
            } else if let value = queue.first {
                encode(value, output, limit)
            } else if let next = filled.popFirst() {
                filledBytes -= next.count
                draining = next
            } else if !pending.isEmpty {
                swap(&pending, &draining)
                pendingDatabase = -1
            } else if !walk(output, limit: limit, visitsMax: visitsMax) {
                end(output)
            }
        }
    }

    private func drain(_ output: ByteBuffer, _ limit: Int) {
        let count = min(draining.count, limit - output.count)
        output.append(draining.view.slice(0, count))
        draining.consume(count)
        if !draining.isEmpty { return }
        draining.removeAll()
        selected = -1
    }

    private func encode(_ value: RecordedValue, _ output: ByteBuffer, _ limit: Int) {
        if !value.isBegun {
            value.isBegun = true
            select(value.database, &selected, output)
            output.append(value.head.view)
        }
        if !value.run(into: output, limit: limit) { return }
        value.digest.append(value.encoder.digest)
        sources[value.database].digest.add(value.digest)
        valueBytes -= value.bytes
        value.bury(in: graveyard)
        _ = queue.popFirst()
    }

    /// Appends bytes of a command's pieces. Later ones are appended behind those of the record, which stay where they are.
    private func encode(_ partial: PieceTable.Partial, _ output: ByteBuffer, _ limit: Int) {
        let count = min(partial.count - partialBytesDone, max(1, limit - output.count))
        output.append(byte: StateFormat.pieceItem)
        output.append(variable: UInt64(partial.owner.rawValue))
        output.append(variable: UInt64(count))
        output.append(partial.bytes.view.slice(partialBytesDone, count))
        partialBytesDone += count
        if partialBytesDone < partial.count { return }
        partialBytesDone = 0
        _ = partials.popFirst()
    }

    private func end(_ output: ByteBuffer) {
        var whole = head
        for source in sources {
            check(source.keysDone == source.keys, "a record has every key once")
            var sum = source.digest
            sum.append(UInt64(source.keys))
            whole.append(sum)
        }
        output.append(byte: StateFormat.endItem)
        output.append(variable: UInt64(keysTotal))
        output.append(integer: whole.high)
        output.append(integer: whole.low)
        digest = whole
        cancel()
    }

    /// Ends the record, complete or not: nothing is kept for it any more. Does nothing where it has ended.
    package func cancel() {
        if !isOpen { return }
        isOpen = false
        records.remove(self)
        while let value = queue.popFirst() { value.bury(in: graveyard) }
        sources = []
        partials = RingBuffer()
        filled = RingBuffer()
        filledBytes = 0
        pending.removeAll(keeping: 16)
        draining.removeAll(keeping: 16)
        taken = []
        valueBytes = 0
    }

    // MARK: what is handed over

    /// Whether an entry is the recorded state's and still to be encoded.
    func needs(_ entry: Entry, hash: UInt64, of keyspace: Keyspace) -> Bool {
        if entry.version > version { return false }
        let number = numberOf[keyspace.identity]
        if number < database || number == database && (isAtEnd || hash < bound) { return false }
        check(sources[number].dropped == nil, "what a flush left behind is older than what came after it")
        return isOld(entry)
    }

    /// Whether an entry of this version or an older one is as it was, and not handed over yet.
    @inline(__always)
    private func isOld(_ entry: Entry) -> Bool {
        if !taken.isEmpty && taken.contains(UInt(bitPattern: entry.pointer)) { return false }
        if entry.type != .stream { return true }
        return unsafeDowncast(entry.collection, to: StreamValue.self).asideVersion <= version
    }

    /// Whether a string is kept whole rather than copied.
    @inline(__always)
    static func isLong(_ entry: Entry) -> Bool {
        entry.isString && !entry.flags.contains(.integer) && entry.lengthField >= longStringBytes
    }

    /// Whether it is a long string, found by the walk and not yet encoded, that is still in its keyspace.
    func isReading(_ entry: Entry) -> Bool { reading(entry) != nil }

    private func reading(_ entry: Entry) -> RecordedValue? {
        for index in 0..<queue.count {
            if case .reading(let other) = queue[index].content, other.pointer == entry.pointer { return queue[index] }
        }
        return nil
    }

    /// Takes a short string that is about to change.
    func take(string entry: Entry, in keyspace: Keyspace) {
        let database = numberOf[keyspace.identity]
        selectPending(database)
        appendString(entry, database, pending)
    }

    /// Takes a long string, whose allocation is kept.
    func take(_ string: PinnedString, in keyspace: Keyspace) {
        valueBytes += string.entry.byteCount
        if let value = reading(string.entry) {
            value.content = .pinned(string)
            value.bytes = string.entry.byteCount
            return
        }
        add(.pinned(string), of: string.entry, numberOf[keyspace.identity], bytes: string.entry.byteCount)
    }

    /// Takes a collection that is about to change, or has: `before` is what it was.
    func take(_ before: CollectionValue, of entry: Entry, in keyspace: Keyspace) {
        let database = numberOf[keyspace.identity]
        let bytes = before.memoryBytes
        if bytes > StateRecord.smallCollectionBytes {
            valueBytes += bytes
            return add(.collection(before.copy()), of: entry, database, bytes: bytes)
        }
        selectPending(database)
        appendCollection(entry, before, database, pending)
    }

    /// Notes that an entry was taken though its version stays.
    func noteTaken(_ entry: Entry) { taken.insert(UInt(bitPattern: entry.pointer)) }

    /// Takes over the table of a database that is flushed; false where it is not needed.
    func takeOver(_ table: DroppedTable, of keyspace: Keyspace) -> Bool {
        let number = numberOf[keyspace.identity]
        if number < database || sources[number].dropped != nil { return false }
        sources[number].dropped = table
        return true
    }

    // MARK: the walk

    /// Encodes an entry that the walk has come to, or queues it where that takes longer.
    @inline(__always)
    func visit(_ entry: Entry, _ output: ByteBuffer) {
        visits += 1
        if entry.version > version || !isOld(entry) { return }
        if !entry.isString {
            let value = entry.collection
            if value.memoryBytes > StateRecord.smallCollectionBytes {
                return add(.collection(value.copy()), of: entry, database, bytes: 0)
            }
            select(database, &selected, output)
            return appendCollection(entry, value, database, output)
        }
        if StateRecord.isLong(entry) { return add(.reading(entry), of: entry, database, bytes: 0) }
        select(database, &selected, output)
        appendString(entry, database, output)
    }

    private func add(_ content: RecordedValue.Content, of entry: Entry, _ database: Int, bytes: Int) {
        let head = ByteBuffer(capacity: 64 + entry.keyCount)
        var form = StateForm.raw
        if case .collection(let value) = content {
            form = StateForm.of(value)
        } else if !entry.flags.contains(.raw) {
            form = StateForm.plain
        }
        let digest = appendHead(entry, form: form, head)
        keysDone += 1
        sources[database].keysDone += 1
        queue.append(RecordedValue(database: database, head: head, digest: digest, content: content, bytes: bytes, seed: seed))
    }

    // MARK: entries

    @inline(__always)
    private func select(_ database: Int, _ selected: inout Int, _ output: ByteBuffer) {
        if selected == database { return }
        selected = database
        output.append(byte: StateFormat.selectItem)
        output.append(variable: UInt64(database))
    }

    private func selectPending(_ database: Int) {
        if pending.count > StateRecord.pendingBytesMax {
            filledBytes += pending.count
            filled.append(pending)
            pending = ByteBuffer(capacity: 2 * StateRecord.pendingBytesMax)
            pendingDatabase = -1
        }
        select(database, &pendingDatabase, pending)
    }

    /// Appends what stands in front of an entry's value; the digest of it.
    @inline(__always)
    private func appendHead(_ entry: Entry, form: UInt8, _ output: ByteBuffer) -> Digest {
        let type = entry.type.rawValue
        let deadline = entry.deadline
        output.append(byte: StateFormat.entryItem | form << 4 | (deadline == nil ? 0 : StateFormat.deadlineBit) | type)
        output.append(variable: version - entry.version)
        if let deadline { output.append(variable: StateFormat.zigzag(deadline &- time.milliseconds)) }
        output.append(variable: UInt64(entry.keyCount))
        output.append(entry.key)
        var digest = Digest(entry.key, seed: seed)
        digest.append(UInt64(type))
        digest.append(UInt64(bitPattern: deadline ?? -1))
        digest.append(entry.version)
        return digest
    }

    @inline(__always)
    private func appendString(_ entry: Entry, _ database: Int, _ output: ByteBuffer) {
        var digest: Digest
        if let integer = entry.integer {
            digest = appendHead(entry, form: StateForm.integer, output)
            output.append(variable: StateFormat.zigzag(integer))
            digest.append(withDecimal(integer) { Digest($0, seed: seed) })
        } else {
            let bytes = entry.bytes
            digest = appendHead(entry, form: entry.flags.contains(.raw) ? StateForm.raw : StateForm.plain, output)
            output.append(variable: UInt64(bytes.count))
            output.append(bytes)
            digest.append(Digest(bytes, seed: seed))
        }
        keysDone += 1
        sources[database].keysDone += 1
        sources[database].digest.add(digest)
    }

    private func appendCollection(_ entry: Entry, _ value: CollectionValue, _ database: Int, _ output: ByteBuffer) {
        var digest = appendHead(entry, form: StateForm.of(value), output)
        var encoder = ValueEncoder(seed: seed)
        let isDone = encoder.run(value, into: output, limit: .max)
        check(isDone, "a small value is encoded at once")
        digest.append(encoder.digest)
        keysDone += 1
        sources[database].keysDone += 1
        sources[database].digest.add(digest)
    }
}
