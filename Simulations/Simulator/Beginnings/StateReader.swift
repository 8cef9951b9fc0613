import Base
import Database
import RESP

/// Asks a state machine by commands, as a node does for a client that reads.
struct StateReader {
    private let machine: StateMachine

    init(_ machine: StateMachine) { self.machine = machine }

    /// The reply to a command that only reads, in database 0.
    func ask(_ words: [[UInt8]]) -> Reply {
        let output = ByteBuffer(capacity: 256)
        let arguments = Arguments()
        arguments.replace(with: words)
        if case .command(let command) = CommandTable.standard.resolve(arguments) {
            machine.read(
                command, arguments: arguments, database: 0, readTime: machine.time, random: 1, reply: ReplyWriter(output))
        }
        let reader = ReplyReader()
        reader.append(output.view)
        guard case .reply(let reply) = reader.next() else {
            check(false, "a read has a reply")
            return .null
        }
        return reply
    }

    private func ask(_ name: String, _ key: [UInt8], _ rest: String...) -> Reply {
        ask([Array(name.utf8), key] + rest.map { Array($0.utf8) })
    }

    private func elements(_ reply: Reply) -> [[UInt8]]? {
        guard case .array(let elements) = reply else { return nil }
        return elements.compactMap { if case .bulk(let bytes) = $0 { bytes } else { nil } }
    }

    /// What a key holds; nil where the model has no such values (a stream, scores that are no integers, a time to live).
    func value(of key: [UInt8]) -> KeyValue? {
        guard case .simple(let type) = ask("TYPE", key) else { return nil }
        let name = String(decoding: type, as: UTF8.self)
        if name == "none" { return .absent }
        guard ask("PTTL", key) == .integer(-1) else { return nil }
        switch name {
        case "string":
            guard case .bulk(let bytes) = ask("GET", key) else { return nil }
            return .string(bytes)
        case "list": return elements(ask("LRANGE", key, "0", "-1")).map { .list($0) }
        case "set": return elements(ask("SMEMBERS", key)).map { .set(Set($0)) }
        case "hash": return pairs(ask("HGETALL", key)).map { .hash($0) }
        case "zset":
            guard let pairs = pairs(ask("ZRANGE", key, "0", "-1", "WITHSCORES")) else { return nil }
            var scores: [[UInt8]: Int64] = [:]
            for (member, text) in pairs {
                guard let score = Int64(String(decoding: text, as: UTF8.self)) else { return nil }
                scores[member] = score
            }
            return .sortedSet(scores)
        default: return nil
        }
    }

    private func pairs(_ reply: Reply) -> [[UInt8]: [UInt8]]? {
        guard let elements = elements(reply), elements.count % 2 == 0 else { return nil }
        var pairs: [[UInt8]: [UInt8]] = [:]
        for index in stride(from: 0, to: elements.count, by: 2) { pairs[elements[index]] = elements[index + 1] }
        return pairs
    }
}
