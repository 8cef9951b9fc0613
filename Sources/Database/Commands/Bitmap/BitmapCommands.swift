import Base
import RESP

// Single bits, and whole bitmaps combined.
extension BitmapCommands {
    /// The number of a bit, or of a field of `bits` bits where it is written with a `#`; nil when it is none, or beyond what a string may
    /// hold.
    static func offset(_ text: ByteView, fieldBits bits: Int64? = nil) -> Int? {
        let isCounted = bits != nil && !text.isEmpty && text[0] == UInt8(ascii: "#")
        guard let number = parseInteger(isCounted ? text.dropFirst(1) : text) else { return nil }
        let (offset, overflow) = number.multipliedReportingOverflow(by: isCounted ? bits ?? 1 : 1)
        if overflow || offset < 0 || offset >> 3 >= Int64(StringCommands.stringBytesMax) { return nil }
        return Int(offset)
    }

    static func replyBadOffset(_ execution: Execution) {
        execution.reply.error("ERR bit offset is not an integer or out of range")
    }

    static func setbit(_ execution: Execution) {
        let arguments = execution.arguments
        let key = arguments[1]
        guard let offset = offset(arguments[2]) else { return replyBadOffset(execution) }
        guard let bit = parseInteger(arguments[3]), bit == 0 || bit == 1 else {
            return execution.reply.error("ERR bit is not an integer or out of range")
        }
        let entry = execution.lookupWrite(key)
        if let entry, !entry.isString { return execution.wrongType() }
        let place = offset >> 3
        let mask = UInt8(0x80) >> UInt8(offset & 7)
        // A bit that is so already is no change; but the string is a "raw" one afterwards, as in Redis.
        if let entry, entry.isRaw, place < entry.bytes.count, (entry.bytes[place] & mask != 0) == (bit == 1) {
            return execution.reply.integer(bit)
        }
        let bytes = execution.mutableString(key, entry: entry, byteCount: max(entry?.stringCount ?? 0, place + 1))
        let old = bytes.load(fromByteOffset: place, as: UInt8.self)
        bytes.storeBytes(of: bit == 1 ? old | mask : old & ~mask, toByteOffset: place, as: UInt8.self)
        execution.reply.integer(old & mask == 0 ? 0 : 1)
    }

    static func getbit(_ execution: Execution) {
        let arguments = execution.arguments
        guard let offset = offset(arguments[2]) else { return replyBadOffset(execution) }
        guard let entry = execution.lookupRead(arguments[1]) else { return execution.reply.integer(0) }
        if !entry.isString { return execution.wrongType() }
        let text = execution.text(of: entry)
        let byte = offset >> 3 < text.count ? text[offset >> 3] : 0
        execution.reply.integer(byte & UInt8(0x80) >> UInt8(offset & 7) == 0 ? 0 : 1)
    }

    // MARK: combining

    static func bitop(_ execution: Execution) {
        let arguments = execution.arguments
        guard let operation = operation(arguments[1]) else { return execution.syntaxError() }
        if operation == .not, arguments.count != 4 {
            return execution.reply.error("ERR BITOP NOT must be called with a single source key.")
        }
        // Texts of integers are made; they stay here while the views of them are used.
        let numbers = execution.scratch
        numbers.removeAll()
        var made: [(source: Int, start: Int, end: Int)] = []
        var sources: [ByteView] = []
        sources.reserveCapacity(arguments.count - 3)
        for index in 3..<arguments.count {
            var bytes = ByteView.empty
            if let entry = execution.lookupWrite(arguments[index]) {
                if !entry.isString { return execution.wrongType() }
                if let integer = entry.integer {
                    let start = numbers.count
                    numbers.append(decimal: integer)
                    made.append((sources.count, start, numbers.count))
                } else {
                    bytes = entry.bytes
                }
            }
            sources.append(bytes)
        }
        for (source, start, end) in made { sources[source] = numbers.view.slice(start, end - start) }
        store(operation, sources, execution)
    }

    private static func store(_ operation: Bits.Operation, _ sources: [ByteView], _ execution: Execution) {
        let key = execution.arguments[2]
        let count = sources.reduce(0) { max($0, $1.count) }
        if count == 0 {
            execution.delete(key)
            return execution.reply.integer(0)
        }
        // The target may be one of the sources: it gets new memory, and lives until that is filled.
        execution.setString(key, byteCount: count) { Bits.combine(operation, sources, into: $0) }
        execution.reply.integer(count)
    }

    private static func operation(_ word: ByteView) -> Bits.Operation? {
        if word.equalsIgnoringCase("and") { return .and }
        if word.equalsIgnoringCase("or") { return .or }
        if word.equalsIgnoringCase("xor") { return .xor }
        return word.equalsIgnoringCase("not") ? .not : nil
    }
}

extension Entry {
    /// Whether the value is a string that OBJECT ENCODING calls "raw".
    var isRaw: Bool { isString && integer == nil && (flags.contains(.raw) || lengthField > Entry.embeddedBytesMax) }
}
