/// What a command line asks for.
package enum Invocation<Action: Sendable>: Sendable {
    /// Do it.
    case run(Action, Values)
    /// `--help` or `--version`: print this to standard output, exit with 0.
    case message(String)
    /// Print `text` to standard error, exit with 64.
    case failure(UsageError)
}

/// A command line that is wrong.
package struct UsageError: Error, Equatable, Sendable {
    /// What is wrong, in one line without a full stop.
    package var message: String
    /// The usage line of the command.
    package var usage: String
    /// The command as it was called: "kvctl cluster up".
    package var command: String

    /// Everything to print.
    package var text: String {
        "Error: \(message)\nUsage: \(usage)\n  See '\(command) --help' for more information.\n"
    }
}

/// A command of a tool: the tool itself, or a subcommand. `Action` is what the program wants to get back for a command,
/// usually a closure or a case of its own enum.
package struct ToolCommand<Action: Sendable>: Sendable {
    package var name: String
    package var abstract: String
    package var discussion: String
    /// What `--version` prints; only the outermost command's counts.
    package var version: String?
    var declarations: [DeclarationDescription]
    var subcommands: [ToolCommand]
    /// nil for a command that only groups others.
    var action: Action?
    /// What a word means that is no subcommand: that word and all behind it become the `RestOfLine`.
    var otherwise: (rest: String, action: Action)?
    /// Whether help leaves it out.
    var isHidden = false

    /// A command that does something.
    ///
    /// - Parameters:
    ///   - name: one word.
    ///   - abstract: one sentence.
    ///   - discussion: more, for its own help; paragraphs are kept, indented lines are not wrapped.
    ///   - version: for `--version`.
    ///   - declares: options, flags and arguments, in the order of help and of places.
    ///   - action: what it does.
    package init(
        _ name: String, abstract: String, discussion: String = "", version: String? = nil,
        declares: [any Declaration] = [], action: Action
    ) {
        self.init(name, abstract, discussion, version, declares, [], action, nil)
    }

    /// A command that groups others. What it declares, all of them accept.
    ///
    /// - Parameters:
    ///   - otherwise: gets the line when its first word is no subcommand.
    package init(
        _ name: String, abstract: String, discussion: String = "", version: String? = nil,
        declares: [any Declaration] = [], subcommands: [ToolCommand],
        otherwise: (rest: RestOfLine, action: Action)? = nil
    ) {
        self.init(name, abstract, discussion, version, declares, subcommands, nil, otherwise)
    }

    private init(
        _ name: String, _ abstract: String, _ discussion: String, _ version: String?, _ declares: [any Declaration],
        _ subcommands: [ToolCommand], _ action: Action?, _ otherwise: (rest: RestOfLine, action: Action)?
    ) {
        self.name = name
        self.abstract = abstract
        self.discussion = discussion
        self.version = version
        declarations = declares.map { $0.description }
        self.subcommands = subcommands
        self.action = action
        self.otherwise = otherwise.map { ($0.rest.description.name, $0.action) }
    }

    /// Reads a command line, without the program's own name.
    package func parse(_ words: [String]) -> Invocation<Action> {
        var parsing = Parsing(tool: self, words: words[...])
        do throws(Interruption) {
            return try parsing.run()
        } catch {
            switch error {
            case .message(let text): return .message(text)
            case .usage(let message): return .failure(parsing.error(message))
            }
        }
    }
}

/// Why parsing stops early.
enum Interruption: Error {
    case message(String)
    case usage(String)
}
