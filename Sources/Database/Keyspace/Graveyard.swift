import Base

/// What was dropped as a whole (FLUSHALL, FLUSHDB, large collections) and is still to be freed, in bounded steps, so that no
/// entry of the log stalls on it.
final class Graveyard {
    /// A flushed database's table.
    private struct Table {
        var directory: UnsafeMutablePointer<UInt64>
        var depth: Int
        var next = 0
        var bytes: Int
    }

    @exclusivity(unchecked) private var tables: [Table] = []
    @exclusivity(unchecked) private var collections: [CollectionValue] = []

    /// Bytes that are still to be freed.
    @exclusivity(unchecked) private(set) var pendingBytes = 0

    /// Collections with fewer elements are freed at once.
    static let collectionCountMin = 256

    deinit {
        var budget = Int.max
        free(budget: &budget)
    }

    /// Whether nothing is left to free.
    var isEmpty: Bool { tables.isEmpty && collections.isEmpty }

    /// Takes over a directory with all its segments and entries.
    func bury(directory: UnsafeMutablePointer<UInt64>, depth: Int, bytes: Int) {
        tables.append(Table(directory: directory, depth: depth, bytes: bytes))
        pendingBytes += bytes
    }

    /// Takes over what is long to free of an entry that is about to be freed. A bare page is one allocation.
    func bury(collectionOf entry: Entry) {
        if !entry.isString, entry.barePage == nil { bury(entry.collection) }
    }

    /// Takes over a collection that was just removed.
    func bury(_ collection: CollectionValue) {
        if collection.elementsToFree < Graveyard.collectionCountMin { return }
        collections.append(collection)
    }

    /// Frees about `budget` entries and elements.
    func free(budget: inout Int) {
        while budget > 0, let collection = collections.last {
            if collection.discard(budget: &budget) { collections.removeLast() }
        }
        while budget > 0, !tables.isEmpty {
            let last = tables.count - 1
            while budget > 0, tables[last].next < 1 << tables[last].depth {
                let word = tables[last].directory[tables[last].next]
                budget -= 1 + freeSegment(Keyspace.segment(word))
                tables[last].next += 1 << (tables[last].depth - Int(word >> 48))
            }
            if tables[last].next == 1 << tables[last].depth {
                tables[last].directory.deallocate()
                pendingBytes -= tables[last].bytes
                tables.removeLast()
            }
        }
    }

    private func freeSegment(_ segment: Segment) -> Int {
        let count = segment.count
        for index in 0..<Segment.slots {
            guard let entry = segment.entry(at: index) else { continue }
            bury(collectionOf: entry)
            Graveyard.free(entry)
        }
        segment.pointer.deallocate()
        return count
    }

    /// Frees one entry and lets go of its collection.
    static func free(_ entry: Entry) {
        if !entry.isString {
            if let page = entry.barePage {
                page.release()
            } else {
                let value = Unmanaged<CollectionValue>.fromOpaque(entry.collectionField)
                let isOpen = value._withUnsafeGuaranteedRef { value in
                    value.entry = nil
                    return value.isOpen
                }
                if !isOpen { value.release() }
            }
        }
        entry.pointer.deallocate()
    }
}
