import Base

/// A file in a node's data directory, by plain name (no path).
package struct FileName: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
    /// The name that a driver gives the file while it makes it. Recovery removes what is left under such a name.
    package var temporary: FileName { FileName(text + ".new") }
}

/// One step of disk work. `Storage` emits them; `Posix` and the simulated disk carry them out **strictly in order**,
/// each durable before the next begins, and report each by its number. A failure is the end of the process (DESIGN, rule 3),
/// except where an operation says that it may be refused.
package struct DiskOperation: Sendable {
    /// Dense from 1 in a run.
    package var number: UInt64
    package var action: Action

    package init(number: UInt64, action: Action) {
        self.number = number
        self.action = action
    }

    package enum Action: Sendable {
        /// Make `name` a file of `byteCount` zero bytes: written under the name `name.temporary`, synced, renamed, directory synced.
        /// Not urgent: it may run on a background thread beside later `write`s to other files, and completes in its own time.
        case create(name: FileName, byteCount: Int)
        /// Write the block at `offset` of an existing file; durable (data synced) when it completes. `offset` and the
        /// count are multiples of the block size (4096), the memory is aligned to it, the file does not grow.
        case write(name: FileName, offset: Int, block: DiskBlock)
        /// Rename, then sync the directory.
        case rename(from: FileName, to: FileName)
        /// Remove, then sync the directory.
        case remove(name: FileName)
        /// Read `count` bytes at `offset`, both multiples of the block size. Not ordered with the writes; completes with the bytes.
        case read(name: FileName, offset: Int, count: Int)
        /// Write the block at `offset` of the temporary file `name.temporary`, which ends there; at 0 the file is made anew. Not
        /// durable when it completes. Not urgent, as `create` is, but in order with the other steps on unfinished files. It may be
        /// refused (a full disk): the driver says so, and the file is given up.
        case extend(name: FileName, offset: Int, block: DiskBlock)
        /// Sync `name.temporary`, rename it to `name`, replacing what is there, and sync the directory. In order with `extend`;
        /// may be refused, and then nothing has got that name.
        case publish(name: FileName)
        /// Remove `name` and `name.temporary`, whichever there is. In order with `extend` and not urgent; what is left of it
        /// after a crash does no harm.
        case discard(name: FileName)
    }
}

/// Bytes on their way to the disk: an aligned buffer that one owner fills and then never touches again until the write
/// is done. Sendable by that discipline, so that a disk thread can take it.
package final class DiskBlock: @unchecked Sendable {
    package let buffer: ByteBuffer
    /// An empty block with room for `capacity` bytes, aligned for direct I/O.
    package init(capacity: Int) { buffer = ByteBuffer(capacity: capacity, alignment: 4096) }
}

/// The files that recovery reads, as `Posix` or the simulated disk offers them. Used at start-up only.
package protocol RecoverySource: AnyObject {
    /// Names of all files in the data directory, in any order.
    func list() throws(StorageError) -> [FileName]
    /// Size of a file in bytes.
    func size(of name: FileName) throws(StorageError) -> Int
    /// Appends up to `count` bytes from `offset` to `buffer`; fewer only at the end of the file.
    func read(_ name: FileName, offset: Int, count: Int, into buffer: ByteBuffer) throws(StorageError)
}

/// What can be wrong with a data directory. Each case says where, so that the operator can be told what to do.
package enum StorageError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Bytes that were acknowledged as durable are damaged: file, offset in bytes, what is wrong there.
    case damaged(file: String, offset: Int, reason: String)
    /// The directory belongs to another cluster or node.
    case wrongIdentity(file: String, reason: String)
    /// Written by a format that this version does not read.
    case unsupportedVersion(file: String, version: UInt32)
    /// The operating system refused: file, what was tried, its error text.
    case system(file: String, operation: String, reason: String)

    package var description: String {
        switch self {
        case .damaged(let file, let offset, let reason): "\(file) is damaged at offset \(offset): \(reason)"
        case .wrongIdentity(let file, let reason): "\(file) is not of this node: \(reason)"
        case .unsupportedVersion(let file, let version): "\(file) has format version \(version), which this version can't read"
        case .system(let file, let operation, let reason): "can't \(operation) \(file): \(reason)"
        }
    }
}
