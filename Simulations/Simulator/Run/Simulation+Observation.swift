import Base
import Consensus
import Database
import Node

extension Raft: LogReader {}

/// What the checkers look at after every turn of a node.
extension Simulation {
    func observe(_ machine: Machine) throws(Violation) {
        guard let node = machine.node else { return }
        let raft = node.raft
        try observeProgress(machine, raft)
        var leads = raft.role == .leader
        if options.planted == .secondLeader, raft.role == .follower, raft.leader != nil, sabotageNow() { leads = true }
        if leads && machine.seen.ledTerm != raft.term {
            machine.seen.ledTerm = raft.term
            try elections.leads(machine.id, in: raft.term)
            try committed.leads(machine.id, in: raft.term, log: raft)
            note("node \(machine.id) leads term \(raft.term) with log through \(raft.lastIndex)")
            try compareLogs(machine, raft)
            noticeLeader(machine)
        }
        if raft.commitIndex > machine.seen.commitIndex {
            try committed.commits(
                machine.id, in: raft.term, after: machine.seen.commitIndex, through: raft.commitIndex, log: raft)
            machine.seen.commitIndex = raft.commitIndex
        }
        if node.machine.appliedIndex > machine.seen.appliedIndex {
            machine.seen.appliedIndex = node.machine.appliedIndex
            try observeState(machine, node)
            if isOpening { try openIfDecided(node) }
        }
        if plot != nil { try advancePlot(machine) }
    }

    private func observeProgress(_ machine: Machine, _ raft: Raft) throws(Violation) {
        let seen = machine.seen
        if raft.term < seen.term {
            throw Violation(.progress, "node \(machine.id) goes back from term \(seen.term) to \(raft.term)")
        }
        machine.seen.term = raft.term
        if raft.commitIndex < seen.commitIndex {
            throw Violation(
                .progress, "node \(machine.id) goes back from commit index \(seen.commitIndex) to \(raft.commitIndex)")
        }
        if raft.commitIndex > raft.lastIndex {
            throw Violation(.progress, "node \(machine.id) has committed \(raft.commitIndex) of \(raft.lastIndex) entries")
        }
        if raft.appliedIndex > raft.commitIndex {
            throw Violation(.progress, "node \(machine.id) has applied \(raft.appliedIndex) and committed \(raft.commitIndex)")
        }
    }

    private func observeState(_ machine: Machine, _ node: Node) throws(Violation) {
        let digest = node.machine.digest()
        var value = digest.high ^ digest.low
        if options.planted == .otherState, machine.index == 0, committed.lastIndex > LogIndex(50) { value ^= 1 }
        trace.add(value)
        try digests.applied(machine.id, through: node.machine.appliedIndex, digest: value)
    }

    /// Compares a node's log with everybody else's above what is committed (below, `committed` compares).
    private func compareLogs(_ machine: Machine, _ raft: Raft) throws(Violation) {
        for other in machines where other !== machine {
            guard let otherRaft = other.node?.raft else { continue }
            let known = min(machine.seen.commitIndex, other.seen.commitIndex)
            try LogMatching.compare(raft, of: machine.id, otherRaft, of: other.id, above: known)
        }
    }

    /// Compares all logs.
    func compareAllLogs() throws(Violation) {
        for machine in machines { if let node = machine.node { try compareLogs(machine, node.raft) } }
    }
}
