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
    /// each append is where its token ends, so the final string shows the order of all of them.
    package static func checkLedger(_ history: [Operation], final: [UInt8]) throws(Violation) {
        let ends = try tokenEnds(final)
        var known = 0
        var finished: [(returned: UInt64, end: Int)] = []
        for operation in history {
            guard case .append(let token) = operation.command else { continue }
            let end = ends[token]
            if end != nil { known += 1 }
            switch operation.outcome {
            case .reply(.integer(let length)):
                guard let end else { throw Violation(.exactlyOnce, "an acknowledged append is not in the ledger: \(operation)") }
                if Int(length) != end {
                    throw Violation(.exactlyOnce, "an append was acknowledged at \(length) and stands at \(end): \(operation)")
                }
                finished.append((operation.returned ?? .max, end))
            case .reply(let other): throw Violation(.exactlyOnce, "an append was answered with \(other): \(operation)")
            case .refused:
                if end != nil { throw Violation(.exactlyOnce, "a refused append is in the ledger: \(operation)") }
            case .unknown, .pending: break
            }
        }
        if known != ends.count {
            throw Violation(.exactlyOnce, "the ledger holds \(ends.count) tokens, \(known) of them were ever sent")
        }
        try checkOrder(history, ends: ends, finished: finished)
    }

    /// What was sent after another append's reply stands behind it.
    private static func checkOrder(
        _ history: [Operation], ends: [[UInt8]: Int], finished: [(returned: UInt64, end: Int)]
    ) throws(Violation) {
        let finished = finished.sorted { $0.returned < $1.returned }
        var next = 0
        var furthest = 0
        for operation in history {
            guard case .append(let token) = operation.command else { continue }
            while next < finished.count, finished[next].returned < operation.invoked {
                furthest = max(furthest, finished[next].end)
                next += 1
            }
            if let end = ends[token], end <= furthest {
                throw Violation(
                    .exactlyOnce,
                    "an append stands at \(end), before what was acknowledged at \(furthest) when it was sent: \(operation)")
            }
        }
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
