import Base

@testable import Consensus

/// A disk that holds one group: what is durable, and the writes on their way to it.
struct TestDisk {
    var hardState = HardState()
    /// A state file: what it covers, and what was applied by then.
    struct StateFile {
        var index = LogIndex.zero
        var term = Term.zero
        var applied: [Entry] = []
    }

    /// All entries behind the base.
    var entries: [Entry] = []
    var baseIndex = LogIndex.zero
    var baseTerm = Term.zero
    /// The newest state file. Durable at once.
    var state = StateFile()
    /// The log begins anew there, behind the write of that number.
    var restarts: [(after: UInt64, index: LogIndex, term: Term)] = []
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
        while let restart = restarts.first, restart.after < write.sequence { applyRestart(restart.index, restart.term) }
        if let state = write.hardState { hardState = state }
        if let first = write.entries.first {
            check(
                first.index > baseIndex && first.index.rawValue <= baseIndex.rawValue + UInt64(entries.count) + 1,
                "a write leaves no gap in the log")
            entries.removeSubrange(Int(first.index.rawValue - baseIndex.rawValue - 1)...)
            entries += write.entries
        }
        commitHint = max(commitHint, write.commitHint)
    }

    private mutating func applyRestart(_ index: LogIndex, _ term: Term) {
        restarts.removeFirst()
        guard index > baseIndex else { return }
        (baseIndex, baseTerm) = (index, term)
        entries = []
    }

    /// Lets go of the entries through `index`, which a state file covers. Those that are not written yet never come.
    mutating func compact(through index: LogIndex, term: Term, last sequence: UInt64) {
        check(index <= state.index, "what goes is covered")
        if index.rawValue > baseIndex.rawValue + UInt64(entries.count) {
            // The log on the disk ends before: what is on its way is covered as far.
            restarts.append((sequence, index, term))
            return
        }
        entries.removeFirst(Int(index.rawValue - baseIndex.rawValue))
        (baseIndex, baseTerm) = (index, term)
    }

    /// The machine stops: of the writes on their way the first `kept` had reached the disk.
    mutating func crash(kept: Int) {
        for write in pending.prefix(kept) { apply(write) }
        pending.removeAll()
        restarts.removeAll()
    }

    /// The log as it will be when all writes are done.
    var entriesWritten: [Entry] {
        var copy = self
        while copy.sync() != nil {}
        return copy.entries
    }

    /// The term of the entry at `index`.
    func term(at index: LogIndex) -> Term? {
        if index == baseIndex { return baseTerm }
        guard index > baseIndex, index.rawValue <= baseIndex.rawValue + UInt64(entries.count) else { return nil }
        return entries[Int(index.rawValue - baseIndex.rawValue) - 1].term
    }

    var recovered: RecoveredState {
        var copy = self
        return copy.recover()
    }

    /// What recovery reads, as `GroupRecovery` would: the state file wins where the log ends before it or differs there.
    mutating func recover() -> RecoveredState {
        if term(at: state.index) != state.term {
            (baseIndex, baseTerm) = (state.index, state.term)
            entries = []
        }
        hardState = hardState.term < baseTerm ? HardState(term: baseTerm) : hardState
        var found = RecoveredState()
        found.hardState = hardState
        found.baseIndex = baseIndex
        found.baseTerm = baseTerm
        found.lastIndex = LogIndex(baseIndex.rawValue + UInt64(entries.count))
        found.tail = entries
        found.commitHint = max(commitHint, state.index)
        found.appliedIndex = state.index
        for entry in entries where entry.term != found.termRuns.last?.term {
            found.termRuns.append(TermRun(first: entry.index, term: entry.term))
        }
        return found
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
