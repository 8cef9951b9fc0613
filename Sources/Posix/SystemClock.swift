import Base
import CLinux
import Glibc

/// The machine's clocks and its source of randomness.
package enum SystemClock {
    /// Both clocks now: CLOCK_MONOTONIC and CLOCK_REALTIME. No system call (vDSO).
    package static func now() -> Now {
        Now(instant: instant(), wall: wall())
    }

    /// CLOCK_MONOTONIC now.
    package static func instant() -> Instant {
        var time = timespec()
        let result = clock_gettime(CLOCK_MONOTONIC, &time)
        check(result == 0, "the monotonic clock can be read")
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    /// CLOCK_REALTIME now.
    package static func wall() -> WallTime {
        var time = timespec()
        let result = clock_gettime(CLOCK_REALTIME, &time)
        check(result == 0, "the wall clock can be read")
        return WallTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    /// 64 random bits from the kernel.
    package static func entropy() -> UInt64 {
        var value: UInt64 = 0
        var filled = 0
        withUnsafeMutableBytes(of: &value) { bytes in
            while filled < bytes.count {
                let count = getrandom(bytes.baseAddress.map { $0 + filled }, bytes.count - filled, 0)
                check(count > 0 || coracle_errno() == EINTR, "the kernel gives random bytes")
                filled += max(count, 0)
            }
        }
        return value
    }
}
