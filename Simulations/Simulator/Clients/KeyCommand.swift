import Base

/// A command of a client on one key, as far as the model knows it.
package enum KeyCommand: Hashable, Sendable {
    case get
    case set([UInt8])
    /// SET … NX.
    case setIfAbsent([UInt8])
    /// SET … XX.
    case setIfPresent([UInt8])
    /// SET … GET.
    case setAndGet([UInt8])
    case getSet([UInt8])
    case getAndDelete
    case delete
    case append([UInt8])
    case increment(Int64)
    case exists
    case length
    case type
    case pushRight([UInt8])
    case popLeft
    case listRange
    case listLength

    /// The command's words, the key among them.
    package func words(key: [UInt8]) -> [[UInt8]] {
        func word(_ text: String) -> [UInt8] { Array(text.utf8) }
        return switch self {
        case .get: [word("GET"), key]
        case .set(let value): [word("SET"), key, value]
        case .setIfAbsent(let value): [word("SET"), key, value, word("NX")]
        case .setIfPresent(let value): [word("SET"), key, value, word("XX")]
        case .setAndGet(let value): [word("SET"), key, value, word("GET")]
        case .getSet(let value): [word("GETSET"), key, value]
        case .getAndDelete: [word("GETDEL"), key]
        case .delete: [word("DEL"), key]
        case .append(let value): [word("APPEND"), key, value]
        case .increment(let amount): amount == 1 ? [word("INCR"), key] : [word("INCRBY"), key, word(String(amount))]
        case .exists: [word("EXISTS"), key]
        case .length: [word("STRLEN"), key]
        case .type: [word("TYPE"), key]
        case .pushRight(let value): [word("RPUSH"), key, value]
        case .popLeft: [word("LPOP"), key]
        case .listRange: [word("LRANGE"), key, word("0"), word("-1")]
        case .listLength: [word("LLEN"), key]
        }
    }

    /// Whether it changes nothing, whatever the key holds.
    package var isRead: Bool {
        switch self {
        case .get, .exists, .length, .type, .listRange, .listLength: true
        default: false
        }
    }
}

/// A RESP request: an array of bulk strings.
package func appendRequest(_ words: [[UInt8]], to buffer: ByteBuffer) {
    buffer.append(byte: UInt8(ascii: "*"))
    buffer.append(decimal: Int64(words.count))
    buffer.append("\r\n")
    for word in words {
        buffer.append(byte: UInt8(ascii: "$"))
        buffer.append(decimal: Int64(word.count))
        buffer.append("\r\n")
        buffer.append(word)
        buffer.append("\r\n")
    }
}
