import Database
import Testing

@Suite struct ArgumentSyntaxTests {
    @Test func everyCommandHasItsSyntax() {
        for command in CommandTable.standard.commands.flatMap({ [$0] + $0.subcommands }) {
            let arguments = ArgumentSyntax.arguments(of: command.fullName)
            #expect(arguments != nil, "\(command.fullName): add it to ArgumentSyntax+Table.swift")
            // As many words as the arity asks for, at least.
            let least = (arguments ?? []).reduce(command.words) { $0 + words($1) }
            if !command.isContainer {
                #expect(least <= abs(command.arity) || command.arity < 0, "\(command.fullName): \(least) words")
            }
            if command.arity > 0 { #expect(least == command.arity, "\(command.fullName): \(least) words") }
        }
    }

    /// The least number of words that an argument takes.
    private func words(_ argument: ArgumentSyntax) -> Int {
        if argument.isOptional { return 0 }
        let keyword = argument.token != nil && argument.kind != .pureToken ? 1 : 0
        switch argument.kind {
        case .block: return keyword + argument.arguments.reduce(0) { $0 + words($1) }
        case .oneof: return keyword + (argument.arguments.map { words($0) }.min() ?? 0)
        default: return keyword + 1
        }
    }

    @Test func textsAreWrittenAsDocumentationHasThem() {
        func text(_ name: String) -> String { ArgumentSyntax.text(ArgumentSyntax.arguments(of: name) ?? []) }
        #expect(
            text("set")
                == "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]"
        )
        #expect(text("mset") == "key value [key value ...]")
        #expect(text("lmpop") == "numkeys key [key ...] <LEFT | RIGHT> [COUNT count]")
        #expect(text("zrangebylex") == "key min max [LIMIT offset count]")
        #expect(
            text("zunion") == "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]")
        #expect(text("sort_ro").contains("[GET get-pattern [GET get-pattern ...]]"))
    }

    @Test func docsDescribeArguments() {
        let machine = TestMachine()
        expect(
            machine,
            [
                (
                    "COMMAND DOCS getdel",
                    """
                    *2|$6|getdel|*10|$7|summary|$48|Returns the string at a key and deletes the key.|$5|since|$5|6.2.0|$5|group|$6|string\
                    |$10|complexity|$4|O(1)|$9|arguments|*1|*6|$4|name|$3|key|$4|type|$3|key|$12|display_text|$3|key
                    """
                )
            ])
        machine.version = .three
        let docs = machine.run("COMMAND DOCS lpop")
        #expect(
            docs.contains(
                "$5\r\ncount\r\n$4\r\ntype\r\n$7\r\ninteger\r\n$12\r\ndisplay_text\r\n$5\r\ncount\r\n$5\r\nflags\r\n~1\r\n+optional\r\n"
            ))
    }
}
