import Base
import RESP

/// The options of SET and GETEX.
private struct SetOptions {
    /// How a deadline is given.
    enum Unit {
        case seconds, milliseconds, unixSeconds, unixMilliseconds
        var isRelative: Bool { self == .seconds || self == .milliseconds }
        var isSeconds: Bool { self == .seconds || self == .unixSeconds }
    }
    var onlyIfAbsent = false
    var onlyIfPresent = false
    var returnsOld = false
    var keepsDeadline = false
    var persists = false
    var unit: Unit?
    /// The argument that holds the deadline.
    var deadlineIndex = 0

    /// Reads the words from `start` on; nil is a syntax error.
    init?(_ arguments: Arguments, from start: Int, isSet: Bool) {
        var index = start
        while index < arguments.count {
            let word = arguments[index]
            let hasNext = index + 1 < arguments.count
            if isSet, word.equalsIgnoringCase("nx"), !onlyIfPresent {
                onlyIfAbsent = true
            } else if isSet, word.equalsIgnoringCase("xx"), !onlyIfAbsent {
                onlyIfPresent = true
            } else if isSet, word.equalsIgnoringCase("get") {
                returnsOld = true
            } else if isSet, word.equalsIgnoringCase("keepttl"), unit == nil {
                keepsDeadline = true
            } else if !isSet, word.equalsIgnoringCase("persist"), unit == nil {
                persists = true
            } else if let found = SetOptions.unit(word), hasNext, !keepsDeadline, !persists, unit == nil || unit == found {
                unit = found
                deadlineIndex = index + 1
                index += 1
            } else {
                return nil
            }
            index += 1
        }
    }

    private static func unit(_ word: ByteView) -> Unit? {
        if word.equalsIgnoringCase("ex") { return .seconds }
        if word.equalsIgnoringCase("px") { return .milliseconds }
        if word.equalsIgnoringCase("exat") { return .unixSeconds }
        if word.equalsIgnoringCase("pxat") { return .unixMilliseconds }
        return nil
    }
}

extension StringCommands {
    static func set(_ execution: Execution) {
        let arguments = execution.arguments
        if arguments.count == 3 {
            execution.setString(arguments[1], arguments[2])
            return execution.reply.ok()
        }
        guard let options = SetOptions(arguments, from: 3, isSet: true) else { return execution.syntaxError() }
        var deadline: DeadlineChange = options.keepsDeadline ? .keep : .none
        if let unit = options.unit {
            guard let time = absoluteDeadline(execution, arguments[options.deadlineIndex], unit) else { return }
            deadline = .at(time)
        }
        if options.returnsOld, !replyValue(execution) { return }
        if options.onlyIfAbsent || options.onlyIfPresent || options.keepsDeadline {
            let found = execution.lookupWrite(arguments[1]) != nil
            if (options.onlyIfAbsent && found) || (options.onlyIfPresent && !found) {
                if !options.returnsOld { execution.reply.null() }
                return
            }
        }
        execution.setString(arguments[1], arguments[2], deadline: deadline)
        if !options.returnsOld { execution.reply.ok() }
    }

    static func setnx(_ execution: Execution) {
        if execution.lookupWrite(execution.arguments[1]) != nil { return execution.reply.integer(0) }
        execution.setString(execution.arguments[1], execution.arguments[2])
        execution.reply.integer(1)
    }

    static func setex(_ execution: Execution) { setWithDeadline(execution, .seconds) }

    static func psetex(_ execution: Execution) { setWithDeadline(execution, .milliseconds) }

    private static func setWithDeadline(_ execution: Execution, _ unit: SetOptions.Unit) {
        let arguments = execution.arguments
        guard let deadline = absoluteDeadline(execution, arguments[2], unit) else { return }
        execution.setString(arguments[1], arguments[3], deadline: .at(deadline))
        execution.reply.ok()
    }

    static func getex(_ execution: Execution) {
        let arguments = execution.arguments
        let key = arguments[1]
        guard let options = SetOptions(arguments, from: 2, isSet: false) else { return execution.syntaxError() }
        guard let entry = execution.lookupRead(key) else { return execution.reply.null() }
        if !entry.isString { return execution.wrongType() }
        var deadline: Int64?
        if let unit = options.unit {
            deadline = absoluteDeadline(execution, arguments[options.deadlineIndex], unit)
            if deadline == nil { return }
        }
        execution.replyString(entry)
        if let deadline {
            if deadline <= execution.nowMilliseconds {
                execution.delete(key)
            } else {
                execution.setDeadline(key, deadline)
            }
        } else if options.persists, entry.deadline != nil {
            execution.setDeadline(key, nil)
        }
    }

    /// The deadline in milliseconds since 1970 that an argument asks for; nil after an error reply.
    private static func absoluteDeadline(
        _ execution: Execution, _ argument: ByteView, _ unit: SetOptions.Unit
    ) -> Int64? {
        guard var value = parseInteger(argument) else {
            execution.notInteger()
            return nil
        }
        if value <= 0 || (unit.isSeconds && value > Int64.max / 1000) {
            execution.invalidExpireTime()
            return nil
        }
        if unit.isSeconds { value *= 1000 }
        if unit.isRelative {
            if value > Int64.max - execution.nowMilliseconds {
                execution.invalidExpireTime()
                return nil
            }
            value += execution.nowMilliseconds
        }
        return value
    }
}
