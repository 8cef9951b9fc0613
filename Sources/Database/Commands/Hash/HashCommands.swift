import Base
import RESP

// Commands that read a hash or set whole fields.
extension HashCommands {
    // MARK: setting

    static func hset(_ execution: Execution) {
        guard let created = setFields(execution) else { return }
        execution.reply.integer(created)
    }

    static func hmset(_ execution: Execution) {
        if setFields(execution) != nil { execution.reply.ok() }
    }

    /// Sets the pairs from argument 2 on; how many fields are new, nil after an error was replied.
    private static func setFields(_ execution: Execution) -> Int? {
        let arguments = execution.arguments
        if arguments.count % 2 == 1 {
            execution.wrongArgumentCount()
            return nil
        }
        let key = arguments[1]
        let hash: HashValue
        var isNew = false
        switch execution.write(HashValue.self, at: key) {
        case .wrongType: return nil
        case .value(let found): hash = found
        case .absent:
            hash = HashValue()
            isNew = true
        }
        let (seed, limits) = (execution.seed, execution.limits)
        if hash.isPacked {
            var longest = 0
            for index in 2..<arguments.count { longest = max(longest, arguments[index].count) }
            hash.prepare(forBytes: longest, seed: seed, limits: limits)
        }
        var created = 0
        var index = 2
        while index < arguments.count {
            if hash.set(arguments[index], to: arguments[index + 1], seed: seed, limits: limits) { created += 1 }
            index += 2
        }
        store(hash, isNew: isNew, at: key, execution)
        return created
    }

    /// Puts a hash that was changed back, or in where it is new.
    @inline(__always)
    static func store(_ hash: HashValue, isNew: Bool, at key: ByteView, _ execution: Execution) {
        if isNew { execution.setCollection(key, hash) } else { execution.changed(hash, at: key) }
    }

    static func hsetnx(_ execution: Execution) {
        let arguments = execution.arguments
        let (seed, limits) = (execution.seed, execution.limits)
        let hash: HashValue
        var isNew = false
        switch execution.write(HashValue.self, at: arguments[1]) {
        case .wrongType: return
        case .absent:
            hash = HashValue()
            isNew = true
        case .value(let found):
            if found.value(of: arguments[2], seed: seed) != nil { return execution.reply.integer(0) }
            hash = found
        }
        _ = hash.set(arguments[2], to: arguments[3], seed: seed, limits: limits)
        store(hash, isNew: isNew, at: arguments[1], execution)
        execution.reply.integer(1)
    }

    static func hdel(_ execution: Execution) {
        let arguments = execution.arguments
        let isThere = execution.change(HashValue.self, at: arguments[1]) { hash in
            var removed = 0
            for index in 2..<arguments.count where hash.remove(arguments[index], seed: execution.seed) { removed += 1 }
            execution.reply.integer(removed)
            return removed > 0
        }
        if !isThere { execution.reply.integer(0) }
    }

    // MARK: reading

    static func hget(_ execution: Execution) {
        let arguments = execution.arguments
        guard case .value(let hash) = execution.found(execution.read(HashValue.self, at: arguments[1]), { $0.null() })
        else { return }
        guard let value = hash.value(of: arguments[2], seed: execution.seed) else { return execution.reply.null() }
        execution.reply.bulk(value)
    }

    static func hmget(_ execution: Execution) {
        let arguments = execution.arguments
        var hash: HashValue?
        switch execution.read(HashValue.self, at: arguments[1]) {
        case .wrongType: return
        case .absent: break
        case .value(let found): hash = found
        }
        execution.reply.array(arguments.count - 2)
        for index in 2..<arguments.count {
            if let value = hash?.value(of: arguments[index], seed: execution.seed) {
                execution.reply.bulk(value)
            } else {
                execution.reply.null()
            }
        }
    }

    static func hexists(_ execution: Execution) {
        let arguments = execution.arguments
        guard case .value(let hash) = execution.found(execution.read(HashValue.self, at: arguments[1]), { $0.integer(0) })
        else { return }
        execution.reply.integer(hash.value(of: arguments[2], seed: execution.seed) == nil ? 0 : 1)
    }

    static func hlen(_ execution: Execution) {
        let found = execution.readCount(.hash, at: execution.arguments[1])
        guard case .value(let count) = execution.found(found, { $0.integer(0) }) else { return }
        execution.reply.integer(count)
    }

    static func hstrlen(_ execution: Execution) {
        let arguments = execution.arguments
        guard case .value(let hash) = execution.found(execution.read(HashValue.self, at: arguments[1]), { $0.integer(0) })
        else { return }
        execution.reply.integer(hash.value(of: arguments[2], seed: execution.seed)?.byteCount ?? 0)
    }

    static func hgetall(_ execution: Execution) {
        let found = execution.read(HashValue.self, at: execution.arguments[1])
        guard case .value(let hash) = execution.found(found, { $0.map(0) }) else { return }
        let reply = execution.reply
        reply.map(hash.count)
        hash.forEach { field, value in
            reply.bulk(field)
            reply.bulk(value)
        }
    }

    static func hkeys(_ execution: Execution) {
        let found = execution.read(HashValue.self, at: execution.arguments[1])
        guard case .value(let hash) = execution.found(found, { $0.array(0) }) else { return }
        let reply = execution.reply
        reply.array(hash.count)
        hash.forEach { field, _ in reply.bulk(field) }
    }

    static func hvals(_ execution: Execution) {
        let found = execution.read(HashValue.self, at: execution.arguments[1])
        guard case .value(let hash) = execution.found(found, { $0.array(0) }) else { return }
        let reply = execution.reply
        reply.array(hash.count)
        hash.forEach { _, value in reply.bulk(value) }
    }
}
