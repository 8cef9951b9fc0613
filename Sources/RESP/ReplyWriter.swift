import Base

/// Writes replies into a connection's output, in the protocol version of the connection.
///
/// What RESP2 lacks is written as Redis writes it there: maps and sets and push messages as arrays, doubles and big
/// numbers as bulk strings, booleans as 0 and 1, nulls as a null bulk string.
///
/// A small value type: pass it along by value. The bytes of views must not lie in the output buffer itself. It does not keep the buffer
/// alive: who has the buffer uses the writer.
package struct ReplyWriter {
    /// Where replies go. Of a writer that discards: a buffer of nobody's, which stays empty.
    let buffer: ByteBuffer.End
    /// How they are written.
    package let version: RESPVersion
    /// Whether everything is dropped instead (`CLIENT REPLY OFF` and `SKIP`).
    package var discards: Bool {
        didSet { check(discards || !oldValue, "a writer that discards has nowhere to write to") }
    }

    /// Nothing is ever written to it, so all threads have the same one.
    nonisolated(unsafe) private static let nowhere = ByteBuffer(capacity: 16)

    /// A writer at the end of `buffer`.
    package init(_ buffer: ByteBuffer, version: RESPVersion = .two, discards: Bool = false) {
        self.buffer = discards ? ReplyWriter.nowhere.end : buffer.end
        self.version = version
        self.discards = discards
    }

    // MARK: strings and errors

    /// `+OK`.
    package func ok() { preformatted("+OK\r\n") }

    /// A simple string (status) whose text is known to hold no line end.
    package func simple(_ text: StaticString) { line(UInt8(ascii: "+"), ByteView(text)) }

    /// A simple string (status). Line ends become blanks.
    package func simple(_ text: ByteView) { line(UInt8(ascii: "+"), text) }

    /// An error: its code in capitals, a blank, its text ("ERR syntax error").
    package func error(_ text: StaticString) { line(UInt8(ascii: "-"), ByteView(text)) }

    /// An error from bytes. As Redis writes them: line ends at its end are left out, others become blanks.
    package func error(_ text: ByteView) {
        var count = text.count
        while count > 0, text[count - 1] == ASCII.carriageReturn || text[count - 1] == ASCII.lineFeed { count -= 1 }
        line(UInt8(ascii: "-"), text.slice(0, count))
    }

    /// An error from a composed text; see `error(_:)`.
    package func error(text: String) {
        var copy = text
        copy.withUTF8 { error(ByteView(UnsafeRawBufferPointer($0))) }
    }

    /// A bulk string: any bytes.
    package func bulk(_ bytes: ByteView) {
        if discards { return }
        let room = buffer.reserve(bytes.count + 26)
        let start = header(room, 0, UInt8(ascii: "$"), UInt64(bytes.count))
        copy(bytes, to: room, at: start)
        room.storeBytes(of: lineEnd.littleEndian, toByteOffset: start + bytes.count, as: UInt16.self)
        buffer.commit(start + bytes.count + 2)
    }

    /// A bulk string from a literal.
    package func bulk(_ text: StaticString) { bulk(ByteView(text)) }

    /// A bulk string from a composed text. Not for hot paths.
    package func bulk(text: String) {
        var copy = text
        copy.withUTF8 { bulk(ByteView(UnsafeRawBufferPointer($0))) }
    }

    /// A bulk string that holds the decimal digits of `value`.
    package func bulk(decimal value: Int64) {
        if discards { return }
        let room = buffer.reserve(48)
        let digits = decimalDigitCount(value.magnitude) + (value < 0 ? 1 : 0)
        let start = header(room, 0, UInt8(ascii: "$"), UInt64(digits))
        let end = decimal(room, start, value)
        room.storeBytes(of: lineEnd.littleEndian, toByteOffset: end, as: UInt16.self)
        buffer.commit(end + 2)
    }

    /// Text with its format, three letters such as "txt" or "mkd". A bulk string without the format in RESP2.
    package func verbatim(_ text: ByteView, format: StaticString = "txt") {
        if version == .two { return bulk(text) }
        check(format.utf8CodeUnitCount == 3, "a verbatim string's format has three letters")
        if discards { return }
        let room = buffer.reserve(text.count + 32)
        let start = header(room, 0, UInt8(ascii: "="), UInt64(text.count + 4))
        copy(ByteView(format), to: room, at: start)
        room.storeBytes(of: UInt8(ascii: ":"), toByteOffset: start + 3, as: UInt8.self)
        copy(text, to: room, at: start + 4)
        let end = start + 4 + text.count
        room.storeBytes(of: lineEnd.littleEndian, toByteOffset: end, as: UInt16.self)
        buffer.commit(end + 2)
    }

    // MARK: numbers

    /// An integer.
    package func integer(_ value: Int64) {
        if value == 0 { return preformatted(":0\r\n") }
        if value == 1 { return preformatted(":1\r\n") }
        if discards { return }
        let room = buffer.reserve(24)
        room.storeBytes(of: UInt8(ascii: ":"), toByteOffset: 0, as: UInt8.self)
        let end = decimal(room, 1, value)
        room.storeBytes(of: lineEnd.littleEndian, toByteOffset: end, as: UInt16.self)
        buffer.commit(end + 2)
    }

    /// An integer from a count.
    package func integer(_ value: Int) { integer(Int64(value)) }

    /// A floating-point number in Redis's text; a bulk string in RESP2.
    package func double(_ value: Double) {
        if discards { return }
        var text = formatDouble(value)
        text.withUTF8 { digits in
            let view = ByteView(UnsafeRawBufferPointer(digits))
            if version == .two { bulk(view) } else { line(UInt8(ascii: ","), view) }
        }
    }

    /// True or false; 1 or 0 in RESP2.
    package func boolean(_ value: Bool) {
        if version == .two { return preformatted(value ? ":1\r\n" : ":0\r\n") }
        preformatted(value ? "#t\r\n" : "#f\r\n")
    }

    /// An integer of any size, from its decimal digits; a bulk string in RESP2.
    package func bigNumber(_ digits: ByteView) {
        if version == .two { bulk(digits) } else { line(UInt8(ascii: "("), digits) }
    }

    // MARK: nothing

    /// "There is no such value": a null bulk string in RESP2.
    package func null() { if version == .two { preformatted("$-1\r\n") } else { preformatted("_\r\n") } }

    /// "There is no such list" (a blocking command's timeout, an aborted EXEC): a null array in RESP2.
    package func nullArray() { if version == .two { preformatted("*-1\r\n") } else { preformatted("_\r\n") } }

    // MARK: aggregates: the header; the elements are written next

    /// The header of an array of `count` elements.
    package func array(_ count: Int) { aggregate(UInt8(ascii: "*"), count) }

    /// The header of a map of `pairs` pairs; an array of twice as many elements in RESP2.
    package func map(_ pairs: Int) {
        if version == .two { array(pairs * 2) } else { aggregate(UInt8(ascii: "%"), pairs) }
    }

    /// The header of a set; an array in RESP2.
    package func set(_ count: Int) { aggregate(UInt8(ascii: version == .two ? "*" : "~"), count) }

    /// The header of a push message; an array in RESP2.
    package func push(_ count: Int) { aggregate(UInt8(ascii: version == .two ? "*" : ">"), count) }

    /// Bytes that already are a whole reply in the connection's version.
    package func preformatted(_ reply: StaticString) {
        if discards { return }
        buffer.append(ByteView(reply))
    }

    /// Bytes that already are whole replies in the connection's version.
    package func preformatted(_ replies: ByteView) {
        if discards { return }
        buffer.append(replies)
    }

    // MARK: how

    private func aggregate(_ marker: UInt8, _ count: Int) {
        check(count >= 0, "an aggregate has no negative length")
        if discards { return }
        let room = buffer.reserve(24)
        buffer.commit(header(room, 0, marker, UInt64(count)))
    }

    /// A marker, a text with its line ends made blank, a line end.
    private func line(_ marker: UInt8, _ text: ByteView) {
        if discards { return }
        let room = buffer.reserve(text.count + 3)
        room.storeBytes(of: marker, toByteOffset: 0, as: UInt8.self)
        copy(text, to: room, at: 1)
        for index in 1..<text.count + 1 {
            let byte = room.load(fromByteOffset: index, as: UInt8.self)
            if byte == ASCII.carriageReturn || byte == ASCII.lineFeed {
                room.storeBytes(of: ASCII.space, toByteOffset: index, as: UInt8.self)
            }
        }
        room.storeBytes(of: lineEnd.littleEndian, toByteOffset: text.count + 1, as: UInt16.self)
        buffer.commit(text.count + 3)
    }
}

