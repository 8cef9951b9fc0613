import Base

/// When the requests of a load with a rate are due: in groups, a millisecond apart.
package struct Pace: Equatable, Sendable {
    /// Between two groups.
    package static let interval = Nanoseconds.milliseconds(1)
    private let requestsPerInterval: Double
    private let start: Instant
    /// Requests that were sent.
    package var sent: UInt64 = 0

    /// A load that begins at `start`.
    package init(requestsPerSecond: Double, start: Instant) {
        check(requestsPerSecond > 0, "a rate is more than nothing")
        requestsPerInterval = requestsPerSecond * Double(Pace.interval.rawValue) / 1e9
        self.start = start
    }

    /// Requests that are due by `now`, in all.
    package func due(at now: Instant) -> UInt64 {
        let intervals = (now - start).rawValue / Pace.interval.rawValue
        return UInt64(Double(intervals) * requestsPerInterval)
    }

    /// When the request with this number, from 0 on, is due.
    package func time(of request: UInt64) -> Instant {
        var interval = UInt64(Double(request + 1) / requestsPerInterval)
        // The division may be off by one either way.
        while UInt64(Double(interval) * requestsPerInterval) <= request { interval += 1 }
        while interval > 0 && UInt64(Double(interval - 1) * requestsPerInterval) > request { interval -= 1 }
        return start + Nanoseconds(interval * Pace.interval.rawValue)
    }
}
