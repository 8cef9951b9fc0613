import Base
import Database
import RESP
import Testing

@Suite struct CommandTableTests {
    private func find(_ name: String) -> Command? { Array(name.utf8).withView { CommandTable.standard.find($0) } }

    private func lines(_ reply: String) -> String { reply.split(separator: "\r\n").joined(separator: "|") }

    @Test func everyNameIsFoundInAnyCase() {
        for command in CommandTable.standard.commands {
            #expect(find(command.name) === command)
            #expect(find(command.name.uppercased()) === command)
            #expect(find(command.name + "\u{1}") == nil)
            for subcommand in command.subcommands {
                let name = subcommand.name.uppercased()
                #expect(Array(name.utf8).withView { CommandTable.standard.find($0, in: command) } === subcommand)
            }
        }
        #expect(find("") == nil)
        #expect(find(String(repeating: "x", count: 300)) == nil)
        #expect(find("ge\u{0}") == nil)
    }

    @Test func indexesAreDense() {
        let all = CommandTable.standard.commands.flatMap { [$0] + $0.subcommands }
        #expect(all.map(\.index) == Array(0..<CommandTable.standard.indexCount))
    }

    /// The letters that differ from capitals by one bit only are told from signs that do too.
    @Test func foldingTouchesLettersAlone() {
        #expect(find("CLIENT") != nil && find("kv.status") != nil)
        #expect(find("KV\u{0E}STATUS") == nil)
        #expect(find("G\u{25}T") == nil)
    }

    @Test func writesHaveABodyAndLocalCommandsHaveNone() {
        for command in CommandTable.standard.commands.flatMap({ [$0] + $0.subcommands }) {
            if command.flags.contains(.readonly) {
                #expect(command.scope == .read || command.scope == .local, "\(command.fullName)")
            }
            if command.flags.contains(.write) { #expect(command.scope == .write, "\(command.fullName)") }
            #expect((command.body == nil) == (command.scope == .local))
            #expect(!command.definition.summary.isEmpty && command.definition.summary.hasSuffix("."))
        }
    }

    @Test func keysAreFound() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("COMMAND GETKEYS MSET a 1 b 2", "*2|$1|a|$1|b"),
                ("COMMAND GETKEYS DEL a b c", "*3|$1|a|$1|b|$1|c"),
                ("COMMAND GETKEYS COPY a b", "*2|$1|a|$1|b"),
                ("COMMAND GETKEYS SORT a BY store GET store LIMIT store 1", "*1|$1|a"),
                ("COMMAND GETKEYS SORT a STORE b store c STORE", "*2|$1|a|$1|c"),
                ("COMMAND GETKEYSANDFLAGS SORT a ASC store b", "*2|*2|$1|a|*2|+RO|+access|*2|$1|b|*2|+OW|+update"),
                ("COMMAND GETKEYS SORT_RO a BY b", "*1|$1|a"),
                ("COMMAND GETKEYS ZDIFFSTORE a 0 b", "-ERR Invalid arguments specified for command"),
                ("COMMAND GETKEYS OBJECT ENCODING k", "*1|$1|k"),
                ("COMMAND GETKEYS GET a b", "-ERR Invalid number of arguments specified for command"),
                ("COMMAND GETKEYS FOO a", "-ERR Invalid command specified"),
                ("COMMAND GETKEYS PING x", "-ERR The command has no key arguments"),
                ("COMMAND GETKEYSANDFLAGS SET a b", "*1|*2|$1|a|*2|+OW|+update"),
                ("COMMAND GETKEYSANDFLAGS SET a b GET", "*1|*2|$1|a|*3|+RW|+access|+update"),
                ("COMMAND INFO nosuch", "*1|*-1"),
                (
                    "COMMAND INFO append",
                    """
                    *1|*10|$6|append|:3|*3|+write|+denyoom|+fast|:1|:1|:1|*3|+@write|+@string|+@fast|*0|*1|*6|$5|flags|*2|+RW|+insert\
                    |$12|begin_search|*4|$4|type|$5|index|$4|spec|*2|$5|index|:1|$9|find_keys|*4|$4|type|$5|range|$4|spec|*6|$7|lastkey\
                    |:0|$7|keystep|:1|$5|limit|:0|*0
                    """
                ),
            ])
        for command in ["sort", "sort_ro"] { #expect(machine.run("COMMAND INFO \(command)").contains("+movablekeys\r\n")) }
        #expect(machine.run("COMMAND INFO sort_ro").contains("$7\r\nunknown\r\n$4\r\nspec\r\n*0\r\n"))
        #expect(machine.run("COMMAND LIST").contains("$15\r\nobject|idletime\r\n"))
        machine.version = .three
        #expect(machine.run("COMMAND LIST FILTERBY PATTERN getr*") == "~1\r\n$8\r\ngetrange\r\n")
        #expect(machine.run("COMMAND DOCS strlen").hasPrefix("%1\r\n$6\r\nstrlen\r\n%5\r\n$7\r\nsummary\r\n"))
        #expect(machine.run("COMMAND COUNT") == ":\(CommandTable.standard.commands.count)\r\n")
    }

    @Test func listsNameSubcommandsToo() {
        let machine = TestMachine()
        let all = CommandTable.standard.commands.flatMap { command in
            [command] + (command.definition.hidesSubcommands ? [] : command.subcommands)
        }
        let reply = lines(machine.run("COMMAND LIST"))
        #expect(reply.hasPrefix("*\(all.count)|"))
        for command in all {
            #expect(reply.contains("|$\(command.fullName.utf8.count)|\(command.fullName)"), "\(command.fullName)")
        }
        expect(
            machine,
            [
                ("COMMAND LIST FILTERBY PATTERN config|r*", "*2|$16|config|resetstat|$14|config|rewrite"),
                ("COMMAND LIST FILTERBY PATTERN getse*", "*1|$6|getset"),
                ("COMMAND LIST FILTERBY ACLCAT nosuch", "*0"),
                ("COMMAND LIST FILTERBY MODULE any", "*0"),
                ("COMMAND LIST FILTERBY COLOUR red", "-ERR syntax error"),
                ("COMMAND LIST PATTERN x", "-ERR syntax error"),
            ])
    }

    @Test func docsSayWhatToUseInstead() {
        let machine = TestMachine()
        #expect(
            lines(machine.run("COMMAND DOCS substr")).contains(
                "|$9|doc_flags|*1|+deprecated|$16|deprecated_since|$5|2.0.0|$11|replaced_by|$10|`GETRANGE`|"))
        #expect(lines(machine.run("COMMAND DOCS pfdebug")).contains("|$9|doc_flags|*1|+syscmd|"))
        #expect(!machine.run("COMMAND DOCS set").contains("doc_flags"))
        for command in CommandTable.standard.commands {
            let reply = lines(machine.run("COMMAND DOCS \(command.name)"))
            #expect(reply.hasPrefix("*2|$\(command.name.utf8.count)|\(command.name)|*"), "\(command.name)")
            #expect(reply.contains("$7|summary|") && reply.contains("$10|complexity|"), "\(command.name)")
        }
    }

    @Test func keySpecificationsOfEveryKind() {
        let numbered = KeySpecification.counted(1, [.readOnly])
        let words = KeySpecification([.readOnly], begin: .keyword("STREAMS", from: 1), find: .range(last: -1, step: 1, limit: 2))
        let definition = CommandDefinition(
            "both", arity: -2, [.readonly], keys: [numbered, words], group: .generic, since: "1", complexity: "", summary: "",
            body: { $0.reply.ok() })
        let command = CommandTable(families: [[definition]]).commands[0]
        #expect(command.flags.contains(.movableKeys))
        func keys(_ text: String) -> [Int]? {
            var found: [Int]?
            withArguments(text.split(separator: " ").map { Array($0.utf8) }) { found = command.keys(in: $0)?.map(\.index) }
            return found
        }
        #expect(keys("both 2 a b") == [2, 3])
        #expect(keys("both 1 a streams x y 0 0") == [2, 4, 5])
        #expect(keys("both 9 a") == nil)
        #expect(keys("both x a") == nil)
        #expect(keys("both -1 a") == nil)
    }
}

