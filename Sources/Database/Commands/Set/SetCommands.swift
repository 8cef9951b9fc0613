import Base
import RESP

// Single sets.
extension SetCommands {
    static func sadd(_ execution: Execution) {
        let arguments = execution.arguments
        let (seed, limits) = (execution.seed, execution.limits)
        let isThere = execution.change(SetValue.self, at: arguments[1]) { set in
            set.prepare(sizeHint: arguments.count - 2, seed: seed, limits: limits)
            let added = add(arguments, to: set, seed: seed, limits: limits)
            execution.reply.integer(added)
            return added > 0
        }
        if isThere { return }
        let set = SetValue(for: arguments[2], sizeHint: arguments.count - 2, limits: limits)
        let added = add(arguments, to: set, seed: seed, limits: limits)
        execution.setCollection(arguments[1], set)
        execution.reply.integer(added)
    }

    /// Adds the arguments from 2 on; how many were not there.
    @inline(__always)
    private static func add(_ arguments: Arguments.Views, to set: SetValue, seed: UInt64, limits: CollectionLimits) -> Int {
        var added = 0
        for index in 2..<arguments.count where set.add(PackedElement(raw: arguments[index]), seed: seed, limits: limits) {
            added += 1
        }
        return added
    }

    static func srem(_ execution: Execution) {
        let arguments = execution.arguments
        let isThere = execution.change(SetValue.self, at: arguments[1]) { set in
            var removed = 0
            for index in 2..<arguments.count where set.remove(PackedElement(raw: arguments[index]), seed: execution.seed) {
                removed += 1
            }
            execution.reply.integer(removed)
            return removed > 0
        }
        if !isThere { execution.reply.integer(0) }
    }

    static func smove(_ execution: Execution) {
        let arguments = execution.arguments
        let seed = execution.seed
        let found = execution.write(SetValue.self, at: arguments[1])
        guard case .value(let source) = execution.found(found, { $0.integer(0) }) else { return }
        let member = PackedElement(raw: arguments[3])
        let target: SetValue
        var isNew = false
        switch execution.write(SetValue.self, at: arguments[2]) {
        case .wrongType: return
        case .value(let there): target = there
        case .absent:
            target = SetValue(for: arguments[3], sizeHint: 1, limits: execution.limits)
            isNew = true
        }
        if target === source { return execution.reply.integer(source.contains(member, seed: seed) ? 1 : 0) }
        if !source.remove(member, seed: seed) { return execution.reply.integer(0) }
        execution.changed(source, at: arguments[1])
        let added = target.add(member, seed: seed, limits: execution.limits)
        if isNew {
            execution.setCollection(arguments[2], target)
        } else if added {
            execution.changed(target, at: arguments[2])
        }
        execution.reply.integer(1)
    }

    // MARK: reading

    static func scard(_ execution: Execution) {
        let found = execution.readCount(.set, at: execution.arguments[1])
        guard case .value(let count) = execution.found(found, { $0.integer(0) }) else { return }
        execution.reply.integer(count)
    }

    static func sismember(_ execution: Execution) {
        let arguments = execution.arguments
        switch execution.readSet(at: arguments[1]) {
        case .wrongType: return
        case .absent: execution.reply.integer(0)
        case .value(let set):
            let isMember = set.contains(PackedElement(raw: arguments[2]), seed: execution.seed)
            execution.reply.integer(isMember ? 1 : 0)
        }
    }

    static func smismember(_ execution: Execution) {
        let arguments = execution.arguments
        var set: SetContent?
        switch execution.readSet(at: arguments[1]) {
        case .wrongType: return
        case .absent: break
        case .value(let found): set = found
        }
        execution.reply.array(arguments.count - 2)
        for index in 2..<arguments.count {
            let isMember = set?.contains(PackedElement(raw: arguments[index]), seed: execution.seed) ?? false
            execution.reply.integer(isMember ? 1 : 0)
        }
    }

