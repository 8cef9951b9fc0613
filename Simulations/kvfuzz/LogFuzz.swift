import Base
import Consensus
import Storage

/// Fuzzes log recovery: small logs whose files are damaged in all sorts of ways, and logs whose content is nonsense under
/// checksums that fit.
///
/// What must hold: nothing crashes; what recovery accepts of a damaged log is a prefix of what was written; a single
/// damaged block costs the last frame at most; the inspector agrees with recovery; a log that was accepted is accepted
/// again after its first operations, with the same content.
struct LogFuzz: FuzzTarget {
    private var logs: [BaseLog] = []
    private var described = ""

    init() {
        for variant in 0..<4 { logs.append(BaseLog(variant: variant)) }
    }

    mutating func run(_ random: inout RandomGenerator) -> FuzzVerdict {
        let base = logs[random.index(below: logs.count)]
        let disk = FuzzDisk(base.files)
        described = "log \(base.variant)"
        let isForged = random.chance(1, in: 3)
        let count = random.chance(1, in: 2) ? 1 : 1 + random.index(below: 4)
        var isOneBlock = !isForged && count == 1
        for _ in 0..<count {
            if isForged {
                forge(base, disk, &random)
            } else if !damage(disk, &random) {
                isOneBlock = false
            }
        }
        if let failure = verify(base, disk, isForged: isForged, isOneBlock: isOneBlock) {
            return .bad(failure, input: Array(described.utf8))
        }
        return .good
    }

    // MARK: Damage

    /// Damages one place.
    ///
    /// - Returns: whether no more than one block of one file differs from before, files of the same size.
    private mutating func damage(_ disk: FuzzDisk, _ random: inout RandomGenerator) -> Bool {
        let names = disk.files.keys.sorted()
        guard !names.isEmpty else { return true }
        let name = names[random.index(below: names.count)]
        let size = disk.files[name]?.count ?? 0
        guard size > 0 else { return true }
        let block = random.index(below: max(1, size / 4096)) * 4096
        // Most bytes are padding: prefer the front of a block, where headers and records are.
        let near = min(size - 1, block + random.index(below: random.chance(3, in: 4) ? 400 : 4096))
        switch random.next(below: 10) {
        case 0..<4:
            described += "; flip \(name) \(near)"
            disk.files[name]?[near] ^= 1 << UInt8(random.index(below: 8))
            return true
        case 4:
            let length = min(1 + random.index(below: 600), block + 4096 - near, size - near)
            described += "; noise \(name) \(near) \(length)"
            for offset in near..<max(near, near + length) { disk.files[name]?[offset] = UInt8(truncatingIfNeeded: random.next()) }
            return true
        case 5:
            described += "; zero \(name) \(block)"
            for offset in block..<min(size, block + 4096) { disk.files[name]?[offset] = 0 }
            return true
        case 6:
            let other = names[random.index(below: names.count)]
            let source = random.index(below: max(1, (disk.files[other]?.count ?? 0) / 4096)) * 4096
            described += "; copy \(other) \(source) to \(name) \(block)"
            let copied = (disk.files[other] ?? []).dropFirst(source).prefix(min(4096, size - block))
            disk.files[name]?.replaceSubrange(block..<block + copied.count, with: copied)
            return true
        default: return damageFile(name, size, disk, names, &random)
        }
    }

    private mutating func damageFile(
        _ name: String, _ size: Int, _ disk: FuzzDisk, _ names: [String], _ random: inout RandomGenerator
    ) -> Bool {
        switch random.next(below: 4) {
        case 0:
            let count = random.index(below: size)
            described += "; cut \(name) to \(count)"
            disk.files[name]?.removeLast(size - count)
        case 1:
            described += "; remove \(name)"
            disk.files[name] = nil
        case 2:
            let other = names[random.index(below: names.count)]
            described += "; swap \(name) and \(other)"
            let kept = disk.files[name]
            disk.files[name] = disk.files[other]
            disk.files[other] = kept
        default:
            let digits = String(random.next() >> random.next(below: 64), radix: 16)
            let other = "log-" + String(repeating: "0", count: 16 - digits.utf8.count) + digits
            described += "; copy \(name) as \(other)"
            disk.files[other] = disk.files[name]
        }
        return false
    }

    // MARK: Forgery

