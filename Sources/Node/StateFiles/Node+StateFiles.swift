import Base
import Consensus
import Database
import DistributedSnapshot
import Storage

/// State files of this node's own state, and the log that they make superfluous (DESIGN, section 7; paper, section 7).
///
/// The state is recorded in one turn and encoded slice by slice at the ends of the turns that follow, each slice small where the turn has
/// had other work; the file thread writes. When the file is durable, the log is trimmed: not beyond the *older* of the two
/// files that are kept, so that a damaged newest one costs nothing but time; and not its newest part, which nodes that are a
/// little behind need.
extension Node {
    // MARK: begin

    /// Goes on with everything that has to do with state files, at the end of a turn.
    func continueStateFiles(slice: Int) {
        freeRetired()
        continueFetching()
        if files.writing == nil && isStateFileDue { beginStateFile() }
        // What was asked for is there.
        if files.writing == nil && group.machine.appliedIndex <= files.newest?.index ?? .zero { files.isWanted = false }
        continueWriting(slice: slice)
        discardUnread()
        files.checkInvariants()
    }

    /// When a turn is needed for them although nothing happens.
    var stateFileDeadline: Instant {
        guard files.isWanted, files.writing == nil, files.retryAt > now.instant else { return .never }
        return files.retryAt
    }

    /// How much the log may grow behind the newest state file. Nodes differ a little, so that they do not all write at once.
    var logBytesMax: Int {
        let usual = max(options.stateFiles.logBytesMin, files.newest?.byteCount ?? 0)
        return usual + usual / 8 * Int(id.rawValue % 4)
    }

    private var isStateFileDue: Bool {
        if shutdown != nil || files.fetching?.isWhole == true || now.instant < files.retryAt { return false }
        guard group.machine.appliedIndex > files.newest?.index ?? .zero else { return false }
        return files.isWanted || log.writtenBytes - files.logMark > logBytesMax
    }

    private func beginStateFile() {
        guard let record = group.machine.beginRecord() else {
            // Distributed snapshots have all the records that there may be.
            files.retryAt = now.instant + .milliseconds(100)
            files.isWanted = true
            return
        }
        let header = stateFileHeader(
            index: record.appliedIndex, term: record.appliedTerm, time: record.time, configuration: group.raft.configuration)
        let writer = StateFileWriter(
            name: StateFileFormat.fileName(group: group.id, index: record.appliedIndex), header: header,
            chunkBytes: options.stateFiles.chunkBytes)
        files.isWanted = false
        pace.begin(stateBytes: group.machine.usedMemory)
        files.writing = StateFileJob(
            record, writer, logMark: log.writtenBytes, changes: group.machine.changes, began: now.instant)
        log(.debug, "begins a state file through entry \(record.appliedIndex), \(record.keysTotal) keys")
    }

    /// The header of a file of this node.
    ///
    /// - Parameter snapshot: of which it is a part; nil for a state file.
    func stateFileHeader(
        index: LogIndex, term: Term, time: WallTime, configuration: Configuration, snapshot: SnapshotID? = nil
    ) -> StateFileHeader {
        StateFileHeader(
            kind: snapshot == nil ? .state : .snapshotPart, clusterID: options.clusterID, nodeID: id, group: group.id,
            fileID: max(1, random.next()), index: index, term: term, time: time, snapshot: snapshot?.rawValue ?? 0,
            configuration: configuration)
    }

    // MARK: write

    private func continueWriting(slice: Int) {
        guard let job = files.writing else { return }
        if slice > 0 && canEncode(job) {
            job.scratch.removeAll(keeping: 1 << 20)
            job.isEncoded = job.record.encode(into: job.scratch, budgetBytes: slice)
            job.writer.append(job.scratch.view, to: .database)
            if job.isEncoded { job.writer.finish() }
            job.underWay += emit(job.writer.takeOperations())
        }
        // What it covers has to be in the own log first: then log and state files never contradict each other.
        if job.isEncoded, job.publication == nil, group.raft.durableIndex >= job.record.appliedIndex {
            let number = log.emit(job.writer.publish, into: &effects.disk)
            job.publication = number
            job.underWay.append(number)
        }
    }

    private func canEncode(_ job: StateFileJob) -> Bool {
        !job.isEncoded && job.underWay.count < options.stateFiles.operationsMax
    }

