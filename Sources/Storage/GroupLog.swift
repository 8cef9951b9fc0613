import Base
import Consensus

/// What the log knows of one group.
struct GroupLog {
    let group: GroupID
    /// Index of the last entry appended, durable or not; the base when there is none.
    var last: LogIndex = .zero
    /// Everything through here is covered by a state file.
    var base: LogIndex = .zero
    var baseTerm: Term = .zero
    /// The hard state appended last.
    var hardState: HardState?
    /// The largest commit hint appended.
    var commitHint: LogIndex = .zero
    /// Where the durable entries lie.
    var locations = LocationIndex()

    /// Whether recovery has seen an entry of the group.
    var hasEntries = false

    init(group: GroupID) { self.group = group }

    /// Takes note of a base: entries through `index` are gone, and when the log ended before it, it is empty now.
    mutating func rebase(through index: LogIndex, term: Term) {
        check(index >= base, "a base only moves forward")
        base = index
        baseTerm = term
        last = max(last, index)
        commitHint = max(commitHint, index)
        locations.drop(through: index.rawValue)
    }

    /// Takes note that the log is empty and goes on behind `index`.
    mutating func restart(behind index: LogIndex, term: Term) {
        locations.drop(through: .max)
        last = index
        base = index
        baseTerm = term
        commitHint = max(commitHint, index)
        check(locations.isEmpty, "a log that begins anew is empty")
    }

    func checkInvariants() {
        check(base <= last, "a log ends at or behind its base")
        guard !locations.isEmpty else { return }
        check(locations.first == base.rawValue + 1, "what is readable begins behind the base")
        check(locations.last <= last.rawValue, "what is readable was appended")
    }
}

/// A segment file of the log.
struct LogSegment: Equatable {
    var number: UInt64
    var name: FileName
    var byteCount: Int
    /// Number of its first frame; 0 while it is a spare.
    var firstSequence: UInt64 = 0

    init(number: UInt64, byteCount: Int, firstSequence: UInt64 = 0) {
        self.number = number
        name = LogFormat.fileName(segment: number)
        self.byteCount = byteCount
        self.firstSequence = firstSequence
    }
}
