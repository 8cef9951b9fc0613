import Base
import Consensus

/// Reads a log at start-up: surveys the segment files, verifies and delivers every frame in order, and decides what the
/// first bad place is (docs/internals/log-format.md, "Recovery"):
///
/// - Frames are written one at a time, each durable before the next begins. So only the very last one can be torn.
/// - Hence a bad frame is a **torn tail**, and cut off, exactly when no trace of a later frame exists: no valid frame
///   header behind it in its segment, and no later segment in use. Otherwise it is **damage**, and refused.
struct LogRecovery {
    /// A segment file as the survey found it.
    struct File {
        var number: UInt64
        var name: FileName
        var size: Int
        /// Its header, when it is in use.
        var header: SegmentHeader?
        /// The header of its earlier life, when it is recycled and not in use yet.
        var oldHeader: SegmentHeader?
        /// Why it is not in use.
        var reason = ""
    }

    let source: any RecoverySource
    let log: WriteAheadLog
    var report = RecoveryReport()
    private let buffer = ByteBuffer(capacity: 2 << 20, alignment: LogFormat.blockBytes)
    private var used: [File] = []
    private var unused: [File] = []
    private var leftovers: [FileName] = []
    private var bytesTotal = 0
    /// The largest sequence number that a `trimmed` record names: frames before it may be gone.
    private var trimmedBefore: UInt64 = 1

    init(source: any RecoverySource, log: WriteAheadLog) {
        self.source = source
        self.log = log
    }

    mutating func run<Visitor: RecoveryVisitor>(_ visitor: inout Visitor) throws(StorageError) {
        try survey()
        for file in unused { try requireNoFrames(in: file, visitor: &visitor) }
        try replay(&visitor)
        try requireBeginning()
        try handOver()
        visitor.progress(bytesDone: report.bytes, bytesTotal: report.bytes)
    }

    // MARK: Survey

    /// Lists the segment files and reads their headers.
    private mutating func survey() throws(StorageError) {
        var files: [File] = []
        for name in try source.list() {
            if let number = LogFormat.segmentNumber(of: name) {
                files.append(File(number: number, name: name, size: try source.size(of: name)))
            } else if LogFormat.isUnfinished(name) {
                leftovers.append(name)
            }
        }
        files.sort { $0.number < $1.number }
        leftovers.sort { $0.text < $1.text }
        for var file in files {
            bytesTotal += file.size
            try classify(&file)
            if file.header != nil { used.append(file) } else { unused.append(file) }
        }
        try requireRecycledFilesAreOld()
        log.nextSegment = (files.last?.number ?? 0) + 1
    }

    /// Only segments from before the log's present beginning are recycled. A file whose old number is not below that was not
    /// recycled but misnamed, by a hand that moved files about, and its frames may be missed.
    private func requireRecycledFilesAreOld() throws(StorageError) {
        for file in unused {
            guard let old = file.oldHeader else { continue }
            if let first = used.first, old.number < first.number { continue }
            throw .damaged(
                file: file.name.text, offset: 0, reason: "it is segment \(old.number) of this log under another name")
        }
    }

    private func classify(_ file: inout File) throws(StorageError) {
        let name = file.name.text
        let reader = SegmentReader(source, name: file.name, size: file.size, buffer: buffer)
        switch SegmentHeader.decode(try reader.peek(min(LogFormat.blockBytes, file.size)) ?? .empty) {
        case .none(let reason): file.reason = reason
        case .unsupportedVersion(let version): throw .unsupportedVersion(file: name, version: version)
        case .good(let header):
            try log.identity.requireEqual(to: header.identity, in: name)
            if header.firstSequence == 0 || header.firstSequence > LogFormat.numberMax {
                throw .damaged(file: name, offset: 0, reason: "its header says that it begins with frame \(header.firstSequence)")
            }
            if header.number > file.number {
                throw .damaged(file: name, offset: 0, reason: "its header says that it is segment \(header.number)")
            }
            if header.byteCount != file.size {
                throw .damaged(
                    file: name, offset: max(0, min(header.byteCount, file.size)),
                    reason: "it has \(file.size) bytes instead of \(header.byteCount)")
            }
            if header.number < file.number {
                file.oldHeader = header
                file.reason = "the file is recycled and not in use yet"
            } else {
                file.header = header
            }
        }
    }

