import Base
import RESP

/// Where a command is carried out.
package enum CommandScope: UInt8, Sendable {
    /// In the log: its body runs when its entry is applied, on every node.
    case write
    /// On any node, after a read index: its body only reads.
    case read
    /// By the node that has the connection; the table has no body for it.
    case local
}

/// The function that carries out a command.
package typealias CommandBody = @Sendable (Execution) -> Void

/// One command as data, written down in `Table/`.
package struct CommandDefinition: Sendable {
    package var name: String
    package var summary: String
    package var since: String
    package var group: CommandGroup
    package var complexity: String
    package var arity: Int
    package var flags: CommandFlags
    package var categories: CommandCategories
    package var keys: [KeySpecification]
    package var variableKeyFlags: (@Sendable (Arguments) -> KeyFlags)?
    package var tips: [String]
    package var scope: CommandScope
    package var body: CommandBody?
    package var subcommands: [CommandDefinition]
    package var hidesSubcommands: Bool
    package var readsWithout: [StaticString]

    /// Describes a command.
    ///
    /// - Parameters:
    ///   - name: in lower case; of a subcommand, without its container.
    ///   - arity: number of arguments, the name (and the container's) included; negative: at least so many.
    ///   - categories: beyond those that follow from the flags (read, write, fast or slow, admin, …).
    ///   - variableKeyFlags: for keys marked `variableFlags`: what is done to them, by the arguments.
    ///   - hidesSubcommands: the subcommands are words of one command (DEBUG): COMMAND does not list them, and errors say less.
    ///   - readsWithout: words that make it a write (SORT's STORE): where none of them stands, it only reads. Empty: the scope does not
    ///     depend on the arguments.
    ///   - scope: derived from the flags when there is a body; `.local` without one.
    package init(
        _ name: String, arity: Int, _ flags: CommandFlags, _ categories: CommandCategories = [],
        keys: [KeySpecification] = [], variableKeyFlags: (@Sendable (Arguments) -> KeyFlags)? = nil, group: CommandGroup,
        since: String, complexity: String, summary: String,
        tips: [String] = [], hidesSubcommands: Bool = false, subcommands: [CommandDefinition] = [],
        readsWithout: [StaticString] = [], scope: CommandScope? = nil, body: CommandBody? = nil
    ) {
        self.name = name
        self.summary = summary
        self.since = since
        self.group = group
        self.complexity = complexity
        self.arity = arity
        self.flags = flags
        self.categories = categories
        self.keys = keys
        self.variableKeyFlags = variableKeyFlags
        self.tips = tips
        self.subcommands = subcommands
        self.hidesSubcommands = hidesSubcommands
        self.readsWithout = readsWithout
        self.scope = scope ?? (body == nil ? .local : flags.contains(.write) ? .write : .read)
        self.body = body
    }
}

/// One command or subcommand of the table. Immutable, and the same instance for the life of the process.
package final class Command: Sendable {
    /// What is written down about it.
    package let definition: CommandDefinition
    /// Its place among all commands and subcommands of the table: 0, 1, 2, … For counters kept by command.
    package let index: Int
    /// The name as replies and errors show it: "get", "client|id".
    package let fullName: String
    /// The words of the name: 1, or 2 for a subcommand.
    package let words: Int
    package let arity: Int
    package let flags: CommandFlags
    package let categories: CommandCategories
    /// Where it is carried out; `scope(of:)` where that depends on its arguments.
    package let scope: CommandScope
    private let isConditional: Bool
    package let body: CommandBody?
    /// The subcommands of a container.
    package let subcommands: [Command]

    /// The name without the container's.
    package var name: String { definition.name }
    /// Whether the command is only the first word of others.
    package var isContainer: Bool { !subcommands.isEmpty }

    init(_ definition: CommandDefinition, container: String?, index: inout Int) {
        self.definition = definition
        self.index = index
        index += 1
        fullName = container.map { "\($0)|\(definition.name)" } ?? definition.name
        words = container == nil ? 1 : 2
        arity = definition.arity
        flags = Command.flags(definition)
        categories = Command.categories(definition)
        scope = definition.scope
        isConditional = !definition.readsWithout.isEmpty
        body = definition.body
        var made: [Command] = []
        for subcommand in definition.subcommands {
            made.append(Command(subcommand, container: definition.name, index: &index))
        }
        subcommands = made
        check(definition.arity != 0, "a command has at least its name")
        check((definition.body == nil) == (definition.scope == .local), "what reads or writes data has a body")
        check(!isConditional || scope == .write, "a word makes a write of what would read without it")
    }

    /// Where the command is carried out with these arguments.
    @inline(__always)
    package func scope(of arguments: Arguments) -> CommandScope { isConditional ? conditionalScope(arguments) : scope }

    private func conditionalScope(_ arguments: Arguments) -> CommandScope {
        for index in 1..<max(1, arguments.count) {
            for word in definition.readsWithout where arguments[index].equalsIgnoringCase(word) { return .write }
        }
        return .read
    }

    /// Whether so many arguments fit the arity.
    @inline(__always)
    package func accepts(argumentCount count: Int) -> Bool { arity > 0 ? count == arity : count >= -arity }

    // MARK: keys

    /// Index of the first key (0: no keys), of the last (negative: from the end), and the step, as COMMAND INFO has them: the keys
    /// that a range can tell.
    package var keyRange: (first: Int, last: Int, step: Int) {
        var range: (first: Int, last: Int, step: Int)?
        for specification in definition.keys {
            guard case .index(let first) = specification.begin,
                case .range(let relative, let step, _) = specification.find
            else { continue }
            let last = relative >= 0 ? first + relative : relative
            guard let before = range else {
                range = (first, last, step)
                continue
            }
            // Ranges that follow one another make one.
            if before.last >= 0, before.last == first - 1, step == 1, before.step == 1 { range = (before.first, last, 1) }
        }
        return range ?? (0, 0, 0)
    }

    /// The indexes of the keys in a command's arguments with what is done to them; nil when the arguments make no sense.
    package func keys(in arguments: Arguments) -> [(index: Int, flags: KeyFlags)]? {
        var indexes: [(index: Int, flags: KeyFlags)] = []
        for specification in definition.keys {
            if !specification.appendKeys(of: arguments, to: &indexes) { return nil }
        }
        if let variable = definition.variableKeyFlags?(arguments) {
            for place in indexes.indices where indexes[place].flags.contains(.variableFlags) { indexes[place].flags = variable }
        }
        return indexes
    }

    private static func flags(_ definition: CommandDefinition) -> CommandFlags {
        var flags = definition.flags
        for specification in definition.keys {
            if case .index = specification.begin, case .range(_, _, let limit) = specification.find, limit < 2,
                !specification.flags.contains(.incomplete)
            {
                continue
            }
            flags.insert(.movableKeys)
        }
        return flags
    }

    /// What Redis adds to the categories that are written down.
    private static func categories(_ definition: CommandDefinition) -> CommandCategories {
        var categories = definition.categories
        let flags = definition.flags
        if flags.contains(.write) { categories.insert(.write) }
        if flags.contains(.readonly), !categories.contains(.scripting) { categories.insert(.read) }
        if flags.contains(.admin) { categories.formUnion([.admin, .dangerous]) }
        if flags.contains(.pubsub) { categories.insert(.pubsub) }
        if flags.contains(.blocking) { categories.insert(.blocking) }
        categories.insert(flags.contains(.fast) ? .fast : .slow)
        return categories
    }
}
