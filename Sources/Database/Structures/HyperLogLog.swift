import Base

/// The HyperLogLog values that PFADD and its like keep in strings, in Redis's own representation, so that a value moved between
/// the two counts the same.
///
///     header     "HYLL", UInt8 encoding (0 dense, 1 sparse), 3 bytes unused, UInt64 cached count (highest bit set: not valid)
///     dense      16384 registers of 6 bits, low bits first
///     sparse     opcodes that cover 16384 registers:
///                00xxxxxx            x + 1 registers that are 0
///                01xxxxxx yyyyyyyy   xy + 1 registers that are 0
///                1vvvvvxx            x + 1 registers that are v + 1
///
/// All of it is untrusted: SET can put any bytes there. Nothing here reads past the end, and what can't be is reported.
///
/// Sources: the format's description in Redis's hyperloglog.c; Flajolet et al., 2007; Heule et al., 2013; the estimator is from Ertl, "New
/// cardinality estimation algorithms for HyperLogLog sketches", 2017.
enum HyperLogLog {
    static let registers = 16384
    static let headerBytes = 16
    /// Bytes of the dense form.
    static let denseBytes = headerBytes + registers * 6 / 8
    /// Bits of the hash behind those that choose the register; the largest register is one more.
    static let hashBits = 50

    // MARK: the header

    /// Whether the bytes claim to be a HyperLogLog: the right beginning, and the right length where the form has one.
    static func isValid(_ bytes: ByteView) -> Bool {
        if bytes.count < headerBytes || bytes.integer(at: 0, as: UInt32.self) != 0x4C4C_5948 { return false }
        return bytes[4] == 0 ? bytes.count == denseBytes : bytes[4] == 1
    }

    /// Whether valid bytes have the dense form.
    static func isDense(_ bytes: ByteView) -> Bool { bytes[4] == 0 }

    /// The count that is noted in the header; nil where it is marked as not valid.
    static func cachedCount(_ bytes: ByteView) -> UInt64? {
        let word = bytes.integer(at: 8, as: UInt64.self)
        return word >> 63 == 0 ? word : nil
    }

    /// Marks the noted count as not valid.
    static func invalidateCount(_ bytes: UnsafeMutableRawBufferPointer) { bytes[15] |= 0x80 }

    /// An empty one, in sparse form.
    static func empty() -> [UInt8] {
        var bytes: [UInt8] = Array("HYLL".utf8) + [1]
        bytes += [UInt8](repeating: 0, count: headerBytes - bytes.count)
        return bytes + [0x7F, 0xFF]
    }

    // MARK: elements

    /// The register that an element belongs to, and the least that it makes of it: the place of the first 1 in its hash.
    static func place(of element: ByteView) -> (register: Int, value: UInt8) {
        let hash = murmur(element)
        let rest = hash >> 14 | 1 << UInt64(hashBits)
        return (Int(hash & 0x3FFF), UInt8(rest.trailingZeroBitCount + 1))
    }

    /// MurmurHash64A (Austin Appleby, public domain) with Redis's seed.
    private static func murmur(_ bytes: ByteView) -> UInt64 {
        let factor: UInt64 = 0xC6A4_A793_5BD1_E995
        var hash: UInt64 = 0xADC8_3B19 ^ (UInt64(bytes.count) &* factor)
        let whole = bytes.count & ~7
        for index in stride(from: 0, to: whole, by: 8) {
            var word = bytes.integer(at: index, as: UInt64.self) &* factor
            word ^= word >> 47
            hash = (hash ^ (word &* factor)) &* factor
        }
        if whole < bytes.count {
            var tail: UInt64 = 0
            for index in whole..<bytes.count { tail |= UInt64(bytes[index]) << UInt64(8 * (index - whole)) }
            hash = (hash ^ tail) &* factor
        }
        hash = (hash ^ hash >> 47) &* factor
        return hash ^ hash >> 47
    }

    // MARK: dense registers

    /// A register of the dense form.
    @inline(__always)
    static func denseValue(_ bytes: ByteView, _ register: Int) -> UInt8 {
        let bit = register * 6
        let place = headerBytes + bit >> 3
        let low = UInt16(bytes[place]) | (place + 1 < bytes.count ? UInt16(bytes[place + 1]) << 8 : 0)
        return UInt8(truncatingIfNeeded: low >> UInt16(bit & 7)) & 63
    }

