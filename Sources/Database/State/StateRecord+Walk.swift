import Base

// The walk through the databases.
extension StateRecord {
    /// Goes on with the walk until there are `limit` bytes, so many entries were looked at, or something was queued. False when there
    /// is nothing left.
    func walk(_ output: ByteBuffer, limit: Int, visitsMax: Int) -> Bool {
        while database < sources.count {
            if isAtEnd || sources[database].keysDone == sources[database].keys {
                sources[database].dropped = nil
                database += 1
                bound = 0
                isAtEnd = false
                continue
            }
            walkSegment(output, limit: limit, visitsMax: visitsMax)
            if output.count >= limit || visits >= visitsMax || !queue.isEmpty { return true }
        }
        return false
    }

    /// Walks through the segment where `bound` is. Entries whose tags are equal are looked at together.
    private func walkSegment(_ output: ByteBuffer, limit: Int, visitsMax: Int) {
        let keyspace = sources[database].keyspace
        let directory = sources[database].dropped?.directory ?? keyspace.directory
        let directoryDepth = sources[database].dropped?.depth ?? keyspace.directoryDepth
        let word = directory[directoryDepth == 0 ? 0 : Int(bound >> UInt64(64 - directoryDepth))]
        let segment = Keyspace.segment(word)
        let depth = UInt64(word >> 48)
        // The first hash that leads to the segment, and the bits behind a tag.
        let first = depth == 0 ? 0 : (bound >> (64 - depth)) << (64 - depth)
        let below = 48 - depth
        let firstTag = Segment.tag(bound, depth: Int(depth))
        // Where the table has fewer segments than when the last slice ended, the bound can lie among entries with one tag.
        let isInTag = bound & ((1 << below) - 1) != 0
        var lastTag: UInt64?
        visits += 1
        var warmed = 0
        for slot in Segment.home(firstTag)..<Segment.slots {
            if slot >= warmed { warmed = warm(segment, from: slot) }
            guard let entry = segment.entry(at: slot) else { continue }
            let tag = segment.tag(at: slot)
            if tag < firstTag { continue }
            if tag != lastTag {
                if lastTag != nil, output.count >= limit || visits >= visitsMax || !queue.isEmpty {
                    bound = max(bound, first | tag << below)
                    return
                }
                lastTag = tag
            }
            if isInTag && tag == firstTag && keyspace.hashOf(entry.key) < bound { continue }
            visit(entry, output)
        }
        let (next, isOver) = first.addingReportingOverflow(depth == 0 ? 0 : 1 << (64 - depth))
        bound = next
        isAtEnd = isOver || depth == 0
    }
    /// Entries that are brought into the cache together: their waits for memory overlap (as in `KeyWarmer`).
    private static let window = 16
    /// So much of an entry is touched, a line at a time.
    private static let warmedBytes = 256

    /// Touches the entries of the next slots; the first slot behind them.
    private func warm(_ segment: Segment, from slot: Int) -> Int {
        let end = min(slot + StateRecord.window, Segment.slots)
        var sum: UInt64 = 0
        for index in slot..<end {
            if let entry = segment.entry(at: index) { sum &+= UInt64(entry.pointer.load(as: UInt8.self)) }
        }
        for index in slot..<end {
            guard let entry = segment.entry(at: index) else { continue }
            let last = min(entry.byteCount, StateRecord.warmedBytes) - 1
            for offset in stride(from: 64, to: last, by: 64) {
                sum &+= UInt64(entry.pointer.load(fromByteOffset: offset, as: UInt8.self))
            }
            sum &+= UInt64(entry.pointer.load(fromByteOffset: last, as: UInt8.self))
        }
        warmth &+= sum
        return end
    }
}
