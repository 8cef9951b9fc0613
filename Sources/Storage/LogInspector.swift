import Base
import Consensus

/// A segment, frame or record of a log as the inspector found it.
package struct InspectedRecord: Equatable, Sendable {
    /// What was found.
    package enum Kind: String, Sendable {
        case segment
        case frame
        case entry
        case hardState = "hard state"
        case commitHint = "commit hint"
        case incarnation
        case base
        case restart
        case trimmed
        /// Bytes that nothing can be made of.
        case unreadable
    }

    /// Whether it is what was written.
    package enum Verdict: Equatable, Sendable {
        /// The checksum fits.
        case good
        /// It does not, or the content makes no sense: why.
        case bad(String)
        /// Not part of the log: an unused segment, the unfinished last frame: why.
        case unused(String)
    }

    package var file: String
    /// Where it begins in the file, in bytes.
    package var offset: Int
    /// Number of the frame that it lies in (of a segment: of its first frame); 0 when there is none.
    package var sequence: UInt64
    package var kind: Kind
    package var group: GroupID?
    package var index: LogIndex?
    package var term: Term?
    /// Size in bytes, headers included.
    package var byteCount: Int
    /// What else there is to say ("vote 2", "3 records").
    package var detail: String
    package var verdict: Verdict

    init(
        file: FileName, offset: Int, sequence: UInt64 = 0, kind: Kind, byteCount: Int, detail: String = "", verdict: Verdict
    ) {
        self.file = file.text
        self.offset = offset
        self.sequence = sequence
        self.kind = kind
        self.byteCount = byteCount
        self.detail = detail
        self.verdict = verdict
    }
}

