import Base

/// A reply as a client reads it. The simulator has a reader of its own, so that an error in the server's writer is not
/// hidden by the same error here.
package indirect enum Reply: Hashable, Sendable, CustomStringConvertible {
    case simple([UInt8])
    case error([UInt8])
    case integer(Int64)
    case bulk([UInt8])
    /// Null of either protocol version.
    case null
    case array([Reply])

    package static func text(_ text: String) -> Reply { .bulk(Array(text.utf8)) }
    package static let ok = Reply.simple(Array("OK".utf8))

    /// Whether it is an error that begins with `prefix`.
    package func isError(_ prefix: String) -> Bool {
        if case .error(let bytes) = self { return bytes.starts(with: prefix.utf8) }
        return false
    }

    package var description: String {
        switch self {
        case .simple(let bytes): abbreviated(bytes)
        case .error(let bytes):
            "-" + String(decoding: bytes.map { $0 >= 0x20 && $0 < 0x7F ? $0 : UInt8(ascii: ".") }, as: UTF8.self)
        case .integer(let number): "\(number)"
        case .bulk(let bytes): "\"" + abbreviated(bytes) + "\""
        case .null: "null"
        case .array(let elements): "[" + elements.map(\.description).joined(separator: " ") + "]"
        }
    }
}

/// Bytes for messages: their text, or its two ends when it is long. What can't be printed is a dot.
func abbreviated(_ bytes: [UInt8]) -> String {
    func text(_ part: ArraySlice<UInt8>) -> String {
        String(decoding: part.map { $0 >= 0x20 && $0 < 0x7F ? $0 : UInt8(ascii: ".") }, as: UTF8.self)
    }
    if bytes.count <= 48 { return text(bytes[...]) }
    return text(bytes.prefix(20)) + "…\(bytes.count) bytes…" + text(bytes.suffix(20))
}
