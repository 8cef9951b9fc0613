import Base
import CLinux
import Glibc
import Storage

/// Files that grow under another name until they are whole: state files and parts of snapshots. Blocks go past the page cache where
/// the file system allows it: their content is not read again soon, and one large flush at the end would hold up log writes.
///
/// A large file that is discarded is kept, without its name, for the next one: to free many blocks and to allocate them again takes the file
/// system's journal, and the log writes with it, tens of milliseconds.
///
/// One thread uses it, the file thread.
final class GrowingFiles: @unchecked Sendable {
    private struct OpenFile {
        var name: FileName
        var descriptor: Int32
        var isDirect: Bool
        /// Bytes written through the page cache since the last sync.
        var unsynced = 0
        /// Where what was written ends, and whether there may be bytes of an older file behind it.
        var end = 0
        var isRecycled = false
    }

    private let steps: FileSteps
    private var files: [OpenFile] = []
    /// Through the page cache, this much is left unsynced at most.
    private static let unsyncedBytesMax = 4 << 20
    /// A discarded file for the next one to be written into. It is called unfinished, so that a start removes it.
    static let spare = FileName("spare" + FileSteps.unfinishedSuffix)
    /// Smaller ones are not worth it.
    private static let spareBytesMin = 1 << 20
    private var hasSpare = false

    init(steps: FileSteps) { self.steps = steps }

    deinit { for file in files { Glibc.close(file.descriptor) } }

    private func temporary(_ name: FileName) -> FileName { FileName(name.text + FileSteps.unfinishedSuffix) }

    /// Writes `bytes` at `offset` of the unfinished file, which ends there.
    ///
    /// - Returns: why it can't be done; what there was of the file is removed then.
    func extend(_ name: FileName, offset: Int, _ bytes: ByteView) -> DiskFailure? {
        do throws(DiskFailure) {
            if offset == 0 {
                forget(name)
                let isRecycled = try takeSpare(temporary(name))
                let (descriptor, isDirect) = try steps.openToWrite(temporary(name), anew: !isRecycled)
                files.append(OpenFile(name: name, descriptor: descriptor, isDirect: isDirect, isRecycled: isRecycled))
            }
            guard let position = files.firstIndex(where: { $0.name == name }) else {
                throw steps.failure(temporary(name), "write", ENOENT)
            }
            try write(position, offset: offset, bytes)
            files[position].end = max(files[position].end, offset + bytes.count)
            return nil
        } catch {
            // What can't be finished takes no space, nor does what is spared for the next one.
            forget(name)
            steps.removeUnsynced(temporary(name))
            dropSpare()
            return error
        }
    }

    private func write(_ position: Int, offset: Int, _ bytes: ByteView) throws(DiskFailure) {
        let name = files[position].name
        let descriptor = files[position].descriptor
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.start + done, bytes.count - done, off_t(offset + done))
            if count > 0 {
                done += count
                // What is left of a short write need not be aligned any more.
                if done % LogOptions.blockBytes != 0 { leaveDirect(position) }
            } else if count < 0 && coracle_errno() == EINVAL && files[position].isDirect {
                leaveDirect(position)
            } else if count == 0 || coracle_errno() != EINTR {
                throw steps.failure(temporary(name), "write", count == 0 ? ENOSPC : coracle_errno())
            }
        }
        if files[position].isDirect { return }
        files[position].unsynced += bytes.count
        if files[position].unsynced >= GrowingFiles.unsyncedBytesMax {
            if fdatasync(descriptor) != 0 { throw steps.failure(temporary(name), "write") }
            files[position].unsynced = 0
        }
    }

    private func leaveDirect(_ position: Int) {
        if !files[position].isDirect { return }
        files[position].isDirect = false
        _ = fcntl(files[position].descriptor, F_SETFL, 0)
    }

    /// Makes the file durable under its name.
    ///
    /// - Returns: why it can't be done; nothing has got that name then.
    /// - Throws: when the directory can't be synced: then it is not known whether anything has.
    func publish(_ name: FileName) throws(DiskFailure) -> DiskFailure? {
        do throws(DiskFailure) {
            guard let file = files.first(where: { $0.name == name }) else {
                throw steps.failure(temporary(name), "write", ENOENT)
            }
            // What is left of the older file is no part of this one.
            if file.isRecycled && ftruncate(file.descriptor, off_t(file.end)) != 0 {
                throw steps.failure(temporary(name), "write")
            }
            try steps.sync(file.descriptor, temporary(name), operation: "write")
            forget(name)
            try steps.moveUnsynced(from: temporary(name), to: name)
        } catch {
            forget(name)
            steps.removeUnsynced(temporary(name))
            return error
        }
        try steps.syncDirectory(name, operation: "write")
        return nil
    }

    /// Removes the file and what there is of it under its other name. A crash may bring it back, which does no harm.
    func discard(_ name: FileName) {
        forget(name)
        steps.removeUnsynced(temporary(name))
        if !hasSpare, let size = steps.size(of: name), size >= GrowingFiles.spareBytesMin,
            (try? steps.moveUnsynced(from: name, to: GrowingFiles.spare)) != nil
        {
            hasSpare = true
        } else {
            steps.removeUnsynced(name)
        }
    }

    /// Makes the spare file, if there is one, the unfinished file `name`. It has lost its old name for good then: a crash must not bring that
    /// back with new content.
    private func takeSpare(_ name: FileName) throws(DiskFailure) -> Bool {
        if !hasSpare { return false }
        hasSpare = false
        try steps.rename(from: GrowingFiles.spare, to: name)
        return true
    }

    /// Removes the spare file, where others need its space.
    ///
    /// - Returns: whether there was one.
    @discardableResult func dropSpare() -> Bool {
        if !hasSpare { return false }
        steps.removeUnsynced(GrowingFiles.spare)
        hasSpare = false
        return true
    }

    private func forget(_ name: FileName) {
        files.removeAll { file in
            if file.name != name { return false }
            Glibc.close(file.descriptor)
            return true
        }
    }
}