    /// Changes a field of a header or a record and makes all checksums fit again.
    private mutating func forge(_ base: BaseLog, _ disk: FuzzDisk, _ random: inout RandomGenerator) {
        let place = base.places[random.index(below: base.places.count)]
        guard var bytes = disk.files[place.file] else { return }
        let width = [1, 4, 8][random.index(below: 3)]
        let field = [4, 8, 12, 16, 24, 28, 32, 36, 40, 48, 56][random.index(below: 11)]
        let values: [UInt64] = [0, 1, 2, random.next(below: 100), random.next(), 1 << 62, .max - 1, .max]
        let value = values[random.index(below: values.count)]
        described += "; forge \(place.kind) of \(place.file) at \(place.offset)+\(field), \(width) bytes, \(value)"
        for byte in 0..<width where place.offset + field + byte < bytes.count {
            bytes[place.offset + field + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
        }
        switch place.kind {
        case .segment: LogFuzz.store(LogFuzz.sum(bytes, 0, 64, 0), in: &bytes, at: 64)
        case .frame: base.reseal(&bytes, frame: place.offset, keepsRecords: true)
        default: base.reseal(&bytes, frame: place.frame, keepsRecords: false)
        }
        disk.files[place.file] = bytes
    }

    static func sum(_ bytes: [UInt8], _ offset: Int, _ count: Int, _ seed: UInt32) -> UInt32 {
        bytes.withView { CRC32C.checksum($0.slice(offset, count), continuing: seed) }
    }

    static func store(_ value: UInt32, in bytes: inout [UInt8], at offset: Int) {
        for byte in 0..<4 { bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)) }
    }

    // MARK: What must hold

    private func verify(_ base: BaseLog, _ disk: FuzzDisk, isForged: Bool, isOneBlock: Bool) -> String? {
        var visitor = DigestVisitor()
        var refusal: StorageError?
        var log: WriteAheadLog?
        do {
            log = try WriteAheadLog.recover(
                from: disk, identity: BaseLog.identity, options: BaseLog.options, visitor: &visitor
            ).log
        } catch {
            refusal = error
        }
        var places = 0
        do {
            let said = try LogInspector.inspect(disk, identity: BaseLog.identity) { _ in places += 1 }
            if said != refusal {
                return "recovery says \(String(describing: refusal)), the inspector \(String(describing: said))"
            }
        } catch {
            return "the inspector failed: \(error)"
        }
        guard let log else { return nil }
        if !isForged {
            guard base.digests.starts(with: visitor.digests) || base.digests.count < visitor.digests.count else {
                return "what was accepted is not a prefix of what was written"
            }
            if visitor.digests.count > base.digests.count { return "more was found than was written" }
            if isOneBlock, visitor.digests.count < base.digests.count - base.lastFrameRecords {
                return "one damaged block cost \(base.digests.count - visitor.digests.count) records"
            }
        }
        var operations: [DiskOperation] = []
        _ = log.flush(into: &operations)
        for operation in operations { disk.perform(operation.action) }
        var again = DigestVisitor()
        do {
            _ = try WriteAheadLog.recover(from: disk, identity: BaseLog.identity, options: BaseLog.options, visitor: &again)
        } catch {
            return "it was accepted, and after the first operations refused: \(error)"
        }
        // Segments that a compaction had given up are removed by the first operations, and their records with them.
        if !base.isCompacted, !isForged, again.digests != visitor.digests { return "the second recovery found something else" }
        return nil
    }
}

/// A sound log to be damaged.
struct BaseLog {
    static let identity = NodeIdentity(clusterID: ClusterID(high: 5, low: 6), nodeID: NodeID(1), salt: 0xC0FFEE)
    static let options = LogOptions(segmentBytes: 16 << 10, recycledSegmentsMax: 2, frameBytesMax: 8 << 10)

    /// Something that can be forged.
    struct Place {
        var kind: InspectedRecord.Kind
        var file: String
        var offset: Int
        /// Where its frame begins.
        var frame: Int
    }

    let variant: Int
    private(set) var files: [String: [UInt8]] = [:]
    private(set) var places: [Place] = []
    /// Of every record, in order.
    private(set) var digests: [UInt32] = []
    private(set) var lastFrameRecords = 0
    let isCompacted: Bool
    private let frameSeed: UInt32
    private let recordSeed: UInt32

    init(variant: Int) {
        self.variant = variant
        isCompacted = variant == 2
        // docs/internals/log-format.md, "The salt".
        var generator = RandomGenerator(seed: BaseLog.identity.salt)
        _ = generator.next()
        let seeds = generator.next()
        frameSeed = UInt32(truncatingIfNeeded: seeds)
        recordSeed = UInt32(truncatingIfNeeded: seeds >> 32)
        let disk = FuzzDisk([:])
        do {
            try write(on: disk)
            files = disk.files
            try survey(disk)
        } catch {
            check(false, "a sound log is accepted: \(error)")
        }
    }

    private func write(on disk: FuzzDisk) throws(StorageError) {
        var visitor = DigestVisitor()
        let log = try WriteAheadLog.recover(
            from: disk, identity: BaseLog.identity, options: BaseLog.options, visitor: &visitor
        ).log
        var operations: [DiskOperation] = []
        var durable: [WriteAheadLog.Durable] = []
        func settle() {
            _ = log.flush(into: &operations)
            while !operations.isEmpty {
                let operation = operations.removeFirst()
                disk.perform(operation.action)
                log.completed(number: operation.number, durable: &durable)
                _ = log.flush(into: &operations)
            }
        }
        log.append(incarnation: Incarnation(1))
        for turn in 1...UInt64(variant == 3 ? 3 : 8) {
            for group in [GroupID.first, GroupID(3)] {
                let payload = [UInt8](repeating: UInt8(turn), count: variant == 1 ? 2500 : 60)
                let entries = (0..<2).map {
                    Entry(term: Term(turn), index: LogIndex(turn + $0), kind: .command, payload: payload)
                }
                log.append(
                    RaftEffects.Persist(
                        sequence: turn, hardState: HardState(term: Term(turn), vote: NodeID(1)), entries: entries,
                        commitHint: LogIndex(turn - 1)), group: group)
            }
            settle()
        }
        if variant == 2 {
            for group in [GroupID.first, GroupID(3)] { log.compact(group: group, through: LogIndex(7), term: Term(7)) }
            settle()
        }
        if variant == 3 { log.seal() }
        settle()
    }

