import Base
import RESP

// Deadlines. They are absolute, in milliseconds since 1970, reckoned from the entry's time.
extension ExpiryCommands {
    static func expire(_ execution: Execution) { setDeadline(execution, isRelative: true, isSeconds: true) }

    static func pexpire(_ execution: Execution) { setDeadline(execution, isRelative: true, isSeconds: false) }

    static func expireat(_ execution: Execution) { setDeadline(execution, isRelative: false, isSeconds: true) }

    static func pexpireat(_ execution: Execution) { setDeadline(execution, isRelative: false, isSeconds: false) }

    /// The conditions under which a deadline is set.
    private struct Conditions {
        var ifNone = false
        var ifAny = false
        var ifLater = false
        var ifEarlier = false
    }

    private static func conditions(_ execution: Execution) -> Conditions? {
        let arguments = execution.arguments
        var conditions = Conditions()
        for index in 3..<max(3, arguments.count) {
            let word = arguments[index]
            if word.equalsIgnoringCase("nx") {
                conditions.ifNone = true
            } else if word.equalsIgnoringCase("xx") {
                conditions.ifAny = true
            } else if word.equalsIgnoringCase("gt") {
                conditions.ifLater = true
            } else if word.equalsIgnoringCase("lt") {
                conditions.ifEarlier = true
            } else {
                let text = ByteBuffer()
                text.append("ERR Unsupported option ")
                CommandTable.append(word, max: word.count, to: text)
                execution.reply.error(text.view)
                return nil
            }
        }
        if conditions.ifNone, conditions.ifAny || conditions.ifLater || conditions.ifEarlier {
            execution.reply.error("ERR NX and XX, GT or LT options at the same time are not compatible")
            return nil
        }
        if conditions.ifLater, conditions.ifEarlier {
            execution.reply.error("ERR GT and LT options at the same time are not compatible")
            return nil
        }
        return conditions
    }

    private static func setDeadline(_ execution: Execution, isRelative: Bool, isSeconds: Bool) {
        let key = execution.arguments[1]
        guard let conditions = conditions(execution) else { return }
        guard var deadline = parseInteger(execution.arguments[2]) else { return execution.notInteger() }
        if isSeconds {
            let (milliseconds, overflow) = deadline.multipliedReportingOverflow(by: 1000)
            if overflow { return execution.invalidExpireTime() }
            deadline = milliseconds
        }
        if isRelative {
            let (sum, overflow) = deadline.addingReportingOverflow(execution.nowMilliseconds)
            if overflow { return execution.invalidExpireTime() }
            deadline = sum
        }
        guard let entry = execution.lookupWrite(key), allows(conditions, entry.deadline, deadline) else {
            return execution.reply.integer(0)
        }
        if deadline <= execution.nowMilliseconds {
            execution.delete(key)
        } else {
            execution.setDeadline(key, deadline)
        }
        execution.reply.integer(1)
    }

    private static func allows(_ conditions: Conditions, _ current: Int64?, _ deadline: Int64) -> Bool {
        if conditions.ifNone, current != nil { return false }
        if conditions.ifAny, current == nil { return false }
        // A key without a deadline lives for ever: nothing is later.
        if conditions.ifLater { return current.map { deadline > $0 } ?? false }
        if conditions.ifEarlier { return current.map { deadline < $0 } ?? true }
        return true
    }

    static func persist(_ execution: Execution) {
        let key = execution.arguments[1]
        guard let entry = execution.lookupWrite(key), entry.deadline != nil else { return execution.reply.integer(0) }
        execution.setDeadline(key, nil)
        execution.reply.integer(1)
    }

    // MARK: asking

    static func ttl(_ execution: Execution) { replyRemaining(execution, unit: 1000) }

    static func pttl(_ execution: Execution) { replyRemaining(execution, unit: 1) }

    static func expiretime(_ execution: Execution) { replyDeadline(execution, unit: 1000) }

    static func pexpiretime(_ execution: Execution) { replyDeadline(execution, unit: 1) }

    /// What is left, by the reader's time where that is later than the log's. A key that is there has something left.
    private static func replyRemaining(_ execution: Execution, unit: Int64) {
        guard let entry = execution.lookupUntouched(execution.arguments[1]) else { return execution.reply.integer(-2) }
        guard let deadline = entry.deadline else { return execution.reply.integer(-1) }
        let (left, overflow) = deadline.subtractingReportingOverflow(execution.observedTime.milliseconds)
        execution.reply.integer(rounded(max(1, overflow ? Int64.max : left), unit))
    }

    private static func replyDeadline(_ execution: Execution, unit: Int64) {
        guard let entry = execution.lookupUntouched(execution.arguments[1]) else { return execution.reply.integer(-2) }
        guard let deadline = entry.deadline else { return execution.reply.integer(-1) }
        execution.reply.integer(rounded(deadline, unit))
    }

    private static func rounded(_ milliseconds: Int64, _ unit: Int64) -> Int64 {
        // Without a sign: the largest deadline has no room for half a unit more.
        Int64((UInt64(max(0, milliseconds)) + UInt64(unit / 2)) / UInt64(unit))
    }
}
