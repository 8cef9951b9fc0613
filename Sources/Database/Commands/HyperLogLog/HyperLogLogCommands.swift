import Base
import RESP

// Counting distinct elements by estimate. The form of the values is in HyperLogLog.
extension HyperLogLogCommands {
    /// What a key that should hold a HyperLogLog holds.
    private enum Found {
        case entry(Entry)
        case absent
        /// The error is already replied.
        case invalid
    }

    private static func find(_ key: ByteView, _ execution: Execution) -> Found {
        guard let entry = execution.isRead ? execution.lookupRead(key) : execution.lookupWrite(key) else { return .absent }
        if !entry.isString {
            execution.wrongType()
            return .invalid
        }
        if entry.integer != nil || !HyperLogLog.isValid(entry.bytes) {
            execution.reply.error("WRONGTYPE Key is not a valid HyperLogLog string value.")
            return .invalid
        }
        return .entry(entry)
    }

    private static func replyDamaged(_ execution: Execution) {
        execution.reply.error("INVALIDOBJ Corrupted HLL object detected")
    }

    private static func store(_ bytes: inout [UInt8], at key: ByteView, _ execution: Execution) {
        bytes.withUnsafeMutableBytes { HyperLogLog.invalidateCount($0) }
        bytes.withView { execution.setString(key, $0, form: .raw, deadline: .keep) }
    }

    // MARK: adding

    static func pfadd(_ execution: Execution) {
        let key = execution.arguments[1]
        switch find(key, execution) {
        case .invalid: return
        case .absent:
            var bytes = HyperLogLog.empty()
            _ = add(execution, to: &bytes)
            store(&bytes, at: key, execution)
            execution.reply.integer(1)
        case .entry(let entry):
            let bytes = entry.bytes
            if HyperLogLog.isDense(bytes) { return addInPlace(execution, entry) }
            guard let first = firstChange(execution, bytes) else { return replyDamaged(execution) }
            if first.index == execution.arguments.count { return execution.reply.integer(0) }
            var copy = bytes.array
            switch add(execution, from: first.index, at: first.start, to: &copy) {
            case .damaged: replyDamaged(execution)
            case .unchanged: execution.reply.integer(0)
            case .changed:
                store(&copy, at: key, execution)
                execution.reply.integer(1)
            }
        }
    }

    /// The first argument from 2 on that changes a sparse form, or the number of arguments, and where the search for its register can
    /// begin; nil where the bytes are damaged.
    private static func firstChange(_ execution: Execution, _ bytes: ByteView) -> (index: Int, start: SparsePlace)? {
        let arguments = execution.arguments
        for index in 2..<max(2, arguments.count) {
            let (register, value) = HyperLogLog.place(of: arguments[index])
            guard let (known, start) = HyperLogLog.search(bytes, register) else { return nil }
            if known < value { return (index, start) }
        }
        return (arguments.count, .first)
    }

    /// Adds the elements from argument `first` on, whose register is searched for from `start` on.
    private static func add(
        _ execution: Execution, from first: Int = 2, at start: SparsePlace = .first, to bytes: inout [UInt8]
    ) -> HyperLogLog.Raised {
        var result = HyperLogLog.Raised.unchanged
        let limit = execution.limits.hyperLogLogSparseBytes
        for index in first..<max(first, execution.arguments.count) {
            let (register, value) = HyperLogLog.place(of: execution.arguments[index])
            var start = index == first ? start : .first
            switch HyperLogLog.raise(&bytes, register, to: value, sparseBytesMax: limit, from: &start) {
            case .damaged: return .damaged
            case .changed: result = .changed
            case .unchanged: break
            }
        }
        return result
    }

    /// Adds elements to the dense form, which can't fail and is changed where it stands.
    private static func addInPlace(_ execution: Execution, _ entry: Entry) {
        let (arguments, bytes) = (execution.arguments, entry.bytes)
        var target: UnsafeMutableRawBufferPointer?
        for index in 2..<max(2, arguments.count) {
            let (register, value) = HyperLogLog.place(of: arguments[index])
            let now = target.map { ByteView(UnsafeRawBufferPointer($0)) } ?? bytes
            if HyperLogLog.denseValue(now, register) >= value { continue }
            let writable = target ?? execution.mutableString(arguments[1], entry: entry, byteCount: HyperLogLog.denseBytes)
            target = writable
            HyperLogLog.setDenseValue(writable, register, value)
        }
        if let target { HyperLogLog.invalidateCount(target) }
        execution.reply.integer(target == nil ? 0 : 1)
    }

    // MARK: counting

    static func pfcount(_ execution: Execution) {
        let arguments = execution.arguments
        if arguments.count == 2 { return countOne(execution) }
        var registers = [UInt8](repeating: 0, count: HyperLogLog.registers)
        for index in 1..<arguments.count {
            switch find(arguments[index], execution) {
            case .invalid: return
            case .absent: continue
            case .entry(let entry):
                if !HyperLogLog.merge(entry.bytes, into: &registers) { return replyDamaged(execution) }
            }
        }
        execution.reply.integer(Int64(bitPattern: HyperLogLog.count(registers: registers)))
    }

