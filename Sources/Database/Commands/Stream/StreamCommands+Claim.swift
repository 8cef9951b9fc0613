import Base
import RESP

// Taking over what is pending for another consumer.
extension StreamCommands {
    /// What the words of XCLAIM say.
    private struct Claim {
        var idleMin: Int64 = 0
        var ids: [StreamID] = []
        /// Milliseconds since 1970; nil: now.
        var deliveryTime: Int64?
        /// Negative: the number of deliveries counts on.
        var deliveryCount: Int64 = -1
        var lastID = StreamID.zero
        /// Whether what is not pending becomes so.
        var forces = false
        /// Whether IDs alone are replied, and no delivery is counted.
        var justIDs = false
    }

    static func xclaim(_ execution: Execution) {
        let arguments = execution.arguments
        let found = execution.write(StreamValue.self, at: arguments[1])
        guard case .value(let value) = execution.found(found, { _ in noSuchKeyOrGroup(execution) }) else { return }
        if value.group(arguments[2]) == nil { return noSuchKeyOrGroup(execution) }
        guard let claim = claim(execution), let edit = value.edit(arguments[2]) else { return }
        let (reply, group, now) = (execution.reply, edit.group, execution.nowMilliseconds)
        group.lastID = max(group.lastID, claim.lastID)
        var consumer = consumer(named: arguments[3], in: group, now: now)
        let begun = reply.beginArray()
        var claimed = 0
        for id in claim.ids {
            let old = group.pending(id)
            guard let entry = value.entries.find(id) else {
                if let old { group.removePending(id, old) }
                continue
            }
            if old == nil && !claim.forces { continue }
            if let old, claim.idleMin > 0, now &- old.deliveryTime < claim.idleMin { continue }
            var count = old?.deliveryCount ?? 1
            if claim.deliveryCount >= 0 { count = claim.deliveryCount } else if !claim.justIDs { count &+= 1 }
            let time = deliveryTime(claim, now: now)
            group.put(id, StreamPending(consumer: consumer.number, deliveryTime: time, deliveryCount: count), old: old)
            if claim.justIDs { reply.streamID(id) } else { reply.streamEntry(entry) }
            consumer.activeTime = now
            claimed += 1
        }
        reply.end(begun, count: claimed)
        group.put(consumer, named: arguments[3])
        value.finish(edit)
        execution.changedAside(value, at: arguments[1])
    }

    /// The time that a claim sets; what makes no sense is now, as clients may have clocks of their own.
    private static func deliveryTime(_ claim: Claim, now: Int64) -> Int64 {
        guard let time = claim.deliveryTime, time >= 0, time <= now else { return now }
        return time
    }

    /// Reads the words of XCLAIM. Nil after the error was replied.
    private static func claim(_ execution: Execution) -> Claim? {
        let (arguments, now) = (execution.arguments, execution.nowMilliseconds)
        var claim = Claim()
        guard let idle = execution.streamInteger(4, error: "ERR Invalid min-idle-time argument for XCLAIM") else { return nil }
        claim.idleMin = max(idle, 0)
        var index = 5
        while index < arguments.count, let parsed = StreamID.parse(arguments[index]) {
            claim.ids.append(parsed.id)
            index += 1
        }
        while index < arguments.count {
            let word = arguments[index]
            let hasMore = index + 1 < arguments.count
            if word.equalsIgnoringCase("force") {
                claim.forces = true
            } else if word.equalsIgnoringCase("justid") {
                claim.justIDs = true
            } else if hasMore && word.equalsIgnoringCase("idle") {
                index += 1
                guard let idle = execution.streamInteger(index, error: "ERR Invalid IDLE option argument for XCLAIM") else {
                    return nil
                }
                claim.deliveryTime = now &- idle
            } else if hasMore && word.equalsIgnoringCase("time") {
                index += 1
                guard let time = execution.streamInteger(index, error: "ERR Invalid TIME option argument for XCLAIM") else {
                    return nil
                }
                claim.deliveryTime = time
            } else if hasMore && word.equalsIgnoringCase("retrycount") {
                index += 1
                guard
                    let count = execution.streamInteger(index, error: "ERR Invalid RETRYCOUNT option argument for XCLAIM")
                else { return nil }
                claim.deliveryCount = count
            } else if hasMore && word.equalsIgnoringCase("lastid") {
                index += 1
                guard let id = execution.streamID(index) else { return nil }
                claim.lastID = id
            } else {
                let text = ByteBuffer()
                text.append("ERR Unrecognized XCLAIM option '")
                CommandTable.append(word, max: .max, to: text)
                text.append("'")
                execution.reply.error(text.view)
                return nil
            }
            index += 1
        }
        return claim
    }

    /// What the words of XAUTOCLAIM say.
    private struct AutomaticClaim {
        var idleMin: Int64
        var start: StreamID
        var count = 100
        var justIDs = false
    }

    /// Entries that are looked at for each one that may be claimed, as in Redis.
    private static let attemptsPerClaim = 10
    /// The largest count, as in Redis.
    private static let claimsMax = Int64.max / 16

    static func xautoclaim(_ execution: Execution) {
        let arguments = execution.arguments
        guard let claim = automaticClaim(execution) else { return }
        let found = execution.write(StreamValue.self, at: arguments[1])
        guard case .value(let value) = execution.found(found, { _ in noSuchKeyOrGroup(execution) }) else { return }
        guard let edit = value.edit(arguments[2]) else { return noSuchKeyOrGroup(execution) }
        let (group, now) = (edit.group, execution.nowMilliseconds)
        var consumer = consumer(named: arguments[3], in: group, now: now)
        let entries = ByteBuffer(capacity: 256)
        let writer = ReplyWriter(entries, version: execution.reply.version, discards: execution.reply.discards)
        var (deleted, claimed, left) = ([StreamID](), 0, claim.count)
        var attempts = left * attemptsPerClaim
        var next = group.firstPending(from: claim.start)
        while attempts > 0 && left > 0, let (id, old) = next {
            attempts -= 1
            if let entry = value.entries.find(id) {
                if claim.idleMin == 0 || now &- old.deliveryTime >= claim.idleMin {
                    let count = claim.justIDs ? old.deliveryCount : old.deliveryCount &+ 1
                    let new = StreamPending(consumer: consumer.number, deliveryTime: now, deliveryCount: count)
                    group.put(id, new, old: old)
                    if claim.justIDs { writer.streamID(id) } else { writer.streamEntry(entry) }
                    consumer.activeTime = now
                    claimed += 1
                    left -= 1
                }
            } else {
                group.removePending(id, old)
                deleted.append(id)
                left -= 1
            }
            next = id.next.flatMap { group.firstPending(from: $0) }
        }
        group.put(consumer, named: arguments[3])
        value.finish(edit)
        execution.changedAside(value, at: arguments[1])
        let reply = execution.reply
        reply.array(3)
        reply.streamID(next?.id ?? .zero)
        reply.array(claimed)
        reply.preformatted(entries.view)
        reply.array(deleted.count)
        for id in deleted { reply.streamID(id) }
    }

    private static func automaticClaim(_ execution: Execution) -> AutomaticClaim? {
        let arguments = execution.arguments
        guard let idle = execution.streamInteger(4, error: "ERR Invalid min-idle-time argument for XAUTOCLAIM"),
            let start = execution.rangeStart(5)
        else { return nil }
        var claim = AutomaticClaim(idleMin: max(idle, 0), start: start)
        var index = 6
        while index < arguments.count {
            if index + 1 < arguments.count && arguments[index].equalsIgnoringCase("count") {
                guard let count = execution.integerArgument(index + 1, in: 1...claimsMax, error: "ERR COUNT must be > 0") else {
                    return nil
                }
                claim.count = count
                index += 1
            } else if arguments[index].equalsIgnoringCase("justid") {
                claim.justIDs = true
            } else {
                execution.syntaxError()
                return nil
            }
            index += 1
        }
        return claim
    }
}
