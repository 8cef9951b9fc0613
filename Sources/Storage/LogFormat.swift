import Base

// The bytes of the log: segment header, frame header, record header. docs/internals/log-format.md is the reference;
// integers are little-endian.

/// Constants of the format.
enum LogFormat {
    /// The version that this code writes, and the only one that it reads.
    static let version: UInt32 = 1
    /// "CORACLOG", the first bytes of a segment.
    static let segmentMagic: UInt64 = 0x474F_4C43_4152_4F43
    /// "CORACLID", the first bytes of the identity file.
    static let identityMagic: UInt64 = 0x4449_4C43_4152_4F43
    /// Indexes, terms and numbers above this are refused, so that counting on from one never overflows.
    static let numberMax: UInt64 = 1 << 62
    static let blockBytes = LogOptions.blockBytes
    /// A segment's header fills a block; the fields end here.
    static let segmentHeaderBytes = 68
    static let frameHeaderBytes = 48
    static let recordHeaderBytes = 32

    /// `byteCount` rounded up to whole blocks.
    static func blocks(_ byteCount: Int) -> Int { (byteCount + blockBytes - 1) & ~(blockBytes - 1) }
    /// Bytes of a record with `payload` bytes: records begin at multiples of 8.
    static func recordBytes(payload: Int) -> Int { (recordHeaderBytes + payload + 7) & ~7 }

    private static let prefix = "log-"

    /// The file of segment `number`: `log-` and 16 hexadecimal digits.
    static func fileName(segment number: UInt64) -> FileName {
        let digits = String(number, radix: 16)
        return FileName(prefix + String(repeating: "0", count: 16 - digits.utf8.count) + digits)
    }

    /// The number in a segment's file name; nil for other files.
    static func segmentNumber(of name: FileName) -> UInt64? {
        guard let number = UInt64(name.text.dropFirst(prefix.utf8.count), radix: 16), number <= numberMax,
            fileName(segment: number) == name
        else {
            return nil
        }
        return number
    }

    /// Whether `name` is what is left of a segment whose creation never finished.
    static func isUnfinished(_ name: FileName) -> Bool {
        let suffix = FileName("").temporary.text
        guard name.text.hasSuffix(suffix) else { return false }
        return segmentNumber(of: FileName(String(name.text.dropLast(suffix.utf8.count)))) != nil
    }
}

/// What the log's salt becomes: a mark that every frame begins with and seeds for the checksums. Whoever does not know
/// the salt can't make bytes that pass for a frame.
struct LogSecret: Equatable {
    let frameMark: UInt64
    let frameSeed: UInt32
    let recordSeed: UInt32

    init(salt: UInt64) {
        var generator = RandomGenerator(seed: salt)
        frameMark = generator.next()
        let seeds = generator.next()
        frameSeed = UInt32(truncatingIfNeeded: seeds)
        recordSeed = UInt32(truncatingIfNeeded: seeds >> 32)
    }
}

/// The first block of a segment.
struct SegmentHeader: Equatable {
    var identity: NodeIdentity
    /// The segment's number, as in its file name. A recycled file that is not in use yet still has its old one.
    var number: UInt64
    /// Number of the first frame in it: everything before it was durable when the segment was taken into use.
    var firstSequence: UInt64
    /// Size of the file, which never changes.
    var byteCount: Int

    enum Decoded: Equatable {
        case good(SegmentHeader)
        case unsupportedVersion(UInt32)
        /// Zeros, or not a header, or a damaged one.
        case none(String)
    }

    /// Appends the header, padded to a block.
    func encode(into buffer: ByteBuffer) {
        let start = buffer.count
        buffer.append(integer: LogFormat.segmentMagic)
        buffer.append(integer: LogFormat.version)
        buffer.append(integer: identity.nodeID.rawValue)
        buffer.append(integer: identity.clusterID.high)
        buffer.append(integer: identity.clusterID.low)
        buffer.append(integer: identity.salt)
        buffer.append(integer: number)
        buffer.append(integer: firstSequence)
        buffer.append(integer: UInt64(byteCount))
        buffer.append(integer: CRC32C.checksum(buffer.view.dropFirst(start)))
        check(buffer.count - start == LogFormat.segmentHeaderBytes, "a segment header has its fixed size")
        buffer.append(zeros: LogFormat.blockBytes - LogFormat.segmentHeaderBytes)
    }

