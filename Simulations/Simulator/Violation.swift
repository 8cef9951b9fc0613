import Base

/// A promise that a run broke: what a checker throws.
package struct Violation: Error, Equatable, Sendable, CustomStringConvertible {
    /// Which promise.
    package enum Kind: String, Sendable, CaseIterable {
        /// At most one leader in a term (paper, Figure 3).
        case electionSafety
        /// Logs with an entry of the same index and term are equal up to it (Figure 3).
        case logMatching
        /// A committed entry is in the logs of all leaders of later terms (Figure 3).
        case leaderCompleteness
        /// What was committed once at an index is what is committed there for ever (state machine safety, Figure 3).
        case committedEntryChanged
        /// Nodes that have applied the same log have the same state.
        case stateDigest
        /// A node's term, commit index and applied index never go back in a run, and what is applied is committed.
        case progress
        /// The history of a key has an order that a single machine could have produced (Herlihy and Wing, 1990).
        case linearizability
        /// Every acknowledged increment or append happened once, every one of unknown outcome at most once.
        case exactlyOnce
        /// A key with a time to live is gone when its time is over, and only then.
        case expiry
        /// A scan returns what is there from its beginning to its end, and nothing that was gone before (Redis, SCAN).
        case scan
        /// A connection to a node that lives is not dropped.
        case droppedConnection
        /// Replies come in the order of the commands and look as they should.
        case reply
        /// After everything has healed, every command is answered within the bound.
        case liveness
        /// After everything has healed and the clients are silent, all nodes reach the same state.
        case convergence
        /// A node asks its disk only for what the contract allows.
        case diskContract
        /// A node starts from what a crash left, and refuses only what is really damaged.
        case recovery
        /// A distributed snapshot is consistent, exact, and what it says of itself (Chandy and Lamport, 1985).
        case cut
        /// A cluster that is restored from a cut holds what was acknowledged before it, nothing that came later, and goes on from there.
        case restoration
        /// A node does what the drivers' contract says.
        case driverContract
    }

    package var kind: Kind
    /// What was seen, in words.
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { "\(kind.rawValue): \(message)" }
}
