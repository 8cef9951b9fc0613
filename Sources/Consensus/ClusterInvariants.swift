import Base

/// What holds between the members of a group, over its whole history (paper, Figure 3). Fed by an observer that sees all
/// members: a test, or the simulator. Each call answers what does not hold, in words, or nil.
package struct ClusterInvariants: Sendable {
    /// A committed entry as it was first seen, and a term that its commitment is not later than.
    private struct Committed: Sendable {
        var term: Term
        var hash: UInt64
        var seenInTerm: Term
    }
    /// Committed entries after `baseIndex`, by position.
    private var committed: [Committed] = []
    private let baseIndex: LogIndex
    private var leaders: [Term: NodeID] = [:]

    /// - Parameter baseIndex: what every member's history begins after.
    package init(baseIndex: LogIndex = .zero) { self.baseIndex = baseIndex }

    /// The last committed entry that was seen.
    package var lastIndex: LogIndex { LogIndex(baseIndex.rawValue + UInt64(committed.count)) }

    /// A member after a step: election safety (one leader in a term) and leader completeness (a leader has every entry
    /// that was committed before its term).
    package mutating func observe(_ raft: Raft) -> String? {
        guard raft.role == .leader else { return nil }
        let id = raft.options.id
        if let other = leaders[raft.term] {
            return other == id ? nil : "election safety: term \(raft.term) has the leaders \(other) and \(id)"
        }
        leaders[raft.term] = id
        for (position, entry) in committed.enumerated() where entry.seenInTerm < raft.term {
            let index = LogIndex(baseIndex.rawValue + UInt64(position) + 1)
            if index <= raft.log.baseIndex || raft.term(at: index) == entry.term { continue }
            return "leader completeness: \(id), leader of term \(raft.term), lacks the committed entry \(index)"
        }
        return nil
    }

    /// Entries that a member handed out as committed: state machine safety (no two members apply different entries at one
    /// index).
    package mutating func observe(committed entries: [Entry], by raft: Raft) -> String? {
        for entry in entries where entry.index > baseIndex {
            let position = Int(entry.index.rawValue - baseIndex.rawValue) - 1
            let seen = Committed(term: entry.term, hash: Self.digest(entry), seenInTerm: raft.term)
            if position == committed.count {
                committed.append(seen)
            } else if position > committed.count {
                return "state machine safety: \(raft.options.id) passed over entry \(lastIndex.next)"
            } else if committed[position].term != seen.term || committed[position].hash != seen.hash {
                return "state machine safety: \(raft.options.id) applies another entry \(entry.index)"
            }
        }
        return nil
    }

    /// Log matching: where two logs have the same term at an index, they are equal up to there.
    package static func logMatchingViolation(_ a: Raft, _ b: Raft) -> String? {
        let base = max(a.log.baseIndex, b.log.baseIndex)
        var index = min(a.lastIndex, b.lastIndex)
        while index > base, a.term(at: index) != b.term(at: index) { index = index.previous }
        let meeting = index
        while index > base {
            if a.term(at: index) != b.term(at: index) {
                return "log matching: \(a.options.id) and \(b.options.id) agree at \(meeting) and differ at \(index)"
            }
            index = index.previous
        }
        let first = max(a.firstCachedIndex, b.firstCachedIndex)
        guard first <= meeting, let left = a.entries(from: first, through: meeting),
            let right = b.entries(from: first, through: meeting)
        else { return nil }
        for (one, other) in zip(left, right) where one != other {
            return "log matching: \(a.options.id) and \(b.options.id) have different entries \(one.index)"
        }
        return nil
    }

    private static func digest(_ entry: Entry) -> UInt64 {
        entry.payload.withView { hash($0, seed: UInt64(entry.kind.rawValue)) }
    }
}
