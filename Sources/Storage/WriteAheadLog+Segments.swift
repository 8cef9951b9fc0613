import Base

/// A segment file that is not in use yet.
struct SpareSegment: Equatable {
    var file: LogSegment
    /// The `create` under way, or nil when the file is there.
    var creation: UInt64?
}

// How segments come and go. Numbers of segments in use ascend; a file gets a number above all others when it is created
// or recycled, so a number that has held frames never comes again.

extension WriteAheadLog {
    /// Bytes of all segment files, spares included.
    package var diskBytes: Int {
        var bytes = 0
        for segment in segments { bytes += segment.byteCount }
        for spare in spares { bytes += spare.file.byteCount }
        for segment in retired { bytes += segment.byteCount }
        for frame in waiting + [building, writing?.frame].compactMap({ $0 }) {
            for segment in frame.retires { bytes += segment.byteCount }
        }
        return bytes
    }

    /// Makes sure that `frame` fits behind `position` of the last segment, taking the next segment into use if need be.
    ///
    /// - Returns: false when that segment is not ready yet (it is asked for).
    func makePlace(for frame: PendingFrame, into operations: inout [DiskOperation]) -> Bool {
        if let current = segments.last, position + frame.totalBytes <= current.byteCount { return true }
        let needed = LogFormat.blockBytes + frame.totalBytes
        guard let ready = spares.firstIndex(where: { $0.creation == nil && $0.file.byteCount >= needed }) else {
            let isComing = spares.contains { $0.file.byteCount >= needed }
            if !isComing { requestSpare(byteCount: max(needed, options.segmentBytes), into: &operations) }
            return false
        }
        use(spares.remove(at: ready).file, firstSequence: frame.sequence, into: &operations)
        return true
    }

    /// Takes a spare into use: its header is written and durable before any frame is.
    private func use(_ file: LogSegment, firstSequence: UInt64, into operations: inout [DiskOperation]) {
        check(segments.last.map { $0.number < file.number } ?? true, "numbers of segments in use ascend")
        check(segments.last.map { $0.firstSequence <= firstSequence } ?? true, "frames ascend over the segments")
        var segment = file
        segment.firstSequence = firstSequence
        let header = SegmentHeader(
            identity: identity, number: segment.number, firstSequence: firstSequence, byteCount: segment.byteCount)
        let block = DiskBlock(capacity: LogFormat.blockBytes)
        header.encode(into: block.buffer)
        _ = emit(.write(name: segment.name, offset: 0, block: block), into: &operations)
        segments.append(segment)
        position = LogFormat.blockBytes
    }

    /// Gives new numbers to the spares that lie below the segment in use (an oversized segment overtook them).
    func renumberSpares(into operations: inout [DiskOperation]) {
        guard let current = segments.last else { return }
        for spare in spares.indices where spares[spare].creation == nil && spares[spare].file.number < current.number {
            spares[spare].file = renamed(spares[spare].file, into: &operations)
        }
        sortSpares()
    }

    /// Renames a file to the next number, under which it holds no frames.
    private func renamed(_ file: LogSegment, into operations: inout [DiskOperation]) -> LogSegment {
        let renamed = LogSegment(number: nextSegment, byteCount: file.byteCount)
        nextSegment += 1
        _ = emit(.rename(from: file.name, to: renamed.name), into: &operations)
        return renamed
    }

    private func sortSpares() { spares.sort { $0.file.number < $1.file.number } }

    /// Asks for spare segments of the usual size, so that one is always ready before it is needed.
    func ensureSpares(into operations: inout [DiskOperation]) {
        let usual = spares.count { $0.file.byteCount == options.segmentBytes }
        for _ in 0..<max(0, options.spareSegments - usual) { requestSpare(byteCount: options.segmentBytes, into: &operations) }
    }

    private func requestSpare(byteCount: Int, into operations: inout [DiskOperation]) {
        let file = LogSegment(number: nextSegment, byteCount: byteCount)
        nextSegment += 1
        let number = emit(.create(name: file.name, byteCount: byteCount), into: &operations)
        spares.append(SpareSegment(file: file, creation: number))
    }

    /// Takes the completion of an operation that may be the creation of a spare.
    func spareCompleted(operation: UInt64) {
        guard let spare = spares.firstIndex(where: { $0.creation == operation }) else { return }
        spares[spare].creation = nil
    }

    /// Recycles or removes segments that are no longer part of the log, oldest first, so that what is left is always
    /// contiguous. One that is still being read waits.
    func recycle(into operations: inout [DiskOperation]) {
        while let oldest = retired.first, !reads.contains(where: { $0.segment.number == oldest.number }) {
            retired.removeFirst()
            if oldest.byteCount == options.segmentBytes, spares.count < options.recycledSegmentsMax {
                spares.append(SpareSegment(file: renamed(oldest, into: &operations), creation: nil))
            } else {
                _ = emit(.remove(name: oldest.name), into: &operations)
            }
        }
    }
}
