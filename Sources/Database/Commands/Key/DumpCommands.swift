import Base
import RESP

// DUMP and RESTORE: values in Redis's own format, to and from other servers.
extension DumpCommands {
    static func dump(_ execution: Execution) {
        guard let entry = execution.lookupRead(execution.arguments[1]) else { return execution.reply.null() }
        if !entry.isString && entry.collection.memoryBytes > RDBFormat.stringBytesMax {
            return execution.reply.error("ERR the value is larger than the 512 MiB that one reply can hold")
        }
        let payload = ByteBuffer(capacity: 256)
        RDBEncoder(payload).append(entry)
        let hasDeadlines = payload.view[0] == RDBType.hashDeadlines.rawValue
        DumpPayload.appendFooter(
            to: payload, version: hasDeadlines ? RDBFormat.versionWithFieldDeadlines : RDBFormat.versionWritten)
        execution.reply.bulk(payload.view)
    }

    /// The words behind the payload.
    private struct RestoreOptions {
        var replaces = false
        var isAbsolute = false
        /// Seconds since the key was last used.
        var idleSeconds: Int64?
        /// How often it was used; accepted, and of no effect as frequencies are not counted.
        var frequency: Int64?
    }

    private static func restoreOptions(_ execution: Execution) -> RestoreOptions? {
        let arguments = execution.arguments
        var options = RestoreOptions()
        var index = 4
        while index < arguments.count {
            let word = arguments[index]
            let hasNext = index + 1 < arguments.count
            if word.equalsIgnoringCase("replace") {
                options.replaces = true
            } else if word.equalsIgnoringCase("absttl") {
                options.isAbsolute = true
            } else if word.equalsIgnoringCase("idletime"), hasNext, options.frequency == nil {
                guard let value = execution.integerArgument(index + 1) else { return nil }
                if value < 0 {
                    execution.reply.error("ERR Invalid IDLETIME value, must be >= 0")
                    return nil
                }
                options.idleSeconds = Int64(value)
                index += 1
            } else if word.equalsIgnoringCase("freq"), hasNext, options.idleSeconds == nil {
                guard let value = execution.integerArgument(index + 1) else { return nil }
                if value < 0 || value > 255 {
                    execution.reply.error("ERR Invalid FREQ value, must be >= 0 and <= 255")
                    return nil
                }
                options.frequency = Int64(value)
                index += 1
            } else {
                execution.syntaxError()
                return nil
            }
            index += 1
        }
        return options
    }

    static func restore(_ execution: Execution) {
        let key = execution.arguments[1]
        guard let options = restoreOptions(execution) else { return }
        if execution.lookupWrite(key) != nil, !options.replaces {
            return execution.reply.error("BUSYKEY Target key name already exists.")
        }
        guard let time = execution.integerArgument(2) else { return }
        if time < 0 { return execution.reply.error("ERR Invalid TTL value, must be >= 0") }
        let (deadline, overflow) = Int64(time).addingReportingOverflow(options.isAbsolute ? 0 : execution.nowMilliseconds)
        if overflow { return execution.invalidExpireTime() }
        guard let (body, _) = DumpPayload.open(execution.arguments[3]) else {
            return execution.reply.error("ERR DUMP payload version or checksum are wrong")
        }
        let reader = RDBReader(body)
        // The reader owns the bytes of a string that had to be unfolded.
        withExtendedLifetime(reader) {
            do throws(RDBError) {
                let value = try DumpPayload.value(reader, seed: execution.keyspace.seed, limits: execution.limits)
                put(value, at: key, deadline: time == 0 ? nil : deadline, options, execution)
            } catch {
                execution.reply.error("ERR Bad data format")
            }
        }
    }

    /// Sets the restored value. One whose deadline has passed is not there, and the old one is gone all the same.
    private static func put(
        _ value: RDBValue, at key: ByteView, deadline: Int64?, _ options: RestoreOptions, _ execution: Execution
    ) {
        if let deadline, deadline <= execution.nowMilliseconds {
            execution.delete(key)
            return execution.reply.ok()
        }
        let change: DeadlineChange = deadline.map { .at($0) } ?? .none
        switch value {
        case .string(let bytes): execution.setString(key, bytes, deadline: change)
        case .collection(let collection): execution.setCollection(key, collection, deadline: change)
        }
        if let idle = options.idleSeconds { execution.keyspace.find(key)?.setIdle(idle, at: execution.observedTime) }
        execution.reply.ok()
    }
}

extension Entry {
    /// Notes that the key was last used `seconds` before `time`.
    func setIdle(_ seconds: Int64, at time: WallTime) {
        let now = UInt32(truncatingIfNeeded: time.microseconds / 1_000_000)
        accessSeconds = (now &- UInt32(min(seconds, 0xFF_FFFF))) & 0xFF_FFFF
    }
}
