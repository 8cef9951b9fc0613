import Base
import RESP

// Intersections, unions and differences of sets.
extension SetCommands {
    /// What the sets of the keys at the arguments in `range` hold, nil for absent keys; valid until the next change. Nil after a wrong
    /// type was replied.
    private static func sets(_ execution: Execution, _ range: Range<Int>) -> [SetContent?]? {
        var sets: [SetContent?] = []
        sets.reserveCapacity(range.count)
        for index in range {
            let key = execution.arguments[index]
            guard let entry = execution.isRead ? execution.lookupRead(key) : execution.lookupWrite(key) else {
                sets.append(nil)
                continue
            }
            if !entry.holds(.set) {
                execution.wrongType()
                return nil
            }
            sets.append(SetContent(of: entry))
        }
        return sets
    }

    /// Stores a result at argument 1, or deletes that key where nothing is in it; replies the count.
    private static func store(_ result: SetValue, _ execution: Execution) {
        if result.count == 0 {
            execution.delete(execution.arguments[1])
        } else {
            execution.setCollection(execution.arguments[1], result)
        }
        execution.reply.integer(result.count)
    }

    // MARK: intersection

    /// Calls `body` with the members that all sets have, in the order of the smallest set, until it answers false.
    @inline(__always)
    private static func forEachCommon(_ sets: [SetContent], seed: UInt64, _ body: (PackedElement) -> Bool) {
        guard let first = sets.first else { return }
        var others: [SetContent] = []
        others.reserveCapacity(sets.count)
        for other in sets where !other.isSame(first) { others.append(other) }
        // Not by a slice or an iterator, which would count references for every member.
        others.withUnsafeBufferPointer { others in
            first.forEach { member in
                for index in 0..<others.count where !others[index].contains(member, seed: seed) { return true }
                return body(member)
            }
        }
    }

    /// Present sets from the smallest to the largest, those of equal size as they came; nil where one is absent.
    private static func bySize(_ sets: [SetContent?]) -> [SetContent]? {
        var ordered: [SetContent] = []
        ordered.reserveCapacity(sets.count)
        for set in sets {
            guard let set else { return nil }
            ordered.append(set)
        }
        if ordered.count < 8 {
            for index in 1..<max(1, ordered.count) {
                var place = index
                while place > 0, ordered[place].count < ordered[place - 1].count {
                    ordered.swapAt(place, place - 1)
                    place -= 1
                }
            }
            return ordered
        }
        let order = ordered.indices.sorted { (ordered[$0].count, $0) < (ordered[$1].count, $1) }
        return order.map { ordered[$0] }
    }

    static func sinter(_ execution: Execution) {
        guard let sets = sets(execution, 1..<execution.arguments.count) else { return }
        let reply = execution.reply
        guard let ordered = bySize(sets) else { return reply.set(0) }
        let set = reply.beginSet()
        var count = 0
        forEachCommon(ordered, seed: execution.seed) { member in
            reply.bulk(member)
            count += 1
            return true
        }
        reply.end(set, count: count)
    }

    static func sintercard(_ execution: Execution) {
        let arguments = execution.arguments
        guard let keys = execution.integerArgument(1, in: 1 ... .max, error: "ERR numkeys should be greater than 0") else {
            return
        }
        if keys > arguments.count - 2 {
            return execution.reply.error("ERR Number of keys can't be greater than number of args")
        }
        var limit = 0
        var index = 2 + keys
        while index < arguments.count {
            if !arguments[index].equalsIgnoringCase("limit") || index + 1 == arguments.count { return execution.syntaxError() }
            guard let number = execution.integerArgument(index + 1, in: 0 ... .max, error: "ERR LIMIT can't be negative")
            else { return }
            limit = number
            index += 2
        }
        guard let sets = sets(execution, 2..<(2 + keys)) else { return }
        var count = 0
        if let ordered = bySize(sets) {
            forEachCommon(ordered, seed: execution.seed) { _ in
                count += 1
                return count != limit
            }
        }
        execution.reply.integer(count)
    }

