import Base

/// One opcode of the sparse form.
struct SparseOpcode {
    /// What the registers are.
    let value: UInt8
    /// Registers that it covers.
    let count: Int
    /// Bytes that it takes.
    let bytes: Int

    /// The longest stretch of zeros in one byte, and of a value.
    static let zerosMax = 64
    static let valuesMax = 4
    /// The largest value.
    static let valueMax: UInt8 = 32

    /// Reads the opcode at `place`; nil where it goes past the end.
    @inline(__always)
    init?(_ view: ByteView, at place: Int) {
        let byte = view[place]
        if byte & 0x80 != 0 {
            (value, count, bytes) = ((byte >> 2) & 0x1F + 1, Int(byte & 3) + 1, 1)
        } else if byte & 0x40 == 0 {
            (value, count, bytes) = (0, Int(byte) + 1, 1)
        } else {
            if place + 1 >= view.count { return nil }
            (value, count, bytes) = (0, Int(byte & 0x3F) << 8 | Int(view[place + 1]) + 1, 2)
        }
    }

    /// The opcode for registers that are not 0.
    static func values(_ value: UInt8, _ count: Int) -> UInt8 {
        check(value >= 1 && value <= valueMax && count >= 1 && count <= valuesMax, "a value fits its opcode")
        return 0x80 | (value - 1) << 2 | UInt8(count - 1)
    }
}

/// What takes the place of one opcode: three at most, of five bytes together.
private struct SparseReplacement {
    private var bytes: UInt64 = 0
    private(set) var count = 0

    private mutating func append(byte: UInt8) {
        bytes |= UInt64(byte) << UInt64(8 * count)
        count += 1
    }

    /// Appends the opcode for registers of one value.
    mutating func append(_ value: UInt8, _ registers: Int) {
        if registers == 0 { return }
        check(registers > 0 && registers <= HyperLogLog.registers, "an opcode covers registers")
        if value > 0 {
            append(byte: SparseOpcode.values(value, registers))
        } else if registers <= SparseOpcode.zerosMax {
            append(byte: UInt8(registers - 1))
        } else {
            append(byte: 0x40 | UInt8((registers - 1) >> 8))
            append(byte: UInt8(truncatingIfNeeded: registers - 1))
        }
    }

    /// Takes the place of an opcode of `old` bytes.
    func replace(_ old: Int, at place: Int, of target: inout [UInt8]) {
        check(place >= 0 && place + old <= target.count && count > 0, "what is replaced is there")
        let rest = target.count - place - old
        for _ in 0..<max(0, count - old) { target.append(0) }
        let bytes = bytes
        target.withUnsafeMutableBytes { target in
            guard let start = target.baseAddress.map({ $0 + place }) else { return }
            (start + count).copyMemory(from: start + old, byteCount: rest)
            for index in 0..<count {
                start.storeBytes(of: UInt8(truncatingIfNeeded: bytes >> UInt64(8 * index)), toByteOffset: index, as: UInt8.self)
            }
        }
        target.removeLast(max(0, old - count))
    }
}

/// Where an opcode of the sparse form begins, and the first register that it covers.
struct SparsePlace {
    var place: Int
    var register: Int

    /// The first opcode.
    static let first = SparsePlace(place: HyperLogLog.headerBytes, register: 0)
}

extension HyperLogLog {
    /// What raising a register did.
    enum Raised { case changed, unchanged, damaged }

    /// The value of a register; nil where the bytes don't cover it.
    static func value(_ bytes: ByteView, _ register: Int) -> UInt8? {
        if isDense(bytes) { return denseValue(bytes, register) }
        return search(bytes, register)?.value
    }

    /// Raises a register to `value` where it is less. A sparse form that can't hold it, or would become longer than `sparseBytesMax`,
    /// becomes dense.
    static func raise(_ bytes: inout [UInt8], _ register: Int, to value: UInt8, sparseBytesMax: Int) -> Raised {
        var start = SparsePlace.first
        return raise(&bytes, register, to: value, sparseBytesMax: sparseBytesMax, from: &start)
    }

    /// As `raise(_:_:to:sparseBytesMax:)`, for registers in ascending order: `start` is where the search begins, and is moved on.
    static func raise(
        _ bytes: inout [UInt8], _ register: Int, to value: UInt8, sparseBytesMax: Int, from start: inout SparsePlace
    ) -> Raised {
        if bytes[4] == 0 { return raiseDense(&bytes, register, to: value) }
        if value > SparseOpcode.valueMax { return raisePromoted(&bytes, register, to: value) }
        guard let found = bytes.withView({ find($0, register, from: start) }) else { return .damaged }
        start = found.start
        let opcode = found.opcode
        if opcode.value >= value { return .unchanged }
        var replacement = SparseReplacement()
        replacement.append(opcode.value, register - found.first)
        replacement.append(value, 1)
        replacement.append(opcode.value, found.first + opcode.count - 1 - register)
        let growth = replacement.count - opcode.bytes
        if growth > 0, bytes.count + growth > sparseBytesMax { return raisePromoted(&bytes, register, to: value) }
        replacement.replace(opcode.bytes, at: found.place, of: &bytes)
        joinNeighbours(&bytes, from: found.previous)
        return .changed
    }

