import Base
import RESP

// XINFO: what is known of a stream, its groups and their consumers.
extension StreamCommands {
    static func xinfoStream(_ execution: Execution) {
        let (arguments, reply) = (execution.arguments, execution.reply)
        guard let value = informedStream(execution) else { return }
        let options = arguments.count - 3
        if options == 0 {
            reply.map(10)
            replyFacts(value, reply)
            reply.bulk("groups")
            reply.integer(value.groups.count)
            reply.bulk("first-entry")
            replyFirst(reply) { value.entries.forEach($0) }
            reply.bulk("last-entry")
            return replyFirst(reply) { value.entries.forEachReversed($0) }
        }
        if options != 1 && options != 3 || !arguments[3].equalsIgnoringCase("full")
            || options == 3 && !arguments[4].equalsIgnoringCase("count")
        {
            return subcommandSyntaxError(execution, "XINFO")
        }
        var count: Int64 = 10
        if options == 3 {
            guard let given = execution.streamInteger(5) else { return }
            count = given < 0 ? 10 : given
        }
        let limit = count == 0 ? Int.max : Int(count)
        reply.map(9)
        replyFacts(value, reply)
        reply.bulk("entries")
        replyEntries(value, count: limit, reply)
        reply.bulk("groups")
        reply.array(value.groups.count)
        value.forEachGroup { replyWhole($0, of: value, limit: limit, reply) }
    }

    static func xinfoGroups(_ execution: Execution) {
        let reply = execution.reply
        guard let value = informedStream(execution) else { return }
        reply.array(value.groups.count)
        value.forEachGroup { group in
            reply.map(6)
            reply.bulk("name")
            reply.bulk(group.name)
            reply.bulk("consumers")
            reply.integer(group.consumerCount)
            reply.bulk("pending")
            reply.integer(group.pendingCount)
            replyProgress(group, of: value, reply)
        }
    }

    static func xinfoConsumers(_ execution: Execution) {
        let (arguments, reply) = (execution.arguments, execution.reply)
        guard let value = informedStream(execution) else { return }
        guard let group = value.group(arguments[3]) else {
            return noSuchGroup(execution, arguments[3], key: arguments[2])
        }
        let now = execution.observedTime.milliseconds
        reply.array(group.consumerCount)
        group.forEachConsumer { name, consumer in
            reply.map(4)
            reply.bulk("name")
            reply.bulk(name)
            reply.bulk("pending")
            reply.integer(group.pendingCount(of: consumer))
            reply.bulk("idle")
            reply.integer(max(now &- consumer.seenTime, 0))
            reply.bulk("inactive")
            reply.integer(consumer.activeTime == -1 ? -1 : now &- consumer.activeTime)
        }
    }

    static func xinfoHelp(_ execution: Execution) {
        execution.replyHelp(
            "XINFO",
            [
                "CONSUMERS <key> <groupname>", "    The consumers of a group.", "GROUPS <key>", "    The groups of a stream.",
                "STREAM <key> [FULL [COUNT <count>]]", "    The stream itself; FULL adds entries, groups and what is pending.",
            ])
    }

    // MARK: parts

    /// The stream at argument 2. Nil after the error was replied.
    private static func informedStream(_ execution: Execution) -> StreamValue? {
        let found = execution.read(StreamValue.self, at: execution.arguments[2])
        guard case .value(let value) = execution.found(found, { $0.error("ERR no such key") }) else { return nil }
        return value
    }

    /// Seven facts. Redis counts the nodes of its radix tree; here those are the pages of the tree, and one for the stream.
    private static func replyFacts(_ value: StreamValue, _ reply: ReplyWriter) {
        let position = value.position
        reply.bulk("length")
        reply.integer(value.count)
        reply.bulk("radix-tree-keys")
        reply.integer(value.entries.nodeCount)
        reply.bulk("radix-tree-nodes")
        reply.integer(value.entries.nodeCount + value.entries.innerPageCount + 1)
        reply.bulk("last-generated-id")
        reply.streamID(position.lastID)
        reply.bulk("max-deleted-entry-id")
        reply.streamID(position.maxDeletedID)
        reply.bulk("entries-added")
        reply.integer(Int64(bitPattern: position.entriesAdded))
        reply.bulk("recorded-first-entry-id")
        reply.streamID(position.firstID)
    }

    /// Replies the first entry of a walk, null where there is none.
    private static func replyFirst(_ reply: ReplyWriter, _ walk: ((StreamEntry) -> Bool) -> Void) {
        var isFound = false
        walk { entry in
            reply.streamEntry(entry)
            isFound = true
            return false
        }
        if !isFound { reply.null() }
    }

    /// The last four of a group's facts: where it is and what it has still to read.
    private static func replyProgress(_ group: StreamGroup, of value: StreamValue, _ reply: ReplyWriter) {
        reply.bulk("last-delivered-id")
        reply.streamID(group.lastID)
        reply.bulk("entries-read")
        if group.entriesRead == -1 { reply.null() } else { reply.integer(group.entriesRead) }
        reply.bulk("lag")
        if let lag = value.lag(of: group) { reply.integer(lag) } else { reply.null() }
    }

    /// A group with its consumers and up to `limit` of the pending entries of each.
    private static func replyWhole(_ group: StreamGroup, of value: StreamValue, limit: Int, _ reply: ReplyWriter) {
        reply.map(7)
        reply.bulk("name")
        reply.bulk(group.name)
        replyProgress(group, of: value, reply)
        reply.bulk("pel-count")
        reply.integer(group.pendingCount)
        reply.bulk("pending")
        reply.array(min(group.pendingCount, limit))
        var written = 0
        group.forEachPending { id, pending in
            reply.array(4)
            reply.streamID(id)
            reply.bulk(group.consumerName(pending.consumer))
            reply.integer(pending.deliveryTime)
            reply.integer(pending.deliveryCount)
            written += 1
            return written < limit
        }
        reply.bulk("consumers")
        reply.array(group.consumerCount)
        group.forEachConsumer { replyWhole($0, $1, of: group, limit: limit, reply) }
    }

    private static func replyWhole(
        _ name: ByteView, _ consumer: StreamConsumer, of group: StreamGroup, limit: Int, _ reply: ReplyWriter
    ) {
        let pendingCount = group.pendingCount(of: consumer)
        reply.map(5)
        reply.bulk("name")
        reply.bulk(name)
        reply.bulk("seen-time")
        reply.integer(consumer.seenTime)
        reply.bulk("active-time")
        reply.integer(consumer.activeTime)
        reply.bulk("pel-count")
        reply.integer(pendingCount)
        reply.bulk("pending")
        reply.array(min(pendingCount, limit))
        var written = 0
        group.forEachOwned(consumer) { id in
            let pending = group.pending(id)
            reply.array(3)
            reply.streamID(id)
            reply.integer(pending?.deliveryTime ?? 0)
            reply.integer(pending?.deliveryCount ?? 0)
            written += 1
            return written < limit
        }
    }
}
