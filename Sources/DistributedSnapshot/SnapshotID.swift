import Base

/// The number of a distributed snapshot (Chandy and Lamport, 1985), growing over the life of a cluster. Every peer frame carries the
/// one that its sender recorded last (its *colour*; Lai and Yang, 1987): a receiver that did not get that snapshot's marker on this
/// channel knows that a marker was lost, before it takes in the frame. 0: none yet.
///
/// From the high bits to the low ones: 42 bits of milliseconds since 1970 (until the year 2109), 12 bits of the initiator's number,
/// 10 bits of its incarnation.
package struct SnapshotID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UInt64
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    package static let none = SnapshotID(0)
    package static func < (a: SnapshotID, b: SnapshotID) -> Bool { a.rawValue < b.rawValue }
    @usableFromInline package var description: String { "\(rawValue)" }

    /// Who made it.
    package var initiator: NodeID { NodeID(UInt32(truncatingIfNeeded: rawValue >> 10) & SnapshotID.nodeNumberMax) }

    /// When, in milliseconds since 1970, by the clock of whoever made it (or later).
    package var milliseconds: UInt64 { rawValue >> SnapshotID.lowBits }

    /// Initiators have numbers up to this.
    package static let nodeNumberMax: UInt32 = 4095
    private static let millisecondsMax: UInt64 = 1 << 42 - 1
    private static let lowBits: UInt64 = 22

    /// An id above `seen` that no other node, and no other run of this node, makes: two nodes differ in their numbers; two runs of
    /// one node in their incarnations, unless there were 1024 starts between them; within a run, and between runs that heard of
    /// each other's ids, ids grow even when the clock goes back. Nil when the numbers are exhausted.
    package static func make(above seen: SnapshotID, wall: WallTime, node: NodeID, incarnation: Incarnation) -> SnapshotID? {
        check(node.rawValue > 0 && node.rawValue <= nodeNumberMax, "an initiator's number fits into an id")
        let clock = UInt64(clamping: wall.milliseconds)
        let milliseconds = max(clock, seen == .none ? 1 : seen.rawValue >> lowBits + 1)
        if milliseconds > millisecondsMax { return nil }
        let id = SnapshotID(milliseconds << lowBits | UInt64(node.rawValue) << 10 | incarnation.rawValue & 1023)
        check(id > seen, "ids grow")
        return id
    }
}
