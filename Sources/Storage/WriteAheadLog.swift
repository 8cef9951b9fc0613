import Base
import Consensus

/// A node's write-ahead log, shared by its groups.
///
/// The owner appends as it goes and calls `flush` at the end of each turn; that emits at most one frame, and none while
/// the frame before is still being written: what is appended meanwhile gathers for the next one (group commit).
/// `completed` takes each finished operation and says what became durable.
package final class WriteAheadLog {
    /// Something that became durable, in the order in which it was appended.
    package enum Durable: Equatable, Sendable {
        /// `Persist` number `sequence` of `group`, entirely.
        case persist(group: GroupID, sequence: UInt64)
        /// The start of this run.
        case incarnation(Incarnation)
    }

    /// Entries read back.
    package struct EntriesRead: Equatable, Sendable {
        package var group: GroupID
        /// The index that was asked for.
        package var from: LogIndex
        /// Contiguous from `from`. Fewer than were asked for, even none, when the log was cut below them since.
        package var entries: [Entry]
    }

    init() {}

    /// Reads the log in `source` (or finds that there is none yet) and positions it behind its last whole frame.
    ///
    /// - Parameters:
    ///   - identity: whose log it must be.
    ///   - visitor: takes the records, in order.
    /// - Returns: the log, ready to append, and what recovery did. Call `flush` at once: the first operations create or
    ///   tidy up files.
    /// - Throws: `damaged` (with file and offset), `wrongIdentity`, `unsupportedVersion`, or what `source` throws.
    package static func recover<Visitor: RecoveryVisitor>(
        from source: any RecoverySource, identity: NodeIdentity, options: LogOptions, visitor: inout Visitor
    ) throws(StorageError) -> (log: WriteAheadLog, report: RecoveryReport) { fatalError("follows") }

    /// Appends one ordered write of a group. `persist.entries` begin at most one behind the group's last entry; at or
    /// below it they replace the log from there on.
    package func append(_ persist: RaftEffects.Persist, group: GroupID) { fatalError("follows") }

    /// Appends the start of this run. The node must not speak in its name before it is durable.
    package func append(incarnation: Incarnation) { fatalError("follows") }

    /// Appends an empty frame behind everything else, unless the log already ends in one. It makes later damage to the last records
    /// detectable (a damaged last frame looks like a torn one); an owner that is idle or about to stop calls it.
    package func seal() { fatalError("follows") }

    /// Emits what can be emitted now: one frame with all that was appended since the last one, and housekeeping
    /// (creating, recycling and removing segments). Call it at the end of each turn and after each `completed`.
    ///
    /// - Returns: the number of the operation whose completion makes the frame durable; nil when no frame was emitted
    ///   (nothing is pending, a frame is being written, or the next segment is not ready yet).
    package func flush(into operations: inout [DiskOperation]) -> UInt64? { fatalError("follows") }

    /// Takes the completion of an operation other than `read`, and appends what it made durable to `durable`.
    package func completed(number: UInt64, durable: inout [Durable]) { fatalError("follows") }

    /// Bytes appended and not yet durable; whoever accepts work holds back when they are too many.
    package var pendingBytes: Int { fatalError("follows") }

    /// Bytes of all segment files, spares included.
    package var diskBytes: Int { fatalError("follows") }

    /// Asks for durable entries of `group` from index `from` on, as many as lie together within about `bytesMax` bytes, one at least.
    ///
    /// - Returns: the number of the read operation; `entriesRead` takes its bytes. Nil when `from` is not (or no longer, or not yet
    ///   durably) in the log.
    package func requestEntries(
        group: GroupID, from: LogIndex, bytesMax: Int, into operations: inout [DiskOperation]
    ) -> UInt64? { fatalError("follows") }

    /// Takes the bytes of read operation `number` and verifies the entries in them.
    ///
    /// - Throws: `damaged` when they are not what was written.
    package func entriesRead(number: UInt64, bytes: ByteView) throws(StorageError) -> EntriesRead { fatalError("follows") }

    /// Says that a durable state file covers `group` through `index`, whose entry has `term`: entries through there are no
    /// longer needed. Segments that hold nothing else are recycled or removed by operations of later flushes. An index
    /// behind the group's last entry empties its log; it continues at `index + 1` (thesis, section 5.3, InstallSnapshot).
    package func compact(group: GroupID, through index: LogIndex, term: Term) { fatalError("follows") }
}
