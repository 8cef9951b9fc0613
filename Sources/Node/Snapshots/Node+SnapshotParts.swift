import Base
import Consensus
import Database
import DistributedSnapshot
import Storage

/// Writing a node's part of a distributed snapshot (DESIGN, rules 7.5 and 7.6): the state is recorded in one turn, encoded slice by slice at the ends of the
/// turns that follow, and written by the file thread into a file in the format of the state files (docs/internals/state-files.md).
extension Node {
    /// The local state of this moment. The part fails, not the node, where there can be no further record.
    func recordPart(_ id: SnapshotID) {
        archive.record(id, now: now)
        guard let record = group.machine.beginRecord() else {
            log(.warning, "snapshot \(id): \(StateMachine.recordsMax) records of the state are open, which is the limit")
            participant.recordFailed(id, now: now.instant)
            return
        }
        let header = stateFileHeader(
            index: record.appliedIndex, term: record.appliedTerm, time: record.time, configuration: group.raft.configuration,
            snapshot: id)
        let writer = StateFileWriter(
            name: SnapshotFile.part(id).name, header: header, chunkBytes: options.stateFiles.chunkBytes)
        pace.begin(stateBytes: group.machine.usedMemory)
        partJobs.append(SnapshotPartJob(id, record, LocalState(of: self), writer))
    }

    /// The channels have ended.
    func takePart(_ part: SnapshotPart) {
        archive.made(part)
        for job in partJobs where job.id == part.id { job.part = part }
    }

    /// The initiator's word, beside its part.
    func storeManifest(_ manifest: SnapshotManifest) {
        archive.conclude(manifest, now: now)
        if manifest.outcome == .aborted { return }
        let header = stateFileHeader(
            index: group.machine.appliedIndex, term: group.machine.appliedTerm, time: group.machine.time,
            configuration: group.raft.configuration, snapshot: manifest.id)
        var writer = StateFileWriter(name: SnapshotFile.manifest(manifest.id).name, header: header)
        let buffer = ByteBuffer()
        manifest.encode(into: buffer)
        writer.append(buffer.view, to: .manifest)
        writer.finish()
        let steps = emit(writer.takeOperations())
        let number = log.emit(writer.publish, into: &effects.disk)
        manifestsUnderWay.append((steps, number, manifest.id, writer.byteCount))
    }

    /// Nobody wants the part any more.
    func dropPart(_ id: SnapshotID) {
        guard let index = partJobs.firstIndex(where: { $0.id == id }) else { return }
        let job = partJobs.remove(at: index)
        job.record.cancel()
        _ = log.emit(.discard(name: job.writer.name), into: &effects.disk)
    }

    // MARK: slices

    /// At the end of a turn: the next `slice` bytes of each part.
    func continueParts(slice: Int) {
        // Not while somebody reads.
        if snapshotReads.isEmpty {
            for name in archive.takeDiscarded() { _ = log.emit(.discard(name: name), into: &effects.disk) }
        }
        if slice == 0 { return }
        for job in partJobs where canAdvance(job) { advance(job, slice / partJobs.count + 1) }
    }

    func canAdvance(_ job: SnapshotPartJob) -> Bool {
        job.canAdvance && job.underWay.count < options.stateFiles.operationsMax
    }

    private func advance(_ job: SnapshotPartJob, _ budget: Int) {
        let before = job.step
        job.advance(budgetBytes: budget)
        job.underWay += emit(job.writer.takeOperations())
        if job.step == .written {
            let number = log.emit(job.writer.publish, into: &effects.disk)
            job.publication = number
            job.underWay.append(number)
        }
        if before == .database, job.step == .channels, let digest = job.record.digest {
            let bytes = job.writer.payloadBytes
            tellParticipant {
                $0.recordWritten(job.id, digest: digest.high ^ digest.low, bytes: bytes, now: now.instant)
            }
        }
    }

    /// Takes the end of a disk operation; false when it is not one for a snapshot.
    func snapshotStepDone(_ number: UInt64) -> Bool {
        if let index = manifestsUnderWay.firstIndex(where: { $0.number == number }) {
            let stored = manifestsUnderWay.remove(at: index)
            archive.stored(manifest: stored.id, bytes: stored.bytes)
            return true
        }
        guard let index = partJobs.firstIndex(where: { $0.underWay.contains(number) }) else { return false }
        let job = partJobs[index]
        job.underWay.removeAll { $0 == number }
        isTurnWanted = true
        if job.publication == number {
            check(job.step == .written && job.record.isComplete, "a part that is durable is whole")
            partJobs.remove(at: index)
            archive.stored(part: job.id, bytes: job.writer.byteCount)
            channelEvents?.append(.partStored(job.id))
            tellParticipant { $0.partStored(job.id, now: now.instant) }
        }
        return true
    }

    /// A disk operation that may be refused was. False when it was not one for a snapshot.
    func snapshotStepRefused(_ number: UInt64, _ reason: String) -> Bool {
        if let index = manifestsUnderWay.firstIndex(where: { $0.number == number || $0.steps.contains(number) }) {
            log(.error, "snapshot \(manifestsUnderWay[index].id): the manifest could not be written: \(reason)")
            manifestsUnderWay.remove(at: index)
            return true
        }
        guard let job = partJobs.first(where: { $0.underWay.contains(number) }) else { return false }
        log(.error, "snapshot \(job.id): the part could not be written: \(reason)")
        dropPart(job.id)
        tellParticipant { $0.recordFailed(job.id, now: now.instant) }
        return true
    }

    // MARK: start

    /// Takes note of the files of earlier runs.
    func recoverSnapshots(from source: any RecoverySource) throws(StorageError) {
        let names = try source.list()
        archive.recover(
            names, size: { try? source.size(of: $0) }, manifest: { manifest(in: $0, of: source) }, now: now)
    }

    /// The manifest in a file; nil where it is damaged, or somebody else's.
    private func manifest(in name: FileName, of source: any RecoverySource) -> SnapshotManifest? {
        do throws(StorageError) {
            let buffer = ByteBuffer()
            try source.read(name, offset: 0, count: try source.size(of: name), into: buffer)
            return try SnapshotManifestFile.read(buffer.view, file: name.text, cluster: options.clusterID, node: id).manifest
        } catch {
            log(.warning, "a snapshot's manifest is passed over: \(error)")
            return nil
        }
    }
}