@Suite struct GlobPatternTests {
    private func matches(_ pattern: String, _ text: String, ignoringCase: Bool = false) -> Bool {
        Array(pattern.utf8).withView { pattern in
            Array(text.utf8).withView { globMatch(pattern, $0, ignoringCase: ignoringCase) }
        }
    }

    @Test(arguments: [
        ("", "", true), ("", "a", false), ("*", "", false), ("**", "abc", true), ("a*c", "abbbc", true), ("a*c", "abbbd", false),
        ("?", "", false), ("??", "ab", true), ("[abc]", "b", true), ("[^abc]", "b", false), ("[a-c]", "b", true),
        ("[c-a]", "b", true), ("[a-]", "-", false), ("[a", "a", true), ("[", "[", false), ("\\*", "*", true), ("\\*", "a", false),
        ("a\\", "a\\", true), ("[\\]]", "]", true), ("h[a-z]*o", "hello", true), ("*a*b*c*", "xxaxxbxxc", true),
        ("a**", "a", true),
        ("[]", "a", false), ("[^]", "a", true), ("a?c*", "abc", true),
    ]) func matchesAsRedisDoes(pattern: String, text: String, expected: Bool) {
        #expect(matches(pattern, text) == expected, "\(pattern) \(text)")
    }

    @Test func caseCanBeIgnored() {
        #expect(matches("GE[S-T]*", "getset", ignoringCase: true))
        #expect(!matches("GE[S-T]*", "getset"))
    }

    /// With naive backtracking this takes longer than anybody lives.
    @Test func manyStarsTakeNoExponentialTime() {
        let pattern = String(repeating: "a*", count: 40) + "b"
        #expect(!matches(pattern, String(repeating: "a", count: 5000)))
    }
}
