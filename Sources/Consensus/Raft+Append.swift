import Base

/// The follower's side of replication (paper, Figure 2, AppendEntries).
extension Raft {
    mutating func receiveAppend(_ append: Message.Append, from leader: NodeID) {
        check(role == .follower && self.leader == leader, "appends come from the leader that is followed")
        let last = LogIndex(append.previousIndex.rawValue + UInt64(append.entries.count))
        check(append.entries.last.map { $0.index == last } ?? true, "an append's entries follow its previous index")
        // What is committed here matches every leader's log (leader completeness), the part in the base included.
        if append.previousIndex >= commitIndex, log.term(at: append.previousIndex) != append.previousTerm {
            let limit = min(log.lastIndex, LogIndex(max(append.previousIndex.rawValue, 1) - 1))
            let hint = log.lastIndex(notAfter: limit, termAtMost: append.previousTerm)
            check(hint >= commitIndex || !options.faults.isEmpty, "logs match as far as they are committed")
            send(reject(append, hintIndex: hint, hintTerm: log.term(at: hint) ?? .zero), to: leader)
            return
        }
        take(append.entries)
        commit(through: min(append.commitIndex, last))
        acknowledge(through: last, round: append.readRound, to: leader)
    }

    /// Adds what the log does not have, cutting it back where it differs (steps 3 and 4).
    private mutating func take(_ entries: [Entry]) {
        var position = 0
        while position < entries.count {
            let entry = entries[position]
            if entry.index > log.lastIndex { break }
            if entry.index > commitIndex, log.term(at: entry.index) != entry.term {
                cutLog(from: entry.index)
                break
            }
            hold(
                entry.index <= log.baseIndex || log.term(at: entry.index) == entry.term,
                "a leader has every committed entry")
            position += 1
        }
        while position < entries.count {
            check(entries[position].term <= term, "an entry is not newer than its leader")
            log.append(entries[position])
            position += 1
        }
    }

    /// Promises that everything through `last` is durable here. The read round does not wait for the disk: it says
    /// only that this member still follows.
    private mutating func acknowledge(through last: LogIndex, round: UInt64, to leader: NodeID) {
        var echo = round
        if round > 0, mustWait(through: last) {
            send(.heartbeatResponse(readRound: round), to: leader)
            echo = 0
        }
        promise(
            .appendResponse(.init(outcome: .accepted(matchIndex: last), readRound: echo)), to: leader, through: last)
    }

    /// A refusal, with where the logs may meet.
    func reject(_ append: Message.Append, hintIndex: LogIndex, hintTerm: Term) -> Message.Body {
        .appendResponse(
            .init(
                outcome: .rejected(
                    previousIndex: append.previousIndex, hintIndex: hintIndex, hintTerm: hintTerm),
                readRound: append.readRound))
    }
}
