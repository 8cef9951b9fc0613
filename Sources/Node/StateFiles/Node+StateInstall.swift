import Base
import Consensus
import Database
import RESP
import Storage

/// A state file of another node takes the place of this node's state (paper, Figure 13).
///
/// What the node hosts goes on: its proposals keep their numbers, and the state says how many of them were executed. But it says nothing
/// of their replies. So a connection that waits for one of those is closed, its outcome unknown (DESIGN, rule 5); a
/// connection whose commands all come later notices nothing.
extension Node {
    func install(_ fetching: IncomingStateFile) {
        guard let machine = fetching.machine, let file = fetching.file else { return check(false, "what is installed is whole") }
        // What is known to be committed is still answered.
        applyCommitted()
        files.fetching = nil
        let outcome = group.raft.installed(index: file.index, term: file.term, now: now)
        switch outcome {
        case .notNeeded:
            files.toDiscard.append(file.name)
            log(.info, "needs no state file any more")
            return
        case .kept: log.compact(group: group.id, through: file.index, term: file.term)
        case .restarted: log.restart(group: group.id, behind: file.index, term: file.term)
        }
        let took = (now.instant - fetching.began).rawValue / 1_000_000
        log(
            .notice,
            "installed the state file of node \(fetching.from) through entry \(file.index): \(file.byteCount >> 10) KiB, \(took) ms"
        )
        statistics.stateFilesInstalled += 1
        replaceState(with: machine)
        // Earlier files have no log behind them any more.
        files.toDiscard += files.files.map(\.name) + files.unusable.filter { $0 != file.name }
        files.files = [file]
        files.unusable.removeAll()
        files.logMark = log.writtenBytes
        files.changesAtSave = machine.changes
        isTurnWanted = true
    }

    /// A file of its own state is of no use to a node that is about to get another state.
    func abandonForInstall() {
        guard let job = files.writing else { return }
        job.record.cancel()
        files.writing = nil
        files.toDiscard.append(job.writer.name)
    }

    private func replaceState(with machine: StateMachine) {
        check(group.committed.isEmpty, "nothing is applied to a state that is gone")
        check(machine.appliedIndex == group.raft.appliedIndex, "the state is the one that consensus knows of")
        abandonForInstall()
        endSelfCheckForInstall()
        files.isWanted = false
        answerSave { replyError($0, "ERR a state file of the leader took the place of the state; try again") }
        let old = group.machine
        group.machine = machine
        old.abandon()
        files.retired.append(old)
        group.expiryEntry = nil
        while let oldest = group.proposedAt.first, oldest.index <= machine.appliedIndex { _ = group.proposedAt.popFirst() }
        closeUnknown()
        noteOwnProgress()
    }

    /// Closes the connections whose commands were executed in what this node did not see.
    private func closeUnknown() {
        if options.stateFiles.faults.contains(.keepUnknown) { return }
        guard let last = group.machine.lastApplied(of: id), last.incarnation == incarnation else { return }
        let waiting = group.proposals.connections(through: last.number)
        var closed = 0
        for number in waiting {
            guard let connection = clients[number], !connection.isClosing else { continue }
            // Later replies would come in the place of those that are not known.
            connection.repliesAreOff = true
            connection.isClosing = true
            effects.closeClients.append((connection.id, afterOutput: true))
            closed += 1
        }
        statistics.clientsClosedForUnknown += UInt64(closed)
        if closed > 0 {
            log(
                .warning,
                "closed \(closed) clients: their commands were executed while this node was behind, their replies are not known here"
            )
        }
    }
}

extension ProposalQueue {
    /// The connections that have commands among the first that are not seen applied, up to `number`; ascending, each once.
    func connections(through number: UInt64) -> [UInt64] {
        var found: Set<UInt64> = []
        let arguments = Arguments()
        for position in 0..<frames.count {
            let frame = frames[position]
            if frame.firstNumber > number { break }
            frame.bytes.withView { bytes in
                var reader = ByteReader(bytes)
                guard CommandBatch.segmentHeader(&reader) != nil else {
                    return check(false, "a frame of this node's own is whole")
                }
                for item in frame.firstNumber...frame.lastNumber {
                    arguments.removeAll(over: bytes)
                    guard let next = CommandBatch.item(&reader, end: bytes.count, arguments: arguments) else {
                        return check(false, "a frame of this node's own is whole")
                    }
                    if item > appliedThrough && item <= number { found.insert(next.connection) }
                }
            }
        }
        return found.sorted()
    }
}
