import Base

/// The two clocks of a machine, as functions of the simulation's time: a monotonic one that runs a little too fast or too
/// slow, and a wall clock that somebody may set.
package struct SimulatedClock: Sendable {
    /// Microseconds that the wall clock shows at the simulation's time 0, before anybody sets it: 2026-01-01.
    package static let epoch: Int64 = 1_767_225_600_000_000

    /// How much too fast, in parts per million; negative is too slow.
    private var drift: Int64
    /// The simulation's time and the machine's at which the present drift began.
    private var base: Instant
    private var origin: UInt64
    /// What the wall clock shows at the simulation's time 0.
    private let epoch: Int64
    /// How much the wall clock is ahead, in microseconds.
    package var wallOffset: Int64 = 0

    /// A clock that shows `origin` nanoseconds at the simulation's time `base`.
    package init(
        origin: UInt64, base: Instant, driftPartsPerMillion drift: Int64, epoch: Int64 = SimulatedClock.epoch
    ) {
        check(drift > -500_000 && drift < 500_000, "a clock drifts by less than half")
        self.origin = origin
        self.epoch = epoch
        self.base = base
        self.drift = drift
    }

    /// What the clocks show at the simulation's `time`, not before the drift began.
    package func now(at time: Instant) -> Now {
        let wall = epoch + wallOffset + Int64(time.nanoseconds / 1000)
        return Now(instant: local(at: time), wall: WallTime(microseconds: wall))
    }

    private func local(at time: Instant) -> Instant {
        let elapsed = (time - base).rawValue
        let rate = UInt64(1_000_000 + drift)
        let local = elapsed / 1_000_000 * rate + elapsed % 1_000_000 * rate / 1_000_000
        return Instant(nanoseconds: origin + local)
    }

    /// The first of the simulation's times at which the monotonic clock shows `local` or later; `base` when that is past.
    package func time(of local: Instant) -> Instant {
        if local == .never { return .never }
        if local.nanoseconds <= origin { return base }
        let wanted = local.nanoseconds - origin
        let rate = UInt64(1_000_000 + drift)
        let elapsed = wanted / rate * 1_000_000 + wanted % rate * 1_000_000 / rate
        var time = base + Nanoseconds(elapsed)
        while self.local(at: time) < local { time = time + Nanoseconds(1) }
        return time
    }

    /// Goes on from the simulation's `time` with another drift.
    package mutating func setDrift(_ partsPerMillion: Int64, at time: Instant) {
        check(partsPerMillion > -500_000 && partsPerMillion < 500_000, "a clock drifts by less than half")
        origin = local(at: time).nanoseconds
        base = time
        drift = partsPerMillion
    }
}
