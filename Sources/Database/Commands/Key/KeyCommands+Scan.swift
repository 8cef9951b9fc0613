import Base
import RESP

// KEYS and SCAN. Both go in order of the hash, which every node shares.
extension KeyCommands {
    static func keys(_ execution: Execution) {
        let pattern = execution.arguments[1]
        let matchesAll = pattern.count == 1 && pattern[0] == UInt8(ascii: "*")
        let list = execution.reply.beginArray()
        var count = 0
        _ = execution.keyspace.scan(from: 0, count: Int.max) { entry in
            if !execution.isAlive(entry) || !(matchesAll || globMatch(pattern, entry.key)) { return }
            execution.reply.bulk(entry.key)
            count += 1
        }
        execution.reply.end(list, count: count)
    }

    /// The words behind a cursor.
    private struct ScanOptions {
        var count = 10
        var pattern: ByteView?
        var type: ByteView?
    }

    static func scan(_ execution: Execution) {
        guard let cursor = parseCursor(execution.arguments[1]) else { return execution.reply.error("ERR invalid cursor") }
        guard let options = scanOptions(execution) else { return }
        let reply = execution.reply
        let keys = ByteBuffer(capacity: 512)
        let writer = ReplyWriter(keys, version: reply.version, discards: reply.discards)
        var count = 0
        let next = execution.keyspace.scan(from: cursor, count: options.count) { entry in
            if !execution.isAlive(entry) { return }
            if let type = options.type, !type.equalsIgnoringCase(entry.type.name) { return }
            if let pattern = options.pattern, !globMatch(pattern, entry.key) { return }
            writer.bulk(entry.key)
            count += 1
        }
        reply.array(2)
        reply.bulk(decimal: Int64(next))
        reply.array(count)
        reply.preformatted(keys.view)
    }

    /// A cursor, read as C's `strtoul` does: a sign is allowed, and nothing is 0.
    static func parseCursor(_ text: ByteView) -> UInt64? {
        let isNegative = !text.isEmpty && text[0] == UInt8(ascii: "-")
        let hasSign = isNegative || !text.isEmpty && text[0] == UInt8(ascii: "+")
        if hasSign && text.count == 1 { return nil }
        var value: UInt64 = 0
        for index in (hasSign ? 1 : 0)..<text.count {
            let digit = UInt64(text[index] &- 0x30)
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(digit)
            if digit > 9 || overflow || carry { return nil }
            value = sum
        }
        return isNegative ? 0 &- value : value
    }

    private static func scanOptions(_ execution: Execution) -> ScanOptions? {
        let arguments = execution.arguments
        var options = ScanOptions()
        var index = 2
        while index < arguments.count {
            let word = arguments[index]
            guard index + 1 < arguments.count else {
                execution.syntaxError()
                return nil
            }
            if word.equalsIgnoringCase("count") {
                guard let count = parseInteger(arguments[index + 1]) else {
                    execution.notInteger()
                    return nil
                }
                if count < 1 {
                    execution.syntaxError()
                    return nil
                }
                options.count = Int(count)
            } else if word.equalsIgnoringCase("match") {
                let pattern = arguments[index + 1]
                options.pattern = pattern.count == 1 && pattern[0] == UInt8(ascii: "*") ? nil : pattern
            } else if word.equalsIgnoringCase("type") {
                options.type = arguments[index + 1]
            } else {
                execution.syntaxError()
                return nil
            }
            index += 2
        }
        return options
    }
}
