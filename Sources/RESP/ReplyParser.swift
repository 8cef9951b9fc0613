import Base

/// What a client accepts from a server.
package struct ReplyLimits: Sendable, Equatable {
    /// Bytes of one string.
    package var bulkBytesMax = 512 << 20
    /// Bytes of a line: a status, an error, a number.
    package var lineBytesMax = 1 << 20
    /// Elements of one aggregate.
    package var elementsMax = 64 << 20
    /// Aggregates inside aggregates.
    package var depthMax = 64

    /// Wide limits, for a server that is trusted to a degree.
    package init() {}
}

/// Why bytes are not a reply.
package enum ReplyError: Error, Equatable, Sendable {
    /// A reply starts with a byte that no type has.
    case unknownType(UInt8)
    /// A length is not a number, or negative where it must not be.
    case invalidLength
    /// A number, boolean or null is malformed.
    case invalidValue(type: UInt8)
    /// A string, line or aggregate is above its limit, or aggregates are nested too deep.
    case tooBig
    /// Streamed strings and aggregates (`$?`, `*?`) are not spoken here; no Redis command replies with them.
    case streamed

    /// One line for the operator.
    package var text: String {
        switch self {
        case .unknownType(let byte): "the server's reply starts with byte \(byte), which is no RESP type (is this a Redis port?)"
        case .invalidLength: "the server's reply has a malformed length"
        case .invalidValue(let type): "the server's reply has a malformed value of type '\(UnicodeScalar(type))'"
        case .tooBig: "the server's reply is above this client's limits"
        case .streamed: "the server streams its reply, which this client does not understand"
        }
    }
}

/// What `ReplyParser.next` found.
package enum ReplyOutcome: Equatable, Sendable {
    /// A whole reply. The caller drops `consumed` bytes.
    case reply(Reply, consumed: Int)
    /// The reply goes on. The caller drops `consumed` bytes (they are understood and kept), and asks again when the rest
    /// of the input has grown to `need` bytes.
    case incomplete(consumed: Int, need: Int)
    /// Not a reply; the connection is of no use any more.
    case failure(ReplyError)
}

