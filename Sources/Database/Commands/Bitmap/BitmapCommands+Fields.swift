import Base
import RESP

// BITFIELD: integers of any width at any place of a string.
extension BitmapCommands {
    /// What happens to a result that does not fit its field.
    private enum Overflow { case wrap, saturate, fail }

    private enum FieldAction { case get, set, increment }

    /// One of the operations of a command.
    private struct FieldOperation {
        var action: FieldAction
        var overflow: Overflow
        var isSigned: Bool
        var bits: Int
        var offset: Int
        /// What is set or added.
        var operand: Int64 = 0

        /// Argument words behind the operation's name.
        var words: Int { action == .get ? 2 : 3 }
    }

    static func bitfield(_ execution: Execution) {
        guard let operations = fieldOperations(execution) else { return }
        var end = 0
        for operation in operations where operation.action != .get {
            end = max(end, (operation.offset + operation.bits - 1) >> 3 + 1)
        }
        let key = execution.arguments[1]
        let entry = execution.lookupWrite(key)
        if let entry, !entry.isString { return execution.wrongType() }
        let text = entry.map { execution.text(of: $0) } ?? .empty
        if end == 0 { return replyFields(execution, operations, text) }
        if let entry, entry.isRaw, text.count >= end, !changes(operations, text) {
            return replyFields(execution, operations, text)
        }
        let bytes = execution.mutableString(key, entry: entry, byteCount: max(text.count, end))
        execution.reply.array(operations.count)
        for operation in operations { carryOut(operation, bytes, execution.reply) }
    }

    static func bitfieldRo(_ execution: Execution) {
        guard let operations = fieldOperations(execution) else { return }
        if operations.contains(where: { $0.action != .get }) {
            return execution.reply.error("ERR BITFIELD_RO only supports the GET subcommand")
        }
        let entry = execution.lookupRead(execution.arguments[1])
        if let entry, !entry.isString { return execution.wrongType() }
        replyFields(execution, operations, entry.map { execution.text(of: $0) } ?? .empty)
    }

    /// BITFIELD only reads where it has nothing but GETs.
    @Sendable
    static func bitfieldKeyFlags(_ arguments: Arguments) -> KeyFlags {
        var index = 2
        while index < arguments.count {
            if arguments[index].equalsIgnoringCase("get") {
                index += 3
            } else if arguments[index].equalsIgnoringCase("overflow") {
                index += 2
            } else {
                return [.readWrite, .access, .update]
            }
        }
        return [.readOnly, .access]
    }

    // MARK: reading the words

    /// Nil after the error was replied.
    private static func fieldOperations(_ execution: Execution) -> [FieldOperation]? {
        let arguments = execution.arguments
        var operations: [FieldOperation] = []
        var overflow = Overflow.wrap
        var index = 2
        while index < arguments.count {
            let left = arguments.count - index - 1
            if left >= 1, arguments[index].equalsIgnoringCase("overflow") {
                guard let named = Self.overflow(arguments[index + 1]) else {
                    execution.reply.error("ERR Invalid OVERFLOW type specified")
                    return nil
                }
                overflow = named
                index += 2
                continue
            }
            guard let action = action(arguments[index]), left >= (action == .get ? 2 : 3) else {
                execution.syntaxError()
                return nil
            }
            guard let operation = fieldOperation(execution, action, overflow, at: index + 1) else { return nil }
            operations.append(operation)
            index += operation.words + 1
        }
        return operations
    }

    private static func fieldOperation(
        _ execution: Execution, _ action: FieldAction, _ overflow: Overflow, at index: Int
    ) -> FieldOperation? {
        let arguments = execution.arguments
        guard let (isSigned, bits) = fieldType(arguments[index]) else {
            execution.reply.error(
                "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.")
            return nil
        }
        guard let offset = offset(arguments[index + 1], fieldBits: Int64(bits)) else {
            replyBadOffset(execution)
            return nil
        }
        var operation = FieldOperation(action: action, overflow: overflow, isSigned: isSigned, bits: bits, offset: offset)
        if action == .get { return operation }
        guard let operand = parseInteger(arguments[index + 2]) else {
            execution.notInteger()
            return nil
        }
        operation.operand = operand
        return operation
    }

    private static func action(_ word: ByteView) -> FieldAction? {
        if word.equalsIgnoringCase("get") { return .get }
        if word.equalsIgnoringCase("set") { return .set }
        return word.equalsIgnoringCase("incrby") ? .increment : nil
    }

