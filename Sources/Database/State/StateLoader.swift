import Base

/// Puts a state machine together from a recorded state, which is fed in pieces as they come. Nothing of the bytes is trusted: whatever they
/// are, the result is a sound state or an error that says where it was found, and no more memory is taken than the bytes that came are worth.
package final class StateLoader {
    private enum Progress { case prefix, blocks, ended, failed(StateFormatError) }
    private var progress = Progress.prefix
    private let table: CommandTable
    private let checksDigest: Bool
    /// What came and is no whole block yet.
    private let input = ByteBuffer()
    /// What came in whole blocks and is no whole item yet.
    private let items = ByteBuffer()
    /// Bytes that the first item of `items` needs at least.
    private var wanted = 0
    /// Bytes of the blocks that are done, and how many those are.
    private var offset: UInt64 = 0
    private var blocks: UInt64 = 0

    private var machine: StateMachine?
    private var keyspace: Keyspace?
    private var database = 0
    /// Keys that each database is to have.
    private var keys: [Int] = []
    private var digests: [Digest] = []
    /// The entry whose collection is read.
    private var open: (key: [UInt8], head: Head, builder: ValueBuilder)?

    /// Keys that are loaded.
    package private(set) var keysDone = 0
    /// Keys that the state has; 0 until its first bytes have come.
    package private(set) var keysTotal = 0

    /// A loader that has not got anything yet.
    ///
    /// - Parameter checksDigest: false for tests alone, which feed it what no machine has recorded.
    package init(table: CommandTable = .standard, checksDigest: Bool = true) {
        self.table = table
        self.checksDigest = checksDigest
    }

    // MARK: feeding

    /// Takes the next bytes, in the order in which `StateRecord.encode` appended them.
    ///
    /// After an error the loader only repeats it.
    package func load(_ bytes: ByteView) throws(StateFormatError) {
        if case .failed(let error) = progress { throw error }
        input.append(bytes)
        do throws(StateFormatError) { try advance() } catch {
            progress = .failed(error)
            throw error
        }
    }

    /// The state, when all of it has come. The digest is the recorded one's.
    package func finish() throws(StateFormatError) -> StateMachine {
        switch progress {
        case .failed(let error): throw error
        case .ended:
            guard let machine else { throw error(.truncated) }
            self.machine = nil
            return machine
        case .prefix, .blocks: throw error(.truncated)
        }
    }

    private func error(_ reason: StateFormatError.Reason) -> StateFormatError {
        StateFormatError(reason: reason, offset: offset, keys: keysDone)
    }

    private func advance() throws(StateFormatError) {
        if case .prefix = progress {
            let magic = ByteView(StateFormat.magic)
            let known = min(input.count, magic.count)
            if !input.view.slice(0, known).equals(magic.slice(0, known)) { throw error(.foreign) }
            if input.count < StateFormat.prefixBytes { return }
            let version = input.view.integer(at: magic.count, as: UInt32.self)
            if version != StateFormat.version { throw error(.unknownVersion(version)) }
            input.consume(StateFormat.prefixBytes)
            offset = UInt64(StateFormat.prefixBytes)
            progress = .blocks
        }
        while try advanceBlock() {}
    }

    /// Takes the next block where all of it has come.
    private func advanceBlock() throws(StateFormatError) -> Bool {
        if case .ended = progress {
            if !input.isEmpty { throw error(.trailing) }
            return false
        }
        if input.count < StateFormat.blockHeaderBytes { return false }
        let count = Int(input.view.integer(at: 0, as: UInt32.self))
        if count == 0 || count > StateFormat.blockBytesMax { throw error(.damaged) }
        let total = StateFormat.blockHeaderBytes + count + StateFormat.blockTrailerBytes
        if input.count < total { return false }
        let block = input.view.slice(StateFormat.blockHeaderBytes, count)
        let hash = input.view.integer(at: total - StateFormat.blockTrailerBytes, as: UInt64.self)
        if hash != StateFormat.hash(block, number: blocks) { throw error(.damaged) }
        do throws(StateHalt) { try take(block) } catch {
            if case .bad(let what) = error { throw self.error(what.utf8CodeUnitCount == 0 ? .digestDiffers : .invalid(what)) }
        }
        input.consume(total)
        blocks += 1
        offset += UInt64(total)
        return true
    }

    /// Takes the items of a block; what is left of it is kept for the next one.
    private func take(_ block: ByteView) throws(StateHalt) {
        if items.isEmpty {
            let done = try read(block)
            items.append(block.dropFirst(done))
            return
        }
        items.append(block)
        if items.count >= wanted { items.consume(try read(items.view)) }
    }

    /// Reads whole items; how many bytes they had.
    private func read(_ view: ByteView) throws(StateHalt) -> Int {
        var reader = StateReader(view)
        do throws(StateHalt) {
            while !reader.isAtEnd {
                if case .ended = progress { throw .bad("there are items behind the end") }
                try item(&reader)
                reader.commit()
            }
            wanted = 0
        } catch .starved(let bytes) {
            wanted = bytes
        } catch {
            throw error
        }
        return reader.start
    }

    // MARK: items

    private func item(_ reader: inout StateReader) throws(StateHalt) {
        if let open {
            if try open.builder.step(&reader) {
                self.open = nil
                try add(open.key, open.head, open.builder)
            }
            return
        }
        let code = try reader.byte()
        if code >= StateFormat.entryItem { return try entry(code, &reader) }
        switch code {
        case StateFormat.headItem: try head(&reader)
        case StateFormat.selectItem:
            let number = try reader.count()
            guard let machine, number < machine.execution.keyspaces.count else {
                throw .bad("there is no database of this number")
            }
            database = number
            keyspace = machine.execution.keyspaces[number]
        case StateFormat.pieceItem:
            guard let node = UInt32(exactly: try reader.number()), let machine,
                machine.pieces.restore(of: NodeID(node), try reader.bytes())
            else { throw .bad("a piece belongs to no command, or is too long") }
        case StateFormat.endItem: try end(&reader)
        default: throw .bad("an item is of no kind that is known")
        }
    }

    private func head(_ reader: inout StateReader) throws(StateHalt) {
        if machine != nil { throw .bad("the state has one head") }
        let made = StateMachine(seed: try reader.integer(UInt64.self), table: table)
        made.time = WallTime(microseconds: try reader.integer(Int64.self))
        made.appliedIndex = LogIndex(try reader.integer(UInt64.self))
        made.appliedTerm = Term(try reader.integer(UInt64.self))
        made.execution.changes = try reader.integer(UInt64.self)
        made.execution.removesExpiredKeys = try reader.byte() != 0
        let counts = [made.appliedIndex.rawValue, made.appliedTerm.rawValue, made.execution.changes]
        if made.time.microseconds < 0 || max(UInt64(made.time.microseconds), counts.max() ?? 0) >= StateLoader.countEnd {
            throw .bad("no state has a time, an index, a term or a count of changes like this")
        }
        for _ in 0..<(try reader.count(max: StateLoader.parametersMax)) {
            let name = try reader.bytes()
            let value = try reader.signed()
            guard let parameter = ServerCommands.parameters.first(where: { name.equalsIgnoringCase($0.name) }),
                ServerCommands.parameterRange.contains(value)
            else { throw .bad("a parameter is not known, or its value is out of range") }
            _ = parameter.path(&made.execution.limits, Int(value))
        }
        for _ in 0..<(try reader.count(max: StateLoader.sessionsMax)) {
            guard let node = UInt32(exactly: try reader.number()) else { throw .bad("a node has a smaller number") }
            let session = Session(
                node: NodeID(node), incarnation: Incarnation(try reader.number()), lastApplied: try reader.number())
            if let last = made.sessions.sessions.last, session.node <= last.node { throw .bad("sessions ascend by node") }
            made.sessions.restore(session)
        }
        for _ in 0..<(try reader.count(max: StateLoader.sessionsMax)) {
            guard let node = UInt32(exactly: try reader.number()) else { throw .bad("a node has a smaller number") }
            let (total, count) = (try reader.count(max: CommandBatch.assembledBytesMax), try reader.count())
            let digest = Digest(high: try reader.integer(UInt64.self), low: try reader.integer(UInt64.self))
            if !made.pieces.restore(of: NodeID(node), total: total, count: count, digest: digest) {
                throw .bad("commands in pieces ascend by node, and lack their ends")
            }
        }
        if try reader.count() != made.execution.keyspaces.count { throw .bad("the state has another number of databases") }
        keys = []
        keysTotal = 0
        for _ in made.execution.keyspaces {
            keys.append(try reader.count(max: 1 << 48))
            keysTotal += keys[keys.count - 1]
        }
        digests = [Digest](repeating: Digest(), count: keys.count)
        keyspace = made.execution.keyspaces[0]
        machine = made
    }

    private static let parametersMax = 1024
    /// Counts that can't be counted up any more are none.
    private static let countEnd: UInt64 = 1 << 62
    private static let sessionsMax = 1 << 16

    private func end(_ reader: inout StateReader) throws(StateHalt) {
        let total = try reader.number()
        let digest = Digest(high: try reader.integer(UInt64.self), low: try reader.integer(UInt64.self))
        guard let machine else { throw .bad("the state has a head") }
        if total != UInt64(keysTotal) { throw .bad("the state has another number of keys") }
        if !machine.pieces.completeRestore() { throw .bad("a command lacks pieces") }
        var whole = machine.headDigest
        for (number, keyspace) in machine.execution.keyspaces.enumerated() {
            if keyspace.count != keys[number] { throw .bad("a database has another number of keys") }
            var sum = digests[number]
            sum.append(UInt64(keyspace.count))
            whole.append(sum)
        }
        // An empty text stands for a digest that differs.
        if checksDigest && whole != digest { throw .bad("") }
        progress = .ended
    }

    // MARK: entries

    /// What stands in front of an entry's value, its key apart.
    private struct Head {
        var type: ValueType
        var form: UInt8
        var version: UInt64
        var deadline: Int64?
    }

    @inline(__always)
    private func entry(_ code: UInt8, _ reader: inout StateReader) throws(StateHalt) {
        guard let machine, let keyspace else { throw .bad("the state begins with its head") }
        guard let type = ValueType(rawValue: code & 7) else { throw .bad("a value's type is not known") }
        let changes = try reader.number()
        if changes >= machine.execution.changes { throw .bad("a key was changed before anything was") }
        var head = Head(type: type, form: code >> 4 & 7, version: machine.execution.changes - changes)
        if code & StateFormat.deadlineBit != 0 {
            let deadline = machine.time.milliseconds &+ (try reader.signed())
            if deadline < 0 { throw .bad("a deadline is a time since 1970") }
            head.deadline = deadline
        }
        let key = try reader.bytes()
        if type != .string {
            open = (key.array, head, try ValueBuilder.make(type, form: head.form, seed: machine.seed))
            return
        }
        let entry: Entry
        var digest = self.digest(key, head)
        switch head.form {
        case StateForm.integer:
            let integer = try reader.signed()
            entry = allocate(key, head, flags: [.integer], capacity: 0)
            entry.integerField = integer
            digest.append(withDecimal(integer) { Digest($0, seed: machine.seed) })
        case StateForm.plain, StateForm.raw:
            let bytes = try reader.bytes()
            let fixed = key.count + Entry.headerBytes + (head.deadline == nil ? 0 : Entry.deadlineBytes)
            let capacity = Entry.capacity(for: bytes.count, fixed: fixed)
            if capacity > Int(UInt32.max) { throw .bad("a string is too long") }
            entry = allocate(key, head, flags: head.form == StateForm.raw ? [.raw] : [], capacity: capacity)
            entry.lengthField = bytes.count
            entry.capacityField = capacity
            entry.bytesStart.copyMemory(from: bytes.start, byteCount: bytes.count)
            digest.append(Digest(bytes, seed: machine.seed))
        default: throw .bad("a value's form is not known")
        }
        try insert(entry, digest, keyspace)
    }

    private func digest(_ key: ByteView, _ head: Head) -> Digest {
        var digest = Digest(key, seed: machine?.seed ?? 0)
        digest.append(UInt64(head.type.rawValue))
        digest.append(UInt64(bitPattern: head.deadline ?? -1))
        digest.append(head.version)
        return digest
    }

    @inline(__always)
    private func allocate(_ key: ByteView, _ head: Head, flags: Entry.Flags, capacity: Int) -> Entry {
        var flags = flags
        if head.deadline != nil { flags.insert(.hasDeadline) }
        let seconds = UInt32(truncatingIfNeeded: (machine?.time.microseconds ?? 0) / 1_000_000) & 0xFF_FFFF
        let entry = Entry.allocate(key: key, type: head.type, flags: flags, capacity: capacity, accessSeconds: seconds)
        entry.version = head.version
        if let deadline = head.deadline { entry.deadlineField = deadline }
        return entry
    }

    @inline(__always)
    private func insert(_ entry: Entry, _ digest: Digest, _ keyspace: Keyspace) throws(StateHalt) {
        let hash = keyspace.hashOf(entry.key)
        let location = keyspace.locate(hash)
        if location.segment.find(entry.key, tag: location.tag) >= 0 || keyspace.count == keys[database] {
            Graveyard.free(entry)
            throw .bad("a key comes twice, or a database has more keys than it says")
        }
        keyspace.insert(entry, hash: hash)
        digests[database].add(digest)
        keysDone += 1
    }

    private func add(_ key: [UInt8], _ head: Head, _ builder: ValueBuilder) throws(StateHalt) {
        guard let keyspace else { throw .bad("the state begins with its head") }
        let value = builder.finish()
        let entry = key.withView { allocate($0, head, flags: [], capacity: 0) }
        entry.collectionField = Unmanaged.passRetained(value).toOpaque()
        value.entry = entry
        var digest = key.withView { self.digest($0, head) }
        digest.append(builder.digest)
        try insert(entry, digest, keyspace)
        if value.isBarePage {
            value.entry = nil
            entry.setBarePage(value.giveUpPage())
            Unmanaged.passUnretained(value).release()
        }
        keyspace.accountMoved(entry)
        if head.type == .hash && head.form & StateForm.fieldDeadlines != 0 {
            keyspace.fieldDeadlinesChanged(entry)
            keyspace.open.close()
        }
    }
}
