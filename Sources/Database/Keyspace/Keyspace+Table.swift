import Base

// Growth and shrinking of the table.
extension Keyspace {
    /// Adds an entry whose key is not there yet.
    func insert(_ entry: Entry, hash: UInt64) {
        while true {
            let location = locate(hash)
            if location.segment.count < Segment.entriesMax, location.segment.insert(entry, tag: location.tag) { break }
            split(at: hash)
        }
        count += 1
        entryBytes += Entry.allocatedBytes(entry.byteCount)
        if entry.hasDeadline { heap.insert(entry, hash: hash) }
    }

    /// Takes the entry in `slot` out of table and heap; the caller owns it then.
    func detach(_ location: Location, slot: Int, hash: UInt64) -> Entry {
        guard let entry = location.segment.entry(at: slot) else {
            check(false, "only a filled slot is emptied")
            return Entry.allocate(key: .empty, type: .string, flags: [], capacity: 0, accessSeconds: 0)
        }
        check(count > 0, "a keyspace with an entry counts it")
        if entry.hasDeadline { heap.remove(entry) }
        if entry.hasFieldDeadlines { forgetFieldDeadlines(entry) }
        location.segment.remove(at: slot)
        count -= 1
        entryBytes -= Entry.allocatedBytes(entry.byteCount)
        if !entry.isString { forgetBytes(of: entry) }
        mergeIfSparse(hash)
        return entry
    }

    /// Brings the account of a collection's memory up to date.
    @inline(__always)
    func account(_ collection: CollectionValue, bytes: Int) {
        entryBytes += bytes - collection.accountedBytes
        collection.accountedBytes = bytes
    }

    /// Takes the memory of an entry's collection off the account.
    func forgetBytes(of entry: Entry) {
        entryBytes -= entry.collectionBytes
        if entry.barePage == nil { entry.collection.accountedBytes = 0 }
    }

    /// Puts the memory of the collection of an entry that came from elsewhere on the account.
    func accountMoved(_ entry: Entry) {
        if let page = entry.barePage {
            entryBytes += allocatedBytes(page.capacity)
        } else {
            account(entry.collection, bytes: entry.collection.memoryBytes)
        }
    }

    // MARK: splitting

    /// Splits the segment that `hash` leads to into two of one bit more.
    @inline(never)
    private func split(at hash: UInt64) {
        let old = locate(hash).segment
        let depth = old.depth
        check(depth < Keyspace.depthMax, "keys' hashes differ in their first bits")
        if depth == directoryDepth { doubleDirectory() }
        let halves = [Segment.allocate(depth: depth + 1), Segment.allocate(depth: depth + 1)]
        for index in 0..<Segment.slots {
            guard let entry = old.entry(at: index) else { continue }
            let half = Int(old.tag(at: index) >> 15)
            let moved = halves[half].insert(entry, tag: Segment.tag(hashOf(entry.key), depth: depth + 1))
            check(moved, "half of a segment fits into a segment")
        }
        check(halves[0].count + halves[1].count == old.count, "splitting loses no entry")
        old.pointer.deallocate()
        let span = 1 << (directoryDepth - depth)
        let first = firstPlace(of: hash, depth: depth)
        for place in 0..<span {
            directory[first + place] = Keyspace.word(halves[place < span / 2 ? 0 : 1], depth: depth + 1)
        }
        segmentsOfDepth[depth] -= 1
        segmentsOfDepth[depth + 1] += 2
    }

    /// The first place of the directory that leads to the segment of `depth` bits with the prefix of `hash`.
    private func firstPlace(of hash: UInt64, depth: Int) -> Int {
        depth == 0 ? 0 : Int(hash >> UInt64(64 - depth)) << (directoryDepth - depth)
    }

    private func doubleDirectory() {
        let places = 1 << directoryDepth
        let larger = UnsafeMutablePointer<UInt64>.allocate(capacity: places * 2)
        for index in 0..<places {
            larger[index * 2] = directory[index]
            larger[index * 2 + 1] = directory[index]
        }
        directory.deallocate()
        directory = larger
        directoryDepth += 1
    }

    // MARK: merging

