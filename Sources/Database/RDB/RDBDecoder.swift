import Base

/// A value that was read.
package enum RDBValue {
    /// A string; valid until the reader's next string.
    case string(ByteView)
    case collection(CollectionValue)
}

/// Makes values of the bytes of the RDB format. Every promise that the structures of this store rely on is checked on the way: whatever
/// the bytes are, the result is a sound value or an error.
package struct RDBDecoder {
    let reader: RDBReader
    /// Of the hashes of the tables that are made.
    let seed: UInt64
    /// When collections leave their small forms.
    let limits: CollectionLimits

    /// A decoder of what `reader` has next.
    package init(_ reader: RDBReader, seed: UInt64, limits: CollectionLimits = CollectionLimits()) {
        self.reader = reader
        self.seed = seed
        self.limits = limits
    }

    /// Reads a value of this type.
    package func value(_ type: RDBType) throws(RDBError) -> RDBValue {
        switch type.valueType {
        case .string: return .string(try reader.string())
        case .list: return .collection(try filled(list(type)))
        case .set: return .collection(try filled(set(type)))
        case .sortedSet: return .collection(try filled(sortedSet(type)))
        case .hash: return .collection(try filled(hash(type)))
        case .stream: return .collection(try stream(type))
        case nil: throw .unsupportedType(type.rawValue)
        }
    }

    private func filled(_ value: CollectionValue) throws(RDBError) -> CollectionValue {
        if value.count == 0 { throw .empty }
        return value
    }

    // MARK: lists

    private func list(_ type: RDBType) throws(RDBError) -> ListValue {
        let list = ListValue()
        switch type {
        case .listZiplist:
            var packed = try ZiplistReader(try reader.string())
            append(&packed, to: list)
        case .listQuicklist, .listQuicklist2:
            let nodes = try reader.count()
            for index in 0..<nodes {
                // What came in several pieces is large, however little is left in it.
                if index > 0 && list.count > 0 { list.prepare(forElements: 0, bytes: Int(Int32.max), limits: limits) }
                try node(type, list)
            }
        default:
            let count = try reader.count()
            for _ in 0..<count { append(PackedElement(try reader.string()), to: list) }
        }
        return list
    }

    /// One node of a quicklist: packed elements, or in the newer form also a bare one.
    private func node(_ type: RDBType, _ list: ListValue) throws(RDBError) {
        if type == .listQuicklist {
            var packed = try ZiplistReader(try reader.string())
            return append(&packed, to: list)
        }
        switch try reader.number() {
        case 1: append(PackedElement(try reader.string()), to: list)
        case 2:
            var packed = try ListpackReader(try reader.string())
            append(&packed, to: list)
        default: throw .invalidPacking
        }
    }

    private func append<Reader: PackedReader>(_ packed: inout Reader, to list: ListValue) {
        while packed.remaining > 0 { append(packed.next(), to: list) }
    }

    private func append(_ element: PackedElement, to list: ListValue) {
        list.prepare(forElements: 1, bytes: PackedEntry.totalBytes(element), limits: limits)
        list.push(element, .tail, limits: limits)
    }

    // MARK: sets

    private func set(_ type: RDBType) throws(RDBError) -> SetValue {
        switch type {
        case .setIntset:
            var packed = try IntsetReader(try reader.string())
            return try set(&packed, .intset, isTable: packed.remaining > limits.setIntegers)
        case .setListpack:
            let bytes = try reader.string()
            let (entriesMax, bytesMax) = (limits.setEntries, limits.setValueBytes)
            if let list = ListpackReader.list(bytes, of: .members, entriesMax: entriesMax, bytesMax: bytesMax, seed: seed) {
                return SetValue(page: list.page)
            }
            var packed = try ListpackReader(bytes)
            return try set(&packed, .listpack, isTable: packed.remaining > limits.setEntries)
        default:
            let count = try reader.count()
            if count > limits.setIntegers {
                let (root, bytes) = try RDBTableLoader(reader, seed: seed, hasValues: false).table(count: count)
                return SetValue(table: root, bytes: bytes)
            }
            let set = SetValue(.intset)
            for _ in 0..<count {
                let member = PackedElement(try reader.string())
                if !set.add(member, seed: seed, limits: limits) { throw .duplicate }
            }
            return set
        }
    }

    private func set<Reader: PackedReader>(
        _ packed: inout Reader, _ form: SetValue.Encoding, isTable: Bool
    ) throws(RDBError) -> SetValue {
        let set = SetValue(isTable ? .hashtable : form)
        while packed.remaining > 0 {
            if !set.add(packed.next(), seed: seed, limits: limits) { throw .duplicate }
        }
        return set
    }

    // MARK: sorted sets

    private func sortedSet(_ type: RDBType) throws(RDBError) -> SortedSetValue {
        switch type {
        case .sortedSetZiplist:
            var packed = try ZiplistReader(try reader.string())
            return try sortedSet(&packed)
        case .sortedSetListpack:
            let bytes = try reader.string()
            let (entriesMax, bytesMax) = (limits.sortedSetEntries, limits.sortedSetValueBytes)
            if let list = ListpackReader.list(
                bytes, of: .membersAndScores, entriesMax: entriesMax, bytesMax: bytesMax, seed: seed)
            {
                return SortedSetValue(page: list.page)
            }
            var packed = try ListpackReader(bytes)
            return try sortedSet(&packed)
        default:
            let count = try reader.count(bytesEach: type == .sortedSet2 ? 9 : 2)
            let set = SortedSetValue(sizeHint: count, memberBytesMax: 0, seed: seed, limits: limits)
            for _ in 0..<count {
                let member = try reader.string()
                let score = type == .sortedSet2 ? try reader.binaryScore() : try reader.textScore()
                try put(member, score, into: set)
            }
            return set
        }
    }

    private func sortedSet<Reader: PackedReader>(_ packed: inout Reader) throws(RDBError) -> SortedSetValue {
        if packed.remaining % 2 != 0 { throw .invalidPacking }
        let set = SortedSetValue(sizeHint: packed.remaining / 2, memberBytesMax: 0, seed: seed, limits: limits)
        while packed.remaining > 0 {
            let member = packed.next()
            let score = try packed.nextScore()
            let isNew = member.withBytes { put($0, ifNew: score, into: set) }
            if !isNew { throw .duplicate }
        }
        return set
    }

    private func put(_ member: ByteView, _ score: Double, into set: SortedSetValue) throws(RDBError) {
        if !put(member, ifNew: score, into: set) { throw .duplicate }
    }

    private func put(_ member: ByteView, ifNew score: Double, into set: SortedSetValue) -> Bool {
        if set.score(of: member, seed: seed) != nil { return false }
        set.put(member, score: score, old: nil, seed: seed, limits: limits)
        return true
    }

    // MARK: hashes

    private func hash(_ type: RDBType) throws(RDBError) -> HashValue {
        switch type {
        case .hashZipmap:
            var packed = try ZipmapReader(try reader.string())
            return try hash(&packed)
        case .hashZiplist:
            var packed = try ZiplistReader(try reader.string())
            return try hash(&packed)
        case .hashListpack:
            let bytes = try reader.string()
            let (entriesMax, bytesMax) = (limits.hashEntries, limits.hashValueBytes)
            if let list = ListpackReader.list(
                bytes, of: .fieldsAndValues, entriesMax: entriesMax, bytesMax: bytesMax, seed: seed)
            {
                return HashValue(page: list.page)
            }
            var packed = try ListpackReader(bytes)
            return try hash(&packed)
        case .hashDeadlines: return try hashWithDeadlines()
        case .hashListpackDeadlines: return try hashOfPackedDeadlines()
        default:
            let count = try reader.count(bytesEach: 2)
            if count > limits.hashEntries {
                let (root, bytes) = try RDBTableLoader(reader, seed: seed, hasValues: true).table(count: count)
                return HashValue(table: root, bytes: bytes)
            }
            let hash = HashValue()
            for _ in 0..<count {
                let field = try reader.string()
                let value = try reader.string()
                if !hash.set(field, to: value, seed: seed, limits: limits) { throw .duplicate }
            }
            return hash
        }
    }

    private func hash<Reader: PackedReader>(_ packed: inout Reader) throws(RDBError) -> HashValue {
        if packed.remaining % 2 != 0 { throw .invalidPacking }
        let hash = HashValue()
        if packed.remaining / 2 > limits.hashEntries { hash.prepare(forBytes: Int.max, seed: seed, limits: limits) }
        while packed.remaining > 0 {
            let field = packed.next()
            let value = packed.next()
            let isNew = field.withBytes { name in
                value.withBytes { hash.set(name, to: $0, seed: seed, limits: limits) }
            }
            if !isNew { throw .duplicate }
        }
        return hash
    }
}

