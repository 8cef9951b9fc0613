import Base
import Consensus

/// A read of entries that is under way.
struct PendingRead {
    var operation: UInt64
    var group: GroupID
    var from: LogIndex
    /// Entries that are expected in it.
    var count: Int
    var segment: LogSegment
    /// Where the bytes begin in the segment.
    var start: Int
    /// Where the entries' records begin, from `start`, and their payload's bytes.
    var places: [(offset: Int, payloadBytes: Int)]

    /// The entries from `index` on are no longer part of the log.
    mutating func cut(from index: UInt64) {
        count = index <= from.rawValue ? 0 : min(count, Int(index - from.rawValue))
    }
}

// Reading entries back that have left the cache of `Raft`.

extension WriteAheadLog {
    /// Entries read back.
    package struct EntriesRead: Equatable, Sendable {
        package var group: GroupID
        /// The index that was asked for.
        package var from: LogIndex
        /// Contiguous from `from`. Fewer than were asked for, even none, when the log was cut below them since.
        package var entries: [Entry]
    }

    /// The entries of `group` that can be read back: durable, not replaced, not covered by a state file. Nil when there are none.
    package func readable(group: GroupID) -> ClosedRange<LogIndex>? {
        guard let slot = groups.firstIndex(where: { $0.group == group }), !groups[slot].locations.isEmpty else { return nil }
        return LogIndex(groups[slot].locations.first)...LogIndex(groups[slot].locations.last)
    }

    /// Asks for durable entries of `group` from index `from` on, as many as lie together within about `bytesMax` bytes,
    /// one at least.
    ///
    /// - Returns: the number of the read operation; `entriesRead` takes its bytes. Nil when `from` is not (or no longer,
    ///   or not yet durably) in the log.
    package func requestEntries(
        group: GroupID, from: LogIndex, bytesMax: Int, into operations: inout [DiskOperation]
    ) -> UInt64? {
        guard let slot = groups.firstIndex(where: { $0.group == group }),
            let first = groups[slot].locations.location(of: from.rawValue)
        else { return nil }
        guard let segment = segments.first(where: { $0.number == first.segment }) else {
            check(false, "entries lie in segments in use")
            return nil
        }
        let start = first.offset & ~(LogFormat.blockBytes - 1)
        var end = first.offset
        var index = from.rawValue
        var places: [(offset: Int, payloadBytes: Int)] = []
        while let next = groups[slot].locations.location(of: index), next.segment == first.segment {
            let nextEnd = next.offset + LogFormat.recordBytes(payload: next.payloadBytes)
            check(next.offset >= end, "entries of a segment ascend in it")
            if !places.isEmpty, nextEnd - start > bytesMax { break }
            places.append((next.offset - start, next.payloadBytes))
            end = nextEnd
            index += 1
        }
        let count = LogFormat.blocks(end - start)
        check(start + count <= segment.byteCount, "entries lie inside their segment")
        let number = emit(.read(name: segment.name, offset: start, count: count), into: &operations)
        reads.append(
            PendingRead(
                operation: number, group: group, from: from, count: places.count, segment: segment, start: start, places: places))
        return number
    }

    /// Takes the bytes of read operation `number` and verifies the entries in them.
    ///
    /// - Throws: `damaged` when they are not what was written.
    package func entriesRead(number: UInt64, bytes: ByteView) throws(StorageError) -> EntriesRead {
        guard let position = reads.firstIndex(where: { $0.operation == number }) else {
            check(false, "only reads that were asked for complete")
            return EntriesRead(group: .first, from: .zero, entries: [])
        }
        let read = reads.remove(at: position)
        var entries: [Entry] = []
        entries.reserveCapacity(read.count)
        for place in read.places.prefix(read.count) {
            let index = LogIndex(read.from.rawValue + UInt64(entries.count))
            entries.append(try entry(index, at: place.offset, payloadBytes: place.payloadBytes, of: read, bytes: bytes))
        }
        return EntriesRead(group: read.group, from: read.from, entries: entries)
    }

    private func entry(
        _ index: LogIndex, at offset: Int, payloadBytes: Int, of read: PendingRead, bytes: ByteView
    ) throws(StorageError) -> Entry {
        func damaged(_ reason: String) -> StorageError {
            .damaged(file: read.segment.name.text, offset: read.start + offset, reason: "entry \(index) was read back: \(reason)")
        }
        let size = LogFormat.recordHeaderBytes + payloadBytes
        guard offset + size <= bytes.count else { throw damaged("the file is shorter than it was") }
        let view = bytes.slice(offset, size)
        switch RecordHeader.decode(view, secret: secret) {
        case .bad(let reason): throw damaged(reason)
        case .good(let header, _):
            guard header.type == .entry, header.group == read.group, header.index == index.rawValue,
                let kind = Entry.Kind(rawValue: header.kind)
            else { throw damaged("another record lies there") }
            return Entry(term: Term(header.term), index: index, kind: kind, payload: header.payload(in: view).array)
        }
    }
}
