import Base

/// Where the durable entries of one group lie: eight bytes an entry, contiguous by index, in chunks so that it grows
/// without ever copying the whole.
struct LocationIndex {
    /// Where one entry's record lies.
    struct Location: Equatable {
        var segment: UInt64
        /// Of the record's header, in bytes from the segment's start.
        var offset: Int
        /// Of the record's payload, in bytes.
        var payloadBytes: Int
    }

    /// Entries from `first` on lie in `segment`, up to where the next run begins.
    private struct Run {
        var first: UInt64
        var segment: UInt64
    }

    private static let chunkEntries = 4096
    /// High half: the offset in units of 8 bytes. Low half: the payload's bytes.
    private var chunks: [[UInt64]] = []
    /// Index of the first slot of the first chunk.
    private var chunkBase: UInt64 = 0
    /// Ascending in both.
    private var runs: [Run] = []
    /// Index of the first entry; meaningless when empty.
    private(set) var first: UInt64 = 0
    /// Entries held.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    /// Index of the last entry. There must be one.
    var last: UInt64 {
        check(count > 0, "only an index that is not empty has a last entry")
        return first + UInt64(count) - 1
    }
    /// The segment that holds the first entry, or nil when empty.
    var firstSegment: UInt64? { isEmpty ? nil : runs[0].segment }

    /// Adds the next entry.
    mutating func append(_ index: UInt64, at location: Location) {
        check(location.offset % 8 == 0 && location.offset >> 3 <= Int(UInt32.max), "a record begins at a multiple of 8")
        check(location.payloadBytes <= Int(UInt32.max), "a payload's size fits in 32 bits")
        if isEmpty {
            removeAll()
            first = index
            chunkBase = index
        }
        check(index == first + UInt64(count), "locations are contiguous")
        if runs.last?.segment != location.segment {
            check(runs.last.map { $0.segment < location.segment } ?? true, "later entries lie in later segments")
            runs.append(Run(first: index, segment: location.segment))
        }
        let slot = Int(index - chunkBase)
        if slot / LocationIndex.chunkEntries == chunks.count {
            var chunk: [UInt64] = []
            chunk.reserveCapacity(LocationIndex.chunkEntries)
            chunks.append(chunk)
        }
        chunks[chunks.count - 1].append(UInt64(location.offset >> 3) << 32 | UInt64(location.payloadBytes))
        count += 1
    }

    /// Where entry `index` lies, or nil when it is not here.
    func location(of index: UInt64) -> Location? {
        guard count > 0, index >= first, index <= last else { return nil }
        let slot = Int(index - chunkBase)
        let packed = chunks[slot / LocationIndex.chunkEntries][slot % LocationIndex.chunkEntries]
        return Location(
            segment: runs[run(of: index)].segment, offset: Int(packed >> 32) << 3, payloadBytes: Int(packed & 0xFFFF_FFFF))
    }

    /// Bytes of log from entry `index` (or the first one) through the last. What lies between the entries counts.
    func bytes(from index: UInt64) -> Int {
        guard count > 0, index <= last else { return 0 }
        let from = max(index, first)
        let start = run(of: from)
        var bytes = 0
        for position in start..<runs.count {
            let end = position + 1 < runs.count ? runs[position + 1].first - 1 : last
            bytes += offset(behind: end) - offset(of: max(runs[position].first, from))
        }
        return bytes
    }

    /// The last entry that may go when the log behind it is to have at least `kept` bytes; 0 when it has less.
    func lastIndex(keeping kept: Int) -> UInt64 {
        guard count > 0, bytes(from: first) > kept else { return 0 }
        // What is behind an entry shrinks from entry to entry.
        var low = first
        var high = last + 1
        while high - low > 1 {
            let middle = (low + high) / 2
            if bytes(from: middle) >= kept { low = middle } else { high = middle }
        }
        return low - 1
    }

    private func offset(of index: UInt64) -> Int { Int(packed(index) >> 32) << 3 }

    private func offset(behind index: UInt64) -> Int {
        let packed = packed(index)
        return Int(packed >> 32) << 3 + LogFormat.recordBytes(payload: Int(packed & 0xFFFF_FFFF))
    }

    private func packed(_ index: UInt64) -> UInt64 {
        let slot = Int(index - chunkBase)
        return chunks[slot / LocationIndex.chunkEntries][slot % LocationIndex.chunkEntries]
    }

    /// Number of the run that holds `index`, by bisection.
    private func run(of index: UInt64) -> Int {
        var low = 0
        var high = runs.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if runs[middle].first <= index { low = middle } else { high = middle }
        }
        return low
    }

    /// Drops the entries from `index` on.
    mutating func cut(from index: UInt64) {
        guard count > 0, index <= last else { return }
        guard index > first else { return removeAll() }
        count = Int(index - first)
        let slots = Int(index - chunkBase)
        let whole = (slots + LocationIndex.chunkEntries - 1) / LocationIndex.chunkEntries
        chunks.removeLast(chunks.count - whole)
        let kept = slots - (whole - 1) * LocationIndex.chunkEntries
        chunks[whole - 1].removeLast(chunks[whole - 1].count - kept)
        while let run = runs.last, run.first >= index { runs.removeLast() }
        check(!runs.isEmpty && last == index - 1, "what is before a cut stays")
    }

    /// Drops the entries through `index`.
    mutating func drop(through index: UInt64) {
        guard count > 0, index >= first else { return }
        guard index < last else { return removeAll() }
        count -= Int(index + 1 - first)
        first = index + 1
        runs.removeFirst(run(of: first))
        let gone = Int(first - chunkBase) / LocationIndex.chunkEntries
        chunks.removeFirst(gone)
        chunkBase += UInt64(gone * LocationIndex.chunkEntries)
        check(first >= chunkBase && !chunks.isEmpty, "what is behind a drop stays")
    }

    private mutating func removeAll() {
        chunks.removeAll()
        runs.removeAll()
        count = 0
    }
}
