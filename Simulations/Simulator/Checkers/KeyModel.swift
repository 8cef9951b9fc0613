import Base

/// What a key holds, and what one machine that does one thing after the other would answer: the sequential specification
/// that histories are held against.
package enum KeyValue: Hashable, Sendable, CustomStringConvertible {
    case absent
    case string([UInt8])
    case list([[UInt8]])
    case hash([[UInt8]: [UInt8]])
    case set(Set<[UInt8]>)
    /// Members with their scores, which here are integers.
    case sortedSet([[UInt8]: Int64])

    /// What became of a command.
    package struct Step {
        /// Whether the reply is the one that the key's content demands.
        package var isLegal: Bool
        /// What the key holds afterwards.
        package var next: KeyValue
    }

    /// Executes `command`; `reply` nil stands for any reply (its outcome is unknown). A reply in no order is given as
    /// `KeyCommand.canonical` makes it.
    package func step(_ command: KeyCommand, reply: Reply?) -> Step {
        let (expected, next) = execute(command)
        guard let reply else { return Step(isLegal: true, next: next) }
        if case .error(let text) = expected {
            return Step(isLegal: reply.isError(String(decoding: text, as: UTF8.self)), next: next)
        }
        return Step(isLegal: reply == expected, next: next)
    }

    /// The reply (of an error only its beginning) and what the key holds afterwards.
    package func execute(_ command: KeyCommand) -> (Reply, KeyValue) {
        switch command {
        case .get, .getSet, .setAndGet, .getAndDelete: getting(command)
        case .set(let value): (.ok, .string(value))
        case .setIfAbsent(let value): self == .absent ? (.ok, .string(value)) : (.null, self)
        case .setIfPresent(let value): self == .absent ? (.null, self) : (.ok, .string(value))
        case .delete: (.integer(self == .absent ? 0 : 1), .absent)
        case .exists: (.integer(self == .absent ? 0 : 1), self)
        case .type: (.simple(Array(typeName.utf8)), self)
        case .append, .increment, .length: changingString(command)
        case .pushLeft, .pushRight, .popLeft, .popRight, .listRange, .listLength: onList(command)
        case .setField, .field, .deleteField, .incrementField, .fieldCount, .fields: onHash(command)
        case .addMember, .removeMember, .hasMember, .memberCount, .members: onSet(command)
        case .holds(let value): (self == value ? .ok : .null, self)
        case .score, .addScore, .setScore, .removeScore, .popLowest, .scoreCount, .ranking: onSortedSet(command)
        }
    }

    private static let wrongType = Reply.error(Array("WRONGTYPE ".utf8))
    private static let notAnInteger = Reply.error(Array("ERR ".utf8))

    private var typeName: String {
        switch self {
        case .absent: "none"
        case .string: "string"
        case .list: "list"
        case .hash: "hash"
        case .set: "set"
        case .sortedSet: "zset"
        }
    }

    package var description: String {
        switch self {
        case .absent: "nothing"
        case .string(let bytes): "\"" + abbreviated(bytes) + "\""
        case .list(let elements): "a list of \(elements.count)"
        case .hash(let fields): "a hash of \(fields.count)"
        case .set(let members): "a set of \(members.count)"
        case .sortedSet(let members): "a sorted set of \(members.count)"
        }
    }

    // MARK: strings

    private func getting(_ command: KeyCommand) -> (Reply, KeyValue) {
        let old: Reply
        switch self {
        case .absent: old = .null
        case .string(let bytes): old = .bulk(bytes)
        default: return (KeyValue.wrongType, self)
        }
        switch command {
        case .getSet(let value), .setAndGet(let value): return (old, .string(value))
        case .getAndDelete: return (old, .absent)
        default: return (old, self)
        }
    }

    private func changingString(_ command: KeyCommand) -> (Reply, KeyValue) {
        let old: [UInt8]
        switch self {
        case .absent: old = []
        case .string(let bytes): old = bytes
        default: return (KeyValue.wrongType, self)
        }
        switch command {
        case .append(let value):
            return (.integer(Int64(old.count + value.count)), .string(old + value))
        case .increment(let amount):
            let digits = self == .absent ? [UInt8(ascii: "0")] : old
            guard let number = KeyValue.integer(digits) else {
                return (.error(Array("ERR value is not an integer or out of range".utf8)), self)
            }
            let (sum, overflow) = number.addingReportingOverflow(amount)
            if overflow { return (.error(Array("ERR increment or decrement would overflow".utf8)), self) }
            return (.integer(sum), .string(Array(String(sum).utf8)))
        default:
            return (.integer(Int64(old.count)), self)
        }
    }

    /// An integer as Redis accepts it: decimal digits in their one canonical form.
    private static func integer(_ digits: [UInt8]) -> Int64? {
        guard let number = Int64(String(decoding: digits, as: UTF8.self)), Array(String(number).utf8) == digits else {
            return nil
        }
        return number
    }

    // MARK: collections

    private func onList(_ command: KeyCommand) -> (Reply, KeyValue) {
        var elements: [[UInt8]]
        switch self {
        case .absent: elements = []
        case .list(let present): elements = present
        default: return (KeyValue.wrongType, self)
        }
        switch command {
        case .pushLeft(let value):
            elements.insert(value, at: 0)
            return (.integer(Int64(elements.count)), .list(elements))
        case .pushRight(let value):
            elements.append(value)
            return (.integer(Int64(elements.count)), .list(elements))
        case .popLeft, .popRight:
            if elements.isEmpty { return (.null, self) }
            let popped = command == .popLeft ? elements.removeFirst() : elements.removeLast()
            return (.bulk(popped), elements.isEmpty ? .absent : .list(elements))
        case .listLength: return (.integer(Int64(elements.count)), self)
        default: return (.array(elements.map { .bulk($0) }), self)
        }
    }

    private func onHash(_ command: KeyCommand) -> (Reply, KeyValue) {
        var fields: [[UInt8]: [UInt8]]
        switch self {
        case .absent: fields = [:]
        case .hash(let present): fields = present
        default: return (KeyValue.wrongType, self)
        }
        switch command {
        case .setField(let field, let value):
            let isNew = fields.updateValue(value, forKey: field) == nil
            return (.integer(isNew ? 1 : 0), .hash(fields))
        case .field(let field): return (fields[field].map { .bulk($0) } ?? .null, self)
        case .deleteField(let field):
            let wasThere = fields.removeValue(forKey: field) != nil
            return (.integer(wasThere ? 1 : 0), fields.isEmpty ? .absent : .hash(fields))
        case .incrementField(let field, let amount):
            guard let number = KeyValue.integer(fields[field] ?? [UInt8(ascii: "0")]) else {
                return (KeyValue.notAnInteger, self)
            }
            let (sum, overflow) = number.addingReportingOverflow(amount)
            if overflow { return (KeyValue.notAnInteger, self) }
            fields[field] = Array(String(sum).utf8)
            return (.integer(sum), .hash(fields))
        case .fieldCount: return (.integer(Int64(fields.count)), self)
        default:
            let sorted = fields.sorted { $0.key.lexicographicallyPrecedes($1.key) }
            return (.array(sorted.map { .array([.bulk($0.key), .bulk($0.value)]) }), self)
        }
    }

    private func onSet(_ command: KeyCommand) -> (Reply, KeyValue) {
        var members: Set<[UInt8]>
        switch self {
        case .absent: members = []
        case .set(let present): members = present
        default: return (KeyValue.wrongType, self)
        }
        switch command {
        case .addMember(let member):
            let isNew = members.insert(member).inserted
            return (.integer(isNew ? 1 : 0), .set(members))
        case .removeMember(let member):
            let wasThere = members.remove(member) != nil
            return (.integer(wasThere ? 1 : 0), members.isEmpty ? .absent : .set(members))
        case .hasMember(let member): return (.integer(members.contains(member) ? 1 : 0), self)
        case .memberCount: return (.integer(Int64(members.count)), self)
        default: return (.array(members.sorted { $0.lexicographicallyPrecedes($1) }.map { .bulk($0) }), self)
        }
    }

    private func onSortedSet(_ command: KeyCommand) -> (Reply, KeyValue) {
        var members: [[UInt8]: Int64]
        switch self {
        case .absent: members = [:]
        case .sortedSet(let present): members = present
        default: return (KeyValue.wrongType, self)
        }
        func text(_ score: Int64) -> Reply { .bulk(Array(String(score).utf8)) }
        switch command {
        case .setScore(let member, let score):
            let isNew = members.updateValue(score, forKey: member) == nil
            return (.integer(isNew ? 1 : 0), .sortedSet(members))
        case .addScore(let member, let amount):
            let sum = (members[member] ?? 0) + amount
            members[member] = sum
            return (text(sum), .sortedSet(members))
        case .score(let member): return (members[member].map { text($0) } ?? .null, self)
        case .removeScore(let member):
            let wasThere = members.removeValue(forKey: member) != nil
            return (.integer(wasThere ? 1 : 0), members.isEmpty ? .absent : .sortedSet(members))
        case .popLowest:
            guard let lowest = KeyValue.ranking(members).first, let score = members.removeValue(forKey: lowest) else {
                return (.array([]), self)
            }
            return (.array([.bulk(lowest), text(score)]), members.isEmpty ? .absent : .sortedSet(members))
        case .scoreCount: return (.integer(Int64(members.count)), self)
        default: return (.array(KeyValue.ranking(members).map { .bulk($0) }), self)
        }
    }

    /// Members by score, and by their bytes where scores are equal.
    private static func ranking(_ members: [[UInt8]: Int64]) -> [[UInt8]] {
        members.sorted { $0.value != $1.value ? $0.value < $1.value : $0.key.lexicographicallyPrecedes($1.key) }.map(\.key)
    }
}