    static func smembers(_ execution: Execution) {
        let found = execution.readSet(at: execution.arguments[1])
        guard case .value(let set) = execution.found(found, { $0.set(0) }) else { return }
        replyAll(set, execution.reply)
    }

    /// Replies all members as a set.
    static func replyAll(_ set: SetValue, _ reply: ReplyWriter) {
        withExtendedLifetime(set) { replyAll(set.content, reply) }
    }

    private static func replyAll(_ set: SetContent, _ reply: ReplyWriter) {
        reply.set(set.count)
        if reply.discards { return }
        set.forEach { member in
            reply.bulk(member)
            return true
        }
    }

    static func sscan(_ execution: Execution) {
        guard let cursor = execution.scanCursor() else { return }
        let set: SetValue
        switch execution.read(SetValue.self, at: execution.arguments[1]) {
        case .wrongType: return
        case .absent: return execution.replyEmptyScan()
        case .value(let found): set = found
        }
        guard let scan = execution.scanOptions(cursor: cursor) else { return }
        execution.replyScan { writer in
            var written = 0
            let next = set.scan(from: scan.cursor, count: scan.count, seed: execution.seed) { member in
                if let pattern = scan.pattern, !member.withBytes({ globMatch(pattern, $0) }) { return }
                writer.bulk(member)
                written += 1
            }
            return (written, next)
        }
    }

    // MARK: choosing at random

    static func spop(_ execution: Execution) {
        let arguments = execution.arguments
        if arguments.count > 3 { return execution.syntaxError() }
        if arguments.count == 3 { return popMany(execution) }
        let found = execution.write(SetValue.self, at: arguments[1])
        guard case .value(let set) = execution.found(found, { $0.null() }) else { return }
        let rank = execution.random.index(below: set.count)
        execution.reply.bulk(set.member(at: rank))
        set.remove(at: rank)
        execution.changed(set, at: arguments[1])
    }

    private static func popMany(_ execution: Execution) {
        guard let wanted = execution.countArgument(2) else { return }
        let key = execution.arguments[1]
        let found = execution.write(SetValue.self, at: key)
        guard case .value(let set) = execution.found(found, { $0.set(0) }) else { return }
        let reply = execution.reply
        if wanted == 0 { return reply.set(0) }
        if wanted >= set.count {
            replyAll(set, reply)
            execution.delete(key)
            return
        }
        reply.set(wanted)
        // From the highest rank down, so that the ranks still to go stay what they are.
        let ranks = execution.distinctRanks(wanted, below: set.count).sorted(by: >)
        for rank in ranks {
            reply.bulk(set.member(at: rank))
            set.remove(at: rank)
        }
        execution.changed(set, at: key)
    }

    static func srandmember(_ execution: Execution) {
        let arguments = execution.arguments
        if arguments.count > 3 { return execution.syntaxError() }
        let reply = execution.reply
        if arguments.count == 2 {
            guard case .value(let set) = execution.found(execution.read(SetValue.self, at: arguments[1]), { $0.null() })
            else { return }
            return reply.bulk(set.member(at: execution.random.index(below: set.count)))
        }
        guard let wanted = execution.integerArgument(2, in: -Int64.max...Int64.max) else { return }
        guard case .value(let set) = execution.found(execution.read(SetValue.self, at: arguments[1]), { $0.array(0) })
        else { return }
        if wanted < 0 {
            if !execution.allowsRandomElements(-wanted) { return }
            reply.array(-wanted)
            for _ in 0..<(-wanted) { reply.bulk(set.member(at: execution.random.index(below: set.count))) }
            return
        }
        if wanted >= set.count {
            reply.array(set.count)
            return set.forEach { member in
                reply.bulk(member)
                return true
            }
        }
        reply.array(wanted)
        for rank in execution.distinctRanks(wanted, below: set.count) { reply.bulk(set.member(at: rank)) }
    }
}
