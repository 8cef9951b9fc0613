import Base
import Consensus
import Database
import RESP
import Storage

/// Rebuilds a group from its log, record by record: entries known to be committed are applied at once, the rest waits
/// for a leader to say. Memory is bounded by the log cache and by what was never known to be committed.
struct GroupRecovery: RecoveryVisitor {
    let machine: StateMachine
    private(set) var incarnation = Incarnation(0)
    private var state = RecoveredState()
    /// Entries kept for the log cache and for what is not applied yet, contiguous up to `state.lastIndex`.
    private var tail = RingBuffer<LogEntry>()
    private var tailBytes = 0
    private let cacheBytesMax: Int
    private let report: (Int, Int) -> Void

    /// Starts with an empty database.
    ///
    /// - Parameter seed: of the database's hash. The same on every node (it is part of the replicated state) and drawn with
    ///   the cluster, so that nobody outside can choose keys that collide.
    init(seed: UInt64, cacheBytesMax: Int, progress: @escaping (Int, Int) -> Void) {
        machine = StateMachine(seed: seed)
        self.cacheBytesMax = cacheBytesMax
        report = progress
    }

    mutating func entry(group: GroupID, index: LogIndex, term: Term, kind: LogEntry.Kind, payload: ByteView) {
        guard group == .first else { return }
        check(index > state.appliedIndex, "a committed entry is never replaced")
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
        guard let first = tail.first else { return }
        while state.appliedIndex < min(state.commitHint, state.lastIndex) {
            let next = state.appliedIndex.next
            check(next >= first.index, "what is applied next is in memory")
            let entry = tail[Int(next.rawValue - first.index.rawValue)]
            switch entry.kind {
            case .command:
                entry.payload.withView { payload in
                    machine.begin(payload: payload, index: entry.index, term: entry.term)
                    let nobody = ReplyWriter(scratch, version: .two, discards: true)
                    while machine.nextItem() { machine.execute(reply: nobody) }
                    machine.end()
                }
            case .empty, .configuration: machine.applyEmpty(index: entry.index, term: entry.term)
            }
            state.appliedIndex = next
        }
        while tailBytes > cacheBytesMax, let oldest = tail.first, oldest.index <= state.appliedIndex, tail.count > 1 {
            tailBytes -= oldest.payload.count
            _ = tail.popFirst()
        }
    }
    private let scratch = ByteBuffer(capacity: 64)

    mutating func base(group: GroupID, index: LogIndex, term: Term) {
        check(false, "a log that begins behind a state file needs this version's successor")
    }

    mutating func incarnation(_ incarnation: Incarnation) {
        check(incarnation > self.incarnation, "runs are counted up")
        self.incarnation = incarnation
    }

    mutating func progress(bytesDone: Int, bytesTotal: Int) { report(bytesDone, bytesTotal) }

    /// What was found, for consensus. Called once, at the end.
    mutating func recoveredState() -> RecoveredState {
        var entries: [LogEntry] = []
        entries.reserveCapacity(tail.count)
        while let entry = tail.popFirst() { entries.append(entry) }
        state.tail = entries
        check(machine.appliedIndex == state.appliedIndex, "the state machine is where recovery left it")
        return state
    }
}
