import Base

/// The number of a distributed snapshot (Chandy and Lamport, 1985), growing over the life of a cluster. Every peer frame carries the
/// newest one that its sender has recorded (its *colour*; Lai and Yang, 1987), so that a receiver records before it takes in a
/// frame sent after the sender's record, even where a marker was lost. 0: none yet.
package struct SnapshotID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    package static let none = SnapshotID(0)
    package static func < (a: SnapshotID, b: SnapshotID) -> Bool { a.rawValue < b.rawValue }
}
