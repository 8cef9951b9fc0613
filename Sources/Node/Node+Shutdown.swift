import Base
import Consensus
import Storage

/// An orderly end: leadership is handed on, commands on their way are answered, then the process may stop.
struct ShutdownState {
    /// When the node stops waiting.
    let deadline: Instant
    /// The log's seal is on its way to the disk, or there.
    var hasSealed = false
}

extension Node {
    /// How long an orderly end may take.
    private static let shutdownGrace = Nanoseconds.milliseconds(2_000)

    func shutdownRequested() {
        if shutdown != nil { return }
        shutdown = ShutdownState(deadline: now.instant + Node.shutdownGrace)
        log(.notice, "stopping: no new commands are taken, what is on its way is answered first")
        if group.raft.role == .leader, peers.contains(where: { openLink(to: $0.id) != nil }) {
            if case .started(let successor) = group.raft.transferLeadership(to: nil, now: now) {
                log(.info, "handing leadership to node \(successor)")
            }
        }
        isTurnWanted = true
    }

    /// Ends the node when nothing is on its way any more, or when the time is up.
    func continueShutdown() {
        guard let shutdown else { return }
        let answered = group.proposals.isEmpty && group.reads.isEmpty && group.raft.role != .leader && !holdsReplies
        if !answered && now.instant < shutdown.deadline
            && !(group.raft.role == .leader && peers.isEmpty && group.proposals.isEmpty && !holdsReplies)
        {
            return
        }
        if now.instant < shutdown.deadline {
            if !log.isIdle { return }
            if !shutdown.hasSealed {
                log.seal()
                self.shutdown?.hasSealed = true
                return
            }
        }
        for connection in clients.values.sorted(by: { $0.id < $1.id }) where !connection.isClosing {
            connection.isClosing = true
            effects.closeClients.append((connection.id, afterOutput: true))
        }
        effects.exit = 0
    }

    /// Takes over what recovery found of state files.
    func take(_ states: StateRecovery) {
        files.files = states.files
        files.savedAt = states.time
        files.changesAtSave = states.changes
        for (name, error) in states.unusable {
            log(.error, "\(error); it is passed over: recovery began with an older one and more of the log")
            files.unusable.append(name)
        }
        while files.files.count > 2 { files.toDiscard.append(files.files.removeFirst().name) }
        for name in states.unfinished { _ = log.emit(.remove(name: name), into: &effects.disk) }
        if let newest = files.newest {
            log(.notice, "state file through entry \(newest.index), \(newest.byteCount >> 10) KiB")
        }
        files.logMark = -log.bytes(behind: files.newest?.index ?? .zero, of: group.id)
    }

    /// Says what recovery found, for the operator.
    func describeRecovery(_ report: RecoveryReport) {
        log(
            .notice,
            "node \(id), run \(incarnation): log of \(report.segments) segments, \(report.frames) frames read; last entry \(group.raft.lastIndex), term \(group.raft.term), applied \(group.machine.appliedIndex)"
        )
        if let torn = report.tornTail { log(.notice, "\(torn)") }
    }
}
