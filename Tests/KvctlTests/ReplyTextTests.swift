import RESP
import Testing

import kvctl

/// The expected texts are what redis-cli 7.0 prints with --no-raw and --raw.
@Suite struct ReplyTextTests {
    private static func bulk(_ text: String) -> Reply { .bulk(Array(text.utf8)) }

    static let samples: [(Reply, formatted: String, raw: String)] = [
        (.simple(Array("OK".utf8)), "OK\n", "OK\n"),
        (.error(Array("ERR no".utf8)), "(error) ERR no\n", "ERR no\n\n"),
        (.integer(-3), "(integer) -3\n", "-3\n"),
        (.null, "(nil)\n", "\n"),
        (.double(1.5), "(double) 1.5\n", "1.5\n"),
        (.boolean(true), "(true)\n", "(true)\n"),
        (bulk("a b"), "\"a b\"\n", "a b\n"),
        (bulk("x\n\"\\\t\r\u{7}\u{8}\u{1}"), "\"x\\n\\\"\\\\\\t\\r\\a\\b\\x01\"\n", "x\n\"\\\t\r\u{7}\u{8}\u{1}\n"),
        (.bulk([0xFF]), "\"\\xff\"\n", "\u{FFFD}\n"),
        (.verbatim(format: Array("txt".utf8), Array("a\nb".utf8)), "a\nb\n", "a\nb\n"),
        (.array([]), "(empty array)\n", "\n"), (.set([]), "(empty set)\n", "\n"), (.map([]), "(empty hash)\n", "\n"),
        (.array([bulk("a"), .null, .integer(1)]), "1) \"a\"\n2) (nil)\n3) (integer) 1\n", "a\n\n1\n"),
        (
            .array([.integer(1), .array([.integer(2), .array([.integer(3)])]), bulk("x")]),
            "1) (integer) 1\n2) 1) (integer) 2\n   2) 1) (integer) 3\n3) \"x\"\n", "1\n2\n3\nx\n"
        ),
        (
            .array((1...10).map { .integer($0) }),
            (1...10).map { ($0 < 10 ? " " : "") + "\($0)) (integer) \($0)\n" }.joined(), (1...10).map { "\($0)\n" }.joined()
        ),
        (.map([.init(bulk("f"), bulk("v"))]), "1# \"f\" => \"v\"\n", "f v\n"),
        (
            .map([.init(bulk("a"), .set([bulk("x"), bulk("y")])), .init(bulk("b"), .array([bulk("z")]))]),
            "1# \"a\" => \n   1~ \"x\"\n   2~ \"y\"\n2# \"b\" => 1) \"z\"\n", "a x\ny\nb z\n"
        ),
    ]

    @Test(arguments: samples.indices) func textsAreRedisClisTexts(_ index: Int) {
        let (reply, formatted, raw) = ReplyTextTests.samples[index]
        #expect(ReplyText.formatted(reply) == formatted)
        #expect(String(decoding: ReplyText.raw(reply), as: UTF8.self) == raw)
    }

    @Test func textsForPeopleStayBare() {
        #expect(ReplyText.isText(["INFO", "server"]) && ReplyText.isText(["client", "LIST"]))
        #expect(!ReplyText.isText(["get", "info"]) && !ReplyText.isText(["client", "id"]))
    }
}
