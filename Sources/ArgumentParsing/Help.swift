/// Makes help texts, in the layout of swift-argument-parser.
enum Help {
    static let width = 80
    static let column = 26

    /// "kvctl cluster up".
    static func title<Action>(_ path: [ToolCommand<Action>]) -> String { path.map { $0.name }.joined(separator: " ") }

    /// "kvctl cluster up [--nodes <nodes>] <name>".
    static func usage<Action>(_ path: [ToolCommand<Action>]) -> String {
        let command = path[path.count - 1]
        var parts = [title(path)]
        let named = path.flatMap { $0.declarations }.filter { $0.isNamed }
        let optional = named.filter { !$0.isRequired }
        // A long list says less than the word.
        if optional.count > 4 {
            parts.append("[<options>]")
        } else {
            parts += optional.map { "[\($0.title)]" }
        }
        parts += named.filter { $0.isRequired }.map { $0.title }
        if !command.subcommands.isEmpty { parts.append("<subcommand>") }
        for place in command.declarations where !place.isNamed {
            parts.append(place.isRequired ? place.title : "[\(place.title)]")
        }
        return parts.joined(separator: " ")
    }

    /// Everything that `--help` says about the last command of `path`.
    static func text<Action>(_ path: [ToolCommand<Action>]) -> String {
        let command = path[path.count - 1]
        var text = wrap("OVERVIEW: " + command.abstract, indent: 0) + "\n"
        if !command.discussion.isEmpty {
            text += "\n"
            for line in command.discussion.split(separator: "\n", omittingEmptySubsequences: false) {
                text += (line.hasPrefix(" ") ? String(line) : wrap(String(line), indent: 0)) + "\n"
            }
        }
        text += "\n" + wrap("USAGE: " + usage(path), indent: 7) + "\n"
        let places = command.declarations.filter { !$0.isNamed }
        text += section("ARGUMENTS", places.map { ($0.title, help($0)) })
        var options: [(String, String)] = []
        for declared in path.reversed().flatMap({ $0.declarations }) where declared.isNamed {
            options.append(((declared.short.map { "-\($0), " } ?? "") + declared.title, help(declared)))
        }
        if path[0].version != nil { options.append(("--version", "Show the version.")) }
        options.append(("-h, --help", "Show help information."))
        text += section("OPTIONS", options)
        let subcommands = command.subcommands.filter { !$0.isHidden }
        text += section("SUBCOMMANDS", subcommands.map { ($0.name, $0.abstract) })
        if !subcommands.isEmpty {
            let first = path[0].name
            let middle = path.dropFirst().map { $0.name + " " }.joined()
            text += "\n  See '\(first) help \(middle)<subcommand>' for detailed help.\n"
        }
        return text
    }

    private static func help(_ declared: DeclarationDescription) -> String {
        declared.defaultText.map { $0.isEmpty ? declared.help : "\(declared.help) (default: \($0))" } ?? declared.help
    }

    private static func section(_ title: String, _ rows: [(String, String)]) -> String {
        if rows.isEmpty { return "" }
        var text = "\n\(title):\n"
        for (left, right) in rows {
            let start = "  " + left
            if start.count + 2 > column {
                text += start + "\n" + String(repeating: " ", count: column) + wrap(right, indent: column) + "\n"
            } else {
                text += start + String(repeating: " ", count: column - start.count) + wrap(right, indent: column) + "\n"
            }
        }
        return text
    }

    /// Breaks a text into lines; all but the first are indented, and the first is taken to start at `indent` too (0 for the
    /// unindented).
    static func wrap(_ text: String, indent: Int) -> String {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty && line.count + 1 + word.count > width - indent {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        lines.append(line)
        return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
    }
}
