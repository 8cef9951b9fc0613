import Base
import RESP

// Counting and finding bits in a range of bytes or bits.
extension BitmapCommands {
    /// The words of BITCOUNT and BITPOS from the first end of the range on.
    private struct Range {
        var start: Int64 = 0
        /// Nil where the range goes to the end of the string.
        var end: Int64?
        var isBits = false

        /// Whether both ends are counted from the end and stand in the wrong order.
        var isBackwards: Bool { start < 0 && start > end ?? -1 }

        /// The bits that it means in a string of `count` bytes; nil where it is empty.
        func bits(count: Int) -> ClosedRange<Int>? {
            let total = Int64(count) << (isBits ? 3 : 0)
            var (first, last) = (start, end ?? total - 1)
            if first < 0 { first = max(0, total + first) }
            if last < 0 { last = max(0, total + last) }
            last = min(last, total - 1)
            if first > last { return nil }
            return isBits ? Int(first)...Int(last) : Int(first) * 8...(Int(last) * 8 + 7)
        }
    }

    /// Reads the range from argument `index` on: of BITPOS the unit before the end, of BITCOUNT behind it, and not at all where the
    /// range is backwards, as Redis does. Nil after the error was replied.
    private static func range(_ execution: Execution, from index: Int, unitFirst: Bool) -> Range? {
        let arguments = execution.arguments
        var range = Range()
        guard let start = parseInteger(arguments[index]) else {
            execution.notInteger()
            return nil
        }
        range.start = start
        if unitFirst, !readUnit(execution, at: index + 2, &range) { return nil }
        if index + 1 < arguments.count {
            guard let end = parseInteger(arguments[index + 1]) else {
                execution.notInteger()
                return nil
            }
            range.end = end
        }
        if !unitFirst, range.isBackwards { return range }
        return readUnit(execution, at: index + 2, &range) ? range : nil
    }

    private static func readUnit(_ execution: Execution, at index: Int, _ range: inout Range) -> Bool {
        if index >= execution.arguments.count { return true }
        let unit = execution.arguments[index]
        range.isBits = unit.equalsIgnoringCase("bit")
        if range.isBits || unit.equalsIgnoringCase("byte") { return true }
        execution.syntaxError()
        return false
    }

    static func bitcount(_ execution: Execution) {
        let arguments = execution.arguments
        // As in Redis 7, the key comes first: where it is absent, wrong arguments are no error.
        guard let entry = execution.lookupRead(arguments[1]) else { return execution.reply.integer(0) }
        if !entry.isString { return execution.wrongType() }
        var asked = Range()
        if arguments.count == 4 || arguments.count == 5 {
            guard let range = range(execution, from: 2, unitFirst: false) else { return }
            asked = range
        } else if arguments.count != 2 {
            return execution.syntaxError()
        }
        let text = execution.text(of: entry)
        guard !asked.isBackwards, let bits = asked.bits(count: text.count) else { return execution.reply.integer(0) }
        execution.reply.integer(Bits.count(text, in: bits))
    }

    static func bitpos(_ execution: Execution) {
        let arguments = execution.arguments
        guard let bit = parseInteger(arguments[2]) else { return execution.notInteger() }
        if bit != 0, bit != 1 { return execution.reply.error("ERR The bit argument must be 1 or 0.") }
        guard let entry = execution.lookupRead(arguments[1]) else { return execution.reply.integer(bit == 1 ? -1 : 0) }
        if !entry.isString { return execution.wrongType() }
        var asked = Range()
        if arguments.count >= 4, arguments.count <= 6 {
            guard let range = range(execution, from: 3, unitFirst: true) else { return }
            asked = range
        } else if arguments.count != 3 {
            return execution.syntaxError()
        }
        let text = execution.text(of: entry)
        guard let bits = asked.bits(count: text.count) else { return execution.reply.integer(-1) }
        if let place = Bits.first(bit == 1, in: text, bits) { return execution.reply.integer(place) }
        // Behind a string that is searched to its end stand zeros for ever.
        execution.reply.integer(bit == 0 && asked.end == nil ? text.count * 8 : -1)
    }
}
