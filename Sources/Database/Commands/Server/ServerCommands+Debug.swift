import Base
import RESP

// DEBUG subcommands that work on the data.
extension ServerCommands {
    static func debugObject(_ execution: Execution) {
        guard let entry = execution.peek(execution.arguments[2]) else { return execution.reply.error("ERR no such key") }
        let text = ByteBuffer()
        // No address: it would differ from node to node.
        text.append("Value at:0x0 refcount:1 encoding:")
        text.append(entry.encodingName)
        text.append(" serializedlength:")
        text.append(decimal: Int64(serializedBytes(entry)))
        text.append(" lru:")
        text.append(decimal: Int64(entry.accessSeconds))
        text.append(" lru_seconds_idle:")
        text.append(decimal: execution.idleSeconds(entry))
        execution.reply.simple(text.view)
    }

    /// Bytes in Redis's file format: exact for strings that are not compressed, an estimate for collections.
    private static func serializedBytes(_ entry: Entry) -> Int {
        if !entry.isString { return entry.collection.memoryBytes }
        if let integer = entry.integer, integer == Int64(Int32(truncatingIfNeeded: integer)) {
            return integer == Int64(Int8(truncatingIfNeeded: integer))
                ? 2 : integer == Int64(Int16(truncatingIfNeeded: integer)) ? 3 : 5
        }
        let count = entry.stringCount
        return count + (count < 64 ? 1 : count < 16384 ? 2 : 5)
    }

    static func debugDigest(_ execution: Execution) {
        var sum = Digest()
        for (number, keyspace) in execution.keyspaces.enumerated() where keyspace.count > 0 {
            var digest = keyspace.digest(withVersions: false)
            digest.append(UInt64(number))
            sum.add(digest)
        }
        replyDigest(execution, sum)
    }

    static func debugDigestValue(_ execution: Execution) {
        let arguments = execution.arguments
        execution.reply.array(arguments.count - 2)
        for index in 2..<arguments.count {
            guard let entry = execution.peek(arguments[index]) else {
                replyDigest(execution, Digest())
                continue
            }
            var digest = execution.keyspace.content(entry, ByteBuffer(capacity: 32))
            digest.append(UInt64(entry.type.rawValue))
            digest.append(entry.deadline == nil ? 0 : 1)
            replyDigest(execution, digest)
        }
    }

    /// 40 hexadecimal digits, as many as Redis has; all zero for nothing.
    private static func replyDigest(_ execution: Execution, _ digest: Digest) {
        let text = ByteBuffer(capacity: 64)
        for word in [digest.high, digest.low, digest.high ^ digest.low] {
            for shift in stride(from: UInt64(60), through: 0, by: -4) {
                if text.count == 40 { break }
                let digit = UInt8(truncatingIfNeeded: word >> shift & 0xF)
                text.append(byte: digit < 10 ? 0x30 + digit : 0x57 + digit)
            }
        }
        execution.reply.simple(text.view)
    }

    static func debugSetActiveExpire(_ execution: Execution) {
        guard let value = parseInteger(execution.arguments[2]) else { return execution.notInteger() }
        execution.removesExpiredKeys = value != 0
        execution.reply.ok()
    }
}