    static func sinterstore(_ execution: Execution) {
        guard let sets = sets(execution, 2..<execution.arguments.count) else { return }
        let (seed, limits) = (execution.seed, execution.limits)
        guard let ordered = bySize(sets), let first = ordered.first else { return store(SetValue(.intset), execution) }
        // As Redis: integers stay integers; everything else begins packed and is looked at again at the end.
        let result = SetValue(first.encoding == .intset ? .intset : .listpack)
        forEachCommon(ordered, seed: seed) { member in
            _ = result.add(member, seed: seed, limits: limits)
            return true
        }
        result.becomeIntegersIfPossible(limits: limits)
        store(result, execution)
    }

    // MARK: union

    private static func union(_ sets: [SetContent?], _ execution: Execution) -> SetValue {
        let (seed, limits) = (execution.seed, execution.limits)
        let result = SetValue(.intset)
        for set in sets {
            set?.forEach { member in
                _ = result.add(member, seed: seed, limits: limits)
                return true
            }
        }
        return result
    }

    static func sunion(_ execution: Execution) {
        guard let sets = sets(execution, 1..<execution.arguments.count) else { return }
        replyAll(union(sets, execution), execution.reply)
    }

    static func sunionstore(_ execution: Execution) {
        guard let sets = sets(execution, 2..<execution.arguments.count) else { return }
        store(union(sets, execution), execution)
    }

    // MARK: difference

    /// The first set and the present others of a difference, the largest first, as most is found there; nil where nothing is left of it.
    private static func minuend(_ sets: [SetContent?]) -> (first: SetContent, others: [SetContent])? {
        guard let present = sets.first, let first = present else { return nil }
        var others: [SetContent] = []
        others.reserveCapacity(sets.count)
        for set in sets.dropFirst() {
            guard let set else { continue }
            if set.isSame(first) { return nil }
            others.append(set)
        }
        if others.count > 1 {
            let order = others.indices.sorted { (-others[$0].count, $0) < (-others[$1].count, $1) }
            others = order.map { others[$0] }
        }
        return (first, others)
    }

    /// Whether to ask the others for each member of the first set, and not to remove theirs from a copy of it, which is less where
    /// the first set is large and the others are small.
    private static func asksOthers(_ first: SetContent, _ others: [SetContent]) -> Bool {
        var removing = first.count
        for other in others { removing += other.count }
        return first.count * (others.count + 1) / 2 <= removing
    }

    /// Calls `body` with the members of the first set that no other has, in its order.
    @inline(__always)
    private static func forEachLeft(
        _ first: SetContent, _ others: [SetContent], seed: UInt64, _ body: (PackedElement) -> Void
    ) {
        others.withUnsafeBufferPointer { others in
            first.forEach { member in
                for index in 0..<others.count where others[index].contains(member, seed: seed) { return true }
                body(member)
                return true
            }
        }
    }

    private static func difference(_ sets: [SetContent?], _ execution: Execution) -> SetValue {
        let (seed, limits) = (execution.seed, execution.limits)
        let result = SetValue(.intset)
        guard let (first, others) = minuend(sets) else { return result }
        if asksOthers(first, others) {
            forEachLeft(first, others, seed: seed) { _ = result.add($0, seed: seed, limits: limits) }
        } else {
            first.forEach { member in
                _ = result.add(member, seed: seed, limits: limits)
                return true
            }
            for other in others {
                other.forEach { member in
                    _ = result.remove(member, seed: seed)
                    return result.count > 0
                }
            }
        }
        return result
    }

    static func sdiff(_ execution: Execution) {
        guard let sets = sets(execution, 1..<execution.arguments.count) else { return }
        let reply = execution.reply
        guard let (first, others) = minuend(sets) else { return reply.set(0) }
        if !asksOthers(first, others) { return replyAll(difference(sets, execution), reply) }
        let set = reply.beginSet()
        var count = 0
        forEachLeft(first, others, seed: execution.seed) { member in
            reply.bulk(member)
            count += 1
        }
        reply.end(set, count: count)
    }

    static func sdiffstore(_ execution: Execution) {
        guard let sets = sets(execution, 2..<execution.arguments.count) else { return }
        store(difference(sets, execution), execution)
    }
}
