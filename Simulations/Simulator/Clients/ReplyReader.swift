import Base

/// Reads replies of protocol 2 and 3 from bytes that come in arbitrary pieces. What protocol 3 says more exactly is told as
/// protocol 2 has it, so that a reply has one form whichever was agreed on.
struct ReplyReader {
    /// What was found at the front of the input.
    enum Outcome: Equatable {
        case reply(Reply)
        /// More bytes are needed.
        case incomplete
        /// Not a reply, and why.
        case malformed(String)
    }

    private let input = ByteBuffer(capacity: 512)

    /// Adds bytes behind those not yet read.
    func append(_ view: ByteView) { input.append(view) }

    /// Number of bytes not yet read.
    var unread: Int { input.count }

    /// Takes the next whole reply out of the input.
    func next() -> Outcome {
        var cursor = Cursor(view: input.view)
        let outcome = cursor.value(depth: 0)
        if case .reply = outcome { input.consume(cursor.offset) }
        return outcome
    }

    /// A walk over the input that consumes nothing until a reply is whole.
    private struct Cursor {
        let view: ByteView
        var offset = 0

        mutating func line() -> ByteView? {
            var end = offset
            while end + 1 < view.count {
                if view[end] == 0x0D, view[end + 1] == 0x0A {
                    let line = view.slice(offset, end - offset)
                    offset = end + 2
                    return line
                }
                end += 1
            }
            return nil
        }

        mutating func value(depth: Int) -> Outcome {
            if depth > 8 { return .malformed("a reply is nested too deeply") }
            guard let line = line() else { return .incomplete }
            if line.isEmpty { return .malformed("an empty line") }
            let rest = line.dropFirst(1)
            switch line[0] {
            case UInt8(ascii: "+"): return .reply(.simple(rest.array))
            case UInt8(ascii: "-"): return .reply(.error(rest.array))
            case UInt8(ascii: ":"):
                guard let number = decimal(rest) else { return .malformed("not an integer") }
                return .reply(.integer(number))
            case UInt8(ascii: "_"): return .reply(.null)
            // A number with a fraction, or too large: text, as protocol 2 has it.
            case UInt8(ascii: ","), UInt8(ascii: "("): return .reply(.bulk(rest.array))
            case UInt8(ascii: "#"): return .reply(.integer(rest.count == 1 && rest[0] == UInt8(ascii: "t") ? 1 : 0))
            case UInt8(ascii: "$"), UInt8(ascii: "="): return bulk(decimal(rest))
            case UInt8(ascii: "*"), UInt8(ascii: "~"): return array(decimal(rest), depth: depth)
            case UInt8(ascii: "%"): return array(decimal(rest).map { $0 * 2 }, depth: depth)
            default: return .malformed("a reply begins with byte \(line[0])")
            }
        }

        private mutating func bulk(_ count: Int64?) -> Outcome {
            guard let count, count >= -1, count < 1 << 30 else { return .malformed("not a length") }
            if count < 0 { return .reply(.null) }
            let size = Int(count)
            if view.count - offset < size + 2 { return .incomplete }
            let bytes = view.slice(offset, size).array
            if view[offset + size] != 0x0D || view[offset + size + 1] != 0x0A { return .malformed("a bulk string is not closed") }
            offset += size + 2
            return .reply(.bulk(bytes))
        }

        private mutating func array(_ count: Int64?, depth: Int) -> Outcome {
            guard let count, count >= -1, count < 1 << 20 else { return .malformed("not a number of elements") }
            if count < 0 { return .reply(.null) }
            var elements: [Reply] = []
            for _ in 0..<count {
                switch value(depth: depth + 1) {
                case .reply(let element): elements.append(element)
                case let other: return other
                }
            }
            return .reply(.array(elements))
        }

        private func decimal(_ digits: ByteView) -> Int64? {
            if digits.isEmpty || digits.count > 20 { return nil }
            return Int64(String(decoding: digits.rawBuffer, as: UTF8.self))
        }
    }
}
