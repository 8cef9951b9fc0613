import Base

extension LZF {
    /// Farthest that a reference reaches back, in bytes.
    private static let distanceMax = 1 << 13
    /// Most bytes that one reference stands for.
    private static let matchMax = 264
    /// Most bytes that stand as they are behind one control byte.
    private static let literalMax = 32

    /// Appends `input` in compressed form where that is at least four bytes shorter; appends nothing and returns false where it is not.
    /// Three bytes that came before are found through a small table of where each hash was seen last: greedy, and the same bytes
    /// everywhere.
    static func compress(_ input: ByteView, to output: ByteBuffer) -> Bool {
        check(output.isEmpty, "a string is compressed into an empty buffer")
        let count = input.count
        if count <= 4 || count > Int(UInt32.max) { return false }
        // A table in proportion, so that short strings are not dominated by clearing it.
        let bits = UInt32(min(14, max(6, Int.bitWidth - count.leadingZeroBitCount - 1)))
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 1 << Int(bits)) { table in
            table.initialize(repeating: 0)
            return compress(input, to: output, table, shift: 32 - bits)
        }
    }

    private static func compress(
        _ input: ByteView, to output: ByteBuffer, _ table: UnsafeMutableBufferPointer<UInt32>, shift: UInt32
    ) -> Bool {
        let count = input.count
        let limit = count - 4
        let bytes = input.start
        var position = 0
        var literals = 0
        while position + 2 < count {
            let word =
                UInt32(bytes.load(fromByteOffset: position, as: UInt8.self))
                | UInt32(bytes.load(fromByteOffset: position + 1, as: UInt8.self)) << 8
                | UInt32(bytes.load(fromByteOffset: position + 2, as: UInt8.self)) << 16
            let slot = Int((word &* 0x9E37_79B1) >> shift)
            // Places are kept plus one: 0 is nowhere.
            let before = Int(table[slot]) - 1
            table[slot] = UInt32(position + 1)
            let distance = position - before - 1
            if before < 0 || distance >= distanceMax || !isSame(bytes, before, position, 3) {
                position += 1
                continue
            }
            var length = 3
            let longest = min(matchMax, count - position)
            while length < longest && isSame(bytes, before + length, position + length, 1) { length += 1 }
            appendLiterals(input.slice(literals, position - literals), to: output)
            appendReference(distance: distance, length: length, to: output)
            if output.count > limit { break }
            position += length
            literals = position
        }
        appendLiterals(input.slice(literals, count - literals), to: output)
        if output.count <= limit { return true }
        output.removeAll()
        return false
    }

    @inline(__always)
    private static func isSame(_ bytes: UnsafeRawPointer, _ first: Int, _ second: Int, _ count: Int) -> Bool {
        for index in 0..<count
        where bytes.load(fromByteOffset: first + index, as: UInt8.self)
            != bytes.load(fromByteOffset: second + index, as: UInt8.self)
        {
            return false
        }
        return true
    }

    private static func appendLiterals(_ bytes: ByteView, to output: ByteBuffer) {
        var offset = 0
        while offset < bytes.count {
            let count = min(literalMax, bytes.count - offset)
            output.append(byte: UInt8(count - 1))
            output.append(bytes.slice(offset, count))
            offset += count
        }
    }

    private static func appendReference(distance: Int, length: Int, to output: ByteBuffer) {
        check(length >= 3 && length <= matchMax && distance >= 0 && distance < distanceMax, "a reference fits its fields")
        let rest = length - 2
        if rest < 7 {
            output.append(byte: UInt8(rest << 5 | distance >> 8))
        } else {
            output.append(byte: UInt8(7 << 5 | distance >> 8))
            output.append(byte: UInt8(rest - 7))
        }
        output.append(byte: UInt8(distance & 0xFF))
    }
}
