import Base

/// How fast a node encodes its state for its disk, file by file: state files, and parts of distributed snapshots (DESIGN, rule 7.6: nothing stops).
///
/// While there is work for clients, each file goes on at a rate, so that neither the processor nor the disk is taken from them: a log write that waits
/// behind a state on its way to the same disk is a client that waits. When there has been none for a while, as fast as can be.
struct BackgroundPace {
    /// So long after work for clients there is probably more.
    static let calmAfter = Nanoseconds.milliseconds(5)
    /// Bytes that are worth a slice.
    static let leastBytes = 4096
    /// A state of any size is encoded within about so many seconds, if the machine can do it.
    static let secondsMax = 60

    private let options: StateFileOptions
    private var workedAt: Instant?
    private var filledAt = Instant(nanoseconds: 0)
    /// Bytes, and fractions of one.
    private var allowance = 0.0
    private(set) var isBusy = false
    /// Bytes a second while there is work.
    private var rate: Int

    init(_ options: StateFileOptions) {
        self.options = options
        rate = options.busyBytesPerSecond
    }

    /// A state of about so many bytes is encoded from now on.
    mutating func begin(stateBytes: Int) { rate = rate(stateBytes) }

    private func rate(_ stateBytes: Int) -> Int { max(options.busyBytesPerSecond, stateBytes / BackgroundPace.secondsMax) }

    /// How long a state of about so many bytes takes while there is work, if the machine can do it.
    func duration(stateBytes: Int) -> Nanoseconds {
        Nanoseconds(UInt64(Double(stateBytes) / Double(rate(stateBytes)) * 1e9))
    }

    /// The turn that ends had something to do for clients.
    mutating func noteWork(_ now: Instant) { workedAt = now }

    /// Bytes that each file may go on by in the turn that ends; 0 for none.
    mutating func slice(now: Instant) -> Int {
        isBusy = workedAt.map { now < $0 + BackgroundPace.calmAfter } ?? false
        let elapsed = now > filledAt ? (now - filledAt).rawValue : 0
        filledAt = now
        guard isBusy else { return options.idleTurnBytes }
        // A second's worth is more than a slice in any case.
        let earned = Double(rate) * Double(min(elapsed, 1_000_000_000)) / 1e9
        allowance = min(Double(options.busyTurnBytes), allowance + earned)
        let bytes = Int(allowance)
        check(bytes >= 0 && bytes <= options.busyTurnBytes, "a slice of a busy turn is small")
        if bytes < min(BackgroundPace.leastBytes, options.busyTurnBytes) { return 0 }
        allowance -= Double(bytes)
        return bytes
    }

    /// When the next slice is due, though nothing happens.
    var nextSlice: Instant { isBusy ? filledAt + .microseconds(500) : filledAt }
}
