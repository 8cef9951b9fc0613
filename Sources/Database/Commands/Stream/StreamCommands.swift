import Base
import RESP

// Adding, deleting, trimming; the length; and what the stream commands share.
extension ReplyWriter {
    /// The text of an ID as a bulk string.
    func streamID(_ id: StreamID) { id.withText { bulk($0) } }

    /// An entry: its ID, its fields and values.
    func streamEntry(_ entry: StreamEntry) {
        array(2)
        streamID(entry.id)
        array(2 * entry.fieldCount)
        entry.forEachField { field, value in
            bulk(field)
            bulk(value)
        }
    }
}

extension Execution {
    /// The argument at `index` as an ID that must not be `-` or `+`. Nil after the error was replied.
    func streamID(_ index: Int) -> StreamID? {
        if let parsed = StreamID.parse(arguments[index]) { return parsed.id }
        invalidStreamID()
        return nil
    }

    /// Replies that an argument is not an ID.
    func invalidStreamID() { reply.error("ERR Invalid stream ID specified as stream command argument") }

    /// Whether all arguments from `first` on are IDs; replies the error where one is not.
    func checkStreamIDs(from first: Int) -> Bool {
        for index in first..<arguments.count where StreamID.parse(arguments[index]) == nil {
            invalidStreamID()
            return false
        }
        return true
    }

    /// The argument at `index` as the beginning of a range, `(` in front of an ID excludes it. Nil after the error was replied.
    func rangeStart(_ index: Int) -> StreamID? {
        guard let (id, isExcluded) = rangeEnd(index, missingSequence: 0) else { return nil }
        if !isExcluded { return id }
        if let next = id.next { return next }
        reply.error("ERR invalid start ID for the interval")
        return nil
    }

    /// The argument at `index` as the end of a range; see `rangeStart`.
    func rangeEnd(_ index: Int) -> StreamID? {
        guard let (id, isExcluded) = rangeEnd(index, missingSequence: .max) else { return nil }
        if !isExcluded { return id }
        if let previous = id.previous { return previous }
        reply.error("ERR invalid end ID for the interval")
        return nil
    }

    private func rangeEnd(_ index: Int, missingSequence: UInt64) -> (StreamID, isExcluded: Bool)? {
        let text = arguments[index]
        let isExcluded = text.count > 1 && text[0] == UInt8(ascii: "(")
        let parsed = StreamID.parse(
            isExcluded ? text.dropFirst(1) : text, missingSequence: missingSequence, allowsEnds: !isExcluded)
        if let parsed { return (parsed.id, isExcluded) }
        invalidStreamID()
        return nil
    }

    /// The argument at `index` as an integer; nil after the error was replied.
    func streamInteger(_ index: Int, error: StaticString? = nil) -> Int64? {
        if let value = parseInteger(arguments[index]) { return value }
        if let error { reply.error(error) } else { notInteger() }
        return nil
    }

    /// Puts a stream that was changed back, or in where it is new.
    @inline(__always)
    func store(_ value: StreamValue, isNew: Bool, at key: ByteView) {
        if isNew { setCollection(key, value) } else { changed(value, at: key) }
    }
}

extension StreamCommands {
    static func xlen(_ execution: Execution) {
        let found = execution.readCount(.stream, at: execution.arguments[1])
        guard case .value(let count) = execution.found(found, { $0.integer(0) }) else { return }
        execution.reply.integer(count)
    }

    static func xadd(_ execution: Execution) {
        let arguments = execution.arguments
        guard let options = StreamAddOptions.parse(execution, adds: true) else { return }
        let first = options.end + 1
        if arguments.count - first < 2 || (arguments.count - first) % 2 == 1 { return execution.wrongArgumentCount() }
        if options.id == .given(.zero) {
            return execution.reply.error("ERR The ID specified in XADD must be greater than 0-0")
        }
        let key = arguments[1]
        let value: StreamValue
        var isNew = false
        switch execution.write(StreamValue.self, at: key) {
        case .wrongType: return
        case .value(let found): value = found
        case .absent:
            if options.makesNoStream { return execution.reply.null() }
            value = StreamValue()
            isNew = true
        }
        guard let id = nextID(options.id, behind: value.position.lastID, execution) else { return }
        if isTooLarge(arguments, from: first) { return execution.reply.error("ERR Elements are too large to be stored") }
        value.append(id, arguments, from: first, limits: execution.limits)
        if let goal = options.goal { _ = value.trim(goal, isApproximate: options.isApproximate, limit: options.limit) }
        execution.store(value, isNew: isNew, at: key)
        execution.reply.streamID(id)
    }

