/// A node of the cluster, 1 and up. 0 is "none" on the wire and never a node.
package struct NodeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    @usableFromInline package let rawValue: UInt32
    @inlinable package init(_ rawValue: UInt32) { self.rawValue = rawValue }
    @usableFromInline package static func < (a: NodeID, b: NodeID) -> Bool { a.rawValue < b.rawValue }
    @usableFromInline package var description: String { "\(rawValue)" }
}

/// A Raft group (one consensus instance, one database). Today there is only `GroupID.first`.
package struct GroupID: Hashable, Comparable, Sendable, CustomStringConvertible {
    @usableFromInline package let rawValue: UInt32
    @inlinable package init(_ rawValue: UInt32) { self.rawValue = rawValue }
    package static let first = GroupID(0)
    @usableFromInline package static func < (a: GroupID, b: GroupID) -> Bool { a.rawValue < b.rawValue }
    @usableFromInline package var description: String { "\(rawValue)" }
}

/// A Raft term (paper, section 5.1). 0 is before the first election.
@frozen @usableFromInline
package struct Term: Hashable, Comparable, Sendable, CustomStringConvertible {
    @usableFromInline package var rawValue: UInt64
    @inlinable package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable package static var zero: Term { Term(0) }
    @inlinable package var next: Term { Term(rawValue + 1) }
    @inlinable package static func < (a: Term, b: Term) -> Bool { a.rawValue < b.rawValue }
    @usableFromInline package var description: String { "\(rawValue)" }
}

/// A position in a group's log. The first entry has index 1; 0 is before the first.
@frozen @usableFromInline
package struct LogIndex: Hashable, Comparable, Sendable, CustomStringConvertible {
    @usableFromInline package var rawValue: UInt64
    @inlinable package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable package static var zero: LogIndex { LogIndex(0) }
    @inlinable package var next: LogIndex { LogIndex(rawValue + 1) }
    /// The index before; must not be asked of zero.
    @inlinable package var previous: LogIndex {
        check(rawValue > 0, "nothing comes before index 0")
        return LogIndex(rawValue - 1)
    }
    @inlinable package static func < (a: LogIndex, b: LogIndex) -> Bool { a.rawValue < b.rawValue }
    @usableFromInline package var description: String { "\(rawValue)" }
}

/// One run of a node process, counted up durably at each start: `(NodeID, Incarnation)` never comes twice.
package struct Incarnation: Hashable, Comparable, Sendable, CustomStringConvertible {
    @usableFromInline package let rawValue: UInt64
    @inlinable package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @usableFromInline package static func < (a: Incarnation, b: Incarnation) -> Bool { a.rawValue < b.rawValue }
    @usableFromInline package var description: String { "\(rawValue)" }
}

/// The cluster's identity, 128 bits drawn when it is made. Nodes of different clusters refuse to talk.
package struct ClusterID: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
    /// 32 hexadecimal digits.
    @usableFromInline package var description: String { hex(high) + hex(low) }
    private func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
    /// Reads the 32 digits that `description` gives; nil for anything else.
    package init?(text: String) {
        guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.suffix(16), radix: 16), text.first != "+", text.dropFirst(16).first != "+"
        else { return nil }
        self.init(high: high, low: low)
    }
}

/// Monotonic time in nanoseconds since some start; only differences mean anything. Comes in with events, never read.
@frozen @usableFromInline
package struct Instant: Hashable, Comparable, Sendable {
    @usableFromInline package var nanoseconds: UInt64
    @inlinable package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }
    @inlinable package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
    /// This instant later by `duration`.
    @inlinable package static func + (a: Instant, duration: Nanoseconds) -> Instant {
        Instant(nanoseconds: a.nanoseconds &+ duration.rawValue)
    }
    /// Time from `b` to `a`; zero when `b` is later.
    @inlinable package static func - (a: Instant, b: Instant) -> Nanoseconds {
        Nanoseconds(a.nanoseconds > b.nanoseconds ? a.nanoseconds - b.nanoseconds : 0)
    }
    @inlinable package static var never: Instant { Instant(nanoseconds: .max) }
}

/// A span of time in nanoseconds.
@frozen @usableFromInline
package struct Nanoseconds: Hashable, Comparable, Sendable {
    @usableFromInline package var rawValue: UInt64
    @inlinable package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable package static func milliseconds(_ value: UInt64) -> Nanoseconds { Nanoseconds(value * 1_000_000) }
    @inlinable package static func microseconds(_ value: UInt64) -> Nanoseconds { Nanoseconds(value * 1_000) }
    @inlinable package static func < (a: Nanoseconds, b: Nanoseconds) -> Bool { a.rawValue < b.rawValue }
}

/// Wall-clock time in microseconds since 1970. Only a leader stamps it into an entry.
@frozen @usableFromInline
package struct WallTime: Hashable, Comparable, Sendable {
    @usableFromInline package var microseconds: Int64
    @inlinable package init(microseconds: Int64) { self.microseconds = microseconds }
    @inlinable package var milliseconds: Int64 { microseconds / 1000 }
    @inlinable package static func < (a: WallTime, b: WallTime) -> Bool { a.microseconds < b.microseconds }
}

/// Both clocks at one moment, as a driver reads them.
@frozen @usableFromInline
package struct Now: Sendable {
    @usableFromInline package var instant: Instant
    @usableFromInline package var wall: WallTime
    @inlinable package init(instant: Instant, wall: WallTime) {
        self.instant = instant
        self.wall = wall
    }
}
