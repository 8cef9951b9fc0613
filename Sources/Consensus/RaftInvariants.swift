import Base

/// What holds for one member between any two calls, and across them. Each check answers what does not hold, in words, or
/// nil; so tests and the simulator can ask after each step, and a planted violation can be shown to be found.
package enum RaftInvariants {
    /// The first thing about this state that must not be.
    package static func violation(of raft: Raft) -> String? {
        logViolation(raft) ?? durabilityViolation(raft) ?? roleViolation(raft) ?? progressViolation(raft)
    }

    private static func logViolation(_ raft: Raft) -> String? {
        let log = raft.log
        if raft.appliedIndex > raft.handedIndex { return "applied \(raft.appliedIndex) was not handed out" }
        if raft.handedIndex > raft.commitIndex { return "handed out \(raft.handedIndex), not committed" }
        if raft.commitIndex > log.lastIndex { return "commit index \(raft.commitIndex) lies beyond the log" }
        if log.lastTerm > raft.term { return "an entry of term \(log.lastTerm) in term \(raft.term)" }
        if log.term(at: log.lastIndex) != log.lastTerm { return "the last term is not the last entry's" }
        var previous = TermRun(first: log.baseIndex, term: log.baseTerm)
        for run in log.runs {
            if run.first <= previous.first || run.term < previous.term { return "term runs do not ascend" }
            previous = run
        }
        let first = log.firstCachedIndex
        if first > raft.appliedIndex.next { return "entries that are not applied are not in memory" }
        // The newest entries stand for all: the check is made after every step, on caches of any size.
        var index = max(first, LogIndex(log.lastIndex.rawValue - min(log.lastIndex.rawValue, 31)))
        guard let cached = log.entries(from: index, through: log.lastIndex) else { return "the cache has a gap" }
        for entry in cached {
            if entry.index != index || log.term(at: index) != entry.term { return "the cache differs at \(index)" }
            index = index.next
        }
        return nil
    }

    private static func durabilityViolation(_ raft: Raft) -> String? {
        if raft.durableIndex > raft.writtenIndex { return "durable \(raft.durableIndex) was not written" }
        if raft.writtenIndex > raft.lastIndex { return "written \(raft.writtenIndex) lies beyond the log" }
        if raft.durableSequence > raft.lastSequence { return "a write is durable that was not handed out" }
        if raft.writes.count != Int(raft.lastSequence - raft.durableSequence) { return "writes on their way are miscounted" }
        for (write, next) in zip(raft.writes, raft.writes.dropFirst())
        where next.sequence != write.sequence + 1 || next.lastIndex < write.lastIndex {
            return "writes on their way are out of order"
        }
        for (promise, next) in zip(raft.promises, raft.promises.dropFirst()) where next.sequence < promise.sequence {
            return "promises are out of order"
        }
        for promise in raft.promises
        where promise.sequence <= raft.durableSequence || promise.sequence > raft.lastSequence + 1 {
            return "a promise waits for write \(promise.sequence), which it must not"
        }
        return nil
    }

    private static func roleViolation(_ raft: Raft) -> String? {
        let id = raft.options.id
        switch raft.role {
        case .leader:
            if raft.leader != id { return "a leader knows of another leader" }
            if raft.vote != id { return "a leader did not vote for itself" }
            if raft.lastTerm != raft.term { return "a leader's log has no entry of its term" }
            if raft.termStart > raft.lastIndex { return "a leader's first entry is not in its log" }
            if !raft.reads.isFlying, !raft.reads.flying.isEmpty { return "reads wait for a round that ended" }
        case .candidate:
            if raft.vote != id { return "a candidate did not vote for itself" }
            if raft.leader != nil { return "a candidate knows a leader" }
        case .preCandidate:
            if raft.leader != nil { return "a pre-candidate knows a leader" }
        case .follower:
            if raft.leader == id { return "a follower follows itself" }
        }
        if raft.role != .leader {
            if raft.reads.isFlying || !raft.reads.gathering.isEmpty { return "a read round without leadership" }
            if raft.transfer != nil { return "a leadership transfer without leadership" }
        } else if !raft.reads.forwarded.isEmpty {
            return "a leader waits for another leader's read index"
        }
        return nil
    }

    private static func progressViolation(_ raft: Raft) -> String? {
        guard raft.role == .leader else { return nil }
        for peer in raft.progress {
            let name = "peer \(peer.peer)"
            if peer.matchIndex >= peer.nextIndex { return "\(name): next \(peer.nextIndex) is known to match" }
            if peer.matchIndex > raft.lastIndex { return "\(name): matches beyond the log" }
            if peer.nextIndex > raft.lastIndex.next { return "\(name): next lies beyond the log's end" }
            if peer.inFlight.count > raft.options.inFlightMax { return "\(name): window exceeded" }
            if peer.state != .replicate, !peer.inFlight.isEmpty { return "\(name): a window while not replicating" }
            for flight in peer.inFlight where flight.lastIndex >= peer.nextIndex || flight.lastIndex <= peer.matchIndex {
                return "\(name): in flight is what was not sent, or was acknowledged"
            }
            if peer.roundConfirmed > raft.reads.round { return "\(name): confirmed a round that did not begin" }
        }
        return nil
    }

    /// What is kept of a state to judge the next one by.
    package struct Memory: Sendable {
        var term: Term
        var vote: NodeID?
        var role: Role
        var leader: NodeID?
        var commitIndex: LogIndex
        var commitTerm: Term?
        var baseIndex: LogIndex
        var lastIndex: LogIndex
        var lastTerm: Term
        var appliedIndex: LogIndex
        var durableSequence: UInt64
        var round: UInt64

        package init(_ raft: Raft) {
            term = raft.term
            vote = raft.vote
            role = raft.role
            leader = raft.leader
            commitIndex = raft.commitIndex
            commitTerm = raft.term(at: raft.commitIndex)
            baseIndex = raft.log.baseIndex
            lastIndex = raft.lastIndex
            lastTerm = raft.lastTerm
            appliedIndex = raft.appliedIndex
            durableSequence = raft.durableSequence
            round = raft.reads.round
        }
    }

    /// The first thing about this change, within one run of a member, that must not be.
    package static func violation(from old: Memory, to raft: Raft) -> String? {
        if raft.term < old.term { return "the term went back from \(old.term) to \(raft.term)" }
        if raft.term == old.term {
            if let vote = old.vote, raft.vote != vote { return "the vote of term \(raft.term) changed" }
            if let leader = old.leader, let other = raft.leader, leader != other {
                return "the leader of term \(raft.term) changed from \(leader) to \(other)"
            }
            if old.role == .leader, raft.role == .leader, old.lastIndex >= raft.log.baseIndex,
                raft.term(at: old.lastIndex) != old.lastTerm
            {
                return "a leader changed its own log"
            }
            if old.role != .leader, old.role != .candidate, raft.role == .leader, old.vote != nil {
                return "a leader came out of nowhere"
            }
        }
        if raft.commitIndex < old.commitIndex { return "the commit index went back" }
        if raft.log.baseIndex < old.baseIndex { return "the log's base went back" }
        if old.commitIndex >= raft.log.baseIndex, raft.term(at: old.commitIndex) != old.commitTerm {
            return "the committed entry \(old.commitIndex) changed"
        }
        if raft.appliedIndex < old.appliedIndex { return "the applied index went back" }
        if raft.durableSequence < old.durableSequence { return "a durable write is not durable any more" }
        if raft.reads.round < old.round { return "a read round's number was used again" }
        return nil
    }
}
