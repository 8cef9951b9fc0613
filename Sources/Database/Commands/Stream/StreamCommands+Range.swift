import Base
import RESP

// Reading entries by their IDs.
extension StreamCommands {
    static func xrange(_ execution: Execution) { range(execution, isReversed: false) }
    static func xrevrange(_ execution: Execution) { range(execution, isReversed: true) }

    private static func range(_ execution: Execution, isReversed: Bool) {
        let arguments = execution.arguments
        guard let start = execution.rangeStart(isReversed ? 3 : 2), let end = execution.rangeEnd(isReversed ? 2 : 3) else {
            return
        }
        var count: Int64?
        var index = 4
        while index < arguments.count {
            if index + 1 >= arguments.count || !arguments[index].equalsIgnoringCase("count") { return execution.syntaxError() }
            guard let given = execution.streamInteger(index + 1) else { return }
            count = max(given, 0)
            index += 2
        }
        let found = execution.read(StreamValue.self, at: arguments[1])
        guard case .value(let value) = execution.found(found, { $0.array(0) }) else { return }
        let reply = execution.reply
        if count == 0 { return reply.nullArray() }
        replyEntries(value, from: start, through: end, count: count.map { Int($0) } ?? .max, isReversed: isReversed, reply)
    }

    /// Replies up to `count` entries as an array.
    static func replyEntries(
        _ value: StreamValue, from start: StreamID = .zero, through end: StreamID = .last, count: Int,
        isReversed: Bool = false, _ reply: ReplyWriter
    ) {
        let begun = reply.beginArray()
        var written = 0
        let write: (StreamEntry) -> Bool = { entry in
            reply.streamEntry(entry)
            written += 1
            return written < count
        }
        if isReversed {
            value.entries.forEachReversed(from: end, through: start, write)
        } else {
            value.entries.forEach(from: start, through: end, write)
        }
        reply.end(begun, count: written)
    }
}
