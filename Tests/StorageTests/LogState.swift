import Base
import Consensus
import Storage

/// A record of the log, as the tests append it and as recovery delivers it.
enum LogRecord: Equatable {
    case entry(GroupID, Entry)
    case hardState(GroupID, HardState)
    case commitHint(GroupID, LogIndex)
    case base(GroupID, LogIndex, Term)
    case restart(GroupID, LogIndex, Term)
    case incarnation(Incarnation)
}

/// What a log amounts to: the outcome of its records in order. The oracle of the tests.
struct LogState: Equatable {
    struct Group: Equatable {
        var hardState: HardState?
        var commitHint = LogIndex.zero
        var base = LogIndex.zero
        var baseTerm = Term.zero
        /// From `base + 1` on.
        var entries: [Entry] = []
        var last: LogIndex { entries.last?.index ?? base }
    }
    /// By raw group number.
    var groups: [UInt32: Group] = [:]
    var incarnation: Incarnation?

    mutating func apply(_ record: LogRecord) {
        switch record {
        case .entry(let id, let entry):
            var group = groups[id.rawValue] ?? Group()
            group.entries.removeAll { $0.index >= entry.index }
            group.entries.append(entry)
            groups[id.rawValue] = group
        case .hardState(let id, let state): groups[id.rawValue, default: Group()].hardState = state
        case .commitHint(let id, let index):
            let before = groups[id.rawValue]?.commitHint ?? .zero
            groups[id.rawValue, default: Group()].commitHint = max(before, index)
        case .base(let id, let index, let term):
            var group = groups[id.rawValue] ?? Group()
            if index > group.base {
                group.base = index
                group.baseTerm = term
            }
            group.entries.removeAll { $0.index <= index }
            group.commitHint = max(group.commitHint, index)
            groups[id.rawValue] = group
        case .restart(let id, let index, let term):
            let before = groups[id.rawValue] ?? Group()
            var group = Group()
            group.hardState = before.hardState
            group.base = index
            group.baseTerm = term
            group.commitHint = max(before.commitHint, index)
            groups[id.rawValue] = group
        case .incarnation(let incarnation): self.incarnation = incarnation
        }
    }
}

/// Collects what recovery delivers.
struct Collector: RecoveryVisitor {
    var records: [LogRecord] = []
    var state = LogState()
    var progressCalls = 0
    var lastProgress = (done: 0, total: 0)

    mutating func entry(group: GroupID, index: LogIndex, term: Term, kind: Entry.Kind, payload: ByteView) {
        take(.entry(group, Entry(term: term, index: index, kind: kind, payload: payload.array)))
    }
    mutating func hardState(group: GroupID, _ state: HardState) { take(.hardState(group, state)) }
    mutating func commitHint(group: GroupID, index: LogIndex) { take(.commitHint(group, index)) }
    mutating func base(group: GroupID, index: LogIndex, term: Term) { take(.base(group, index, term)) }
    mutating func restart(group: GroupID, index: LogIndex, term: Term) { take(.restart(group, index, term)) }
    mutating func incarnation(_ incarnation: Incarnation) { take(.incarnation(incarnation)) }
    mutating func progress(bytesDone: Int, bytesTotal: Int) {
        progressCalls += 1
        lastProgress = (bytesDone, bytesTotal)
    }
    private mutating func take(_ record: LogRecord) {
        records.append(record)
        state.apply(record)
    }
}

/// The records that `persist` becomes, for a group whose largest hint so far is `hint`.
func records(of persist: RaftEffects.Persist, group: GroupID, hint: LogIndex) -> [LogRecord] {
    var records: [LogRecord] = []
    if let state = persist.hardState { records.append(.hardState(group, state)) }
    for entry in persist.entries { records.append(.entry(group, entry)) }
    if persist.commitHint > hint || records.isEmpty { records.append(.commitHint(group, max(hint, persist.commitHint))) }
    return records
}
