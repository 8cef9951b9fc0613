import Base

/// A log as a checker sees it: which term the entry at an index has.
package protocol LogReader {
    /// What the log begins after: a state file covers everything through it. Zero for a whole log.
    var baseIndex: LogIndex { get }
    /// The last index in the log.
    var lastIndex: LogIndex { get }
    /// The term of the entry at `index`; nil when there is none (any more).
    func term(at index: LogIndex) -> Term?
}

extension LogReader {
    package var baseIndex: LogIndex { .zero }
}

/// Every entry that any node ever took for committed, by index, and the checks that follow from it: nothing else is ever
/// committed there (State Machine Safety), and every later leader has it (Leader Completeness; paper, Figure 3).
package struct CommittedLog: Sendable {
    private struct Committed: Sendable {
        var term: Term
        /// The term of the node that first knew it: not before the term of the leader that committed it.
        var knownIn: Term
        var knownBy: NodeID
    }

    private var entries: [Committed] = []
    /// What is before the first of them. Nothing is known of it where a run begins with the logs of an earlier one.
    private var before = LogIndex.zero

    package init() {}

    /// Of a run that begins with logs in which these entries, from `first` on, are known to be committed.
    package init(first: LogIndex, terms: [Term], knownBy node: NodeID, in term: Term) {
        if terms.isEmpty { return }
        before = first.previous
        entries = terms.map { Committed(term: $0, knownIn: term, knownBy: node) }
    }

    /// The last index that any node ever took for committed.
    package var lastIndex: LogIndex { LogIndex(before.rawValue + UInt64(entries.count)) }

    private func place(of index: LogIndex) -> Int { Int(index.rawValue - before.rawValue) - 1 }

    /// The term of the committed entry at `index`.
    package func term(at index: LogIndex) -> Term? {
        index > before && index <= lastIndex ? entries[place(of: index)].term : nil
    }

    /// `node`, in `term`, takes everything in `log` from behind `before` through `index` for committed.
    package mutating func commits(
        _ node: NodeID, in term: Term, after before: LogIndex, through index: LogIndex, log: some LogReader
    ) throws(Violation) {
        var next = before.next
        if log.baseIndex > before {
            // What a state file covers was committed before, by others at the least.
            guard log.baseIndex <= lastIndex else {
                throw Violation(
                    .committedEntryChanged, "node \(node) has a state file through index \(log.baseIndex), which nobody committed"
                )
            }
            next = log.baseIndex
        }
        next = max(next, self.before.next)
        while next <= index {
            guard let entryTerm = log.term(at: next) else {
                throw Violation(.committedEntryChanged, "node \(node) has committed index \(next) but no entry there")
            }
            if next > lastIndex {
                check(next == lastIndex.next, "the committed log grows by one entry at a time")
                entries.append(Committed(term: entryTerm, knownIn: term, knownBy: node))
            } else {
                let known = entries[place(of: next)]
                if known.term != entryTerm {
                    throw Violation(
                        .committedEntryChanged,
                        "index \(next) was committed with term \(known.term) on node \(known.knownBy) in term \(known.knownIn), "
                            + "and with term \(entryTerm) on node \(node) in term \(term)")
                }
            }
            next = next.next
        }
    }

    /// `node` has begun to lead `term` with this log: it must hold all that was committed in earlier terms.
    package func leads(_ node: NodeID, in term: Term, log: some LogReader) throws(Violation) {
        for (offset, entry) in entries.enumerated() where entry.knownIn < term {
            let index = LogIndex(before.rawValue + UInt64(offset) + 1)
            guard let own = log.term(at: index) else {
                if index <= log.lastIndex { continue }
                throw Violation(
                    .leaderCompleteness,
                    "node \(node) leads term \(term) with a log that ends at \(log.lastIndex); index \(index) was committed in term "
                        + "\(entry.knownIn)")
            }
            if own != entry.term {
                throw Violation(
                    .leaderCompleteness,
                    "node \(node) leads term \(term) and has term \(own) at index \(index), where term \(entry.term) was committed"
                )
            }
        }
    }
}

/// Checks that two logs with an entry of the same index and term are the same up to there (paper, Figure 3, Log Matching).
package enum LogMatching {
    /// Compares two logs above `known`, below which they are known to be the same.
    package static func compare(
        _ one: some LogReader, of oneNode: NodeID, _ other: some LogReader, of otherNode: NodeID, above known: LogIndex
    ) throws(Violation) {
        var index = min(one.lastIndex, other.lastIndex)
        var matched: LogIndex?
        while index > known {
            guard let oneTerm = one.term(at: index), let otherTerm = other.term(at: index) else { return }
            if oneTerm == otherTerm {
                if matched == nil { matched = index }
            } else if let matched {
                throw Violation(
                    .logMatching,
                    "nodes \(oneNode) and \(otherNode) have the same entry at index \(matched), but at index \(index) the terms "
                        + "\(oneTerm) and \(otherTerm)")
            }
            index = index.previous
        }
    }
}
