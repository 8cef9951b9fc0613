import Base

/// One of the numbered databases: keys, values and deadlines.
///
/// Extendible hashing (Fagin et al., 1979): a directory, indexed by the first bits of a key's hash, of references to segments. A full
/// segment splits alone; the directory doubles by copying references. So the table grows and shrinks by steps, and
/// no step touches more than one segment's entries.
///
/// Everything that commands can observe depends on the content and the seed alone, never on the layout: nodes with different
/// histories (one of them restored from a state file) give the same answers.
///
/// The keyspace knows no clock: whether a key is expired is the caller's question (`Execution`).
package final class Keyspace {
    /// The hash's seed; part of the replicated state, the same for all databases of a group.
    package let seed: UInt64
    /// Keys, those that are expired but not yet removed included.
    @exclusivity(unchecked) package internal(set) var count = 0
    /// Bytes of entries and collections as the allocator counts them, tables apart.
    @exclusivity(unchecked) var entryBytes = 0
    /// Deadlines, soonest first.
    @exclusivity(unchecked) var heap = ExpiryHeap()
    /// Hashes that have fields with deadlines, by their soonest one; nil until there is the first.
    @exclusivity(unchecked) var fieldDeadlines: SortedSetValue?
    /// `1 << directoryDepth` words: a segment's address, its depth in the upper 16 bits.
    @exclusivity(unchecked) var directory: UnsafeMutablePointer<UInt64>
    /// Bits of the hash that index the directory.
    @exclusivity(unchecked) var directoryDepth = 0
    /// Segments of each depth.
    @exclusivity(unchecked) var segmentsOfDepth = [Int](repeating: 0, count: 49)
    /// Where what is dropped goes to be freed in steps.
    let graveyard: Graveyard
    /// Which small collections the command at work has opened.
    let open: OpenValues
    /// The records of the group's state that are open.
    let records: OpenRecords
    /// Its number among the keyspaces of the group, which stays when databases are swapped.
    let identity: Int
    /// An entry with this version or an older one may still be needed by an open record; 0 where none is open.
    @exclusivity(unchecked) var recordedVersion: UInt64 = 0

    /// Deepest directory that is allowed: 2^40 segments are more than any memory holds.
    static let depthMax = 40

    /// An empty database.
    init(seed: UInt64, identity: Int, graveyard: Graveyard, open: OpenValues, records: OpenRecords) {
        self.open = open
        self.identity = identity
        self.records = records
        self.seed = seed
        self.graveyard = graveyard
        directory = .allocate(capacity: 1)
        directory[0] = Keyspace.word(Segment.allocate(depth: 0), depth: 0)
        segmentsOfDepth[0] = 1
    }

    deinit {
        forEachSegment { segment in
            for index in 0..<Segment.slots {
                if let entry = segment.entry(at: index) { Graveyard.free(entry) }
            }
            segment.pointer.deallocate()
        }
        directory.deallocate()
    }

    static func word(_ segment: Segment, depth: Int) -> UInt64 {
        UInt64(UInt(bitPattern: segment.pointer)) | UInt64(depth) << 48
    }

    static func segment(_ word: UInt64) -> Segment {
        guard let pointer = UnsafeMutableRawPointer(bitPattern: UInt(word & 0xFFFF_FFFF_FFFF)) else {
            check(false, "every place of the directory has a segment")
            return Segment.allocate(depth: 0)
        }
        return Segment(pointer: pointer)
    }

    /// Where a hash leads: the segment and the tag in it.
    struct Location {
        var segment: Segment
        var tag: UInt64
    }

    @inline(__always)
    func locate(_ hash: UInt64) -> Location {
        let word = directory[directoryDepth == 0 ? 0 : Int(hash >> UInt64(64 - directoryDepth))]
        return Location(segment: Keyspace.segment(word), tag: Segment.tag(hash, depth: Int(word >> 48)))
    }

    @inline(__always)
    func hashOf(_ key: ByteView) -> UInt64 { hash(key, seed: seed) }

    // MARK: reading

    /// The entry of `key`, whether it is expired or not.
    @inline(__always)
    package func find(_ key: ByteView) -> Entry? {
        let location = locate(hashOf(key))
        let slot = location.segment.find(key, tag: location.tag)
        return slot < 0 ? nil : location.segment.entry(at: slot)
    }

    /// Keys with a deadline.
    package var expiringCount: Int { heap.count }

    /// The soonest deadline of all keys and fields, in milliseconds since 1970.
    package var nextDeadline: Int64? {
        let key = heap.first?.deadline
        guard let field = nextFieldDeadline else { return key }
        return key.map { min($0, field) } ?? field
    }

    /// Average time to live in milliseconds at `now`, of the keys that have a deadline.
    package func averageTTL(nowMilliseconds now: Int64) -> Int64 {
        if heap.count == 0 { return 0 }
        return max(0, (heap.deadlineSum &- now &* Int64(heap.count)) / Int64(heap.count))
    }

    /// Bytes of memory, tables included. An estimate that follows what is really allocated.
    package var memoryBytes: Int {
        entryBytes + tableBytes + heap.memoryBytes + (fieldDeadlines?.memoryBytes ?? 0)
    }

    /// Bytes of the table alone.
    package var tableBytes: Int {
        var segments = 0
        for count in segmentsOfDepth { segments += count }
        return segments * Entry.allocatedBytes(Segment.byteCount) + (8 << directoryDepth)
    }

    /// Calls `body` with every segment once, in order of the hash.
    func forEachSegment(_ body: (Segment) -> Void) {
        var index = 0
        while index < 1 << directoryDepth {
            let word = directory[index]
            body(Keyspace.segment(word))
            index += 1 << (directoryDepth - Int(word >> 48))
        }
    }
}
