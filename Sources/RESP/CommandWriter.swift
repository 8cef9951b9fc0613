import Base

/// Writes requests as arrays of bulk strings: what a client sends.
package struct CommandWriter {
    /// Where requests go.
    package let buffer: ByteBuffer

    /// A writer at the end of `buffer`.
    package init(_ buffer: ByteBuffer) { self.buffer = buffer }

    /// Begins a command of `count` arguments, its name included; as many calls of `argument` must follow.
    package func begin(_ count: Int) {
        check(count > 0, "a command has a name")
        let room = buffer.reserve(24)
        buffer.commit(header(room, 0, UInt8(ascii: "*"), UInt64(count)))
    }

    /// The next argument. Its bytes must not lie in the output buffer.
    package func argument(_ bytes: ByteView) {
        let room = buffer.reserve(bytes.count + 26)
        let start = header(room, 0, UInt8(ascii: "$"), UInt64(bytes.count))
        copy(bytes, to: room, at: start)
        room.storeBytes(of: lineEnd.littleEndian, toByteOffset: start + bytes.count, as: UInt16.self)
        buffer.commit(start + bytes.count + 2)
    }

    /// The next argument from a literal.
    package func argument(_ text: StaticString) { argument(ByteView(text)) }

    /// The next argument from a text.
    package func argument(text: String) {
        var copy = text
        copy.withUTF8 { argument(ByteView(UnsafeRawBufferPointer($0))) }
    }

    /// A whole command.
    package func command(_ words: [String]) {
        begin(words.count)
        for word in words { argument(text: word) }
    }

    /// A whole command of any bytes.
    package func command(_ words: [[UInt8]]) {
        begin(words.count)
        for word in words { word.withView { argument($0) } }
    }

    /// A command that was parsed.
    package func command(_ arguments: Arguments) {
        begin(arguments.count)
        for index in 0..<arguments.count { argument(arguments[index]) }
    }
}
