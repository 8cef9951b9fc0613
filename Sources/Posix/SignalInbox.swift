import CLinux
import Glibc

/// SIGTERM and SIGINT as a descriptor that the loop watches, instead of handlers that interrupt it.
package final class SignalInbox {
    /// Readable when a signal came.
    package let descriptor: Int32

    /// Blocks the signals for this thread and all that it starts from now on; so it is made before any thread. SIGPIPE (a
    /// connection that is gone) and SIGXFSZ (a file-size limit) are ignored: the calls report both.
    ///
    /// - Throws: `system`.
    package init() throws(PosixError) {
        coracle_ignore_signal(SIGPIPE)
        coracle_ignore_signal(SIGXFSZ)
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        descriptor = signalfd(-1, &signals, coracle_signalfd_flags())
        if descriptor < 0 { throw .system(operation: "receive signals", code: coracle_errno()) }
    }

    deinit { close(descriptor) }

    /// How many signals came since the last call.
    package func take() -> Int {
        var count = 0
        var information = signalfd_siginfo()
        while read(descriptor, &information, MemoryLayout<signalfd_siginfo>.size) == MemoryLayout<signalfd_siginfo>.size {
            count += 1
        }
        return count
    }
}