    /// Joins the segment that `hash` leads to with its other half when both are nearly empty.
    @inline(__always)
    private func mergeIfSparse(_ hash: UInt64) {
        let segment = locate(hash).segment
        if segment.count <= Segment.mergedEntriesMax / 2, segment.depth > 0 { merge(at: hash) }
    }

    @inline(never)
    private func merge(at hash: UInt64) {
        let segment = locate(hash).segment
        let depth = segment.depth
        let span = 1 << (directoryDepth - depth)
        let first = firstPlace(of: hash, depth: depth)
        let buddy = Keyspace.segment(directory[first ^ span])
        if buddy.depth != depth || segment.count + buddy.count > Segment.mergedEntriesMax { return }
        let joined = Segment.allocate(depth: depth - 1)
        for part in [segment, buddy] {
            for index in 0..<Segment.slots {
                guard let entry = part.entry(at: index) else { continue }
                let moved = joined.insert(entry, tag: Segment.tag(hashOf(entry.key), depth: depth - 1))
                // Cannot be but for a hash that clusters; two sparse halves are as good as one segment.
                if !moved {
                    joined.pointer.deallocate()
                    return
                }
            }
        }
        check(joined.count == segment.count + buddy.count, "merging loses no entry")
        let start = min(first, first ^ span)
        for place in start..<start + span * 2 { directory[place] = Keyspace.word(joined, depth: depth - 1) }
        segment.pointer.deallocate()
        buddy.pointer.deallocate()
        segmentsOfDepth[depth] -= 2
        segmentsOfDepth[depth - 1] += 1
        while directoryDepth > 0, segmentsOfDepth[directoryDepth] == 0 { halveDirectory() }
    }

    private func halveDirectory() {
        let places = 1 << (directoryDepth - 1)
        let smaller = UnsafeMutablePointer<UInt64>.allocate(capacity: places)
        for index in 0..<places {
            check(directory[index * 2] == directory[index * 2 + 1], "no segment needs the directory's last bit")
            smaller[index] = directory[index * 2]
        }
        directory.deallocate()
        directory = smaller
        directoryDepth -= 1
    }

    /// Drops all keys; what they took is freed in steps.
    func removeAll() {
        if count == 0 { return }
        let dropped = DroppedTable(
            directory: directory, depth: directoryDepth, bytes: entryBytes + tableBytes, graveyard: graveyard)
        if recordedVersion > 0 { records.takeOver(dropped, of: self) }
        directory = .allocate(capacity: 1)
        directory[0] = Keyspace.word(Segment.allocate(depth: 0), depth: 0)
        for depth in 0..<segmentsOfDepth.count { segmentsOfDepth[depth] = 0 }
        segmentsOfDepth[0] = 1
        directoryDepth = 0
        count = 0
        entryBytes = 0
        heap = ExpiryHeap()
        if let fieldDeadlines { graveyard.bury(fieldDeadlines) }
        fieldDeadlines = nil
    }

    /// Checks table, counts and heap against each other; for tests. Slow.
    package func checkInvariants() {
        var entries = 0
        var deadlines = 0
        var bytes = 0
        var depths = [Int](repeating: 0, count: segmentsOfDepth.count)
        forEachSegment { segment in
            depths[segment.depth] += 1
            var inSegment = 0
            var lastTag: UInt64 = 0
            for index in 0..<Segment.slots {
                guard let entry = segment.entry(at: index) else { continue }
                let tag = segment.tag(at: index)
                inSegment += 1
                check(tag >= lastTag, "a segment is sorted by tag")
                lastTag = tag
                check(tag == Segment.tag(hashOf(entry.key), depth: segment.depth), "a slot's tag is its key's")
                for between in Segment.home(tag)..<max(index, Segment.home(tag)) {
                    check(segment.entry(at: between) != nil, "no gap lies between a slot and its home")
                }
                if entry.hasDeadline { deadlines += 1 }
                bytes += Entry.allocatedBytes(entry.byteCount)
                if !entry.isString { bytes += entry.collectionBytes }
            }
            check(inSegment == segment.count, "a segment counts its entries")
            entries += inSegment
        }
        check(entries == count && deadlines == heap.count, "the keyspace counts its keys and deadlines")
        check(depths == segmentsOfDepth, "the keyspace counts its segments")
        check(bytes == entryBytes, "the keyspace accounts for its memory")
        heap.checkInvariants()
        checkFieldDeadlines()
    }
}
