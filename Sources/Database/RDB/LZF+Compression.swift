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
        // Bytes as they are take a byte more for every 32; a reference takes no more than what it stands for.
        let room = output.reserve(count + count / literalMax + 16)
        guard let start = room.baseAddress else { return false }
        let bytes = input.start
        var target = start
        var position = 0
        var literals = 0
        while position + 2 < count {
            let slot = Int((three(bytes + position, isLast: position + 3 == count) &* 0x9E37_79B1) >> shift)
            // Places are kept plus one: 0 is nowhere.
            let before = Int(table[slot]) - 1
            table[slot] = UInt32(position + 1)
            let distance = position - before - 1
            if before < 0 || distance >= distanceMax {
                position += 1
                continue
            }
            let length = matching(bytes + before, bytes + position, most: min(matchMax, count - position))
            if length < 3 {
                position += 1
                continue
            }
            appendLiterals(bytes + literals, position - literals, readable: count - literals, to: &target)
            appendReference(distance: distance, length: length, to: &target)
            if target - start > limit { break }
            position += length
            literals = position
        }
        if target - start <= limit { appendLiterals(bytes + literals, count - literals, readable: count - literals, to: &target) }
        let written = target - start
        check(written <= room.count, "what is written has room")
        if written > limit { return false }
        output.commit(written)
        return true
    }

    /// The next three bytes as a number.
    @inline(__always)
    private static func three(_ bytes: UnsafeRawPointer, isLast: Bool) -> UInt32 {
        if !isLast { return UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)) & 0xFF_FFFF }
        return UInt32(UInt16(littleEndian: bytes.loadUnaligned(as: UInt16.self)))
            | UInt32(bytes.load(fromByteOffset: 2, as: UInt8.self)) << 16
    }

    /// Bytes that are compared one by one.
    private static let shortMatch = 16

    /// How many bytes are the same, up to `most`; there are so many at both.
    @inline(__always)
    private static func matching(_ first: UnsafeRawPointer, _ second: UnsafeRawPointer, most: Int) -> Int {
        var length = 0
        // A short one byte by byte: the next search then begins before its length is known, where the processor foresees it.
        while length < min(most, shortMatch) {
            if first.load(fromByteOffset: length, as: UInt8.self) != second.load(fromByteOffset: length, as: UInt8.self) {
                return length
            }
            length += 1
        }
        while length + 8 <= most {
            let difference =
                first.loadUnaligned(fromByteOffset: length, as: UInt64.self)
                ^ second.loadUnaligned(fromByteOffset: length, as: UInt64.self)
            if difference != 0 { return length + difference.littleEndian.trailingZeroBitCount / 8 }
            length += 8
        }
        while length < most,
            first.load(fromByteOffset: length, as: UInt8.self) == second.load(fromByteOffset: length, as: UInt8.self)
        {
            length += 1
        }
        return length
    }

    /// Appends bytes as they are. What is written behind them, up to eight bytes, is written over later.
    @inline(__always)
    private static func appendLiterals(
        _ bytes: UnsafeRawPointer, _ count: Int, readable: Int, to target: inout UnsafeMutableRawPointer
    ) {
        if count == 0 { return }
        if count <= 8 && readable >= 8 {
            // The usual case: few bytes between two references.
            target.storeBytes(of: UInt8(count - 1), as: UInt8.self)
            target.storeBytes(of: bytes.loadUnaligned(as: UInt64.self), toByteOffset: 1, as: UInt64.self)
            target += count + 1
            return
        }
        var offset = 0
        while offset < count {
            let here = min(literalMax, count - offset)
            target.storeBytes(of: UInt8(here - 1), as: UInt8.self)
            (target + 1).copyMemory(from: bytes + offset, byteCount: here)
            target += here + 1
            offset += here
        }
    }

    @inline(__always)
    private static func appendReference(distance: Int, length: Int, to target: inout UnsafeMutableRawPointer) {
        check(length >= 3 && length <= matchMax && distance >= 0 && distance < distanceMax, "a reference fits its fields")
        let rest = length - 2
        target.storeBytes(of: UInt8(min(rest, 7) << 5 | distance >> 8), as: UInt8.self)
        target += 1
        if rest >= 7 {
            target.storeBytes(of: UInt8(rest - 7), as: UInt8.self)
            target += 1
        }
        target.storeBytes(of: UInt8(distance & 0xFF), as: UInt8.self)
        target += 1
    }
}
