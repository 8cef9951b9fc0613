import Base
import Consensus
import Database
import Storage

/// When state files are written, and how fast. Bytes unless named otherwise.
package struct StateFileOptions: Sendable {
    /// A new state file is begun when the log behind the newest one has grown by this much, and by as much as that file is long.
    package var logBytesMin = 64 << 20
    /// Log that is kept for nodes that are only a little behind.
    package var tailBytes = 32 << 20
    /// State encoded in one turn that has something else to do, and in one that has not.
    package var busyTurnBytes = 16 << 10
    package var idleTurnBytes = 128 << 10
    /// How fast a file is encoded while there is work for clients.
    package var busyBytesPerSecond = 8 << 20
    /// A chunk on disk.
    package var chunkBytes = StateFileFormat.chunkBytes
    /// Disk operations on their way for one file.
    package var operationsMax = 4
    /// What a node that fetches a state file asks for at a time, a multiple of 4096, and how much it has asked for and not got.
    package var pieceBytes = 256 << 10
    package var piecesMax = 4
    /// How long to wait after a failure.
    package var retryDelay = Nanoseconds.milliseconds(10_000)
    /// Bugs to plant, for checkers to find. None in production.
    package var faults: StateFileFaults = []
    package init() {}

    func checkInvariants() {
        check(logBytesMin > 0 && tailBytes >= 0, "the log has a size")
        check(
            busyTurnBytes > 0 && idleTurnBytes > 0 && busyBytesPerSecond > 0 && operationsMax > 0 && piecesMax > 0,
            "a state file comes to its end")
        check(pieceBytes > 0 && pieceBytes % LogOptions.blockBytes == 0, "pieces are whole blocks")
    }
}

/// Bugs that can be planted in how a node handles state files.
package struct StateFileFaults: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The log is trimmed through the newest file: where that is damaged, nothing reaches the log.
    package static let trimTooFar = StateFileFaults(rawValue: 1)
    /// An install does not close the connections that wait for replies which nobody knows.
    package static let keepUnknown = StateFileFaults(rawValue: 2)
}

/// A state file that is whole and on this node's disk.
struct StateFile: Equatable {
    let name: FileName
    let fileID: UInt64
    /// The last entry in it, with its term.
    let index: LogIndex
    let term: Term
    let byteCount: Int
}

extension StateFile {
    /// The file that a writer has written.
    init(_ writer: StateFileWriter) {
        self.init(
            name: writer.name, fileID: writer.header.fileID, index: writer.header.index, term: writer.header.term,
            byteCount: writer.byteCount)
    }
}

/// What a node has to do with state files: those it has, the one it writes, the one it fetches, and whom it sends them.
struct StateFiles {
    /// Whole ones, ascending by index; two of them at most, and one more while the newest is being judged.
    var files: [StateFile] = []
    /// Files that can't be used, to be removed when there is a newer one.
    var unusable: [FileName] = []
    /// `WriteAheadLog.writtenBytes` when the newest state was recorded; negative for one of an earlier run.
    var logMark = 0
    var writing: StateFileJob?
    var fetching: IncomingStateFile?
    /// Pieces that are being read for others, in the order in which they were asked for.
    var serving: [OutgoingPiece] = []
    /// Until then this node does not trim what a node that fetches `servedIndex` will need next.
    var servedIndex = LogIndex.zero
    var servedUntil = Instant(nanoseconds: 0)
    /// Files to be removed once nobody reads them.
    var toDiscard: [FileName] = []
    /// Somebody wants a state file now.
    var isWanted = false
    /// Nothing is tried before.
    var retryAt = Instant(nanoseconds: 0)
    /// States that were replaced, while they are freed.
    var retired: [StateMachine] = []

    // For SAVE, LASTSAVE and INFO.
    /// Connections that wait for the state file that is being written.
    var waitingForSave: [ConnectionID] = []
    var savedAt = WallTime(microseconds: 0)
    var lastSucceeded = true
    /// Nil before the first.
    var lastDuration: Nanoseconds?
    var saves: UInt64 = 0
    var changesAtSave: UInt64 = 0

    var newest: StateFile? { files.last }

    func checkInvariants() {
        for (one, next) in zip(files, files.dropFirst()) { check(one.index < next.index, "state files ascend") }
    }
}

/// A state file that this node writes of its own state.
final class StateFileJob {
    let record: StateRecord
    var writer: StateFileWriter
    /// Operations on their way.
    var underWay: [UInt64] = []
    /// Everything is encoded.
    var isEncoded = false
    /// The operation that makes it a state file.
    var publication: UInt64?
    let scratch = ByteBuffer(capacity: 1 << 16)
    let logMark: Int
    let changes: UInt64
    let began: Instant

    init(_ record: StateRecord, _ writer: StateFileWriter, logMark: Int, changes: UInt64, began: Instant) {
        self.record = record
        self.writer = writer
        self.logMark = logMark
        self.changes = changes
        self.began = began
    }

    var file: StateFile { StateFile(writer) }
}
