import Database

/// docs/reference/commands.md, made from the command table and the known differences.
package struct CommandsPage {
    package let text: String

    /// The groups in the order in which Redis's own documentation has them, with the titles there.
    private static let groups: [(group: CommandGroup, title: String)] = [
        (.generic, "Generic"), (.string, "String"), (.hash, "Hash"), (.list, "List"), (.set, "Set"), (.sortedSet, "Sorted set"),
        (.stream, "Stream"), (.bitmap, "Bitmap"), (.hyperloglog, "HyperLogLog"), (.geo, "Geo"), (.pubsub, "Pub/Sub"),
        (.transactions, "Transactions"), (.scripting, "Scripting and functions"), (.connection, "Connection"),
        (.cluster, "Redis Cluster"),
        (.server, "Server"),
        (.coracle, "Coracle's own"),
    ]

    /// Writes the page for a table.
    package init(_ table: CommandTable) {
        var lines = [
            "# Commands", "",
            "Every command of this build, made from its command table by `kvdiff --print-commands`; a test keeps this page current. Replies",
            "are Redis 7.2's, byte for byte, except where the last column names a row of [differences.md](differences.md).", "",
            "*Arity* counts the command's own words; a negative one is the least number. *Since* is the version of Redis that brought the",
            "command. *Where*: a `write` goes through the log, a `read` is linearizable on every node, `local` is answered by the node",
            "that has the connection.",
        ]
        for (group, title) in CommandsPage.groups {
            let commands = table.commands.filter { $0.definition.group == group }.sorted { $0.name < $1.name }
            if commands.isEmpty { continue }
            lines += [
                "", "## \(title)", "", "| Command | Arity | Since | Where | Complexity | What it does | Differs |",
                "|---|---|---|---|---|---|---|",
            ]
            for command in commands {
                lines.append(CommandsPage.row(command))
                lines += command.subcommands.sorted { $0.name < $1.name }.map(CommandsPage.row)
            }
        }
        lines += [
            "", "## Not here", "",
            "What Redis 7.2 has beyond these is answered with `ERR unknown command` or `ERR unknown subcommand`, as Redis answers words that it",
            "does not know. A command stands for all its subcommands.", "", "| About | Commands | Why |", "|---|---|---|",
        ]
        for absent in AbsentCommands.all {
            let names = absent.names.map { "`" + $0.split(separator: "|").joined(separator: " ").uppercased() + "`" }
            lines.append("| \(absent.topic) | \(names.joined(separator: ", ")) | \(absent.reason) |")
        }
        text = lines.joined(separator: "\n") + "\n"
    }

    private static func row(_ command: Command) -> String {
        let name = command.fullName.split(separator: "|").joined(separator: " ").uppercased()
        let without = command.definition.readsWithout.map { "\($0)".uppercased() }
        let places: [String] =
            switch command.scope {
            case .write: ["write"] + (without.isEmpty ? [] : ["read without " + without.joined(separator: " and ")])
            case .read: ["read"]
            case .local: command.isContainer ? [] : ["local"]
            }
        let differences = KnownDifference.all.filter { !$0.isOfVersions && $0.commands.contains(command.fullName) }
            .map { "[\($0.name)](differences.md)" }.joined(separator: ", ")
        let definition = command.definition
        let syntax = ArgumentSyntax.text(ArgumentSyntax.arguments(of: command.fullName) ?? [])
        let words = syntax.isEmpty ? "" : " `" + escaped(syntax) + "`"
        return
            "| `\(name)`\(words) | \(command.arity) | \(definition.since) | \(places.joined(separator: ", ")) | \(escaped(definition.complexity)) | "
            + "\(escaped(definition.summary)) | \(differences) |"
    }

    private static func escaped(_ text: String) -> String {
        text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}
