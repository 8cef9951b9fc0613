import Base
import RESP

// What is delivered and not acknowledged: acknowledging it, looking at it.
extension StreamCommands {
    static func xack(_ execution: Execution) {
        let arguments = execution.arguments
        let found = execution.write(StreamValue.self, at: arguments[1])
        guard case .value(let value) = execution.found(found, { $0.integer(0) }) else { return }
        guard let edit = value.edit(arguments[2]) else { return execution.reply.integer(0) }
        var acknowledged = 0
        // All IDs are read before anything is changed.
        if execution.checkStreamIDs(from: 3) {
            for index in 3..<arguments.count {
                guard let id = StreamID.parse(arguments[index])?.id else { continue }
                if edit.group.removePending(id) { acknowledged += 1 }
            }
            execution.reply.integer(acknowledged)
        }
        value.finish(edit)
        if acknowledged > 0 { execution.changedAside(value, at: arguments[1]) }
    }

    /// What the words of the long form of XPENDING say.
    private struct PendingRange {
        var idleMin: Int64 = 0
        var start = StreamID.zero
        var end = StreamID.last
        var count = 0
        /// Index of the consumer's name; nil for all consumers.
        var consumer: Int?
    }

    static func xpending(_ execution: Execution) {
        let arguments = execution.arguments
        if arguments.count != 3 && (arguments.count < 6 || arguments.count > 9) { return execution.syntaxError() }
        var range: PendingRange?
        if arguments.count > 3 {
            range = pendingRange(execution)
            if range == nil { return }
        }
        let found = execution.read(StreamValue.self, at: arguments[1])
        guard case .value(let value) = execution.found(found, { _ in noSuchKeyOrGroup(execution) }) else { return }
        guard let group = value.group(arguments[2]) else { return noSuchKeyOrGroup(execution) }
        if let range { replyPending(group, range, execution) } else { replySummary(group, execution.reply) }
    }

    private static func pendingRange(_ execution: Execution) -> PendingRange? {
        let arguments = execution.arguments
        var range = PendingRange()
        var index = 3
        if arguments[3].equalsIgnoringCase("idle") {
            guard let idle = execution.streamInteger(4) else { return nil }
            if arguments.count < 8 {
                execution.syntaxError()
                return nil
            }
            range.idleMin = idle
            index = 5
        }
        guard let count = execution.streamInteger(index + 2), let start = execution.rangeStart(index),
            let end = execution.rangeEnd(index + 1)
        else { return nil }
        range.count = Int(max(count, 0))
        range.start = start
        range.end = end
        if index + 3 < arguments.count { range.consumer = index + 3 }
        return range
    }

    /// The short form: how much is pending, from where to where, and for whom.
    private static func replySummary(_ group: StreamGroup, _ reply: ReplyWriter) {
        reply.array(4)
        reply.integer(group.pendingCount)
        guard let first = group.firstPending(from: .zero), let last = group.lastPendingID else {
            reply.null()
            reply.null()
            return reply.nullArray()
        }
        reply.streamID(first.id)
        reply.streamID(last)
        let begun = reply.beginArray()
        var consumers = 0
        group.forEachConsumer { name, consumer in
            let pending = group.pendingCount(of: consumer)
            if pending == 0 { return }
            reply.array(2)
            reply.bulk(name)
            reply.bulk(decimal: Int64(pending))
            consumers += 1
        }
        reply.end(begun, count: consumers)
    }

    private static func replyPending(_ group: StreamGroup, _ range: PendingRange, _ execution: Execution) {
        let (reply, now) = (execution.reply, execution.observedTime.milliseconds)
        var consumer: StreamConsumer?
        if let index = range.consumer {
            consumer = group.consumer(named: execution.arguments[index])
            if consumer == nil { return reply.array(0) }
        }
        let begun = reply.beginArray()
        var written = 0
        let write: (StreamID, StreamPending) -> Bool = { id, pending in
            if written == range.count || id > range.end { return false }
            let idle = now &- pending.deliveryTime
            if range.idleMin != 0 && idle < range.idleMin { return true }
            reply.array(4)
            reply.streamID(id)
            reply.bulk(group.consumerName(pending.consumer))
            reply.integer(max(idle, 0))
            reply.integer(pending.deliveryCount)
            written += 1
            return true
        }
        if let consumer {
            group.forEachOwned(consumer, from: range.start) { id in group.pending(id).map { write(id, $0) } ?? true }
        } else {
            group.forEachPending(from: range.start, write)
        }
        reply.end(begun, count: written)
    }

    /// Replies that there is no such key, or no such group in it.
    static func noSuchKeyOrGroup(_ execution: Execution) {
        let text = ByteBuffer()
        text.append("NOGROUP No such key '")
        CommandTable.append(execution.arguments[1], max: .max, to: text)
        text.append("' or consumer group '")
        CommandTable.append(execution.arguments[2], max: .max, to: text)
        text.append("'")
        execution.reply.error(text.view)
    }
}