    private static func countOne(_ execution: Execution) {
        guard case .entry(let entry) = found(execution) else { return }
        let bytes = entry.bytes
        if let count = HyperLogLog.cachedCount(bytes) { return execution.reply.integer(Int64(bitPattern: count)) }
        // Redis writes the count into the value. A read changes nothing here, so this node remembers it by the value's version.
        let version = entry.version
        if let count = execution.hyperLogLogCounts[version] { return execution.reply.integer(Int64(bitPattern: count)) }
        guard let count = HyperLogLog.count(bytes) else { return replyDamaged(execution) }
        execution.hyperLogLogCounts[version] = count
        execution.reply.integer(Int64(bitPattern: count))
    }

    private static func found(_ execution: Execution) -> Found {
        let found = find(execution.arguments[1], execution)
        if case .absent = found { execution.reply.integer(0) }
        return found
    }

    // MARK: merging

    static func pfmerge(_ execution: Execution) {
        let arguments = execution.arguments
        var registers = [UInt8](repeating: 0, count: HyperLogLog.registers)
        var target = HyperLogLog.empty()
        var isDense = false
        for index in 1..<arguments.count {
            switch find(arguments[index], execution) {
            case .invalid: return
            case .absent: continue
            case .entry(let entry):
                let bytes = entry.bytes
                if !HyperLogLog.merge(bytes, into: &registers) { return replyDamaged(execution) }
                isDense = isDense || HyperLogLog.isDense(bytes)
                if index == 1 { target = bytes.array }
            }
        }
        if isDense, let dense = target.withView({ HyperLogLog.dense($0) }) {
            target = dense
            HyperLogLog.setDense(&target, to: registers)
        } else {
            raise(&target, to: registers, execution)
        }
        store(&target, at: arguments[1], execution)
        execution.reply.ok()
    }

    private static func raise(_ target: inout [UInt8], to registers: [UInt8], _ execution: Execution) {
        let limit = execution.limits.hyperLogLogSparseBytes
        var start = SparsePlace.first
        for register in 0..<HyperLogLog.registers where registers[register] > 0 {
            let raised = HyperLogLog.raise(
                &target, register, to: registers[register], sparseBytesMax: limit, from: &start)
            check(raised != .damaged, "what was merged is whole")
        }
    }

    // MARK: looking inside

    static func pfdebug(_ execution: Execution) {
        let word = execution.arguments[1]
        let key = execution.arguments[2]
        let bytes: ByteView
        switch find(key, execution) {
        case .invalid: return
        case .absent: return execution.reply.error("ERR The specified key does not exist")
        case .entry(let found): bytes = found.bytes
        }
        if word.equalsIgnoringCase("getreg") {
            guard let dense = HyperLogLog.dense(bytes) else { return replyDamaged(execution) }
            replaceByDense(bytes, dense, execution)
            execution.reply.array(HyperLogLog.registers)
            dense.withView { dense in
                for register in 0..<HyperLogLog.registers {
                    execution.reply.integer(Int(HyperLogLog.denseValue(dense, register)))
                }
            }
        } else if word.equalsIgnoringCase("decode") {
            replyOpcodes(bytes, execution)
        } else if word.equalsIgnoringCase("encoding") {
            execution.reply.simple(HyperLogLog.isDense(bytes) ? "dense" : "sparse")
        } else if word.equalsIgnoringCase("todense") {
            let wasDense = HyperLogLog.isDense(bytes)
            guard let dense = HyperLogLog.dense(bytes) else { return replyDamaged(execution) }
            replaceByDense(bytes, dense, execution)
            execution.reply.integer(wasDense ? 0 : 1)
        } else {
            let text = ByteBuffer()
            text.append("ERR Unknown PFDEBUG subcommand '")
            text.append(word.slice(0, min(word.count, 128)))
            text.append("'")
            execution.reply.error(text.view)
        }
    }

    /// The count in the header stays as it is: the registers are the same.
    private static func replaceByDense(_ bytes: ByteView, _ dense: [UInt8], _ execution: Execution) {
        if HyperLogLog.isDense(bytes) { return }
        dense.withView { execution.setString(execution.arguments[2], $0, form: .raw, deadline: .keep) }
    }

    private static func replyOpcodes(_ bytes: ByteView, _ execution: Execution) {
        if HyperLogLog.isDense(bytes) { return execution.reply.error("ERR HLL encoding is not sparse") }
        let text = ByteBuffer()
        var place = HyperLogLog.headerBytes
        while place < bytes.count {
            guard let opcode = SparseOpcode(bytes, at: place) else { return replyDamaged(execution) }
            if place > HyperLogLog.headerBytes { text.append(" ") }
            text.append(opcode.value > 0 ? "v:" : opcode.bytes == 1 ? "z:" : "Z:")
            if opcode.value > 0 {
                text.append(decimal: Int64(opcode.value))
                text.append(",")
            }
            text.append(decimal: Int64(opcode.count))
            place += opcode.bytes
        }
        execution.reply.bulk(text.view)
    }
}

/// The counts of HyperLogLogs that this node has lately worked out, by the version of the value, which no other value has. Not
/// replicated.
struct HyperLogLogCounts {
    private static let places = 256
    private var versions = [UInt64](repeating: 0, count: places)
    private var counts = [UInt64](repeating: 0, count: places)

    subscript(version: UInt64) -> UInt64? {
        get {
            let place = Int(truncatingIfNeeded: version % UInt64(HyperLogLogCounts.places))
            return version != 0 && versions[place] == version ? counts[place] : nil
        }
        set {
            guard let newValue, version != 0 else { return }
            let place = Int(truncatingIfNeeded: version % UInt64(HyperLogLogCounts.places))
            versions[place] = version
            counts[place] = newValue
        }
    }
}
