import Base
import Consensus

/// A node's write-ahead log, shared by its groups.
///
/// The owner appends as it goes and calls `flush` at the end of each turn; that emits at most one frame, and none while
/// the frame before is still being written: what is appended meanwhile gathers for the next one (group commit).
/// `completed` takes each finished operation and says what became durable.
package final class WriteAheadLog {
    /// Something that became durable, in the order in which it was appended.
    package enum Durable: Equatable, Sendable {
        /// `Persist` number `sequence` of `group`, entirely.
        case persist(group: GroupID, sequence: UInt64)
        /// The start of this run.
        case incarnation(Incarnation)
    }

    /// Whose log it is.
    package let identity: NodeIdentity
    let options: LogOptions
    let secret: LogSecret

    /// Ascending by group.
    var groups: [GroupLog] = []
    /// The run appended last.
    var incarnation: Incarnation?

    /// Number of the next operation, over everything that this log emits in this run.
    var nextOperation: UInt64 = 1
    /// Number of the next frame to be begun.
    var nextSequence: UInt64 = 1
    /// The frame that takes records, if one is begun.
    var building: PendingFrame?
    /// Frames that are full and wait for their turn, oldest first. All come before `building`.
    var waiting: [PendingFrame] = []
    /// The frame that is being written.
    var writing: (frame: PendingFrame, operation: UInt64)?
    /// Frames for reuse.
    var pool: [PendingFrame] = []
    /// Whether the last frame begun, or read by recovery, is a seal (or there is none).
    var endsInSeal = true

    /// Segments in use, ascending; the last one takes frames.
    var segments: [LogSegment] = []
    /// Where in the last segment the next frame goes, in bytes.
    var position = 0
    /// Bytes of all frames that were given to the disk in this run.
    package private(set) var writtenBytes = 0
    /// Zeroed or recycled files that no frame was written to under their number.
    var spares: [SpareSegment] = []
    /// Number for the next file that is created or renamed.
    var nextSegment: UInt64 = 1
    /// Segments cut off from the log, to be recycled or removed, oldest first.
    var retired: [LogSegment] = []
    /// What recovery found to do before anything else.
    var housekeeping: [DiskOperation.Action] = []
    /// Reads under way.
    var reads: [PendingRead] = []

    /// An empty log. `recover` fills it.
    init(identity: NodeIdentity, options: LogOptions) {
        options.checkInvariants()
        self.identity = identity
        self.options = options
        secret = LogSecret(salt: identity.salt)
    }

    // MARK: Appending

    /// Appends one ordered write of a group. `persist.entries` begin at most one behind the group's last entry; at or
    /// below it they replace the log from there on.
    package func append(_ persist: RaftEffects.Persist, group: GroupID) {
        let slot = slot(of: group)
        var wrote = false
        if let state = persist.hardState {
            appendHardState(state, slot: slot)
            wrote = true
        }
        if let first = persist.entries.first {
            makeRoom(for: first.index, slot: slot)
            for entry in persist.entries { append(entry, slot: slot) }
            wrote = true
        }
        if persist.commitHint > groups[slot].commitHint || !wrote {
            // With nothing else to write, the hint stands for the persist, so that its turn in the order is kept.
            groups[slot].commitHint = max(persist.commitHint, groups[slot].commitHint)
            appendRecord(RecordHeader(type: .commitHint, group: group, index: groups[slot].commitHint.rawValue))
        }
        acknowledge(.persist(group: group, sequence: persist.sequence))
    }

    /// Appends the start of this run. The node must not speak in its name before it is durable.
    package func append(incarnation: Incarnation) {
        check(self.incarnation.map { $0 < incarnation } ?? true, "incarnations only grow")
        self.incarnation = incarnation
        appendRecord(RecordHeader(type: .incarnation, index: incarnation.rawValue))
        acknowledge(.incarnation(incarnation))
    }

    /// Appends an empty frame behind everything else, unless the log already ends in one. It makes later damage to the
    /// last records detectable (a damaged last frame looks like a torn one); an owner that is idle or about to stop calls it.
    package func seal() {
        if endsInSeal { return }
        closeBuilding()
        waiting.append(begunFrame(capacity: LogFormat.blockBytes))
        endsInSeal = true
    }

    /// Bytes appended and not yet durable; whoever accepts work holds back when they are too many.
    package var pendingBytes: Int {
        var bytes = (building?.totalBytes ?? 0) + (writing?.frame.totalBytes ?? 0)
        for frame in waiting { bytes += frame.totalBytes }
        return bytes
    }

    /// Whether a frame is on its way to the disk.
    package var isWriting: Bool { writing != nil }

    /// Whether everything appended is durable.
    package var isIdle: Bool { building == nil && waiting.isEmpty && writing == nil }

    func appendHardState(_ state: HardState, slot: Int) {
        if let before = groups[slot].hardState {
            check(state.term >= before.term, "a node's term only grows")
            check(
                state.term > before.term || before.vote == nil || before.vote == state.vote,
                "a vote is given at most once in a term")
        }
        groups[slot].hardState = state
        appendRecord(
            RecordHeader(
                type: .hardState, group: groups[slot].group, index: UInt64(state.vote?.rawValue ?? 0), term: state.term.rawValue))
    }

    /// Cuts the group's log so that the entry at `index` comes next.
    private func makeRoom(for index: LogIndex, slot: Int) {
        check(index > groups[slot].base, "what a state file covers is never replaced")
        check(index <= groups[slot].last.next, "a group's entries are contiguous")
        guard index <= groups[slot].last else { return }
        groups[slot].locations.cut(from: index.rawValue)
        groups[slot].last = index.previous
        forgetPending(slot: slot) { $0 >= index.rawValue }
        for read in reads.indices where reads[read].group == groups[slot].group {
            reads[read].cut(from: index.rawValue)
        }
    }

    /// Takes the places of the group's entries for which `condition` holds out of the frames that are not durable yet: when
    /// they are, those entries are no longer part of the log.
    func forgetPending(slot: Int, where condition: (UInt64) -> Bool) {
        let group = groups[slot].group
        for frame in waiting { frame.entries.removeAll { $0.group == group && condition($0.index) } }
        building?.entries.removeAll { $0.group == group && condition($0.index) }
        writing?.frame.entries.removeAll { $0.group == group && condition($0.index) }
    }

    private func append(_ entry: Entry, slot: Int) {
        check(entry.index == groups[slot].last.next, "a group's entries are contiguous")
        check(entry.payload.count <= LogOptions.entryBytesMax, "an entry's size was checked at the door")
        groups[slot].last = entry.index
        let header = RecordHeader(
            type: .entry, kind: entry.kind.rawValue, group: groups[slot].group, index: entry.index.rawValue,
            term: entry.term.rawValue, payloadBytes: entry.payload.count)
        entry.payload.withView { appendRecord(header, payload: $0) }
    }

    /// Appends a record to the frame being built, or to a new one when it does not fit there.
    func appendRecord(_ header: RecordHeader, payload: ByteView = .empty) {
        let bytes = header.totalBytes
        if let frame = building, LogFormat.blocks(frame.block.buffer.count + bytes) > frameBytesLimit { closeBuilding() }
        let frame = building ?? begunFrame(capacity: LogFormat.blocks(LogFormat.frameHeaderBytes + bytes))
        building = frame
        endsInSeal = false
        frame.append(header, payload: payload)
    }

    /// Size that a frame does not exceed, unless a single record does, in bytes.
    private var frameBytesLimit: Int { min(options.frameBytesMax, options.segmentBytes - LogFormat.blockBytes) }

    /// Has `event` reported when everything appended so far is durable.
    private func acknowledge(_ event: Durable) {
        guard let frame = building else { return check(false, "what is acknowledged was written") }
        frame.durable.append(event)
    }

    private func begunFrame(capacity: Int) -> PendingFrame {
        let pooled = capacity <= PendingFrame.keptBytes ? pool.popLast() : nil
        let frame = pooled ?? PendingFrame(capacity: max(capacity, 1 << 16), secret: secret)
        frame.begin(sequence: nextSequence)
        nextSequence += 1
        return frame
    }

    private func closeBuilding() {
        guard let frame = building else { return }
        waiting.append(frame)
        building = nil
    }

    /// Position of `group` in `groups`, which it is added to when it is new.
    func slot(of group: GroupID) -> Int {
        var slot = 0
        while slot < groups.count, groups[slot].group < group { slot += 1 }
        if slot == groups.count || groups[slot].group != group { groups.insert(GroupLog(group: group), at: slot) }
        return slot
    }

    // MARK: Writing

    /// Emits what can be emitted now: one frame with all that was appended since the last one, and housekeeping
    /// (creating, recycling and removing segments). Call it at the end of each turn and after each `completed`.
    ///
    /// - Returns: the number of the operation whose completion makes the frame durable; nil when no frame was emitted
    ///   (nothing is pending, a frame is being written, or the next segment is not ready yet).
    package func flush(into operations: inout [DiskOperation]) -> UInt64? {
        if !housekeeping.isEmpty {
            for action in housekeeping { _ = emit(action, into: &operations) }
            housekeeping.removeAll()
        }
        renumberSpares(into: &operations)
        let written = writeFrame(into: &operations)
        recycle(into: &operations)
        ensureSpares(into: &operations)
        return written
    }

    private func writeFrame(into operations: inout [DiskOperation]) -> UInt64? {
        if writing != nil { return nil }
        // A frame that must wait for a segment stays open and gathers.
        guard let frame = waiting.first ?? building, makePlace(for: frame, into: &operations) else { return nil }
        if waiting.isEmpty { building = nil } else { waiting.removeFirst() }
        let segment = segments[segments.count - 1]
        frame.close(segment: segment.number, offset: position)
        let number = emit(.write(name: segment.name, offset: position, block: frame.block), into: &operations)
        position += frame.block.buffer.count
        writtenBytes += frame.block.buffer.count
        check(position <= segment.byteCount, "a frame lies in one segment")
        writing = (frame, number)
        return number
    }

    /// Numbers an operation and appends it. The log numbers all operations of its node: state files have theirs from here.
    package func emit(_ action: DiskOperation.Action, into operations: inout [DiskOperation]) -> UInt64 {
        let number = nextOperation
        nextOperation += 1
        operations.append(DiskOperation(number: number, action: action))
        return number
    }

    /// Takes the completion of an operation other than `read`, and appends what it made durable to `durable`. Those that the
    /// log did not ask for itself are passed over.
    package func completed(number: UInt64, durable: inout [Durable]) {
        check(number > 0 && number < nextOperation, "only what was emitted completes")
        if let current = writing, current.operation == number {
            writing = nil
            completed(current.frame, durable: &durable)
        } else {
            spareCompleted(operation: number)
        }
    }

    private func completed(_ frame: PendingFrame, durable: inout [Durable]) {
        let segment = segments[segments.count - 1].number
        let start = position - frame.block.buffer.count
        for place in frame.entries {
            let location = LocationIndex.Location(
                segment: segment, offset: start + place.offset, payloadBytes: place.payloadBytes)
            groups[slot(of: place.group)].locations.append(place.index, at: location)
        }
        durable.append(contentsOf: frame.durable)
        retired.append(contentsOf: frame.retires)
        if pool.count < 3, frame.block.buffer.capacity <= PendingFrame.keptBytes { pool.append(frame) }
    }
}
