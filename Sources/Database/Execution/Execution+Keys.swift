import Base
import RESP

// What the commands on keys and databases share.
extension Execution {
    /// The argument at `index` as a 32-bit integer (a C `int`); nil after the error was replied.
    package func intArgument(_ index: Int, error: StaticString? = nil) -> Int64? {
        let value = parseInteger(arguments[index])
        if let value, value >= Int64(Int32.min), value <= Int64(Int32.max) { return value }
        if let error {
            reply.error(error)
        } else if value == nil {
            notInteger()
        } else {
            reply.error("ERR value is out of range, value must between -2147483648 and 2147483647")
        }
        return nil
    }

    /// Moves a key that is there with value and deadline to another name or database, whose old value is dropped.
    func move(_ key: ByteView, to destination: ByteView, in other: Keyspace) {
        keyspace.move(key, to: destination, in: other, stamp: stamp())
    }

    /// Copies a key that is there with value and deadline to another name or database, whose old value is dropped.
    func copy(_ key: ByteView, to destination: ByteView, in other: Keyspace) {
        guard let entry = keyspace.find(key) else {
            check(false, "only a key that is there is copied")
            return
        }
        let deadline: DeadlineChange = entry.deadline.map { .at($0) } ?? .none
        if let integer = entry.integer {
            other.setInteger(destination, integer, deadline: deadline, stamp: stamp())
        } else if entry.isString {
            let form: StringForm = entry.flags.contains(.raw) ? .raw : .plain
            other.setString(destination, entry.bytes, form: form, deadline: deadline, stamp: stamp())
        } else {
            other.setCollection(destination, entry.collection.copy(), deadline: deadline, stamp: stamp())
        }
    }

    /// Drops all keys of a database.
    func flush(_ keyspace: Keyspace) {
        if keyspace.count == 0 { return }
        _ = stamp()
        keyspace.removeAll()
    }

    /// Swaps two databases for everybody.
    func swapDatabases(_ first: Int, _ second: Int) {
        _ = stamp()
        keyspaces.swapAt(first, second)
        selectAgain()
    }

    /// Seconds since this node last used a key.
    func idleSeconds(_ entry: Entry) -> Int64 {
        let now = UInt32(truncatingIfNeeded: observedTime.microseconds / 1_000_000)
        return Int64((now &- entry.accessSeconds) & 0xFF_FFFF)
    }

    /// Replies the lines of a HELP subcommand between Redis's first and last ones.
    func replyHelp(_ name: String, _ lines: [String]) { CommandHelp.reply(name, lines, reply) }
}
