import Base
import RESP

/// Writes values in the RDB format, in the forms that Redis 7.0 and everything later reads. The bytes depend on the value, its form and the
/// seed alone, so they are the same on every node.
package struct RDBEncoder {
    let writer: RDBWriter
    private let keepsFieldDeadlines: Bool

    /// An encoder at the end of `buffer`.
    ///
    /// - Parameter keepsFieldDeadlines: whether a hash whose fields have deadlines is written with them, as Redis 7.4 does and nothing
    ///   before it reads.
    package init(_ buffer: ByteBuffer, keepsFieldDeadlines: Bool = true) {
        writer = RDBWriter(buffer)
        self.keepsFieldDeadlines = keepsFieldDeadlines
    }

    private func type(_ type: RDBType) { writer.buffer.append(byte: type.rawValue) }

    /// Appends type and value of a key.
    package func append(_ entry: Entry) {
        if entry.isString {
            type(.string)
            if let integer = entry.integer { writer.string(decimal: integer) } else { writer.string(entry.bytes) }
        } else {
            append(entry.collection)
        }
    }

    /// Appends type and value of a collection.
    package func append(_ value: CollectionValue) {
        switch value {
        case let list as ListValue: append(list)
        case let set as SetValue: append(set)
        case let set as SortedSetValue: append(set)
        case let hash as HashValue: append(hash)
        case let stream as StreamValue: append(stream)
        default: check(false, "every kind of collection can be written")
        }
    }

    private func append(_ list: ListValue) {
        type(.listQuicklist2)
        var chunks = 0
        list.forEachChunk { _ in chunks += 1 }
        writer.length(chunks)
        list.forEachChunk { chunk in
            writer.length(2)
            writer.listpack(chunk)
        }
    }

    private func append(_ set: SetValue) {
        if set.encoding == .intset {
            type(.setIntset)
            writer.intset(IntegerSet(page: set.page))
            return
        }
        // Redis 7.0 does not know listpacks of sets: member by member.
        type(.set)
        writer.length(set.count)
        set.forEach { member in
            writer.string(member)
            return true
        }
    }

    private func append(_ set: SortedSetValue) {
        if set.isPacked {
            type(.sortedSetListpack)
            writer.listpack { append in
                set.forEach { member, score in
                    append(member)
                    RDBEncoder.withElement(of: score, append)
                    return true
                }
            }
            return
        }
        type(.sortedSet2)
        writer.length(set.count)
        // From the largest to the smallest, as Redis does: whoever reads it appends at the front of a skip list.
        set.forEachReversed(from: set.count - 1) { member, score in
            writer.string(member)
            writer.buffer.append(integer: score.bitPattern)
            return true
        }
    }

    /// A score as it stands in a listpack: an integer, or a text.
    private static func withElement(of score: Double, _ body: (PackedElement) -> Void) {
        if score.magnitude < 9_007_199_254_740_992 && score == Double(Int64(score)) {
            body(PackedElement(integer: Int64(score)))
        } else {
            Array(formatDouble(score).utf8).withView { body(PackedElement($0)) }
        }
    }

    private func append(_ hash: HashValue) {
        // Expired fields that are still there are not written.
        if keepsFieldDeadlines, let soonest = soonestShown(hash) { return append(hash, soonest: soonest) }
        if hash.isPacked, hash.hiding == nil {
            type(.hashListpack)
            return writer.listpack(PackedList(page: hash.page))
        }
        type(.hash)
        writer.length(hash.count)
        hash.forEach { field, value in
            writer.string(field)
            writer.string(value)
        }
    }
}

extension RDBEncoder {
    /// The soonest deadline of the fields that are shown.
    private func soonestShown(_ hash: HashValue) -> Int64? {
        if hash.soonestFieldDeadline == nil { return nil }
        var soonest: Int64?
        hash.forEach { field, _ in
            guard let deadline = field.withBytes({ hash.deadline(ofField: $0) }) else { return }
            soonest = min(soonest ?? deadline, deadline)
        }
        return soonest
    }

    private func append(_ hash: HashValue, soonest: Int64) {
        type(.hashDeadlines)
        writer.buffer.append(integer: soonest)
        writer.length(hash.count)
        hash.forEach { field, value in
            // 0: none; otherwise how much later than the soonest, and one more.
            let deadline = field.withBytes { hash.deadline(ofField: $0) }
            writer.number(deadline.map { UInt64($0 - soonest) + 1 } ?? 0)
            writer.string(field)
            writer.string(value)
        }
    }
}

extension ListValue {
    /// Calls `body` with the packed pieces of the list, front to back.
    func forEachChunk(_ body: (PackedList) -> Void) {
        if isPacked { return body(PackedList(page: page)) }
        var index = 0
        while index < count {
            let (leaf, inside) = CountedTree(root: page).locate(index)
            check(inside == 0, "a step from chunk to chunk meets the first element")
            body(PackedList(page: leaf))
            index += leaf.count
        }
    }
}
