import Base
import RESP
import Testing

@Suite struct ReplyTests {
    /// What a writer call gives in RESP2 and in RESP3, and what a client understands of the latter.
    struct Sample {
        var name: String
        var two: String
        var three: String
        var reply: Reply
        var write: @Sendable (ReplyWriter) -> Void
    }

    @Test func integersAreTheirDigits() {
        var random = RandomGenerator(seed: 3)
        let buffer = ByteBuffer()
        for width in 0..<64 {
            for sign in [Int64(1), -1] {
                let value = Int64(bitPattern: random.next() >> UInt64(63 - width) & UInt64(Int64.max)) * sign
                buffer.removeAll()
                ReplyWriter(buffer).integer(value)
                ReplyWriter(buffer).bulk(decimal: value)
                #expect(buffer.view.text == ":\(value)\r\n$\("\(value)".utf8.count)\r\n\(value)\r\n")
            }
        }
    }

    /// A writer that discards may outlive the buffer it was made for.
    @Test func nothingIsWrittenByAWriterThatDiscards() {
        let writer = ReplyWriter(ByteBuffer(capacity: 8), discards: true)
        let array = writer.beginArray()
        for index in 0..<100 { writer.bulk(decimal: Int64(index)) }
        writer.end(array, count: 100)
        writer.simple("OK")
    }

    static func bulk(_ text: String) -> Reply { .bulk(Array(text.utf8)) }

    static let samples: [Sample] = [
        Sample(name: "ok", two: "+OK\r\n", three: "+OK\r\n", reply: .simple(bytes("OK"))) { $0.ok() },
        Sample(name: "simple", two: "+a b\r\n", three: "+a b\r\n", reply: .simple(bytes("a b"))) {
            $0.simple(ByteView("a\nb"))
        },
        Sample(name: "error", two: "-ERR x  y\r\n", three: "-ERR x  y\r\n", reply: .error(bytes("ERR x  y"))) {
            $0.error(text: "ERR x\r\ny\n\r\n")
        },
        Sample(name: "zero", two: ":0\r\n", three: ":0\r\n", reply: .integer(0)) { $0.integer(0) },
        Sample(name: "one", two: ":1\r\n", three: ":1\r\n", reply: .integer(1)) { $0.integer(1) },
        Sample(name: "least", two: ":-9223372036854775808\r\n", three: ":-9223372036854775808\r\n", reply: .integer(.min)) {
            $0.integer(Int64.min)
        },
        Sample(name: "bulk", two: "$3\r\nabc\r\n", three: "$3\r\nabc\r\n", reply: bulk("abc")) { $0.bulk("abc") },
        Sample(name: "line end", two: "$2\r\n\r\n\r\n", three: "$2\r\n\r\n\r\n", reply: bulk("\r\n")) { $0.bulk("\r\n") },
        Sample(name: "no bytes", two: "$0\r\n\r\n", three: "$0\r\n\r\n", reply: bulk("")) { $0.bulk(text: "") },
        Sample(name: "ten", two: "$10\r\n0123456789\r\n", three: "$10\r\n0123456789\r\n", reply: bulk("0123456789")) {
            $0.bulk(text: "0123456789")
        },
        Sample(name: "number", two: "$3\r\n-42\r\n", three: "$3\r\n-42\r\n", reply: bulk("-42")) { $0.bulk(decimal: -42) },
        Sample(name: "null", two: "$-1\r\n", three: "_\r\n", reply: .null) { $0.null() },
        Sample(name: "null array", two: "*-1\r\n", three: "_\r\n", reply: .null) { $0.nullArray() },
        Sample(name: "array", two: "*2\r\n:1\r\n*0\r\n", three: "*2\r\n:1\r\n*0\r\n", reply: .array([.integer(1), .array([])])) {
            $0.array(2)
            $0.integer(1)
            $0.array(0)
        },
        Sample(
            name: "map", two: "*2\r\n+a\r\n:7\r\n", three: "%1\r\n+a\r\n:7\r\n",
            reply: .map([.init(.simple(bytes("a")), .integer(7))])
        ) {
            $0.map(1)
            $0.simple("a")
            $0.integer(7)
        },
        Sample(name: "set", two: "*1\r\n:7\r\n", three: "~1\r\n:7\r\n", reply: .set([.integer(7)])) {
            $0.set(1)
            $0.integer(7)
        },
        Sample(name: "push", two: "*1\r\n:7\r\n", three: ">1\r\n:7\r\n", reply: .push([.integer(7)])) {
            $0.push(1)
            $0.integer(7)
        },
        Sample(name: "double", two: "$3\r\n1.5\r\n", three: ",1.5\r\n", reply: .double(1.5)) { $0.double(1.5) },
        Sample(name: "infinity", two: "$4\r\n-inf\r\n", three: ",-inf\r\n", reply: .double(-.infinity)) {
            $0.double(-.infinity)
        },
        Sample(name: "true", two: ":1\r\n", three: "#t\r\n", reply: .boolean(true)) { $0.boolean(true) },
        Sample(name: "false", two: ":0\r\n", three: "#f\r\n", reply: .boolean(false)) { $0.boolean(false) },
        Sample(name: "big", two: "$3\r\n-12\r\n", three: "(-12\r\n", reply: .bigNumber(bytes("-12"))) {
            $0.bigNumber(ByteView("-12"))
        },
        Sample(
            name: "verbatim", two: "$2\r\nhi\r\n", three: "=6\r\ntxt:hi\r\n",
            reply: .verbatim(format: bytes("txt"), bytes("hi"))
        ) { $0.verbatim(ByteView("hi")) },
    ]

