import Base
import RESP

// Large commands go through the log in pieces: no entry and no frame between nodes is longer than some MiB, so heartbeats and
// other clients' commands are never far behind one. Each piece is an item with a number of its own, so that what holds for
// items (once, in order, across a change of leader) holds for pieces. The pieces put together are the bytes that
// `appendItem` would have written; the command is executed where the last one is applied, and answers under its number.
extension CommandBatch {
    /// Bytes of a command that is put together again: what a command may have (`NodeLimits.commandBytesMax`) is less.
    package static let assembledBytesMax = 640 << 20

    /// Appends a command as two or more items.
    ///
    /// - Parameters:
    ///   - pieceBytesMax: of the command in one item; less than the command has.
    ///   - finished: called after each item.
    package static func appendPieces(
        database: Int, connection: UInt64, arguments: Arguments, pieceBytesMax: Int, to buffer: ByteBuffer,
        finished: () -> Void
    ) {
        check(
            database >= 0 && database < Execution.databases && pieceBytesMax > 0, "a piece has bytes, a database a number to 15")
        let header = ByteBuffer(capacity: 64)
        appendItemHeader(database: database, connection: connection, arguments: arguments, to: header)
        let total = header.count + arguments.byteCount
        check(total > pieceBytesMax && total <= assembledBytesMax, "only a large command goes in pieces")
        var remaining = total
        var room = 0
        func add(_ bytes: ByteView) {
            var rest = bytes
            while !rest.isEmpty {
                if room == 0 {
                    room = min(pieceBytesMax, remaining)
                    appendPieceHeader(
                        remaining == total ? .firstPiece : room == remaining ? .lastPiece : .piece, database, connection,
                        bytes: room, of: total, to: buffer)
                }
                let count = min(room, rest.count)
                buffer.append(rest.slice(0, count))
                rest = rest.dropFirst(count)
                room -= count
                remaining -= count
                if room == 0 { finished() }
            }
        }
        add(header.view)
        for index in 0..<arguments.count { add(arguments[index]) }
        check(remaining == 0 && room == 0, "the pieces are the whole command")
    }

    private static func appendPieceHeader(
        _ kind: ItemKind, _ database: Int, _ connection: UInt64, bytes: Int, of total: Int, to buffer: ByteBuffer
    ) {
        buffer.append(byte: kind.rawValue << 4 | UInt8(database))
        buffer.append(variable: connection)
        buffer.append(variable: kind == .firstPiece ? 2 : 1)
        if kind == .firstPiece { buffer.append(variable: 8) }
        buffer.append(variable: UInt64(bytes))
        if kind == .firstPiece { buffer.append(integer: UInt64(total)) }
    }
}