    /// A file without a valid header of its own is unused, unless a frame of its own is in it: a header is durable before
    /// any frame is written, so then it is the header that is damaged.
    private mutating func requireNoFrames<Visitor: RecoveryVisitor>(
        in file: File, visitor: inout Visitor
    ) throws(StorageError) {
        let reader = SegmentReader(source, name: file.name, size: file.size, buffer: buffer)
        if let found = try reader.findFrame(segment: file.number, secret: log.secret) {
            throw .damaged(
                file: file.name.text, offset: 0,
                reason: "\(file.reason), but frame \(found.header.sequence) is at offset \(found.offset)")
        }
        report.bytes += reader.bytesRead
        visitor.progress(bytesDone: report.bytes, bytesTotal: bytesTotal)
    }

    // MARK: Replay

    private mutating func replay<Visitor: RecoveryVisitor>(_ visitor: inout Visitor) throws(StorageError) {
        guard let first = used.first?.header else { return }
        log.nextSequence = first.firstSequence
        for (position, file) in used.enumerated() {
            guard let header = file.header else { return check(false, "a segment in use has a header") }
            if header.firstSequence < log.nextSequence {
                throw .damaged(
                    file: file.name.text, offset: 0,
                    reason: "it begins with frame \(header.firstSequence), which was read before")
            }
            if header.firstSequence > log.nextSequence {
                throw .damaged(
                    file: used[position - 1].name.text, offset: log.position,
                    reason: "frame \(log.nextSequence) is missing or damaged, "
                        + "and \(file.name) goes on with frame \(header.firstSequence)")
            }
            log.segments.append(
                LogSegment(number: file.number, byteCount: file.size, firstSequence: header.firstSequence))
            try replay(file, isLast: position == used.count - 1, visitor: &visitor)
        }
        report.segments = used.count
    }

    /// Delivers the frames of one segment and leaves `log.position` behind the last whole one.
    private mutating func replay<Visitor: RecoveryVisitor>(
        _ file: File, isLast: Bool, visitor: inout Visitor
    ) throws(StorageError) {
        let reader = SegmentReader(source, name: file.name, size: file.size, buffer: buffer)
        guard try reader.peek(LogFormat.blockBytes) != nil else { return }
        reader.skip(LogFormat.blockBytes)
        var torn: RecoveryReport.TornTail?
        var told = 0
        while let block = try reader.peek(LogFormat.frameHeaderBytes),
            let header = FrameHeader.decode(block, secret: log.secret),
            header.belongs(to: file.number, offset: reader.offset), header.sequence == log.nextSequence
        {
            var fault: (reason: String, offset: Int)? = ("it leads out of the file", 0)
            if let frame = try reader.peek(header.totalBytes) {
                fault = header.fault(in: frame, secret: log.secret)
                if fault == nil { try deliver(header, frame, file: file.name, at: reader.offset, visitor: &visitor) }
            }
            if let fault {
                torn = RecoveryReport.TornTail(
                    file: file.name.text, offset: reader.offset, sequence: header.sequence, byteCount: header.totalBytes,
                    reason: fault.reason)
                break
            }
            reader.skip(header.totalBytes)
            if reader.bytesRead - told >= 1 << 20 {
                told = reader.bytesRead
                visitor.progress(bytesDone: report.bytes + told, bytesTotal: bytesTotal)
            }
        }
        log.position = reader.offset
        if isLast { try acceptEnd(torn, of: file, reader: reader) }
        report.bytes += reader.bytesRead
        visitor.progress(bytesDone: report.bytes, bytesTotal: bytesTotal)
    }

