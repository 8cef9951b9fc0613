import Base

/// Checks that every acknowledged command on a key had its effect exactly once, and every one of unknown outcome at most once,
/// by what the key holds in the end. Much cheaper than the search for an order, and it names the command that was lost or doubled.
package enum ExactlyOnce {
    /// A counter that started at 0 and that only `increment` changed.
    package static func checkCounter(_ history: [Operation], final: Int64) throws(Violation) {
        var acknowledged: Int64 = 0
        var doubtful: [Int64] = []
        for operation in history {
            guard case .increment(let amount) = operation.command else { continue }
            switch operation.outcome {
            case .reply(.integer): acknowledged += amount
            case .reply(let other): throw Violation(.exactlyOnce, "an increment was answered with \(other): \(operation)")
            case .unknown: doubtful.append(amount)
            case .refused, .pending: break
            }
        }
        if !sums(doubtful).contains(final - acknowledged) {
            throw Violation(
                .exactlyOnce,
                "the counter holds \(final): \(acknowledged) were acknowledged, and \(doubtful.count) increments of unknown outcome "
                    + "(\(doubtful.map(String.init).joined(separator: " "))) can't make up for the difference")
        }
    }

    /// All sums of some of the amounts. The amounts are small and repeat, so there are few sums.
    private static func sums(_ amounts: [Int64]) -> Set<Int64> {
        var sums: Set<Int64> = [0]
        for amount in amounts { sums.formUnion(sums.map { $0 + amount }) }
        return sums
    }

    /// A string that started empty and to which only `append` added, each time a token of its own, closed by ";". The reply of
    /// each append is where its token ends, so the final string shows the order of all of them. With that order known, this
    /// decides linearizability too: every answer must fit the string as it was at some moment, and the moments must not
    /// contradict the order in which commands were sent and answered.
    package static func checkLedger(_ history: [Operation], final: [UInt8]) throws(Violation) {
        let ends = try tokenEnds(final)
        var known = 0
        var answered: [(operation: Operation, length: Int)] = []
        for operation in history {
            switch operation.command {
            case .append(let token):
                let end = ends[token]
                if end != nil { known += 1 }
                try checkAppend(operation, end: end)
                if operation.returned != nil, let end { answered.append((operation, end)) }
            default:
                if let length = try seenLength(operation, ends: ends, final: final) { answered.append((operation, length)) }
            }
        }
        if known != ends.count {
            throw Violation(.exactlyOnce, "the ledger holds \(ends.count) tokens, \(known) of them were ever sent")
        }
        try checkOrder(history, ends: ends, answered: answered)
    }

    private static func checkAppend(_ operation: Operation, end: Int?) throws(Violation) {
        switch operation.outcome {
        case .reply(.integer(let length)):
            guard let end else { throw Violation(.exactlyOnce, "an acknowledged append is not in the ledger: \(operation)") }
            if Int(length) != end {
                throw Violation(.exactlyOnce, "an append was acknowledged at \(length) and stands at \(end): \(operation)")
            }
        case .reply(let other): throw Violation(.exactlyOnce, "an append was answered with \(other): \(operation)")
        case .refused:
            if end != nil { throw Violation(.exactlyOnce, "a refused append is in the ledger: \(operation)") }
        case .unknown, .pending: break
        }
    }

    /// How long the ledger was when a read saw it; nil when the read says nothing of it.
    private static func seenLength(
        _ operation: Operation, ends: [[UInt8]: Int], final: [UInt8]
    ) throws(Violation) -> Int? {
        guard case .reply(let reply) = operation.outcome else { return nil }
        let length: Int
        switch (operation.command, reply) {
        case (.length, .integer(let number)): length = Int(number)
        case (.get, .bulk(let bytes)):
            if !final.starts(with: bytes) { throw Violation(.linearizability, "the ledger changed behind a read: \(operation)") }
            length = bytes.count
        case (.get, .null): length = 0
        default: return nil
        }
        if length < 0 || length > final.count || (length > 0 && final[length - 1] != UInt8(ascii: ";")) {
            throw Violation(.linearizability, "the ledger was never of this length: \(operation)")
        }
        return length
    }

    /// What was sent after another command's reply saw at least what that one saw; an append stands behind it.
    private static func checkOrder(
        _ history: [Operation], ends: [[UInt8]: Int], answered: [(operation: Operation, length: Int)]
    ) throws(Violation) {
        let finished = answered.sorted { ($0.operation.returned ?? .max) < ($1.operation.returned ?? .max) }
        var lengths: [UInt64: Int] = [:]
        for (operation, length) in answered { lengths[operation.invoked] = length }
        var next = 0
        var furthest = 0
        for operation in history {
            while next < finished.count, (finished[next].operation.returned ?? .max) < operation.invoked {
                furthest = max(furthest, finished[next].length)
                next += 1
            }
            if case .append(let token) = operation.command {
                guard let end = ends[token], end <= furthest else { continue }
                throw Violation(
                    .exactlyOnce,
                    "an append stands at \(end), before the \(furthest) that were there when it was sent: \(operation)")
            } else if let length = lengths[operation.invoked], length < furthest {
                throw Violation(
                    .linearizability, "a read sees \(length) bytes of the ledger, where \(furthest) were there: \(operation)")
            }
        }
    }

    /// The tokens of a ledger, in order; nil where it is none.
    static func tokens(_ ledger: [UInt8]) -> [[UInt8]]? {
        guard let ends = try? tokenEnds(ledger) else { return nil }
        return ends.sorted { $0.value < $1.value }.map(\.key)
    }

    private static func tokenEnds(_ ledger: [UInt8]) throws(Violation) -> [[UInt8]: Int] {
        var ends: [[UInt8]: Int] = [:]
        var start = 0
        for (offset, byte) in ledger.enumerated() where byte == UInt8(ascii: ";") {
            let token = Array(ledger[start...offset])
            if let before = ends.updateValue(offset + 1, forKey: token) {
                throw Violation(.exactlyOnce, "the ledger holds \(abbreviated(token)) twice, at \(before) and at \(offset + 1)")
            }
            start = offset + 1
        }
        if start != ledger.count { throw Violation(.exactlyOnce, "the ledger ends in the middle of a token") }
        return ends
    }
}
