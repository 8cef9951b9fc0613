import Base
import RESP

// Reading what is new: alone, or as a consumer of a group.
extension StreamCommands {
    static func xread(_ execution: Execution) {
        guard let request = StreamReadRequest.parse(execution, inGroup: false) else { return }
        let (arguments, reply) = (execution.arguments, execution.reply)
        let begun = begin(reply)
        var streams = 0
        for index in 0..<request.streams {
            let start = request.start(index)
            let key = arguments[request.keys + index]
            guard case .behind(let last) = start, case .value(let value) = execution.read(StreamValue.self, at: key),
                value.position.lastID > last, let newest = value.entries.lastID, newest > last, let first = last.next
            else { continue }
            beginStream(key, reply)
            replyEntries(value, from: first, count: request.count, reply)
            streams += 1
        }
        end(execution, request, begun, streams)
    }

    static func xreadgroup(_ execution: Execution) {
        guard let request = StreamReadRequest.parse(execution, inGroup: true), let names = request.group else { return }
        let (arguments, reply) = (execution.arguments, execution.reply)
        let begun = begin(reply)
        var streams = 0
        for index in 0..<request.streams {
            let start = request.start(index)
            let key = arguments[request.keys + index]
            guard case .value(let value) = execution.write(StreamValue.self, at: key), let edit = value.edit(arguments[names])
            else {
                check(false, "a group that was found is there")
                return
            }
            let now = execution.nowMilliseconds
            var consumer = consumer(named: arguments[names + 1], in: edit.group, now: now)
            switch start {
            case .behind(let last):
                beginStream(key, reply)
                replyHistory(value, edit.group, consumer, behind: last, request, execution)
                streams += 1
            case .undelivered:
                if value.position.lastID > edit.group.lastID, let newest = value.entries.lastID, newest > edit.group.lastID {
                    beginStream(key, reply)
                    deliver(value, edit.group, &consumer, request, execution)
                    streams += 1
                }
            }
            edit.group.put(consumer, named: arguments[names + 1])
            value.finish(edit)
            execution.changedAside(value, at: key)
        }
        end(execution, request, begun, streams)
    }

    // MARK: replies

    private static func begin(_ reply: ReplyWriter) -> ReplyWriter.DeferredLength {
        reply.version == .two ? reply.beginArray() : reply.beginMap()
    }

    private static func beginStream(_ key: ByteView, _ reply: ReplyWriter) {
        if reply.version == .two { reply.array(2) }
        reply.bulk(key)
    }

    private static func end(
        _ execution: Execution, _ request: StreamReadRequest, _ begun: ReplyWriter.DeferredLength, _ streams: Int
    ) {
        if streams > 0 {
            execution.reply.end(begun, count: streams)
        } else if request.blocks {
            execution.reply.error("ERR BLOCK is not supported yet")
        } else {
            execution.reply.nullArray()
        }
    }

    // MARK: groups

    /// The consumer of a name, seen now; new where there is none. The caller puts it back with its times.
    static func consumer(named name: ByteView, in group: StreamGroup, now: Int64) -> StreamConsumer {
        guard var consumer = group.consumer(named: name) else { return group.addConsumer(named: name, seenTime: now) }
        consumer.seenTime = now
        return consumer
    }

    /// Replies what was never delivered to the group, and makes it pending for the consumer.
    private static func deliver(
        _ value: StreamValue, _ group: StreamGroup, _ consumer: inout StreamConsumer, _ request: StreamReadRequest,
        _ execution: Execution
    ) {
        let (reply, now) = (execution.reply, execution.nowMilliseconds)
        let begun = reply.beginArray()
        var written = 0
        guard let first = group.lastID.next else { return reply.end(begun, count: 0) }
        value.entries.forEach(from: first) { entry in
            value.advance(group, to: entry.id)
            reply.streamEntry(entry)
            if !request.needsNoAcknowledgement {
                let pending = StreamPending(consumer: consumer.number, deliveryTime: now, deliveryCount: 1)
                group.put(entry.id, pending, old: group.pending(entry.id))
                consumer.activeTime = now
            }
            written += 1
            return written < request.count
        }
        reply.end(begun, count: written)
    }

    /// Replies what is pending for the consumer, and counts a delivery of it. An entry that is no longer in the stream has no fields.
    private static func replyHistory(
        _ value: StreamValue, _ group: StreamGroup, _ consumer: StreamConsumer, behind last: StreamID,
        _ request: StreamReadRequest, _ execution: Execution
    ) {
        let (reply, now) = (execution.reply, execution.nowMilliseconds)
        let begun = reply.beginArray()
        var written = 0
        guard let first = last.next else { return reply.end(begun, count: 0) }
        group.forEachOwned(consumer, from: first) { id in
            if let entry = value.entries.find(id) {
                reply.streamEntry(entry)
                if let old = group.pending(id) {
                    let new = StreamPending(
                        consumer: old.consumer, deliveryTime: now, deliveryCount: old.deliveryCount &+ 1)
                    group.put(id, new, old: old)
                }
            } else {
                reply.array(2)
                reply.streamID(id)
                reply.nullArray()
            }
            written += 1
            return written < request.count
        }
        reply.end(begun, count: written)
    }
}