    @Test(arguments: samples.indices) func writerAndParserAgree(_ index: Int) {
        let sample = ReplyTests.samples[index]
        for (version, expected) in [(RESPVersion.two, sample.two), (.three, sample.three)] {
            let output = ByteBuffer(capacity: 16)
            sample.write(ReplyWriter(output, version: version))
            #expect(output.view.text == expected, "\(sample.name)")
        }
        for split in 0...sample.three.utf8.count {
            #expect(read(sample.three, split: split) == [sample.reply], "\(sample.name) split at \(split)")
        }
        let output = ByteBuffer(capacity: 16)
        sample.write(ReplyWriter(output, version: .three, discards: true))
        #expect(output.isEmpty)
    }

    /// Feeds a text in two pieces (or in single bytes for nil).
    func read(_ text: String, split: Int?, limits: ReplyLimits = ReplyLimits()) -> [Reply] {
        let all = bytes(text)
        let pieces = split.map { [Array(all[..<$0]), Array(all[$0...])] } ?? all.map { [$0] }
        var parser = ReplyParser(limits: limits)
        var scanner = ReplyScanner()
        let input = ByteBuffer(capacity: 16)
        let scanned = ByteBuffer(capacity: 16)
        var replies: [Reply] = []
        var scannedErrors: [Bool] = []
        for piece in pieces {
            input.append(piece)
            reading: while true {
                switch parser.next(in: input.view) {
                case .reply(let reply, let consumed):
                    replies.append(reply)
                    input.consume(consumed)
                case .incomplete(let consumed, let need):
                    input.consume(consumed)
                    #expect(need > input.count)
                    break reading
                case .failure(let error):
                    replies.append(.error(bytes("\(error)")))
                    return replies
                }
            }
            scanned.append(piece)
            scanning: while true {
                switch scanner.next(in: scanned.view) {
                case .reply(let consumed, let isError):
                    scannedErrors.append(isError)
                    scanned.consume(consumed)
                case .incomplete(let consumed):
                    scanned.consume(consumed)
                    break scanning
                case .failure: break scanning
                }
            }
        }
        #expect(scannedErrors == replies.map { $0.isError }, "the scanner counts what the parser reads")
        #expect(input.isEmpty && scanned.isEmpty)
        return replies
    }

