import Base
import Consensus
import Testing

@testable import Storage

/// Random histories over many lives: appends, replacements, compactions, seals, slow creations, reads, crashes that tear
/// what was under way. After each crash the log must hold one of the states that it went through since the last report.
struct LogModel {
    private var generator: RandomGenerator
    private let options: LogOptions
    private let disk = MemoryDisk()
    private var log: WriteAheadLog
    private var queue: [DiskOperation] = []
    /// Creations and reads under way: they are not ordered with the rest.
    private var background: [DiskOperation] = []
    /// States that may be on the disk, oldest first: the last one reported, and one more for each record since.
    private var states: [LogState]
    /// Events not reported yet, and how many states lie before what they make durable.
    private var awaited: [(event: WriteAheadLog.Durable, states: Int)] = []
    /// How many states were dropped from the front of `states` in this life.
    private var dropped = 0
    private var sequences: [UInt32: UInt64] = [:]
    private(set) var lives = 1
    private(set) var tornTails = 0
    private(set) var readEntries = 0
    /// What does not hold, in words.
    private(set) var failures: [String] = []

    /// A disk that reports some writes and forgets them: the model must notice.
    private let isLying: Bool

    init(seed: UInt64, isLying: Bool = false) throws {
        self.isLying = isLying
        generator = RandomGenerator(seed: seed)
        let segmentBytes = 4096 * (4 + generator.index(below: 12))
        options = LogOptions(
            segmentBytes: segmentBytes, spareSegments: 1 + generator.index(below: 2),
            recycledSegmentsMax: 2 + generator.index(below: 3), frameBytesMax: 4096 * (1 + generator.index(below: 5)))
        var collector = Collector()
        log = try WriteAheadLog.recover(from: disk, identity: LogRig.identity, options: options, visitor: &collector).log
        states = [LogState()]
        _ = log.flush(into: &queue)
    }

    private var current: LogState { states[states.count - 1] }

    mutating func run(steps: Int) throws {
        for _ in 0..<steps where failures.isEmpty {
            switch generator.next(below: 100) {
            case 0..<30: appendPersist()
            case 30..<32: compact()
            case 32..<34: log.seal()
            case 34..<36: appendIncarnation()
            case 36..<42: request()
            case 42..<48: completeBackground()
            case 48: try crash()
            default: completeNext()
            }
            if generator.chance(3, in: 4) { _ = log.flush(into: &queue) }
        }
        failures += disk.errors
    }

    // MARK: Appending

    private mutating func record(_ record: LogRecord) {
        var next = current
        next.apply(record)
        states.append(next)
    }

    private mutating func expectReport(of event: WriteAheadLog.Durable) { awaited.append((event, dropped + states.count - 1)) }

    private mutating func appendPersist() {
        let group = GroupID(UInt32(generator.next(below: 2)))
        let state = current.groups[group.rawValue] ?? LogState.Group()
        var persist = RaftEffects.Persist(sequence: 0, hardState: nil, entries: [], commitHint: .zero)
        var term = state.hardState?.term ?? .zero
        if state.hardState == nil || generator.chance(1, in: 6) {
            term = term.next
            persist.hardState = HardState(term: term, vote: generator.chance(1, in: 2) ? NodeID(1) : nil)
        }
        let isReplacing = !state.entries.isEmpty && generator.chance(1, in: 6)
        let back = isReplacing ? generator.next(below: UInt64(min(state.entries.count, 8))) : 0
        let first = isReplacing ? state.last.rawValue - back : state.last.rawValue + 1
        for offset in 0..<generator.next(below: 5) {
            let bytes = generator.chance(1, in: 60) ? 70_000 : generator.index(below: generator.chance(1, in: 5) ? 9000 : 300)
            persist.entries.append(entry(first + offset, term: term.rawValue, bytes: bytes))
        }
        if let last = persist.entries.last?.index, generator.chance(1, in: 2) {
            persist.commitHint = max(state.base, LogIndex(last.rawValue - generator.next(below: 2)))
        }
        sequences[group.rawValue, default: 0] += 1
        persist.sequence = sequences[group.rawValue] ?? 0
        log.append(persist, group: group)
        for each in records(of: persist, group: group, hint: state.commitHint) { record(each) }
        expectReport(of: .persist(group: group, sequence: persist.sequence))
    }

    private mutating func appendIncarnation() {
        let next = Incarnation((current.incarnation?.rawValue ?? 0) + 1)
        log.append(incarnation: next)
        record(.incarnation(next))
        expectReport(of: .incarnation(next))
    }

    private mutating func compact() {
        let group = GroupID(UInt32(generator.next(below: 2)))
        let state = current.groups[group.rawValue] ?? LogState.Group()
        // Mostly a part of the log, sometimes past its end, as a state file from the leader does.
        let span = state.last.rawValue - state.base.rawValue
        let index = LogIndex(state.base.rawValue + generator.next(below: span + (generator.chance(1, in: 8) ? 20 : 1)))
        log.compact(group: group, through: index, term: Term(1))
        if index > state.base { record(.base(group, index, Term(1))) }
    }

