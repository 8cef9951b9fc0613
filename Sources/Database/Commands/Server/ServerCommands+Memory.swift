import Base
import RESP

extension ServerCommands {
    /// MEMORY USAGE key [SAMPLES count]: bytes of the entry and its value. They are known without sampling; the count is
    /// checked and changes nothing.
    static func memoryUsage(_ execution: Execution) {
        let arguments = execution.arguments
        if arguments.count > 3 {
            guard arguments.count == 5, arguments[3].equalsIgnoringCase("samples") else { return execution.syntaxError() }
            guard let count = parseInteger(arguments[4]) else { return execution.notInteger() }
            if count < 0 { return execution.syntaxError() }
        }
        guard let entry = execution.peek(arguments[2]) else { return execution.reply.null() }
        let slot = MemoryLayout<UInt64>.size
        let value = entry.isString ? 0 : entry.collection.memoryBytes
        execution.reply.integer(slot + Entry.allocatedBytes(entry.byteCount) + value)
    }
}
