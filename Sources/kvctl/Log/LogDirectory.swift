import Base
import CLinux
import Glibc
import Storage

/// A stopped node's data directory, opened for reading only: nothing is made, removed or repaired.
final class LogDirectory: RecoverySource {
    /// As the operator wrote it.
    let path: String
    private let directory: Int32
    private let lock: Int32
    /// The file read last: logs are read from front to back.
    private var open: (name: FileName, descriptor: Int32)?

    /// Opens the directory and holds its lock, so that the node can't start meanwhile.
    ///
    /// - Throws: when there is no such directory, or its node is running.
    init(_ path: String) throws(Failure) {
        self.path = path
        directory = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if directory < 0 { throw .system("can't open the data directory '\(path)'") }
        // Missing in a copy that someone made: then nobody runs on it either.
        lock = openat(directory, "lock", O_RDONLY | O_CLOEXEC)
        if lock >= 0 && flock(lock, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK {
            throw Failure("the node of '\(path)' is running and writes to its log; stop it first, or look at a copy")
        }
    }

    deinit {
        if let open { close(open.descriptor) }
        if lock >= 0 { close(lock) }
        if directory >= 0 { close(directory) }
    }

    /// Whose directory it is.
    func identity() throws(StorageError) -> NodeIdentity {
        let buffer = ByteBuffer(capacity: 4096)
        try read(NodeIdentity.fileName, offset: 0, count: 4096, into: buffer)
        return try NodeIdentity.decode(buffer.view)
    }

    func list() throws(StorageError) -> [FileName] {
        // A descriptor of its own: reading a directory moves the descriptor's position.
        let copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else { throw failure(FileName("."), "list") }
        defer { closedir(stream) }
        var names: [FileName] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if entry.pointee.d_type == UInt8(DT_REG) && name != "lock" { names.append(FileName(name)) }
        }
        return names
    }

    func size(of name: FileName) throws(StorageError) -> Int {
        var status = stat()
        if fstatat(directory, name.text, &status, 0) != 0 { throw failure(name, "find") }
        return Int(status.st_size)
    }

    func read(_ name: FileName, offset: Int, count: Int, into buffer: ByteBuffer) throws(StorageError) {
        check(offset >= 0 && count >= 0, "a read lies inside a file")
        let descriptor = try descriptor(of: name)
        var done = 0
        while done < count {
            let room = buffer.reserve(count - done)
            let got = pread(descriptor, room.baseAddress, min(room.count, count - done), off_t(offset + done))
            if got == 0 { return }
            if got > 0 {
                buffer.commit(got)
                done += got
            } else if errno != EINTR {
                throw failure(name, "read")
            }
        }
    }

    private func descriptor(of name: FileName) throws(StorageError) -> Int32 {
        if let open, open.name == name { return open.descriptor }
        if let open { close(open.descriptor) }
        open = nil
        let descriptor = openat(directory, name.text, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw failure(name, "read") }
        open = (name, descriptor)
        return descriptor
    }

    private func failure(_ name: FileName, _ operation: String) -> StorageError {
        .system(file: "\(path)/\(name)", operation: operation, reason: errorText(errno))
    }
}
