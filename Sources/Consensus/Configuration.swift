import Base

/// Who is in the group, and what a quorum is. A value: everything that counts votes or copies asks one of these.
package struct Configuration: Equatable, Sendable {
    /// Members that vote, ascending. In joint consensus: the incoming set (C-new; paper, section 6).
    package private(set) var voters: [NodeID]
    /// The voters that are leaving, in joint consensus (C-old); empty otherwise.
    package private(set) var outgoing: [NodeID]
    /// Members that get the log and don't vote (thesis, section 4.2.1), ascending.
    package private(set) var learners: [NodeID]
    /// Everybody, ascending, each once.
    package private(set) var members: [NodeID]

    /// A group has at most this many members: quorums are counted by plain loops.
    package static let membersMax = 15

    /// A configuration. `voters` must not be empty; a learner must not be a voter.
    package init(voters: [NodeID], outgoing: [NodeID] = [], learners: [NodeID] = []) {
        self.voters = Self.sortedOnce(voters)
        self.outgoing = Self.sortedOnce(outgoing)
        self.learners = Self.sortedOnce(learners)
        members = Self.sortedOnce(voters + outgoing + learners)
        check(!voters.isEmpty, "a group has a voter")
        check(members.count <= Self.membersMax, "a group has at most \(Self.membersMax) members")
        check(!learners.contains { voters.contains($0) || outgoing.contains($0) }, "a learner does not vote")
    }

    /// Two sets of voters must agree.
    package var isJoint: Bool { !outgoing.isEmpty }

    /// Whether `node` votes, in either set.
    package func isVoter(_ node: NodeID) -> Bool { voters.contains(node) || outgoing.contains(node) }

    /// Whether those for which `holds` answers true are a quorum: a majority of the voters, and of the outgoing ones too.
    package func isQuorum(_ holds: (NodeID) -> Bool) -> Bool {
        Self.isMajority(of: voters, holds) && (outgoing.isEmpty || Self.isMajority(of: outgoing, holds))
    }

    /// The largest index that a quorum has, when each member has everything through `match` of it.
    package func quorumIndex(_ match: (NodeID) -> LogIndex) -> LogIndex {
        let incoming = Self.majorityIndex(of: voters, match)
        return outgoing.isEmpty ? incoming : min(incoming, Self.majorityIndex(of: outgoing, match))
    }

    private static func isMajority(of set: [NodeID], _ holds: (NodeID) -> Bool) -> Bool {
        var count = 0
        for node in set where holds(node) { count += 1 }
        return count > set.count / 2
    }

    /// Counts instead of sorting: sets are tiny and this allocates nothing.
    private static func majorityIndex(of set: [NodeID], _ match: (NodeID) -> LogIndex) -> LogIndex {
        var best = LogIndex.zero
        for candidate in set {
            let index = match(candidate)
            if index > best, isMajority(of: set, { match($0) >= index }) { best = index }
        }
        return best
    }

    private static func sortedOnce(_ nodes: [NodeID]) -> [NodeID] {
        var result: [NodeID] = []
        for node in nodes.sorted() where result.last != node { result.append(node) }
        return result
    }
}