/// Writes a marker, a length and a line end at `offset` (at most 23 bytes); returns the offset behind them.
@inline(__always)
func header(_ room: UnsafeMutableRawBufferPointer, _ offset: Int, _ marker: UInt8, _ length: UInt64) -> Int {
    check(room.count - offset >= 23, "a header has room")
    if length < 10 {
        // Marker, digit, carriage return, line feed in one store.
        let word = UInt32(marker) | UInt32(0x30 + length) << 8 | UInt32(lineEnd) << 16
        room.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt32.self)
        return offset + 4
    }
    room.storeBytes(of: marker, toByteOffset: offset, as: UInt8.self)
    let end = decimal(room, offset + 1, magnitude: length)
    room.storeBytes(of: lineEnd.littleEndian, toByteOffset: end, as: UInt16.self)
    return end + 2
}

/// Writes decimal digits at `offset` (at most 20 bytes); returns the offset behind them.
@inline(__always)
func decimal(_ room: UnsafeMutableRawBufferPointer, _ offset: Int, _ value: Int64) -> Int {
    if value >= 0 { return decimal(room, offset, magnitude: UInt64(value)) }
    room.storeBytes(of: ASCII.minus, toByteOffset: offset, as: UInt8.self)
    return decimal(room, offset + 1, magnitude: value.magnitude)
}

/// Writes decimal digits at `offset` (at most 20 bytes); returns the offset behind them.
@inline(__always)
func decimal(_ room: UnsafeMutableRawBufferPointer, _ offset: Int, magnitude: UInt64) -> Int {
    let end = offset + decimalDigitCount(magnitude)
    check(end <= room.count, "digits have room")
    var rest = magnitude
    var position = end
    // Two digits at a time.
    while rest >= 10 {
        position -= 2
        let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
        let (tens, ones) = pair.quotientAndRemainder(dividingBy: 10)
        let digits = 0x3030 + UInt16(truncatingIfNeeded: tens) + UInt16(truncatingIfNeeded: ones) << 8
        room.storeBytes(of: digits.littleEndian, toByteOffset: position, as: UInt16.self)
        rest = quotient
    }
    // An odd number of digits, or zero.
    if position > offset {
        room.storeBytes(of: 0x30 + UInt8(truncatingIfNeeded: rest), toByteOffset: position - 1, as: UInt8.self)
    }
    return end
}

/// Copies a view to `offset`, where there must be room.
@inline(__always)
func copy(_ bytes: ByteView, to room: UnsafeMutableRawBufferPointer, at offset: Int) {
    check(offset >= 0 && offset <= room.count - bytes.count, "copied bytes have room")
    if bytes.isEmpty { return }
    UnsafeMutableRawBufferPointer(rebasing: room[offset..<(offset + bytes.count)]).copyMemory(from: bytes.rawBuffer)
}