/// Walks a stopped node's log and describes all that it finds, damage included: it never stops at the first error.
package struct LogInspector {
    private let source: any RecoverySource
    private let secret: LogSecret
    private let identity: NodeIdentity
    private let buffer = ByteBuffer(capacity: 2 << 20, alignment: LogFormat.blockBytes)
    /// The unfinished last frame, if recovery found one.
    private var tornTail: RecoveryReport.TornTail?
    /// Number of the frame that should come next; 0 when nothing was read yet.
    private var expected: UInt64 = 0

    private init(source: any RecoverySource, identity: NodeIdentity) {
        self.source = source
        self.identity = identity
        secret = LogSecret(salt: identity.salt)
    }

    /// Describes every segment, frame and record in `source`, in order, by calling `body`.
    ///
    /// - Returns: what recovery would say of the log: nil when it would accept it.
    /// - Throws: what `source` throws when a file can't be read.
    package static func inspect(
        _ source: any RecoverySource, identity: NodeIdentity, body: (InspectedRecord) -> Void
    ) throws(StorageError) -> StorageError? {
        var inspector = LogInspector(source: source, identity: identity)
        var refusal: StorageError?
        do {
            var visitor = IgnoringVisitor()
            inspector.tornTail = try WriteAheadLog.recover(
                from: source, identity: identity, options: LogOptions(), visitor: &visitor
            ).report.tornTail
        } catch {
            refusal = error
        }
        var segments: [(number: UInt64, name: FileName)] = []
        for name in try source.list() {
            if let number = LogFormat.segmentNumber(of: name) { segments.append((number, name)) }
        }
        segments.sort { $0.number < $1.number }
        for segment in segments { try inspector.inspect(segment.name, number: segment.number, body: body) }
        return refusal
    }

    private mutating func inspect(
        _ name: FileName, number: UInt64, body: (InspectedRecord) -> Void
    ) throws(StorageError) {
        let reader = SegmentReader(source, name: name, size: try source.size(of: name), buffer: buffer)
        var segment = InspectedRecord(file: name, offset: 0, kind: .segment, byteCount: reader.size, verdict: .good)
        switch SegmentHeader.decode(try reader.peek(min(LogFormat.blockBytes, reader.size)) ?? .empty) {
        case .none(let reason): segment.verdict = .unused(reason)
        case .unsupportedVersion(let version): segment.verdict = .bad("its format version \(version) is unknown")
        case .good(let header):
            segment.sequence = header.firstSequence
            segment.detail = "cluster \(header.identity.clusterID), node \(header.identity.nodeID), segment \(header.number)"
            do {
                try identity.requireEqual(to: header.identity, in: name.text)
                if header.number < number { segment.verdict = .unused("recycled, not in use yet") }
                if header.number > number { segment.verdict = .bad("its header has another number") }
                if header.byteCount != reader.size { segment.verdict = .bad("it should have \(header.byteCount) bytes") }
                if segment.verdict == .good, expected != 0, header.firstSequence != expected {
                    segment.verdict = .bad("frame \(expected) should come next")
                }
                if segment.verdict == .good { expected = header.firstSequence }
            } catch {
                segment.verdict = .bad(error.description)
            }
        }
        body(segment)
        reader.skip(min(LogFormat.blockBytes, reader.size))
        try inspectFrames(reader, number: number, body: body)
    }

    private mutating func inspectFrames(
        _ reader: SegmentReader, number: UInt64, body: (InspectedRecord) -> Void
    ) throws(StorageError) {
        while reader.offset < reader.size {
            let start = reader.offset
            guard let (header, offset) = try reader.findFrame(segment: number, secret: secret) else { return }
            if offset > start {
                body(
                    InspectedRecord(
                        file: reader.name, offset: start, sequence: expected, kind: .unreadable, byteCount: offset - start,
                        verdict: .bad("there is no readable frame")))
            }
            try inspect(header, reader, body: body)
        }
    }

    /// Describes the frame at the reader's place and its records, and goes behind it.
    private mutating func inspect(
        _ header: FrameHeader, _ reader: SegmentReader, body: (InspectedRecord) -> Void
    ) throws(StorageError) {
        let start = reader.offset
        var frame = InspectedRecord(
            file: reader.name, offset: start, sequence: header.sequence, kind: .frame, byteCount: header.totalBytes,
            detail: header.recordCount == 0 ? "seal" : "\(header.recordCount) records", verdict: .good)
        let whole = try reader.peek(header.totalBytes)
        let fault = whole.map { header.fault(in: $0, secret: secret) } ?? ("it leads out of the file", 0)
        if let fault {
            frame.verdict = .bad(fault.reason)
            if let tornTail, tornTail.file == reader.name.text, tornTail.offset == start {
                frame.verdict = .unused("never completed: \(fault.reason)")
            }
        } else if expected != 0, header.sequence != expected {
            frame.verdict = .bad("frame \(expected) should come next")
        }
        expected = header.sequence &+ 1
        body(frame)
        if let whole { inspectRecords(of: header, in: whole, start: start, file: reader.name, body: body) }
        reader.skip(min(header.totalBytes, reader.size - start))
    }

    private func inspectRecords(
        of frame: FrameHeader, in view: ByteView, start: Int, file: FileName, body: (InspectedRecord) -> Void
    ) {
        let end = LogFormat.frameHeaderBytes + frame.byteCount
        var offset = LogFormat.frameHeaderBytes
        while offset < end {
            let rest = view.slice(offset, end - offset)
            switch RecordHeader.decode(rest, secret: secret) {
            case .bad(let reason):
                body(
                    InspectedRecord(
                        file: file, offset: start + offset, sequence: frame.sequence, kind: .unreadable, byteCount: rest.count,
                        verdict: .bad(reason)))
                return
            case .good(let header, _):
                body(describe(header, file: file, offset: start + offset, sequence: frame.sequence))
                offset += header.totalBytes
            }
        }
    }

    private func describe(_ header: RecordHeader, file: FileName, offset: Int, sequence: UInt64) -> InspectedRecord {
        var record = InspectedRecord(
            file: file, offset: offset, sequence: sequence, kind: .entry, byteCount: header.totalBytes, verdict: .good)
        record.group = header.group
        record.term = Term(header.term)
        record.index = LogIndex(header.index)
        switch header.type {
        case .entry:
            let kind = Entry.Kind(rawValue: header.kind)
            record.detail = "\(kind.map { "\($0)" } ?? "unknown kind \(header.kind)"), \(header.payloadBytes) bytes"
            if kind == nil { record.verdict = .bad("its kind is unknown") }
        case .hardState:
            record.kind = .hardState
            record.index = nil
            record.detail = header.index == 0 ? "no vote" : "vote \(header.index)"
        case .commitHint:
            record.kind = .commitHint
            record.term = nil
        case .base: record.kind = .base
        case .restart: record.kind = .restart
        case .incarnation, .trimmed:
            record.kind = header.type == .trimmed ? .trimmed : .incarnation
            record.detail = header.type == .trimmed ? "frames before \(header.index)" : "\(header.index)"
            record.group = nil
            record.index = nil
            record.term = nil
        }
        return record
    }
}

/// Takes records and does nothing.
private struct IgnoringVisitor: RecoveryVisitor {
    mutating func entry(group: GroupID, index: LogIndex, term: Term, kind: Entry.Kind, payload: ByteView) {}
    mutating func hardState(group: GroupID, _ state: HardState) {}
    mutating func commitHint(group: GroupID, index: LogIndex) {}
    mutating func base(group: GroupID, index: LogIndex, term: Term) {}
    mutating func restart(group: GroupID, index: LogIndex, term: Term) {}
    mutating func incarnation(_ incarnation: Incarnation) {}
    mutating func progress(bytesDone: Int, bytesTotal: Int) {}
}
