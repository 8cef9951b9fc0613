import Base
import RESP

// Changing a part of a string, and counting.
extension StringCommands {
    /// Longest string in bytes (`proto-max-bulk-len`).
    static let stringBytesMax = 512 << 20

    /// Whether a string of so many bytes is allowed; replies the error when not.
    static func isAllowed(_ byteCount: Int, _ execution: Execution) -> Bool {
        if byteCount <= stringBytesMax { return true }
        execution.reply.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
        return false
    }

    static func append(_ execution: Execution) {
        let key = execution.arguments[1]
        let suffix = execution.arguments[2]
        guard let entry = execution.lookupWrite(key) else {
            execution.setString(key, suffix)
            return execution.reply.integer(suffix.count)
        }
        if !entry.isString { return execution.wrongType() }
        let before = entry.stringCount
        if !isAllowed(before + suffix.count, execution) { return }
        let bytes = execution.mutableString(key, entry: entry, byteCount: before + suffix.count)
        UnsafeMutableRawBufferPointer(rebasing: bytes[before...]).copyMemory(from: suffix.rawBuffer)
        execution.reply.integer(before + suffix.count)
    }

    static func setrange(_ execution: Execution) {
        let key = execution.arguments[1]
        let value = execution.arguments[3]
        guard let offset = parseInteger(execution.arguments[2]) else { return execution.notInteger() }
        if offset < 0 { return execution.reply.error("ERR offset is out of range") }
        let entry = execution.lookupWrite(key)
        if let entry, !entry.isString { return execution.wrongType() }
        let before = entry?.stringCount ?? 0
        if value.isEmpty { return execution.reply.integer(before) }
        let (end, overflow) = Int(offset).addingReportingOverflow(value.count)
        if !isAllowed(overflow ? Int.max : end, execution) { return }
        let after = max(before, end)
        let bytes = execution.mutableString(key, entry: entry, byteCount: after)
        UnsafeMutableRawBufferPointer(rebasing: bytes[Int(offset)..<end]).copyMemory(from: value.rawBuffer)
        execution.reply.integer(after)
    }

    static func getrange(_ execution: Execution) {
        guard let first = parseInteger(execution.arguments[2]), let last = parseInteger(execution.arguments[3]) else {
            return execution.notInteger()
        }
        guard let entry = execution.lookupRead(execution.arguments[1]) else { return execution.reply.bulk(ByteView.empty) }
        if !entry.isString { return execution.wrongType() }
        let text = execution.text(of: entry)
        let count = Int64(text.count)
        if first < 0, last < 0, first > last { return execution.reply.bulk(ByteView.empty) }
        let start = max(0, first < 0 ? first + count : first)
        let end = min(count - 1, max(0, last < 0 ? last + count : last))
        if start > end { return execution.reply.bulk(ByteView.empty) }
        execution.reply.bulk(text.slice(Int(start), Int(end - start + 1)))
    }

    // MARK: counting

    static func incr(_ execution: Execution) { add(execution, 1) }

    static func decr(_ execution: Execution) { add(execution, -1) }

    static func incrby(_ execution: Execution) {
        guard let amount = parseInteger(execution.arguments[2]) else { return execution.notInteger() }
        add(execution, amount)
    }

    static func decrby(_ execution: Execution) {
        guard let amount = parseInteger(execution.arguments[2]) else { return execution.notInteger() }
        if amount == Int64.min { return execution.reply.error("ERR decrement would overflow") }
        add(execution, -amount)
    }

    private static func add(_ execution: Execution, _ amount: Int64) {
        let key = execution.arguments[1]
        var value: Int64 = 0
        if let entry = execution.lookupWrite(key) {
            if !entry.isString { return execution.wrongType() }
            guard let number = entry.integer ?? parseInteger(entry.bytes) else { return execution.notInteger() }
            value = number
        }
        let (sum, overflow) = value.addingReportingOverflow(amount)
        if overflow { return execution.reply.error("ERR increment or decrement would overflow") }
        execution.setInteger(key, sum)
        execution.reply.integer(sum)
    }

    static func incrbyfloat(_ execution: Execution) {
        let key = execution.arguments[1]
        var value = ExtendedFloat.zero
        if let entry = execution.lookupWrite(key) {
            if !entry.isString { return execution.wrongType() }
            guard let number = entry.integer.map({ ExtendedFloat($0) }) ?? ExtendedFloat(text: entry.bytes) else {
                return execution.notFloat()
            }
            value = number
        }
        guard let amount = ExtendedFloat(text: execution.arguments[2]) else { return execution.notFloat() }
        let sum = value + amount
        if !sum.isFinite { return execution.reply.error("ERR increment would produce NaN or Infinity") }
        let text = ByteBuffer(capacity: 64)
        sum.appendText(to: text)
        execution.setString(key, text.view, form: .plain, deadline: .keep)
        execution.reply.bulk(text.view)
    }
}
