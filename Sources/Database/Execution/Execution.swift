import Base
import RESP

/// What a command's body sees and does everything through: its arguments, its reply, the selected database, the time and the
/// random numbers of its log entry. One instance is reused for all commands of a state machine.
///
/// Its variables are not checked for overlapping access at run time (`@exclusivity(unchecked)`, here and in the keyspace): the
/// checks were a third of a SET's instructions, and nothing in this module holds an access across a call.
///
/// Its references to what others own for as long as a command runs (the table its commands, `keyspaces` its databases, the caller the
/// arguments) are not counted: counting them was a third of the time of a short command.
///
/// A body either replies an error and changes nothing, or does all of its work: it checks everything first.
package final class Execution {
    /// Databases of a group.
    package static let databases = 16

    /// The command's words; the name is at 0, and a subcommand's at 1.
    @exclusivity(unchecked) package internal(set) var arguments: Arguments.Views
    /// Where the reply goes (or is dropped, on nodes that don't have the connection).
    @exclusivity(unchecked) package internal(set) var reply: ReplyWriter
    /// The command that is carried out.
    @exclusivity(unchecked) package internal(set) unowned(unsafe) var command: Command
    /// The selected database.
    @exclusivity(unchecked) private var selected: Unmanaged<Keyspace>
    /// The seed of all hashes.
    let seed: UInt64
    /// Its number.
    @exclusivity(unchecked) package internal(set) var database = 0
    /// All databases by number.
    @exclusivity(unchecked) package internal(set) var keyspaces: [Keyspace]
    /// The state machine's time: of the entry, or for a read of the last entry applied. What is due by it is gone.
    @exclusivity(unchecked) package internal(set) var now = WallTime(microseconds: 0)
    /// The time that remaining lifetimes are reckoned from: `now`, or later for a read.
    @exclusivity(unchecked) package internal(set) var observedTime = WallTime(microseconds: 0)
    /// Random numbers of the entry's seed (for a read: of the reading node's).
    @exclusivity(unchecked) package var random = RandomGenerator(seed: 0)
    /// When collections leave their small form: configuration that is part of the replicated state.
    @exclusivity(unchecked) package var limits = CollectionLimits()
    /// Whether only reading is allowed.
    @exclusivity(unchecked) package internal(set) var isRead = false
    /// Whether a read notes that the key is used; not for a connection that said CLIENT NO-TOUCH. The node's own.
    @exclusivity(unchecked) package var notesUse = true
    /// Changes made to keys since the state began; the newest key version.
    @exclusivity(unchecked) package internal(set) var changes: UInt64 = 0
    /// This node's figures for INFO.
    @exclusivity(unchecked) package var statistics = DatabaseStatistics()
    /// Whether the end of an entry removes keys that are due (DEBUG SET-ACTIVE-EXPIRE). Replicated.
    @exclusivity(unchecked) package internal(set) var removesExpiredKeys = true
    /// Counts of HyperLogLogs that this node need not work out again. Not replicated.
    @exclusivity(unchecked) var hyperLogLogCounts = HyperLogLogCounts()
    /// For texts of numbers and other short-lived bytes.
    let scratch = ByteBuffer()
    /// The table that commands were resolved with.
    package let table: CommandTable
    /// Before the first command.
    private let noArguments = Arguments()
    /// What was dropped and is freed in steps.
    let graveyard = Graveyard()
    /// Small collections that the command at work has opened.
    let open = OpenValues()
    /// Records of the state that are open.
    let records = OpenRecords()
    /// The same two, for the end of every command, where they are not counted.
    private let openReference: Unmanaged<OpenValues>
    private let recordsReference: Unmanaged<OpenRecords>

    init(seed: UInt64, table: CommandTable) {
        var keyspaces: [Keyspace] = []
        for identity in 0..<Execution.databases {
            keyspaces.append(Keyspace(seed: seed, identity: identity, graveyard: graveyard, open: open, records: records))
        }
        self.keyspaces = keyspaces
        openReference = Unmanaged.passUnretained(open)
        recordsReference = Unmanaged.passUnretained(records)
        self.seed = seed
        self.table = table
        selected = Unmanaged.passUnretained(keyspaces[0])
        arguments = noArguments.views
        reply = ReplyWriter(scratch, discards: true)
        command = table.commands[0]
    }

    /// `now` in milliseconds since 1970.
    @inline(__always)
    package var nowMilliseconds: Int64 { now.milliseconds }

    /// Makes a database the selected one.
    @inline(__always)
    func select(_ number: Int) {
        if number == database { return }
        database = number
        selectAgain()
    }

    /// Looks the selected database up, after databases were swapped.
    func selectAgain() { selected = Unmanaged.passUnretained(keyspaces[database]) }

    /// The selected database.
    @inline(__always)
    package var keyspace: Keyspace { selected._withUnsafeGuaranteedRef { $0 } }

    /// Ends a command: what it may have changed is settled with open records, and what it has opened goes back to rest.
    @inline(__always)
    func endCommand() {
        recordsReference._withUnsafeGuaranteedRef { $0.endCommand() }
        openReference._withUnsafeGuaranteedRef { $0.close() }
    }

    // MARK: looking up

    /// The entry of a key that is read. Nil when the key is absent or expired. Counts a hit or a miss.
    @inline(__always)
    package func lookupRead(_ key: ByteView) -> Entry? {
        guard let entry = selected._withUnsafeGuaranteedRef({ $0.find(key) }), isAlive(entry) else {
            statistics.misses &+= 1
            return nil
        }
        statistics.hits &+= 1
        if notesUse { entry.accessSeconds = accessSeconds }
        return entry
    }

    /// Notes that a key is used, whoever asks (TOUCH).
    func noteUse(_ entry: Entry) { entry.accessSeconds = accessSeconds }

    /// As `lookupRead(_:)`, without noting the access (EXISTS, TYPE, TTL, …).
    package func lookupUntouched(_ key: ByteView) -> Entry? {
        guard let entry = peek(key) else {
            statistics.misses &+= 1
            return nil
        }
        statistics.hits &+= 1
        return entry
    }

    /// The entry of a key, without counting and without noting the access (OBJECT, MEMORY, …).
    package func peek(_ key: ByteView) -> Entry? {
        guard let entry = selected._withUnsafeGuaranteedRef({ $0.find(key) }), isAlive(entry) else { return nil }
        return entry
    }

    /// The entry of a key that is about to be changed. An expired key is removed.
    @inline(__always)
    package func lookupWrite(_ key: ByteView) -> Entry? {
        guard let entry = selected._withUnsafeGuaranteedRef({ $0.find(key) }) else { return nil }
        if !entry.mayExpire || isStillAlive(entry) { return entry }
        removeDue(key, in: keyspace)
        return nil
    }

    /// As `lookupWrite(_:)`, in another database.
    package func lookupWrite(_ key: ByteView, in keyspace: Keyspace) -> Entry? {
        guard let entry = keyspace.find(key) else { return nil }
        if isAlive(entry) { return entry }
        removeDue(key, in: keyspace)
        return nil
    }

    @inline(never)
    private func removeDue(_ key: ByteView, in keyspace: Keyspace) {
        check(!isRead, "a read removes nothing")
        expire(key, in: keyspace)
    }

    /// Whether an entry's deadline is still to come.
    @inline(__always)
    package func isAlive(_ entry: Entry) -> Bool { !entry.mayExpire || isStillAlive(entry) }

    private func isStillAlive(_ entry: Entry) -> Bool {
        if let deadline = entry.deadline, deadline <= now.milliseconds { return false }
        if !entry.hasFieldDeadlines { return true }
        // From here on the hash shows what is left of it by now.
        let hash = unsafeDowncast(entry.collection, to: HashValue.self)
        hash.show(at: now.milliseconds)
        return hash.count > 0
    }

    /// Keys that are there, in the selected database. Those that are due wait for the end of an entry to be removed, and are not
    /// counted; the time it takes is in proportion to them.
    func countOfLiving() -> Int {
        var due = keyspace.heap.countDue(by: now.milliseconds)
        keyspace.forEachHash(dueBy: now.milliseconds) { key in
            guard let entry = keyspace.find(key) else { return }
            if let deadline = entry.deadline, deadline <= now.milliseconds { return }
            if !isAlive(entry) { due += 1 }
        }
        check(due <= keyspace.count, "only keys that are stored are due")
        return keyspace.count - due
    }

    /// What `read` and `write` found.
    package enum Found<Value> {
        case value(Value)
        case absent
        /// The key holds another type; the error is already replied.
        case wrongType
    }

    /// The collection of a key that is read.
    package func read<Value: CollectionValue>(_ type: Value.Type, at key: ByteView) -> Found<Value> {
        guard let entry = lookupRead(key) else { return .absent }
        if !entry.holds(type.type) {
            wrongType()
            return .wrongType
        }
        return .value(selected._withUnsafeGuaranteedRef { unsafeDowncast($0.open(entry), to: type) })
    }

    /// What the set at a key holds that is read. Valid until the next change; nothing is opened.
    @inline(__always)
    func readSet(at key: ByteView) -> Found<SetContent> {
        guard let entry = lookupRead(key) else { return .absent }
        if !entry.holds(.set) {
            wrongType()
            return .wrongType
        }
        return .value(SetContent(of: entry))
    }

    /// How many elements the collection of a key has that is read.
    func readCount(_ type: ValueType, at key: ByteView) -> Found<Int> {
        guard let entry = lookupRead(key) else { return .absent }
        if !entry.holds(type) {
            wrongType()
            return .wrongType
        }
        return .value(entry.elementCount)
    }

    /// The collection of a key that is about to be changed in place. Call `changed(_:at:)` when it was.
    package func write<Value: CollectionValue>(_ type: Value.Type, at key: ByteView) -> Found<Value> {
        guard let entry = lookupWrite(key) else { return .absent }
        if !entry.holds(type.type) {
            wrongType()
            return .wrongType
        }
        let value = selected._withUnsafeGuaranteedRef { keyspace in
            let value = unsafeDowncast(keyspace.open(entry), to: type)
            keyspace.announce(entry, value)
            return value
        }
        return .value(value)
    }

    /// Lets `body` change the collection of a key in place, notes that it did where it answers true, and deletes the key when nothing
    /// is left in it. False where the key is absent. As `write(_:at:)` and `changed(_:at:)`, but no reference is counted, as nobody
    /// keeps the collection: that was a fifth of a short command.
    @inline(__always)
    func change<Value: CollectionValue>(_ type: Value.Type, at key: ByteView, _ body: (Value) -> Bool) -> Bool {
        guard let entry = lookupWrite(key) else { return false }
        if !entry.holds(type.type) {
            wrongType()
            return true
        }
        let isEmpty = selected._withUnsafeGuaranteedRef { keyspace in
            keyspace.openUncounted(entry)._withUnsafeGuaranteedRef { collection in
                let value = unsafeDowncast(collection, to: type)
                keyspace.announce(entry, value)
                if !body(value) { return false }
                if value.count == 0 && !value.staysEmpty { return true }
                let stamp = stamp()
                keyspace.changed(entry, value, stamp: stamp)
                return false
            }
        }
        if isEmpty {
            _ = stamp()
            keyspace.remove(key)
        }
        return true
    }

    /// Replies that a key holds a value of another type.
    package func wrongType() {
        reply.error("WRONGTYPE Operation against a key holding the wrong kind of value")
    }

    /// Replies Redis's general error about words in the wrong place.
    package func syntaxError() { reply.error("ERR syntax error") }

    /// Replies that an argument is not an integer.
    package func notInteger() { reply.error("ERR value is not an integer or out of range") }

    /// Replies that an argument or a value is not a floating-point number.
    package func notFloat() { reply.error("ERR value is not a valid float") }

    /// Replies that a time to live or a deadline is out of range.
    package func invalidExpireTime() { reply.error(text: "ERR invalid expire time in '\(command.fullName)' command") }

    /// Replies the error for a wrong number of arguments, for commands that find it out themselves.
    package func wrongArgumentCount() { CommandTable.wrongArgumentCount(command.fullName, reply) }

    // MARK: changing

    /// Counts a change and says what to note with it.
    @inline(__always)
    func stamp() -> ChangeStamp {
        check(!isRead, "a read changes nothing")
        changes += 1
        return ChangeStamp(version: changes, accessSeconds: accessSeconds)
    }

    /// What `stamp` said last.
    private var lastStamp: ChangeStamp { ChangeStamp(version: changes, accessSeconds: accessSeconds) }

    /// Sets a string, whatever was there.
    @inline(__always)
    package func setString(
        _ key: ByteView, _ value: ByteView, form: StringForm = .encoded, deadline: DeadlineChange = .none
    ) {
        let stamp = stamp()
        selected._withUnsafeGuaranteedRef { $0.setString(key, value, form: form, deadline: deadline, stamp: stamp) }
    }

    /// Sets a string of `byteCount` bytes, all of which `fill` writes. What was there may be read meanwhile.
    func setString(_ key: ByteView, byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        keyspace.setString(key, byteCount: byteCount, stamp: stamp(), fill)
    }

    /// Sets a string to an integer's text.
    package func setInteger(_ key: ByteView, _ value: Int64, deadline: DeadlineChange = .keep) {
        let stamp = stamp()
        selected._withUnsafeGuaranteedRef { $0.setInteger(key, value, deadline: deadline, stamp: stamp) }
    }

    /// Sets a collection, whatever was there.
    package func setCollection(_ key: ByteView, _ value: CollectionValue, deadline: DeadlineChange = .none) {
        keyspace.setCollection(key, value, deadline: deadline, stamp: stamp())
    }

    /// Notes that a collection has changed itself in place; deletes the key when nothing is left in it.
    package func changed(_ value: CollectionValue, at key: ByteView) {
        guard let entry = value.entry else {
            check(false, "a changed collection is in the keyspace")
            return
        }
        check(entry.key.equals(key), "the changed collection is the key's")
        if value.count == 0 && !value.staysEmpty {
            _ = stamp()
            keyspace.remove(key)
        } else {
            let stamp = stamp()
            selected._withUnsafeGuaranteedRef { $0.changed(entry, value, stamp: stamp) }
        }
    }

    /// Notes that a collection has changed what belongs to it without being its content (the groups of a stream), which WATCH
    /// does not see.
    package func changedAside(_ value: CollectionValue, at key: ByteView) {
        guard let entry = value.entry, entry.key.equals(key) else {
            check(false, "a changed collection is in the keyspace")
            return
        }
        let stamp = stamp()
        selected._withUnsafeGuaranteedRef { $0.changedAside(entry, value, stamp: stamp) }
    }

    /// As `changed(_:at:)`, after deadlines of a hash's fields were set or dropped.
    func fieldDeadlinesChanged(_ hash: HashValue, at key: ByteView) {
        if let entry = hash.entry { keyspace.fieldDeadlinesChanged(entry) }
        changed(hash, at: key)
    }

    /// Deletes a key. False when it was not there (or was expired).
    @discardableResult
    package func delete(_ key: ByteView) -> Bool {
        guard lookupWrite(key) != nil else { return false }
        _ = stamp()
        return keyspace.remove(key)
    }

    /// Sets or drops the deadline (milliseconds since 1970) of a key that is there.
    package func setDeadline(_ key: ByteView, _ deadline: Int64?) {
        keyspace.setDeadline(key, deadline, stamp: stamp())
    }

    /// Makes a string `byteCount` bytes long, keeping its front and deadline, and returns its bytes to be written to; new bytes are
    /// zero. The key holds a string that is alive, or is absent (`lookupWrite` said so). Valid until the next change.
    ///
    /// - Parameter entry: what `lookupWrite` found, where nothing was changed since.
    func mutableString(_ key: ByteView, entry: Entry?, byteCount: Int) -> UnsafeMutableRawBufferPointer {
        if let entry {
            let stamp = stamp()
            let bytes = selected._withUnsafeGuaranteedRef { $0.mutableString(entry, byteCount: byteCount, stamp: stamp) }
            if let bytes { return bytes }
        }
        return keyspace.mutableString(key, byteCount: byteCount, stamp: entry == nil ? stamp() : lastStamp)
    }

    /// Removes a key whose deadline has come.
    func expire(_ key: ByteView, in keyspace: Keyspace) {
        changes += 1
        statistics.expiredKeys += 1
        let removed = keyspace.remove(key)
        check(removed, "only a key that is there expires")
    }

    /// Removes fields of the hash at a key whose deadlines have come, and the key with the last one.
    func expireFields(_ key: ByteView, in keyspace: Keyspace, limit: Int) {
        guard let entry = keyspace.find(key), entry.hasFieldDeadlines else {
            check(false, "only a hash with deadlines has fields that expire")
            return
        }
        let hash = unsafeDowncast(entry.collection, to: HashValue.self)
        keyspace.announce(entry, hash)
        hash.show(at: now.milliseconds)
        let removed = hash.removeExpiredFields(limit: limit, seed: keyspace.seed)
        check(removed > 0, "only fields whose deadline has come expire")
        statistics.expiredFields += UInt64(removed)
        if hash.storedCount == 0 { return expire(key, in: keyspace) }
        changes += 1
        keyspace.changed(entry, hash, stamp: ChangeStamp(version: changes, accessSeconds: entry.accessSeconds))
    }

    /// The database of a number, or nil.
    package func keyspace(at number: Int64) -> Keyspace? {
        number >= 0 && number < Int64(keyspaces.count) ? keyspaces[Int(number)] : nil
    }

    private var accessSeconds: UInt32 { UInt32(truncatingIfNeeded: observedTime.microseconds / 1_000_000) & 0xFF_FFFF }

    // MARK: strings

    /// The bytes of a string entry. An integer's text is made in a scratch buffer: valid until the next call of this
    /// function, or the next change.
    package func text(of entry: Entry) -> ByteView {
        guard let integer = entry.integer else { return entry.bytes }
        scratch.removeAll()
        scratch.append(decimal: integer)
        return scratch.view
    }

    /// Replies a string entry as a bulk string.
    @inline(__always)
    package func replyString(_ entry: Entry) {
        if let integer = entry.integer { reply.bulk(decimal: integer) } else { reply.bulk(entry.bytes) }
    }
}

/// This node's figures since it started; not replicated.
package struct DatabaseStatistics: Sendable {
    /// Reads that found their key.
    package var hits: UInt64 = 0
    /// Reads that did not.
    package var misses: UInt64 = 0
    /// Keys that were removed because their deadline had come.
    package var expiredKeys: UInt64 = 0
    /// Fields of hashes that were removed because their deadline had come.
    package var expiredFields: UInt64 = 0
    /// Items of the log carried out.
    package var itemsExecuted: UInt64 = 0
    /// Items of the log skipped because they came twice or too early.
    package var itemsSkipped: UInt64 = 0

    package init() {}
}
