import Base
import Glibc

/// A file that appears under its name only when it is whole and on the disk: written under another name, synced, renamed.
final class NewFile {
    let path: String
    private let temporaryPath: String
    private let descriptor: Int32
    private var isFinished = false
    private(set) var bytesWritten = 0

    /// Begins a file.
    ///
    /// - Parameter replaces: whether a file of this name may be there already.
    init(_ path: String, replaces: Bool) throws(Failure) {
        self.path = path
        if !replaces && access(path, F_OK) == 0 { throw Failure("'\(path)' is there already; --replace overwrites it") }
        temporaryPath = path + ".\(getpid()).tmp"
        descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .system("can't write '\(temporaryPath)'") }
    }

    deinit {
        close(descriptor)
        if !isFinished { unlink(temporaryPath) }
    }

    /// Appends bytes.
    func write(_ view: ByteView) throws(Failure) {
        var offset = 0
        while offset < view.count {
            let written = Glibc.write(descriptor, view.start + offset, view.count - offset)
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw .system("can't write '\(temporaryPath)'") }
            offset += written
        }
        bytesWritten += view.count
    }

    /// Appends bytes.
    func write(_ bytes: [UInt8]) throws(Failure) {
        var problem: Failure?
        bytes.withView { view in do throws(Failure) { try write(view) } catch { problem = error } }
        if let problem { throw problem }
    }

    /// Makes the file appear.
    func finish() throws(Failure) {
        guard fsync(descriptor) == 0 else { throw .system("can't sync '\(temporaryPath)'") }
        guard rename(temporaryPath, path) == 0 else { throw .system("can't rename '\(temporaryPath)' to '\(path)'") }
        isFinished = true
        // The new name is safe only when the directory is.
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let handle = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard handle >= 0 else { throw .system("can't sync the directory of '\(path)'") }
        defer { close(handle) }
        guard fsync(handle) == 0 else { throw .system("can't sync the directory of '\(path)'") }
    }
}

/// Whether there is something of this name.
func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }
