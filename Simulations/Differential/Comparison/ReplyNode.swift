import Base
import RESP

/// A reply with every byte that tells it from another: what `RESP.Reply` folds together (the two nulls of RESP2, ways to write a
/// number) stays apart here.
package struct ReplyNode: Equatable, Sendable {
    /// The first byte: `+ - : $ * _ , # % ~ …`.
    package var type: UInt8
    /// The text of a status, error, number or string.
    package var text: [UInt8] = []
    /// Elements; keys and values in turn for a map.
    package var elements: [ReplyNode] = []
    /// `$-1` and `*-1`.
    package var isNull = false

    /// Reads a whole reply; nil when the bytes are none, or more than one.
    package init?(_ bytes: [UInt8]) {
        var position = 0
        guard let node = ReplyNode(bytes, &position), position == bytes.count else { return nil }
        self = node
    }

    private init?(_ bytes: [UInt8], _ position: inout Int) {
        guard position < bytes.count, let end = bytes[position...].firstIndex(of: 0x0D), end + 1 < bytes.count else { return nil }
        type = bytes[position]
        let line = Array(bytes[(position + 1)..<end])
        position = end + 2
        switch type {
        case UInt8(ascii: "$"), UInt8(ascii: "="), UInt8(ascii: "!"):
            guard let count = line.withView({ parseInteger($0) }).map({ Int($0) }), count < bytes.count else { return nil }
            isNull = count < 0
            if isNull { return }
            guard position + count + 2 <= bytes.count else { return nil }
            text = Array(bytes[position..<(position + count)])
            position += count + 2
        case UInt8(ascii: "*"), UInt8(ascii: "~"), UInt8(ascii: ">"), UInt8(ascii: "%"):
            guard let count = line.withView({ parseInteger($0) }).map({ Int($0) }) else { return nil }
            isNull = count < 0
            for _ in 0..<max(0, type == UInt8(ascii: "%") ? count * 2 : count) {
                guard let element = ReplyNode(bytes, &position) else { return nil }
                elements.append(element)
            }
        default:
            text = line
            isNull = type == UInt8(ascii: "_")
        }
    }

    /// Whether this is an error.
    package var isError: Bool { type == UInt8(ascii: "-") || type == UInt8(ascii: "!") }
    /// Whether this has elements, or could have.
    package var isAggregate: Bool { "*~>%".utf8.contains(type) && !isNull }
    /// The value of an integer reply.
    package var integer: Int64? { type == UInt8(ascii: ":") ? text.withView { parseInteger($0) } : nil }
    /// The number that a string or double spells.
    package var number: Double? {
        if type == UInt8(ascii: ",") || type == UInt8(ascii: "$"), !isNull { return text.withView { parseDouble($0) } }
        return nil
    }

    /// The reply as redis-cli shows it, with the types that it hides.
    package var description: String { lines(indent: "").joined(separator: "\n") }

    private func lines(indent: String) -> [String] {
        let own = String(UnicodeScalar(type))
        if isNull { return [indent + own + (type == UInt8(ascii: "_") ? "" : "-1")] }
        guard isAggregate else {
            return [indent + own + (type == UInt8(ascii: "$") ? text.literal : String(decoding: text, as: UTF8.self))]
        }
        let shown = elements.prefix(40).flatMap { $0.lines(indent: indent + "  ") }
        let rest = elements.count > 40 ? [indent + "  … \(elements.count - 40) more"] : []
        return [indent + own + "\(type == UInt8(ascii: "%") ? elements.count / 2 : elements.count)"] + shown + rest
    }
}
