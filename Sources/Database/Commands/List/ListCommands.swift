import Base
import RESP

// Pushing, popping, and reading by index.
extension ListCommands {
    // MARK: pushing

    static func lpush(_ execution: Execution) { push(execution, .head, onlyExisting: false) }
    static func rpush(_ execution: Execution) { push(execution, .tail, onlyExisting: false) }
    static func lpushx(_ execution: Execution) { push(execution, .head, onlyExisting: true) }
    static func rpushx(_ execution: Execution) { push(execution, .tail, onlyExisting: true) }

    @inline(__always)
    private static func push(_ execution: Execution, _ end: ListValue.End, onlyExisting: Bool) {
        let arguments = execution.arguments
        let limits = execution.limits
        let isThere = execution.change(ListValue.self, at: arguments[1]) { list in
            push(arguments, to: list, end, limits: limits)
            execution.reply.integer(list.count)
            return true
        }
        if isThere { return }
        if onlyExisting { return execution.reply.integer(0) }
        let list = ListValue()
        push(arguments, to: list, end, limits: limits)
        execution.setCollection(arguments[1], list)
        execution.reply.integer(list.count)
    }

    /// Pushes the arguments from 2 on.
    @inline(__always)
    private static func push(_ arguments: Arguments.Views, to list: ListValue, _ end: ListValue.End, limits: CollectionLimits) {
        if list.isPacked {
            var bytes = 0
            for index in 2..<arguments.count { bytes += arguments[index].count }
            list.prepare(forElements: arguments.count - 2, bytes: bytes, limits: limits)
        }
        for index in 2..<arguments.count { list.push(PackedElement(arguments[index]), end, limits: limits) }
    }

    /// Puts a list that was changed back, or in where it is new.
    @inline(__always)
    static func store(_ list: ListValue, isNew: Bool, at key: ByteView, _ execution: Execution) {
        if isNew { execution.setCollection(key, list) } else { execution.changed(list, at: key) }
    }

    /// Ends a removal: a list that has become short changes its form, an empty one goes.
    @inline(__always)
    static func removed(_ list: ListValue, at key: ByteView, _ execution: Execution) {
        list.shrink(limits: execution.limits)
        execution.changed(list, at: key)
    }

    // MARK: popping

    static func lpop(_ execution: Execution) { pop(execution, .head) }
    static func rpop(_ execution: Execution) { pop(execution, .tail) }

    @inline(__always)
    private static func pop(_ execution: Execution, _ end: ListValue.End) {
        let arguments = execution.arguments
        if arguments.count > 3 { return execution.wrongArgumentCount() }
        if arguments.count == 3 { return popMany(execution, end) }
        let found = execution.write(ListValue.self, at: arguments[1])
        guard case .value(let list) = execution.found(found, { $0.null() }) else { return }
        let index = end == .head ? 0 : list.count - 1
        execution.reply.bulk(list.element(at: index))
        list.remove(from: index, limits: execution.limits)
        removed(list, at: arguments[1], execution)
    }

    private static func popMany(_ execution: Execution, _ end: ListValue.End) {
        guard let wanted = execution.countArgument(2) else { return }
        let key = execution.arguments[1]
        let found = execution.write(ListValue.self, at: key)
        guard case .value(let list) = execution.found(found, { $0.nullArray() }) else { return }
        if wanted == 0 { return execution.reply.array(0) }
        popAndReply(list, min(wanted, list.count), end, at: key, execution)
    }

    /// Removes `count` elements from an end and replies them in the order in which they go.
    static func popAndReply(_ list: ListValue, _ count: Int, _ end: ListValue.End, at key: ByteView, _ execution: Execution) {
        let reply = execution.reply
        reply.array(count)
        if end == .head {
            replyElements(list, from: 0, count: count, reply)
        } else {
            var left = count
            list.forEachReversed(from: list.count - 1) { element in
                reply.bulk(element)
                left -= 1
                return left > 0
            }
        }
        list.remove(from: end == .head ? 0 : list.count - count, count: count, limits: execution.limits)
        removed(list, at: key, execution)
    }

    @inline(__always)
    private static func replyElements(_ list: ListValue, from index: Int, count: Int, _ reply: ReplyWriter) {
        if reply.discards { return }
        list.forEach(from: index, limit: count) { element in
            reply.bulk(element)
            return true
        }
    }

    static func lmpop(_ execution: Execution) {
        let arguments = execution.arguments
        guard let keys = execution.integerArgument(1, in: 1 ... .max, error: "ERR numkeys should be greater than 0") else {
            return
        }
        if keys > arguments.count - 3 { return execution.syntaxError() }
        guard let end = self.end(arguments[2 + keys]) else { return execution.syntaxError() }
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
            let key = arguments[index]
            switch execution.write(ListValue.self, at: key) {
            case .wrongType: return
            case .absent: continue
            case .value(let list):
                execution.reply.array(2)
                execution.reply.bulk(key)
                return popAndReply(list, min(count ?? 1, list.count), end, at: key, execution)
            }
        }
        execution.reply.nullArray()
    }

    // MARK: reading

    static func llen(_ execution: Execution) {
        let found = execution.readCount(.list, at: execution.arguments[1])
        guard case .value(let count) = execution.found(found, { $0.integer(0) }) else { return }
        execution.reply.integer(count)
    }

    static func lindex(_ execution: Execution) {
        let arguments = execution.arguments
        let found = execution.read(ListValue.self, at: arguments[1])
        guard case .value(let list) = execution.found(found, { $0.null() }) else { return }
        guard let index = execution.integerArgument(2) else { return }
        let place = index < 0 ? index + list.count : index
        if place < 0 || place >= list.count { return execution.reply.null() }
        execution.reply.bulk(list.element(at: place))
    }

    /// The indexes that a range with ends counted from either end has in `count` elements; empty where there are none.
    static func range(_ first: Int, _ last: Int, count: Int) -> Range<Int> {
        let start = max(0, first < 0 ? first + count : first)
        let end = min(count, (last < 0 ? last + count : min(last, count - 1)) + 1)
        return start < end ? start..<end : 0..<0
    }

    static func lrange(_ execution: Execution) {
        guard let first = execution.integerArgument(2), let last = execution.integerArgument(3) else { return }
        let found = execution.read(ListValue.self, at: execution.arguments[1])
        guard case .value(let list) = execution.found(found, { $0.array(0) }) else { return }
        let range = self.range(first, last, count: list.count)
        execution.reply.array(range.count)
        replyElements(list, from: range.lowerBound, count: range.count, execution.reply)
    }

    /// The end that a word names.
    static func end(_ word: ByteView) -> ListValue.End? {
        word.equalsIgnoringCase("left") ? .head : word.equalsIgnoringCase("right") ? .tail : nil
    }
}