    /// Reads the header at the front of `view`.
    static func decode(_ view: ByteView) -> Decoded {
        let size = LogFormat.segmentHeaderBytes
        guard view.count >= size else { return .none("the file is shorter than a segment header") }
        guard view.integer(at: 0, as: UInt64.self) == LogFormat.segmentMagic else { return .none("there is no segment header") }
        guard CRC32C.checksum(view.slice(0, size - 4)) == view.integer(at: size - 4, as: UInt32.self) else {
            return .none("the segment header's checksum is wrong")
        }
        let version = view.integer(at: 8, as: UInt32.self)
        guard version == LogFormat.version else { return .unsupportedVersion(version) }
        let cluster = ClusterID(high: view.integer(at: 16, as: UInt64.self), low: view.integer(at: 24, as: UInt64.self))
        let identity = NodeIdentity(
            clusterID: cluster, nodeID: NodeID(view.integer(at: 12, as: UInt32.self)), salt: view.integer(at: 32, as: UInt64.self)
        )
        return .good(
            SegmentHeader(
                identity: identity, number: view.integer(at: 40, as: UInt64.self),
                firstSequence: view.integer(at: 48, as: UInt64.self),
                byteCount: Int(truncatingIfNeeded: view.integer(at: 56, as: UInt64.self))))
    }
}

/// What stands before a frame's records.
struct FrameHeader: Equatable {
    /// Number of the frame, dense over the whole log, from 1.
    var sequence: UInt64
    /// The segment that it was written to: a frame of a recycled file's earlier life is told by it.
    var segment: UInt64
    /// Where in the segment, in blocks: bytes that stray (a copied block, a misdirected write) don't pass.
    var block: UInt32
    /// Bytes of the records, without this header and the padding to the block.
    var byteCount: Int
    /// 0 in a seal.
    var recordCount: Int
    /// CRC32C over the records' checksums, one after the other: it binds the records to this very frame, so that a torn
    /// write over the remains of an earlier one can't pass as a mixture of both.
    var recordsChecksum: UInt32

    /// Bytes on disk.
    var totalBytes: Int { LogFormat.blocks(LogFormat.frameHeaderBytes + byteCount) }

    /// Overwrites the first bytes of `buffer`.
    func encode(over buffer: ByteBuffer, secret: LogSecret) {
        buffer.overwrite(at: 0, integer: secret.frameMark)
        buffer.overwrite(at: 8, integer: sequence)
        buffer.overwrite(at: 16, integer: segment)
        buffer.overwrite(at: 24, integer: block)
        buffer.overwrite(at: 28, integer: UInt32(byteCount))
        buffer.overwrite(at: 32, integer: UInt32(recordCount))
        // Flags. None yet.
        buffer.overwrite(at: 36, integer: UInt32(0))
        buffer.overwrite(at: 40, integer: recordsChecksum)
        buffer.overwrite(at: 44, integer: CRC32C.checksum(buffer.view.slice(0, 44), continuing: secret.frameSeed))
    }

    /// Reads the header at the front of `view`; nil when there is none of this log.
    static func decode(_ view: ByteView, secret: LogSecret) -> FrameHeader? {
        guard view.count >= LogFormat.frameHeaderBytes, view.integer(at: 0, as: UInt64.self) == secret.frameMark,
            CRC32C.checksum(view.slice(0, 44), continuing: secret.frameSeed) == view.integer(at: 44, as: UInt32.self),
            view.integer(at: 36, as: UInt32.self) == 0
        else { return nil }
        return FrameHeader(
            sequence: view.integer(at: 8, as: UInt64.self), segment: view.integer(at: 16, as: UInt64.self),
            block: view.integer(at: 24, as: UInt32.self), byteCount: Int(view.integer(at: 28, as: UInt32.self)),
            recordCount: Int(view.integer(at: 32, as: UInt32.self)), recordsChecksum: view.integer(at: 40, as: UInt32.self))
    }

