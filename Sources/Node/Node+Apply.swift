import Base
import Consensus
import Database
import RESP

/// Applying committed entries. The node that owns a command's connection writes its reply here, at apply; on every other
/// node the same execution writes nothing.
extension Node {
    /// Applies what was committed in the turn before. Not in that turn: what its commits let go on its way (the next append,
    /// the log write) leaves first, and the peers and the disk work while this node applies.
    func applyCommitted() {
        if group.committed.isEmpty { return }
        var entries: [LogEntry] = []
        swap(&entries, &group.committed)
        apply(entries)
        entries.removeAll(keepingCapacity: true)
        check(group.committed.isEmpty, "applying commits nothing")
        swap(&entries, &group.committed)
    }

    private func apply(_ entries: [LogEntry]) {
        for entry in entries {
            switch entry.kind {
            case .command: entry.payload.withView { applyBatch($0, entry) }
            case .empty, .configuration: group.machine.applyEmpty(index: entry.index, term: entry.term)
            }
            while let oldest = group.proposedAt.first, oldest.index <= entry.index {
                statistics.replicationTime.record(now.instant - oldest.instant)
                _ = group.proposedAt.popFirst()
            }
            if let expiry = group.expiryEntry, expiry <= entry.index { group.expiryEntry = nil }
        }
        statistics.entriesApplied += UInt64(entries.count)
        group.raft.applied(through: group.machine.appliedIndex)
        noteOwnProgress()
    }

    private func applyBatch(_ payload: ByteView, _ entry: LogEntry) {
        let machine = group.machine
        machine.begin(payload: payload, index: entry.index, term: entry.term)
        while machine.nextItem() {
            statistics.commandsApplied += 1
            let item = machine.current
            if item.owner == id && item.incarnation == incarnation {
                applyOwn(item)
            } else {
                machine.execute(reply: discardingWriter)
            }
        }
        machine.end()
    }

    private func applyOwn(_ item: StateMachine.Item) {
        guard let connection = clients[item.connection] else {
            // The client left before its answer; the command is executed all the same.
            return group.machine.execute(reply: discardingWriter)
        }
        check(connection.proposalsInFlight > 0, "a command is answered once")
        var writer = connection.writer
        if connection.skippedProposal == item.number {
            writer.discards = true
            connection.skippedProposal = 0
        }
        let before = connection.output.count
        group.machine.execute(reply: writer)
        if countErrorReply(connection, from: before), let index = group.machine.commandIndex {
            statistics.commandCounts[index].failed += 1
        }
        if let index = group.machine.commandIndex, let taken = group.proposals.takenAt(item.number) {
            noteAnswered(index, group.machine.arguments, connection, taken: taken)
        }
        connection.proposalsInFlight -= 1
        if !writer.discards { answered(connection) }
        resumeWhenIdle(connection)
    }

    /// Tells the queue how far this run's commands are applied.
    func noteOwnProgress() {
        guard let last = group.machine.lastApplied(of: id), last.incarnation == incarnation else { return }
        if last.number > group.proposals.appliedThrough {
            group.proposals.applied(through: last.number)
            resumeForRoom()
        }
    }

    /// A reply was written: the connection has output in this turn.
    func answered(_ connection: ClientConnection) {
        if !connection.isListedForOutput {
            connection.isListedForOutput = true
            effects.clientOutput.append(connection.id)
        }
        // One reply may be larger than the limit; it is the next one that finds it exceeded.
        let isOver = connection.isOverOutputLimit
        connection.isOverOutputLimit = connection.output.count > options.limits.clientOutputBytesMax
        // While replies are held it is not the client who is slow.
        if isOver && connection.isOverOutputLimit && !connection.isClosing && !holdsReplies {
            log(
                .warning,
                "closed client \(connection.address): \(connection.output.count) bytes of replies wait for it, over the limit of \(options.limits.clientOutputBytesMax)"
            )
            statistics.clientsClosedForOutput += 1
            connection.isClosing = true
            connection.output.removeAll()
            effects.closeClients.append((connection.id, afterOutput: false))
        }
    }
}
