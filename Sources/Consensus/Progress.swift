import Base

/// A leader's knowledge of one peer (paper, Figure 2, "volatile state on leaders"; the states are thesis, section 10.2,
/// and what every later implementation makes of it).
package struct Progress: Sendable {
    /// How the leader sends to a peer.
    package enum State: UInt8, Sendable {
        /// Where the logs meet is not known: one append at a time.
        case probe = 0
        /// The logs are known to meet at `matchIndex`: entries stream, up to the window.
        case replicate = 1
        /// The peer's next entry is no longer in the log: it waits for a state file.
        case snapshot = 2
    }
    package let peer: NodeID
    package var state = State.probe
    package var matchIndex = LogIndex.zero
    package var nextIndex: LogIndex

    init(peer: NodeID, nextIndex: LogIndex) {
        self.peer = peer
        self.nextIndex = nextIndex
    }
}
