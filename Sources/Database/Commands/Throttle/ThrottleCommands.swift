import Base
import RESP

/// The generic cell rate algorithm, a leaky bucket without a drip: all that is kept of a key is when it would be empty again if
/// its requests had come evenly (the *theoretical arrival time*). In nanoseconds of the log's time.
///
/// Sources: ITU-T I.371, annex A; the words and replies are those of the redis-cell module.
struct CellRate {
    /// Time that one request takes up.
    let emissionInterval: Int128
    /// How far ahead of its even pace a key may be.
    let tolerance: Int128

    /// What a request gets.
    struct Outcome: Equatable {
        var isLimited: Bool
        /// Requests that would be let through now.
        var remaining: Int64
        /// Until the same request would be let through; nil where it was, or never will be.
        var retryAfter: Int128?
        /// Until everything is as if nothing had come.
        var resetAfter: Int128
        /// The new theoretical arrival time.
        var arrival: Int128
    }

    /// - Parameters:
    ///   - burst: requests that may come at once beyond the first.
    ///   - count: requests in a period, 1 or more.
    ///   - seconds: the period.
    init(burst: Int64, count: Int64, seconds: Int64) {
        check(burst >= 0 && count > 0 && seconds > 0, "a rate has a burst, a count and a period")
        emissionInterval = Int128(seconds) * 1_000_000_000 / Int128(count)
        let (product, overflow) = emissionInterval.multipliedReportingOverflow(by: Int128(burst) + 1)
        tolerance = overflow ? .max : product
    }

    /// Decides about a request of some size at `now`. `arrival` is what is known of the key.
    func request(_ quantity: Int64, arrival: Int128?, now: Int128) -> Outcome {
        let known = max(arrival ?? now, now)
        let increment = emissionInterval * Int128(quantity)
        let next = known + increment
        let wait = next - tolerance - now
        let isLimited = wait > 0
        let ahead = isLimited ? known - now : next - now
        let room = tolerance - ahead
        return Outcome(
            isLimited: isLimited, remaining: room > 0 ? Int64(clamping: room / emissionInterval) : 0,
            retryAfter: isLimited && increment <= tolerance ? wait : nil, resetAfter: ahead,
            arrival: isLimited ? known : next)
    }
}

extension ThrottleCommands {
    /// The farthest that a rate may reach into the future: about 36 years.
    private static let toleranceMax: Int128 = 1 << 60

    static func throttle(_ execution: Execution) {
        let arguments = execution.arguments
        if arguments.count > 6 { return execution.wrongArgumentCount() }
        guard let (rate, limit, quantity) = rate(execution) else { return }
        let key = arguments[1]
        var arrival: Int128?
        if let entry = execution.lookupWrite(key) {
            if !entry.isString { return execution.wrongType() }
            guard let number = entry.integer ?? parseInteger(entry.bytes) else { return execution.notInteger() }
            arrival = Int128(number)
        }
        let now = Int128(execution.now.microseconds) * 1000
        let outcome = rate.request(quantity, arrival: arrival, now: now)
        if !outcome.isLimited, quantity > 0 {
            guard let value = Int64(exactly: outcome.arrival) else { return execution.reply.error(tooFar) }
            // Gone as soon as it says no more than an absent key.
            execution.setInteger(key, value, deadline: .at((value + 999_999) / 1_000_000))
        }
        let reply = execution.reply
        reply.array(5)
        reply.integer(outcome.isLimited ? 1 : 0)
        reply.integer(limit)
        reply.integer(outcome.remaining)
        reply.integer(outcome.retryAfter.map { seconds($0) } ?? -1)
        reply.integer(seconds(outcome.resetAfter))
    }

    private static let tooFar: StaticString = "ERR max_burst and period reach too far into the future"

    /// Whole seconds, rounded up: who waits so long waits long enough.
    private static func seconds(_ nanoseconds: Int128) -> Int64 { Int64(clamping: (nanoseconds + 999_999_999) / 1_000_000_000) }

    /// The rate that the arguments ask for, the limit and the quantity. Nil after the error was replied.
    private static func rate(_ execution: Execution) -> (rate: CellRate, limit: Int64, quantity: Int64)? {
        let arguments = execution.arguments
        var numbers: [Int64] = []
        let names: [(StaticString, Int64)] = [
            ("ERR max_burst must be an integer, 0 or more", 0), ("ERR count_per_period must be an integer, 1 or more", 1),
            ("ERR period must be an integer number of seconds, 1 or more", 1), ("ERR quantity must be an integer, 0 or more", 0),
        ]
        for index in 2..<arguments.count {
            let (error, least) = names[index - 2]
            guard let number = parseInteger(arguments[index]), number >= least else {
                execution.reply.error(error)
                return nil
            }
            numbers.append(number)
        }
        let (limit, overflow) = numbers[0].addingReportingOverflow(1)
        let rate = CellRate(burst: numbers[0], count: numbers[1], seconds: numbers[2])
        if rate.emissionInterval == 0 {
            execution.reply.error("ERR count_per_period is more than one in a nanosecond")
            return nil
        }
        if overflow || rate.tolerance > toleranceMax {
            execution.reply.error(tooFar)
            return nil
        }
        return (rate, limit, numbers.count > 3 ? numbers[3] : 1)
    }
}
