import Base
import RESP

/// Fuzzes the request parser and the reply parser: valid streams, mutated ones, and bytes that only look like RESP.
///
/// What must hold: nothing crashes; no more is consumed than there is; the outcome is the same however the input is cut;
/// a command that was parsed, written again and parsed again is the same; the reply scanner finds the ends that the reply
/// parser finds.
struct RESPFuzz: FuzzTarget {
    private let input = ByteBuffer(capacity: 1024)
    private let feed = ByteBuffer(capacity: 1024)
    private let whole = ByteBuffer(capacity: 1024)
    private let cut = ByteBuffer(capacity: 1024)
    private let again = ByteBuffer(capacity: 1024)
    private let encoded = ByteBuffer(capacity: 1024)
    private let arguments = Arguments()
    private let pieces = ByteBuffer(capacity: 1024)

    init() {}

    mutating func run(_ random: inout RandomGenerator) -> FuzzVerdict {
        input.removeAll()
        if random.chance(1, in: 3) {
            generateReplies(&random)
            mutate(&random)
            return checkReplies(&random)
        }
        generateRequests(&random)
        mutate(&random)
        return checkRequests(&random)
    }

    // MARK: making inputs

    private func generateRequests(_ random: inout RandomGenerator) {
        if random.chance(1, in: 16) {
            return noise(&random, of: ByteView("*$0123456789-\r\n\n\"'\\x a"), random.index(below: 80))
        }
        for _ in 0...random.index(below: 4) {
            if random.chance(1, in: 4) {
                noise(&random, of: ByteView("abc   \"\"''\\nx41\t"), random.index(below: 24))
                input.append(random.chance(1, in: 2) ? "\r\n" : "\n")
                continue
            }
            let count = random.chance(1, in: 32) ? 30 + random.index(below: 40) : 1 + random.index(below: 4)
            let writer = CommandWriter(input)
            writer.begin(count)
            for _ in 0..<count {
                pieces.removeAll()
                let length = random.chance(1, in: 32) ? random.index(below: 400) : random.index(below: 12)
                for _ in 0..<length { pieces.append(byte: UInt8(truncatingIfNeeded: random.next())) }
                writer.argument(pieces.view)
            }
        }
    }

    private func generateReplies(_ random: inout RandomGenerator) {
        if random.chance(1, in: 16) {
            return noise(&random, of: ByteView("+-:$*_%~>,#(=!|0123456789\r\n\r\n-tf?."), random.index(below: 80))
        }
        let writer = ReplyWriter(input, version: random.chance(1, in: 4) ? .two : .three)
        for _ in 0...random.index(below: 3) { reply(writer, &random, depth: 0) }
    }

    private func reply(_ writer: ReplyWriter, _ random: inout RandomGenerator, depth: Int) {
        let count = random.index(below: 4)
        switch random.index(below: depth < 4 ? 14 : 9) {
        case 0: writer.ok()
        case 1: writer.error("ERR no")
        case 2: writer.integer(Int64(truncatingIfNeeded: random.next()) >> Int64(random.index(below: 64)))
        case 3: writer.bulk(input.isEmpty ? "" : "a\r\n$1")
        case 4: writer.null()
        case 5: writer.double(Double(bitPattern: random.next()))
        case 6: writer.boolean(count == 0)
        case 7: writer.bigNumber(ByteView("-123456789012345678901234567890"))
        case 8: writer.verbatim(ByteView("text"))
        case 9, 10:
            writer.array(count)
            for _ in 0..<count { reply(writer, &random, depth: depth + 1) }
        case 11:
            writer.map(count)
            for _ in 0..<count * 2 { reply(writer, &random, depth: depth + 1) }
        case 12:
            writer.set(count)
            for _ in 0..<count { reply(writer, &random, depth: depth + 1) }
        default:
            writer.push(count)
            for _ in 0..<count { reply(writer, &random, depth: depth + 1) }
        }
    }

    private func noise(_ random: inout RandomGenerator, of alphabet: ByteView, _ count: Int) {
        for _ in 0..<count { input.append(byte: alphabet[random.index(below: alphabet.count)]) }
    }