/// Reads replies of RESP2 and RESP3, in any pieces. Elements of an unfinished aggregate are kept, so nothing is parsed twice
/// but the last string.
package struct ReplyParser {
    /// What is accepted.
    package var limits: ReplyLimits
    /// Aggregates that have begun, outermost first.
    private var open: [Aggregate] = []
    private var failure: ReplyError?

    /// An aggregate that waits for elements.
    private struct Aggregate {
        var type: UInt8
        /// Elements that it will have; keys and values count one each, and the reply behind attributes is one.
        var expected: Int
        var elements: [Reply] = []
    }

    private enum Step {
        /// A value without parts.
        case value(Reply)
        case aggregate(type: UInt8, count: Int)
        case incomplete(need: Int)
    }

    /// A parser at the start of a connection.
    package init(limits: ReplyLimits = ReplyLimits()) { self.limits = limits }

    /// Reads on at the front of `input`. After a failure every further call fails alike.
    package mutating func next(in input: ByteView) -> ReplyOutcome {
        if let failure { return .failure(failure) }
        var position = 0
        do throws(ReplyError) {
            while true {
                switch try step(input, &position) {
                case .incomplete(let need):
                    check(need > input.count - position, "a parser that wants more says how much")
                    return .incomplete(consumed: position, need: need)
                case .aggregate(let type, let count) where count > 0:
                    if open.count == limits.depthMax { throw .tooBig }
                    var aggregate = Aggregate(type: type, expected: count)
                    aggregate.elements.reserveCapacity(min(count, 1024))
                    open.append(aggregate)
                case .aggregate(let type, _):
                    if let reply = fold(ReplyParser.assemble(type, [])) { return .reply(reply, consumed: position) }
                case .value(let value):
                    if let reply = fold(value) { return .reply(reply, consumed: position) }
                }
            }
        } catch {
            failure = error
            open = []
            return .failure(error)
        }
    }

    /// Adds a finished value to the innermost aggregate, and closes those that are full; the whole reply, or nil.
    private mutating func fold(_ value: Reply) -> Reply? {
        var value = value
        while let last = open.indices.last {
            open[last].elements.append(value)
            if open[last].elements.count < open[last].expected { return nil }
            let full = open.removeLast()
            value = ReplyParser.assemble(full.type, full.elements)
        }
        return value
    }

    private static func assemble(_ type: UInt8, _ elements: [Reply]) -> Reply {
        func pairs(_ count: Int) -> [Reply.Pair] {
            (0..<count / 2).map { Reply.Pair(elements[2 * $0], elements[2 * $0 + 1]) }
        }
        switch type {
        case UInt8(ascii: "%"): return .map(pairs(elements.count))
        case UInt8(ascii: "~"): return .set(elements)
        case UInt8(ascii: ">"): return .push(elements)
        case UInt8(ascii: "|"):
            guard let reply = elements.last else { return .null }
            return .attributed(pairs(elements.count - 1), reply)
        default: return .array(elements)
        }
    }

    /// Reads one value without parts, or the header of an aggregate, and moves `position` behind it.
    private func step(_ input: ByteView, _ position: inout Int) throws(ReplyError) -> Step {
        let rest = input.dropFirst(position)
        if rest.isEmpty { return .incomplete(need: 1) }
        let type = rest[0]
        guard ReplyParser.isType(type) else { throw .unknownType(type) }
        let searched = rest.slice(0, min(rest.count, limits.lineBytesMax + 2))
        guard let end = searched.firstIndex(of: ASCII.carriageReturn, from: 1) else {
            if rest.count > limits.lineBytesMax + 1 { throw .tooBig }
            return .incomplete(need: rest.count + 1)
        }
        if end + 2 > rest.count { return .incomplete(need: end + 2) }
        if rest[end + 1] != ASCII.lineFeed { throw .invalidValue(type: type) }
        let line = rest.slice(1, end - 1)
        switch type {
        case UInt8(ascii: "$"), UInt8(ascii: "="), UInt8(ascii: "!"):
            return try string(type, line, rest, end + 2, &position)
        case UInt8(ascii: "*"), UInt8(ascii: "%"), UInt8(ascii: "~"), UInt8(ascii: ">"), UInt8(ascii: "|"):
            position += end + 2
            let count = try length(line)
            if count < 0 {
                if type != UInt8(ascii: "*") { throw .invalidLength }
                return .value(.null)
            }
            if count > limits.elementsMax { throw .tooBig }
            switch type {
            case UInt8(ascii: "%"): return .aggregate(type: type, count: count * 2)
            case UInt8(ascii: "|"): return .aggregate(type: type, count: count * 2 + 1)
            default: return .aggregate(type: type, count: count)
            }
        default:
            position += end + 2
            return .value(try ReplyParser.scalar(type, line))
        }
    }

    private static func isType(_ byte: UInt8) -> Bool { ByteView("+-:$*_%~>,#(=!|").firstIndex(of: byte) != nil }

    /// A string with its length before it: bulk, verbatim, long error.
    private func string(
        _ type: UInt8, _ line: ByteView, _ rest: ByteView, _ start: Int, _ position: inout Int
    ) throws(ReplyError) -> Step {
        let count = try length(line)
        if count < 0 {
            if type != UInt8(ascii: "$") { throw .invalidLength }
            position += start
            return .value(.null)
        }
        if count > limits.bulkBytesMax { throw .tooBig }
        if rest.count < start + count + 2 { return .incomplete(need: start + count + 2) }
        if rest.slice(start + count, 2).integer(at: 0, as: UInt16.self) != lineEnd { throw .invalidValue(type: type) }
        let bytes = rest.slice(start, count)
        position += start + count + 2
        switch type {
        case UInt8(ascii: "="):
            if count < 4 || bytes[3] != UInt8(ascii: ":") { throw .invalidValue(type: type) }
            return .value(.verbatim(format: bytes.slice(0, 3).array, bytes.dropFirst(4).array))
        case UInt8(ascii: "!"): return .value(.error(bytes.array))
        default: return .value(.bulk(bytes.array))
        }
    }

    /// A length; -1 for "null".
    private func length(_ line: ByteView) throws(ReplyError) -> Int {
        if line.count == 1 && line[0] == UInt8(ascii: "?") { throw .streamed }
        guard let value = parseInteger(line), value >= -1 else { throw .invalidLength }
        if value > Int64(Int32.max) * 2 { throw .tooBig }
        return Int(value)
    }

    /// A value that is one line.
    private static func scalar(_ type: UInt8, _ line: ByteView) throws(ReplyError) -> Reply {
        switch type {
        case UInt8(ascii: "+"): return .simple(line.array)
        case UInt8(ascii: "-"): return .error(line.array)
        case UInt8(ascii: ":"):
            guard let value = parseInteger(line) else { throw .invalidValue(type: type) }
            return .integer(value)
        case UInt8(ascii: ","):
            if line.equalsIgnoringCase("nan") || line.equalsIgnoringCase("-nan") { return .double(.nan) }
            guard let value = parseDouble(line) else { throw .invalidValue(type: type) }
            return .double(value)
        case UInt8(ascii: "#"):
            if line.count != 1 || (line[0] != UInt8(ascii: "t") && line[0] != UInt8(ascii: "f")) {
                throw .invalidValue(type: type)
            }
            return .boolean(line[0] == UInt8(ascii: "t"))
        case UInt8(ascii: "("):
            let digits = !line.isEmpty && line[0] == ASCII.minus ? line.dropFirst(1) : line
            if digits.isEmpty { throw .invalidValue(type: type) }
            for index in 0..<digits.count where digits[index] < 0x30 || digits[index] > 0x39 {
                throw .invalidValue(type: type)
            }
            return .bigNumber(line.array)
        default:
            if !line.isEmpty { throw .invalidValue(type: type) }
            return .null
        }
    }
}
