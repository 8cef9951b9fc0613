import Base
import Consensus
import Storage

/// The end of a turn: what the turn before committed is applied, what gathered is proposed, consensus is drained, effects
/// are complete.
extension Node {
    /// Rounds within one turn: what was answered may let stalled clients go on, whose commands gather again. What is left after
    /// that waits for the next turn, so that the sockets get theirs.
    private static let roundsMax = 4

    func endTurn() {
        isTurnWanted = false
        closeSilentLinks()
        wakeSleepers()
        endPause()
        applyCommitted()
        if isIncarnationDurable {
            dialPeers()
            var rounds = 0
            repeat {
                rounds += 1
                runRound()
            } while rounds < Node.roundsMax && hasGathered
            isTurnWanted = hasGathered || !group.committed.isEmpty
            refuseWaitingReads()
            continueSelfCheck()
            let slice = backgroundSlice()
            continueStateFiles(slice: slice)
            closeIdleClients()
            closeAnsweredClients()
            continueSnapshots(slice: slice)
            continueShutdown()
            freeDroppedAtRest()
        }
        sealAtRest()
        if let operation = log.flush(into: &effects.disk) { logWrite = (operation, now.instant) }
        finishOutput()
        statistics.turns += 1
        if activity.isDue(now.instant) { noteActivity() }
    }

    /// Frees what was dropped (FLUSHALL, UNLINK) also when no more entries come, whose ends otherwise do it.
    private func freeDroppedAtRest() {
        if isTurnWanted || hasGathered || !group.machine.hasDropped { return }
        group.machine.freeDropped()
        isTurnWanted = group.machine.hasDropped
    }

    /// Bytes of state that each file may go on by at the end of this turn.
    private func backgroundSlice() -> Int {
        let work = statistics.commandsTaken + statistics.entriesApplied + statistics.readRequests
        defer { workBefore = work }
        if work != workBefore { pace.noteWork(now.instant) }
        return encodesState ? pace.slice(now: now.instant) : 0
    }

    /// Whether commands wait to be proposed or requested at once.
    private var hasGathered: Bool {
        group.proposals.hasGathered || group.reads.gathering != nil || (group.isHeldBack && !gathersOn)
    }

    private func runRound() {
        if group.raft.nextDeadline <= now.instant { group.raft.tick(now: now, random: random.next()) }
        noticeLeader()
        routeProposals()
        propose()
        requestReads()
        drainRaft()
        resumeClients()
    }

    /// Keeps account of how long no leader has been known.
    private func noticeLeader() {
        if group.raft.leader != nil {
            group.leaderlessSince = nil
        } else if group.leaderlessSince == nil {
            group.leaderlessSince = now.instant
        }
    }

    /// Carries out what consensus asks for until it asks for nothing more in this turn.
    func drainRaft() {
        drainOnce()
        if group.toAnnounce.isEmpty { return }
        for peer in group.toAnnounce { group.raft.announceCommit(to: peer) }
        group.toAnnounce.removeAll(keepingCapacity: true)
        drainOnce()
        check(group.toAnnounce.isEmpty, "an announcement commits nothing")
    }

    private func drainOnce() {
        group.raft.drain(into: &group.raftEffects)
        // Taken out so that handlers may touch the group.
        var drained = RaftEffects()
        swap(&drained, &group.raftEffects)
        if let persist = drained.persist {
            log.append(persist, group: group.id)
            restsSince = now.instant
        }
        for message in drained.messages { send(message) }
        if drained.statusChanged { describeStatus(becameLeader: drained.becameLeader) }
        if let last = drained.committed.last {
            group.committed.append(contentsOf: drained.committed)
            announce(through: last.index)
        }
        for grant in drained.readable { readGranted(grant) }
        for id in drained.failedReads { readFailed(id) }
        serveReads()
        for load in drained.loads { loadEntries(load) }
        for install in drained.installs { fetchStateFile(install) }
        swap(&drained, &group.raftEffects)
    }

    /// Has the nodes whose commands were just committed told at once: clients of theirs wait.
    private func announce(through index: LogIndex) {
        while let proposed = group.proposedFor.first, proposed.index <= index {
            if !group.toAnnounce.contains(proposed.node) { group.toAnnounce.append(proposed.node) }
            _ = group.proposedFor.popFirst()
        }
    }

    private func describeStatus(becameLeader: Bool) {
        if becameLeader {
            log(.notice, "leads term \(group.raft.term)")
            statistics.leaderships += 1
        } else if let leader = group.raft.leader,
            leader != group.describedLeader.leader || group.raft.term != group.describedLeader.term
        {
            log(.info, "follows node \(leader) in term \(group.raft.term)")
        }
        group.describedLeader = (group.raft.leader, group.raft.term)
        isTurnWanted = true
    }

    // MARK: disk

    /// A log that has come to rest is sealed: damage to its last frame could otherwise not be told from a torn write
    /// (docs/internals/log-format.md).
    private func sealAtRest() {
        guard let since = restsSince, log.isIdle, now.instant - since > .milliseconds(1000) else { return }
        log.seal()
        restsSince = nil
    }

    func diskCompleted(_ number: UInt64) {
        if let write = logWrite, write.operation == number {
            noteLatency("log-write", now.instant - write.since)
            logWrite = nil
        }
        if stateFileStepDone(number) || snapshotStepDone(number) { return }
        var durable: [WriteAheadLog.Durable] = []
        log.completed(number: number, durable: &durable)
        for item in durable {
            switch item {
            case .persist(let group, let sequence):
                check(group == self.group.id, "a write belongs to a group of this node")
                self.group.raft.persisted(sequence, now: now)
            case .incarnation(let started):
                check(started == incarnation, "only this run's start is written in this run")
                isIncarnationDurable = true
                isTurnWanted = true
                resumeAllClients()
                resumeLinks()
            }
        }
    }

    private func loadEntries(_ load: RaftEffects.Load) {
        guard
            let number = log.requestEntries(
                group: group.id, from: load.from, bytesMax: load.bytesMax, into: &effects.disk)
        else { return group.raft.loadFailed(for: load.peer) }
        group.loading.append((number, load.peer))
    }

    func diskRead(_ number: UInt64, _ bytes: ByteView) {
        do throws(StorageError) {
            if stateFileRead(number, bytes) || snapshotRead(number, bytes) { return }
            if try selfCheckRead(number, bytes) { return }
            guard let position = group.loading.firstIndex(where: { $0.number == number }) else { return }
            let peer = group.loading.remove(at: position).peer
            let read = try log.entriesRead(number: number, bytes: bytes)
            if read.entries.isEmpty {
                group.raft.loadFailed(for: peer)
            } else {
                group.raft.loaded(for: peer, entries: read.entries, now: now)
            }
        } catch {
            // What was durable and verified at start is damaged now: going on would spread it.
            log(.error, "\(error); the node stops: restore its data directory from another node")
            effects.exit = 1
        }
    }

    // MARK: output

    private func finishOutput() {
        if holdsReplies { withholdReplies() }
        for (connection, afterOutput) in effects.closeClients where afterOutput {
            clients[connection.rawValue]?.isLeaving = true
        }
        for id in effects.peerOutput { links[id.rawValue]?.isListedForOutput = false }
        for id in effects.clientOutput { clients[id.rawValue]?.isListedForOutput = false }
    }

    func log(_ level: LogLine.Level, _ message: String) { effects.log.append(LogLine(level, message)) }
}
