/// What a client may send. Everything above is refused with a `ProtocolError` before memory is spent on it.
package struct RequestLimits: Sendable, Equatable {
    /// Bytes of one argument (`proto-max-bulk-len`).
    package var bulkBytesMax = 512 << 20
    /// Arguments of one command, its name included.
    package var argumentsMax = 1 << 20
    /// Bytes of an inline command, and of any line that holds a length.
    package var inlineBytesMax = 64 << 10
    /// Bytes of one command altogether (`client-query-buffer-limit`).
    package var queryBufferMax = 1 << 30
    /// Arguments of one command while the client has not yet authenticated.
    package var unauthenticatedArgumentsMax = 10
    /// Bytes of one argument while the client has not yet authenticated.
    package var unauthenticatedBulkBytesMax = 16384

    /// Redis's defaults.
    package init() {}
}

/// Why the bytes of a client are not a request. The connection can't go on: the error is answered, then it is closed.
package enum ProtocolError: Error, Equatable, Sendable {
    /// The number behind `*` is not a number or above `argumentsMax`.
    case invalidMultibulkLength
    /// The number behind `$` is not a number, negative, or above `bulkBytesMax`.
    case invalidBulkLength
    /// A bulk string does not start with `$` but with this byte.
    case expectedBulk(got: UInt8)
    /// No line end within `inlineBytesMax` bytes of an inline command.
    case inlineTooBig
    /// No line end within `inlineBytesMax` bytes behind `*`.
    case multibulkCountTooBig
    /// No line end within `inlineBytesMax` bytes behind `$`.
    case bulkCountTooBig
    /// An inline command opens a quote that it does not close, or goes on right behind a closing quote.
    case unbalancedQuotes
    /// More arguments than a client may send before it authenticates.
    case unauthenticatedMultibulkLength
    /// A longer argument than a client may send before it authenticates.
    case unauthenticatedBulkLength
    /// The whole command is larger than `queryBufferMax`, given here in bytes.
    case queryTooBig(bytesMax: Int)
    /// A zero byte in an inline command: what talks here does not speak RESP (TLS, for instance).
    case zeroByteInline

    /// The reply's text, as Redis words it where Redis has it.
    package var text: String {
        switch self {
        case .invalidMultibulkLength: "ERR Protocol error: invalid multibulk length"
        case .invalidBulkLength: "ERR Protocol error: invalid bulk length"
        case .expectedBulk(let byte):
            "ERR Protocol error: expected '$', got '\(byte >= 0x20 && byte < 0x7F ? String(UnicodeScalar(byte)) : " ")'"
        case .inlineTooBig: "ERR Protocol error: too big inline request"
        case .multibulkCountTooBig: "ERR Protocol error: too big mbulk count string"
        case .bulkCountTooBig: "ERR Protocol error: too big bulk count string"
        case .unbalancedQuotes: "ERR Protocol error: unbalanced quotes in request"
        case .unauthenticatedMultibulkLength: "ERR Protocol error: unauthenticated multibulk length"
        case .unauthenticatedBulkLength: "ERR Protocol error: unauthenticated bulk length"
        case .queryTooBig(let bytes): "ERR Protocol error: the command exceeds client-query-buffer-limit of \(bytes) bytes"
        case .zeroByteInline: "ERR Protocol error: zero byte in an inline request (TLS is not spoken here)"
        }
    }
}