    // MARK: The disk

    private mutating func completeNext() {
        guard !queue.isEmpty else { return }
        let operation = queue.removeFirst()
        switch operation.action {
        case .create, .read: background.append(operation)
        default: complete(operation)
        }
    }

    private mutating func completeBackground() {
        guard !background.isEmpty else { return }
        complete(background.remove(at: generator.index(below: background.count)))
    }

    private mutating func complete(_ operation: DiskOperation) {
        var isForgotten = false
        if isLying, case .write = operation.action { isForgotten = generator.chance(1, in: 10) }
        let bytes = isForgotten ? [] : disk.perform(operation.action)
        if case .read = operation.action { return finishRead(operation.number, bytes) }
        disk.settle(operation.action)
        var durable: [WriteAheadLog.Durable] = []
        log.completed(number: operation.number, durable: &durable)
        for event in durable {
            guard let first = awaited.first, first.event == event else {
                failures.append("\(event) is reported out of order")
                return
            }
            awaited.removeFirst()
            states.removeFirst(first.states - dropped)
            dropped = first.states
        }
    }

    private mutating func request() {
        let group = GroupID(UInt32(generator.next(below: 2)))
        guard let readable = log.readable(group: group) else { return }
        let span = readable.upperBound.rawValue - readable.lowerBound.rawValue + 1
        let from = LogIndex(readable.lowerBound.rawValue + generator.next(below: span))
        let number = log.requestEntries(
            group: group, from: from, bytesMax: generator.index(below: 30_000), into: &queue)
        if number == nil { failures.append("entry \(from) is readable, but can't be read") }
    }

    private mutating func finishRead(_ number: UInt64, _ bytes: [UInt8]) {
        do {
            let read = try bytes.withView { (view) throws(StorageError) in try log.entriesRead(number: number, bytes: view) }
            let entries = current.groups[read.group.rawValue]?.entries ?? []
            for (offset, entry) in read.entries.enumerated() {
                let isRight = entry.index.rawValue == read.from.rawValue + UInt64(offset) && entries.contains(entry)
                if !isRight { failures.append("entry \(entry.index) was read back wrong") }
            }
            readEntries += read.entries.count
        } catch {
            failures.append("a read failed: \(error)")
        }
    }

    // MARK: Crashes

    private mutating func crash() throws {
        if let under = queue.first {
            let sectorBytes = generator.chance(1, in: 2) ? 4096 : 512
            var tearing = generator
            if generator.chance(3, in: 4) {
                disk.tear(under.action, sectorBytes: sectorBytes) { _ in tearing.chance(1, in: 2) }
            } else {
                if case .read = under.action {} else { disk.perform(under.action) }
            }
            _ = generator.next()
        }
        for operation in background {
            guard case .create = operation.action else { continue }
            if generator.chance(1, in: 3) {
                disk.perform(operation.action)
            } else if generator.chance(1, in: 2) {
                disk.tear(operation.action, sectorBytes: 4096) { _ in true }
            }
        }
        try recover()
    }

    private mutating func recover() throws {
        var collector = Collector()
        let recovered: WriteAheadLog
        let report: RecoveryReport
        do {
            (recovered, report) = try WriteAheadLog.recover(
                from: disk, identity: LogRig.identity, options: options, visitor: &collector)
        } catch {
            failures.append("life \(lives) was refused: \(error)")
            return
        }
        if !states.contains(collector.state) {
            failures.append("life \(lives): the state found is none of the \(states.count) that may be there")
        }
        log = recovered
        states = [collector.state]
        queue = []
        background = []
        awaited = []
        dropped = 0
        sequences = [:]
        lives += 1
        if report.tornTail != nil { tornTails += 1 }
    }
}

@Suite struct ModelTests {
    @Test func randomHistoriesSurviveCrashes() throws {
        var lives = 0
        var tornTails = 0
        var readEntries = 0
        for seed in 1...20 as ClosedRange<UInt64> {
            var model = try LogModel(seed: seed)
            try model.run(steps: 800)
            #expect(model.failures.isEmpty, "seed \(seed): \(model.failures)")
            lives += model.lives
            tornTails += model.tornTails
            readEntries += model.readEntries
        }
        // The rare paths were taken.
        #expect(lives > 70 && tornTails > 4 && readEntries > 200, "\(lives) \(tornTails) \(readEntries)")
    }

    /// The planted bug: without it nobody would know that the model can find anything.
    @Test func aDiskThatForgetsWritesIsFound() throws {
        var found = 0
        for seed in 1...20 as ClosedRange<UInt64> {
            var model = try LogModel(seed: seed, isLying: true)
            try model.run(steps: 400)
            found += model.failures.isEmpty ? 0 : 1
        }
        #expect(found > 10)
    }
}
