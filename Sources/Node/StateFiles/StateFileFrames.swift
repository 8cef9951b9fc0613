import Base
import Storage

/// "Send me a piece of a state file": the payload of a `stateFileRequest` frame, 28 bytes.
package struct StateFileRequest: Equatable {
    /// The file that was begun; 0 for the newest there is.
    var fileID: UInt64
    /// It has to cover this much.
    var index: LogIndex
    var offset: Int
    /// Bytes wanted, a multiple of 4096; 0 says that what came of the file was damaged.
    var count: Int

    package func encode(into buffer: ByteBuffer) {
        buffer.append(integer: fileID)
        buffer.append(integer: index.rawValue)
        buffer.append(integer: UInt64(offset))
        buffer.append(integer: UInt32(count))
    }

    init(fileID: UInt64, index: LogIndex, offset: Int, count: Int) {
        self.fileID = fileID
        self.index = index
        self.offset = offset
        self.count = count
    }

    /// Nil when the payload is not one, or asks for what nobody sends.
    package init?(_ payload: ByteView) {
        var reader = ByteReader(payload)
        guard let fileID = reader.integer(UInt64.self), let index = reader.integer(UInt64.self),
            let offset = reader.integer(UInt64.self), let count = reader.integer(UInt32.self), reader.remaining == 0,
            offset < 1 << 56, offset % 4096 == 0, count % 4096 == 0, count <= StateFileRequest.countMax
        else { return nil }
        self.init(fileID: fileID, index: LogIndex(index), offset: Int(offset), count: Int(count))
    }

    /// A piece is no longer: heartbeats pass between the pieces.
    static let countMax = 1 << 20
}

/// A piece of a state file: the head of a `stateFilePiece` frame's payload; the bytes follow.
package struct StateFilePiece: Equatable {
    /// 0 when there is no such file (any more).
    var fileID: UInt64
    /// Of the whole file.
    var byteCount: Int
    var offset: Int

    package func encode(into buffer: ByteBuffer) {
        buffer.append(integer: fileID)
        buffer.append(integer: UInt64(byteCount))
        buffer.append(integer: UInt64(offset))
    }

    init(fileID: UInt64, byteCount: Int, offset: Int) {
        self.fileID = fileID
        self.byteCount = byteCount
        self.offset = offset
    }

    /// Nil when it does not fit the payload.
    package init?(_ reader: inout ByteReader) {
        guard let fileID = reader.integer(UInt64.self), let byteCount = reader.integer(UInt64.self),
            let offset = reader.integer(UInt64.self), byteCount < 1 << 56, offset <= byteCount
        else { return nil }
        self.init(fileID: fileID, byteCount: Int(byteCount), offset: Int(offset))
    }
}

/// A piece that is being read for another node.
struct OutgoingPiece {
    var operation: UInt64
    var link: PeerLinkID
    var file: FileName
    var piece: StateFilePiece
    /// When it was read before those that were asked for earlier.
    var bytes: [UInt8]?
}
