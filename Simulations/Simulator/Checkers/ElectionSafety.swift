import Base

/// Checks that no term has two leaders (paper, Figure 3, Election Safety).
package struct ElectionSafety: Sendable {
    private var leaders: [Term: NodeID] = [:]

    package init() {}

    /// Number of terms that had a leader.
    package var count: Int { leaders.count }

    /// Takes note that `node` leads `term`. Returns whether that is news.
    @discardableResult
    package mutating func leads(_ node: NodeID, in term: Term) throws(Violation) -> Bool {
        guard let known = leaders.updateValue(node, forKey: term) else { return true }
        if known != node {
            throw Violation(.electionSafety, "term \(term) has two leaders, node \(known) and node \(node)")
        }
        return false
    }
}
