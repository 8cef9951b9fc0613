import Base
import CLinux
import Glibc
import Storage

/// A node's data directory: opened, locked against a second process, and readable for recovery.
package final class DataDirectory: RecoverySource {
    package let path: String
    let descriptor: Int32
    /// Durable steps on its files, for any thread.
    package let steps: FileSteps
    private let lock: Int32
    /// The file read last: recovery reads each from front to back.
    private var readFile: (name: FileName, descriptor: Int32)?

    private static let lockName = "lock"
    /// How far ahead of recovery's reads the kernel is asked to read, in bytes.
    private static let readAheadBytes = 8 << 20

    /// Opens the directory, makes it (and those above it) when it is missing, takes its lock and removes files that an
    /// earlier run did not finish.
    ///
    /// - Throws: `directory`, `directoryInUse`.
    package init(path: String) throws(PosixError) {
        self.path = path
        try DataDirectory.makeDirectories(path)
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { throw .directory(path: path, operation: "open data directory", code: coracle_errno()) }
        do throws(PosixError) {
            lock = try DataDirectory.takeLock(descriptor, path: path)
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        steps = FileSteps(directory: descriptor, path: path)
        try removeUnfinished()
    }

    deinit {
        if let readFile { Glibc.close(readFile.descriptor) }
        Glibc.close(lock)
        Glibc.close(descriptor)
    }

    private static func makeDirectories(_ path: String) throws(PosixError) {
        if path.isEmpty || path.utf8.contains(0) {
            throw .directory(path: "\"\(path)\"", operation: "use data directory", code: EINVAL)
        }
        var position = path.startIndex
        while position != path.endIndex {
            let slash = path[path.index(after: position)...].firstIndex(of: "/") ?? path.endIndex
            let prefix = String(path[..<slash])
            if mkdir(prefix, 0o755) != 0 {
                // Read-only places above may refuse although what is asked for is there.
                let code = coracle_errno()
                var status = stat()
                if stat(prefix, &status) != 0 {
                    throw .directory(path: path, operation: "make data directory", code: code)
                }
            }
            position = slash
        }
    }

    /// Takes the lock for as long as the process lives. It holds our process number for the one who comes second.
    private static func takeLock(_ directory: Int32, path: String) throws(PosixError) -> Int32 {
        let file = openat(directory, lockName, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        if file < 0 { throw .directory(path: path, operation: "write to data directory", code: coracle_errno()) }
        if flock(file, LOCK_EX | LOCK_NB) != 0 {
            let code = coracle_errno()
            defer { Glibc.close(file) }
            if code != EWOULDBLOCK { throw .directory(path: path, operation: "lock data directory", code: code) }
            var text = [UInt8](repeating: 0, count: 16)
            let count = pread(file, &text, text.count, 0)
            let digits = text.prefix(max(0, count)).prefix { $0 >= 0x30 && $0 <= 0x39 }
            throw .directoryInUse(path: path, process: Int32(String(decoding: digits, as: UTF8.self)))
        }
        let text = Array("\(getpid())\n".utf8)
        if ftruncate(file, 0) != 0 || pwrite(file, text, text.count, 0) != text.count {
            let code = coracle_errno()
            Glibc.close(file)
            throw .directory(path: path, operation: "write to data directory", code: code)
        }
        return file
    }

    private func removeUnfinished() throws(PosixError) {
        do throws(DiskFailure) {
            for name in try names() where name.text.hasSuffix(FileSteps.unfinishedSuffix) { try steps.remove(name) }
        } catch {
            throw .directory(path: error.file, operation: error.operation, code: error.code)
        }
    }

    /// Names of the regular files, without the lock.
    private func names() throws(DiskFailure) -> [FileName] {
        let failed = FileName(".")
        // A descriptor of its own: reading a directory moves the descriptor's position.
        let listing = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if listing < 0 { throw steps.failure(failed, "list") }
        guard let stream = fdopendir(listing) else {
            let code = coracle_errno()
            Glibc.close(listing)
            throw steps.failure(failed, "list", code)
        }
        defer { closedir(stream) }
        var names: [FileName] = []
        while let entry = readdir(stream) {
            if entry.pointee.d_type != DT_REG && entry.pointee.d_type != DT_UNKNOWN { continue }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != DataDirectory.lockName && name != "." && name != ".." { names.append(FileName(name)) }
        }
        return names
    }

    // MARK: RecoverySource

    package func list() throws(StorageError) -> [FileName] {
        do throws(DiskFailure) { return try names() } catch { throw DataDirectory.storageError(error) }
    }

    package func size(of name: FileName) throws(StorageError) -> Int {
        var status = stat()
        if fstatat(descriptor, name.text, &status, 0) != 0 {
            throw DataDirectory.storageError(steps.failure(name, "find"))
        }
        return Int(status.st_size)
    }

    package func read(_ name: FileName, offset: Int, count: Int, into buffer: ByteBuffer) throws(StorageError) {
        do throws(DiskFailure) {
            let file = try openForReading(name)
            try steps.read(file, name, offset: offset, count: count, into: buffer)
            // The disk reads on while what is here is checked.
            _ = posix_fadvise(
                file, off_t(offset + count), off_t(DataDirectory.readAheadBytes), Int32(POSIX_FADV_WILLNEED))
        } catch {
            throw DataDirectory.storageError(error)
        }
    }

    private func openForReading(_ name: FileName) throws(DiskFailure) -> Int32 {
        if let readFile, readFile.name == name { return readFile.descriptor }
        if let readFile { Glibc.close(readFile.descriptor) }
        readFile = nil
        let file = try steps.openFile(name, O_RDONLY, operation: "read")
        _ = posix_fadvise(file, 0, 0, Int32(POSIX_FADV_SEQUENTIAL))
        readFile = (name, file)
        return file
    }

    /// Closes what recovery left open.
    package func endRecovery() {
        if let readFile { Glibc.close(readFile.descriptor) }
        readFile = nil
    }

    private static func storageError(_ failure: DiskFailure) -> StorageError {
        .system(file: failure.file, operation: failure.operation, reason: errorText(failure.code))
    }
}
