import Base

/// Delays of this node that were longer than `latency-monitor-threshold` (Redis, LATENCY), the last 160 seconds of each kind.
struct LatencyMonitor {
    /// One second's longest delay.
    struct Sample {
        let seconds: Int64
        var milliseconds: Int64
    }

    /// The delays of one kind.
    struct Event {
        let name: String
        /// Oldest first, at most `samplesMax`.
        var samples: [Sample] = []
        /// The longest since the last reset.
        var longest: Int64 = 0
    }

    private static let samplesMax = 160

    /// In order of first appearance; there are a few kinds.
    private(set) var events: [Event] = []

    /// Notes a delay; several of one second are kept as the longest, as Redis does.
    mutating func note(_ name: StaticString, _ time: Nanoseconds, seconds: Int64) {
        let milliseconds = Int64(time.rawValue / 1_000_000)
        let name = name.description
        var position = events.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
        if position == nil {
            position = events.count
            events.append(Event(name: name))
        }
        guard let position else { return }
        events[position].longest = max(events[position].longest, milliseconds)
        if let last = events[position].samples.indices.last, events[position].samples[last].seconds == seconds {
            events[position].samples[last].milliseconds = max(events[position].samples[last].milliseconds, milliseconds)
            return
        }
        if events[position].samples.count == LatencyMonitor.samplesMax { events[position].samples.removeFirst() }
        events[position].samples.append(Sample(seconds: seconds, milliseconds: milliseconds))
    }

    /// The event of a name.
    func event(_ name: ByteView) -> Event? { events.first { $0.name.utf8.elementsEqual(name.array) } }

    /// Forgets the events whose names are given, or all; returns how many there were.
    mutating func reset(_ names: [ByteView]) -> Int {
        let before = events.count
        if names.isEmpty {
            events = []
        } else {
            events.removeAll { event in names.contains { event.name.utf8.elementsEqual($0.array) } }
        }
        return before - events.count
    }
}