    /// Decides about the place where the last segment's frames end: a trace of a later frame makes it damage.
    private mutating func acceptEnd(_ torn: RecoveryReport.TornTail?, of file: File, reader: SegmentReader) throws(StorageError) {
        let end = reader.offset
        // The header of the torn frame itself is no later frame.
        if torn != nil { reader.skip(min(LogFormat.blockBytes, file.size - end)) }
        if let later = try reader.findFrame(segment: file.number, secret: log.secret) {
            throw .damaged(
                file: file.name.text, offset: end,
                reason: "frame \(log.nextSequence) is damaged (\(torn?.reason ?? "its header is unreadable")), "
                    + "and frame \(later.header.sequence) follows at offset \(later.offset)")
        }
        guard let torn else { return }
        report.tornTail = torn
        // What is left of the torn frame must not come alive when its place is written to again and that write is torn
        // too: its first block is wiped, durably, before anything else happens.
        let block = DiskBlock(capacity: LogFormat.blockBytes)
        block.buffer.append(zeros: LogFormat.blockBytes)
        log.housekeeping.append(.write(name: file.name, offset: end, block: block))
    }

    // MARK: Records

    private mutating func deliver<Visitor: RecoveryVisitor>(
        _ frame: FrameHeader, _ view: ByteView, file: FileName, at start: Int, visitor: inout Visitor
    ) throws(StorageError) {
        var offset = LogFormat.frameHeaderBytes
        let end = offset + frame.byteCount
        while offset < end {
            let record = view.slice(offset, end - offset)
            guard let header = RecordHeader.decode(verified: record) else {
                return check(false, "a verified record can be read")
            }
            do {
                try deliver(header, header.payload(in: record), at: start + offset, visitor: &visitor)
            } catch {
                throw .damaged(file: file.text, offset: start + offset, reason: error.reason)
            }
            offset += header.totalBytes
        }
        check(offset == end, "records fill their frame")
        report.frames += 1
        report.records += UInt64(frame.recordCount)
        log.endsInSeal = frame.recordCount == 0
        log.nextSequence = frame.sequence + 1
    }

    /// A verified record makes no sense where it stands.
    private struct Misplaced: Error {
        var reason: String
    }

    private mutating func deliver<Visitor: RecoveryVisitor>(
        _ header: RecordHeader, _ payload: ByteView, at offset: Int, visitor: inout Visitor
    ) throws(Misplaced) {
        guard header.index <= LogFormat.numberMax, header.term <= LogFormat.numberMax else {
            throw Misplaced(reason: "a record's numbers are out of range")
        }
        let index = LogIndex(header.index)
        let term = Term(header.term)
        switch header.type {
        case .entry:
            guard let kind = Entry.Kind(rawValue: header.kind) else {
                throw Misplaced(reason: "an entry has unknown kind \(header.kind)")
            }
            try place(header, at: offset)
            visitor.entry(group: header.group, index: index, term: term, kind: kind, payload: payload)
        case .hardState:
            guard header.index <= UInt64(UInt32.max) else { throw Misplaced(reason: "a vote names no node") }
            let state = HardState(term: term, vote: header.index == 0 ? nil : NodeID(UInt32(header.index)))
            log.groups[log.slot(of: header.group)].hardState = state
            visitor.hardState(group: header.group, state)
        case .commitHint:
            let slot = log.slot(of: header.group)
            log.groups[slot].commitHint = max(log.groups[slot].commitHint, index)
            visitor.commitHint(group: header.group, index: index)
        case .incarnation:
            log.incarnation = Incarnation(header.index)
            visitor.incarnation(Incarnation(header.index))
        case .base:
            let slot = log.slot(of: header.group)
            guard index >= log.groups[slot].base else { throw Misplaced(reason: "a base goes back to index \(index)") }
            log.groups[slot].rebase(through: index, term: term)
            visitor.base(group: header.group, index: index, term: term)
        case .restart:
            let slot = log.slot(of: header.group)
            guard index >= log.groups[slot].base else { throw Misplaced(reason: "a log begins anew before its base") }
            log.groups[slot].restart(behind: index, term: term)
            log.groups[slot].hasEntries = true
            visitor.restart(group: header.group, index: index, term: term)
        case .trimmed:
            trimmedBefore = max(trimmedBefore, header.index)
        }
    }