    @Test func nestedRepliesInPieces() {
        let text =
            "*3\r\n%2\r\n+a\r\n*2\r\n$3\r\nx\r\n\r\n~0\r\n$-1\r\n#t\r\n>2\r\n(123\r\n,inf\r\n|1\r\n+ttl\r\n:3\r\n!5\r\nERR x\r\n:5\r\n-E\r\n"
        let expected: [Reply] = [
            .array([
                .map([
                    .init(.simple(bytes("a")), .array([.bulk(bytes("x\r\n")), .set([])])), .init(.null, .boolean(true)),
                ]),
                .push([.bigNumber(bytes("123")), .double(.infinity)]),
                .attributed([.init(.simple(bytes("ttl")), .integer(3))], .error(bytes("ERR x"))),
            ]),
            .integer(5),
            .error(bytes("E")),
        ]
        for split in 0...text.utf8.count { #expect(read(text, split: split) == expected) }
        #expect(read(text, split: nil) == expected)
    }

    @Test(arguments: [
        ("x", ReplyError.unknownType(0x78)), (":a\r\n", .invalidValue(type: 0x3A)), ("$a\r\n", .invalidLength),
        ("$?\r\n", .streamed), ("*?\r\n", .streamed), ("$-2\r\n", .invalidLength), ("%-1\r\n", .invalidLength),
        ("#x\r\n", .invalidValue(type: 0x23)), ("_x\r\n", .invalidValue(type: 0x5F)), ("(12a\r\n", .invalidValue(type: 0x28)),
        ("=2\r\nab\r\n", .invalidValue(type: 0x3D)), ("$1\r\nabc", .invalidValue(type: 0x24)),
        ("+a\rb", .invalidValue(type: 0x2B)),
        ("$11\r\n", .tooBig), ("*4\r\n", .tooBig), ("+12345678901", .tooBig), ("*1\r\n*1\r\n*1\r\n*1\r\n", .tooBig),
        ("*9999999999999\r\n", .tooBig),
    ])
    func malformedRepliesAreRefused(_ text: String, _ expected: ReplyError) {
        var limits = ReplyLimits()
        limits.bulkBytesMax = 10
        limits.elementsMax = 3
        limits.lineBytesMax = 10
        limits.depthMax = 3
        var parser = ReplyParser(limits: limits)
        #expect(bytes(text).withView { parser.next(in: $0) } == .failure(expected))
        #expect(bytes("+OK\r\n").withView { parser.next(in: $0) } == .failure(expected))
    }

    @Test func deferredLengthsNest() {
        for version in [RESPVersion.two, .three] {
            for count in [0, 1, 9, 10, 1000] {
                let output = ByteBuffer(capacity: 16)
                let writer = ReplyWriter(output, version: version)
                writer.ok()
                let outer = writer.beginArray()
                writer.integer(5)
                let inner = writer.beginMap()
                for index in 0..<count {
                    writer.bulk(text: "key \(index)")
                    writer.integer(index)
                }
                writer.end(inner, count: count)
                let withdrawn = writer.beginSet()
                writer.bulk("not any more")
                writer.withdraw(withdrawn)
                writer.end(outer, count: 2)

                let expected = ByteBuffer(capacity: 16)
                let plain = ReplyWriter(expected, version: version)
                plain.ok()
                plain.array(2)
                plain.integer(5)
                plain.map(count)
                for index in 0..<count {
                    plain.bulk(text: "key \(index)")
                    plain.integer(index)
                }
                #expect(output.view.equals(expected.view))
            }
        }
    }

    @Test func commandsReadBack() {
        let words: [[UInt8]] = [[], [0, 1, 255], bytes("a b"), [UInt8](repeating: 13, count: 1000)]
        let output = ByteBuffer(capacity: 16)
        CommandWriter(output).command(words)
        var parser = RequestParser()
        let arguments = Arguments()
        #expect(parser.next(in: output.view, arguments: arguments) == .command(consumed: output.count))
        #expect((0..<arguments.count).map { arguments[$0].array } == words)
    }
}
