import Base

/// The log of one member: the terms of all of it, as runs, and the newest entries themselves.
///
/// Terms are asked for at any index (votes, append checks, rejection hints), entries only near the end; so the first are
/// kept for the whole log (a run costs 16 bytes and there is one for each leadership) and the second only within a
/// limit. Older entries are on disk, and come back through `RaftEffects.loads`.
package struct RaftLog: Sendable {
    /// What the log begins after: an entry that a state file covers, zero when there is none. It only moves forward.
    package private(set) var baseIndex: LogIndex
    package private(set) var baseTerm: Term
    package private(set) var lastIndex: LogIndex
    package private(set) var lastTerm: Term
    /// Ascending in both; the first begins right after the base.
    package private(set) var runs: [TermRun]
    /// Bytes that the cached entries cost.
    package private(set) var cachedBytes = 0

    /// The cached entries are `storage[head...]`. A front that was evicted is cut off when it is the larger half.
    private var storage: [Entry] = []
    private var head = 0
    /// The newest slice handed out: the disk and the peers mostly get the same one, and so share one array.
    private var shared: [Entry] = []

    /// What an entry costs in memory beside its payload.
    static let entryOverheadBytes = 64

    init(baseIndex: LogIndex, baseTerm: Term, runs: [TermRun], lastIndex: LogIndex, tail: [Entry]) {
        check(runs.isEmpty == (lastIndex == baseIndex), "a log has term runs when it has entries")
        check(runs.isEmpty || runs[0].first == baseIndex.next, "the first term run begins right after the base")
        check(runs.isEmpty || runs[0].term >= baseTerm, "terms ascend from the base")
        for (run, next) in zip(runs, runs.dropFirst()) {
            check(run.first < next.first && run.term < next.term, "term runs ascend")
        }
        check(tail.isEmpty || tail.last?.index == lastIndex, "the cached tail ends where the log ends")
        self.baseIndex = baseIndex
        self.baseTerm = baseTerm
        self.lastIndex = lastIndex
        self.runs = runs
        lastTerm = runs.last?.term ?? baseTerm
        check(runs.isEmpty || runs[runs.count - 1].first <= lastIndex, "the last term run has an entry")
        storage = tail
        var index = firstCachedIndex
        for entry in tail {
            check(entry.index == index && term(at: index) == entry.term, "the cached tail is the log's")
            cachedBytes += Self.cost(of: entry)
            index = index.next
        }
    }

    /// The oldest entry in memory; `lastIndex + 1` when there is none.
    package var firstCachedIndex: LogIndex { LogIndex(lastIndex.rawValue + 1 - UInt64(storage.count - head)) }

    /// The term at `index`; nil outside of the log. The base counts as inside.
    package func term(at index: LogIndex) -> Term? {
        if index > lastIndex || index < baseIndex { return nil }
        if index == baseIndex { return baseTerm }
        return runs[runPosition(of: index)].term
    }

    /// The largest index up to `limit` whose term is at most `term`: where two logs may meet, when the other one has
    /// `term` at `limit` (paper, end of section 5.3). The base at the least.
    package func lastIndex(notAfter limit: LogIndex, termAtMost term: Term) -> LogIndex {
        var end = min(limit, lastIndex)
        guard end > baseIndex else { return baseIndex }
        var position = runPosition(of: end)
        while runs[position].term > term {
            end = runs[position].first.previous
            if position == 0 { return baseIndex }
            position -= 1
        }
        return end
    }

    /// Whether a log that ends with `index` and `term` is at least as up to date as this one (paper, section 5.4.1).
    package func isUpToDate(index: LogIndex, term: Term) -> Bool {
        term > lastTerm || (term == lastTerm && index >= lastIndex)
    }

    /// The entries `first ... last`, nil when they are not all in memory.
    package func entries(from first: LogIndex, through last: LogIndex) -> [Entry]? {
        guard first >= firstCachedIndex, last <= lastIndex else { return nil }
        guard first <= last else { return [] }
        return Array(storage[position(of: first)...position(of: last)])
    }

    // MARK: Changes

    mutating func append(_ entry: Entry) {
        check(entry.index == lastIndex.next, "entries are appended in order, without a gap")
        check(entry.term >= lastTerm, "terms in a log never go back")
        if entry.term != lastTerm || runs.isEmpty { runs.append(TermRun(first: entry.index, term: entry.term)) }
        lastIndex = entry.index
        lastTerm = entry.term
        cachedBytes += Self.cost(of: entry)
        storage.append(entry)
    }

    /// Removes the entry at `first` and all after it (paper, Figure 2, AppendEntries step 3).
    mutating func truncate(from first: LogIndex) {
        check(first > baseIndex && first <= lastIndex, "a log is cut inside of it")
        let firstCached = firstCachedIndex
        let keep = first > firstCached ? position(of: first) : head
        for position in keep..<storage.count { cachedBytes -= Self.cost(of: storage[position]) }
        storage.removeSubrange(keep...)
        shared.removeAll()
        while let run = runs.last, run.first >= first { runs.removeLast() }
        lastIndex = first.previous
        lastTerm = runs.last?.term ?? baseTerm
        check(cachedBytes >= 0, "the cache's size is counted right")
    }

    /// Lets go of the entries through `index`, which a state file covers.
    mutating func compact(through index: LogIndex) {
        check(index >= baseIndex && index <= lastIndex, "a log is compacted inside of it")
        guard index > baseIndex, let term = term(at: index) else { return }
        if index == lastIndex {
            runs.removeAll()
        } else {
            runs.removeFirst(runPosition(of: index.next))
            runs[0].first = index.next
        }
        baseIndex = index
        baseTerm = term
        shared.removeAll()
        while head < storage.count, storage[head].index <= index { dropFirstCached() }
        cutFront()
        check(lastIndex > baseIndex || lastTerm == baseTerm, "an empty log ends with its base")
    }

    /// Forgets everything and goes on behind `index`, which a state file covers (paper, Figure 13, step 7).
    mutating func restart(behind index: LogIndex, term: Term) {
        check(index > baseIndex, "a log begins anew behind its base")
        runs.removeAll()
        storage.removeAll()
        shared.removeAll()
        head = 0
        cachedBytes = 0
        baseIndex = index
        baseTerm = term
        lastIndex = index
        lastTerm = term
    }

    private mutating func dropFirstCached() {
        cachedBytes -= Self.cost(of: storage[head])
        storage[head].payload = []
        head += 1
    }

    private mutating func cutFront() {
        if head * 2 > storage.count {
            storage.removeFirst(head)
            head = 0
        }
    }

    /// Drops cached entries from the front, up to `limit` at most, until they cost `bytesMax` or less.
    mutating func evict(through limit: LogIndex, bytesMax: Int) {
        guard cachedBytes > bytesMax else { return }
        var first = firstCachedIndex
        while cachedBytes > bytesMax, first <= limit, head < storage.count {
            dropFirstCached()
            first = first.next
        }
        cutFront()
    }

    /// The entries from `first` on whose payloads fit in `bytesMax`, one at the least. `first` must be in memory.
    mutating func slice(from first: LogIndex, bytesMax: Int) -> [Entry] {
        check(first >= firstCachedIndex && first <= lastIndex, "a slice begins in the cache")
        let begin = position(of: first)
        var end = begin + 1
        var bytes = storage[begin].payload.count
        while end < storage.count {
            bytes += storage[end].payload.count
            if bytes > bytesMax { break }
            end += 1
        }
        if let sharedFirst = shared.first, sharedFirst.index == first, shared.count == end - begin { return shared }
        shared = Array(storage[begin..<end])
        return shared
    }

    /// Forgets the array that slices shared, so that it holds no memory between turns.
    mutating func endSharing() {
        if !shared.isEmpty { shared = [] }
    }

    // MARK: Parts

    /// Payload bytes of a cached entry.
    func payloadBytes(at index: LogIndex) -> Int { storage[position(of: index)].payload.count }

    private func position(of index: LogIndex) -> Int {
        check(index >= firstCachedIndex && index <= lastIndex, "an entry is asked for that is in memory")
        return storage.count - 1 - Int(lastIndex.rawValue - index.rawValue)
    }

    /// The run that `index` lies in; mostly the last.
    private func runPosition(of index: LogIndex) -> Int {
        check(index > baseIndex && index <= lastIndex, "a term run is asked for an index of the log")
        var low = 0
        var high = runs.count - 1
        if runs[high].first <= index { return high }
        while low + 1 < high {
            let middle = (low + high) / 2
            if runs[middle].first <= index { low = middle } else { high = middle }
        }
        return low
    }

    private static func cost(of entry: Entry) -> Int { entry.payload.count + entryOverheadBytes }
}
