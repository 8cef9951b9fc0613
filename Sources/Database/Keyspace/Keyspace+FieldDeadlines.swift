import Base

// The hashes that have fields with deadlines, in the order of their soonest one: a sorted set of keys, so that the order depends on
// nothing but deadlines and keys. Entries in it have a flag, so that all others are spared the question.
extension Keyspace {
    private static let fieldLimits = CollectionLimits()

    /// The soonest deadline of all fields, in milliseconds since 1970.
    var nextFieldDeadline: Int64? {
        guard let fieldDeadlines, fieldDeadlines.count > 0 else { return nil }
        return Int64(fieldDeadlines.entry(at: 0).score)
    }

    /// The key of the hash whose field expires first.
    var nextFieldKey: [UInt8]? {
        guard let fieldDeadlines, fieldDeadlines.count > 0 else { return nil }
        return fieldDeadlines.entry(at: 0).member.array
    }

    /// Hands over the keys of the hashes that have a field whose deadline is at or before a time.
    func forEachHash(dueBy time: Int64, _ body: (ByteView) -> Void) {
        guard let fieldDeadlines else { return }
        var place = 0
        while place < fieldDeadlines.count {
            let entry = fieldDeadlines.entry(at: place)
            if Int64(entry.score) > time { return }
            entry.member.array.withView(body)
            place += 1
        }
    }

    /// Follows the soonest deadline of a hash's fields, which may have been its first or its last one.
    func fieldDeadlinesChanged(_ entry: Entry) {
        check(entry.type == .hash, "only hashes have fields")
        let hash = unsafeDowncast(open(entry), to: HashValue.self)
        guard let soonest = hash.soonestFieldDeadline else {
            if entry.hasFieldDeadlines { forgetFieldDeadlines(entry) }
            entry.flags.remove(.fieldDeadlines)
            return
        }
        entry.flags.insert(.fieldDeadlines)
        let order = fieldDeadlines ?? SortedSetValue()
        fieldDeadlines = order
        let old = order.score(of: entry.key, seed: seed)
        if old == Double(soonest) { return }
        order.put(entry.key, score: Double(soonest), old: old, seed: seed, limits: Keyspace.fieldLimits)
    }

    /// Takes an entry that is about to go, or to get another value, out of the order.
    func forgetFieldDeadlines(_ entry: Entry) {
        check(entry.hasFieldDeadlines, "only a hash with deadlines is in their order")
        let removed = fieldDeadlines?.remove(entry.key, seed: seed) ?? false
        check(removed, "a hash with deadlines is in their order")
    }

    /// Checks the order against the entries; for tests.
    func checkFieldDeadlines() {
        var hashes = 0
        forEachSegment { segment in
            for index in 0..<Segment.slots {
                guard let entry = segment.entry(at: index) else { continue }
                let soonest =
                    entry.type == .hash ? unsafeDowncast(entry.collection, to: HashValue.self).soonestFieldDeadline : nil
                check(entry.hasFieldDeadlines == (soonest != nil), "an entry knows whether its fields have deadlines")
                guard let soonest else { continue }
                hashes += 1
                let known = fieldDeadlines?.score(of: entry.key, seed: seed)
                check(known == Double(soonest), "the soonest deadline of a hash's fields is known")
            }
        }
        check(hashes == fieldDeadlines?.count ?? 0, "the order of field deadlines has no other keys")
    }
}
