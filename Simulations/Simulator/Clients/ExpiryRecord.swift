import Base

/// What is known of the keys with a time to live, and the rules that every read of one must keep.
struct ExpiryRecord {
    private struct Entry {
        var value: [UInt8]
        var lifetime: Nanoseconds
        var sentAt: Instant
        var setAt: Instant?
        /// When a reader first learnt that the key was gone after it had been set.
        var goneAt: Instant?
        var mayExist = true
    }

    private var entries: [Entry] = []

    var count: Int { entries.count }

    /// When the last one is over, clocks apart.
    private(set) var lastEnd = Instant(nanoseconds: 0)

    /// In front of the keys' numbers: other ones for each run that goes on from an earlier one.
    private let prefix: String

    init(prefix: String = "expiring:") { self.prefix = prefix }

    func name(_ number: Int) -> [UInt8] { Array("\(prefix)\(number)".utf8) }

    /// Notes that a key is being set. Returns its number.
    mutating func set(value: [UInt8], lifetime: Nanoseconds, at time: Instant) -> Int {
        entries.append(Entry(value: value, lifetime: lifetime, sentAt: time))
        lastEnd = max(lastEnd, time + lifetime)
        return entries.count - 1
    }

    /// The key was set.
    mutating func acknowledged(_ number: Int, at time: Instant) { entries[number].setAt = time }

    /// The key was certainly not set.
    mutating func refused(_ number: Int) { entries[number].mayExist = false }

    /// Checks a read that was sent at `sentAt` and answered at `time`.
    ///
    /// - Parameter slack: how much wall clocks may differ; nil when somebody sets them.
    mutating func read(
        _ number: Int, _ reply: Reply, sentAt: Instant, at time: Instant, slack: Nanoseconds?
    ) throws(Violation) {
        let entry = entries[number]
        let name = String(decoding: self.name(number), as: UTF8.self)
        switch reply {
        case .bulk(let bytes):
            if bytes != entry.value || !entry.mayExist {
                throw Violation(.expiry, "\(name) holds \(abbreviated(bytes)), which it was not set to")
            }
            if let gone = entry.goneAt, gone < sentAt {
                throw Violation(.expiry, "\(name) was gone at \(seconds(gone)) and is back at \(seconds(time))")
            }
        case .null:
            guard let setAt = entry.setAt, setAt < sentAt else { return }
            if let slack, time + slack + .milliseconds(2) < entry.sentAt + entry.lifetime {
                throw Violation(
                    .expiry,
                    "\(name) was set after \(seconds(entry.sentAt)) for \(entry.lifetime.rawValue / 1_000_000) ms and is gone at "
                        + seconds(time))
            }
            entries[number].goneAt = min(entry.goneAt ?? time, time)
        default: throw Violation(.reply, "a read of \(name) is answered with \(reply)")
        }
    }
}
