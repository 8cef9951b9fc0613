/// One word of a command: any bytes.
package typealias Word = [UInt8]

/// One command of a sequence.
package struct Step: Equatable, Sendable {
    /// The command's name and arguments.
    package var words: [Word]
    /// Whether deadlines a millisecond off must have passed before the next command.
    package var pauses = false

    package init(_ words: [Word], pauses: Bool = false) {
        self.words = words
        self.pauses = pauses
    }

    /// A command written as words between blanks.
    package init(_ text: String) { self.init(text.split(separator: " ").map { Word($0.utf8) }) }

    /// The command's name in lower case; empty when there are no words.
    package var name: String { (words.first ?? []).lowercasedText }

    /// The line that makes redis-cli send this command.
    package var line: String { words.map(Step.quoted).joined(separator: " ") + (pauses ? "   # then wait 5 ms" : "") }

    /// A word as redis-cli reads it: plain where that is unmistakable.
    private static func quoted(_ word: Word) -> String {
        let plain = word.allSatisfy { byte in
            byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "'") && byte != UInt8(ascii: "\\")
        }
        return plain && !word.isEmpty ? String(decoding: word, as: UTF8.self) : word.literal
    }
}

extension Array where Element == UInt8 {
    /// ASCII letters in lower case, as text for lookups and messages.
    package var lowercasedText: String {
        String(decoding: map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// A literal with escapes, as redis-cli reads and prints it.
    package var literal: String {
        var text = "\""
        for byte in self {
            switch byte {
            case 0x0D: text += "\\r"
            case 0x0A: text += "\\n"
            case 0x22, 0x5C: text += "\\" + String(UnicodeScalar(byte))
            case 0x20..<0x7F: text += String(UnicodeScalar(byte))
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return text + "\""
    }
}

extension String {
    /// The bytes of the text.
    var word: Word { Word(utf8) }
}
