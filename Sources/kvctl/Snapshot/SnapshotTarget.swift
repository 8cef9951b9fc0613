import Base
import Glibc

/// A directory that the files of one snapshot are brought into. While it lives, nobody else brings any; unless it becomes whole, what was brought goes again.
/// The manifest comes last: a directory without one holds no snapshot, whoever was ended in between.
final class SnapshotTarget {
    let path: String
    private let descriptor: Int32
    private let isNew: Bool
    private var made: [String] = []
    private var isWhole = false

    /// Makes the directory, or takes an empty one.
    init(_ path: String) throws(Failure) {
        self.path = path
        isNew = mkdir(path, 0o755) == 0
        if !isNew && errno != EEXIST { throw .system("can't make the directory '\(path)'") }
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { throw .system("can't open the directory '\(path)'") }
        // From here on deinit cleans up.
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            isWhole = true
            throw Failure("another kvctl is bringing a snapshot into '\(path)'")
        }
        if !(try directoryEntries(path)).isEmpty {
            isWhole = true
            throw Failure("'\(path)' is not empty: a snapshot has a directory of its own")
        }
    }

    deinit {
        if !isWhole {
            for name in made { unlink("\(path)/\(name)") }
            if isNew { rmdir(path) }
        }
        if descriptor >= 0 { close(descriptor) }
    }

    /// Begins a file.
    func file(_ name: String) throws(Failure) -> NewFile {
        let file = try NewFile("\(path)/\(name)", replaces: false)
        made.append(name)
        return file
    }

    /// All files are there.
    func finish() { isWhole = true }

    /// They are not worth keeping after all.
    func giveUp() { isWhole = false }
}

/// The names in a directory, sorted.
func directoryEntries(_ path: String) throws(Failure) -> [String] {
    guard let stream = opendir(path) else { throw .system("can't read the directory '\(path)'") }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}
