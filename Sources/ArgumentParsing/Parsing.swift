/// One run over a command line.
struct Parsing<Action: Sendable> {
    /// From the tool down to the command that was named last.
    private var path: [ToolCommand<Action>]
    private var words: ArraySlice<String>
    private var values = Values()
    /// Declared arguments of the current command that have no value yet.
    private var places: ArraySlice<DeclarationDescription> = []

    private var current: ToolCommand<Action> { path[path.count - 1] }

    init(tool: ToolCommand<Action>, words: ArraySlice<String>) {
        path = [tool]
        self.words = words
        places = Parsing.places(of: tool)
    }

    private static func places(of command: ToolCommand<Action>) -> ArraySlice<DeclarationDescription> {
        command.declarations.filter { !$0.isNamed }[...]
    }

    /// The error with this message, at the command that was reached.
    func error(_ message: String) -> UsageError {
        UsageError(message: message, usage: Help.usage(path), command: Help.title(path))
    }

    mutating func run() throws(Interruption) -> Invocation<Action> {
        while let word = words.popFirst() {
            if word == "--" {
                if let otherwise = current.otherwise, !words.isEmpty { return takeLine(otherwise, from: words) }
                while let place = words.popFirst() { try positional(place) }
            } else if word == "-h" || word == "--help" {
                throw .message(Help.text(path))
            } else if word == "--version", let version = path[0].version {
                throw .message(version + "\n")
            } else if word.utf8.count > 1 && word.hasPrefix("-") && (!Parsing.isNumber(word) || find(word) != nil) {
                try named(word)
            } else if !current.subcommands.isEmpty {
                if word == "help" { throw .message(try helpOnRest()) }
                if let found = current.subcommands.first(where: { $0.name == word }) {
                    path.append(found)
                    places = Parsing.places(of: found)
                } else if let otherwise = current.otherwise {
                    return takeLine(otherwise, from: [word] + words)
                } else {
                    let known = current.subcommands.filter { !$0.isHidden }.map { $0.name }
                    throw .usage("Unknown subcommand '\(word)'" + suggestion(for: word, among: known))
                }
            } else {
                try positional(word)
            }
        }
        guard let action = current.action else {
            // Just the group's name: its help says what can follow.
            throw values.words.isEmpty ? .message(Help.text(path)) : .usage("Missing expected subcommand")
        }
        for command in path {
            for declared in command.declarations where declared.isRequired && !isGiven(declared) {
                throw .usage("Missing expected \(declared.kind == .option ? "option" : "argument") '\(declared.title)'")
            }
        }
        return .run(action, values)
    }

    private func takeLine(_ otherwise: (rest: String, action: Action), from line: ArraySlice<String>) -> Invocation<Action> {
        var values = values
        values.words[otherwise.rest] = Array(line)
        return .run(otherwise.action, values)
    }

    private func isGiven(_ declared: DeclarationDescription) -> Bool {
        values.words[declared.kind == .option ? "--" + declared.name : declared.name] != nil
    }

    /// `tool help sub command`.
    private mutating func helpOnRest() throws(Interruption) -> String {
        while let word = words.popFirst() {
            guard let found = current.subcommands.first(where: { $0.name == word }) else {
                throw .usage("Unknown subcommand '\(word)'" + suggestion(for: word, among: current.subcommands.map { $0.name }))
            }
            path.append(found)
        }
        return Help.text(path)
    }

    private static func isNumber(_ word: String) -> Bool {
        let rest = word.utf8.dropFirst()
        return rest.first.map { $0 >= 0x30 && $0 <= 0x39 } ?? false
    }

    private mutating func positional(_ word: String) throws(Interruption) {
        guard let place = places.first else { throw .usage("Unexpected argument '\(word)'") }
        if place.kind == .rest {
            values.words[place.name] = [word] + words
            words = []
        } else {
            try accept(word, place, key: place.name)
        }
        places = places.dropFirst()
    }

    private mutating func accept(_ word: String, _ declared: DeclarationDescription, key: String) throws(Interruption) {
        if let expected = declared.judge(word) {
            throw .usage("The value '\(word)' is invalid for '\(declared.title)': expected \(expected)")
        }
        values.words[key, default: []].append(word)
    }

    /// `--name`, `--name value`, `--name=value`, `-n`, `-n value`.
    private mutating func named(_ word: String) throws(Interruption) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let given = parts[0]
        guard let declared = find(given) else {
            var known = ["--help"]
            for command in path {
                for declared in command.declarations where declared.isNamed { known.append("--" + declared.name) }
            }
            throw .usage("Unknown option '\(given)'" + suggestion(for: given, among: known))
        }
        let key = "--" + declared.name
        if declared.kind == .flag {
            if parts.count > 1 { throw .usage("The flag '\(given)' takes no value") }
            values.words[key] = []
        } else if parts.count > 1 {
            try accept(parts[1], declared, key: key)
        } else {
            guard let next = words.first, !next.hasPrefix("-") || next == "-" || Parsing.isNumber(next) else {
                throw .usage("Missing value for '\(declared.title)'")
            }
            words = words.dropFirst()
            try accept(next, declared, key: key)
        }
    }

    private func find(_ given: String) -> DeclarationDescription? {
        for command in path.reversed() {
            for declared in command.declarations where declared.isNamed {
                if given == "--" + declared.name { return declared }
                if let short = declared.short, given == "-\(short)" { return declared }
            }
        }
        return nil
    }
}

/// ". Did you mean '…'?" when one of `known` is close to `word`, else nothing.
func suggestion(for word: String, among known: [String]) -> String {
    let mine = Array(word.utf8)
    var best: (name: String, distance: Int)?
    for name in known {
        let distance = editDistance(mine, Array(name.utf8))
        if distance <= max(1, min(3, mine.count / 3)) && distance < best?.distance ?? .max { best = (name, distance) }
    }
    return best.map { ". Did you mean '\($0.name)'?" } ?? ""
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var before = [Int](repeating: 0, count: b.count + 1)
    var above = Array(0...b.count)
    for i in 0..<a.count {
        var row = [i + 1]
        for j in 0..<b.count {
            var cost = min(above[j + 1] + 1, row[j] + 1, above[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
            row.append(cost)
        }
        before = above
        above = row
    }
    return above[b.count]
}
