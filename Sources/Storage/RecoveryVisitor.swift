import Base
import Consensus

/// Takes what recovery finds in the log, record by record, in the order in which it was appended. What is delivered is
/// verified. When recovery throws in the end, everything delivered is to be thrown away.
package protocol RecoveryVisitor {
    /// An entry. An index at or below the group's last one replaces the log from there on. `payload` is valid during the
    /// call. Indexes are contiguous, except that the first entry seen of a group may have any index when the log was
    /// compacted: then a `base` follows at some point and, in the end, every entry behind the base was delivered.
    mutating func entry(group: GroupID, index: LogIndex, term: Term, kind: Entry.Kind, payload: ByteView)
    /// The group's hard state from here on.
    mutating func hardState(group: GroupID, _ state: HardState)
    /// Entries through `index` were known to be committed when this was written.
    mutating func commitHint(group: GroupID, index: LogIndex)
    /// Everything through `index` is covered by a state file: the group's log begins behind it.
    mutating func base(group: GroupID, index: LogIndex, term: Term)
    /// Everything through `index` is covered by a state file, and the group's log is empty behind it.
    mutating func restart(group: GroupID, index: LogIndex, term: Term)
    /// The node's run from here on.
    mutating func incarnation(_ incarnation: Incarnation)
    /// How far recovery is, in bytes of segment files. Called about once per MiB.
    mutating func progress(bytesDone: Int, bytesTotal: Int)
}

/// What recovery did besides delivering records.
package struct RecoveryReport: Equatable, Sendable {
    /// The last frame, which was being written when the node went down, and was cut off: it had not been acknowledged
    /// (or is damaged in a way that can't be told from that; see docs/internals/log-format.md).
    package struct TornTail: Equatable, Sendable, CustomStringConvertible {
        package var file: String
        /// Where the frame begins, in bytes.
        package var offset: Int
        /// The frame's number.
        package var sequence: UInt64
        /// Its size in bytes as its header says.
        package var byteCount: Int
        package var reason: String
        package var description: String {
            "\(file): cut off frame \(sequence), \(byteCount) bytes at offset \(offset), which was never completed (\(reason))"
        }
    }
    /// Nil when the log ends at a whole frame.
    package var tornTail: TornTail?
    /// Segments that hold frames.
    package var segments = 0
    /// Whole frames read.
    package var frames: UInt64 = 0
    /// Records read.
    package var records: UInt64 = 0
    /// Bytes of segment files read.
    package var bytes = 0
}
