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
        var place = bytes.start + headerBytes
        for register in stride(from: 0, to: registers, by: 4) {
            let low = UInt32(UInt16(littleEndian: place.loadUnaligned(as: UInt16.self)))
            let word = low | UInt32(place.load(fromByteOffset: 2, as: UInt8.self)) << 16
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

    /// How many registers have each value: four columns, so that equal registers one after another do not wait for each other.
    private struct Histogram {
        private let counts: UnsafeMutablePointer<Int32>

        /// Calls `body` with a histogram of nothing so far.
        static func with<Result>(_ body: (Histogram) -> Result) -> Result {
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: 256) { space in
                space.initialize(repeating: 0)
                guard let start = space.baseAddress else {
                    check(false, "a histogram has room")
                    return body(Histogram(counts: .allocate(capacity: 256)))
                }
                return body(Histogram(counts: start))
            }
        }

        private init(counts: UnsafeMutablePointer<Int32>) { self.counts = counts }

        @inline(__always)
        func add(_ value: UInt8, _ registers: Int, column: Int = 0) {
            counts[Int(value & 63) << 2 | column & 3] &+= Int32(truncatingIfNeeded: registers)
        }

        /// Whether no register has a value.
        @inline(__always)
        func isEmpty(_ value: Int) -> Bool {
            check(value >= 0 && value < 64, "a register has six bits")
            let row = UnsafeRawPointer(counts + 4 * value)
            return row.load(as: UInt64.self) | row.load(fromByteOffset: 8, as: UInt64.self) == 0
        }

        subscript(value: Int) -> Int {
            check(value >= 0 && value < 64, "a register has six bits")
            let row = counts + 4 * value
            return Int(row[0]) + Int(row[1]) + Int(row[2]) + Int(row[3])
        }
    }

    /// The estimated number of elements; nil where the bytes are damaged.
    static func count(_ bytes: ByteView) -> UInt64? {
        Histogram.with { histogram in
            if isDense(bytes) {
                forEachDense(bytes) { histogram.add($1, 1, column: $0) }
            } else if !addSparse(bytes, to: histogram) {
                return nil
            }
            return estimate(histogram)
        }
    }

    /// Counts the registers of a sparse form; false where its bytes don't cover them exactly. As `forEachRun`, for speed without what a
    /// caller of that gets to see.
    private static func addSparse(_ bytes: ByteView, to histogram: Histogram) -> Bool {
        var place = bytes.start + headerBytes
        let end = bytes.start + bytes.count
        var (zeros, values) = (0, 0)
        while place < end {
            let byte = place.load(as: UInt8.self)
            place += 1
            if byte & 0x80 != 0 {
                let count = Int(byte & 3) + 1
                histogram.add((byte >> 2) & 0x1F + 1, count)
                values += count
            } else if byte & 0x40 == 0 {
                zeros += Int(byte) + 1
            } else {
                if place == end { return false }
                zeros += (Int(byte & 0x3F) << 8 | Int(place.load(as: UInt8.self))) + 1
                place += 1
            }
        }
        histogram.add(0, min(zeros, registers))
        return zeros + values == registers
    }

    /// The estimated number of elements of registers one by one.
    static func count(registers: [UInt8]) -> UInt64 {
        check(registers.count == self.registers, "all registers are counted")
        return Histogram.with { histogram in
            registers.withUnsafeBytes { bytes in
                for start in stride(from: 0, to: HyperLogLog.registers, by: 8) {
                    let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
                    if word == 0 {
                        histogram.add(0, 8)
                        continue
                    }
                    for place in 0..<8 {
                        histogram.add(UInt8(truncatingIfNeeded: word >> UInt64(8 * place)), 1, column: place)
                    }
                }
            }
            return estimate(histogram)
        }
    }

    /// Raises `target` to the registers of a value; false where it is damaged, and then `target` is worth nothing.
    static func merge(_ bytes: ByteView, into target: inout [UInt8]) -> Bool {
        check(target.count == registers, "all registers are merged")
        return target.withUnsafeMutableBufferPointer { target in
            if isDense(bytes) {
                forEachDense(bytes) { register, value in target[register] = max(target[register], value) }
                return true
            }
            var register = 0
            return forEachRun(bytes) { value, count in
                if value > 0 {
                    for place in register..<(register + count) where target[place] < value { target[place] = value }
                }
                register += count
            }
        }
    }

    /// Writes all registers, each less than 64, to a dense form: four at a time, into three bytes.
    static func setDense(_ bytes: inout [UInt8], to values: [UInt8]) {
        check(bytes.count == denseBytes && values.count == registers, "the dense form has all registers")
        bytes.withUnsafeMutableBytes { target in
            var place = headerBytes
            for register in stride(from: 0, to: registers, by: 4) {
                let low = UInt32(values[register]) | UInt32(values[register + 1]) << 6
                let word = low | UInt32(values[register + 2]) << 12 | UInt32(values[register + 3]) << 18
                target[place] = UInt8(truncatingIfNeeded: word)
                target[place + 1] = UInt8(truncatingIfNeeded: word >> 8)
                target[place + 2] = UInt8(truncatingIfNeeded: word >> 16)
                place += 3
            }
        }
    }

    /// Ertl's estimator of a histogram of register values. Sums, products and square roots alone, in a fixed order: the same bits
    /// everywhere, and the same as in Redis.
    private static func estimate(_ histogram: Histogram) -> UInt64 {
        let m = Double(registers)
        var z = m * tau((m - Double(histogram[hashBits + 1])) / m)
        var value = hashBits
        // Half of nothing is nothing.
        while z == 0, value > 0, histogram.isEmpty(value) { value -= 1 }
        while value > 0 {
            z += Double(histogram[value])
            z *= 0.5
            value -= 1
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
