import Base

/// Letting go of what state files cover, and taking one from the leader (paper, section 7).
///
/// The state file itself is the owner's: it writes and reads it, and carries it from member to member. What is here is its
/// meaning for the log.
extension Raft {
    /// What a state file from the leader meant for this member's log.
    package enum InstallOutcome: Equatable, Sendable {
        /// Nothing: everything through it is committed here already, or this member leads. The state file is not to be used.
        case notNeeded
        /// The log has the state file's last entry: what lies behind it stays (paper, Figure 13, step 6).
        case kept
        /// The log is empty and goes on behind the state file (paper, Figure 13, step 7).
        case restarted
    }

    /// A durable state file covers everything through `index` (and perhaps more): the entries through there are let go of.
    package mutating func compact(through index: LogIndex) {
        check(index <= appliedIndex, "only what is applied is covered")
        check(index <= durableIndex, "only what is durable is let go of")
        guard index > log.baseIndex else { return }
        log.compact(through: index)
        check(commitIndex >= log.baseIndex && handedIndex >= log.baseIndex, "what is let go of was committed")
    }

    /// The owner has a state file of the leader, durable and loaded: the state after entry `index`, which has `entryTerm`. What
    /// the outcome says of the log is to be written before anything that a later drain wants written.
    package mutating func installed(index: LogIndex, term entryTerm: Term, now: Now) -> InstallOutcome {
        advance(now)
        check(entryTerm <= term, "a state file is not newer than the term of the leader that sent it")
        guard index > commitIndex, role != .leader else {
            acknowledgeInstall(through: min(index, commitIndex))
            return .notNeeded
        }
        let isKept = log.term(at: index) == entryTerm
        if isKept {
            log.compact(through: index)
            for position in writes.indices { writes[position].lastIndex = max(writes[position].lastIndex, index) }
            durableIndex = max(durableIndex, index)
            writtenIndex = max(writtenIndex, index)
        } else {
            log.restart(behind: index, term: entryTerm)
            // Whatever was on its way is no part of the log any more, and the state file is durable.
            for position in writes.indices { writes[position].lastIndex = index }
            durableIndex = index
            writtenIndex = index
        }
        commitIndex = index
        handedIndex = index
        appliedIndex = index
        check(durableIndex <= writtenIndex && writtenIndex <= log.lastIndex, "what is durable is in the log")
        acknowledgeInstall(through: index)
        return isKept ? .kept : .restarted
    }

    /// The state file that the leader announced could not be had: it is told, and asks again later.
    package mutating func installFailed(index: LogIndex) {
        guard role == .follower, let leader else { return }
        send(.installSnapshotResponse(index: index, succeeded: false), to: leader)
    }

    /// The leader has no entry of the log for this member any more, only a state file.
    mutating func receiveInstall(_ index: LogIndex, _ entryTerm: Term, from leader: NodeID) {
        check(role == .follower && self.leader == leader, "state files come from the leader that is followed")
        // An entry that agrees with the leader's agrees in all before it, and these are committed: nothing has to be sent.
        if log.term(at: index) == entryTerm { commit(through: index) }
        if index <= commitIndex {
            acknowledgeInstall(through: index)
        } else {
            pending.installs.append(.init(from: leader, index: index, term: entryTerm))
        }
    }

    private mutating func acknowledgeInstall(through index: LogIndex) {
        guard role == .follower, let leader else { return }
        promise(.installSnapshotResponse(index: index, succeeded: true), to: leader, through: index)
    }
}
