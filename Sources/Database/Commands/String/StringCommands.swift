import Base
import RESP

// Reading and setting whole strings. SET with its options is in StringCommands+Set.
extension StringCommands {
    static func get(_ execution: Execution) { replyValue(execution) }

    /// Replies the string at the first argument, null when it is absent; false after an error.
    @inline(__always)
    @discardableResult
    static func replyValue(_ execution: Execution) -> Bool {
        guard let entry = execution.lookupRead(execution.arguments[1]) else {
            execution.reply.null()
            return true
        }
        if !entry.isString {
            execution.wrongType()
            return false
        }
        execution.replyString(entry)
        return true
    }

    static func getset(_ execution: Execution) {
        if !replyValue(execution) { return }
        execution.setString(execution.arguments[1], execution.arguments[2])
    }

    static func getdel(_ execution: Execution) {
        if !replyValue(execution) { return }
        execution.delete(execution.arguments[1])
    }

    static func mget(_ execution: Execution) {
        let arguments = execution.arguments
        execution.reply.array(arguments.count - 1)
        for index in 1..<arguments.count {
            if let entry = execution.lookupRead(arguments[index]), entry.isString {
                execution.replyString(entry)
            } else {
                execution.reply.null()
            }
        }
    }

    static func mset(_ execution: Execution) {
        if execution.arguments.count % 2 == 0 { return execution.wrongArgumentCount() }
        setPairs(execution)
        execution.reply.ok()
    }

    static func msetnx(_ execution: Execution) {
        let arguments = execution.arguments
        if arguments.count % 2 == 0 { return execution.wrongArgumentCount() }
        for index in stride(from: 1, to: arguments.count, by: 2) where execution.lookupWrite(arguments[index]) != nil {
            return execution.reply.integer(0)
        }
        setPairs(execution)
        execution.reply.integer(1)
    }

    private static func setPairs(_ execution: Execution) {
        let arguments = execution.arguments
        for index in stride(from: 1, to: arguments.count, by: 2) {
            execution.setString(arguments[index], arguments[index + 1])
        }
    }

    static func strlen(_ execution: Execution) {
        guard let entry = execution.lookupRead(execution.arguments[1]) else { return execution.reply.integer(0) }
        if !entry.isString { return execution.wrongType() }
        execution.reply.integer(entry.stringCount)
    }
}