    /// Whether there is state to be encoded, for a state file or a part of a snapshot.
    var encodesState: Bool {
        if let job = files.writing, canEncode(job) { return true }
        return partJobs.contains { canAdvance($0) }
    }

    func emit(_ actions: [DiskOperation.Action]) -> [UInt64] { actions.map { log.emit($0, into: &effects.disk) } }

    /// Takes the end of a disk operation; false when it is not one for a state file.
    func stateFileStepDone(_ number: UInt64) -> Bool {
        if let job = files.writing, let position = job.underWay.firstIndex(of: number) {
            job.underWay.remove(at: position)
            if job.publication == number { stateFileWritten(job) }
            isTurnWanted = true
            return true
        }
        return fetchStepDone(number)
    }

    private func stateFileWritten(_ job: StateFileJob) {
        check(job.record.isComplete && job.writer.isFinished, "a state file that is durable is whole")
        files.writing = nil
        files.logMark = job.logMark
        files.changesAtSave = job.changes
        add(job.file)
        let took = now.instant - job.began
        log(
            .info,
            "state file through entry \(job.file.index): \(job.file.byteCount >> 10) KiB, \(job.record.keysTotal) keys, \(took.rawValue / 1_000_000) ms"
        )
        saved(took)
        trimLog()
    }

    /// A new state file of this node is durable: it takes the place of the oldest.
    func add(_ file: StateFile) {
        check(files.newest.map { $0.index < file.index } ?? true, "a new state file covers more")
        files.files.append(file)
        while files.files.count > 2 { files.toDiscard.append(files.files.removeFirst().name) }
        files.toDiscard += files.unusable.filter { $0 != file.name }
        files.unusable.removeAll()
    }

    /// Removes files that nobody needs and nobody reads.
    private func discardUnread() {
        if files.toDiscard.isEmpty { return }
        var kept: [FileName] = []
        for name in files.toDiscard {
            if files.serving.contains(where: { $0.file == name }) || selfCheck?.file?.name == name {
                kept.append(name)
            } else {
                _ = log.emit(.discard(name: name), into: &effects.disk)
            }
        }
        files.toDiscard = kept
    }

    /// A disk operation that may be refused was. False when it was not one for a state file.
    func diskRefused(_ number: UInt64, _ reason: String) {
        isTurnWanted = true
        if let job = files.writing, job.underWay.contains(number) {
            abandonWriting(reason)
        } else if !snapshotStepRefused(number, reason) {
            fetchRefused(number, reason)
        }
    }

    /// Gives up the file that is being written.
    func abandonWriting(_ reason: String) {
        guard let job = files.writing else { return }
        job.record.cancel()
        files.writing = nil
        files.toDiscard.append(job.writer.name)
        files.retryAt = now.instant + options.stateFiles.retryDelay
        log(.error, "a state file could not be written: \(reason); the log is kept until one can be")
        saveFailed(reason)
    }

    // MARK: trim

    /// Lets go of the log that is not needed any more.
    func trimLog() {
        // It reads the log behind its state file.
        if selfCheck != nil { return }
        var through = log.lastIndex(keeping: options.stateFiles.tailBytes, of: group.id)
        // The older file, so that recovery can begin there if the newest is damaged.
        let kept = options.stateFiles.faults.contains(.trimTooFar) ? 1 : 2
        through = min(
            through, files.files.count >= kept ? files.files[files.files.count - kept].index : group.raft.log.baseIndex)
        through = min(through, min(group.raft.appliedIndex, group.raft.durableIndex))
        if now.instant < files.servedUntil, log.bytes(behind: files.servedIndex, of: group.id) < 4 * logBytesMax {
            through = min(through, files.servedIndex)
        }
        guard through > group.raft.log.baseIndex, let term = group.raft.term(at: through) else { return }
        group.raft.compact(through: through)
        log.compact(group: group.id, through: through, term: term)
        log(.debug, "lets go of the log through entry \(through)")
    }

    // MARK: states that were replaced

    /// Frees some of a state that was replaced.
    private func freeRetired() {
        guard let machine = files.retired.first else { return }
        if machine.hasDropped {
            machine.freeDropped()
            isTurnWanted = true
        } else {
            files.retired.removeFirst()
        }
    }
}
