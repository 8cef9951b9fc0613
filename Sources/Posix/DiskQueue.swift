import Base
import CLinux
import Glibc
import Node
import Storage

/// Who writes the log.
package enum DiskMode: String, Sendable, CaseIterable {
    /// Async where it is to be had. Otherwise by measured time: inline on a fast disk, on a thread on a slow one, and changed
    /// when the disk changes.
    case auto
    /// The kernel, while the loop goes on (io_submit); needs direct writes.
    case async
    /// The loop itself, at the end of its turn.
    case inline
    /// The disk thread.
    case thread
}

/// Carries out `DiskOperation`s in the order they were given, each durable before the next begins:
///
/// - `write` is handed to the kernel (async), runs inline (the loop waits) or on the disk thread;
/// - `rename` and `remove` run on the disk thread, in their place in the order, and nothing behind them begins before they are done;
/// - `create`, `read` and the steps on growing files begin in their place in the order and then run beside the others, on the
///   file thread.
///
/// A failure is thrown once and ends the process. What may be refused is reported as refused instead.
package final class DiskQueue {
    /// A finished operation, in the order of finishing.
    package struct Finished: Sendable {
        package var number: UInt64
        /// The bytes of a `read`.
        package var bytes: DiskBlock?
        /// Why the operation, which may be refused, was.
        package var refusal: String?
    }

    /// What a thread reports.
    enum Report: Sendable {
        case wrote(number: UInt64, time: Nanoseconds)
        case changedNames(number: UInt64)
        case created(number: UInt64)
        case didFileStep(number: UInt64)
        case refused(number: UInt64, reason: String)
        case read(number: UInt64, bytes: DiskBlock)
        case failed(DiskFailure)
    }

    /// An inline write is at most this long; a longer one would hold up heartbeats.
    package static let inlineBytesMax = 1 << 20
    /// Jobs given to a thread and not finished, at most; the others wait here.
    private static let outstandingMax = 64

    private let directory: DataDirectory
    private let statistics: DriverStatistics
    private let writer: BlockWriter
    private let reports: Mailbox<Report>
    private let diskThread: WorkerThread<DiskJob>
    private let fileThread: WorkerThread<FileJob>
    private var waiting: [DiskOperation] = []
    private var firstWaiting = 0
    /// Writes at the disk thread.
    private var writesOutstanding = 0
    /// A rename or remove is at the disk thread.
    private var isChangingNames = false
    /// Jobs at the file thread.
    private var filesOutstanding = 0
    private var modeChooser: DiskModeChooser
    /// Finished operations, for the owner to take.
    private var finished: [Finished] = []

    /// Nil where the kernel or the file system does not offer it, or the mode does not ask for it.
    private var asyncWriter: AsyncWriter?

    /// Signalled when a thread has something to report, and when an async write has ended.
    package var descriptor: Int32 { reports.descriptor }

    /// Starts the threads.
    ///
    /// - Throws: `system`.
    package init(
        directory: DataDirectory, mode: DiskMode, probe: DiskProbe.Result, statistics: DriverStatistics
    ) throws(PosixError) {
        self.directory = directory
        self.statistics = statistics
        modeChooser = DiskModeChooser(mode: mode, probed: probe.typical)
        let writer = BlockWriter(steps: directory.steps, isDirect: probe.isDirect)
        let reports = try Mailbox<Report>(capacity: 3 * DiskQueue.outstandingMax, isWatched: true)
        let steps = directory.steps
        self.writer = writer
        self.reports = reports
        diskThread = try WorkerThread(name: "kvd disk", capacity: DiskQueue.outstandingMax + 1) { job in
            let isTaken = reports.post(job.perform(writer: writer, steps: steps))
            check(isTaken, "reports have room for all jobs")
        }
        let files = FileJobs(steps: steps, reports: reports)
        fileThread = try WorkerThread(name: "kvd files", capacity: DiskQueue.outstandingMax + 1) { files.perform($0) }
        if (mode == .auto || mode == .async) && probe.isDirect { asyncWriter = AsyncWriter(notifier: reports.descriptor) }
        noteMode()
        statistics.isDiskDirect = probe.isDirect
        statistics.diskProbeNanoseconds = probe.typical.rawValue
    }

    private func noteMode() {
        statistics.diskMode = asyncWriter != nil ? .kernel : modeChooser.isInline ? .inline : .thread
    }

    /// Finishes what was begun and ends the threads. To be called once.
    package func stop() {
        _ = asyncWriter?.takeFinished(waits: true)
        diskThread.stop()
        fileThread.stop()
    }

    /// Takes operations over, in order; `advance` begins them.
    package func submit(_ operations: [DiskOperation]) {
        if firstWaiting == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            firstWaiting = 0
        }
        waiting.append(contentsOf: operations)
    }

    /// Whether finished operations wait to be taken: the owner must not sleep.
    package var hasFinished: Bool { !finished.isEmpty }

    /// Whether everything submitted is finished and taken.
    package var isIdle: Bool {
        firstWaiting == waiting.count && writesOutstanding == 0 && asyncWriter?.underWay == nil && filesOutstanding == 0
            && !isChangingNames && finished.isEmpty
    }

    /// Begins all that may begin; inline writes are done when it returns.
    package func advance() throws(DiskFailure) {
        while firstWaiting < waiting.count && canBegin(waiting[firstWaiting].action) {
            let operation = waiting[firstWaiting]
            firstWaiting += 1
            try begin(operation)
        }
    }

    /// Takes the threads' reports and hands over all that is finished, in the order of finishing.
    package func takeFinished() throws(DiskFailure) -> [Finished] {
        if let asyncWriter, let (write, result) = asyncWriter.takeFinished() { try take(write, result) }
        for report in reports.takeAll() { try take(report) }
        if finished.isEmpty { return [] }
        let result = finished
        finished.removeAll(keepingCapacity: true)
        return result
    }

    private func canBegin(_ action: DiskOperation.Action) -> Bool {
        if isChangingNames { return false }
        // Everything else begins beside it.
        let isWriting = asyncWriter?.underWay != nil
        switch action {
        case .write(_, _, let block):
            if isWriting { return false }
            return runsInline(block) ? writesOutstanding == 0 : writesOutstanding < DiskQueue.outstandingMax
        case .rename, .remove: return !isWriting && writesOutstanding < DiskQueue.outstandingMax
        case .create, .read, .extend, .publish, .discard: return filesOutstanding < DiskQueue.outstandingMax
        }
    }

    private func runsInline(_ block: DiskBlock) -> Bool {
        (modeChooser.isInline || asyncWriter != nil) && block.buffer.count <= DiskQueue.inlineBytesMax
    }

    /// Gives a write to the kernel. False when it does not take it.
    private func beginAsync(_ number: UInt64, _ name: FileName, _ offset: Int, _ block: DiskBlock) throws(DiskFailure) -> Bool {
        guard let asyncWriter else { return false }
        guard let descriptor = try writer.descriptorForDirectWrites(name) else {
            // The file system refuses direct writes: by time, then.
            self.asyncWriter = nil
            noteMode()
            return false
        }
        let write = AsyncWriter.UnderWay(
            number: number, name: name, offset: offset, block: block, began: SystemClock.instant())
        return asyncWriter.begin(write, descriptor: descriptor)
    }

    /// An async write has ended.
    private func take(_ write: AsyncWriter.UnderWay, _ result: Int) throws(DiskFailure) {
        let bytes = write.block.buffer.view
        check(result <= bytes.count, "no more is written than was given")
        if result < 0 && result != -Int(EINVAL) && result != -Int(EINTR) && result != -Int(EAGAIN) {
            throw directory.steps.failure(write.name, "write", Int32(-result))
        }
        // Short, or refused as a direct write: once more, the plain way. Nothing of it was reported durable yet.
        if result < bytes.count { try writer.write(write.name, offset: write.offset, bytes) }
        wrote(write.number, time: SystemClock.instant() - write.began)
    }

    private func begin(_ operation: DiskOperation) throws(DiskFailure) {
        check(!isChangingNames, "nothing begins while names change")
        let number = operation.number
        switch operation.action {
        case .write(let name, let offset, let block):
            statistics.diskWrites += 1
            statistics.diskBytesWritten += UInt64(block.buffer.count)
            if runsInline(block) {
                check(writesOutstanding == 0, "one writes at a time")
                if try beginAsync(number, name, offset, block) { return }
                let start = SystemClock.instant()
                try writer.write(name, offset: offset, block.buffer.view)
                wrote(number, time: SystemClock.instant() - start)
            } else {
                writesOutstanding += 1
                post(.write(number: number, name: name, offset: offset, block: block))
            }
        case .rename(let from, let to):
            isChangingNames = true
            post(.rename(number: number, from: from, to: to))
        case .remove(let name):
            isChangingNames = true
            post(.remove(number: number, name: name))
        case .create(let name, let byteCount):
            filesOutstanding += 1
            post(.create(number: number, name: name, byteCount: byteCount))
        case .read(let name, let offset, let count):
            statistics.diskReads += 1
            filesOutstanding += 1
            // Opened here, in the order: a later rename or remove does not change what is read.
            let descriptor = try directory.steps.openFile(name, O_RDONLY, operation: "read")
            post(.read(number: number, name: name, descriptor: descriptor, offset: offset, count: count))
        case .extend(let name, let offset, let block):
            statistics.diskBytesWritten += UInt64(block.buffer.count)
            filesOutstanding += 1
            post(.extend(number: number, name: name, offset: offset, block: block))
        case .publish(let name):
            filesOutstanding += 1
            post(.publish(number: number, name: name))
        case .discard(let name):
            filesOutstanding += 1
            post(.discard(number: number, name: name))
        }
    }

    private func post(_ job: DiskJob) {
        let isTaken = diskThread.post(job)
        check(isTaken, "the disk thread has room for what may be outstanding")
    }

    private func post(_ job: FileJob) {
        let isTaken = fileThread.post(job)
        check(isTaken, "the file thread has room for what may be outstanding")
    }

    private func take(_ report: Report) throws(DiskFailure) {
        switch report {
        case .wrote(let number, let time):
            check(writesOutstanding > 0, "a finished write was outstanding")
            writesOutstanding -= 1
            wrote(number, time: time)
        case .changedNames(let number):
            check(isChangingNames, "a finished rename or remove was outstanding")
            isChangingNames = false
            statistics.diskFileSteps += 1
            finished.append(Finished(number: number))
        case .created(let number), .didFileStep(let number):
            filesOutstanding -= 1
            statistics.diskFileSteps += 1
            finished.append(Finished(number: number))
        case .refused(let number, let reason):
            filesOutstanding -= 1
            finished.append(Finished(number: number, refusal: reason))
        case .read(let number, let bytes):
            filesOutstanding -= 1
            finished.append(Finished(number: number, bytes: bytes))
        case .failed(let failure):
            throw failure
        }
        check(filesOutstanding >= 0, "a finished file step was outstanding")
    }

    private func wrote(_ number: UInt64, time: Nanoseconds) {
        statistics.diskWriteTime.record(time)
        finished.append(Finished(number: number))
        statistics.isDiskDirect = writer.isDirect
        if asyncWriter == nil && modeChooser.note(time) {
            statistics.diskModeSwitches += 1
            noteMode()
        }
    }
}
