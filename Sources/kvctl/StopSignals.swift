import Base
import CLinux
import Glibc

/// SIGINT, SIGTERM and SIGHUP, for commands that stay: blocked, and taken where there is time for them.
struct StopSignals {
    private var signals = sigset_t()

    /// Blocks them for the rest of the process.
    init() {
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
        sigprocmask(SIG_BLOCK, &signals, nil)
    }

    /// Whether one has come.
    var havePending: Bool {
        var pending = sigset_t()
        sigpending(&pending)
        return [SIGINT, SIGTERM, SIGHUP].contains { sigismember(&pending, $0) == 1 }
    }

    /// Throws when one has come.
    func check() throws(Failure) { if havePending { throw .stopped } }

    /// Waits for one until `deadline`; whether one came.
    func wait(until deadline: Instant) -> Bool {
        while true {
            let left = (deadline - monotonicNow()).rawValue
            var time = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
            var set = signals
            if sigtimedwait(&set, nil, &time) > 0 { return true }
            if left == 0 { return false }
        }
    }
}

extension Failure {
    /// What was under way has ended because a signal came.
    static let stopped = Failure("stopped by a signal")
}
