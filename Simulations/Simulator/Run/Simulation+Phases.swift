import Base
import Consensus
import Node

/// What a run goes through.
enum Phase: Equatable {
    /// Anything may fail.
    case safety
    /// Everything has healed; clients go on, and every one must get answers.
    case answering
    /// Clients send nothing more; what they sent is answered, and keys with a time to live run out.
    case silent
    /// Every node is asked for all keys.
    case auditing
    /// Nothing comes any more: the nodes reach the same state.
    case settling
    case over
}

/// From the safety phase to the end.
extension Simulation {
    private static let lookEvery = Nanoseconds.milliseconds(20)

    func advancePhase() throws(Violation) {
        switch phase {
        case .safety:
            try heal()
            enter(.answering)
        case .answering: if clients.allSatisfy(\.isRetired) { enter(.silent) }
        case .silent:
            // A node that was asked to stop just before the healing may take until now to stop, and then some to start again.
            let everybodyIsBack = machines.allSatisfy { $0.isUp && !$0.isStopping || $0.refusal != nil }
            if time >= expiries.lastEnd + expirySlack && everybodyIsBack {
                for machine in machines where machine.isUp {
                    connect(addClient(.auditor(machine: machine.index), isPatient: true))
                }
                askForLastSnapshot()
                enter(.auditing)
            }
        case .auditing: if clients.allSatisfy(\.isRetired) { enter(.settling) }
        case .settling: if try isSettled() { phase = .over }
        case .over: break
        }
        if phase == .over { return }
        if isStuck { throw overdue() }
        queue.schedule(.phase, at: time + Simulation.lookEvery)
    }

    private func enter(_ next: Phase) {
        note("phase: \(next)")
        phase = next
        phaseBegan = time
        progressedAt = time
    }

    /// Wall clocks agree from the healing on; they were apart before.
    private var expirySlack: Nanoseconds { .milliseconds(200) }

    /// Ends everything that fails.
    private func heal() throws(Violation) {
        hunt = nil
        plot = nil
        crashesAtNextReply = 0
        networkSlowness = 1
        healPartition()
        if options.planted == .deafNode, machines.count > 1 {
            for other in 0..<machines.count - 1 { blocked[other][machines.count - 1] = true }
        }
        // Whoever sets the clocks right sets them to the latest that any showed: time in the log does not go back, and would
        // stand still until then.
        let latest = max(latestWallOffset, machines.map(\.clock.wallOffset).max() ?? 0)
        for machine in machines {
            machine.clock.wallOffset = latest
            recoverDisk(machine)
            machine.disk.capacity = .max
            machine.startsToFail = 0
            machine.pausedUntil = time
            if machine.isUp { requestTurn(machine, at: time) } else if machine.refusal == nil { try start(machine) }
        }
        for case let link? in links where link.machines[0] == nil { release(link.number) }
        for client in clients where client.link == nil && !client.isConnecting { schedule(client, after: .milliseconds(1)) }
        for client in clients { if case .operator = client.role { client.isRetired = true } }
    }

    /// Nothing moves any more, or it moves in circles. A node that is far behind may take long to catch up where batches are tiny
    /// and disks slow, so the bound is on the time without any progress.
    private var isStuck: Bool {
        let applied = machines.reduce(UInt64(history.answered)) { $0 + $1.seen.appliedIndex.rawValue }
        if applied != progress {
            progress = applied
            progressedAt = time
        }
        return time > progressedAt + options.stallBound || time > phaseBegan + options.phaseBound
    }

    /// All nodes have applied the same log.
    private func isSettled() throws(Violation) -> Bool {
        let nodes = machines.compactMap(\.node)
        guard let first = nodes.first else { return true }
        let raft = first.raft
        for node in nodes {
            let other = node.raft
            if other.appliedIndex != other.lastIndex || other.lastIndex != raft.lastIndex { return false }
            // A key that was set by a command of unknown outcome may have begun its time late; but it must end by itself.
            if inheritedDeadlines == 0, node.machine.expiringKeyCount(0) != 0 { return false }
        }
        if try !snapshotsAreOver() { return false }
        try judgeParts()
        for machine in machines {
            guard let node = machine.node else { continue }
            let digest = node.machine.digest()
            try digests.applied(machine.id, through: node.machine.appliedIndex, digest: digest.high ^ digest.low)
        }
        try compareAllLogs()
        return true
    }

    private func overdue() -> Violation {
        switch phase {
        case .settling:
            let states = machines.compactMap(\.node).map {
                "node \($0.id), with \($0.openSnapshots.count) snapshots open, has applied \($0.raft.appliedIndex) of \($0.raft.lastIndex) in term \($0.raft.term) and holds "
                    + "\($0.machine.expiringKeyCount(0)) keys with a time to live"
            }
            return Violation(.convergence, states.joined(separator: ", "))
        default:
            let waiting = clients.filter { !$0.isRetired || !$0.waiting.isEmpty }.map { client in
                let node = client.link?.machines[1].map { "node \(machines[$0].id)" } ?? "no node"
                return
                    "client \(client.index) at \(node) waits for \(client.waiting.count) replies since \(seconds(client.sentAt))"
            }
            return Violation(.liveness, "\(phase) does not end: " + waiting.joined(separator: "; "))
        }
    }

    // MARK: the end

    /// Checks what the clients saw, when all is over.
    func checkHistory() throws(Violation) {
        check(phase == .over, "a run is judged at its end")
        for key in 0..<keys.count {
            let operations = history.operations(on: key)
            let unknown = operations.count { $0.outcome == .unknown && !$0.command.isRead }
            note("key \(key): \(operations.count) operations, \(unknown) writes of unknown outcome")
            let judge = KeyJudge(name: keys.name(key), use: keys.uses[key], initial: initialValues[key])
            if try !judge.judge(operations) {
                note("key \(key): undecided")
                statistics.undecided += 1
            }
        }
    }

    func finalStatistics() -> RunStatistics {
        var result = statistics
        result.committed = committed.lastIndex.rawValue
        for node in machines.compactMap(\.node) {
            result.stateFiles += node.stateFilesWritten
            result.installs += node.stateFilesInstalled
        }
        result.digestComparisons = digests.comparisons
        result.operations = history.operations.count
        result.completeSnapshots = cuts.outcomes.values.count { $0 == .complete }
        result.strictSnapshots = cuts.strictCount
        result.framesInFlight = cuts.framesInFlight
        for operation in history.operations {
            switch operation.outcome {
            case .reply: result.acknowledged += 1
            case .unknown: result.unknown += 1
            case .refused: result.refused += 1
            case .pending: break
            }
        }
        return result
    }
}
