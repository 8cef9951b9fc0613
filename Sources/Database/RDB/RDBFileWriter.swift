import Base

/// Writes an RDB file of the version that Redis 7.0 and everything later reads. The bytes gather in `pending`; whoever owns the file takes
/// them from there.
package struct RDBFileWriter {
    /// Bytes that are not yet taken.
    private let buffer = ByteBuffer(capacity: 1 << 16)
    /// Of the bytes that are taken.
    private var sum: UInt64 = 0
    private var database = -1
    private let writer: RDBWriter

    /// Writes the file's head, with facts about it.
    package init(facts: [(name: String, value: String)]) {
        writer = RDBWriter(buffer)
        let digits = String(RDBFormat.versionWritten)
        buffer.append(text: "REDIS" + String(repeating: "0", count: 4 - digits.count) + digits)
        for fact in facts {
            buffer.append(byte: 250)
            writer.string(fact.name)
            writer.string(fact.value)
        }
    }

    /// Bytes that wait to be taken.
    package var pendingBytes: Int { buffer.count }

    /// Appends a key.
    ///
    /// - Parameters:
    ///   - value: type and value, as in the payload of DUMP.
    ///   - deadline: in milliseconds since 1970.
    package mutating func append(_ key: ByteView, value: ByteView, deadline: Int64?, database number: Int) {
        check(!value.isEmpty, "a value begins with its type")
        if number != database {
            database = number
            buffer.append(byte: 254)
            writer.length(number)
        }
        if let deadline {
            buffer.append(byte: 252)
            buffer.append(integer: deadline)
        }
        buffer.append(byte: value[0])
        writer.string(key)
        buffer.append(value.dropFirst(1))
    }

    /// Hands out the bytes that wait, all of them.
    package mutating func take<Failure: Error>(_ body: (ByteView) throws(Failure) -> Void) throws(Failure) {
        sum = CRC64.checksum(buffer.view, continuing: sum)
        try body(buffer.view)
        buffer.removeAll(keeping: 4 << 20)
    }

    /// Ends the file and hands out its last bytes.
    package mutating func finish<Failure: Error>(_ body: (ByteView) throws(Failure) -> Void) throws(Failure) {
        buffer.append(byte: 255)
        let whole = CRC64.checksum(buffer.view, continuing: sum)
        buffer.append(integer: whole)
        try body(buffer.view)
        buffer.removeAll()
    }
}
