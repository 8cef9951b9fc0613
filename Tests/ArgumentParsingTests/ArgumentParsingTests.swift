import ArgumentParsing
import Testing

private enum Mode: String, CaseIterable, ArgumentValue { case fast, safe }

@Suite struct ArgumentParsingTests {
    private static let nodes = Option(
        "nodes", short: "n", default: 3, help: "How many nodes.",
        problem: { (count: Int) in count < 1 || count > 9 ? "a number from 1 to 9" : nil })
    private static let data = Option("data", default: "./data", placeholder: "directory", help: "Where the data is.")
    private static let server = Option<String>("server", placeholder: "host:port", help: "Which server to ask.")
    private static let mode = Option("mode", default: Mode.safe, help: "How.")
    private static let detach = Flag("detach", short: "d", help: "Leave it running.")
    private static let node = Argument<Int>("node", help: "The node's number.")
    private static let note = Argument<String>("note", isRequired: false, help: "Why.")
    private static let line = RestOfLine("command", help: "A command and its arguments.")
    private static let id = Option<Int>("id", isRequired: true, help: "Who.")

    private static let tool = ToolCommand<String>(
        "kv", abstract: "Talks to a store.",
        discussion:
            "The first paragraph goes on and on until it is longer than a line of eighty columns, so it wraps.\n\n    kv get k",
        version: "kv 1.0", declares: [server],
        subcommands: [
            ToolCommand(
                "cluster", abstract: "Runs a cluster.",
                subcommands: [
                    ToolCommand("up", abstract: "Starts it.", declares: [nodes, data, mode, detach], action: "up"),
                    ToolCommand("kill", abstract: "Kills a node.", declares: [node, note], action: "kill"),
                ]),
            ToolCommand("serve", abstract: "Serves.", declares: [id], action: "serve"),
        ],
        otherwise: (line, "command"))

    private func run(_ text: String) -> (String, Values)? {
        if case .run(let action, let values) = Self.tool.parse(text.split(separator: " ").map(String.init)) {
            return (action, values)
        }
        return nil
    }

    private func failure(_ text: String) -> String? {
        if case .failure(let error) = Self.tool.parse(text.split(separator: " ").map(String.init)) { return error.message }
        return nil
    }

    private func message(_ text: String) -> String? {
        if case .message(let text) = Self.tool.parse(text.split(separator: " ").map(String.init)) { return text }
        return nil
    }

    @Test func defaultsAndValues() throws {
        let (action, values) = try #require(run("cluster up"))
        #expect(action == "up")
        #expect(values[Self.nodes] == 3 && values[Self.data] == "./data" && values[Self.mode] == .safe)
        #expect(!values[Self.detach] && values[ifGiven: Self.nodes] == nil && values[ifGiven: Self.server] == nil)
        for text in [
            "cluster up --nodes 5 --mode fast -d", "cluster up -n 5 --mode=fast --detach",
            "cluster up --nodes 2 --nodes=5 --mode fast -d",
        ] {
            let (_, given) = try #require(run(text))
            #expect(given[Self.nodes] == 5 && given[Self.mode] == .fast && given[Self.detach])
            #expect(given[ifGiven: Self.nodes] == 5)
        }
    }

    @Test func whatAGroupDeclaresItsSubcommandsAccept() throws {
        for text in ["--server a:1 cluster up", "cluster up --server a:1", "cluster --server=a:1 up"] {
            #expect(try #require(run(text)).1[ifGiven: Self.server] == "a:1")
        }
    }

    @Test func placesAndTheRestOfTheLine() throws {
        let (_, values) = try #require(run("cluster kill 2 because"))
        #expect(values[Self.node] == 2 && values[ifGiven: Self.note] == "because")
        #expect(try #require(run("cluster kill -2")).1[Self.node] == -2)
        #expect(try #require(run("cluster kill 2 -- --why")).1[ifGiven: Self.note] == "--why")
        let (action, rest) = try #require(run("--server a:1 set k --nodes -x -- --help"))
        #expect(action == "command" && rest[Self.line] == ["set", "k", "--nodes", "-x", "--", "--help"])
        #expect(try #require(run("-- cluster info")).1[Self.line] == ["cluster", "info"])
    }

    @Test(arguments: [
        ("cluster up --nodez 3", "Unknown option '--nodez'. Did you mean '--nodes'?"),
        ("cluster up --zzzzz", "Unknown option '--zzzzz'"),
        ("cluster up -z", "Unknown option '-z'"),
        ("cluster up --nodes", "Missing value for '--nodes <nodes>'"),
        ("cluster up --nodes --detach", "Missing value for '--nodes <nodes>'"),
        ("cluster up --nodes x", "The value 'x' is invalid for '--nodes <nodes>': expected a whole number"),
        ("cluster up --nodes 10", "The value '10' is invalid for '--nodes <nodes>': expected a number from 1 to 9"),
        ("cluster up --mode slow", "The value 'slow' is invalid for '--mode <mode>': expected one of 'fast', 'safe'"),
        ("cluster up --detach=1", "The flag '--detach' takes no value"),
        ("cluster up now", "Unexpected argument 'now'"),
        ("cluster kil 1", "Unknown subcommand 'kil'. Did you mean 'kill'?"),
        ("cluster klil 1", "Unknown subcommand 'klil'. Did you mean 'kill'?"),
        ("cluster kill", "Missing expected argument '<node>'"),
        ("cluster kill x", "The value 'x' is invalid for '<node>': expected a whole number"),
        ("serve", "Missing expected option '--id <id>'"),
        ("--server a:1", "Missing expected subcommand"),
        ("help cluster foo", "Unknown subcommand 'foo'"),
    ])
    func errorsSayWhatIsWrong(_ line: String, _ expected: String) { #expect(failure(line) == expected) }

    @Test func errorsNameTheCommand() {
        guard case .failure(let error) = Self.tool.parse(["cluster", "kill"]) else {
            Issue.record("a missing argument is an error")
            return
        }
        #expect(
            error.text == """
                Error: Missing expected argument '<node>'
                Usage: kv cluster kill [--server <host:port>] <node> [<note>]
                  See 'kv cluster kill --help' for more information.

                """)
    }

    @Test func helpAndVersion() {
        #expect(message("--version") == "kv 1.0\n")
        #expect(message("cluster") == message("cluster --help") && message("cluster") == message("help cluster"))
        #expect(message("") == message("--help"))
        #expect(
            message("cluster up -h") == """
                OVERVIEW: Starts it.

                USAGE: kv cluster up [<options>]

                OPTIONS:
                  -n, --nodes <nodes>     How many nodes. (default: 3)
                  --data <directory>      Where the data is. (default: ./data)
                  --mode <mode>           How. (default: safe)
                  -d, --detach            Leave it running.
                  --server <host:port>    Which server to ask.
                  --version               Show the version.
                  -h, --help              Show help information.

                """)
        #expect(
            message("--help") == """
                OVERVIEW: Talks to a store.

                The first paragraph goes on and on until it is longer than a line of eighty
                columns, so it wraps.

                    kv get k

                USAGE: kv [--server <host:port>] <subcommand>

                OPTIONS:
                  --server <host:port>    Which server to ask.
                  --version               Show the version.
                  -h, --help              Show help information.

                SUBCOMMANDS:
                  cluster                 Runs a cluster.
                  serve                   Serves.

                  See 'kv help <subcommand>' for detailed help.

                """)
    }
}
