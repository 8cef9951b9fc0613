import Base

/// What a `Raft` asks its owner to do after one or more calls. The owner drains it at the end of its turn with
/// `Raft.drain(into:)`; the arrays are reused.
///
/// Order that the owner keeps:
/// 1. `messages` may leave at once, before and while anything is written.
/// 2. `persist` is written as one unit, after every earlier `persist`, and reported with `Raft.persisted(_:)` when it is
///    durable. Only then does `Raft` release the messages that had to wait for it (votes and acknowledgements).
/// 3. `committed` is applied in order, on every node alike.
package struct RaftEffects: Sendable {
    /// May be sent at once.
    package var messages: [Message] = []
    /// What must become durable, or nil.
    package var persist: Persist?
    /// Entries newly known to be committed, contiguous. The owner applies them and then calls `Raft.applied(through:)`.
    package var committed: [Entry] = []
    /// Reads that may be served once their index is applied.
    package var readable: [ReadGrant] = []
    /// Reads that can't be granted now (no leader, leadership lost, request lost): the owner asks again when it knows a
    /// leader. The numbers are the `id`s given to `Raft.requestRead`.
    package var failedReads: [UInt64] = []
    /// Peers whose next entries are no longer in the log cache: the owner reads them from disk and calls
    /// `Raft.loaded(for:entries:)`, or `Raft.loadFailed(for:)`.
    package var loads: [Load] = []
    /// State files that the leader has for this member instead of entries: the owner fetches one (any that covers as much) and
    /// calls `Raft.installed`, or `Raft.installFailed`.
    package var installs: [Install] = []
    /// Role, term or known leader changed since the last drain.
    package var statusChanged = false
    /// Leadership of this node began in this drain (its empty entry is in `persist`).
    package var becameLeader = false

    package init() {}

    /// Empties everything and keeps the memory.
    package mutating func removeAll() {
        messages.removeAll(keepingCapacity: true)
        persist = nil
        committed.removeAll(keepingCapacity: true)
        readable.removeAll(keepingCapacity: true)
        failedReads.removeAll(keepingCapacity: true)
        loads.removeAll(keepingCapacity: true)
        installs.removeAll(keepingCapacity: true)
        statusChanged = false
        becameLeader = false
    }

    /// One ordered write. In the stream: the hard state first, then the entries.
    package struct Persist: Equatable, Sendable {
        /// Number of this write, dense from 1 in a run.
        package var sequence: UInt64
        /// The hard state, when it changed.
        package var hardState: HardState?
        /// New entries, contiguous. The first one may lie at or below the last index written before: then the log from there
        /// on is replaced (paper, Figure 2, AppendEntries step 3).
        package var entries: [Entry]
        /// The commit index known now: a hint for recovery, which may apply up to it at once.
        package var commitHint: LogIndex
        package init(sequence: UInt64, hardState: HardState?, entries: [Entry], commitHint: LogIndex) {
            self.sequence = sequence
            self.hardState = hardState
            self.entries = entries
            self.commitHint = commitHint
        }
    }

    /// A read that may be served once `index` is applied.
    package struct ReadGrant: Equatable, Sendable {
        package var id: UInt64
        package var index: LogIndex
        /// The leader's wall clock at the confirmation (see `Message.Body.readIndexResponse`).
        package var wall: WallTime
        package init(id: UInt64, index: LogIndex, wall: WallTime) {
            self.id = id
            self.index = index
            self.wall = wall
        }
    }

    /// A state file to be fetched from `from`, covering everything through `index` at least.
    package struct Install: Equatable, Sendable {
        package var from: NodeID
        package var index: LogIndex
        /// Of the entry at `index`.
        package var term: Term
        package init(from: NodeID, index: LogIndex, term: Term) {
            self.from = from
            self.index = index
            self.term = term
        }
    }

    /// A peer that needs entries from `from` on, `bytesMax` at most (one entry at least).
    package struct Load: Equatable, Sendable {
        package var peer: NodeID
        package var from: LogIndex
        package var bytesMax: Int
        package init(peer: NodeID, from: LogIndex, bytesMax: Int) {
            self.peer = peer
            self.from = from
            self.bytesMax = bytesMax
        }
    }
}
