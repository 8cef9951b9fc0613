import Base

/// Reads the members of a large set, or the fields and values of a large hash, into a table.
///
/// They come in any order. Putting them into a growing tree one by one would wait for memory at each of them; so they are read up to a
/// million at a time, sorted by their hashes, and read again in that order. A tree that is empty is then built from left to right, and
/// another gets neighbours one after the other. (What came twice is found as neighbours, too.)
struct RDBTableLoader {
    private let reader: RDBReader
    private let seed: UInt64
    private let hasValues: Bool

    /// Members that are sorted at once: a bound for the memory that this takes besides the table.
    private let batchMax: Int

    init(_ reader: RDBReader, seed: UInt64, hasValues: Bool, batchMax: Int = 1 << 20) {
        check(batchMax > 0, "a batch has members")
        self.reader = reader
        self.seed = seed
        self.hasValues = hasValues
        self.batchMax = batchMax
    }

    /// Reads the next `count` entries. Their table, which the caller owns, and the bytes that it counts for them.
    func table(count: Int) throws(RDBError) -> (root: Page, bytes: Int) {
        let again = reader.again()
        var table = ByteStringTable(root: KeyedLeaf(hasValues: hasValues).page, seed: seed)
        var bytes = 0
        do throws(RDBError) {
            var left = count
            while left > 0 {
                let places = SortedPlaces(try hashes(min(left, batchMax)))
                if table.count == 0, !places.hasEqual {
                    let root = try built(again, places, &bytes)
                    table.root.release()
                    table = ByteStringTable(root: root, seed: seed)
                } else {
                    try put(again, places, into: &table, &bytes)
                }
                left -= places.count
            }
        } catch {
            table.root.release()
            throw error
        }
        check(table.count == count, "a table has all that was read")
        return (table.root, bytes)
    }

    /// The hashes of the next members, and where they are.
    private func hashes(_ count: Int) throws(RDBError) -> [SortedPlaces.Place] {
        var places: [SortedPlaces.Place] = []
        // A count that nobody vouches for.
        places.reserveCapacity(min(count, 1 << 12))
        for _ in 0..<count {
            let offset = reader.offset
            places.append(SortedPlaces.Place(hash: hash(try reader.string(), seed: seed), offset: offset))
            if hasValues { try reader.skipString() }
        }
        return places
    }

    /// How many places ahead are asked for.
    private static let ahead = 8

    /// Calls `body` with each entry in the order of the places; an error ends it.
    @inline(__always)
    private func forEach(
        _ again: RDBReader, _ places: SortedPlaces, _ bytes: inout Int,
        _ body: (_ hash: UInt64, _ member: ByteView, _ value: ByteView) throws(RDBError) -> Void
    ) throws(RDBError) {
        for index in 0..<places.count {
            if index + RDBTableLoader.ahead < places.count { again.warm(places[index + RDBTableLoader.ahead].offset) }
            let place = places[index]
            again.go(to: place.offset)
            let member = try again.string()
            let value = hasValues ? try again.string() : .empty
            try body(place.hash, member, value)
            bytes += hasValues ? HashValue.entryBytes(member.count, value.count) : SetValue.entryBytes(member.count)
        }
    }

    /// A tree of entries whose hashes differ.
    private func built(_ again: RDBReader, _ places: SortedPlaces, _ bytes: inout Int) throws(RDBError) -> Page {
        var builder = KeyedTreeBuilder(hasValues: hasValues)
        do throws(RDBError) {
            try forEach(again, places, &bytes) { hash, member, value throws(RDBError) in
                builder.append(hash, KeyedElement(member), value: value)
            }
        } catch {
            builder.discard()
            throw error
        }
        return builder.finish()
    }

    private func put(
        _ again: RDBReader, _ places: SortedPlaces, into table: inout ByteStringTable, _ bytes: inout Int
    ) throws(RDBError) {
        try forEach(again, places, &bytes) { hash, member, value throws(RDBError) in
            let put = table.tree.put(hash, KeyedElement(member), value: value, replacing: false)
            if put != .inserted { throw .duplicate }
        }
    }
}
