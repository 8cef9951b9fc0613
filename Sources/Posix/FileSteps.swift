import Base
import CLinux
import Glibc
import Storage
import Synchronization

/// The durable steps on files of one directory, each whole: when a function returns, a power cut does not undo it.
/// Any thread may call them.
package final class FileSteps: Sendable {
    /// Descriptor of the directory; borrowed from `DataDirectory`, which outlives this.
    private let directory: Int32
    /// Path of the directory, for messages.
    private let path: String
    /// Calls of fsync on files and on the directory, for tests and statistics.
    package let fileSyncs = Atomic<Int>(0)
    package let directorySyncs = Atomic<Int>(0)

    /// What a file under construction is called: its final name and this. Such files are removed at start-up.
    static let unfinishedSuffix = ".unfinished"
    /// Zeros are written in pieces of this many bytes, so that log writes get their turn at the disk in between.
    private static let pieceBytes = 1 << 20

    /// For tests: told of each step behind it.
    private let observer: (@Sendable (Step) -> Void)?

    /// What makes bytes or names durable, or takes a name away.
    enum Step: Equatable {
        case sync(FileName)
        case rename(from: FileName, to: FileName)
        case remove(FileName)
        case syncDirectory
    }

    init(directory: Int32, path: String, observer: (@Sendable (Step) -> Void)? = nil) {
        self.directory = directory
        self.path = path
        self.observer = observer
    }

    func failure(_ name: FileName, _ operation: String, _ code: Int32 = coracle_errno()) -> DiskFailure {
        DiskFailure(file: "\(path)/\(name.text)", operation: operation, code: code)
    }

    /// Opens a file of the directory. The name is plain: it never leads out of the directory.
    func openFile(_ name: FileName, _ flags: Int32, operation: String) throws(DiskFailure) -> Int32 {
        check(!name.text.isEmpty && !name.text.utf8.contains(0x2F) && name.text != "..", "a file name is plain")
        while true {
            let descriptor = openat(directory, name.text, flags | O_CLOEXEC, 0o644)
            if descriptor >= 0 { return descriptor }
            if coracle_errno() != EINTR { throw failure(name, operation) }
        }
    }

    /// Makes `name` a file of `byteCount` zero bytes. The zeros are really written: a log write into them changes no
    /// metadata, so its sync is cheap.
    ///
    /// - Parameter pause: called between pieces, for other work of the thread.
    package func create(_ name: FileName, byteCount: Int, pause: () -> Void = {}) throws(DiskFailure) {
        check(byteCount > 0, "a file is made with a size")
        let temporary = FileName(name.text + FileSteps.unfinishedSuffix)
        do throws(DiskFailure) {
            try fill(temporary, byteCount: byteCount, pause: pause)
        } catch {
            // What can't be finished takes no space; the failure is what counts.
            _ = unlinkat(directory, temporary.text, 0)
            throw error
        }
        try rename(from: temporary, to: name, operation: "create")
    }

    private func fill(_ name: FileName, byteCount: Int, pause: () -> Void) throws(DiskFailure) {
        // Direct where possible: zeros have no business in the page cache, and a large flush at the end would hold up log writes.
        var isDirect = byteCount % LogOptions.blockBytes == 0
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        var descriptor: Int32 = -1
        if isDirect {
            descriptor = openat(directory, name.text, flags | O_CLOEXEC | coracle_o_direct(), 0o644)
            isDirect = descriptor >= 0
        }
        if descriptor < 0 { descriptor = try openFile(name, flags, operation: "create") }
        defer { Glibc.close(descriptor) }
        // All the space at once: contiguous, and a full disk is found before any time is spent.
        if posixAllocate(descriptor, byteCount) == ENOSPC { throw failure(name, "create", ENOSPC) }
        let zeros = UnsafeMutableRawBufferPointer.allocate(byteCount: min(FileSteps.pieceBytes, byteCount), alignment: 4096)
        zeros.initializeMemory(as: UInt8.self, repeating: 0)
        defer { zeros.deallocate() }
        var offset = 0
        while offset < byteCount {
            let count = pwrite(descriptor, zeros.baseAddress, min(zeros.count, byteCount - offset), off_t(offset))
            if count > 0 {
                offset += count
                pause()
            } else if count < 0 && coracle_errno() == EINVAL && isDirect {
                isDirect = false
                _ = fcntl(descriptor, F_SETFL, 0)
            } else if count == 0 || coracle_errno() != EINTR {
                throw failure(name, "create", count == 0 ? ENOSPC : coracle_errno())
            }
        }
        try sync(descriptor, name, operation: "create")
    }

    /// Opens `name` for writing, past the page cache where the file system allows it.
    ///
    /// - Parameter anew: as an empty file; if not, it must be there.
    func openToWrite(_ name: FileName, anew: Bool) throws(DiskFailure) -> (descriptor: Int32, isDirect: Bool) {
        let flags = anew ? O_WRONLY | O_CREAT | O_TRUNC : O_WRONLY
        let descriptor = openat(directory, name.text, flags | O_CLOEXEC | coracle_o_direct(), 0o644)
        if descriptor >= 0 { return (descriptor, true) }
        return (try openFile(name, flags, operation: "create"), false)
    }

    /// Renames without syncing the directory.
    func moveUnsynced(from: FileName, to: FileName, operation: String = "rename") throws(DiskFailure) {
        if renameat(directory, from.text, directory, to.text) != 0 { throw failure(from, operation) }
        observer?(.rename(from: from, to: to))
    }

    /// Removes, if it is there, without syncing the directory.
    func removeUnsynced(_ name: FileName) {
        if unlinkat(directory, name.text, 0) == 0 { observer?(.remove(name)) }
    }

    /// Bytes of a file; nil when there is none.
    func size(of name: FileName) -> Int? {
        var status = stat()
        return fstatat(directory, name.text, &status, AT_SYMLINK_NOFOLLOW) == 0 ? Int(status.st_size) : nil
    }

    private func posixAllocate(_ descriptor: Int32, _ byteCount: Int) -> Int32 {
        fallocate(descriptor, 0, 0, off_t(byteCount)) == 0 ? 0 : coracle_errno()
    }

    /// Makes `bytes` the whole content of `name`, at once or not at all: written under another name, synced, renamed.
    package func replace(_ name: FileName, with bytes: ByteView) throws(DiskFailure) {
        let temporary = FileName(name.text + FileSteps.unfinishedSuffix)
        let descriptor = try openFile(temporary, O_WRONLY | O_CREAT | O_TRUNC, operation: "write")
        defer { Glibc.close(descriptor) }
        var rest = bytes
        while !rest.isEmpty {
            let count = write(descriptor, rest.start, rest.count)
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count == 0 || coracle_errno() != EINTR {
                throw failure(temporary, "write", count == 0 ? ENOSPC : coracle_errno())
            }
        }
        try sync(descriptor, temporary, operation: "write")
        try rename(from: temporary, to: name, operation: "write")
    }

    /// Renames; `to` is replaced if it is there.
    package func rename(from: FileName, to: FileName, operation: String = "rename") throws(DiskFailure) {
        try moveUnsynced(from: from, to: to, operation: operation)
        try syncDirectory(to, operation: operation)
    }

    /// Removes.
    package func remove(_ name: FileName) throws(DiskFailure) {
        if unlinkat(directory, name.text, 0) != 0 { throw failure(name, "remove") }
        observer?(.remove(name))
        try syncDirectory(name, operation: "remove")
    }

    /// Reads up to `count` bytes at `offset` of an open file and appends them to `buffer`; fewer only at the file's end.
    func read(
        _ descriptor: Int32, _ name: FileName, offset: Int, count: Int, into buffer: ByteBuffer
    ) throws(DiskFailure) {
        check(offset >= 0 && count >= 0, "a read lies inside a file")
        var done = 0
        while done < count {
            let room = buffer.reserve(count - done)
            let got = pread(descriptor, room.baseAddress, min(room.count, count - done), off_t(offset + done))
            if got == 0 { return }
            if got > 0 {
                buffer.commit(got)
                done += got
            } else if coracle_errno() != EINTR {
                throw failure(name, "read")
            }
        }
    }

    func sync(_ descriptor: Int32, _ name: FileName, operation: String) throws(DiskFailure) {
        fileSyncs.add(1, ordering: .relaxed)
        // Not repeated when it fails: what it could not write may be forgotten by then (DESIGN, rule 3).
        if fsync(descriptor) != 0 { throw failure(name, operation) }
        observer?(.sync(name))
    }

    func syncDirectory(_ name: FileName, operation: String) throws(DiskFailure) {
        directorySyncs.add(1, ordering: .relaxed)
        if fsync(directory) != 0 { throw failure(name, operation) }
        observer?(.syncDirectory)
    }
}
