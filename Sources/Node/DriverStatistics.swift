import Base

/// What a driver counts for `INFO coracle`: the driver increments, the node reads, both on the loop's thread.
/// All counters are of this run; bytes and times carry their unit in the name.
package final class DriverStatistics {
    /// Turns of the loop.
    package var turns: UInt64 = 0
    /// Waits for events (one per turn).
    package var waits: UInt64 = 0
    /// Reads from sockets, and the bytes they brought.
    package var reads: UInt64 = 0
    package var bytesRead: UInt64 = 0
    /// Writes to sockets, and the bytes they took.
    package var writes: UInt64 = 0
    package var bytesWritten: UInt64 = 0
    /// Writes that the socket did not take whole.
    package var shortWrites: UInt64 = 0
    /// Connections accepted, refused because of the limit, and lost because the kernel had no descriptor or memory.
    package var accepts: UInt64 = 0
    package var refusedConnections: UInt64 = 0
    package var acceptErrors: UInt64 = 0
    /// Peers dialled, and dials that failed.
    package var dials: UInt64 = 0
    package var dialFailures: UInt64 = 0
    /// Durable writes to the log, and their bytes.
    package var diskWrites: UInt64 = 0
    package var diskBytesWritten: UInt64 = 0
    /// Files made, renamed or removed, and reads.
    package var diskFileSteps: UInt64 = 0
    package var diskReads: UInt64 = 0
    /// Time of each durable write.
    package var diskWriteTime = DurationHistogram()
    /// Time from the end of each wait to the end of its turn, disk writes included.
    package var turnTime = DurationHistogram()
    /// Who writes the log.
    package enum DiskMode: String, Sendable {
        /// The kernel, while the loop goes on.
        case kernel = "async"
        /// The loop, at the end of its turn.
        case inline
        /// The disk thread.
        case thread
    }
    /// Who writes the log now.
    package var diskMode = DiskMode.inline
    /// Whether log writes bypass the page cache (O_DIRECT).
    package var isDiskDirect = false
    /// Times the mode was switched because the disk became slower or faster.
    package var diskModeSwitches: UInt64 = 0
    /// Typical time of a 4 KiB durable write, measured at the start.
    package var diskProbeNanoseconds: UInt64 = 0

    // The process, read from the operating system now and then (about once a second).
    /// Memory that the process occupies.
    package var residentBytes = 0
    /// Memory of the machine.
    package var systemMemoryBytes = 0
    package var userCPUMicroseconds: UInt64 = 0
    package var systemCPUMicroseconds: UInt64 = 0

    package init() {}
}
