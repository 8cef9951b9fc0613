import Base
import RESP

/// How the bytes of a string are kept; OBJECT ENCODING shows it.
package enum StringForm: Sendable {
    /// As an integer when the bytes are the text of one, else as they are (SET, MSET, GETSET …).
    case encoded
    /// As they are (results of INCRBYFLOAT).
    case plain
    /// As they are, and called "raw" (results of APPEND, SETRANGE …).
    case raw
}

/// What becomes of a key's deadline when its value is replaced.
package enum DeadlineChange: Sendable {
    case keep
    case none
    /// Milliseconds since 1970.
    case at(Int64)
}

/// Who changes a key, when: what the keyspace notes with every change.
package struct ChangeStamp {
    /// The state machine's count of changes.
    package var version: UInt64
    /// This node's time of access, in seconds.
    package var accessSeconds: UInt32
}

// Changes of values. Every change of an entry is in this file.
extension Keyspace {
    /// Sets a string, whatever was there.
    func setString(
        _ key: ByteView, _ value: ByteView, form: StringForm, deadline: DeadlineChange, stamp: ChangeStamp
    ) {
        if form == .encoded, value.count <= 20, let number = parseInteger(value) {
            return setInteger(key, number, deadline: deadline, stamp: stamp)
        }
        let hash = hashOf(key)
        let location = locate(hash)
        let slot = location.segment.find(key, tag: location.tag)
        let old = slot < 0 ? nil : location.segment.entry(at: slot)
        let newDeadline = resolve(deadline, old)
        let isHeld = preserve(old)
        if let old, !isHeld, old.isString, !old.flags.contains(.integer), old.hasDeadline == (newDeadline != nil),
            value.count <= old.capacityField, fits(value.count, old)
        {
            old.bytesStart.copyMemory(from: value.start, byteCount: value.count)
            old.lengthField = value.count
            if form == .raw { old.flags.insert(.raw) } else { old.flags.remove(.raw) }
            changeDeadline(old, newDeadline)
            stampEntry(old, stamp)
            return
        }
        var flags: Entry.Flags = form == .raw ? [.raw] : []
        if newDeadline != nil { flags.insert(.hasDeadline) }
        let fixed = key.count + Entry.headerBytes + (newDeadline != nil ? Entry.deadlineBytes : 0)
        let entry = Entry.allocate(
            key: key, type: .string, flags: flags, capacity: Entry.capacity(for: value.count, fixed: fixed),
            accessSeconds: stamp.accessSeconds)
        entry.lengthField = value.count
        entry.capacityField = Entry.capacity(for: value.count, fixed: fixed)
        entry.bytesStart.copyMemory(from: value.start, byteCount: value.count)
        place(entry, location, slot, hash, deadline: newDeadline, stamp, isOldHeld: isHeld)
    }

    /// Sets a string of `byteCount` bytes in "raw" form without a deadline, whatever was there. `fill` writes all of its bytes; what was
    /// there lives until it has, so it may read it.
    func setString(
        _ key: ByteView, byteCount: Int, stamp: ChangeStamp, _ fill: (UnsafeMutableRawBufferPointer) -> Void
    ) {
        let hash = hashOf(key)
        let location = locate(hash)
        let slot = location.segment.find(key, tag: location.tag)
        let capacity = Entry.capacity(for: byteCount, fixed: key.count + Entry.headerBytes)
        let entry = Entry.allocate(
            key: key, type: .string, flags: [.raw], capacity: capacity, accessSeconds: stamp.accessSeconds)
        entry.lengthField = byteCount
        entry.capacityField = capacity
        fill(UnsafeMutableRawBufferPointer(start: entry.bytesStart, count: byteCount))
        let isHeld = preserve(slot < 0 ? nil : location.segment.entry(at: slot))
        place(entry, location, slot, hash, deadline: nil, stamp, isOldHeld: isHeld)
    }

    /// Sets a string to the text of an integer.
    func setInteger(_ key: ByteView, _ value: Int64, deadline: DeadlineChange, stamp: ChangeStamp) {
        let hash = hashOf(key)
        let location = locate(hash)
        let slot = location.segment.find(key, tag: location.tag)
        let old = slot < 0 ? nil : location.segment.entry(at: slot)
        let newDeadline = resolve(deadline, old)
        let isHeld = preserve(old)
        if let old, old.integer != nil, (newDeadline == nil) == (old.deadline == nil) {
            old.integerField = value
            changeDeadline(old, newDeadline)
            stampEntry(old, stamp)
            return
        }
        let flags: Entry.Flags = newDeadline == nil ? [.integer] : [.integer, .hasDeadline]
        let entry = Entry.allocate(key: key, type: .string, flags: flags, capacity: 0, accessSeconds: stamp.accessSeconds)
        entry.integerField = value
        place(entry, location, slot, hash, deadline: newDeadline, stamp, isOldHeld: isHeld)
    }

