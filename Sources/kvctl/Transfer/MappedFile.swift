import Base
import Glibc

/// A file that is read where it lies, mapped into memory.
final class MappedFile {
    let path: String
    /// The bytes; valid as long as this object.
    let view: ByteView
    private let address: UnsafeMutableRawPointer?

    /// Opens a file.
    init(_ path: String) throws(Failure) {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("can't open '\(path)'") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system("can't read '\(path)'") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure("'\(path)' is not a file") }
        let count = Int(status.st_size)
        if count == 0 {
            address = nil
            view = .empty
            return
        }
        guard let mapped = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), mapped != MAP_FAILED else {
            throw .system("can't read '\(path)'")
        }
        madvise(mapped, count, MADV_SEQUENTIAL)
        address = mapped
        view = ByteView(start: UnsafeRawPointer(mapped), count: count)
    }

    deinit {
        if let address { munmap(address, view.count) }
    }
}
