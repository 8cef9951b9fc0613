import Base
import RESP

// Consumer groups: making, moving and removing them and their consumers.
extension StreamCommands {
    static func xgroupCreate(_ execution: Execution) {
        let arguments = execution.arguments
        guard let options = groupOptions(execution, makesStream: true) else { return }
        let key = arguments[2]
        var value: StreamValue?
        switch execution.write(StreamValue.self, at: key) {
        case .wrongType: return
        case .value(let found): value = found
        case .absent: if !options.makesStream { return requiresKey(execution) }
        }
        if arguments.count > 8 { return subcommandSyntaxError(execution, "XGROUP") }
        var id = value?.position.lastID ?? .zero
        if !isDollar(arguments[4]) {
            guard let given = execution.streamID(4) else { return }
            id = given
        }
        if value?.group(arguments[3]) != nil {
            return execution.reply.error("BUSYGROUP Consumer Group name already exists")
        }
        let stream = value ?? StreamValue()
        stream.addGroup(arguments[3], lastID: id, entriesRead: options.entriesRead)
        if value == nil { execution.setCollection(key, stream) } else { execution.changedAside(stream, at: key) }
        execution.reply.ok()
    }

    static func xgroupSetid(_ execution: Execution) {
        let arguments = execution.arguments
        guard let options = groupOptions(execution, makesStream: false), let (value, edit) = editGroup(execution) else { return }
        if arguments.count != 5 && arguments.count != 7 {
            value.finish(edit)
            return subcommandSyntaxError(execution, "XGROUP")
        }
        var id = value.position.lastID
        if !isDollar(arguments[4]) {
            guard let parsed = StreamID.parse(arguments[4], allowsEnds: true) else {
                value.finish(edit)
                return execution.invalidStreamID()
            }
            id = parsed.id
        }
        edit.group.lastID = id
        edit.group.entriesRead = options.entriesRead
        finish(edit, value, execution)
        execution.reply.ok()
    }

    static func xgroupDestroy(_ execution: Execution) {
        let arguments = execution.arguments
        let found = execution.write(StreamValue.self, at: arguments[2])
        guard case .value(let value) = execution.found(found, { _ in requiresKey(execution) }) else { return }
        guard let remains = value.removeGroup(arguments[3]) else { return execution.reply.integer(0) }
        execution.graveyard.bury(remains)
        execution.changedAside(value, at: arguments[2])
        execution.reply.integer(1)
    }

    static func xgroupCreateconsumer(_ execution: Execution) {
        let arguments = execution.arguments
        guard let (value, edit) = editGroup(execution) else { return }
        if edit.group.consumer(named: arguments[4]) != nil {
            value.finish(edit)
            return execution.reply.integer(0)
        }
        _ = edit.group.addConsumer(named: arguments[4], seenTime: execution.nowMilliseconds)
        finish(edit, value, execution)
        execution.reply.integer(1)
    }

    static func xgroupDelconsumer(_ execution: Execution) {
        let arguments = execution.arguments
        guard let (value, edit) = editGroup(execution) else { return }
        guard let pending = edit.group.removeConsumer(named: arguments[4]) else {
            value.finish(edit)
            return execution.reply.integer(0)
        }
        finish(edit, value, execution)
        execution.reply.integer(pending)
    }

    static func xgroupHelp(_ execution: Execution) {
        execution.replyHelp(
            "XGROUP",
            [
                "CREATE <key> <groupname> <id|$> [MKSTREAM] [ENTRIESREAD <entries-read>]",
                "    Makes a group that reads what comes behind <id>; MKSTREAM makes the stream too.",
                "CREATECONSUMER <key> <groupname> <consumer>", "    Makes a consumer in the group.",
                "DELCONSUMER <key> <groupname> <consumer>", "    Removes a consumer and what is pending for it.",
                "DESTROY <key> <groupname>", "    Removes the group.",
                "SETID <key> <groupname> <id|$> [ENTRIESREAD <entries-read>]", "    Moves the group behind <id>.",
            ])
    }

    // MARK: parts

    private struct GroupOptions {
        var makesStream = false
        var entriesRead: Int64 = -1
    }

    /// The options behind argument 4. Nil after the error was replied.
    private static func groupOptions(_ execution: Execution, makesStream: Bool) -> GroupOptions? {
        let arguments = execution.arguments
        var options = GroupOptions()
        var index = 5
        while index < arguments.count {
            if makesStream && arguments[index].equalsIgnoringCase("mkstream") {
                options.makesStream = true
                index += 1
            } else if index + 1 < arguments.count && arguments[index].equalsIgnoringCase("entriesread") {
                guard let entries = execution.streamInteger(index + 1) else { return nil }
                if entries < -1 {
                    execution.reply.error("ERR value for ENTRIESREAD must be positive or -1")
                    return nil
                }
                options.entriesRead = entries
                index += 2
            } else {
                subcommandSyntaxError(execution, "XGROUP")
                return nil
            }
        }
        return options
    }

    /// The stream at argument 2 and its group at argument 3, to be changed: the caller ends that. Nil after the error was replied.
    @inline(__always)
    private static func editGroup(_ execution: Execution) -> (StreamValue, StreamGroupTree.Edit)? {
        let arguments = execution.arguments
        let found = execution.write(StreamValue.self, at: arguments[2])
        guard case .value(let value) = execution.found(found, { _ in requiresKey(execution) }) else { return nil }
        if let edit = value.edit(arguments[3]) { return (value, edit) }
        noSuchGroup(execution, arguments[3], key: arguments[2])
        return nil
    }

    private static func finish(_ edit: StreamGroupTree.Edit, _ value: StreamValue, _ execution: Execution) {
        value.finish(edit)
        execution.changedAside(value, at: execution.arguments[2])
    }

    private static func isDollar(_ word: ByteView) -> Bool { word.count == 1 && word[0] == UInt8(ascii: "$") }

    static func subcommandSyntaxError(_ execution: Execution, _ container: String) {
        CommandTable.subcommandSyntaxError(container: container, execution.arguments[1], execution.reply)
    }

    private static func requiresKey(_ execution: Execution) {
        execution.reply.error(
            """
            ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to \
            create an empty stream automatically.
            """)
    }

    /// Replies that a key has no such group.
    static func noSuchGroup(_ execution: Execution, _ group: ByteView, key: ByteView) {
        let text = ByteBuffer()
        text.append("NOGROUP No such consumer group '")
        CommandTable.append(group, max: .max, to: text)
        text.append("' for key name '")
        CommandTable.append(key, max: .max, to: text)
        text.append("'")
        execution.reply.error(text.view)
    }
}