    /// Sets a collection, whatever was there. The keyspace keeps a reference.
    func setCollection(_ key: ByteView, _ value: CollectionValue, deadline: DeadlineChange, stamp: ChangeStamp) {
        check(value.count > 0 || value.staysEmpty, "an empty collection is not in the keyspace")
        let hash = hashOf(key)
        let location = locate(hash)
        let slot = location.segment.find(key, tag: location.tag)
        let old = slot < 0 ? nil : location.segment.entry(at: slot)
        let newDeadline = resolve(deadline, old)
        let type = Swift.type(of: value).type
        check(type != .string, "a collection is not a string")
        let entry = Entry.allocate(
            key: key, type: type, flags: newDeadline == nil ? [] : [.hasDeadline], capacity: 0,
            accessSeconds: stamp.accessSeconds)
        check(value.entry == nil, "a collection is the value of one key")
        let isHeld = preserve(old)
        open.add(value, of: entry, in: self)
        place(entry, location, slot, hash, deadline: newDeadline, stamp, isOldHeld: isHeld)
        account(value, bytes: value.memoryBytes)
        if type == .hash { fieldDeadlinesChanged(entry) }
    }

    /// As `mutableString(_:byteCount:stamp:)`, of an entry that holds a string; nil where it has no room for so many bytes, or
    /// where a record is to have the entry as it is.
    @inline(__always)
    func mutableString(_ entry: Entry, byteCount: Int, stamp: ChangeStamp) -> UnsafeMutableRawBufferPointer? {
        check(entry.isString, "only a string's bytes are written to")
        if entry.flags.contains(.integer) || byteCount > entry.capacityField { return nil }
        if entry.version <= recordedVersion {
            if records.wouldHold(entry, of: self) { return nil }
            preserve(entry)
        }
        let before = entry.lengthField
        if byteCount > before {
            (entry.bytesStart + before).initializeMemory(as: UInt8.self, repeating: 0, count: byteCount - before)
        }
        entry.lengthField = byteCount
        entry.flags.insert(.raw)
        stampEntry(entry, stamp)
        return UnsafeMutableRawBufferPointer(start: entry.bytesStart, count: byteCount)
    }

    /// Makes the string at `key` `byteCount` bytes long, in "raw" form, and returns its bytes to be written to; new bytes
    /// are zero. Room grows by a part of the length, so that a string built by appending costs linear time. The pointer is
    /// valid until the next change. The key must hold a string or be absent.
    func mutableString(_ key: ByteView, byteCount: Int, stamp: ChangeStamp) -> UnsafeMutableRawBufferPointer {
        let hash = hashOf(key)
        let location = locate(hash)
        let slot = location.segment.find(key, tag: location.tag)
        let old = slot < 0 ? nil : location.segment.entry(at: slot)
        check(old?.isString ?? true, "only a string's bytes are written to")
        let plain = old.flatMap { $0.integer == nil ? $0 : nil }
        if let plain, let bytes = mutableString(plain, byteCount: byteCount, stamp: stamp) { return bytes }
        let isHeld = preserve(old)
        let deadline = old?.deadline
        let fixed = key.count + Entry.headerBytes + (deadline != nil ? Entry.deadlineBytes : 0)
        // A string that grew once will grow again; one that is new gets what it asks for.
        let slack = old == nil ? 0 : min(byteCount, max(1 << 20, byteCount / 4))
        let capacity = min(Entry.capacity(for: byteCount + slack, fixed: fixed), Int(UInt32.max))
        let entry = Entry.allocate(
            key: key, type: .string, flags: deadline == nil ? [.raw] : [.raw, .hasDeadline], capacity: capacity,
            accessSeconds: stamp.accessSeconds)
        var filled = 0
        if let plain {
            filled = min(plain.lengthField, byteCount)
            entry.bytesStart.copyMemory(from: plain.bytesStart, byteCount: filled)
        } else if let integer = old?.integer {
            let text = ByteBuffer(capacity: 32)
            text.append(decimal: integer)
            filled = min(text.count, byteCount)
            entry.bytesStart.copyMemory(from: text.view.start, byteCount: filled)
        }
        (entry.bytesStart + filled).initializeMemory(as: UInt8.self, repeating: 0, count: byteCount - filled)
        entry.lengthField = byteCount
        entry.capacityField = capacity
        place(entry, location, slot, hash, deadline: deadline, stamp, isOldHeld: isHeld)
        return UnsafeMutableRawBufferPointer(start: entry.bytesStart, count: byteCount)
    }