    /// The ID of the next entry. Nil after the error was replied.
    @inline(__always)
    private static func nextID(
        _ wanted: StreamAddOptions.WantedID, behind last: StreamID, _ execution: Execution
    ) -> StreamID? {
        guard let next = last.next else {
            execution.reply.error("ERR The stream has exhausted the last possible ID, unable to add more items")
            return nil
        }
        var id: StreamID?
        switch wanted {
        case .automatic:
            let now = UInt64(max(execution.nowMilliseconds, 0))
            id = now > last.milliseconds ? StreamID(milliseconds: now, sequence: 0) : next
        case .inMillisecond(let milliseconds):
            if milliseconds != last.milliseconds {
                id = StreamID(milliseconds: milliseconds, sequence: 0)
            } else if last.sequence < .max {
                id = next
            }
        case .given(let given):
            id = given
        }
        if let id, id > last { return id }
        execution.reply.error("ERR The ID specified in XADD is equal or smaller than the target stream top item")
        return nil
    }

    private static func isTooLarge(_ arguments: Arguments.Views, from first: Int) -> Bool {
        var bytes = 0
        for index in first..<arguments.count { bytes += arguments[index].count }
        return bytes > StreamNode.entryBytesMax
    }

    static func xtrim(_ execution: Execution) {
        guard let options = StreamAddOptions.parse(execution, adds: false), let goal = options.goal else { return }
        let key = execution.arguments[1]
        let found = execution.write(StreamValue.self, at: key)
        guard case .value(let value) = execution.found(found, { $0.integer(0) }) else { return }
        let removed = value.trim(goal, isApproximate: options.isApproximate, limit: options.limit)
        if removed > 0 { execution.changed(value, at: key) }
        execution.reply.integer(removed)
    }

    static func xdel(_ execution: Execution) {
        let arguments = execution.arguments
        let found = execution.write(StreamValue.self, at: arguments[1])
        guard case .value(let value) = execution.found(found, { $0.integer(0) }) else { return }
        if !execution.checkStreamIDs(from: 2) { return }
        var removed = 0
        for index in 2..<arguments.count {
            if let id = StreamID.parse(arguments[index])?.id, value.remove(id) { removed += 1 }
        }
        if removed > 0 { execution.changed(value, at: arguments[1]) }
        execution.reply.integer(removed)
    }

    static func xsetid(_ execution: Execution) {
        let arguments = execution.arguments
        guard let id = execution.streamID(2) else { return }
        var entriesAdded: Int64?
        var maxDeletedID: StreamID?
        var index = 3
        while index < arguments.count {
            if index + 1 < arguments.count && arguments[index].equalsIgnoringCase("entriesadded") {
                guard let added = execution.streamInteger(index + 1) else { return }
                if added < 0 { return execution.reply.error("ERR entries_added must be positive") }
                entriesAdded = added
            } else if index + 1 < arguments.count && arguments[index].equalsIgnoringCase("maxdeletedid") {
                guard let deleted = execution.streamID(index + 1) else { return }
                if id < deleted {
                    return execution.reply.error(
                        "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id")
                }
                maxDeletedID = deleted
            } else {
                return execution.syntaxError()
            }
            index += 2
        }
        setID(execution, id, entriesAdded, maxDeletedID == .zero ? nil : maxDeletedID)
    }

    private static func setID(_ execution: Execution, _ id: StreamID, _ entriesAdded: Int64?, _ maxDeletedID: StreamID?) {
        let key = execution.arguments[1]
        let found = execution.write(StreamValue.self, at: key)
        guard case .value(let value) = execution.found(found, { $0.error("ERR no such key") }) else { return }
        if id < value.position.maxDeletedID {
            return execution.reply.error("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id")
        }
        if let last = value.entries.lastID {
            if id < last {
                return execution.reply.error("ERR The ID specified in XSETID is smaller than the target stream top item")
            }
            if let entriesAdded, Int64(value.count) > entriesAdded {
                return execution.reply.error(
                    "ERR The entries_added specified in XSETID is smaller than the target stream length")
            }
        }
        value.setPosition(lastID: id, entriesAdded: entriesAdded.map { UInt64($0) }, maxDeletedID: maxDeletedID)
        execution.changedAside(value, at: key)
        execution.reply.ok()
    }
}
