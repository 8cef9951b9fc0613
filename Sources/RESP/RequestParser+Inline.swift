import Base

// Inline commands: what a person types into telnet. Words are separated by blanks; "…" resolves \n \r \t \b \a \xHH and
// takes any other escaped byte as it is; '…' resolves only \'. Quotes may start inside a word, as in a shell, but a
// closing quote must end its word.
extension RequestParser {
    /// Parses one line into words, whose bytes live in the scratch buffer of `arguments`.
    @inline(never)
    mutating func inline(_ input: ByteView, _ arguments: Arguments) -> ParseOutcome {
        let feed: Int
        switch findLineEnd(ASCII.lineFeed, in: input, line: 0) {
        case .at(let index): feed = index
        // A zero byte never belongs to an inline command: whoever sends it speaks another protocol and would wait for ever.
        case .missing: return hasZero(input) ? .failure(.zeroByteInline) : .incomplete(need: input.count + 1)
        case .tooFar: return hasZero(input) ? .failure(.zeroByteInline) : .failure(.inlineTooBig)
        }
        var line = input.slice(0, feed)
        if !line.isEmpty && line[feed - 1] == ASCII.carriageReturn { line = line.slice(0, feed - 1) }
        if hasZero(line) { return .failure(.zeroByteInline) }
        arguments.removeAll(over: .empty)
        arguments.scratch.removeAll()
        var position = 0
        while true {
            while position < line.count && ASCII.isSpace(line[position]) { position += 1 }
            if position == line.count { break }
            let start = arguments.scratch.count
            guard word(line, &position, arguments.scratch) else { return .failure(.unbalancedQuotes) }
            if arguments.count == limits.argumentsMax { return .failure(.invalidMultibulkLength) }
            arguments.append(offset: start, count: arguments.scratch.count - start)
        }
        arguments.rebase(arguments.scratch.view)
        return arguments.isEmpty ? .empty(consumed: feed + 1) : .command(consumed: feed + 1)
    }

    private func hasZero(_ line: ByteView) -> Bool {
        // Within the limit only, so that the outcome does not depend on what follows.
        line.slice(0, min(line.count, limits.inlineBytesMax + 1)).firstIndex(of: ASCII.null) != nil
    }

    /// Appends one word to `output`; false when its quotes are not balanced.
    private func word(_ line: ByteView, _ position: inout Int, _ output: ByteBuffer) -> Bool {
        while position < line.count {
            let byte = line[position]
            switch byte {
            case ASCII.space, ASCII.lineFeed, ASCII.carriageReturn, ASCII.tab:
                return true
            case ASCII.doubleQuote, ASCII.singleQuote:
                position += 1
                guard quoted(line, &position, output, quote: byte) else { return false }
                return position == line.count || ASCII.isSpace(line[position])
            default:
                output.append(byte: byte)
                position += 1
            }
        }
        return true
    }

    /// Appends what stands between quotes and moves behind the closing one; false when there is none.
    private func quoted(_ line: ByteView, _ position: inout Int, _ output: ByteBuffer, quote: UInt8) -> Bool {
        while position < line.count {
            let byte = line[position]
            if byte == quote {
                position += 1
                return true
            }
            let following = position + 1 < line.count ? line[position + 1] : nil
            if byte == ASCII.backslash, let following {
                if quote == ASCII.singleQuote {
                    if following == ASCII.singleQuote { position += 1 }
                    output.append(byte: following == ASCII.singleQuote ? following : byte)
                } else if following == UInt8(ascii: "x"), position + 3 < line.count,
                    let high = ASCII.hexValue(line[position + 2]), let low = ASCII.hexValue(line[position + 3])
                {
                    output.append(byte: high << 4 | low)
                    position += 3
                } else {
                    output.append(byte: unescaped(following))
                    position += 1
                }
            } else {
                output.append(byte: byte)
            }
            position += 1
        }
        return false
    }

    private func unescaped(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "n"): ASCII.lineFeed
        case UInt8(ascii: "r"): ASCII.carriageReturn
        case UInt8(ascii: "t"): ASCII.tab
        case UInt8(ascii: "b"): ASCII.backspace
        case UInt8(ascii: "a"): ASCII.bell
        default: byte
        }
    }
}
