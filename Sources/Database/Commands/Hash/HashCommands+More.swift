import Base
import RESP

// Counting in fields, random fields, scanning.
extension HashCommands {
    // MARK: counting

    static func hincrby(_ execution: Execution) {
        let arguments = execution.arguments
        guard let amount = parseInteger(arguments[3]) else { return execution.notInteger() }
        let seed = execution.seed
        let hash: HashValue
        var isNew = false
        var value: Int64 = 0
        switch execution.write(HashValue.self, at: arguments[1]) {
        case .wrongType: return
        case .absent:
            hash = HashValue()
            isNew = true
        case .value(let found):
            hash = found
            if let old = found.value(of: arguments[2], seed: seed) {
                guard let number = old.isInteger ? old.integer : parseInteger(old.bytes) else {
                    return execution.reply.error("ERR hash value is not an integer")
                }
                value = number
            }
        }
        let (sum, overflow) = value.addingReportingOverflow(amount)
        if overflow { return execution.reply.error("ERR increment or decrement would overflow") }
        withDecimal(sum) { _ = hash.set(arguments[2], to: $0, seed: seed, limits: execution.limits, keepsDeadline: true) }
        store(hash, isNew: isNew, at: arguments[1], execution)
        execution.reply.integer(sum)
    }

    static func hincrbyfloat(_ execution: Execution) {
        let arguments = execution.arguments
        guard let amount = ExtendedFloat(text: arguments[3]) else { return execution.notFloat() }
        if !amount.isFinite { return execution.reply.error("ERR value is NaN or Infinity") }
        let seed = execution.seed
        let hash: HashValue
        var isNew = false
        var value = ExtendedFloat.zero
        switch execution.write(HashValue.self, at: arguments[1]) {
        case .wrongType: return
        case .absent:
            hash = HashValue()
            isNew = true
        case .value(let found):
            hash = found
            if let old = found.value(of: arguments[2], seed: seed) {
                guard let number = old.isInteger ? ExtendedFloat(old.integer) : ExtendedFloat(text: old.bytes) else {
                    return execution.reply.error("ERR hash value is not a float")
                }
                value = number
            }
        }
        let sum = value + amount
        if !sum.isFinite { return execution.reply.error("ERR increment would produce NaN or Infinity") }
        let text = ByteBuffer(capacity: 64)
        sum.appendText(to: text)
        _ = hash.set(arguments[2], to: text.view, seed: seed, limits: execution.limits, keepsDeadline: true)
        store(hash, isNew: isNew, at: arguments[1], execution)
        execution.reply.bulk(text.view)
    }

    // MARK: random fields

    static func hrandfield(_ execution: Execution) {
        let arguments = execution.arguments
        if arguments.count > 2 { return randomFields(execution) }
        let found = execution.read(HashValue.self, at: arguments[1])
        guard case .value(let hash) = execution.found(found, { $0.null() }) else { return }
        execution.reply.bulk(hash.entry(at: execution.random.index(below: hash.count)).field)
    }

    private static func randomFields(_ execution: Execution) {
        let arguments = execution.arguments
        guard let wanted = execution.integerArgument(2, in: -Int64.max...Int64.max) else { return }
        let withValues = arguments.count > 3
        if arguments.count > 4 || withValues && !arguments[3].equalsIgnoringCase("withvalues") {
            return execution.syntaxError()
        }
        if withValues && wanted.magnitude > UInt(Int.max / 2) {
            return execution.reply.error("ERR value is out of range")
        }
        let found = execution.read(HashValue.self, at: arguments[1])
        guard case .value(let hash) = execution.found(found, { $0.array(0) }) else { return }
        let reply = execution.reply
        let size = hash.count
        let isUnique = wanted >= 0
        if !isUnique && !execution.allowsRandomElements(-wanted) { return }
        let count = isUnique ? min(wanted, size) : -wanted
        // Pairs are arrays of their own in RESP3.
        let pairs = withValues && reply.version == .three
        reply.array(withValues && !pairs ? count * 2 : count)
        func emit(_ field: PackedElement, _ value: PackedElement) {
            if pairs { reply.array(2) }
            reply.bulk(field)
            if withValues { reply.bulk(value) }
        }
        if isUnique && count == size { return hash.forEach(emit) }
        if isUnique {
            for rank in execution.distinctRanks(count, below: size) {
                let entry = hash.entry(at: rank)
                emit(entry.field, entry.value)
            }
        } else {
            for _ in 0..<count {
                let entry = hash.entry(at: execution.random.index(below: size))
                emit(entry.field, entry.value)
            }
        }
    }

    // MARK: scanning

    static func hscan(_ execution: Execution) {
        guard let cursor = execution.scanCursor() else { return }
        let hash: HashValue
        switch execution.read(HashValue.self, at: execution.arguments[1]) {
        case .wrongType: return
        case .absent: return execution.replyEmptyScan()
        case .value(let found): hash = found
        }
        guard let scan = execution.scanOptions(cursor: cursor) else { return }
        execution.replyScan { writer in
            var written = 0
            let next = hash.scan(from: scan.cursor, count: scan.count, seed: execution.seed) { field, value in
                if let pattern = scan.pattern, !field.withBytes({ globMatch(pattern, $0) }) { return }
                writer.bulk(field)
                writer.bulk(value)
                written += 2
            }
            return (written, next)
        }
    }
}
