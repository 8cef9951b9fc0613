import Base

extension ByteBuffer {
    /// Appends bytes between quotes, as MONITOR and redis-cli show them: line ends, quotes and what is not printable ASCII become
    /// escapes that an inline command understands.
    package func append(quoted bytes: ByteView) {
        append(byte: 0x22)
        for index in 0..<bytes.count {
            let byte = bytes[index]
            switch byte {
            case 0x22, 0x5C:
                append(byte: 0x5C)
                append(byte: byte)
            case 0x0A: append("\\n")
            case 0x0D: append("\\r")
            case 0x09: append("\\t")
            case 0x07: append("\\a")
            case 0x08: append("\\b")
            case 0x20..<0x7F: append(byte: byte)
            default:
                append("\\x")
                append(byte: ByteBuffer.hexadecimal(byte >> 4))
                append(byte: ByteBuffer.hexadecimal(byte & 15))
            }
        }
        append(byte: 0x22)
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 { digit < 10 ? 0x30 + digit : 0x61 + digit - 10 }
}
