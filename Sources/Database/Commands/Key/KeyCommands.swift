import Base
import RESP

// Commands that work on keys of any type.
extension KeyCommands {
    static func del(_ execution: Execution) {
        var deleted = 0
        for index in 1..<execution.arguments.count where execution.delete(execution.arguments[index]) { deleted += 1 }
        execution.reply.integer(deleted)
    }

    static func unlink(_ execution: Execution) { del(execution) }

    static func exists(_ execution: Execution) {
        var found = 0
        for index in 1..<execution.arguments.count where execution.lookupUntouched(execution.arguments[index]) != nil {
            found += 1
        }
        execution.reply.integer(found)
    }

    static func touch(_ execution: Execution) {
        var found = 0
        for index in 1..<execution.arguments.count {
            guard let entry = execution.lookupRead(execution.arguments[index]) else { continue }
            execution.noteUse(entry)
            found += 1
        }
        execution.reply.integer(found)
    }

    static func type(_ execution: Execution) {
        guard let entry = execution.lookupUntouched(execution.arguments[1]) else { return execution.reply.simple("none") }
        execution.reply.simple(entry.type.name)
    }

    static func randomkey(_ execution: Execution) {
        guard let entry = execution.keyspace.randomEntry(&execution.random, isAlive: { execution.isAlive($0) }) else {
            return execution.reply.null()
        }
        execution.reply.bulk(entry.key)
    }

    // MARK: other names, other databases

    static func rename(_ execution: Execution) {
        let source = execution.arguments[1]
        let destination = execution.arguments[2]
        if execution.lookupWrite(source) == nil { return execution.reply.error("ERR no such key") }
        if !source.equals(destination) { execution.move(source, to: destination, in: execution.keyspace) }
        execution.reply.ok()
    }

    static func renamenx(_ execution: Execution) {
        let source = execution.arguments[1]
        let destination = execution.arguments[2]
        if execution.lookupWrite(source) == nil { return execution.reply.error("ERR no such key") }
        if execution.lookupWrite(destination) != nil { return execution.reply.integer(0) }
        execution.move(source, to: destination, in: execution.keyspace)
        execution.reply.integer(1)
    }

    static func move(_ execution: Execution) {
        let key = execution.arguments[1]
        guard let number = execution.intArgument(2) else { return }
        guard let destination = execution.keyspace(at: number) else {
            return execution.reply.error("ERR DB index is out of range")
        }
        if destination === execution.keyspace {
            return execution.reply.error("ERR source and destination objects are the same")
        }
        if execution.lookupWrite(key) == nil || execution.lookupWrite(key, in: destination) != nil {
            return execution.reply.integer(0)
        }
        execution.move(key, to: key, in: destination)
        execution.reply.integer(1)
    }

    static func copy(_ execution: Execution) {
        let arguments = execution.arguments
        let source = arguments[1]
        let target = arguments[2]
        var destination = execution.keyspace
        var replaces = false
        var index = 3
        while index < arguments.count {
            if arguments[index].equalsIgnoringCase("replace") {
                replaces = true
            } else if arguments[index].equalsIgnoringCase("db"), index + 1 < arguments.count {
                guard let number = execution.intArgument(index + 1) else { return }
                guard let found = execution.keyspace(at: number) else {
                    return execution.reply.error("ERR DB index is out of range")
                }
                destination = found
                index += 1
            } else {
                return execution.syntaxError()
            }
            index += 1
        }
        if destination === execution.keyspace, source.equals(target) {
            return execution.reply.error("ERR source and destination objects are the same")
        }
        guard execution.lookupRead(source) != nil else { return execution.reply.integer(0) }
        if execution.lookupWrite(target, in: destination) != nil, !replaces { return execution.reply.integer(0) }
        execution.copy(source, to: target, in: destination)
        execution.reply.integer(1)
    }
}