    private static func overflow(_ word: ByteView) -> Overflow? {
        if word.equalsIgnoringCase("wrap") { return .wrap }
        if word.equalsIgnoringCase("sat") { return .saturate }
        return word.equalsIgnoringCase("fail") ? .fail : nil
    }

    private static func fieldType(_ word: ByteView) -> (isSigned: Bool, bits: Int)? {
        if word.isEmpty { return nil }
        let isSigned = word[0] == UInt8(ascii: "i")
        if !isSigned, word[0] != UInt8(ascii: "u") { return nil }
        guard let bits = parseInteger(word.dropFirst(1)), bits >= 1, bits <= (isSigned ? 64 : 63) else { return nil }
        return (isSigned, Int(bits))
    }

    // MARK: carrying out

    /// Replies operations that only read, or change nothing.
    private static func replyFields(_ execution: Execution, _ operations: [FieldOperation], _ text: ByteView) {
        execution.reply.array(operations.count)
        for operation in operations { replyField(operation, value(operation, text), execution.reply) }
    }

    /// Replies what an operation answers where the field held `old`; returns what it writes.
    @discardableResult
    private static func replyField(_ operation: FieldOperation, _ old: Int64, _ reply: ReplyWriter) -> Int64? {
        if operation.action == .get {
            reply.integer(old)
            return nil
        }
        guard let new = result(operation, old) else {
            reply.null()
            return nil
        }
        reply.integer(operation.action == .set ? old : new)
        return new
    }

    private static func value(_ operation: FieldOperation, _ text: ByteView) -> Int64 {
        let raw = Bits.field(text, offset: operation.offset, bits: operation.bits)
        if !operation.isSigned || operation.bits == 64 { return Int64(bitPattern: raw) }
        let unused = UInt64(64 - operation.bits)
        return Int64(bitPattern: raw << unused) >> Int64(unused)
    }

    /// Whether any operation alone would change the text.
    private static func changes(_ operations: [FieldOperation], _ text: ByteView) -> Bool {
        for operation in operations where operation.action != .get {
            let old = value(operation, text)
            if let new = result(operation, old), new != old { return true }
        }
        return false
    }

    private static func carryOut(_ operation: FieldOperation, _ bytes: UnsafeMutableRawBufferPointer, _ reply: ReplyWriter) {
        let old = value(operation, ByteView(UnsafeRawBufferPointer(bytes)))
        guard let new = replyField(operation, old, reply) else { return }
        Bits.setField(bytes, offset: operation.offset, bits: operation.bits, to: UInt64(bitPattern: new))
    }

    /// What is written; nil where it does not fit and the operation is to fail then.
    private static func result(_ operation: FieldOperation, _ old: Int64) -> Int64? {
        let isSet = operation.action == .set
        let base = isSet ? operation.operand : old
        let increment = isSet ? 0 : operation.operand
        guard
            let limit = operation.isSigned
                ? signedLimit(base, increment, operation.bits) : unsignedLimit(base, increment, operation)
        else { return base &+ increment }
        switch operation.overflow {
        case .fail: return nil
        case .saturate: return limit
        case .wrap:
            let unused = UInt64(64 - operation.bits)
            let shifted = UInt64(bitPattern: base &+ increment) << unused
            return operation.isSigned
                ? Int64(bitPattern: shifted) >> Int64(unused) : Int64(bitPattern: shifted >> unused)
        }
    }

    /// The end of the range over which the sum goes; nil where it fits. Differences wrap around as in Redis, so that a SET of a
    /// number near the smallest one saturates to the same end.
    private static func signedLimit(_ base: Int64, _ increment: Int64, _ bits: Int) -> Int64? {
        let largest = Int64.max >> Int64(64 - bits)
        let smallest = -largest - 1
        let up = largest &- base
        let down = smallest &- base
        if base > largest || (bits != 64 && increment > up) || (base >= 0 && increment > 0 && increment > up) {
            return largest
        }
        if base < smallest || (bits != 64 && increment < down) || (base < 0 && increment < 0 && increment < down) {
            return smallest
        }
        return nil
    }

    private static func unsignedLimit(_ base: Int64, _ increment: Int64, _ operation: FieldOperation) -> Int64? {
        let largest = Int64.max >> Int64(63 - operation.bits)
        // A negative number that is to be set is a large one.
        if base < 0 || base > largest || (increment > 0 && increment > largest - base) { return largest }
        return increment < 0 && increment < -base ? 0 : nil
    }
}
