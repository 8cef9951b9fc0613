import Base
import DistributedSnapshot
import Glibc
import Node

/// The directory that scheduled snapshots go into, and the rules by which they go out of it. Nothing is touched that was not made here.
final class SnapshotShelf {
    let path: String
    private let clusterID: ClusterID
    private let descriptor: Int32

    /// Makes the directory, and holds it: one schedule at a time.
    init(_ path: String, clusterID: ClusterID) throws(Failure) {
        self.path = path
        self.clusterID = clusterID
        try makeDirectory(path)
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { throw .system("can't open the directory '\(path)'") }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 { throw Failure("another 'kvctl snapshot schedule' works in '\(path)'") }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func path(of name: ShelfName) -> String { "\(path)/\(name.text)" }

    /// Removes what an earlier run left half made or half removed; a line about each.
    func cleanUp() throws(Failure) -> [String] {
        var lines: [String] = []
        for name in try names() where !name.isWhole {
            do throws(Failure) {
                try removeFiles(of: name)
                lines.append("removed '\(path(of: name))', which an earlier run left unfinished")
            } catch { lines.append("'\(path(of: name))' is left as it is: \(error.message)") }
        }
        return lines
    }

    /// Gives a verified snapshot its name, durably.
    func keep(_ unfinished: ShelfName, as name: ShelfName) throws(Failure) {
        if rename(path(of: unfinished), path(of: name)) != 0 {
            throw .system("can't rename '\(path(of: unfinished))' to '\(path(of: name))'")
        }
        if fsync(descriptor) != 0 { throw .system("can't sync '\(path)'") }
    }

    /// Removes what is beyond `keep` now that `newest` is verified; a line about each that went, or that could not go.
    func trim(keep: Int, newest: ShelfName) throws(Failure) -> [String] {
        var lines: [String] = []
        for name in ShelfName.surplus(try names(), keep: keep, newest: newest) {
            do throws(Failure) {
                try requireOwn(name)
                var going = name
                going.isRemoving = true
                if rename(path(of: name), path(of: going)) != 0 { throw .system("can't rename it") }
                try removeFiles(of: going)
                lines.append("removed '\(path(of: name))'")
            } catch { lines.append("'\(path(of: name))' stays: \(error.message)") }
        }
        return lines
    }

    private func names() throws(Failure) -> [ShelfName] {
        try directoryEntries(path).compactMap { text in
            guard let name = ShelfName(text), name.text == text, isDirectory("\(path)/\(text)") else { return nil }
            return name
        }
    }

    /// A directory itself, no link to one.
    private func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// That a directory holds the snapshot of this cluster that its name says, and nothing else.
    private func requireOwn(_ name: ShelfName) throws(Failure) {
        let place = path(of: name)
        let strangers = try directoryEntries(place).filter { !SnapshotShelf.isOwn($0, evenHalf: false) }
        if let stranger = strangers.first { throw Failure("'\(stranger)' in it is not of a snapshot") }
        let file = try MappedFile("\(place)/manifest")
        let manifest = try withExtendedLifetime(file) { () throws(Failure) in
            try SnapshotDirectory.manifest(in: file.view, file: file.path, clusterID: clusterID)
        }
        if manifest.id != name.id { throw Failure("the snapshot in it is \(manifest.id)") }
    }

    /// Removes the files of a snapshot, the manifest first so that the rest is not taken for one, and the directory.
    private func removeFiles(of name: ShelfName) throws(Failure) {
        check(!name.isWhole, "only what is half made or half removed is removed")
        let place = path(of: name)
        let entries = try directoryEntries(place)
        if let stranger = entries.first(where: { !SnapshotShelf.isOwn($0, evenHalf: true) }) {
            throw Failure("'\(stranger)' in it is not of a snapshot")
        }
        for entry in entries.sorted(by: { ($0 == "manifest" ? 0 : 1, $0) < ($1 == "manifest" ? 0 : 1, $1) }) {
            if unlink("\(place)/\(entry)") != 0 { throw .system("can't remove '\(place)/\(entry)'") }
        }
        if rmdir(place) != 0 { throw .system("can't remove '\(place)'") }
    }

    /// Whether a file is one of a snapshot's, or what is left of one that was being written.
    static func isOwn(_ name: String, evenHalf: Bool) -> Bool {
        var words = name.split(separator: ".", omittingEmptySubsequences: false)
        if evenHalf && words.count > 2 && words.last == "tmp" && Int(words[words.count - 2]) != nil { words.removeLast(2) }
        if words == ["manifest"] { return true }
        return words.count == 2 && words[1] == "part" && words[0].hasPrefix("node-") && Int(words[0].dropFirst(5)) != nil
    }
}
