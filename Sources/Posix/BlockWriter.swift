import Base
import CLinux
import Glibc
import Storage

/// Writes blocks into existing files, durable when the call returns: one `pwrite` on a descriptor opened with O_DSYNC, past
/// the page cache (O_DIRECT) where the file system allows it.
///
/// One thread uses it at a time; `DiskQueue` sees to that when it hands over.
package final class BlockWriter: @unchecked Sendable {
    private struct OpenFile {
        var name: FileName
        var descriptor: Int32
        var isDirect: Bool
    }

    /// Whether new files are opened for direct writing. Falls to false when the file system refuses.
    package private(set) var isDirect: Bool
    private let steps: FileSteps
    /// The last files written to, newest last.
    private var openFiles: [OpenFile] = []
    private static let openFilesMax = 4

    /// A writer with no file open.
    package init(steps: FileSteps, isDirect: Bool) {
        self.steps = steps
        self.isDirect = isDirect
    }

    deinit { for file in openFiles { Glibc.close(file.descriptor) } }

    /// Writes all of `bytes` at `offset` of `name`.
    package func write(_ name: FileName, offset: Int, _ bytes: ByteView) throws(DiskFailure) {
        check(offset % LogOptions.blockBytes == 0 && bytes.count % LogOptions.blockBytes == 0, "blocks are written whole")
        check(UInt(bitPattern: bytes.start) % UInt(LogOptions.blockBytes) == 0, "a block's memory is aligned for direct writes")
        var done = 0
        while done < bytes.count {
            let file = try open(name)
            let count = pwrite(file.descriptor, bytes.start + done, bytes.count - done, off_t(offset + done))
            if count > 0 {
                done += count
                // What is left of a short write need not be aligned any more.
                if done % LogOptions.blockBytes != 0 { refuseDirect() }
                continue
            }
            let code = count == 0 ? ENOSPC : coracle_errno()
            if code == EINTR { continue }
            if code == EINVAL && file.isDirect {
                refuseDirect()
                continue
            }
            throw steps.failure(name, "write", code)
        }
    }

    /// The open file of that name, for a write that someone else carries out; nil when it does not take direct writes.
    func descriptorForDirectWrites(_ name: FileName) throws(DiskFailure) -> Int32? {
        let file = try open(name)
        return file.isDirect ? file.descriptor : nil
    }

    /// Forgets open files of that name: it means another file from now on.
    package func forget(_ name: FileName) {
        openFiles.removeAll { file in
            if file.name != name { return false }
            Glibc.close(file.descriptor)
            return true
        }
    }

    private func open(_ name: FileName) throws(DiskFailure) -> OpenFile {
        if let last = openFiles.last, last.name == name { return last }
        if let position = openFiles.firstIndex(where: { $0.name == name }) {
            let file = openFiles.remove(at: position)
            openFiles.append(file)
            return file
        }
        let flags = O_WRONLY | O_DSYNC
        var file = OpenFile(name: name, descriptor: -1, isDirect: isDirect)
        do throws(DiskFailure) {
            file.descriptor = try steps.openFile(name, flags | (isDirect ? coracle_o_direct() : 0), operation: "write")
        } catch {
            if error.code != EINVAL || !isDirect { throw error }
            isDirect = false
            file.isDirect = false
            file.descriptor = try steps.openFile(name, flags, operation: "write")
        }
        if openFiles.count >= BlockWriter.openFilesMax { Glibc.close(openFiles.removeFirst().descriptor) }
        openFiles.append(file)
        return file
    }

    /// Goes on through the page cache, synced as before.
    private func refuseDirect() {
        isDirect = false
        for file in openFiles { Glibc.close(file.descriptor) }
        openFiles.removeAll()
    }
}