    /// Sets a register of the dense form.
    static func setDenseValue(_ bytes: UnsafeMutableRawBufferPointer, _ register: Int, _ value: UInt8) {
        check(bytes.count == denseBytes && value < 64, "a register of the dense form has six bits")
        let bit = register * 6
        let place = headerBytes + bit >> 3
        let shift = UInt16(bit & 7)
        let mask = UInt16(63) << shift
        let content = UInt16(value) << shift
        bytes[place] = bytes[place] & ~UInt8(truncatingIfNeeded: mask) | UInt8(truncatingIfNeeded: content)
        if mask >> 8 != 0 {
            bytes[place + 1] = bytes[place + 1] & ~UInt8(mask >> 8) | UInt8(content >> 8)
        }
    }

    /// Calls `body` with every register of the dense form: four at a time, out of three bytes.
    @inline(__always)
    static func forEachDense(_ bytes: ByteView, _ body: (_ register: Int, _ value: UInt8) -> Void) {
        check(bytes.count == denseBytes, "the dense form has its length")
        var place = headerBytes
        for register in stride(from: 0, to: registers, by: 4) {
            let word = UInt32(bytes[place]) | UInt32(bytes[place + 1]) << 8 | UInt32(bytes[place + 2]) << 16
            body(register, UInt8(truncatingIfNeeded: word) & 63)
            body(register + 1, UInt8(truncatingIfNeeded: word >> 6) & 63)
            body(register + 2, UInt8(truncatingIfNeeded: word >> 12) & 63)
            body(register + 3, UInt8(truncatingIfNeeded: word >> 18))
            place += 3
        }
    }

    /// Calls `body` with each stretch of equal registers; false where the bytes don't cover the registers exactly.
    @inline(__always)
    static func forEachRun(_ bytes: ByteView, _ body: (_ value: UInt8, _ count: Int) -> Void) -> Bool {
        if isDense(bytes) {
            forEachDense(bytes) { body($1, 1) }
            return true
        }
        var covered = 0
        var place = headerBytes
        while place < bytes.count {
            guard let opcode = SparseOpcode(bytes, at: place), covered + opcode.count <= registers else { return false }
            body(opcode.value, opcode.count)
            covered += opcode.count
            place += opcode.bytes
        }
        return covered == registers
    }

    // MARK: counting

    /// The estimated number of elements; nil where the bytes are damaged.
    static func count(_ bytes: ByteView) -> UInt64? {
        var histogram = [Int](repeating: 0, count: 64)
        if !forEachRun(bytes, { histogram[Int($0)] += $1 }) { return nil }
        return estimate(histogram)
    }

    /// The estimated number of elements of registers one by one.
    static func count(registers: [UInt8]) -> UInt64 {
        var histogram = [Int](repeating: 0, count: 64)
        for register in registers { histogram[Int(register)] += 1 }
        return estimate(histogram)
    }

    /// Raises `target` to the registers of a value; false where it is damaged, and then `target` is worth nothing.
    static func merge(_ bytes: ByteView, into target: inout [UInt8]) -> Bool {
        check(target.count == registers, "all registers are merged")
        if isDense(bytes) {
            target.withUnsafeMutableBufferPointer { target in
                forEachDense(bytes) { register, value in if target[register] < value { target[register] = value } }
            }
            return true
        }
        var register = 0
        return forEachRun(bytes) { value, count in
            for place in register..<(register + count) where target[place] < value { target[place] = value }
            register += count
        }
    }

    /// Ertl's estimator of a histogram of register values. Sums, products and square roots alone, in a fixed order: the same bits
    /// everywhere, and the same as in Redis.
    private static func estimate(_ histogram: [Int]) -> UInt64 {
        let m = Double(registers)
        var z = m * tau((m - Double(histogram[hashBits + 1])) / m)
        for value in stride(from: hashBits, through: 1, by: -1) {
            z += Double(histogram[value])
            z *= 0.5
        }
        z += m * sigma(Double(histogram[0]) / m)
        let estimate = 0.721347520444481703680 * m * m / z
        // Registers that no hash can make give no number; Redis answers with what its processor makes of it.
        if !(estimate < 9_223_372_036_854_774_784) { return 1 << 63 }
        let whole = UInt64(estimate)
        return estimate - Double(whole) >= 0.5 ? whole + 1 : whole
    }

    private static func sigma(_ value: Double) -> Double {
        if value == 1 { return .infinity }
        var x = value
        var y = 1.0
        var z = x
        while true {
            x *= x
            let before = z
            z += x * y
            y += y
            if before == z { return z }
        }
    }

    private static func tau(_ value: Double) -> Double {
        if value == 0 || value == 1 { return 0 }
        var x = value
        var y = 1.0
        var z = 1 - x
        while true {
            x = x.squareRoot()
            let before = z
            y *= 0.5
            z -= (1 - x) * (1 - x) * y
            if before == z { return z / 3 }
        }
    }
}
