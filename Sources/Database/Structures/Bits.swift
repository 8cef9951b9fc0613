import Base

/// Bits of byte strings, counted from the highest bit of the first byte, as the bitmap commands count them.
enum Bits {
    /// Number of bits that are set.
    static func count(_ view: ByteView) -> Int {
        var index = 0
        // Several sums, so that additions do not wait for one another.
        var (a, b, c, d) = (0, 0, 0, 0)
        while index <= view.count - 32 {
            let start = view.start + index
            a &+= start.loadUnaligned(as: UInt64.self).nonzeroBitCount
            b &+= start.loadUnaligned(fromByteOffset: 8, as: UInt64.self).nonzeroBitCount
            c &+= start.loadUnaligned(fromByteOffset: 16, as: UInt64.self).nonzeroBitCount
            d &+= start.loadUnaligned(fromByteOffset: 24, as: UInt64.self).nonzeroBitCount
            index += 32
        }
        while index < view.count {
            a &+= view[index].nonzeroBitCount
            index += 1
        }
        return a + b + c + d
    }

    /// Number of bits in `range` that are set.
    static func count(_ view: ByteView, in range: ClosedRange<Int>) -> Int {
        let first = range.lowerBound >> 3
        let last = range.upperBound >> 3
        check(first >= 0 && last < view.count, "a range of bits lies inside its string")
        let before = UInt8(truncatingIfNeeded: 0xFF00 >> (range.lowerBound & 7))
        let after = UInt8(truncatingIfNeeded: 0x7F >> (range.upperBound & 7))
        let outside = (view[first] & before).nonzeroBitCount + (view[last] & after).nonzeroBitCount
        return count(view.slice(first, last - first + 1)) - outside
    }

    /// Number of the first bit in `range` that is `bit`; nil when all are the other one.
    static func first(_ bit: Bool, in view: ByteView, _ range: ClosedRange<Int>) -> Int? {
        let end = range.upperBound >> 3
        check(range.lowerBound >= 0 && end < view.count, "a range of bits lies inside its string")
        // A byte or word without what is looked for.
        let flip: UInt64 = bit ? 0 : .max
        var index = range.lowerBound >> 3
        var found = (view[index] ^ UInt8(truncatingIfNeeded: flip)) & UInt8(0xFF >> (range.lowerBound & 7))
        if found == 0 {
            index += 1
            while index <= end - 8, view.start.loadUnaligned(fromByteOffset: index, as: UInt64.self) == flip { index += 8 }
            while index <= end, view[index] == UInt8(truncatingIfNeeded: flip) { index += 1 }
            if index > end { return nil }
            found = view[index] ^ UInt8(truncatingIfNeeded: flip)
        }
        let place = index * 8 + found.leadingZeroBitCount
        return place <= range.upperBound ? place : nil
    }

    /// The unsigned number of `bits` bits (64 at most) from bit `offset` on; what lies behind the end is zero.
    static func field(_ view: ByteView, offset: Int, bits: Int) -> UInt64 {
        check(offset >= 0 && bits >= 1 && bits <= 64, "a field has 1 to 64 bits")
        let first = offset >> 3
        var window: UInt128 = 0
        for index in first..<(first + 9) { window = window << 8 | UInt128(index < view.count ? view[index] : 0) }
        return UInt64(truncatingIfNeeded: window >> UInt128(72 - (offset & 7) - bits)) & mask(bits)
    }

    /// Writes the lower `bits` bits of `value` from bit `offset` on.
    static func setField(_ bytes: UnsafeMutableRawBufferPointer, offset: Int, bits: Int, to value: UInt64) {
        check(offset >= 0 && bits >= 1 && bits <= 64, "a field has 1 to 64 bits")
        let first = offset >> 3
        let last = (offset + bits - 1) >> 3
        check(last < bytes.count, "a field that is written lies inside its string")
        let below = UInt128(7 - (offset + bits - 1) & 7)
        let place = UInt128(mask(bits)) << below
        let content = UInt128(value & mask(bits)) << below
        for index in first...last {
            let shift = UInt128(8 * (last - index))
            let old = bytes.load(fromByteOffset: index, as: UInt8.self)
            let new = old & ~UInt8(truncatingIfNeeded: place >> shift) | UInt8(truncatingIfNeeded: content >> shift)
            bytes.storeBytes(of: new, toByteOffset: index, as: UInt8.self)
        }
    }

    private static func mask(_ bits: Int) -> UInt64 { bits == 64 ? .max : (1 << UInt64(bits)) - 1 }

    /// What BITOP does.
    enum Operation { case and, or, xor, not }

    /// Writes the combination of `sources` to `target`, which is as long as the longest; the others count as filled up with zeros.
    static func combine(_ operation: Operation, _ sources: [ByteView], into target: UnsafeMutableRawBufferPointer) {
        guard let first = sources.first, let start = target.baseAddress else { return }
        check(first.count <= target.count, "a result is as long as the longest source")
        if operation == .not { return complement(first, into: target) }
        start.copyMemory(from: first.start, byteCount: first.count)
        (start + first.count).initializeMemory(as: UInt8.self, repeating: 0, count: target.count - first.count)
        // In pieces that stay in the cache while all sources pass over them.
        let piece = 1 << 14
        for begin in stride(from: 0, to: target.count, by: piece) {
            let size = min(piece, target.count - begin)
            for source in sources.dropFirst() {
                let shared = max(0, min(size, source.count - begin))
                if shared > 0 { combine(operation, source.slice(begin, shared), start + begin) }
                if operation == .and, shared < size {
                    (start + begin + shared).initializeMemory(as: UInt8.self, repeating: 0, count: size - shared)
                }
            }
        }
    }

    private static func complement(_ source: ByteView, into target: UnsafeMutableRawBufferPointer) {
        guard let start = target.baseAddress, source.count == target.count else {
            check(false, "a complement is as long as its source")
            return
        }
        var index = 0
        while index <= source.count - 8 {
            let word = source.start.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            start.storeBytes(of: ~word, toByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < source.count {
            target[index] = ~source[index]
            index += 1
        }
    }

    private static func combine(_ operation: Operation, _ source: ByteView, _ target: UnsafeMutableRawPointer) {
        switch operation {
        case .and: combine(source, target) { $0 & $1 }
        case .or: combine(source, target) { $0 | $1 }
        default: combine(source, target) { $0 ^ $1 }
        }
    }

    @inline(__always)
    private static func combine(
        _ source: ByteView, _ target: UnsafeMutableRawPointer, _ body: (UInt64, UInt64) -> UInt64
    ) {
        var index = 0
        while index <= source.count - 8 {
            let theirs = source.start.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let word = body(target.loadUnaligned(fromByteOffset: index, as: UInt64.self), theirs)
            target.storeBytes(of: word, toByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < source.count {
            let byte = body(UInt64(target.load(fromByteOffset: index, as: UInt8.self)), UInt64(source[index]))
            target.storeBytes(of: UInt8(truncatingIfNeeded: byte), toByteOffset: index, as: UInt8.self)
            index += 1
        }
    }
}
