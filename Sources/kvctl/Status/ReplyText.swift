import Base
import RESP

/// Replies in the words of redis-cli: for people (types, numbers, quotes) and for pipes (bare).
package enum ReplyText {
    // MARK: for people

    /// The reply with its types and with quoted strings; ends with a line end.
    ///
    /// - Parameter prefix: what stands before every line of a nested list but its first.
    package static func formatted(_ reply: Reply, prefix: String = "") -> String {
        switch reply {
        case .simple(let bytes): return lossy(bytes) + "\n"
        case .error(let bytes): return "(error) \(lossy(bytes))\n"
        case .integer(let value): return "(integer) \(value)\n"
        case .double(let value): return "(double) \(formatDouble(value))\n"
        case .bigNumber(let digits): return lossy(digits) + "\n"
        case .boolean(let value): return value ? "(true)\n" : "(false)\n"
        case .null: return "(nil)\n"
        case .bulk(let bytes): return quoted(bytes) + "\n"
        case .verbatim(_, let bytes): return lossy(bytes) + "\n"
        case .array(let elements): return list(elements, ")", empty: "(empty array)\n", prefix)
        case .push(let elements): return list(elements, ")", empty: "(empty push)\n", prefix)
        case .set(let elements): return list(elements, "~", empty: "(empty set)\n", prefix)
        case .map(let pairs): return map(pairs, prefix)
        case .attributed(let pairs, let reply):
            return "(attributes) " + map(pairs, prefix + "             ") + prefix + formatted(reply, prefix: prefix)
        }
    }

    private static func list(_ elements: [Reply], _ separator: String, empty: String, _ prefix: String) -> String {
        if elements.isEmpty { return empty }
        let width = String(elements.count).count
        let inner = prefix + String(repeating: " ", count: width + 2)
        var text = ""
        for (index, element) in elements.enumerated() {
            text += (index == 0 ? "" : prefix) + padded(index + 1, width) + separator + " " + formatted(element, prefix: inner)
        }
        return text
    }

    private static func map(_ pairs: [Reply.Pair], _ prefix: String) -> String {
        if pairs.isEmpty { return "(empty hash)\n" }
        let width = String(pairs.count).count
        let inner = prefix + String(repeating: " ", count: width + 2)
        var text = ""
        for (index, pair) in pairs.enumerated() {
            text += (index == 0 ? "" : prefix) + padded(index + 1, width) + "# "
            text += formatted(pair.key, prefix: inner).dropLast() + " => "
            // A list of more than one begins on a line of its own.
            if itemCount(pair.value) > 1 { text += "\n" + inner }
            text += formatted(pair.value, prefix: inner)
        }
        return text
    }

    private static func itemCount(_ reply: Reply) -> Int {
        if case .map(let pairs) = reply { return pairs.count }
        return reply.elements?.count ?? 0
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: " ", count: max(0, width - digits.count)) + digits
    }

    /// Text for a line: as it is, repaired where it is no UTF-8.
    private static func lossy(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Bytes between quotes: line ends, quotes and what is not printable ASCII as escapes.
    package static func quoted(_ bytes: [UInt8]) -> String {
        let text = ByteBuffer(capacity: bytes.count + 2)
        bytes.withView { text.append(quoted: $0) }
        return text.view.text
    }

    // MARK: for pipes

    /// The reply's bytes, lists one element a line; ends with a line end.
    package static func raw(_ reply: Reply) -> [UInt8] {
        var bytes: [UInt8] = []
        appendRaw(reply, to: &bytes)
        return bytes + [0x0A]
    }

    private static func appendRaw(_ reply: Reply, to bytes: inout [UInt8]) {
        switch reply {
        case .simple(let text), .bulk(let text), .verbatim(_, let text), .bigNumber(let text): bytes += text
        case .error(let text): bytes += text + [0x0A]
        case .integer(let value): bytes += "\(value)".utf8
        case .double(let value): bytes += formatDouble(value).utf8
        case .boolean(let value): bytes += (value ? "(true)" : "(false)").utf8
        case .null: break
        case .array(let elements), .set(let elements), .push(let elements):
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(0x0A) }
                appendRaw(element, to: &bytes)
            }
        case .map(let pairs):
            for (index, pair) in pairs.enumerated() {
                if index > 0 { bytes.append(0x0A) }
                appendRaw(pair.key, to: &bytes)
                bytes.append(0x20)
                appendRaw(pair.value, to: &bytes)
            }
        case .attributed(_, let reply): appendRaw(reply, to: &bytes)
        }
    }

    /// Commands whose reply is a text for people, which even a terminal gets bare.
    package static func isText(_ words: [String]) -> Bool {
        let first = words.first?.lowercased() ?? ""
        let second = words.count > 1 ? words[1].lowercased() : ""
        return switch first {
        case "info", "lolwut": true
        case "debug": second == "htstats"
        case "memory": second == "malloc-stats" || second == "doctor"
        case "cluster": second == "nodes" || second == "info"
        case "client": second == "list" || second == "info"
        case "latency": second == "graph" || second == "doctor"
        default: false
        }
    }
}