    /// Changes some bytes, takes some away, puts some in, or leaves all as it is.
    private func mutate(_ random: inout RandomGenerator) {
        while random.chance(1, in: 2) && !input.isEmpty {
            var bytes = input.view.array
            let at = random.index(below: bytes.count)
            switch random.index(below: 5) {
            case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes[at] ^= 1 << UInt8(random.index(below: 8))
            case 2: bytes.removeSubrange(at..<min(bytes.count, at + 1 + random.index(below: 8)))
            case 3:
                let tokens = ["\r\n", "\r", "\n", "$", "*", "$-1\r\n", "*0\r\n", "999999999999", "-", "\0", "\"", "*2\r\n"]
                bytes.insert(contentsOf: tokens[random.index(below: tokens.count)].utf8, at: at)
            default: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 1 + random.index(below: 32))], at: at)
            }
            input.removeAll()
            input.append(bytes)
        }
    }

    // MARK: what must hold

    private func checkRequests(_ random: inout RandomGenerator) -> FuzzVerdict {
        var limits = RequestLimits()
        if random.chance(1, in: 2) {
            limits.argumentsMax = 40
            limits.bulkBytesMax = 300
            limits.inlineBytesMax = 20
            limits.queryBufferMax = 600
        }
        whole.removeAll()
        cut.removeAll()
        encoded.removeAll()
        if let problem = parse(input.view, limits, piece: { input.count }, into: whole, encoding: true) { return bad(problem) }
        // From single bytes to pieces as large as the input.
        let most = 1 + random.index(below: random.chance(1, in: 4) ? 1 : max(1, input.count))
        if let problem = parse(input.view, limits, piece: { 1 + random.index(below: most) }, into: cut, encoding: false) {
            return bad(problem)
        }
        if !whole.view.equals(cut.view) { return bad("a request's outcome depends on how it was cut") }
        again.removeAll()
        if let problem = parse(encoded.view, RequestLimits(), piece: { encoded.count }, into: again, encoding: false) {
            return bad(problem)
        }
        return .good
    }

    private func bad(_ problem: String) -> FuzzVerdict { .bad(problem, input: input.view.array) }

    /// Parses `bytes` in pieces and writes all outcomes down. With `encoding`, commands are also written as requests again, and
    /// each must give the same arguments.
    private func parse(
        _ bytes: ByteView, _ limits: RequestLimits, piece: () -> Int, into outcomes: ByteBuffer, encoding: Bool
    ) -> String? {
        var parser = RequestParser(limits: limits)
        feed.removeAll()
        var given = 0
        while given < bytes.count {
            let size = min(bytes.count - given, max(1, piece()))
            feed.append(bytes.slice(given, size))
            given += size
            reading: while true {
                switch parser.next(in: feed.view, arguments: arguments) {
                case .command(let consumed):
                    if consumed <= 0 || consumed > feed.count { return "consumed \(consumed) of \(feed.count) bytes" }
                    let start = outcomes.count
                    outcomes.append(byte: 1)
                    for index in 0..<arguments.count {
                        outcomes.append(integer: UInt32(arguments[index].count))
                        outcomes.append(arguments[index])
                    }
                    if encoding, let problem = encodeAgain(outcomes.view.dropFirst(start)) { return problem }
                    feed.consume(consumed)
                case .empty(let consumed):
                    if consumed <= 0 || consumed > feed.count { return "consumed \(consumed) of \(feed.count) bytes" }
                    outcomes.append(byte: 2)
                    feed.consume(consumed)
                case .incomplete(let need):
                    if need <= feed.count { return "asks for \(need) bytes and has \(feed.count)" }
                    break reading
                case .failure(let error):
                    outcomes.append(byte: 3)
                    outcomes.append(text: error.text)
                    return nil
                }
            }
        }
        return nil
    }

    private func encodeAgain(_ outcome: ByteView) -> String? {
        let start = encoded.count
        CommandWriter(encoded).command(arguments)
        var parser = RequestParser()
        let copy = Arguments()
        let written = encoded.view.dropFirst(start)
        guard parser.next(in: written, arguments: copy) == .command(consumed: written.count), copy.count == arguments.count else {
            return "a command does not parse when written again"
        }
        for index in 0..<copy.count where !copy[index].equals(arguments[index]) {
            return "argument \(index) changes when written and parsed again"
        }
        return nil
    }

    private func checkReplies(_ random: inout RandomGenerator) -> FuzzVerdict {
        var limits = ReplyLimits()
        if random.chance(1, in: 2) {
            limits.depthMax = 3
            limits.bulkBytesMax = 50
            limits.lineBytesMax = 30
            limits.elementsMax = 3
        }
        var (replies, error, ends) = read(limits, piece: { input.count })
        let most = 1 + random.index(below: random.chance(1, in: 4) ? 1 : max(1, input.count))
        let (cutReplies, cutError, cutEnds) = read(limits, piece: { 1 + random.index(below: most) })
        // NaN is not equal to itself; its text is.
        if "\(replies)" != "\(cutReplies)" || error != cutError || ends != cutEnds {
            return bad("a reply's outcome depends on how it was cut")
        }
        if error != nil { return .good }
        var scanner = ReplyScanner()
        var rest = input.view
        while case .reply(let consumed, let isError) = scanner.next(in: rest) {
            if replies.isEmpty { return bad("the scanner finds a reply where the parser finds none") }
            let reply = replies.removeFirst()
            if case .attributed = reply {
            } else if reply.isError != isError {
                return bad("the scanner takes an error for something else")
            }
            rest = rest.dropFirst(consumed)
            if input.count - rest.count != ends.removeFirst() { return bad("the scanner finds another end") }
        }
        return replies.isEmpty ? .good : bad("the scanner misses a reply")
    }

    /// Replies, the error that ended them, and the offsets behind each.
    private func read(_ limits: ReplyLimits, piece: () -> Int) -> ([Reply], ReplyError?, [Int]) {
        var parser = ReplyParser(limits: limits)
        var replies: [Reply] = []
        var ends: [Int] = []
        feed.removeAll()
        var given = 0
        while given < input.count {
            let size = min(input.count - given, max(1, piece()))
            feed.append(input.view.slice(given, size))
            given += size
            reading: while true {
                switch parser.next(in: feed.view) {
                case .reply(let reply, let consumed):
                    feed.consume(consumed)
                    replies.append(reply)
                    ends.append(given - feed.count)
                case .incomplete(let consumed, _):
                    feed.consume(consumed)
                    break reading
                case .failure(let error): return (replies, error, ends)
                }
            }
        }
        return (replies, nil, ends)
    }
}
