import Base
import RESP

// Deadlines of single fields (Redis 7.4). They are absolute, in milliseconds since 1970, reckoned from the entry's time.
extension HashCommands {
    static func hexpire(_ execution: Execution) { setDeadlines(execution, isRelative: true, isSeconds: true) }
    static func hpexpire(_ execution: Execution) { setDeadlines(execution, isRelative: true, isSeconds: false) }
    static func hexpireat(_ execution: Execution) { setDeadlines(execution, isRelative: false, isSeconds: true) }
    static func hpexpireat(_ execution: Execution) { setDeadlines(execution, isRelative: false, isSeconds: false) }

    /// When a deadline is set at all.
    private enum Condition {
        case always, ifNone, ifAny, ifLater, ifEarlier

        init?(_ word: ByteView) {
            if word.equalsIgnoringCase("nx") {
                self = .ifNone
            } else if word.equalsIgnoringCase("xx") {
                self = .ifAny
            } else if word.equalsIgnoringCase("gt") {
                self = .ifLater
            } else if word.equalsIgnoringCase("lt") {
                self = .ifEarlier
            } else {
                return nil
            }
        }

        func allows(_ current: Int64?, _ deadline: Int64) -> Bool {
            switch self {
            case .always: true
            case .ifNone: current == nil
            case .ifAny: current != nil
            // A field without a deadline lives for ever: nothing is later.
            case .ifLater: current.map { deadline > $0 } ?? false
            case .ifEarlier: current.map { deadline < $0 } ?? true
            }
        }
    }

    /// What is replied for one field.
    private enum FieldReply {
        static let noField = -2
        static let noDeadline = -1
        static let notAllowed = 0
        static let done = 1
        static let deleted = 2
    }

    private static func setDeadlines(_ execution: Execution, isRelative: Bool, isSeconds: Bool) {
        let arguments = execution.arguments
        let found = hash(execution)
        if case .wrongType = found { return }
        guard let deadline = deadline(execution, isRelative: isRelative, isSeconds: isSeconds) else { return }
        let condition = Condition(arguments[3])
        let error: StaticString = "ERR Parameter `numFields` should be greater than 0"
        guard let fields = fields(execution, at: condition == nil ? 3 : 4, error) else { return }
        guard case .value(let hash) = found else { return replyAbsent(fields.count, execution) }
        let (seed, now) = (execution.seed, execution.nowMilliseconds)
        execution.reply.array(fields.count)
        var isChanged = false
        for index in fields {
            let field = arguments[index]
            var reply = FieldReply.done
            if hash.value(of: field, seed: seed) == nil {
                reply = FieldReply.noField
            } else if !(condition ?? .always).allows(hash.deadline(ofField: field), deadline) {
                reply = FieldReply.notAllowed
            } else if deadline <= now {
                _ = hash.remove(field, seed: seed)
                reply = FieldReply.deleted
                isChanged = true
            } else {
                hash.setDeadline(deadline, ofField: field, seed: seed, now: now)
                isChanged = true
            }
            execution.reply.integer(reply)
        }
        if isChanged { execution.fieldDeadlinesChanged(hash, at: arguments[1]) }
    }

    static func hpersist(_ execution: Execution) {
        let arguments = execution.arguments
        let found = hash(execution)
        if case .wrongType = found { return }
        guard let fields = fields(execution, at: 2, fieldCountError) else { return }
        guard case .value(let hash) = found else { return replyAbsent(fields.count, execution) }
        execution.reply.array(fields.count)
        var isChanged = false
        for index in fields {
            if hash.value(of: arguments[index], seed: execution.seed) == nil {
                execution.reply.integer(FieldReply.noField)
            } else if hash.dropDeadline(ofField: arguments[index]) {
                isChanged = true
                execution.reply.integer(FieldReply.done)
            } else {
                execution.reply.integer(FieldReply.noDeadline)
            }
        }
        if isChanged { execution.fieldDeadlinesChanged(hash, at: arguments[1]) }
    }

    // MARK: asking

    static func httl(_ execution: Execution) { replyDeadlines(execution, isRelative: true, unit: 1000) }
    static func hpttl(_ execution: Execution) { replyDeadlines(execution, isRelative: true, unit: 1) }
    static func hexpiretime(_ execution: Execution) { replyDeadlines(execution, isRelative: false, unit: 1000) }
    static func hpexpiretime(_ execution: Execution) { replyDeadlines(execution, isRelative: false, unit: 1) }

    /// What is left is reckoned by the reader's time where that is later than the log's. A field that is there has something left.
    private static func replyDeadlines(_ execution: Execution, isRelative: Bool, unit: Int64) {
        let arguments = execution.arguments
        let found = hash(execution)
        if case .wrongType = found { return }
        guard let fields = fields(execution, at: 2, fieldCountError) else { return }
        guard case .value(let hash) = found else { return replyAbsent(fields.count, execution) }
        execution.reply.array(fields.count)
        for index in fields {
            if hash.value(of: arguments[index], seed: execution.seed) == nil {
                execution.reply.integer(FieldReply.noField)
            } else if let deadline = hash.deadline(ofField: arguments[index]) {
                let time = isRelative ? max(1, deadline - execution.observedTime.milliseconds) : deadline
                execution.reply.integer((time + unit - 1) / unit)
            } else {
                execution.reply.integer(FieldReply.noDeadline)
            }
        }
    }

    // MARK: words

    private static let fieldCountError: StaticString = "ERR Number of fields must be a positive integer"

    private static func hash(_ execution: Execution) -> Execution.Found<HashValue> {
        let key = execution.arguments[1]
        return execution.isRead ? execution.read(HashValue.self, at: key) : execution.write(HashValue.self, at: key)
    }

    /// The deadline that argument 2 asks for. Nil after the error was replied.
    private static func deadline(_ execution: Execution, isRelative: Bool, isSeconds: Bool) -> Int64? {
        guard let number = parseInteger(execution.arguments[2]) else {
            execution.notInteger()
            return nil
        }
        if number < 0 {
            execution.reply.error("ERR invalid expire time, must be >= 0")
            return nil
        }
        let unit: Int64 = isSeconds ? 1000 : 1
        let base = isRelative ? execution.nowMilliseconds : 0
        if number > FieldDeadlines.deadlineMax / unit || number * unit > FieldDeadlines.deadlineMax - base {
            execution.invalidExpireTime()
            return nil
        }
        return number * unit + base
    }

    /// The arguments of the fields, where FIELDS and their number stand at `index`. Nil after the error was replied.
    private static func fields(_ execution: Execution, at index: Int, _ countError: StaticString) -> Range<Int>? {
        let arguments = execution.arguments
        if !arguments[index].equalsIgnoringCase("fields") {
            execution.reply.error("ERR Mandatory argument FIELDS is missing or not at the right position")
            return nil
        }
        guard let count = parseInteger(arguments[index + 1]), count >= 1 else {
            execution.reply.error(countError)
            return nil
        }
        if count != Int64(arguments.count - index - 2) {
            execution.reply.error("ERR The `numfields` parameter must match the number of arguments")
            return nil
        }
        return index + 2..<arguments.count
    }

    private static func replyAbsent(_ count: Int, _ execution: Execution) {
        execution.reply.array(count)
        for _ in 0..<count { execution.reply.integer(FieldReply.noField) }
    }
}
