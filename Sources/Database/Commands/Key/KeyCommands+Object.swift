import Base
import RESP

// OBJECT: how values are kept. None of it counts as use of the key.
extension KeyCommands {
    static func objectEncoding(_ execution: Execution) {
        guard let entry = execution.peek(execution.arguments[2]) else { return execution.reply.null() }
        execution.reply.bulk(entry.encodingName)
    }

    static func objectReferenceCount(_ execution: Execution) {
        guard let entry = execution.peek(execution.arguments[2]) else { return execution.reply.null() }
        // Redis shares the small integers and says so with the largest count.
        if let integer = entry.integer, integer >= 0, integer < 10_000 { return execution.reply.integer(Int64(Int32.max)) }
        execution.reply.integer(1)
    }

    static func objectIdleTime(_ execution: Execution) {
        guard let entry = execution.peek(execution.arguments[2]) else { return execution.reply.null() }
        execution.reply.integer(execution.idleSeconds(entry))
    }

    static func objectFrequency(_ execution: Execution) {
        if execution.peek(execution.arguments[2]) == nil { return execution.reply.null() }
        execution.reply.error(
            """
            ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between \
            policies at runtime LRU and LFU data will take some time to adjust.
            """)
    }

    static func objectHelp(_ execution: Execution) {
        execution.replyHelp(
            "OBJECT",
            [
                "ENCODING <key>", "    The name of the encoding of the value at <key>.",
                "FREQ <key>", "    How often <key> is used, where that is counted.",
                "IDLETIME <key>", "    Seconds since <key> was last used on this node.",
                "REFCOUNT <key>", "    The number of references to the value at <key>.",
            ])
    }
}
