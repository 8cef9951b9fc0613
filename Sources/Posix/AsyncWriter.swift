import Base
import CLinux
import Glibc
import Storage

/// Writes blocks with the kernel's own asynchronous I/O (io_submit(2)): the loop goes on while the disk works, without a
/// thread to wake. For direct writes only: a buffered one would be done before the submission returns.
///
/// One write at a time: the log gathers what comes meanwhile into the next.
final class AsyncWriter {
    /// A write that the kernel has.
    struct UnderWay {
        var number: UInt64
        var name: FileName
        var offset: Int
        /// Kept alive until the kernel is done with its memory.
        var block: DiskBlock
        var began: Instant
    }

    private var context: aio_context_t = 0
    private let notifier: Int32
    private(set) var underWay: UnderWay?

    /// - Parameter notifier: an eventfd that gets one added when a write has ended.
    /// - Returns: nil where the kernel has no such thing, or a container's filter forbids it.
    init?(notifier: Int32) {
        self.notifier = notifier
        if coracle_aio_setup(4, &context) != 0 { return nil }
    }

    deinit {
        // The kernel waits for what is under way before it lets go of the memory.
        _ = coracle_aio_destroy(context)
    }

    /// Begins a write. False when the kernel can't take it now: the caller writes in another way.
    func begin(_ write: UnderWay, descriptor: Int32) -> Bool {
        check(underWay == nil, "one write at a time")
        let bytes = write.block.buffer.view
        check(bytes.count > 0 && bytes.count % LogOptions.blockBytes == 0, "blocks are written whole")
        if coracle_aio_write(context, descriptor, bytes.start, bytes.count, Int64(write.offset), notifier) != 1 { return false }
        underWay = write
        return true
    }

    /// The write that has ended, with what the kernel says of it: bytes written, or a negative error number.
    func takeFinished(waits: Bool = false) -> (write: UnderWay, result: Int)? {
        guard let write = underWay else { return nil }
        if !waits && coracle_aio_has_ended(context) == 0 { return nil }
        var result: Int64 = 0
        while true {
            let count = coracle_aio_take(context, waits ? 1 : 0, &result)
            if count == 1 { break }
            if count == 0 { return nil }
            check(coracle_errno() == EINTR, "a context that was made can be asked")
        }
        underWay = nil
        return (write, Int(result))
    }
}
