import Base
import RESP

/// What a request's words mean.
package enum CommandResolution {
    /// A command, and the number of arguments fits.
    case command(Command)
    /// No such command.
    case unknownCommand
    /// A container without this subcommand.
    case unknownSubcommand(container: Command)
    /// The command is known, the number of arguments is wrong.
    case wrongArgumentCount(Command)
}

/// All commands there are. A command that is not built is not in it.
///
/// Found by the bytes of its name in any case, without an allocation: an open-addressed table over the packed, lower-cased
/// bytes (names have at most 24).
package final class CommandTable: Sendable {
    /// The table of this build.
    package static let standard = CommandTable(families: CommandTable.families)

    /// Commands without their subcommands, in the order of their families.
    package let commands: [Command]
    /// Number of commands and subcommands; every `Command.index` is below it.
    package let indexCount: Int
    private let map: NameMap
    /// For containers, by `Command.index`: their subcommands.
    private let subcommandMaps: [NameMap?]

    /// Makes a table of some families of definitions. Names must differ.
    package init(families: [[CommandDefinition]]) {
        var index = 0
        var commands: [Command] = []
        for family in families {
            for definition in family { commands.append(Command(definition, container: nil, index: &index)) }
        }
        var maps = [NameMap?](repeating: nil, count: index)
        for command in commands where command.isContainer { maps[command.index] = NameMap(command.subcommands) }
        self.commands = commands
        indexCount = index
        map = NameMap(commands)
        subcommandMaps = maps
    }

    /// The command of a name, containers included.
    package func find(_ name: ByteView) -> Command? { map.find(name).map { commands[$0] } }

    /// The subcommand of a container.
    package func find(_ name: ByteView, in container: Command) -> Command? {
        guard let map = subcommandMaps[container.index], let found = map.find(name) else { return nil }
        return container.subcommands[found]
    }

    /// Finds out which command the arguments (one at least) ask for.
    package func resolve(_ arguments: Arguments) -> CommandResolution {
        guard let found = map.find(arguments[0]) else { return .unknownCommand }
        let command = commands[found]
        if command.isContainer, arguments.count > 1 {
            guard let subcommand = find(arguments[1], in: command) else {
                // A container that is a command of its own (COMMAND) has no other words behind it either.
                return .unknownSubcommand(container: command)
            }
            if subcommand.accepts(argumentCount: arguments.count) { return .command(subcommand) }
            if command.definition.hidesSubcommands { return .unknownSubcommand(container: command) }
            return .wrongArgumentCount(subcommand)
        }
        return command.accepts(argumentCount: arguments.count) ? .command(command) : .wrongArgumentCount(command)
    }

    /// Writes the error for a request that is not a command; false when it is one.
    @discardableResult
    package func replyError(_ resolution: CommandResolution, _ arguments: Arguments, _ reply: ReplyWriter) -> Bool {
        switch resolution {
        case .command:
            return false
        case .unknownCommand:
            unknown(arguments, reply)
        case .unknownSubcommand(let container):
            let name = container.name.uppercased()
            if container.definition.hidesSubcommands {
                CommandTable.subcommandSyntaxError(container: name, arguments[1], reply)
            } else {
                CommandTable.subcommandError("ERR unknown subcommand '", arguments[1], container: name, reply)
            }
        case .wrongArgumentCount(let command):
            CommandTable.wrongArgumentCount(command.fullName, reply)
        }
        return true
    }

    /// Redis's error for a wrong number of arguments.
    static func wrongArgumentCount(_ fullName: String, _ reply: ReplyWriter) {
        reply.error(text: "ERR wrong number of arguments for '\(fullName)' command")
    }

    /// Redis's error for a subcommand whose arguments make no sense to it.
    package static func subcommandSyntaxError(container: String, _ subcommand: ByteView, _ reply: ReplyWriter) {
        subcommandError(
            "ERR unknown subcommand or wrong number of arguments for '", subcommand, container: container, reply)
    }

    private static func subcommandError(
        _ start: StaticString, _ subcommand: ByteView, container: String, _ reply: ReplyWriter
    ) {
        let text = ByteBuffer()
        text.append(start)
        append(subcommand, max: 128, to: text)
        text.append("'. Try ")
        text.append(text: container)
        text.append(" HELP.")
        reply.error(text.view)
    }

    private func unknown(_ arguments: Arguments, _ reply: ReplyWriter) {
        let shown = ByteBuffer()
        for index in 1..<max(1, arguments.count) {
            if shown.count >= 128 { break }
            let room = 128 - shown.count
            shown.append("'")
            CommandTable.append(arguments[index], max: room, to: shown)
            shown.append("' ")
        }
        let text = ByteBuffer()
        text.append("ERR unknown command '")
        CommandTable.append(arguments[0], max: 128, to: text)
        text.append("', with args beginning with: ")
        text.append(shown.view)
        reply.error(text.view)
    }

    /// Appends bytes as C's `%.*s` prints them: up to a zero byte.
    static func append(_ bytes: ByteView, max: Int, to text: ByteBuffer) {
        let shown = bytes.slice(0, min(max, bytes.count))
        text.append(shown.slice(0, shown.firstIndex(of: 0) ?? shown.count))
    }
}