    /// Whether the frame belongs at `offset` of segment `segment`.
    func belongs(to segment: UInt64, offset: Int) -> Bool {
        self.segment == segment && Int(block) * LogFormat.blockBytes == offset
    }
}

/// What a record is. 0 is padding and never a record.
enum RecordType: UInt8 {
    case entry = 1
    case hardState = 2
    case commitHint = 3
    case incarnation = 4
    /// Everything of a group through an index is covered by a state file.
    case base = 5
    /// Frames before a sequence number are no longer part of the log.
    case trimmed = 6
    /// A base, and the group's log is empty: what it held behind that index is no part of it.
    case restart = 7
}

/// What stands before a record's payload. The fields' meaning depends on the type.
struct RecordHeader: Equatable {
    var type: RecordType
    /// Of an entry: `Entry.Kind`.
    var kind: UInt8 = 0
    var group = GroupID.first
    /// Of an entry, a commit hint, a base, a restart: the index. Of a hard state: the vote (0 for none). Of an incarnation: the
    /// number. Of `trimmed`: the sequence number of the first frame kept.
    var index: UInt64 = 0
    /// Of an entry, a hard state, a base, a restart.
    var term: UInt64 = 0
    /// Bytes of payload; only an entry has any.
    var payloadBytes = 0

    /// Bytes on disk.
    var totalBytes: Int { LogFormat.recordBytes(payload: payloadBytes) }
}

extension RecordHeader {
    enum Decoded: Equatable {
        /// The header, and the checksum over it and its payload.
        case good(RecordHeader, checksum: UInt32)
        case bad(String)
    }

    /// Appends header and payload, padded to a multiple of 8 bytes.
    ///
    /// - Returns: the checksum over both.
    func encode(payload: ByteView, into buffer: ByteBuffer, secret: LogSecret) -> UInt32 {
        check(payload.count == payloadBytes, "a record's header tells its payload's size")
        let start = buffer.count
        buffer.append(integer: UInt32(0))
        buffer.append(integer: UInt32(payloadBytes))
        buffer.append(integer: group.rawValue)
        buffer.append(byte: type.rawValue)
        buffer.append(byte: kind)
        buffer.append(integer: UInt16(0))
        buffer.append(integer: index)
        buffer.append(integer: term)
        buffer.append(payload)
        let checksum = CRC32C.checksum(buffer.view.dropFirst(start + 4), continuing: secret.recordSeed)
        buffer.overwrite(at: start, integer: checksum)
        buffer.append(zeros: totalBytes - (buffer.count - start))
        return checksum
    }

    /// Reads and verifies the record at the front of `view`.
    static func decode(_ view: ByteView, secret: LogSecret) -> Decoded {
        let size = LogFormat.recordHeaderBytes
        guard view.count >= size else { return .bad("a record header is cut short") }
        let payloadBytes = Int(view.integer(at: 4, as: UInt32.self))
        guard payloadBytes <= view.count - size else { return .bad("a record's length leads out of its frame") }
        let checksum = view.integer(at: 0, as: UInt32.self)
        guard CRC32C.checksum(view.slice(4, size - 4 + payloadBytes), continuing: secret.recordSeed) == checksum else {
            return .bad("a record's checksum is wrong")
        }
        guard let header = decode(verified: view) else { return .bad("a record's type \(view[12]) is unknown") }
        return .good(header, checksum: checksum)
    }

    /// Reads the record at the front of `view`, which `decode` found good before; nil when its type is unknown.
    static func decode(verified view: ByteView) -> RecordHeader? {
        guard let type = RecordType(rawValue: view[12]) else { return nil }
        return RecordHeader(
            type: type, kind: view[13], group: GroupID(view.integer(at: 8, as: UInt32.self)),
            index: view.integer(at: 16, as: UInt64.self), term: view.integer(at: 24, as: UInt64.self),
            payloadBytes: Int(view.integer(at: 4, as: UInt32.self)))
    }

    /// The payload of the record at the front of `view`, which `decode` found good.
    func payload(in view: ByteView) -> ByteView { view.slice(LogFormat.recordHeaderBytes, payloadBytes) }
}
