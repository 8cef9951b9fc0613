import Base
import RESP

/// The bytes of a log entry that carries commands. Little-endian; version 2 (version 1 had no pieces, and is read).
///
///     header    UInt8 version | Int64 leader's wall time in µs | UInt64 leader's seed
///     segments  to the end of the payload, each:
///       header  UInt32 owner | UInt64 incarnation | UInt64 number of the first item | UInt32 items | UInt32 bytes of items
///       items   UInt8 kind << 4 | database, varint connection, varint argument count, varint length of each argument,
///               then the arguments' bytes
///
/// A large command is several items, one behind the other: the pieces of what its one item would be (`CommandBatch+Pieces`).
///
/// A segment holds proposals of one node's run in its numbering; a node makes them, the leader puts them behind one
/// header. A format that goes into logs: a change needs a new version, and the old one stays readable.
package enum CommandBatch {
    package static let version: UInt8 = 2
    /// Bytes before the first segment.
    package static let payloadHeaderBytes = 17
    /// Bytes before a segment's items.
    package static let segmentHeaderBytes = 28
    /// Arguments of one item.
    package static let argumentsMax = 1 << 20

    /// What an item asks for.
    enum ItemKind: UInt8, Sendable {
        case command = 0
        /// The first piece of a large command. Two arguments: the bytes of all pieces (UInt64), and the piece.
        case firstPiece = 1
        /// A further one. One argument.
        case piece = 2
        /// The last one, with which the command is executed.
        case lastPiece = 3
    }

    // MARK: writing

    /// Begins an entry's payload.
    package static func beginPayload(time: WallTime, seed: UInt64, to buffer: ByteBuffer) {
        buffer.append(byte: version)
        buffer.append(integer: time.microseconds)
        buffer.append(integer: seed)
    }

    /// Appends the header of a segment whose items follow.
    ///
    /// - Parameters:
    ///   - first: number of the first item; the others follow it without gaps.
    ///   - count: items.
    ///   - byteCount: bytes of all items.
    package static func appendSegmentHeader(
        owner: NodeID, incarnation: Incarnation, first: UInt64, count: Int, byteCount: Int, to buffer: ByteBuffer
    ) {
        check(count >= 0 && count <= UInt32.max && byteCount >= 0 && byteCount <= UInt32.max, "a segment is within its format")
        buffer.append(integer: owner.rawValue)
        buffer.append(integer: incarnation.rawValue)
        buffer.append(integer: first)
        buffer.append(integer: UInt32(count))
        buffer.append(integer: UInt32(byteCount))
    }

    /// Appends one command.
    ///
    /// - Parameters:
    ///   - database: 0 to 15, the connection's selected one.
    ///   - connection: the owner's number of the connection; 0 when there is none.
    package static func appendItem(database: Int, connection: UInt64, arguments: Arguments, to buffer: ByteBuffer) {
        check(database >= 0 && database < Execution.databases, "a database has a number from 0 to 15")
        appendItemHeader(database: database, connection: connection, arguments: arguments, to: buffer)
        for index in 0..<arguments.count { buffer.append(arguments[index]) }
    }

    /// Appends what stands before the arguments' bytes.
    @inline(__always)
    static func appendItemHeader(database: Int, connection: UInt64, arguments: Arguments, to buffer: ByteBuffer) {
        check(arguments.count > 0 && arguments.count <= argumentsMax, "an item's arguments are within their limit")
        buffer.append(byte: ItemKind.command.rawValue << 4 | UInt8(database))
        buffer.append(variable: connection)
        buffer.append(variable: UInt64(arguments.count))
        for index in 0..<arguments.count { buffer.append(variable: UInt64(arguments[index].count)) }
    }

    // MARK: reading

    /// The header of a payload; nil when it is too short or of another version.
    package static func header(_ payload: ByteView) -> (time: WallTime, seed: UInt64)? {
        var reader = ByteReader(payload)
        guard let format = reader.integer(UInt8.self), format == version || format == 1, let time = reader.integer(Int64.self),
            let seed = reader.integer(UInt64.self)
        else { return nil }
        return (WallTime(microseconds: time), seed)
    }

    /// The header of a segment.
    package struct SegmentHeader: Equatable, Sendable {
        package var owner: NodeID
        package var incarnation: Incarnation
        package var first: UInt64
        package var count: Int
        package var byteCount: Int
    }

    /// Reads a segment's header; nil when it does not fit, or names items beyond the bytes that are there.
    package static func segmentHeader(_ reader: inout ByteReader) -> SegmentHeader? {
        guard let owner = reader.integer(UInt32.self), let incarnation = reader.integer(UInt64.self),
            let first = reader.integer(UInt64.self), let count = reader.integer(UInt32.self),
            let byteCount = reader.integer(UInt32.self)
        else { return nil }
        if Int(byteCount) > reader.remaining || count > byteCount || owner == 0 { return nil }
        if first == 0 || first.addingReportingOverflow(UInt64(count)).overflow { return nil }
        return SegmentHeader(
            owner: NodeID(owner), incarnation: Incarnation(incarnation), first: first, count: Int(count),
            byteCount: Int(byteCount))
    }

    /// One item: where it goes; its arguments are filled into an `Arguments`.
    package struct Item: Equatable, Sendable {
        var kind: ItemKind
        package var database: Int
        package var connection: UInt64
    }

    /// Reads an item into `arguments`, whose base must be the reader's view; nil when it does not fit `end`.
    package static func item(_ reader: inout ByteReader, end: Int, arguments: Arguments) -> Item? {
        guard reader.offset < end, let first = reader.integer(UInt8.self), let kind = ItemKind(rawValue: first >> 4),
            let connection = reader.variable(), let count = reader.variable(), count > 0, count <= argumentsMax,
            Int(count) <= end - reader.offset
        else { return nil }
        // The bytes start where the lengths end: the lengths are read twice.
        var lengths = reader
        for _ in 0..<count where reader.variable() == nil { return nil }
        var offset = reader.offset
        for _ in 0..<count {
            guard let length = lengths.variable(), offset <= end, length <= UInt64(end - offset) else { return nil }
            arguments.append(offset: offset, count: Int(length))
            offset += Int(length)
        }
        reader.offset = offset
        return Item(kind: kind, database: Int(first & 0xF), connection: connection)
    }

    /// Steps over an item and returns its database and its first argument behind the name, where most commands have their
    /// key; nil at the end, or where there is none.
    package static func skipItem(_ reader: inout ByteReader, end: Int) -> (database: Int, key: ByteView)? {
        guard reader.offset < end, let first = reader.integer(UInt8.self), reader.variable() != nil,
            let count = reader.variable(), count > 1, count <= 8
        else { return nil }
        var skipped = 0
        var keyOffset = 0
        var keyCount = 0
        for index in 0..<Int(count) {
            guard let length = reader.variable(), length < 1 << 30 else { return nil }
            if index == 1 {
                keyOffset = skipped
                keyCount = Int(length)
            }
            skipped += Int(length)
        }
        guard skipped <= end - reader.offset else { return nil }
        let key = reader.view.slice(reader.offset + keyOffset, keyCount)
        reader.offset += skipped
        return (Int(first & 0xF), key)
    }

    /// Whether a segment that came from another node, header and items and nothing else, is well-formed. A leader proposes no
    /// other: an entry that can't be decoded would stop every node.
    package static func validateSegment(_ segment: ByteView) -> Bool {
        var reader = ByteReader(segment)
        guard let header = segmentHeader(&reader), header.byteCount == reader.remaining else { return false }
        let arguments = Arguments()
        for _ in 0..<header.count {
            arguments.removeAll(over: segment)
            if item(&reader, end: segment.count, arguments: arguments) == nil { return false }
        }
        return reader.remaining == 0
    }

    /// Whether the payload of an entry that does not come from a log of one's own is well-formed: then it can be applied.
    package static func validatePayload(_ payload: ByteView) -> Bool {
        if header(payload) == nil { return false }
        var reader = ByteReader(payload)
        reader.offset = payloadHeaderBytes
        while reader.remaining > 0 {
            let start = reader.offset
            guard let segment = segmentHeader(&reader) else { return false }
            let count = reader.offset - start + segment.byteCount
            if !validateSegment(payload.slice(start, count)) { return false }
            reader.offset = start + count
        }
        return true
    }
}
