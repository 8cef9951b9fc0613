// RESP: the Redis serialization protocol, versions 2 and 3, for both ends of a connection.
//
// Owns the incremental request parser with its limits, the list of arguments that it fills, the writer of replies,
// the parser of replies (for clients, tests and the simulator), the writer of requests, and the conversions between
// numbers and text exactly as Redis words them.
//
// It never touches a socket, never knows a command's name, and never allocates per request once its buffers are
// warm: arguments are views into the connection's input, replies are written into the connection's output.
//
// Bytes from clients are hostile: whatever does not fit a rule or a limit ends as a `ProtocolError` with the text that
// Redis gives, never as a trap. The same bytes give the same commands however they were cut into pieces.
//
// Start with `RequestParser` (bytes to `Arguments`), then `ReplyWriter`. `Reply` and `ReplyParser` are the client's
// side. Sources: the protocol specification (redis.io/docs/reference/protocol-spec), and the behaviour of Redis 7.2.

/// The protocol version that a connection speaks: 2 until it says `HELLO 3`.
package enum RESPVersion: UInt8, Sendable {
    /// RESP2: simple strings, errors, integers, bulk strings and arrays.
    case two = 2
    /// RESP3: adds maps, sets, doubles, booleans, nulls, big numbers, verbatim strings, attributes and push messages.
    case three = 3
}

/// Carriage return and line feed, as one little-endian word.
let lineEnd: UInt16 = 0x0A0D

/// The bytes that the parsers look for.
enum ASCII {
    static let null: UInt8 = 0x00
    static let bell: UInt8 = 0x07
    static let backspace: UInt8 = 0x08
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let doubleQuote: UInt8 = 0x22
    static let singleQuote: UInt8 = 0x27
    static let plus: UInt8 = 0x2B
    static let minus: UInt8 = 0x2D
    static let point: UInt8 = 0x2E
    static let zero: UInt8 = 0x30
    static let backslash: UInt8 = 0x5C

    /// What C's `isspace` says in the "C" locale.
    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool { byte == space || (byte >= tab && byte <= carriageReturn) }

    /// The value of a hexadecimal digit, or nil.
    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
