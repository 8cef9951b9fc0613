import Base
import Consensus

/// A frame on its way to the disk: its bytes, and what its completion means. Reused with its block.
final class PendingFrame {
    /// An entry in the frame, for the location index.
    struct EntryPlace {
        var group: GroupID
        var index: UInt64
        /// Of the record's header, in bytes from the frame's start.
        var offset: Int
        var payloadBytes: Int
    }

    /// Memory that a frame keeps for its next use, in bytes: more than a frame of usual size needs.
    static let keptBytes = 8 << 20
    let block: DiskBlock
    let secret: LogSecret
    private(set) var sequence: UInt64 = 0
    private(set) var recordCount = 0
    private var recordsChecksum: UInt32 = 0
    /// What becomes readable when the frame is durable, in order. Entries replaced by a later frame are taken out again.
    var entries: [EntryPlace] = []
    /// What to report when the frame is durable, in order.
    var durable: [WriteAheadLog.Durable] = []
    /// Segments that are no longer needed when the frame is durable, oldest first.
    var retires: [LogSegment] = []

    /// - Parameter capacity: of the block in bytes; it grows when more is appended.
    init(capacity: Int, secret: LogSecret) {
        block = DiskBlock(capacity: capacity)
        self.secret = secret
    }

    /// Bytes that the frame will take on disk.
    var totalBytes: Int { LogFormat.blocks(block.buffer.count) }

    /// Makes this the empty frame number `sequence`.
    func begin(sequence: UInt64) {
        check(sequence > 0, "frames are numbered from 1")
        block.buffer.removeAll(keeping: PendingFrame.keptBytes)
        block.buffer.append(zeros: LogFormat.frameHeaderBytes)
        self.sequence = sequence
        recordCount = 0
        recordsChecksum = 0
        entries.removeAll(keepingCapacity: true)
        durable.removeAll(keepingCapacity: true)
        retires.removeAll()
    }

    /// Appends a record. The payload is copied here, and its checksum computed, once.
    func append(_ header: RecordHeader, payload: ByteView = .empty) {
        let offset = block.buffer.count
        check(offset % 8 == 0, "a record begins at a multiple of 8")
        var checksum = header.encode(payload: payload, into: block.buffer, secret: secret).littleEndian
        withUnsafeBytes(of: &checksum) { recordsChecksum = CRC32C.checksum(ByteView($0), continuing: recordsChecksum) }
        recordCount += 1
        if header.type == .entry {
            entries.append(
                EntryPlace(group: header.group, index: header.index, offset: offset, payloadBytes: header.payloadBytes))
        }
    }

    /// Completes the header and pads the frame for its place at `offset` of `segment`.
    func close(segment: UInt64, offset: Int) {
        check(offset % LogFormat.blockBytes == 0, "a frame begins at a block")
        let buffer = block.buffer
        let byteCount = buffer.count - LogFormat.frameHeaderBytes
        let header = FrameHeader(
            sequence: sequence, segment: segment, block: UInt32(offset / LogFormat.blockBytes), byteCount: byteCount,
            recordCount: recordCount, recordsChecksum: recordsChecksum)
        header.encode(over: buffer, secret: secret)
        buffer.append(zeros: header.totalBytes - buffer.count)
        check(buffer.count % LogFormat.blockBytes == 0, "a frame is whole blocks")
    }
}
