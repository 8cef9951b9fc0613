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

    case pushLeft([UInt8])
    case pushRight([UInt8])
    case popLeft
    case popRight
    case listRange
    case listLength

    case setField([UInt8], [UInt8])
    case field([UInt8])
    case deleteField([UInt8])
    case incrementField([UInt8], Int64)
    case fieldCount
    case fields

    case addMember([UInt8])
    case removeMember([UInt8])
    case hasMember([UInt8])
    case memberCount
    case members

    case setScore([UInt8], Int64)
    case addScore([UInt8], Int64)
    case score([UInt8])
    case removeScore([UInt8])
    case popLowest
    case scoreCount
    /// All members by their score.
    case ranking

    /// No command of a client: whoever could look saw that the key holds this.
    case holds(KeyValue)

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
        default: collectionWords(key)
        }
    }

    private func collectionWords(_ key: [UInt8]) -> [[UInt8]] {
        func word(_ text: String) -> [UInt8] { Array(text.utf8) }
        return switch self {
        case .pushLeft(let value): [word("LPUSH"), key, value]
        case .pushRight(let value): [word("RPUSH"), key, value]
        case .popLeft: [word("LPOP"), key]
        case .popRight: [word("RPOP"), key]
        case .listRange: [word("LRANGE"), key, word("0"), word("-1")]
        case .listLength: [word("LLEN"), key]
        case .setField(let field, let value): [word("HSET"), key, field, value]
        case .field(let field): [word("HGET"), key, field]
        case .deleteField(let field): [word("HDEL"), key, field]
        case .incrementField(let field, let amount): [word("HINCRBY"), key, field, word(String(amount))]
        case .fieldCount: [word("HLEN"), key]
        case .fields: [word("HGETALL"), key]
        case .addMember(let member): [word("SADD"), key, member]
        case .removeMember(let member): [word("SREM"), key, member]
        case .hasMember(let member): [word("SISMEMBER"), key, member]
        case .memberCount: [word("SCARD"), key]
        case .members: [word("SMEMBERS"), key]
        case .setScore(let member, let score): [word("ZADD"), key, word(String(score)), member]
        case .addScore(let member, let amount): [word("ZINCRBY"), key, word(String(amount)), member]
        case .score(let member): [word("ZSCORE"), key, member]
        case .removeScore(let member): [word("ZREM"), key, member]
        case .popLowest: [word("ZPOPMIN"), key]
        case .scoreCount: [word("ZCARD"), key]
        case .holds(let value): [word("HOLDS"), key, word(value.description)]
        default: [word("ZRANGE"), key, word("0"), word("-1")]
        }
    }

    /// Whether it changes nothing, whatever the key holds.
    package var isRead: Bool {
        switch self {
        case .get, .exists, .length, .type, .listRange, .listLength, .field, .fieldCount, .fields, .hasMember, .memberCount,
            .members,
            .score, .scoreCount, .ranking, .holds:
            true
        default: false
        }
    }

    /// The reply in the one form that the model gives it, where order says nothing: fields by pairs in the order of their names,
    /// members in the order of their bytes. A reply that makes no sense stays as it is.
    package func canonical(_ reply: Reply) -> Reply {
        guard case .array(let elements) = reply else { return reply }
        switch self {
        case .members: return .array(elements.sorted { KeyCommand.precedes($0, $1) })
        case .fields:
            if elements.count % 2 != 0 { return reply }
            let pairs = stride(from: 0, to: elements.count, by: 2).map { Reply.array([elements[$0], elements[$0 + 1]]) }
            return .array(
                pairs.sorted { one, other in
                    guard case .array(let left) = one, case .array(let right) = other else { return false }
                    return KeyCommand.precedes(left[0], right[0])
                })
        default: return reply
        }
    }

    private static func precedes(_ one: Reply, _ other: Reply) -> Bool {
        guard case .bulk(let left) = one, case .bulk(let right) = other else { return false }
        return left.lexicographicallyPrecedes(right)
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
