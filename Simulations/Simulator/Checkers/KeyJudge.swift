import Base

/// Judges the whole history of one key, by the means that fit its use.
struct KeyJudge {
    let name: [UInt8]
    let use: KeySpace.Use
    /// What the key held before the first command.
    var initial = KeyValue.absent

    /// Throws when the history breaks a promise. False when that is too hard to decide.
    ///
    /// - Parameters:
    ///   - operations: in the order of invocation; none may be pending.
    ///   - final: what the key holds behind all of them and nobody changes any more, when that is known otherwise than by a last read.
    func judge(_ operations: [Operation], final: KeyValue? = nil) throws(Violation) -> Bool {
        do throws(Violation) {
            if try isCounted(operations, final) { return true }
            var operations = operations
            if let final { operations.append(KeyJudge.observation(final, behind: operations)) }
            switch LinearizabilityChecker.check(operations, initial: initial) {
            case .linearizable: return true
            case .undecided: return false
            case .violation(let explanation): throw Violation(.linearizability, explanation)
            }
        } catch {
            throw Violation(error.kind, "\(String(decoding: name, as: UTF8.self)): \(error.message)")
        }
    }

    private static func observation(_ value: KeyValue, behind operations: [Operation]) -> Operation {
        let last = operations.reduce(0) { max($0, max($1.invoked, $1.returned ?? 0)) }
        var observation = Operation(connection: -1, key: 0, command: .holds(value), invoked: last + 1)
        observation.outcome = .reply(.ok)
        observation.returned = last + 2
        return observation
    }

    /// Counts what happened to a key whose end shows it. Returns whether that decides about the key's whole history.
    private func isCounted(_ operations: [Operation], _ final: KeyValue?) throws(Violation) -> Bool {
        switch use {
        case .counter:
            if let last = lastString(operations, final) {
                let number = Int64(String(decoding: last, as: UTF8.self)) ?? 0
                try ExactlyOnce.checkCounter(inherited + operations, final: number)
            }
            return false
        case .ledger:
            guard let last = lastString(operations, final) else { return false }
            try ExactlyOnce.checkLedger(inherited + operations, final: last)
            return true
        case .queue:
            guard let last = lastElements(operations, final) else { return false }
            try ExactlyOnce.checkQueue(inherited + operations, final: last)
            return true
        case .register, .list, .hash, .set, .sortedSet: return false
        }
    }

    /// Commands that would have led to what the key held at first.
    private var inherited: [Operation] {
        func done(_ command: KeyCommand, _ reply: Int) -> Operation {
            var operation = Operation(connection: -1, key: 0, command: command, invoked: 0)
            operation.outcome = .reply(.integer(Int64(reply)))
            operation.returned = 0
            return operation
        }
        switch (use, initial) {
        case (.counter, .string(let bytes)):
            return [done(.increment(Int64(String(decoding: bytes, as: UTF8.self)) ?? 0), 0)]
        case (.ledger, .string(let bytes)):
            var length = 0
            return (ExactlyOnce.tokens(bytes) ?? []).map { token in
                length += token.count
                return done(.append(token), length)
            }
        case (.queue, .list(let elements)):
            return elements.enumerated().map { done(.pushRight($0.element), $0.offset + 1) }
        default: return []
        }
    }

    /// What the last read of a string found.
    private func lastString(_ operations: [Operation], _ final: KeyValue?) -> [UInt8]? {
        switch final {
        case .string(let bytes): return bytes
        case .absent: return []
        case nil: break
        default: return nil
        }
        for operation in operations.reversed() where operation.command == .get {
            if case .reply(.bulk(let bytes)) = operation.outcome { return bytes }
            if case .reply(.null) = operation.outcome { return [] }
        }
        return nil
    }

    /// What the last read of a list found.
    private func lastElements(_ operations: [Operation], _ final: KeyValue?) -> [[UInt8]]? {
        switch final {
        case .list(let elements): return elements
        case .absent: return []
        case nil: break
        default: return nil
        }
        for operation in operations.reversed() where operation.command == .listRange {
            guard case .reply(.array(let elements)) = operation.outcome else { continue }
            return elements.map { element in
                if case .bulk(let bytes) = element { return bytes }
                return []
            }
        }
        return nil
    }
}
