import Base

@testable import Consensus

/// A disk that holds one group: what is durable, and the writes on their way to it.
struct TestDisk {
    var hardState = HardState()
    /// All entries from 1 on.
    var entries: [Entry] = []
    var commitHint = LogIndex.zero
    /// Writes on their way, in order.
    var pending: [RaftEffects.Persist] = []

    /// Makes the oldest write durable and answers its number.
    mutating func sync() -> UInt64? {
        guard !pending.isEmpty else { return nil }
        let write = pending.removeFirst()
        apply(write)
        return write.sequence
    }

    private mutating func apply(_ write: RaftEffects.Persist) {
        if let state = write.hardState { hardState = state }
        if let first = write.entries.first {
            check(first.index.rawValue <= UInt64(entries.count) + 1, "a write leaves no gap in the log")
            entries.removeSubrange(Int(first.index.rawValue - 1)...)
            entries += write.entries
        }
        commitHint = max(commitHint, write.commitHint)
    }

    /// The machine stops: of the writes on their way the first `kept` had reached the disk.
    mutating func crash(kept: Int) {
        for write in pending.prefix(kept) { apply(write) }
        pending.removeAll()
    }

    /// The log as it will be when all writes are done.
    var entriesWritten: [Entry] {
        var copy = self
        while copy.sync() != nil {}
        return copy.entries
    }

    /// What recovery reads; the state machine starts empty.
    var recovered: RecoveredState {
        var state = RecoveredState()
        state.hardState = hardState
        state.lastIndex = LogIndex(UInt64(entries.count))
        state.tail = entries
        state.commitHint = commitHint
        for entry in entries where entry.term != state.termRuns.last?.term {
            state.termRuns.append(TermRun(first: entry.index, term: entry.term))
        }
        return state
    }
}

/// A log with these terms, from index 1 on; payloads name term and index.
func makeEntries(_ terms: [UInt64]) -> [Entry] {
    terms.enumerated().map { position, term in
        Entry(
            term: Term(term), index: LogIndex(UInt64(position + 1)), kind: .command,
            payload: Array("\(term).\(position + 1)".utf8))
    }
}
