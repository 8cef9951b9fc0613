import Base
import CLinux
import Glibc
import Storage
import Synchronization

/// What the disk thread does, in order.
enum DiskJob: Sendable {
    case write(number: UInt64, name: FileName, offset: Int, block: DiskBlock)
    case rename(number: UInt64, from: FileName, to: FileName)
    case remove(number: UInt64, name: FileName)

    func perform(writer: BlockWriter, steps: FileSteps) -> DiskQueue.Report {
        do throws(DiskFailure) {
            switch self {
            case .write(let number, let name, let offset, let block):
                let start = SystemClock.instant()
                try writer.write(name, offset: offset, block.buffer.view)
                return .wrote(number: number, time: SystemClock.instant() - start)
            case .rename(let number, let from, let to):
                writer.forget(from)
                writer.forget(to)
                try steps.rename(from: from, to: to)
                return .changedNames(number: number)
            case .remove(let number, let name):
                writer.forget(name)
                try steps.remove(name)
                return .changedNames(number: number)
            }
        } catch {
            return .failed(error)
        }
    }
}

/// What the file thread does.
enum FileJob: Sendable {
    case create(number: UInt64, name: FileName, byteCount: Int)
    /// The descriptor is the job's own and is closed when it is done.
    case read(number: UInt64, name: FileName, descriptor: Int32, offset: Int, count: Int)
    case extend(number: UInt64, name: FileName, offset: Int, block: DiskBlock)
    case publish(number: UInt64, name: FileName)
    case discard(number: UInt64, name: FileName)
}

/// The file thread's work. A file under construction lets log writes pass between its pieces.
final class FileJobs: Sendable {
    private let steps: FileSteps
    private let reports: Mailbox<DiskQueue.Report>
    private let growing: GrowingFiles

    init(steps: FileSteps, reports: Mailbox<DiskQueue.Report>) {
        self.steps = steps
        self.reports = reports
        growing = GrowingFiles(steps: steps)
    }

    func perform(_ job: FileJob) {
        let isTaken = reports.post(report(of: job))
        check(isTaken, "reports have room for all jobs")
    }

    private func report(of job: FileJob) -> DiskQueue.Report {
        do throws(DiskFailure) {
            switch job {
            case .create(let number, let name, let byteCount):
                try create(name, byteCount: byteCount)
                return .created(number: number)
            case .read(let number, let name, let descriptor, let offset, let count):
                defer { Glibc.close(descriptor) }
                let bytes = DiskBlock(capacity: max(count, 1))
                try steps.read(descriptor, name, offset: offset, count: count, into: bytes.buffer)
                return .read(number: number, bytes: bytes)
            case .extend(let number, let name, let offset, let block):
                return outcome(number, of: growing.extend(name, offset: offset, block.buffer.view))
            case .publish(let number, let name):
                return outcome(number, of: try growing.publish(name))
            case .discard(let number, let name):
                growing.discard(name)
                return .didFileStep(number: number)
            }
        } catch {
            return .failed(error)
        }
    }

    /// The log can't go on without it, so it comes before what is spared for state files.
    private func create(_ name: FileName, byteCount: Int) throws(DiskFailure) {
        do throws(DiskFailure) {
            try steps.create(name, byteCount: byteCount)
        } catch {
            guard error.isOutOfSpace, growing.dropSpare() else { throw error }
            try steps.create(name, byteCount: byteCount)
        }
    }

    private func outcome(_ number: UInt64, of refusal: DiskFailure?) -> DiskQueue.Report {
        guard let refusal else { return .didFileStep(number: number) }
        return .refused(number: number, reason: "can't \(refusal.operation) \(refusal.file): \(errorText(refusal.code))")
    }
}
