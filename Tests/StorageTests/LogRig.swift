import Base
import Consensus
import Storage
import Testing

/// A log on a `MemoryDisk`, with the records appended so far and what was reported durable.
final class LogRig {
    static let identity = NodeIdentity(clusterID: ClusterID(high: 1, low: 2), nodeID: NodeID(3), salt: 0x5EED)
    static let tiny = LogOptions(segmentBytes: 16 << 10, spareSegments: 1, recycledSegmentsMax: 2, frameBytesMax: 8 << 10)

    let disk: MemoryDisk
    let log: WriteAheadLog
    let report: RecoveryReport
    /// What recovery delivered.
    let found: Collector
    /// Emitted and not carried out yet.
    var queue: [DiskOperation] = []
    /// Carried out, by number.
    var reported: [WriteAheadLog.Durable] = []
    /// Records appended in this run, in order.
    var appended: [LogRecord] = []
    /// How many of `appended` belong to each persist.
    private var ends: [(event: WriteAheadLog.Durable, records: Int)] = []
    private var sequences: [UInt32: UInt64] = [:]
    private var hints: [UInt32: LogIndex] = [:]

    init(_ disk: MemoryDisk = MemoryDisk(), identity: NodeIdentity = LogRig.identity, options: LogOptions = LogRig.tiny) throws {
        self.disk = disk
        var collector = Collector()
        (log, report) = try WriteAheadLog.recover(from: disk, identity: identity, options: options, visitor: &collector)
        found = collector
        for (group, state) in collector.state.groups { hints[group] = state.commitHint }
        flush()
    }

    /// Records of `appended` that were reported durable.
    var durableRecords: Int {
        guard let last = reported.last else { return 0 }
        return ends.last { $0.event == last }?.records ?? 0
    }

    func append(
        _ group: GroupID = .first, hardState: HardState? = nil, entries: [Entry] = [], commitHint: LogIndex = .zero
    ) {
        sequences[group.rawValue, default: 0] += 1
        let persist = RaftEffects.Persist(
            sequence: sequences[group.rawValue, default: 0], hardState: hardState, entries: entries, commitHint: commitHint)
        appended += records(of: persist, group: group, hint: hints[group.rawValue] ?? .zero)
        hints[group.rawValue] = max(hints[group.rawValue] ?? .zero, commitHint)
        log.append(persist, group: group)
        ends.append((.persist(group: group, sequence: persist.sequence), appended.count))
    }

    func append(incarnation: UInt64) {
        appended.append(.incarnation(Incarnation(incarnation)))
        log.append(incarnation: Incarnation(incarnation))
        ends.append((.incarnation(Incarnation(incarnation)), appended.count))
    }

    @discardableResult
    func flush() -> UInt64? { log.flush(into: &queue) }

    /// Carries out and reports the next operation.
    func step() {
        let operation = queue.removeFirst()
        disk.perform(operation.action)
        disk.settle(operation.action)
        log.completed(number: operation.number, durable: &reported)
        flush()
    }

    /// Carries out everything.
    func settle() {
        flush()
        while !queue.isEmpty { step() }
    }

    /// The state that a fresh recovery of the disk finds.
    func recovered(options: LogOptions = LogRig.tiny) throws -> LogRig { try LogRig(disk, options: options) }
}

/// An entry with a payload that tells it from others.
func entry(_ index: UInt64, term: UInt64 = 1, bytes: Int = 20, kind: Entry.Kind = .command) -> Entry {
    var generator = RandomGenerator(seed: index &* 31 &+ term)
    var payload: [UInt8] = []
    payload.reserveCapacity(bytes)
    while payload.count + 8 <= bytes { withUnsafeBytes(of: generator.next().littleEndian) { payload.append(contentsOf: $0) } }
    while payload.count < bytes { payload.append(UInt8(truncatingIfNeeded: generator.next())) }
    return Entry(term: Term(term), index: LogIndex(index), kind: kind, payload: payload)
}

/// Carries out a read and gives what the log makes of it.
func readBack(_ rig: LogRig, group: GroupID = .first, from: UInt64, bytesMax: Int = 1 << 20) throws -> [Entry]? {
    var operations: [DiskOperation] = []
    guard let number = rig.log.requestEntries(group: group, from: LogIndex(from), bytesMax: bytesMax, into: &operations) else {
        return nil
    }
    let operation = try #require(operations.last)
    #expect(operation.number == number)
    let bytes = rig.disk.perform(operation.action)
    return try bytes.withView { (view) throws(StorageError) in try rig.log.entriesRead(number: number, bytes: view) }.entries
}
