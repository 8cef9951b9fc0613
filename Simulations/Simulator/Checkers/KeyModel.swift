import Base

/// What a key holds, and what one machine that does one thing after the other would answer: the sequential specification
/// that histories are held against.
package enum KeyValue: Hashable, Sendable, CustomStringConvertible {
    case absent
    case string([UInt8])
    case list([[UInt8]])

    /// What became of a command.
    package struct Step {
        /// Whether the reply is the one that the key's content demands.
        package var isLegal: Bool
        /// What the key holds afterwards.
        package var next: KeyValue
    }

    /// Executes `command`; `reply` nil stands for any reply (its outcome is unknown).
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
        case .pushRight, .popLeft, .listRange, .listLength: onList(command)
        }
    }

    private static let wrongType = Reply.error(Array("WRONGTYPE ".utf8))

    private var typeName: String {
        switch self {
        case .absent: "none"
        case .string: "string"
        case .list: "list"
        }
    }

    private func getting(_ command: KeyCommand) -> (Reply, KeyValue) {
        let old: Reply
        switch self {
        case .absent: old = .null
        case .string(let bytes): old = .bulk(bytes)
        case .list: return (KeyValue.wrongType, self)
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
        case .list: return (KeyValue.wrongType, self)
        }
        switch command {
        case .append(let value):
            return (.integer(Int64(old.count + value.count)), .string(old + value))
        case .increment(let amount):
            let digits = self == .absent ? [UInt8(ascii: "0")] : old
            guard let number = integer(digits) else {
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
    private func integer(_ digits: [UInt8]) -> Int64? {
        guard let number = Int64(String(decoding: digits, as: UTF8.self)), Array(String(number).utf8) == digits else {
            return nil
        }
        return number
    }

    private func onList(_ command: KeyCommand) -> (Reply, KeyValue) {
        var elements: [[UInt8]]
        switch self {
        case .absent: elements = []
        case .list(let present): elements = present
        case .string: return (KeyValue.wrongType, self)
        }
        switch command {
        case .pushRight(let value):
            elements.append(value)
            return (.integer(Int64(elements.count)), .list(elements))
        case .popLeft:
            if elements.isEmpty { return (.null, self) }
            let first = elements.removeFirst()
            return (.bulk(first), elements.isEmpty ? .absent : .list(elements))
        case .listLength: return (.integer(Int64(elements.count)), self)
        default: return (.array(elements.map { .bulk($0) }), self)
        }
    }

    package var description: String {
        switch self {
        case .absent: "nothing"
        case .string(let bytes): "\"" + abbreviated(bytes) + "\""
        case .list(let elements): "a list of \(elements.count)"
        }
    }
}