    /// Sets or drops the deadline of a key that is there. Returns its entry, which may have moved.
    @discardableResult
    func setDeadline(_ key: ByteView, _ deadline: Int64?, stamp: ChangeStamp) -> Entry? {
        let hash = hashOf(key)
        let location = locate(hash)
        let slot = location.segment.find(key, tag: location.tag)
        guard slot >= 0, let old = location.segment.entry(at: slot) else { return nil }
        if deadline == nil && !old.hasDeadline { return old }
        let isHeld = preserve(old)
        if deadline != nil, old.hasDeadline, !isHeld {
            changeDeadline(old, deadline)
            stampEntry(old, stamp)
            return old
        }
        let entry = reshaped(old, hasDeadline: deadline != nil)
        if old.hasDeadline { heap.remove(old) }
        entryBytes += Entry.allocatedBytes(entry.byteCount) - Entry.allocatedBytes(old.byteCount)
        location.segment.replace(at: slot, with: entry)
        if !isHeld { old.pointer.deallocate() }
        if let deadline {
            entry.deadlineField = deadline
            heap.insert(entry, hash: hash)
        }
        stampEntry(entry, stamp)
        return entry
    }

    /// Removes a key. False when it is not there.
    @discardableResult
    func remove(_ key: ByteView) -> Bool {
        let hash = hashOf(key)
        let location = locate(hash)
        let slot = location.segment.find(key, tag: location.tag)
        if slot < 0 { return false }
        let isHeld = preserve(location.segment.entry(at: slot))
        let entry = detach(location, slot: slot, hash: hash)
        graveyard.bury(collectionOf: entry)
        if !isHeld { Graveyard.free(entry) }
        return true
    }

    /// Moves the entry of `key` with value and deadline to another name or another keyspace, whose old value it replaces.
    /// The key must be there; source and destination must differ.
    func move(_ key: ByteView, to destination: ByteView, in other: Keyspace, stamp: ChangeStamp) {
        check(other !== self || !key.equals(destination), "a key is not moved to itself")
        let hash = hashOf(key)
        let location = locate(hash)
        let slot = location.segment.find(key, tag: location.tag)
        check(slot >= 0, "only a key that is there is moved")
        let isHeld = preserve(location.segment.entry(at: slot))
        let entry = detach(location, slot: slot, hash: hash)
        other.remove(destination)
        let moved = renamed(entry, to: destination)
        if !isHeld { entry.pointer.deallocate() }
        other.insert(moved, hash: other.hashOf(destination))
        if !moved.isString { other.accountMoved(moved) }
        if moved.hasFieldDeadlines {
            moved.flags.remove(.fieldDeadlines)
            other.fieldDeadlinesChanged(moved)
        }
        stampEntry(moved, stamp)
    }

    /// Notes a change of a collection that changed itself in place, which was announced.
    @inline(__always)
    func changed<Value: CollectionValue>(_ entry: Entry, _ collection: Value, stamp: ChangeStamp) {
        if entry.version <= recordedVersion { records.changed(entry, in: self) }
        check(entry.isOf(collection), "only an open collection changes")
        account(collection, bytes: collection.memoryBytes)
        if entry.hasFieldDeadlines { fieldDeadlinesChanged(entry) }
        stampEntry(entry, stamp)
    }

    /// The collection of an entry that holds one, to be read or changed until the command's end.
    @inline(__always)
    func open(_ entry: Entry) -> CollectionValue { openUncounted(entry).takeUnretainedValue() }

    /// As `open(_:)`, without a reference for the caller: it lives as long as the entry does, and to the command's end.
    @inline(__always)
    func openUncounted(_ entry: Entry) -> Unmanaged<CollectionValue> {
        check(!entry.isString, "only a value that is not a string is a collection")
        if let page = entry.barePage { return open.open(page, of: entry, in: self) }
        return Unmanaged<CollectionValue>.fromOpaque(entry.collectionField)
    }

    /// Notes a change of what belongs to a value without being its content, the groups of a stream: nobody who watches the
    /// key is told.
    func changedAside(_ entry: Entry, _ value: CollectionValue, stamp: ChangeStamp) {
        check(entry.type == .stream, "only streams have something aside of their content")
        if entry.version <= recordedVersion { records.changed(entry, in: self) }
        let stream = unsafeDowncast(value, to: StreamValue.self)
        stream.asideVersion = stamp.version
        account(stream, bytes: stream.memoryBytes)
    }

