import Base

/// Reads one segment file front to back, in pieces of a MiB or more, holding no more than the frame at hand.
final class SegmentReader {
    private static let pieceBytes = 1 << 20

    private let source: any RecoverySource
    let name: FileName
    /// Of the file, in bytes.
    let size: Int
    /// Where in the file the reader stands, in bytes.
    private(set) var offset = 0
    /// The bytes from `offset` on that are already read.
    private let buffer: ByteBuffer
    /// Bytes read from the source so far.
    private(set) var bytesRead = 0

    /// - Parameter buffer: memory to use; its content is dropped.
    init(_ source: any RecoverySource, name: FileName, size: Int, buffer: ByteBuffer) {
        self.source = source
        self.name = name
        self.size = size
        self.buffer = buffer
        buffer.removeAll(keeping: 4 * SegmentReader.pieceBytes)
    }

    /// The next `count` bytes, valid until the next call; nil when the file ends before.
    ///
    /// - Throws: what the source throws, or `system` when the file is shorter than it said.
    func peek(_ count: Int) throws(StorageError) -> ByteView? {
        guard count <= size - offset else { return nil }
        while buffer.count < count {
            let have = buffer.count
            let want = min(max(SegmentReader.pieceBytes, count - have), size - offset - have)
            try source.read(name, offset: offset + have, count: want, into: buffer)
            guard buffer.count == have + want else {
                throw .system(file: name.text, operation: "read", reason: "it ended at \(offset + buffer.count) of \(size) bytes")
            }
            bytesRead += want
        }
        return buffer.view.slice(0, count)
    }

    /// Goes forward by `count` bytes.
    func skip(_ count: Int) {
        check(count >= 0 && count <= size - offset, "a reader stays inside its file")
        buffer.consume(min(count, buffer.count))
        offset += count
    }

    /// The first frame header of segment `number` at the reader's block or a later one, with where it is. The reader goes there,
    /// or to the end.
    func findFrame(segment number: UInt64, secret: LogSecret) throws(StorageError) -> (header: FrameHeader, offset: Int)? {
        while let block = try peek(LogFormat.frameHeaderBytes) {
            if let header = FrameHeader.decode(block, secret: secret), header.belongs(to: number, offset: offset) {
                return (header, offset)
            }
            skip(min(LogFormat.blockBytes, size - offset))
        }
        return nil
    }
}

extension FrameHeader {
    /// Verifies the records of the frame in `view`, which is the whole frame.
    ///
    /// - Returns: what is wrong and where in the frame; nil when every record is whole and belongs to this frame.
    func fault(in view: ByteView, secret: LogSecret) -> (reason: String, offset: Int)? {
        check(view.count == totalBytes, "a frame is verified as a whole")
        let end = LogFormat.frameHeaderBytes + byteCount
        var offset = LogFormat.frameHeaderBytes
        var records = 0
        var checksums: UInt32 = 0
        while offset < end {
            switch RecordHeader.decode(view.slice(offset, end - offset), secret: secret) {
            case .bad(let reason): return (reason, offset)
            case .good(let header, let checksum):
                var bytes = checksum.littleEndian
                withUnsafeBytes(of: &bytes) { checksums = CRC32C.checksum(ByteView($0), continuing: checksums) }
                records += 1
                offset += header.totalBytes
            }
        }
        if offset != end { return ("a record's length leads out of its frame", end) }
        if records != recordCount { return ("it has \(records) records instead of \(recordCount)", 0) }
        if checksums != recordsChecksum { return ("its records are not the ones that were written in it", 0) }
        return nil
    }
}
