import Base

/// A reply as a client sees it. Bytes are copied: for tools, tests and the simulator, not for the server's hot path.
package indirect enum Reply: Equatable, Sendable {
    /// `+`: a status.
    case simple([UInt8])
    /// `-` (and RESP3's `!`): an error; its first word is the code.
    case error([UInt8])
    /// `:`: an integer.
    case integer(Int64)
    /// `$`: any bytes.
    case bulk([UInt8])
    /// `_`, and RESP2's `$-1` and `*-1`.
    case null
    /// `*`: an array.
    case array([Reply])
    /// `%`: a map, in the order it came.
    case map([Pair])
    /// `~`: a set, in the order it came.
    case set([Reply])
    /// `>`: a message that no command asked for.
    case push([Reply])
    /// `,`: a floating-point number.
    case double(Double)
    /// `#`: true or false.
    case boolean(Bool)
    /// `(`: an integer of any size, as digits.
    case bigNumber([UInt8])
    /// `=`: text with the three letters of its format.
    case verbatim(format: [UInt8], [UInt8])
    /// `|`: attributes of the reply that follows.
    case attributed([Pair], Reply)

    /// A key and its value.
    package struct Pair: Equatable, Sendable {
        package var key: Reply
        package var value: Reply
        package init(_ key: Reply, _ value: Reply) {
            self.key = key
            self.value = value
        }
    }

    /// The text of a status, error, bulk or verbatim string, repaired where it is not UTF-8; nil for other replies.
    package var text: String? {
        switch self {
        case .simple(let bytes), .error(let bytes), .bulk(let bytes), .verbatim(_, let bytes), .bigNumber(let bytes):
            String(decoding: bytes, as: UTF8.self)
        default: nil
        }
    }

    /// Whether this is an error.
    package var isError: Bool { if case .error = self { true } else { false } }

    /// The elements of an array, set or push message; keys and values in turn for a map, as RESP2 has it. nil for others.
    package var elements: [Reply]? {
        switch self {
        case .array(let elements), .set(let elements), .push(let elements): elements
        case .map(let pairs): pairs.flatMap { [$0.key, $0.value] }
        case .attributed(_, let reply): reply.elements
        default: nil
        }
    }
}
