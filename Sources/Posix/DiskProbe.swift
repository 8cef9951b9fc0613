import Base
import CLinux
import Glibc
import Storage

/// Measures what a durable 4 KiB write costs in a data directory, the way the log writes: into a file of zeros, with O_DIRECT
/// where the file system allows it.
package enum DiskProbe {
    package struct Result: Sendable {
        /// Time of a write: the lower quartile, because other nodes of this machine may be busy starting, too.
        package var typical: Nanoseconds
        /// Whether the writes bypassed the page cache.
        package var isDirect: Bool
    }

    private static let writes = 12
    private static let name = FileName("probe")

    /// Writes a few blocks into a file of its own and removes it.
    ///
    /// - Throws: `directory` when the disk can't be written.
    package static func run(_ directory: DataDirectory, wantsDirect: Bool) throws(PosixError) -> Result {
        do throws(DiskFailure) {
            let steps = directory.steps
            try steps.create(name, byteCount: writes * LogOptions.blockBytes)
            let writer = BlockWriter(steps: steps, isDirect: wantsDirect)
            let block = DiskBlock(capacity: LogOptions.blockBytes)
            block.buffer.append(zeros: LogOptions.blockBytes)
            var times: [Nanoseconds] = []
            let start = SystemClock.instant()
            for index in 0..<writes {
                let before = SystemClock.instant()
                try writer.write(name, offset: index * LogOptions.blockBytes, block.buffer.view)
                times.append(SystemClock.instant() - before)
                // A very slow disk is known to be one before all are written.
                if SystemClock.instant() - start > Nanoseconds.milliseconds(500) { break }
            }
            try steps.remove(name)
            times.sort()
            return Result(typical: times[times.count / 4], isDirect: writer.isDirect)
        } catch {
            throw .directory(path: error.file, operation: error.operation, code: error.code)
        }
    }
}
