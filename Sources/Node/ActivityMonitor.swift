import Base

/// What a node did in the last second or two, for INFO's `instantaneous_*` figures, and the most memory its data has taken.
struct ActivityMonitor {
    /// Sums since the start of this run.
    struct Sums: Equatable {
        var commands: UInt64 = 0
        var bytesIn: UInt64 = 0
        var bytesOut: UInt64 = 0
    }

    /// What was done per second.
    struct Rates: Equatable {
        var commands: UInt64 = 0
        var bytesIn: UInt64 = 0
        var bytesOut: UInt64 = 0
    }

    private static let interval = Nanoseconds(100_000_000)
    private static let window = Nanoseconds(1_600_000_000)

    /// Oldest first: at most one sample an interval, none older than the window but the first.
    private var samples: [(at: Instant, sums: Sums)] = []
    /// The most bytes that data took when a sample was made.
    private(set) var memoryPeak = 0

    /// Whether it is time for a sample.
    func isDue(_ now: Instant) -> Bool { samples.last.map { now - $0.at >= ActivityMonitor.interval } ?? true }

    /// Notes the sums of now.
    mutating func note(_ sums: Sums, memory: Int, at now: Instant) {
        memoryPeak = max(memoryPeak, memory)
        if !isDue(now) { return }
        samples.append((now, sums))
        while samples.count > 2, now - samples[1].at >= ActivityMonitor.window { samples.removeFirst() }
        check(samples.count <= 20, "a window has room for so many intervals")
    }

    /// The rates between the oldest sample and now.
    func rates(_ sums: Sums, at now: Instant) -> Rates {
        guard let first = samples.first, now - first.at >= ActivityMonitor.interval else { return Rates() }
        let milliseconds = max(1, (now - first.at).rawValue / 1_000_000)
        func perSecond(_ from: UInt64, _ to: UInt64) -> UInt64 { (to - min(from, to)) * 1000 / milliseconds }
        return Rates(
            commands: perSecond(first.sums.commands, sums.commands), bytesIn: perSecond(first.sums.bytesIn, sums.bytesIn),
            bytesOut: perSecond(first.sums.bytesOut, sums.bytesOut))
    }
}
