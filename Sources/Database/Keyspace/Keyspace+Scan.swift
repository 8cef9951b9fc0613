import Base

// Walking in order of the hash. A position is the first 48 bits of a key's hash: small enough for clients that read cursors
// as doubles, and independent of the table's layout, so that a cursor stays good while the table grows and shrinks and on
// every node. Keys with equal positions are always returned together.
extension Keyspace {
    /// Positions are below this.
    static let positionEnd: UInt64 = 1 << 48

    static func position(_ hash: UInt64) -> UInt64 { hash >> 16 }

    /// Calls `body` with entries from position `cursor` on, in order of hash and key, until about `count` were seen.
    ///
    /// - Returns: the cursor to go on with, or 0 at the end.
    func scan(from cursor: UInt64, count: Int, _ body: (Entry) -> Void) -> UInt64 {
        if cursor >= Keyspace.positionEnd { return 0 }
        var position = cursor
        var seen = 0
        // As Redis: a sparse table ends a step too, after ten times as many places.
        var segmentsLeft = count.multipliedReportingOverflow(by: 10).overflow ? Int.max : count * 10
        while segmentsLeft > 0 {
            let place = directoryDepth == 0 ? 0 : Int(position >> UInt64(48 - directoryDepth))
            let segment = Keyspace.segment(directory[place])
            if let next = scan(segment, from: position, limit: count, &seen, body) { return next % Keyspace.positionEnd }
            segmentsLeft -= 1
            let span: UInt64 = 1 << UInt64(48 - segment.depth)
            position = (position / span + 1) * span
            if position >= Keyspace.positionEnd { return 0 }
        }
        return position
    }

    /// Walks through one segment; the next position when `seen` has reached the limit, nil at the segment's end.
    private func scan(
        _ segment: Segment, from position: UInt64, limit: Int, _ seen: inout Int, _ body: (Entry) -> Void
    ) -> UInt64? {
        if segment.count == 0 { return nil }
        var slot = Segment.home(Segment.tag(position << 16, depth: segment.depth))
        while slot < Segment.slots {
            guard let entry = segment.entry(at: slot) else {
                slot += 1
                continue
            }
            let tag = segment.tag(at: slot)
            slot += 1
            var last = hashOf(entry.key)
            if slot < Segment.slots, segment.entry(at: slot) != nil, segment.tag(at: slot) == tag {
                last = scanTied(segment, &slot, tag, position, first: (last, entry), limit: limit, &seen, body)
                if Keyspace.position(last) < position { continue }
            } else {
                if Keyspace.position(last) < position { continue }
                seen += 1
                body(entry)
            }
            if seen >= limit { return Keyspace.position(last) + 1 }
        }
        return nil
    }

    /// Entries with the same tag lie in the order in which they came: they are sorted before they are shown. Returns the hash of
    /// the last one shown, or a smaller one than the position when none was.
    @inline(never)
    private func scanTied(
        _ segment: Segment, _ slot: inout Int, _ tag: UInt64, _ position: UInt64, first: (UInt64, Entry), limit: Int,
        _ seen: inout Int, _ body: (Entry) -> Void
    ) -> UInt64 {
        var tied: [(hash: UInt64, entry: Entry)] = [(first.0, first.1)]
        while slot < Segment.slots, let entry = segment.entry(at: slot), segment.tag(at: slot) == tag {
            tied.append((hashOf(entry.key), entry))
            slot += 1
        }
        tied.sort { $0.hash != $1.hash ? $0.hash < $1.hash : $0.entry.key.compare($1.entry.key) < 0 }
        var last = first.0
        for (hash, entry) in tied {
            if Keyspace.position(hash) >= position {
                if seen >= limit, Keyspace.position(hash) != Keyspace.position(last) { return last }
                seen += 1
                body(entry)
            }
            last = hash
        }
        return last
    }

    /// One of the keys, chosen by `random`, that `isAlive` accepts; nil when there is none among many tries. Does not depend
    /// on the layout. Nearly even: a random position, then one of the keys that follow it.
    func randomEntry(_ random: inout RandomGenerator, isAlive: (Entry) -> Bool) -> Entry? {
        if count == 0 { return nil }
        for _ in 0..<100 {
            var cursor = random.next() >> 16
            var left = random.index(below: min(count, Keyspace.randomCandidates))
            var chosen: Entry?
            // A second time around where the end comes first.
            for _ in 0..<2 where left >= 0 {
                repeat {
                    cursor = scan(from: cursor, count: left + 1) { entry in
                        if left < 0 { return }
                        chosen = entry
                        left -= 1
                    }
                } while cursor != 0 && left >= 0
            }
            check(left < 0, "there are as many keys as are passed over")
            if let chosen, isAlive(chosen) { return chosen }
        }
        var alive: Entry?
        var cursor: UInt64 = 0
        repeat {
            cursor = scan(from: cursor, count: 64) { if alive == nil, isAlive($0) { alive = $0 } }
        } while cursor != 0 && alive == nil
        return alive
    }

    private static let randomCandidates = 16
}