// Hashes whose fields have deadlines.
extension RDBDecoder {
    private func hashWithDeadlines() throws(RDBError) -> HashValue {
        let soonest = try reader.integer(Int64.self)
        if soonest < 0 || soonest > FieldDeadlines.deadlineMax { throw .invalidDeadline }
        let count = try reader.count(bytesEach: 3)
        let hash = HashValue()
        if count > limits.hashEntries { hash.prepare(forBytes: Int.max, seed: seed, limits: limits) }
        for _ in 0..<count {
            // 0: none; otherwise how much later than the soonest, and one more.
            let later = try reader.number()
            let field = try reader.string()
            let value = try reader.string()
            if !hash.set(field, to: value, seed: seed, limits: limits) { throw .duplicate }
            if later == 0 { continue }
            if later - 1 > UInt64(FieldDeadlines.deadlineMax - soonest) { throw .invalidDeadline }
            hash.setDeadline(soonest + Int64(later - 1), ofField: field, seed: seed, now: Int64.min)
        }
        return hash
    }

    private func hashOfPackedDeadlines() throws(RDBError) -> HashValue {
        // The soonest deadline, which the fields' own tell again.
        _ = try reader.integer(Int64.self)
        var packed = try ListpackReader(try reader.string())
        if packed.remaining % 3 != 0 { throw .invalidPacking }
        let hash = HashValue()
        if packed.remaining / 3 > limits.hashEntries { hash.prepare(forBytes: Int.max, seed: seed, limits: limits) }
        while packed.remaining > 0 {
            let field = packed.next()
            let value = packed.next()
            let deadline = packed.next()
            guard deadline.isInteger, deadline.integer >= 0, deadline.integer <= FieldDeadlines.deadlineMax else {
                throw .invalidDeadline
            }
            let isNew = field.withBytes { name in
                value.withBytes { hash.set(name, to: $0, seed: seed, limits: limits) }
            }
            if !isNew { throw .duplicate }
            if deadline.integer == 0 { continue }
            field.withBytes { hash.setDeadline(deadline.integer, ofField: $0, seed: seed, now: Int64.min) }
        }
        return hash
    }
}