/// An open-addressed table from packed names to indexes.
struct NameMap: Sendable {
    /// The lower-cased bytes of a name of up to 24 bytes, zero-padded.
    struct Packed: Equatable, Sendable {
        var a: UInt64 = 0
        var b: UInt64 = 0
        var c: UInt64 = 0

        @inline(__always)
        init?(_ view: ByteView) {
            let count = view.count
            if count == 0 || count > 24 { return nil }
            a = Packed.word(view, 0)
            if count > 8 { b = Packed.word(view, 8) }
            if count > 16 { c = Packed.word(view, 16) }
        }

        /// Up to eight bytes at `offset`, lower-cased.
        @inline(__always)
        private static func word(_ view: ByteView, _ offset: Int) -> UInt64 {
            let count = min(8, view.count - offset)
            var word: UInt64 = 0
            if count == 8 {
                word = view.integer(at: offset, as: UInt64.self)
            } else {
                for index in 0..<count { word |= UInt64(view[offset + index]) << UInt64(index * 8) }
            }
            return lower(word)
        }

        /// Sets bit 5 of every byte that is 'A' to 'Z'.
        @inline(__always)
        private static func lower(_ word: UInt64) -> UInt64 {
            let low = word & 0x7F7F_7F7F_7F7F_7F7F
            let fromA = low &+ 0x3F3F_3F3F_3F3F_3F3F
            let pastZ = low &+ 0x2525_2525_2525_2525
            let upper = fromA & ~pastZ & ~word & 0x8080_8080_8080_8080
            return word | upper >> 2
        }

        @inline(__always)
        var hash: UInt64 { fold(a ^ 0x9E37_79B9_7F4A_7C15, (b ^ 0xD6E8_FEB8_6659_FD93) &+ c) }
    }

    private struct Slot: Sendable {
        var key: Packed
        var value: Int
    }

    private let slots: [Slot?]
    private let mask: Int

    init(_ commands: [Command]) {
        var size = 16
        while size < commands.count * 4 { size *= 2 }
        mask = size - 1
        var slots = [Slot?](repeating: nil, count: size)
        for (value, command) in commands.enumerated() {
            guard let key = Array(command.name.utf8).withView({ Packed($0) }) else {
                check(false, "a command's name has 1 to 24 bytes")
                continue
            }
            var index = Int(truncatingIfNeeded: key.hash) & mask
            while let taken = slots[index] {
                check(taken.key != key, "every command has one definition")
                index = (index + 1) & mask
            }
            slots[index] = Slot(key: key, value: value)
        }
        self.slots = slots
    }

    @inline(__always)
    func find(_ name: ByteView) -> Int? {
        guard let key = Packed(name) else { return nil }
        var index = Int(truncatingIfNeeded: key.hash) & mask
        while let slot = slots[index] {
            if slot.key == key { return slot.value }
            index = (index + 1) & mask
        }
        return nil
    }
}
