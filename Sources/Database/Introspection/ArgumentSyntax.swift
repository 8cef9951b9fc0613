import Base

/// One argument of a command, or a group of them, as COMMAND DOCS describes it.
package struct ArgumentSyntax: Equatable, Sendable {
    /// What an argument is, by Redis's names.
    package enum Kind: String, Sendable {
        case string, integer, double, key, pattern, block, oneof
        case unixTime = "unix-time"
        case pureToken = "pure-token"
    }

    package var name: String
    package var kind: Kind
    /// The keyword in front of it, or that it is.
    package var token: String?
    package var isOptional = false
    /// Whether it may be given again and again.
    package var isMultiple = false
    /// Whether its keyword is given again, too.
    package var repeatsToken = false
    /// The parts of a block, the alternatives of a choice.
    package var arguments: [ArgumentSyntax] = []

    /// The arguments of a command, from the table of texts; nil when the table does not have the command.
    package static func arguments(of fullName: String) -> [ArgumentSyntax]? {
        texts[fullName].map { text in
            var parsing = SyntaxParsing(text)
            return parsing.all()
        }
    }

    /// The arguments as documentation shows them: `key [NX | XX] [EX seconds]`.
    package static func text(_ arguments: [ArgumentSyntax]) -> String { arguments.map(\.text).joined(separator: " ") }

    /// One argument as documentation shows it.
    package var text: String {
        var own: String
        switch kind {
        case .pureToken: own = token ?? name
        case .oneof:
            own = arguments.map(\.text).joined(separator: " | ")
            if !isOptional || token != nil { own = "<\(own)>" }
        case .block: own = ArgumentSyntax.text(arguments)
        default: own = name
        }
        let keyword = kind == .pureToken ? "" : token.map { $0 + " " } ?? ""
        if isMultiple { own += repeatsToken ? " [\(keyword)\(own) ...]" : " [\(own) ...]" }
        return isOptional ? "[\(keyword)\(own)]" : keyword + own
    }
}

/// Reads the notation of the texts:
///
///     name        a string; `name:i` an integer, `:d` a double, `:k` a key, `:p` a pattern, `:t` a time since 1970
///     WORD        a keyword; with the name or block behind it one argument, by itself a switch
///     [ … ]       optional
///     ( … )       a block
///     a | b       alternatives, inside brackets
///     x...        again and again; `x++` with its keyword each time
struct SyntaxParsing {
    private enum Item: Equatable {
        case open(Bool), close, bar, more(Bool), word(String)
    }

    private var items: [Item] = []
    private var position = 0

    init(_ text: String) {
        var word = ""
        func finish(_ items: inout [Item], _ word: inout String) {
            if !word.isEmpty { items.append(.word(word)) }
            word = ""
        }
        for character in text {
            switch character {
            case " ": finish(&items, &word)
            case "[", "(", "]", ")", "|":
                finish(&items, &word)
                items.append(character == "|" ? .bar : character == "[" || character == "(" ? .open(character == "[") : .close)
            default: word.append(character)
            }
            for (suffix, repeatsToken) in [("...", false), ("++", true)] where word.hasSuffix(suffix) {
                word.removeLast(suffix.count)
                finish(&items, &word)
                items.append(.more(repeatsToken))
            }
        }
        finish(&items, &word)
    }

    /// All arguments of the text.
    mutating func all() -> [ArgumentSyntax] {
        let arguments = list()
        check(position == items.count, "a syntax text closes what it opens")
        return arguments
    }

    private var next: Item? { position < items.count ? items[position] : nil }

    /// Arguments up to a bar, a closing bracket, or the end.
    private mutating func list() -> [ArgumentSyntax] {
        var arguments: [ArgumentSyntax] = []
        while let item = next, item != .close, item != .bar {
            var argument = element()
            if case .more(let repeatsToken)? = next {
                position += 1
                argument.isMultiple = true
                argument.repeatsToken = repeatsToken
            }
            arguments.append(argument)
        }
        return arguments
    }

    private mutating func element() -> ArgumentSyntax {
        switch next {
        case .open(let isOptional)?: return group(isOptional)
        case .word(let word)? where !SyntaxParsing.isKeyword(word):
            position += 1
            return SyntaxParsing.named(word)
        case .word(let keyword)?:
            position += 1
            var argument: ArgumentSyntax
            switch next {
            case .word(let word)? where !SyntaxParsing.isKeyword(word): argument = element()
            case .open(false)?: argument = group(false)
            default: return ArgumentSyntax(name: keyword.lowercased(), kind: .pureToken, token: keyword)
            }
            argument.token = keyword
            if argument.kind == .block { argument.name = keyword.lowercased() }
            return argument
        default:
            check(false, "a syntax text has a name, a keyword or a bracket here")
            return ArgumentSyntax(name: "", kind: .string)
        }
    }

    /// What is inside brackets: one argument, a block of several, or a choice.
    private mutating func group(_ isOptional: Bool) -> ArgumentSyntax {
        position += 1
        var alternatives: [ArgumentSyntax] = []
        while true {
            let parts = list()
            check(!parts.isEmpty, "an alternative of a syntax text is not empty")
            alternatives.append(
                parts.count == 1 ? parts[0] : ArgumentSyntax(name: parts[0].name, kind: .block, arguments: parts))
            let item = next
            position += 1
            if item == .bar { continue }
            check(item == .close, "a syntax text closes what it opens")
            break
        }
        var argument = alternatives[0]
        if alternatives.count > 1 {
            argument = ArgumentSyntax(
                name: alternatives.map(\.name).joined(separator: "-or-"), kind: .oneof, arguments: alternatives)
        }
        if isOptional { argument.isOptional = true }
        return argument
    }

    /// Keywords are in capitals, or have no letters (`=`, `~`, `$`).
    private static func isKeyword(_ word: String) -> Bool {
        word.utf8.allSatisfy { $0 < 0x61 || $0 > 0x7A }
    }

    private static func named(_ word: String) -> ArgumentSyntax {
        let parts = word.split(separator: ":")
        let kind: ArgumentSyntax.Kind
        switch parts.count > 1 ? parts[1] : "" {
        case "i": kind = .integer
        case "d": kind = .double
        case "k": kind = .key
        case "p": kind = .pattern
        case "t": kind = .unixTime
        default: kind = .string
        }
        return ArgumentSyntax(name: String(parts[0]), kind: kind)
    }
}
