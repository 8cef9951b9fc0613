import Base
import Consensus

// Letting go of what state files cover. In the stream: the group's base; then, when segments become free, everything
// that must outlive them is stated again (hard states, bases, hints, the incarnation), and last the record that cuts
// the log's beginning off. Files go only when that is durable, oldest first, so a crash leaves either all or a
// contiguous rest.

extension WriteAheadLog {
    /// Says that a durable state file covers `group` through `index`, whose entry has `term`: entries through there are no
    /// longer needed. Segments that hold nothing else are recycled or removed by operations of later flushes. An index
    /// behind the group's last entry empties its log; it continues at `index + 1` (thesis, section 5.3, InstallSnapshot).
    package func compact(group: GroupID, through index: LogIndex, term: Term) {
        let slot = slot(of: group)
        guard index > groups[slot].base else { return }
        groups[slot].rebase(through: index, term: term)
        forgetPending(slot: slot) { $0 <= index.rawValue }
        for read in reads.indices where reads[read].group == group && reads[read].from <= index { reads[read].cut(from: 0) }
        appendBase(slot: slot)
        trim()
        groups[slot].checkInvariants()
    }

    /// Says that a durable state file covers `group` through `index`, whose entry has `term`, and that nothing behind it in
    /// the log counts: it was of another history. The log is empty and goes on at `index + 1` (paper, Figure 13, step 7).
    package func restart(group: GroupID, behind index: LogIndex, term: Term) {
        let slot = slot(of: group)
        check(index >= groups[slot].base, "a log begins anew behind its base")
        groups[slot].restart(behind: index, term: term)
        forgetPending(slot: slot) { _ in true }
        for read in reads.indices where reads[read].group == group { reads[read].cut(from: 0) }
        appendRecord(RecordHeader(type: .restart, group: group, index: index.rawValue, term: term.rawValue))
        trim()
        groups[slot].checkInvariants()
    }

    private func appendBase(slot: Int) {
        let log = groups[slot]
        appendRecord(RecordHeader(type: .base, group: log.group, index: log.base.rawValue, term: log.baseTerm.rawValue))
    }

    /// Cuts off the segments before the first one that some group still needs.
    private func trim() {
        guard var firstNeeded = segments.last?.number else { return }
        for log in groups {
            if let segment = log.locations.firstSegment { firstNeeded = min(firstNeeded, segment) }
        }
        let free = segments.prefix { $0.number < firstNeeded }
        guard !free.isEmpty else { return }
        segments.removeFirst(free.count)
        for slot in groups.indices {
            if let state = groups[slot].hardState { appendHardState(state, slot: slot) }
            if groups[slot].base > .zero { appendBase(slot: slot) }
            if groups[slot].commitHint > .zero {
                appendRecord(RecordHeader(type: .commitHint, group: groups[slot].group, index: groups[slot].commitHint.rawValue))
            }
        }
        if let incarnation { appendRecord(RecordHeader(type: .incarnation, index: incarnation.rawValue)) }
        appendRecord(RecordHeader(type: .trimmed, index: segments[0].firstSequence))
        building?.retires.append(contentsOf: free)
    }
}

// How much there is to let go of.

extension WriteAheadLog {
    /// Bytes of the log from behind entry `index` of `group` to its last durable entry.
    package func bytes(behind index: LogIndex, of group: GroupID) -> Int {
        guard let slot = groups.firstIndex(where: { $0.group == group }) else { return 0 }
        return groups[slot].locations.bytes(from: index.rawValue + 1)
    }

    /// The last entry of `group` that may go when at least `bytes` of the log behind it are kept; zero when there is none.
    package func lastIndex(keeping bytes: Int, of group: GroupID) -> LogIndex {
        guard let slot = groups.firstIndex(where: { $0.group == group }) else { return .zero }
        return LogIndex(groups[slot].locations.lastIndex(keeping: bytes))
    }

    /// The base of `group`: entries through it are gone or may go; with its term.
    package func base(of group: GroupID) -> (index: LogIndex, term: Term) {
        guard let slot = groups.firstIndex(where: { $0.group == group }) else { return (.zero, .zero) }
        return (groups[slot].base, groups[slot].baseTerm)
    }
}
