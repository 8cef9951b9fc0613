import Base
import Consensus
import Database
import RESP
import Storage

/// Rebuilds a group from its newest state file and its log, record by record: entries known to be committed are applied at
/// once, the rest waits for a leader to say. Memory is bounded by the log cache and by what was never known to be committed.
struct GroupRecovery: RecoveryVisitor {
    let machine: StateMachine
    private(set) var incarnation = Incarnation(0)
    private var state = RecoveredState()
    /// The last entry in the state file, and its term; zero without one.
    private let stateIndex: LogIndex
    private let stateTerm: Term
    /// The log began anew there, or must, because it ends before the state file or holds another history at its end.
    private(set) var restart: (index: LogIndex, term: Term)?
    /// Entries kept for the log cache and for what is not applied yet, contiguous up to `state.lastIndex`.
    private var tail = RingBuffer<LogEntry>()
    private var tailBytes = 0
    private let cacheBytesMax: Int
    private let report: (Int, Int) -> Void

    /// Starts with the state of a state file, or with an empty database.
    ///
    /// - Parameter seed: of the database's hash. The same on every node (it is part of the replicated state) and drawn with
    ///   the cluster, so that nobody outside can choose keys that collide.
    init(machine: StateMachine?, seed: UInt64, cacheBytesMax: Int, progress: @escaping (Int, Int) -> Void) {
        self.machine = machine ?? StateMachine(seed: seed)
        stateIndex = self.machine.appliedIndex
        stateTerm = self.machine.appliedTerm
        state.appliedIndex = stateIndex
        self.cacheBytesMax = cacheBytesMax
        report = progress
    }

    mutating func entry(group: GroupID, index: LogIndex, term: Term, kind: LogEntry.Kind, payload: ByteView) {
        guard group == .first else { return }
        check(index > min(state.commitHint, state.lastIndex), "a committed entry is never replaced")
        while let last = tail.last, last.index >= index { dropLast(last) }
        while let run = state.termRuns.last, run.first >= index { state.termRuns.removeLast() }
        check(tail.last.map { $0.index.next == index } ?? true, "the log has no gaps")
        if state.termRuns.last?.term != term {
            check(state.termRuns.last.map { $0.term < term } ?? true, "terms in a log do not go back")
            state.termRuns.append(TermRun(first: index, term: term))
        }
        tail.append(LogEntry(term: term, index: index, kind: kind, payload: payload.array))
        tailBytes += payload.count
        state.lastIndex = index
    }

    private mutating func dropLast(_ entry: LogEntry) {
        tailBytes -= entry.payload.count
        _ = tail.popLast()
    }

    mutating func hardState(group: GroupID, _ hardState: HardState) {
        guard group == .first else { return }
        check(hardState.term >= state.hardState.term, "a term does not go back")
        state.hardState = hardState
    }

    mutating func commitHint(group: GroupID, index: LogIndex) {
        guard group == .first, index > state.commitHint else { return }
        state.commitHint = index
        applyCommitted()
    }

    private mutating func applyCommitted() {
        // What a state file that can't be used would have covered is missing here; `StateRecovery.requireReach` says so in the end.
        guard let first = tail.first, first.index <= state.appliedIndex.next else { return }
        while state.appliedIndex < min(state.commitHint, state.lastIndex) {
            let next = state.appliedIndex.next
            check(next >= first.index, "what is applied next is in memory")
            let entry = tail[Int(next.rawValue - first.index.rawValue)]
            machine.apply(entry, replies: nobody)
            state.appliedIndex = next
        }
        while tailBytes > cacheBytesMax, let oldest = tail.first, oldest.index <= state.appliedIndex, tail.count > 1 {
            tailBytes -= oldest.payload.count
            _ = tail.popFirst()
        }
    }
    private let nobody = ReplyWriter(ByteBuffer(capacity: 64), version: .two, discards: true)

    mutating func base(group: GroupID, index: LogIndex, term: Term) {
        guard group == .first, index > state.baseIndex else { return }
        (state.baseIndex, state.baseTerm) = (index, term)
        if index >= state.lastIndex { return empty(behind: index) }
        while let first = tail.first, first.index <= index {
            tailBytes -= first.payload.count
            _ = tail.popFirst()
        }
        while state.termRuns.count > 1, state.termRuns[1].first <= index.next { state.termRuns.removeFirst() }
        if state.termRuns[0].first <= index { state.termRuns[0].first = index.next }
    }

    mutating func restart(group: GroupID, index: LogIndex, term: Term) {
        guard group == .first else { return }
        (state.baseIndex, state.baseTerm) = (index, term)
        empty(behind: index)
    }

    private mutating func empty(behind index: LogIndex) {
        while tail.popFirst() != nil {}
        tailBytes = 0
        state.termRuns.removeAll()
        state.lastIndex = index
        state.commitHint = max(state.commitHint, index)
    }

    /// The term of the log's entry at `index`; nil when it is not in the log.
    private func term(at index: LogIndex) -> Term? {
        if index == state.baseIndex { return state.baseTerm }
        guard index > state.baseIndex, index <= state.lastIndex else { return nil }
        return state.termRuns.last { $0.first <= index }?.term
    }

    mutating func incarnation(_ incarnation: Incarnation) {
        // The present one is stated again when the log is trimmed.
        check(incarnation >= self.incarnation, "runs are counted up")
        self.incarnation = incarnation
    }

    mutating func progress(bytesDone: Int, bytesTotal: Int) { report(bytesDone, bytesTotal) }

    /// What was found, for consensus. Called once, at the end.
    ///
    /// A state file holds what is committed. So where the log has its last entry, the rest of the log follows it; where it has not
    /// (the process ended between the state file's arrival and the log's new beginning), nothing of the log counts.
    mutating func recoveredState() -> RecoveredState {
        check(state.baseIndex <= stateIndex, "a log begins behind a state file that was loaded")
        if stateIndex > .zero, term(at: stateIndex) != stateTerm {
            check(state.appliedIndex == stateIndex, "nothing of another history was committed")
            (state.baseIndex, state.baseTerm) = (stateIndex, stateTerm)
            empty(behind: stateIndex)
            restart = (stateIndex, stateTerm)
        }
        // Whoever sent the state file was in this term, or in a later one; nobody was voted for in it.
        if state.hardState.term < state.baseTerm { state.hardState = HardState(term: state.baseTerm) }
        state.commitHint = max(state.commitHint, stateIndex)
        var entries: [LogEntry] = []
        entries.reserveCapacity(tail.count)
        while let entry = tail.popFirst() { entries.append(entry) }
        state.tail = entries
        check(machine.appliedIndex == state.appliedIndex, "the state machine is where recovery left it")
        return state
    }
}