    private mutating func survey(_ disk: FuzzDisk) throws(StorageError) {
        var found: [InspectedRecord] = []
        let refusal = try LogInspector.inspect(disk, identity: BaseLog.identity) { found.append($0) }
        check(refusal == nil, "a sound log is accepted")
        var frame = 0
        for record in found where record.verdict == .good {
            if record.kind == .frame {
                frame = record.offset
                lastFrameRecords = 0
            } else if record.kind != .segment {
                lastFrameRecords += 1
            }
            places.append(Place(kind: record.kind, file: record.file, offset: record.offset, frame: frame))
        }
        var visitor = DigestVisitor()
        _ = try WriteAheadLog.recover(from: disk, identity: BaseLog.identity, options: BaseLog.options, visitor: &visitor)
        digests = visitor.digests
    }

    /// Makes the checksums of the frame at `start` fit its bytes; with `keepsRecords` only the header's own.
    func reseal(_ bytes: inout [UInt8], frame start: Int, keepsRecords: Bool) {
        func integer(_ offset: Int) -> Int { bytes.withView { Int($0.integer(at: offset, as: UInt32.self)) } }
        if !keepsRecords {
            var sums: [UInt8] = []
            var offset = start + 48
            let end = min(offset + integer(start + 28), bytes.count)
            while offset + 32 <= end {
                let size = 32 + min(integer(offset + 4), end - offset - 32)
                LogFuzz.store(LogFuzz.sum(bytes, offset + 4, size - 4, recordSeed), in: &bytes, at: offset)
                sums += bytes[offset..<offset + 4]
                offset += (size + 7) & ~7
            }
            LogFuzz.store(LogFuzz.sum(sums, 0, sums.count, 0), in: &bytes, at: start + 40)
        }
        LogFuzz.store(LogFuzz.sum(bytes, start, 44, frameSeed), in: &bytes, at: start + 44)
    }
}

/// Files in memory.
final class FuzzDisk: RecoverySource {
    var files: [String: [UInt8]]
    init(_ files: [String: [UInt8]]) { self.files = files }

    func list() throws(StorageError) -> [FileName] { files.keys.map { FileName($0) } }
    func size(of name: FileName) throws(StorageError) -> Int { files[name.text]?.count ?? 0 }
    func read(_ name: FileName, offset: Int, count: Int, into buffer: ByteBuffer) throws(StorageError) {
        guard let bytes = files[name.text], offset < bytes.count else { return }
        bytes.withView { buffer.append($0.slice(offset, min(count, $0.count - offset))) }
    }

    func perform(_ action: DiskOperation.Action) {
        switch action {
        case .create(let name, let byteCount): files[name.text] = [UInt8](repeating: 0, count: byteCount)
        case .write(let name, let offset, let block):
            let view = block.buffer.view
            files[name.text]?.replaceSubrange(offset..<offset + view.count, with: view.rawBuffer)
        case .rename(let from, let to): files[to.text] = files.removeValue(forKey: from.text)
        case .remove(let name): files[name.text] = nil
        case .read, .extend, .publish, .discard: break
        }
    }
}

/// Keeps a checksum of each record.
private struct DigestVisitor: RecoveryVisitor {
    var digests: [UInt32] = []
    private let buffer = ByteBuffer(capacity: 64)

    private mutating func take(_ numbers: [UInt64], _ payload: ByteView = .empty) {
        buffer.removeAll()
        for number in numbers { buffer.append(integer: number) }
        digests.append(CRC32C.checksum(payload, continuing: CRC32C.checksum(buffer.view)))
    }
    mutating func entry(group: GroupID, index: LogIndex, term: Term, kind: Entry.Kind, payload: ByteView) {
        take([1, UInt64(group.rawValue), index.rawValue, term.rawValue, UInt64(kind.rawValue)], payload)
    }
    mutating func hardState(group: GroupID, _ state: HardState) {
        take([2, UInt64(group.rawValue), state.term.rawValue, UInt64(state.vote?.rawValue ?? 0)])
    }
    mutating func commitHint(group: GroupID, index: LogIndex) { take([3, UInt64(group.rawValue), index.rawValue]) }
    mutating func base(group: GroupID, index: LogIndex, term: Term) {
        take([4, UInt64(group.rawValue), index.rawValue, term.rawValue])
    }
    mutating func restart(group: GroupID, index: LogIndex, term: Term) {
        take([6, UInt64(group.rawValue), index.rawValue, term.rawValue])
    }
    mutating func incarnation(_ incarnation: Incarnation) { take([5, incarnation.rawValue]) }
    mutating func progress(bytesDone: Int, bytesTotal: Int) {}
}
