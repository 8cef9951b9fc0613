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
    /// The words without an argument.
    struct Words: OptionSet {
        let rawValue: UInt8
        static let onlyIfAbsent = Words(rawValue: 1)
        static let onlyIfPresent = Words(rawValue: 2)
        static let returnsOld = Words(rawValue: 4)
        static let keepsDeadline = Words(rawValue: 8)
        static let persists = Words(rawValue: 16)
    }
    var words: Words = []
    var unit: Unit?
    /// The argument that holds the deadline.
    var deadlineIndex = 0

    /// Reads the words from `start` on; nil is a syntax error.
    init?(_ arguments: Arguments.Views, from start: Int, isSet: Bool) {
        var index = start
        while index < arguments.count {
            let text = arguments[index]
            if let unit = SetOptions.unit(text) {
                if index + 1 == arguments.count || !words.isDisjoint(with: [.keepsDeadline, .persists]) { return nil }
                if let before = self.unit, before != unit { return nil }
                self.unit = unit
                deadlineIndex = index + 1
                index += 2
                continue
            }
            guard let word = isSet ? SetOptions.setWord(text) : SetOptions.getexWord(text) else { return nil }
            words.insert(word)
            if words.isSuperset(of: [.onlyIfAbsent, .onlyIfPresent]) { return nil }
            if unit != nil, !words.isDisjoint(with: [.keepsDeadline, .persists]) { return nil }
            index += 1
        }
    }

    private static func setWord(_ text: ByteView) -> Words? {
        if text.equalsIgnoringCase("nx") { return .onlyIfAbsent }
        if text.equalsIgnoringCase("xx") { return .onlyIfPresent }
        if text.equalsIgnoringCase("get") { return .returnsOld }
        if text.equalsIgnoringCase("keepttl") { return .keepsDeadline }
        return nil
    }

    private static func getexWord(_ text: ByteView) -> Words? { text.equalsIgnoringCase("persist") ? .persists : nil }

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
        var deadline: DeadlineChange = options.words.contains(.keepsDeadline) ? .keep : .none
        if let unit = options.unit {
            guard let time = absoluteDeadline(execution, arguments[options.deadlineIndex], unit) else { return }
            deadline = .at(time)
        }
        let returnsOld = options.words.contains(.returnsOld)
        if returnsOld, !replyValue(execution) { return }
        if options.words.isDisjoint(with: [.onlyIfAbsent, .onlyIfPresent, .keepsDeadline]) == false {
            let found = execution.lookupWrite(arguments[1]) != nil
            if options.words.contains(found ? .onlyIfAbsent : .onlyIfPresent) {
                if !returnsOld { execution.reply.null() }
                return
            }
        }
        execution.setString(arguments[1], arguments[2], deadline: deadline)
        if !returnsOld { execution.reply.ok() }
    }

    /// SET reads its key only when it is asked for the old value.
    @Sendable
    static func setKeyFlags(_ arguments: Arguments) -> KeyFlags {
        for index in 3..<max(3, arguments.count) where arguments[index].equalsIgnoringCase("get") {
            return [.readWrite, .access, .update]
        }
        return [.overwrite, .update]
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
        } else if options.words.contains(.persists), entry.deadline != nil {
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
