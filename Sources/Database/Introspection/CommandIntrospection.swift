import Base
import RESP

/// The replies of COMMAND, made from the table. Nodes call it for the local command and its subcommands.
package enum CommandIntrospection {
    /// Answers COMMAND or one of its subcommands; false when `command` is another one.
    package static func reply(
        _ command: Command, _ arguments: Arguments, table: CommandTable, _ reply: ReplyWriter
    ) -> Bool {
        switch command.fullName {
        case "command": all(table, reply)
        case "command|count": reply.integer(table.commands.count)
        case "command|info": info(arguments, table, reply)
        case "command|docs": docs(arguments, table, reply)
        case "command|list": list(arguments, table, reply)
        case "command|getkeys": keys(arguments, table, reply, withFlags: false)
        case "command|getkeysandflags": keys(arguments, table, reply, withFlags: true)
        case "command|help": help(reply)
        default: return false
        }
        return true
    }

    private static func all(_ table: CommandTable, _ reply: ReplyWriter) {
        reply.array(table.commands.count)
        for command in table.commands { describe(command, reply) }
    }

    private static func info(_ arguments: Arguments, _ table: CommandTable, _ reply: ReplyWriter) {
        if arguments.count == 2 { return all(table, reply) }
        reply.array(arguments.count - 2)
        for index in 2..<arguments.count {
            if let command = find(arguments[index], table) { describe(command, reply) } else { reply.nullArray() }
        }
    }

    /// A command by its full name, "config|get" included.
    package static func find(_ name: ByteView, _ table: CommandTable) -> Command? {
        guard let bar = name.firstIndex(of: UInt8(ascii: "|")) else { return table.find(name) }
        guard let container = table.find(name.slice(0, bar)), !container.definition.hidesSubcommands else { return nil }
        return table.find(name.dropFirst(bar + 1), in: container)
    }

    private static func listed(_ command: Command) -> [Command] {
        command.definition.hidesSubcommands ? [] : command.subcommands
    }

    // MARK: COMMAND INFO

    private static func describe(_ command: Command, _ reply: ReplyWriter) {
        reply.array(10)
        reply.bulk(text: command.fullName)
        reply.integer(command.arity)
        let flags = CommandFlags.names.filter { command.flags.contains($0.0) }
        reply.set(flags.count)
        for (_, name) in flags { reply.simple(name) }
        let range = command.keyRange
        reply.integer(range.first)
        reply.integer(range.last)
        reply.integer(range.step)
        let categories = CommandCategories.names.filter { command.categories.contains($0.0) }
        reply.set(categories.count)
        for (_, name) in categories { Array("@\(name)".utf8).withView { reply.simple($0) } }
        reply.set(command.definition.tips.count)
        for tip in command.definition.tips { reply.bulk(text: tip) }
        reply.set(command.definition.keys.count)
        for specification in command.definition.keys { describe(specification, reply) }
        reply.set(listed(command).count)
        for subcommand in listed(command) { describe(subcommand, reply) }
    }

    private static func describe(_ specification: KeySpecification, _ reply: ReplyWriter) {
        reply.map(3)
        reply.bulk("flags")
        flags(specification.flags, reply)
        reply.bulk("begin_search")
        reply.map(2)
        reply.bulk("type")
        switch specification.begin {
        case .index(let index):
            reply.bulk("index")
            reply.bulk("spec")
            reply.map(1)
            pair("index", index, reply)
        case .unknown: return describeUnknown(reply)
        case .keyword(let word, let from):
            reply.bulk("keyword")
            reply.bulk("spec")
            reply.map(2)
            reply.bulk("keyword")
            reply.bulk(text: word)
            pair("startfrom", from, reply)
        }
        reply.bulk("find_keys")
        reply.map(2)
        reply.bulk("type")
        switch specification.find {
        case .range(let last, let step, let limit):
            reply.bulk("range")
            reply.bulk("spec")
            reply.map(3)
            pair("lastkey", last, reply)
            pair("keystep", step, reply)
            pair("limit", limit, reply)
        case .count(let place, let first, let step):
            reply.bulk("keynum")
            reply.bulk("spec")
            reply.map(3)
            pair("keynumidx", place, reply)
            pair("firstkey", first, reply)
            pair("keystep", step, reply)
        }
    }

    /// The rest of a specification for keys that Redis's forms can't find.
    private static func describeUnknown(_ reply: ReplyWriter) {
        reply.bulk("unknown")
        reply.bulk("spec")
        reply.map(0)
        reply.bulk("find_keys")
        reply.map(2)
        reply.bulk("type")
        reply.bulk("unknown")
        reply.bulk("spec")
        reply.map(0)
    }

    private static func flags(_ flags: KeyFlags, _ reply: ReplyWriter) {
        let names = KeyFlags.names.filter { flags.contains($0.0) }
        reply.set(names.count)
        for (_, name) in names { reply.simple(name) }
    }

    private static func pair(_ name: StaticString, _ value: Int, _ reply: ReplyWriter) {
        reply.bulk(name)
        reply.integer(value)
    }

    // MARK: COMMAND DOCS

    private static func docs(_ arguments: Arguments, _ table: CommandTable, _ reply: ReplyWriter) {
        var commands: [Command] = []
        if arguments.count == 2 { commands = table.commands }
        for index in 2..<max(2, arguments.count) {
            if let command = find(arguments[index], table) { commands.append(command) }
        }
        reply.map(commands.count)
        for command in commands { document(command, reply) }
    }

    private static func document(_ command: Command, _ reply: ReplyWriter) {
        let definition = command.definition
        let subcommands = listed(command)
        reply.bulk(text: command.fullName)
        let arguments = ArgumentSyntax.arguments(of: command.fullName) ?? []
        let deprecation = CommandDeprecation.of(command.fullName)
        let flag: StaticString? =
            deprecation != nil ? "deprecated" : CommandDeprecation.system.contains(command.fullName) ? "syscmd" : nil
        let extra = [flag != nil, deprecation != nil, deprecation != nil, !arguments.isEmpty, !subcommands.isEmpty]
        reply.map(4 + extra.filter { $0 }.count)
        for (name, value) in [
            ("summary", definition.summary), ("since", definition.since), ("group", definition.group.rawValue),
            ("complexity", definition.complexity),
        ] {
            reply.bulk(text: name)
            reply.bulk(text: value)
        }
        if let flag {
            reply.bulk("doc_flags")
            reply.set(1)
            reply.simple(flag)
        }
        if let deprecation {
            reply.bulk("deprecated_since")
            reply.bulk(text: deprecation.since)
            reply.bulk("replaced_by")
            reply.bulk(text: deprecation.replacement)
        }
        if !arguments.isEmpty {
            reply.bulk("arguments")
            reply.array(arguments.count)
            for argument in arguments { document(argument, reply) }
        }
        if subcommands.isEmpty { return }
        reply.bulk("subcommands")
        reply.map(subcommands.count)
        for subcommand in subcommands { document(subcommand, reply) }
    }

    private static func document(_ argument: ArgumentSyntax, _ reply: ReplyWriter) {
        let hasText = argument.arguments.isEmpty && argument.kind != .pureToken
        let flags: [(Bool, StaticString)] = [
            (argument.isOptional, "optional"), (argument.isMultiple, "multiple"), (argument.repeatsToken, "multiple_token"),
        ].filter { $0.0 }
        let fields = [hasText, argument.token != nil, !flags.isEmpty, !argument.arguments.isEmpty].filter { $0 }.count
        reply.map(2 + fields)
        reply.bulk("name")
        reply.bulk(text: argument.name)
        reply.bulk("type")
        reply.bulk(text: argument.kind.rawValue)
        if hasText {
            reply.bulk("display_text")
            reply.bulk(text: argument.name)
        }
        if let token = argument.token {
            reply.bulk("token")
            reply.bulk(text: token)
        }
        if !flags.isEmpty {
            reply.bulk("flags")
            reply.set(flags.count)
            for (_, name) in flags { reply.simple(name) }
        }
        if argument.arguments.isEmpty { return }
        reply.bulk("arguments")
        reply.array(argument.arguments.count)
        for part in argument.arguments { document(part, reply) }
    }

    // MARK: COMMAND LIST

    private static func list(_ arguments: Arguments, _ table: CommandTable, _ reply: ReplyWriter) {
        var accepts: (Command) -> Bool = { _ in true }
        if arguments.count == 5, arguments[2].equalsIgnoringCase("filterby") {
            let value = arguments[4]
            if arguments[3].equalsIgnoringCase("aclcat") {
                let category = CommandCategories.named(value.text.lowercased())
                accepts = { command in category.map { command.categories.contains($0) } ?? false }
            } else if arguments[3].equalsIgnoringCase("pattern") {
                accepts = { command in Array(command.fullName.utf8).withView { globMatch(value, $0, ignoringCase: true) } }
            } else if arguments[3].equalsIgnoringCase("module") {
                // There are no modules, so none of their commands.
                accepts = { _ in false }
            } else {
                return reply.error("ERR syntax error")
            }
        } else if arguments.count != 2 {
            return reply.error("ERR syntax error")
        }
        var names: [String] = []
        for command in table.commands {
            names += ([command] + listed(command)).filter(accepts).map { $0.fullName }
        }
        reply.set(names.count)
        for name in names { reply.bulk(text: name) }
    }

    // MARK: COMMAND GETKEYS

    private static func keys(_ arguments: Arguments, _ table: CommandTable, _ reply: ReplyWriter, withFlags: Bool) {
        let inner = Arguments()
        inner.replace(with: (2..<arguments.count).map { arguments[$0].array })
        let command: Command
        switch table.resolve(inner) {
        case .command(let found): command = found
        case .wrongArgumentCount: return reply.error("ERR Invalid number of arguments specified for command")
        case .unknownCommand, .unknownSubcommand: return reply.error("ERR Invalid command specified")
        }
        if command.definition.keys.isEmpty { return reply.error("ERR The command has no key arguments") }
        guard let keys = command.keys(in: inner) else { return reply.error("ERR Invalid arguments specified for command") }
        if keys.isEmpty, !command.flags.contains(.noMandatoryKeys) {
            return reply.error("ERR Invalid arguments specified for command")
        }
        reply.array(keys.count)
        for key in keys {
            if withFlags { reply.array(2) }
            reply.bulk(inner[key.index])
            if withFlags { flags(key.flags, reply) }
        }
    }

    private static func help(_ reply: ReplyWriter) {
        let lines = [
            "(no subcommand)", "    What is known of all commands.", "COUNT", "    The number of commands.",
            "DOCS [<command-name> ...]", "    Documentation of commands.", "GETKEYS <full-command>",
            "    The keys in the arguments of a command.", "GETKEYSANDFLAGS <full-command>",
            "    The keys in the arguments of a command, and what is done to them.", "INFO [<command-name> ...]",
            "    What is known of some commands.", "LIST [FILTERBY (ACLCAT <category>|MODULE <name>|PATTERN <pattern>)]",
            "    The names of commands.",
        ]
        CommandHelp.reply("COMMAND", lines, reply)
    }
}

/// The replies of HELP subcommands.
package enum CommandHelp {
    /// Replies some lines between Redis's first and last ones.
    package static func reply(_ name: String, _ lines: [String], _ reply: ReplyWriter) {
        let all = ["\(name) <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"] + lines + ["HELP", "    Print this help."]
        reply.array(all.count)
        for line in all { Array(line.utf8).withView { reply.simple($0) } }
    }
}
