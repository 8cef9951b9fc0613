import Base

/// One entry of a group's log.
package struct Entry: Equatable, Sendable {
    /// What an entry is for.
    package enum Kind: UInt8, Sendable {
        /// A batch of commands for the state machine.
        case command = 0
        /// What a new leader appends first: it commits everything before it (paper, section 5.4.2 and section 8).
        case empty = 1
        /// A change of the group's configuration (thesis, chapter 4). The payload is an encoded `Configuration`.
        case configuration = 2
    }
    package var term: Term
    package var index: LogIndex
    package var kind: Kind
    /// Opaque to consensus. Shared, never copied: the same array goes to the disk, to the peers and to the state machine.
    package var payload: [UInt8]

    package init(term: Term, index: LogIndex, kind: Kind, payload: [UInt8]) {
        self.term = term
        self.index = index
        self.kind = kind
        self.payload = payload
    }
}

/// What must be on disk before a node speaks in its name (paper, Figure 2, "persistent state"), log apart.
package struct HardState: Equatable, Sendable {
    package var term: Term
    /// Who got this node's vote in `term`.
    package var vote: NodeID?
    package init(term: Term = .zero, vote: NodeID? = nil) {
        self.term = term
        self.vote = vote
    }
}
