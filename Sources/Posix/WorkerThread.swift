import Base
import CLinux
import Glibc

/// A thread that does jobs one after another. Signals go to other threads.
package final class WorkerThread<Job: Sendable>: Sendable {
    private let mailbox: Mailbox<Job>
    private let thread: pthread_t

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - name: shown by `top -H` and `perf`; at most 15 bytes.
    ///   - capacity: jobs that may wait.
    /// - Throws: `system`.
    package init(
        name: String, capacity: Int, perform: @escaping @Sendable (Job) -> Void
    ) throws(PosixError) {
        check(name.utf8.count <= 15, "a thread's name has at most 15 bytes")
        mailbox = try Mailbox<Job>(capacity: capacity, isWatched: false)
        // All signals are blocked while the thread is made, and it inherits that: the loop's thread takes them.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let context = Unmanaged.passRetained(
            WorkerStart { [mailbox] in
                _ = pthread_setname_np(pthread_self(), name)
                while let jobs = mailbox.waitAndTakeAll() {
                    for job in jobs { perform(job) }
                }
            })
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, runWorker, context.toOpaque())
        if code != 0 {
            context.release()
            throw .system(operation: "start thread \(name)", code: code)
        }
        self.thread = thread
    }

    /// Gives the thread a job. False when too many wait.
    package func post(_ job: Job) -> Bool { mailbox.post(job) }

    /// Waits until the jobs that were posted are done and the thread has ended. To be called once, by the owner.
    package func stop() {
        mailbox.close()
        pthread_join(thread, nil)
    }
}

/// The new thread's work without its generic parameter, because a C function pointer has none.
private final class WorkerStart {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
}

private func runWorker(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<WorkerStart>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