    // MARK: what open records need

    /// Says that a collection may be changed in place until the command's end: an open record that still needs it remembers it as it
    /// is.
    @inline(__always)
    func announce(_ entry: Entry, _ value: CollectionValue) {
        if entry.version <= recordedVersion { records.announce(entry, value, in: self) }
    }

    /// Plants a fault, for tests: changes are not handed over to open records any more.
    package func forgetRecords() { recordedVersion = 0 }

    /// Lets open records have what they still need of an entry that is about to be changed, replaced or removed. True where
    /// they have taken over the allocation: then it is neither changed in place nor freed, but replaced.
    @inline(__always)
    @discardableResult
    private func preserve(_ entry: Entry?) -> Bool {
        guard let entry, entry.version <= recordedVersion else { return false }
        return records.preserve(entry, in: self)
    }

    // MARK: parts

    private func resolve(_ change: DeadlineChange, _ old: Entry?) -> Int64? {
        switch change {
        case .keep: old?.deadline
        case .none: nil
        case .at(let deadline): deadline
        }
    }

    /// Gives an entry that has room for it another deadline.
    @inline(__always)
    private func changeDeadline(_ entry: Entry, _ deadline: Int64?) {
        guard let deadline, deadline != entry.deadlineField else { return }
        entry.deadlineField = deadline
        heap.deadlineChanged(entry)
    }

    /// Whether a string of `count` bytes may stay in the old allocation: it must not waste more than a third of it.
    @inline(__always)
    private func fits(_ count: Int, _ old: Entry) -> Bool {
        old.capacityField - count <= 16 || count >= old.capacityField * 2 / 3
    }

    @inline(__always)
    private func stampEntry(_ entry: Entry, _ stamp: ChangeStamp) {
        entry.version = stamp.version
        entry.accessSeconds = stamp.accessSeconds
    }

    /// Puts a new entry in the place of the one in `slot`, which is freed where no record holds it, or adds it when `slot` is negative.
    private func place(
        _ entry: Entry, _ location: Location, _ slot: Int, _ hash: UInt64, deadline: Int64?, _ stamp: ChangeStamp,
        isOldHeld: Bool
    ) {
        check(entry.hasDeadline == (deadline != nil), "an entry has room for a deadline exactly when it has one")
        if let deadline { entry.deadlineField = deadline }
        stampEntry(entry, stamp)
        guard slot >= 0, let old = location.segment.entry(at: slot) else {
            insert(entry, hash: hash)
            return
        }
        if old.hasDeadline { heap.remove(old) }
        if old.hasFieldDeadlines { forgetFieldDeadlines(old) }
        entryBytes += Entry.allocatedBytes(entry.byteCount) - Entry.allocatedBytes(old.byteCount)
        if !old.isString {
            forgetBytes(of: old)
            graveyard.bury(collectionOf: old)
        }
        location.segment.replace(at: slot, with: entry)
        if !isOldHeld { Graveyard.free(old) }
        if deadline != nil { heap.insert(entry, hash: hash) }
    }

    /// A copy of an entry's allocation with or without room for a deadline, which takes over the collection's reference.
    private func reshaped(_ old: Entry, hasDeadline: Bool) -> Entry {
        var flags = old.flags
        if hasDeadline { flags.insert(.hasDeadline) } else { flags.remove(.hasDeadline) }
        return rebuilt(old, key: old.key, flags: flags)
    }

    /// A copy of an entry's allocation under another key, which takes over the collection's reference.
    private func renamed(_ old: Entry, to key: ByteView) -> Entry {
        let entry = rebuilt(old, key: key, flags: old.flags)
        if old.hasDeadline { entry.deadlineField = old.deadlineField }
        return entry
    }

    private func rebuilt(_ old: Entry, key: ByteView, flags: Entry.Flags) -> Entry {
        let fixed = key.count + Entry.headerBytes + (flags.contains(.hasDeadline) ? Entry.deadlineBytes : 0)
        let isPlain = old.isString && !flags.contains(.integer)
        let capacity = isPlain ? Entry.capacity(for: old.lengthField, fixed: fixed) : 0
        let entry = Entry.allocate(
            key: key, type: old.type, flags: flags, capacity: capacity, accessSeconds: old.accessSeconds)
        entry.version = old.version
        if isPlain {
            entry.lengthField = old.lengthField
            entry.capacityField = capacity
            entry.bytesStart.copyMemory(from: old.bytesStart, byteCount: old.lengthField)
        } else {
            entry.integerField = old.integerField
            if !old.isString, old.barePage == nil { old.collection.entry = entry }
        }
        return entry
    }
}
