import CLinux
import Glibc

/// What the operating system can refuse at start-up. Each case reads as one line for the operator: what failed, why, and
/// what to do about it.
package enum PosixError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A text is not an address, or a name can't be resolved.
    case address(text: String, reason: String)
    /// An address can't be listened on.
    case listen(address: String, code: Int32)
    /// The data directory, or something in it, can't be used.
    case directory(path: String, operation: String, code: Int32)
    /// Another process has the data directory.
    case directoryInUse(path: String, process: Int32?)
    /// The identity in the data directory is missing, damaged or another one.
    case identity(path: String, reason: String)
    /// Any other call.
    case system(operation: String, code: Int32)

    package var description: String {
        switch self {
        case .address(let text, let reason):
            "\"\(text)\" is no address to use: \(reason); give HOST:PORT, as in 127.0.0.1:7001 or [::1]:7001"
        case .listen(let address, EADDRINUSE):
            "can't listen on \(address): the port is in use; stop the process that has it or choose another port"
        case .listen(let address, EADDRNOTAVAIL):
            "can't listen on \(address): this machine has no such address; use one of its own, 127.0.0.1 or 0.0.0.0"
        case .listen(let address, EACCES):
            "can't listen on \(address): not permitted; choose a port of 1024 or above"
        case .listen(let address, let code):
            "can't listen on \(address): \(errorText(code))"
        case .directory(let path, let operation, let code):
            "can't \(operation) \(path): \(errorText(code)); \(directoryAdvice(code))"
        case .directoryInUse(let path, let process):
            "data directory \(path) is in use by \(process.map { "process \($0)" } ?? "another process"); "
                + "stop that one, or give this node a directory of its own"
        case .identity(let path, let reason):
            "data directory \(path) can't be used by this node: \(reason)"
        case .system(let operation, let code):
            "can't \(operation): \(errorText(code))"
        }
    }
}

/// What to do when a data directory can't be used.
private func directoryAdvice(_ code: Int32) -> String {
    switch code {
    case EACCES, EPERM, EROFS: "make it writable for this user, or give another directory with --data"
    case ENOSPC, EDQUOT: "free space and start the node again"
    case ENOTDIR: "a file is in the way; give another directory with --data"
    default: "check the path given with --data"
    }
}

/// A disk step that failed while the node ran: the end of the process.
package struct DiskFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// Path of the file.
    package var file: String
    /// What was tried: "write", "create", …
    package var operation: String
    /// errno.
    package var code: Int32

    package init(file: String, operation: String, code: Int32) {
        self.file = file
        self.operation = operation
        self.code = code
    }

    /// Whether there was no room: the file system is full, or a quota or a file-size limit is reached.
    package var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }

    package var description: String {
        if isOutOfSpace {
            return "no space left for \(file) (\(operation): \(errorText(code))); the node stops so that nothing acknowledged "
                + "is lost; free space and start it again"
        }
        return "can't \(operation) \(file): \(errorText(code)); the node stops, because after a failed write or sync the disk's "
            + "content is not known; check the disk and start it again"
    }
}

/// The system's text for an error number.
package func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }
