import Base
import RESP

// Ranges: returned, stored, removed; and popping from either end.
extension SortedSetCommands {
    static func zrange(_ execution: Execution) { replyRange(execution, by: nil, isReversed: nil) }
    static func zrevrange(_ execution: Execution) { replyRange(execution, by: .rank, isReversed: true) }
    static func zrangebyscore(_ execution: Execution) { replyRange(execution, by: .score, isReversed: false) }
    static func zrevrangebyscore(_ execution: Execution) { replyRange(execution, by: .score, isReversed: true) }
    static func zrangebylex(_ execution: Execution) { replyRange(execution, by: .member, isReversed: false) }
    static func zrevrangebylex(_ execution: Execution) { replyRange(execution, by: .member, isReversed: true) }

    private static func replyRange(_ execution: Execution, by: SortedSetRange.By?, isReversed: Bool?) {
        guard let range = SortedSetRange.parse(execution, from: 2, by: by, isReversed: isReversed, stores: false) else { return }
        let found = execution.read(SortedSetValue.self, at: execution.arguments[1])
        guard case .value(let value) = execution.found(found, { $0.array(0) }) else { return }
        let reply = execution.reply
        let ranks = range.ranks(in: value)
        beginMembers(ranks.count, withScores: range.withScores, reply)
        range.forEach(ranks, of: value) { member, score in
            replyMember(member, score, withScores: range.withScores, reply)
        }
    }

    static func zrangestore(_ execution: Execution) {
        guard let range = SortedSetRange.parse(execution, from: 3, by: nil, isReversed: nil, stores: true) else { return }
        let (seed, limits) = (execution.keyspace.seed, execution.limits)
        let result = SortedSetValue()
        switch execution.write(SortedSetValue.self, at: execution.arguments[2]) {
        case .wrongType: return
        case .absent: break
        case .value(let value):
            let ranks = range.ranks(in: value)
            if case .ranks = range.kind {
                result.prepare(sizeHint: ranks.count, memberBytesMax: 0, seed: seed, limits: limits)
            }
            range.forEach(ranks, of: value) { member, score in
                member.withBytes { result.put($0, score: score, old: nil, seed: seed, limits: limits) }
            }
        }
        replace(execution.arguments[1], with: result, execution)
    }

    /// Stores a result, or deletes the key where nothing is in it; replies the count.
    static func replace(_ key: ByteView, with result: SortedSetValue, _ execution: Execution) {
        if result.count == 0 { execution.delete(key) } else { execution.setCollection(key, result) }
        execution.reply.integer(result.count)
    }

    // MARK: removing

    static func zremrangebyrank(_ execution: Execution) {
        guard let first = execution.integerArgument(2), let last = execution.integerArgument(3) else { return }
        remove(execution) { ListCommands.range(first, last, count: $0.count) }
    }

    static func zremrangebyscore(_ execution: Execution) {
        guard let range = ScoreRange(execution.arguments[2], execution.arguments[3]) else {
            return execution.reply.error("ERR min or max is not a float")
        }
        remove(execution) { range.ranks(in: $0) }
    }

    static func zremrangebylex(_ execution: Execution) {
        guard let range = MemberRange(execution.arguments[2], execution.arguments[3]) else {
            return execution.reply.error("ERR min or max not valid string range item")
        }
        remove(execution, single: range.single) { range.ranks(in: $0) }
    }

    /// Removes a range. One that can hold no member but `single`, where all members have the same score, needs no rank in a large set.
    @inline(__always)
    private static func remove(_ execution: Execution, single: ByteView? = nil, _ ranks: (SortedSetValue) -> Range<Int>) {
        let key = execution.arguments[1]
        let found = execution.write(SortedSetValue.self, at: key)
        guard case .value(let value) = execution.found(found, { $0.integer(0) }) else { return }
        if let single, !value.isPacked {
            let isRemoved = value.remove(single, seed: execution.keyspace.seed, hasFirstScore: true)
            if isRemoved { execution.changed(value, at: key) }
            return execution.reply.integer(isRemoved ? 1 : 0)
        }
        let range = ranks(value)
        value.remove(fromRank: range.lowerBound, count: range.count, seed: execution.keyspace.seed)
        if !range.isEmpty { execution.changed(value, at: key) }
        execution.reply.integer(range.count)
    }

    // MARK: popping

    static func zpopmin(_ execution: Execution) { pop(execution, highest: false) }
    static func zpopmax(_ execution: Execution) { pop(execution, highest: true) }

    private static func pop(_ execution: Execution, highest: Bool) {
        let arguments = execution.arguments
        if arguments.count > 3 { return execution.syntaxError() }
        var wanted: Int?
        if arguments.count == 3 {
            wanted = execution.countArgument(2)
            if wanted == nil { return }
        }
        let found = execution.write(SortedSetValue.self, at: arguments[1])
        guard case .value(let value) = execution.found(found, { $0.array(0) }) else { return }
        if wanted == 0 { return execution.reply.array(0) }
        // Pairs are arrays of their own where a count was given, in RESP3.
        let nested = wanted != nil && execution.reply.version == .three
        let count = min(wanted ?? 1, value.count)
        execution.reply.array(nested ? count : count * 2)
        popAndReply(value, count, highest: highest, nested: nested, at: arguments[1], execution)
    }

    private static func popAndReply(
        _ value: SortedSetValue, _ count: Int, highest: Bool, nested: Bool, at key: ByteView, _ execution: Execution
    ) {
        let reply = execution.reply
        let body: (PackedElement, Double) -> Bool = { member, score in
            if nested { reply.array(2) }
            reply.bulk(member)
            reply.score(score)
            return true
        }
        if highest {
            value.forEachReversed(from: value.count - 1, limit: count, body)
        } else {
            value.forEach(limit: count, body)
        }
        value.remove(fromRank: highest ? value.count - count : 0, count: count, seed: execution.keyspace.seed)
        execution.changed(value, at: key)
    }

    static func zmpop(_ execution: Execution) {
        let arguments = execution.arguments
        guard let keys = execution.integerArgument(1, in: 1 ... .max, error: "ERR numkeys should be greater than 0") else {
            return
        }
        if keys > arguments.count - 3 { return execution.syntaxError() }
        let highest = arguments[2 + keys].equalsIgnoringCase("max")
        if !highest && !arguments[2 + keys].equalsIgnoringCase("min") { return execution.syntaxError() }
        var count: Int?
        var index = 3 + keys
        while index < arguments.count {
            if count != nil || !arguments[index].equalsIgnoringCase("count") || index + 1 == arguments.count {
                return execution.syntaxError()
            }
            count = execution.integerArgument(index + 1, in: 1 ... .max, error: "ERR count should be greater than 0")
            if count == nil { return }
            index += 2
        }
        for index in 2..<(2 + keys) {
            switch execution.write(SortedSetValue.self, at: arguments[index]) {
            case .wrongType: return
            case .absent: continue
            case .value(let value):
                let count = min(count ?? 1, value.count)
                execution.reply.array(2)
                execution.reply.bulk(arguments[index])
                execution.reply.array(count)
                return popAndReply(value, count, highest: highest, nested: true, at: arguments[index], execution)
            }
        }
        execution.reply.nullArray()
    }
}
