import Base

/// What `RequestParser.next` found at the front of the input.
package enum ParseOutcome: Equatable, Sendable {
    /// A whole command; its arguments are in `arguments`. The caller drops `consumed` bytes when it is done with them.
    case command(consumed: Int)
    /// The command goes on behind the input. It is not worth asking again before the input holds `need` bytes.
    case incomplete(need: Int)
    /// Nothing to do (an empty line, `*0`): the caller drops `consumed` bytes.
    case empty(consumed: Int)
    /// Not a request. The connection is to be closed after the answer.
    case failure(ProtocolError)
}

/// Finds commands in what a client sends: arrays of bulk strings, and inline commands.
///
/// Works in place: the input is the connection's unconsumed bytes, contiguous and starting where the last command ended.
/// When a command is cut, the caller keeps the bytes, adds what arrives, and asks again. To be cheap then the
/// parser keeps what it knows of long commands; so that idle connections cost nothing, it starts short ones again.
///
/// The outcome does not depend on how the bytes were cut into pieces. One parser for one connection: copies would share
/// the kept part.
package struct RequestParser {
    /// Commands with fewer parsed arguments than this are parsed again from their start (a few nanoseconds for each
    /// argument, whatever its size).
    static let argumentsKeptMin = 32

    /// What is accepted. May change between two calls.
    package var limits: RequestLimits
    /// False while the client must still authenticate: the limits are tighter then.
    package var isAuthenticated = true

    /// Arguments parsed so far of a command with many of them.
    private var kept: Arguments?
    /// Arguments that the kept command has altogether; 0 when none is kept.
    private var keptExpected = 0
    /// Bytes parsed of the kept command.
    private var keptPosition = 0
    /// No outcome changes before the input has this many bytes.
    private var need = 1
    /// The line that starts at `searchedLine` holds no line end before `searched`.
    private var searchedLine = -1
    private var searched = 0
    private var failure: ProtocolError?

    /// A parser at the start of a connection.
    package init(limits: RequestLimits = RequestLimits()) { self.limits = limits }

    /// Looks for a command at the front of `input`.
    ///
    /// - Parameters:
    ///   - input: all bytes from the start of the current command on.
    ///   - arguments: receives the command's arguments, as views of `input`; meaningless unless the outcome is a command.
    /// - Returns: what was found. After a failure every further call fails alike.
    package mutating func next(in input: ByteView, arguments: Arguments) -> ParseOutcome {
        if let failure { return .failure(failure) }
        if input.count < need { return .incomplete(need: need) }
        let outcome: ParseOutcome
        if keptExpected > 0 || input[0] == UInt8(ascii: "*") {
            outcome = multibulk(input, arguments)
        } else {
            outcome = inline(input, arguments)
        }
        switch outcome {
        case .command(let consumed), .empty(let consumed):
            check(consumed > 0 && consumed <= input.count, "a parser consumes some of what is there")
            need = 1
            searchedLine = -1
        case .incomplete(let least):
            check(least > input.count, "a parser that wants more says how much")
            need = least
        case .failure(let error):
            failure = error
            kept = nil
        }
        return outcome
    }

    // MARK: arrays of bulk strings

    private mutating func multibulk(_ input: ByteView, _ arguments: Arguments) -> ParseOutcome {
        var position = 0
        var expected = 0
        arguments.removeAll(over: input)
        if keptExpected > 0, let kept {
            position = keptPosition
            expected = keptExpected
            arguments.exchangeSlots(with: kept)
            keptExpected = 0
        } else {
            var length = plainLength(input, &position)
            if length < 0 {
                switch length64(input, &position, tooLong: .multibulkCountTooBig) {
                case .incomplete(let need): return .incomplete(need: need)
                case .failure(let error): return .failure(error)
                case .none: return .failure(.invalidMultibulkLength)
                case .value(let value):
                    if value <= 0 { return .empty(consumed: position) }
                    length = Int(value)
                }
            }
            if length > limits.argumentsMax { return .failure(.invalidMultibulkLength) }
            if length > limits.unauthenticatedArgumentsMax && !isAuthenticated {
                return .failure(.unauthenticatedMultibulkLength)
            }
            if length == 0 { return .empty(consumed: position) }
            expected = length
        }
        while arguments.count < expected {
            let header = position
            switch bulk(input, &position, arguments) {
            case .next: continue
            case .incomplete(let need):
                keep(arguments, expected: expected, position: header)
                return .incomplete(need: need)
            case .failure(let error): return .failure(error)
            }
        }
        return .command(consumed: position)
    }

    private enum BulkOutcome {
        case next
        case incomplete(need: Int)
        case failure(ProtocolError)
    }

    /// One bulk string: length, line end, bytes, line end. The closing line end is skipped unseen, as Redis does.
    @inline(__always)
    private mutating func bulk(_ input: ByteView, _ position: inout Int, _ arguments: Arguments) -> BulkOutcome {
        if position == input.count { return .incomplete(need: position + 1) }
        let marker = input[position]
        var length = marker == UInt8(ascii: "$") ? plainLength(input, &position) : -1
        if length < 0 {
            switch length64(input, &position, tooLong: .bulkCountTooBig) {
            case .incomplete(let need): return .incomplete(need: need)
            case .failure(let error): return .failure(error)
            case .none:
                return .failure(marker == UInt8(ascii: "$") ? .invalidBulkLength : .expectedBulk(got: marker))
            case .value(let value):
                if marker != UInt8(ascii: "$") { return .failure(.expectedBulk(got: marker)) }
                if value < 0 { return .failure(.invalidBulkLength) }
                length = Int(value)
            }
        }
        if length > limits.bulkBytesMax { return .failure(.invalidBulkLength) }
        if length > limits.unauthenticatedBulkBytesMax && !isAuthenticated { return .failure(.unauthenticatedBulkLength) }
        if position > limits.queryBufferMax - 2 - length { return .failure(.queryTooBig(bytesMax: limits.queryBufferMax)) }
        let end = position + length + 2
        if end > input.count { return .incomplete(need: end) }
        arguments.append(offset: position, count: length)
        position = end
        return .next
    }

    /// Keeps what is parsed of a command that would be long to parse again.
    private mutating func keep(_ arguments: Arguments, expected: Int, position: Int) {
        if arguments.count < RequestParser.argumentsKeptMin { return }
        let store = kept ?? Arguments()
        kept = store
        store.removeAll(over: .empty)
        arguments.exchangeSlots(with: store)
        keptExpected = expected
        keptPosition = position
    }

    /// The usual header: a marker, one to nine digits without a leading zero, the line end. -1 for anything else, which
    /// the careful way then judges.
    @inline(__always)
    private func plainLength(_ input: ByteView, _ position: inout Int) -> Int {
        var cursor = position + 1
        if input.count - cursor < 3 { return -1 }
        let first = Int(input[cursor]) - 0x30
        if first < 0 || first > 9 { return -1 }
        cursor += 1
        var value = first
        let end = min(input.count - 2, position + 10)
        while cursor <= end {
            let byte = input[cursor]
            if byte == ASCII.carriageReturn {
                if first == 0 && cursor > position + 2 { return -1 }
                position = cursor + 2
                return value
            }
            let digit = Int(byte) - 0x30
            if digit < 0 || digit > 9 { return -1 }
            value = value * 10 + digit
            cursor += 1
        }
        return -1
    }

    private enum LengthOutcome {
        case value(Int64)
        /// The line is there but does not hold a number.
        case none
        case incomplete(need: Int)
        case failure(ProtocolError)
    }

    /// Any header: a marker at `position`, an integer, the line end; moves `position` behind it.
    @inline(never)
    private mutating func length64(
        _ input: ByteView, _ position: inout Int, tooLong: ProtocolError
    ) -> LengthOutcome {
        switch findLineEnd(ASCII.carriageReturn, in: input, line: position) {
        case .missing: return .incomplete(need: input.count + 1)
        case .tooFar: return .failure(tooLong)
        case .at(let end):
            // The line feed must be there too; which byte it is, Redis does not look at.
            if end + 2 > input.count { return .incomplete(need: end + 2) }
            // The marker itself may be the line end: then there are no digits, and the caller refuses the marker.
            let digits = end == position ? ByteView.empty : input.slice(position + 1, end - position - 1)
            position = end + 2
            guard let value = parseInteger(digits) else { return .none }
            return .value(value)
        }
    }

    enum LineEndOutcome {
        case at(Int)
        case missing
        case tooFar
    }

    /// Looks for `byte` in the line that starts at `line`, within `inlineBytesMax` bytes, going on where the last search of the
    /// same line stopped.
    mutating func findLineEnd(_ byte: UInt8, in input: ByteView, line: Int) -> LineEndOutcome {
        let from = searchedLine == line ? max(searched, line) : line
        let limit = min(input.count, line + limits.inlineBytesMax + 1)
        if from < limit, let found = input.slice(0, limit).firstIndex(of: byte, from: from) { return .at(found) }
        if input.count - line > limits.inlineBytesMax { return .tooFar }
        searchedLine = line
        searched = input.count
        return .missing
    }
}
