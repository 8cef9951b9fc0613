import Base

/// The records of a group's state that are open, and what the command at work may be about to change under them.
///
/// The keyspaces tell it of every change before it happens (`preserve`), and of every collection that a command opens to change it
/// in place (`announce`). What an open record still needs is handed to it then. A collection is announced before it is known whether it
/// will change: it is remembered as it is, which costs one count on its root, and dropped at the command's end when it did not.
final class OpenRecords {
    /// Records that may be open at once.
    static let recordsMax = 8

    /// A collection that the command at work may change.
    private struct Announced {
        let entry: Entry
        let keyspace: Unmanaged<Keyspace>
        /// The value as it is before.
        let before: CollectionValue
    }

    /// Not counted: a record takes itself off this list at its end.
    @exclusivity(unchecked) private var list: [Unmanaged<StateRecord>] = []
    @exclusivity(unchecked) private var announced: [Announced] = []
    /// Bytes of dropped tables that records still walk through.
    @exclusivity(unchecked) fileprivate(set) var droppedBytes = 0

    /// Records that are open.
    var count: Int { list.count }

    /// Bytes that exist only because records are open.
    var heldBytes: Int { list.reduce(droppedBytes) { $0 + $1._withUnsafeGuaranteedRef { $0.pendingBytes } } }

    func add(_ record: StateRecord) {
        check(
            list.count < OpenRecords.recordsMax && announced.isEmpty,
            "a bounded number of records is open, begun between commands")
        list.append(Unmanaged.passUnretained(record))
        for keyspace in record.keyspaces { keyspace.recordedVersion = max(keyspace.recordedVersion, record.version) }
    }

    func remove(_ record: StateRecord) {
        check(announced.isEmpty, "a record ends between commands")
        let count = list.count
        list.removeAll { $0.toOpaque() == Unmanaged.passUnretained(record).toOpaque() }
        check(list.count == count - 1, "a record is open until its end")
        for keyspace in record.keyspaces {
            keyspace.recordedVersion = list.reduce(0) { max($0, $1._withUnsafeGuaranteedRef { $0.version }) }
        }
    }

    // MARK: what the keyspaces say

    /// Remembers a collection as it is, where a record needs it.
    @inline(never)
    func announce(_ entry: Entry, _ value: CollectionValue, in keyspace: Keyspace) {
        if announced.contains(where: { $0.entry.pointer == entry.pointer }) || !isNeeded(entry, of: keyspace) { return }
        announced.append(Announced(entry: entry, keyspace: Unmanaged.passUnretained(keyspace), before: value.copy()))
    }

    /// Hands out an announced collection, whose entry has changed and still has its old version.
    @inline(never)
    func changed(_ entry: Entry, in keyspace: Keyspace) {
        if handOutAnnounced(entry, in: keyspace) { return }
        check(!isNeeded(entry, of: keyspace), "a change in place of what a record needs is announced")
    }

    /// Hands out an entry that is about to change or go. True where the records took over its allocation.
    @inline(never)
    func preserve(_ entry: Entry, in keyspace: Keyspace) -> Bool {
        if !entry.isString {
            if !handOutAnnounced(entry, in: keyspace), isNeeded(entry, of: keyspace) {
                handOut(entry, before: entry.collection, in: keyspace)
            }
            return false
        }
        let isLong = StateRecord.isLong(entry)
        let hash = keyspace.hashOf(entry.key)
        var pinned: PinnedString?
        for record in list {
            record._withUnsafeGuaranteedRef { record in
                if !isLong {
                    if record.needs(entry, hash: hash, of: keyspace) { record.take(string: entry, in: keyspace) }
                } else if record.needs(entry, hash: hash, of: keyspace) || record.isReading(entry) {
                    let pin = pinned ?? PinnedString(entry)
                    pinned = pin
                    record.take(pin, in: keyspace)
                }
            }
        }
        return pinned != nil
    }

    /// Whether `preserve` would take over the allocation of a string.
    func wouldHold(_ entry: Entry, of keyspace: Keyspace) -> Bool {
        if !StateRecord.isLong(entry) { return false }
        return isNeeded(entry, of: keyspace) || list.contains { $0._withUnsafeGuaranteedRef { $0.isReading(entry) } }
    }

    /// Ends a command: drops what was announced and did not change.
    @inline(__always)
    func endCommand() { if !announced.isEmpty { dropAnnounced() } }

    @inline(never)
    private func dropAnnounced() {
        while let last = announced.popLast() {
            let keyspace = last.keyspace._withUnsafeGuaranteedRef { $0 }
            // An encoding may change without a change of the content (SADD of members that are there, with many arguments). Then it is
            // handed out though the version stays.
            if last.before.sharesContent(with: keyspace.open(last.entry)) { continue }
            let hash = keyspace.hashOf(last.entry.key)
            for record in list {
                record._withUnsafeGuaranteedRef {
                    if !$0.needs(last.entry, hash: hash, of: keyspace) { return }
                    $0.take(last.before, of: last.entry, in: keyspace)
                    $0.noteTaken(last.entry)
                }
            }
        }
    }

    /// Gives a table that was dropped as a whole to the records that have not walked through it.
    func takeOver(_ table: DroppedTable, of keyspace: Keyspace) {
        check(announced.isEmpty, "a command that drops a database opens nothing in it")
        for record in list {
            record._withUnsafeGuaranteedRef {
                if !$0.takeOver(table, of: keyspace) || table.owner != nil { return }
                table.owner = self
                droppedBytes += table.bytes
            }
        }
    }

    // MARK: parts

    private func isNeeded(_ entry: Entry, of keyspace: Keyspace) -> Bool {
        let hash = keyspace.hashOf(entry.key)
        return list.contains { $0._withUnsafeGuaranteedRef { $0.needs(entry, hash: hash, of: keyspace) } }
    }

    /// False where the entry was not announced.
    private func handOutAnnounced(_ entry: Entry, in keyspace: Keyspace) -> Bool {
        guard let place = announced.lastIndex(where: { $0.entry.pointer == entry.pointer }) else { return false }
        handOut(entry, before: announced.remove(at: place).before, in: keyspace)
        return true
    }

    private func handOut(_ entry: Entry, before: CollectionValue, in keyspace: Keyspace) {
        let hash = keyspace.hashOf(entry.key)
        for record in list {
            record._withUnsafeGuaranteedRef {
                if $0.needs(entry, hash: hash, of: keyspace) { $0.take(before, of: entry, in: keyspace) }
            }
        }
    }
}

/// The table of a database that was flushed while a record had still to walk through it. When the last record lets go of it, it is freed in
/// steps.
final class DroppedTable {
    let directory: UnsafeMutablePointer<UInt64>
    let depth: Int
    let bytes: Int
    private let graveyard: Graveyard
    /// Who counts its bytes meanwhile.
    var owner: OpenRecords?

    init(directory: UnsafeMutablePointer<UInt64>, depth: Int, bytes: Int, graveyard: Graveyard) {
        self.directory = directory
        self.depth = depth
        self.bytes = bytes
        self.graveyard = graveyard
    }

    deinit {
        owner?.droppedBytes -= bytes
        graveyard.bury(directory: directory, depth: depth, bytes: bytes)
    }
}

/// The allocation of a long string that is not in its keyspace any more. Freed with the last record that needs it.
final class PinnedString {
    let entry: Entry

    /// Takes over the allocation.
    init(_ entry: Entry) {
        check(entry.isString, "only strings are kept whole: collections are shared by their pages")
        self.entry = entry
    }

    deinit { entry.pointer.deallocate() }
}