    /// Enters an entry in its group's locations.
    private mutating func place(_ header: RecordHeader, at offset: Int) throws(Misplaced) {
        let slot = log.slot(of: header.group)
        let index = LogIndex(header.index)
        let last = log.groups[slot].last
        // In a log whose beginning was trimmed, the first entry seen of a group may have any index behind its base: where the
        // group's log ended before stood in the segments that are gone. A later base closes the gap (`requireBeginning`).
        let isUnknown = trimsBeginning && !log.groups[slot].hasEntries
        guard index > log.groups[slot].base, isUnknown || index <= last.next else {
            throw Misplaced(reason: "entry \(index) of group \(header.group) follows entry \(last)")
        }
        log.groups[slot].locations.cut(from: index.rawValue)
        log.groups[slot].locations.append(
            index.rawValue,
            at: LocationIndex.Location(
                segment: log.segments[log.segments.count - 1].number, offset: offset, payloadBytes: header.payloadBytes))
        log.groups[slot].last = index
        log.groups[slot].hasEntries = true
    }

    private var trimsBeginning: Bool { (used.first?.header?.firstSequence ?? 1) > 1 }

    // MARK: The end

    /// Refuses a log whose beginning is missing although nothing says that it may be.
    private func requireBeginning() throws(StorageError) {
        guard let first = used.first, let header = first.header else { return }
        if header.firstSequence > trimmedBefore {
            throw .damaged(
                file: first.name.text, offset: 0,
                reason:
                    "it begins with frame \(header.firstSequence), and the segments with frames from \(trimmedBefore) on are missing"
            )
        }
        for group in log.groups where !group.locations.isEmpty && group.locations.first > group.base.rawValue + 1 {
            throw .damaged(
                file: first.name.text, offset: 0,
                reason: "entries \(group.base.next) to \(group.locations.first - 1) of group \(group.group) are missing")
        }
    }

    /// Leaves the log ready to append: segments that a crash kept from being removed go, unused files become spares.
    private mutating func handOver() throws(StorageError) {
        while log.segments.count > 1, log.segments[1].firstSequence <= trimmedBefore {
            log.retired.append(log.segments.removeFirst())
        }
        for group in log.groups {
            group.checkInvariants()
            guard let needed = group.locations.firstSegment, needed < log.segments[0].number else { continue }
            throw .damaged(
                file: LogFormat.fileName(segment: needed).text, offset: 0,
                reason: "it holds entries that are needed, but the log was trimmed behind it")
        }
        for name in leftovers { log.housekeeping.append(.remove(name: name)) }
        for file in unused {
            let segment = LogSegment(number: file.number, byteCount: file.size)
            if file.size == log.options.segmentBytes, log.spares.count < log.options.recycledSegmentsMax {
                log.spares.append(SpareSegment(file: segment, creation: nil))
            } else {
                log.housekeeping.append(.remove(name: file.name))
            }
        }
    }
}

extension WriteAheadLog {
    /// Reads the log in `source` (or finds that there is none yet) and positions it behind its last whole frame.
    ///
    /// - Parameters:
    ///   - identity: whose log it must be.
    ///   - visitor: takes the records, in order.
    /// - Returns: the log, ready to append, and what recovery did. Call `flush` at once: the first operations create or
    ///   tidy up files.
    /// - Throws: `damaged` (with file and offset), `wrongIdentity`, `unsupportedVersion`, or what `source` throws.
    package static func recover<Visitor: RecoveryVisitor>(
        from source: any RecoverySource, identity: NodeIdentity, options: LogOptions, visitor: inout Visitor
    ) throws(StorageError) -> (log: WriteAheadLog, report: RecoveryReport) {
        let log = WriteAheadLog(identity: identity, options: options)
        var recovery = LogRecovery(source: source, log: log)
        try recovery.run(&visitor)
        return (log, recovery.report)
    }
}
