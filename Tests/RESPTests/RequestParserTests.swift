import Base
import RESP
import Testing

/// One step of a parser, in comparable form.
enum Parsed: Equatable {
    case command([String])
    case empty
    case failure(ProtocolError)
}

/// Feeds `pieces` to a parser as a connection would, and gives back everything that comes out.
func parse(_ pieces: [[UInt8]], limits: RequestLimits = RequestLimits(), authenticated: Bool = true) -> (
    [Parsed], rest: Int
) {
    var parser = RequestParser(limits: limits)
    parser.isAuthenticated = authenticated
    let arguments = Arguments()
    let input = ByteBuffer(capacity: 16)
    var parsed: [Parsed] = []
    for piece in pieces {
        input.append(piece)
        reading: while true {
            switch parser.next(in: input.view, arguments: arguments) {
            case .command(let consumed):
                parsed.append(.command((0..<arguments.count).map { arguments[$0].text }))
                input.consume(consumed)
            case .empty(let consumed):
                parsed.append(.empty)
                input.consume(consumed)
            case .incomplete(let need):
                #expect(need > input.count)
                break reading
            case .failure(let error):
                parsed.append(.failure(error))
                return (parsed, input.count)
            }
        }
    }
    return (parsed, input.count)
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct RequestParserTests {
    @Test func wordsAreCopiedAndReplaceWhatWasThere() {
        let arguments = Arguments()
        for words in [["set", "k", ""], [], ["get", String(repeating: "x", count: 100_000)], ["ping"]] {
            arguments.replace(with: words.map { Array($0.utf8) })
            #expect((0..<arguments.count).map { arguments[$0].text } == words)
        }
    }

    static let samples: [(String, [Parsed])] = [
        ("*1\r\n$4\r\nPING\r\n", [.command(["PING"])]),
        ("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n", [.command(["SET", "k", ""])]),
        ("*2\r\n$4\r\nECHO\r\n$12\r\na\r\nb$3\r\n*1\r\n\r\n", [.command(["ECHO", "a\r\nb$3\r\n*1\r\n"])]),
        ("*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nQUIT\r\n", [.command(["PING"]), .command(["QUIT"])]),
        ("*0\r\n*-1\r\n*-5\r\n*1\r\n$1\r\na\r\n", [.empty, .empty, .empty, .command(["a"])]),
        ("\r\n\n  \r\nPING\r\n", [.empty, .empty, .empty, .command(["PING"])]),
        ("PING\n", [.command(["PING"])]),
        ("set  k\t\"a b\\x41\\n\\\"\" 'x\\'y\\n'\r\n", [.command(["set", "k", "a bA\n\"", "x'y\\n"])]),
        ("a\"b c\"\n", [.command(["ab c"])]),
        ("a \"\" ''\n", [.command(["a", "", ""])]),
        ("a \"\\xzz\\q\\t\\b\\a\\r\"\n", [.command(["a", "xzzq\t\u{8}\u{7}\r"])]),
        ("a \"b\"c\n", [.failure(.unbalancedQuotes)]),
        ("a 'b'c\n", [.failure(.unbalancedQuotes)]),
        ("a \"b\n", [.failure(.unbalancedQuotes)]),
        ("a \"b\\\n", [.failure(.unbalancedQuotes)]),
        ("a 'b\\'\n", [.failure(.unbalancedQuotes)]),
        ("*a\r\n", [.failure(.invalidMultibulkLength)]),
        ("*01\r\n", [.failure(.invalidMultibulkLength)]),
        ("*00\r\n", [.failure(.invalidMultibulkLength)]),
        ("*\r\n", [.failure(.invalidMultibulkLength)]),
        ("*+1\r\n", [.failure(.invalidMultibulkLength)]),
        ("*3000000000\r\n", [.failure(.invalidMultibulkLength)]),
        ("*99999999999999999999999\r\n", [.failure(.invalidMultibulkLength)]),
        ("*1\r\nfoo\r\n", [.failure(.expectedBulk(got: UInt8(ascii: "f")))]),
        ("*1\r\n$-1\r\n", [.failure(.invalidBulkLength)]),
        ("*1\r\n$blabla\r\n", [.failure(.invalidBulkLength)]),
        ("*1\r\n$2000000000\r\n", [.failure(.invalidBulkLength)]),
        ("*1\r\n$ 1\r\n", [.failure(.invalidBulkLength)]),
        ("*1\r\n\r\n", [.failure(.expectedBulk(got: 13))]),
        ("PI\0NG\r\n", [.failure(.zeroByteInline)]),
        ("*1\r\n$0\r\n\r\n*1\r\n$000\r\n", [.command([""]), .failure(.invalidBulkLength)]),
        ("*1\r\n$1\r\na\r\n*1\r\n:1\r\n", [.command(["a"]), .failure(.expectedBulk(got: UInt8(ascii: ":")))]),
    ]

    @Test(arguments: samples.indices) func everySplitGivesTheSame(_ index: Int) {
        let (text, expected) = RequestParserTests.samples[index]
        let whole = bytes(text)
        #expect(parse([whole]).0 == expected)
        #expect(parse(whole.map { [$0] }).0 == expected)
        for split in 0...whole.count {
            let (parsed, rest) = parse([Array(whole[..<split]), Array(whole[split...])])
            #expect(parsed == expected, "split at \(split)")
            if case .failure? = expected.last {} else { #expect(rest == 0) }
        }
    }

    @Test func manyArgumentsAreNotParsedAgain() {
        // 5,000 arguments in pieces of 7 bytes: the kept part must continue exactly where it stopped.
        let words = (0..<5000).map { "argument-\($0)" }
        let output = ByteBuffer()
        CommandWriter(output).command(words)
        CommandWriter(output).command(["PING"])
        let stream = output.view.array
        let pieces = stride(from: 0, to: stream.count, by: 7).map { Array(stream[$0..<min($0 + 7, stream.count)]) }
        #expect(parse(pieces).0 == [.command(words), .command(["PING"])])
    }

    @Test func incompleteSaysHowMuchIsMissing() {
        var parser = RequestParser()
        let arguments = Arguments()
        let start = bytes("*2\r\n$3\r\nGET\r\n$1000\r\nabc")
        let outcome = start.withView { parser.next(in: $0, arguments: arguments) }
        #expect(outcome == .incomplete(need: 13 + 7 + 1000 + 2))
    }

    @Test func limitsHoldAtTheirEdge() {
        var limits = RequestLimits()
        limits.argumentsMax = 2
        limits.bulkBytesMax = 3
        limits.inlineBytesMax = 8
        limits.queryBufferMax = 40
        func only(_ text: String) -> Parsed? { parse([bytes(text)], limits: limits).0.last }
        #expect(only("*2\r\n$3\r\nabc\r\n$3\r\nabc\r\n") == .command(["abc", "abc"]))
        #expect(only("*3\r\n") == .failure(.invalidMultibulkLength))
        #expect(only("*1\r\n$4\r\n") == .failure(.invalidBulkLength))
        #expect(only("12345678\n") == .command(["12345678"]))
        #expect(only("123456789\n") == .failure(.inlineTooBig))
        #expect(only("123456789") == .failure(.inlineTooBig))
        #expect(only("12345678") == nil)
        #expect(only("*12345678") == .failure(.multibulkCountTooBig))
        #expect(only("*1\r\n$12345678") == .failure(.bulkCountTooBig))
        #expect(only("a b c\n") == .failure(.invalidMultibulkLength))
        limits.bulkBytesMax = 30
        #expect(only("*2\r\n$1\r\na\r\n$23\r\n") == .failure(.queryTooBig(bytesMax: 40)))
        #expect(only("*2\r\n$1\r\na\r\n$22\r\n") == nil)
    }

    @Test func unauthenticatedClientsMaySendLittle() {
        func only(_ text: String) -> Parsed? { parse([bytes(text)], authenticated: false).0.last }
        #expect(only("*11\r\n") == .failure(.unauthenticatedMultibulkLength))
        #expect(only("*10\r\n") == nil)
        #expect(only("*1\r\n$16385\r\n") == .failure(.unauthenticatedBulkLength))
        #expect(only("*1\r\n$16384\r\n") == nil)
    }

    @Test func aFailureStays() {
        var parser = RequestParser()
        let arguments = Arguments()
        let first = bytes("*x\r\n").withView { parser.next(in: $0, arguments: arguments) }
        let second = bytes("*1\r\n$4\r\nPING\r\n").withView { parser.next(in: $0, arguments: arguments) }
        #expect(first == .failure(.invalidMultibulkLength))
        #expect(second == first)
    }

    @Test func textsAreRedisTexts() {
        #expect(ProtocolError.expectedBulk(got: UInt8(ascii: "x")).text == "ERR Protocol error: expected '$', got 'x'")
        #expect(ProtocolError.expectedBulk(got: 10).text == "ERR Protocol error: expected '$', got ' '")
        #expect(ProtocolError.inlineTooBig.text == "ERR Protocol error: too big inline request")
    }

    @Test func argumentsGrowAndShrink() {
        let arguments = Arguments()
        let base = bytes("abcdef")
        base.withView { view in
            for count in [3, 5000, 2, 2, 6] {
                arguments.removeAll(over: view)
                for index in 0..<count { arguments.append(offset: index % 6, count: 1) }
                #expect(arguments.count == count && arguments.byteCount == count)
                #expect(arguments[count - 1].text == String("abcdef".utf8.map { Character(UnicodeScalar($0)) }[(count - 1) % 6]))
            }
        }
    }
}