    /// Where the opcode of a register stands.
    private struct Found {
        var opcode: SparseOpcode
        var place: Int
        /// The first register that it covers.
        var first: Int
        /// Where the opcode before it stands, or itself where it is the first.
        var previous: Int
        /// Where the search for a greater register can begin.
        var start: SparsePlace
    }

    /// The value of a register of the sparse form, and where the search for it can begin again; nil where the bytes are damaged on the way
    /// to it. As `find` without what a change needs, as most elements that are added change nothing.
    static func search(_ bytes: ByteView, _ register: Int) -> (value: UInt8, start: SparsePlace)? {
        check(register >= 0 && register < registers, "a register is named by its number")
        // As far back as `find` begins a search again.
        guard let start = covering(bytes, max(0, register - 2 * SparseOpcode.valuesMax), from: .first),
            let found = covering(bytes, register, from: start), let opcode = SparseOpcode(bytes, at: found.place)
        else { return nil }
        // An opcode that reaches behind the last register is damage.
        return found.register + opcode.count <= registers ? (opcode.value, start) : nil
    }

    /// The opcode that covers a register; nil where there is none.
    @inline(__always)
    private static func covering(_ bytes: ByteView, _ register: Int, from start: SparsePlace) -> SparsePlace? {
        var place = bytes.start + start.place
        let end = bytes.start + bytes.count
        var left = register - start.register
        while place < end {
            let byte = place.load(as: UInt8.self)
            var (covered, length) = (Int(byte) + 1, 1)
            if byte & 0x80 != 0 {
                covered = Int(byte & 3) + 1
            } else if byte & 0x40 != 0 {
                if place + 1 >= end { return nil }
                covered = (Int(byte & 0x3F) << 8 | Int(place.load(fromByteOffset: 1, as: UInt8.self))) + 1
                length = 2
            }
            if left < covered { return SparsePlace(place: place - bytes.start, register: register - left) }
            left -= covered
            place += length
        }
        return nil
    }

    @inline(__always)
    private static func find(_ bytes: ByteView, _ register: Int, from start: SparsePlace) -> Found? {
        check(register >= 0 && register < registers && start.place >= headerBytes, "a register is named by its number")
        var (start, place, previous, first) = (start, start.place, start.place, start.register)
        let end = bytes.count
        while place < end {
            let byte = bytes.start.load(fromByteOffset: place, as: UInt8.self)
            var (covered, length) = (Int(byte) + 1, 1)
            if byte & 0x80 != 0 {
                covered = Int(byte & 3) + 1
            } else if byte & 0x40 != 0 {
                if place + 1 >= end { return nil }
                covered = (Int(byte & 0x3F) << 8 | Int(bytes.start.load(fromByteOffset: place + 1, as: UInt8.self))) + 1
                length = 2
            }
            // What covers more than one register that is not 0 covers four at most. So what is joined with the opcode that is found, now
            // or later, begins behind this place, and a search for a greater register can begin here.
            if first + 2 * SparseOpcode.valuesMax <= register { start = SparsePlace(place: place, register: first) }
            if register < first + covered {
                // An opcode that reaches behind the last register can't be cut into valid ones.
                guard first + covered <= registers, let opcode = SparseOpcode(bytes, at: place) else { return nil }
                return Found(opcode: opcode, place: place, first: first, previous: previous, start: start)
            }
            previous = place
            place += length
            first += covered
        }
        return nil
    }

    /// Makes one of opcodes with equal values behind one another, as far as five of them from `start` on, as Redis does.
    private static func joinNeighbours(_ bytes: inout [UInt8], from start: Int) {
        var place = start
        var left = 5
        while place < bytes.count, left > 0 {
            left -= 1
            guard let opcode = bytes.withView({ SparseOpcode($0, at: place) }) else { return }
            if opcode.value > 0, place + 1 < bytes.count,
                let next = bytes.withView({ SparseOpcode($0, at: place + 1) }), next.value == opcode.value,
                opcode.count + next.count <= SparseOpcode.valuesMax
            {
                bytes[place + 1] = SparseOpcode.values(opcode.value, opcode.count + next.count)
                bytes.remove(at: place)
                continue
            }
            place += opcode.bytes
        }
    }

    private static func raiseDense(_ bytes: inout [UInt8], _ register: Int, to value: UInt8) -> Raised {
        if bytes.withView({ denseValue($0, register) }) >= value { return .unchanged }
        bytes.withUnsafeMutableBytes { setDenseValue($0, register, value) }
        return .changed
    }

    private static func raisePromoted(_ bytes: inout [UInt8], _ register: Int, to value: UInt8) -> Raised {
        guard let dense = bytes.withView({ dense($0) }) else { return .damaged }
        bytes = dense
        return raiseDense(&bytes, register, to: value)
    }

    /// The dense form of any valid bytes, with their header; nil where they are damaged.
    static func dense(_ bytes: ByteView) -> [UInt8]? {
        if isDense(bytes) { return bytes.array }
        var dense = bytes.slice(0, headerBytes).array + [UInt8](repeating: 0, count: denseBytes - headerBytes)
        dense[4] = 0
        var register = 0
        let isWhole = dense.withUnsafeMutableBytes { target in
            forEachRun(bytes) { value, count in
                if value > 0 {
                    for place in register..<(register + count) { setDenseValue(target, place, value) }
                }
                register += count
            }
        }
        return isWhole ? dense : nil
    }
}
