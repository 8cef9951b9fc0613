import Base
import DistributedSnapshot
import Node
import Storage

/// What a run's snapshots are good for: now and then a new cluster is restored from one, or runs on from it, and what the clients of both saw
/// is judged as one history.
extension Simulation {
    /// Continuations of one run, at most.
    private static let continuationsMax = 4

    /// Takes note of a node's record: which commands were sent and answered before it.
    func noteRecord(_ id: SnapshotID) {
        let first = recordMarks[id]?.first ?? history.mark
        recordMarks[id] = (first, history.mark)
    }

    /// A snapshot has ended: perhaps another cluster goes on from it.
    func continueFrom(_ manifest: SnapshotManifest) throws(Violation) {
        let planted = options.planted?.restorationFaults ?? []
        let most = planted.isEmpty ? Simulation.continuationsMax : .max
        guard options.continuesFromCuts, continuations < most, manifest.outcome != .aborted else { return }
        guard continuationRandom.chance(1, in: planted.isEmpty ? 3 : 1), let parts = try partsOnDisks(manifest) else { return }
        if planted.isEmpty, manifest.missing.isEmpty, continuationRandom.chance(1, in: 2) {
            try runOn(manifest, parts)
        } else {
            try restore(manifest, parts, planted)
        }
    }

    /// The parts as they are on the simulated disks. Nil where one has rotted, or has gone for later ones.
    private func partsOnDisks(_ manifest: SnapshotManifest) throws(Violation) -> [SnapshotPartFile]? {
        var parts: [SnapshotPartFile] = []
        for listed in manifest.parts {
            guard let part = try reportedPart(manifest.id, of: machines[Int(listed.run.node.rawValue) - 1]) else { return nil }
            parts.append(part)
        }
        return parts
    }

    // MARK: restored clusters

    private func restore(
        _ manifest: SnapshotManifest, _ parts: [SnapshotPartFile], _ planted: RestorationFaults
    ) throws(Violation) {
        let restoration: Restoration
        do throws(RestorationError) {
            restoration = try Restoration(manifest, parts, allowsMissing: true, faults: planted)
        } catch {
            throw Violation(.restoration, "nothing can be restored from snapshot \(manifest.id): \(error)")
        }
        note("snapshot \(manifest.id) is restored through entry \(restoration.index), \(restoration.reach)")
        if restoration.reach == .minority { return }
        continuations += 1
        statistics.restored += 1
        let reader = StateReader(restoration.machine)
        try judgeCut(manifest, keyValues(reader), "restored through entry \(restoration.index)")
        var beginningRandom = RandomGenerator(seed: continuationRandom.next())
        let nodes = continuationRandom.choice(of: [1, 2, 3, 5])
        let beginning = Beginning(restoration, nodes: nodes, random: &beginningRandom)
        let simulation = Simulation(continuation(nodes: nodes), from: beginning)
        try run(simulation, "was restored from snapshot \(manifest.id)")
    }

    /// What the restored state holds must fit what the clients saw: what was answered before the cut is in it, what was sent behind it is not,
    /// of the rest some may be. A strict cut is a point in real time; of another one the beginning and the end are known.
    private func judgeCut(_ manifest: SnapshotManifest, _ values: [KeyValue?], _ how: String) throws(Violation) {
        guard let marks = recordMarks[manifest.id] else { return check(false, "a cut has records") }
        for key in 0..<keys.count {
            guard let value = values[key] else {
                throw Violation(
                    .restoration,
                    "the restored cluster holds something else at \(String(decoding: keys.name(key), as: UTF8.self))")
            }
            let before = history.operations(
                on: key, sentBefore: marks.last, answeredBefore: manifest.isStrict ? marks.last : marks.first)
            let judge = KeyJudge(name: keys.name(key), use: keys.uses[key], initial: initialValues[key])
            do throws(Violation) {
                if try !judge.judge(before, final: value) { statistics.undecided += 1 }
            } catch {
                throw Violation(.restoration, "snapshot \(manifest.id), \(how): \(error)")
            }
        }
    }

    private func keyValues(_ reader: StateReader) -> [KeyValue?] { (0..<keys.count).map { reader.value(of: keys.name($0)) } }

    // MARK: clusters that run on

    private func runOn(_ manifest: SnapshotManifest, _ parts: [SnapshotPartFile]) throws(Violation) {
        var beginningRandom = RandomGenerator(seed: continuationRandom.next())
        let options = continuation(nodes: parts.count)
        let beginning: Beginning
        do throws(BeginningError) {
            beginning = try Beginning(manifest, parts, log: options.log, random: &beginningRandom)
        } catch {
            throw Violation(.restoration, "nothing can run on from snapshot \(manifest.id): \(error)")
        }
        continuations += 1
        statistics.ranOn += 1
        let simulation = Simulation(options, from: beginning)
        var values: [KeyValue?]?
        simulation.atOpening = { values = self.keyValues($0) }
        try run(simulation, "runs on from snapshot \(manifest.id)")
        guard let values else { throw Violation(.restoration, "what runs on from snapshot \(manifest.id) never began") }
        try judgeCut(manifest, values, "with its logs decided by seed \(options.seed)")
    }

    /// A short run on other ground.
    private func continuation(nodes: Int) -> RunOptions {
        var next = RunOptions(seed: continuationRandom.next() >> 1, nodeCount: nodes, duration: .milliseconds(600))
        next.registerCount = options.registerCount
        next.collections = options.collections
        next.clientCount = 3
        next.generatorCount = 1
        next.takesSnapshots = false
        next.continuesFromCuts = false
        return next
    }

    private func run(_ simulation: Simulation, _ what: String) throws(Violation) {
        if let tracer { simulation.tracer = { tracer("    \($0)") } }
        let report = simulation.run()
        trace.add(report.hash.value)
        statistics.events += report.statistics.events
        if let violation = report.violation {
            throw Violation(.restoration, "a cluster that \(what), seed \(simulation.options.seed): \(violation)")
        }
    }
}

extension History {
    /// The operations on `key` that were sent before one moment, with the outcomes that were known at another; all other outcomes are
    /// unknown. What was refused is known to have done nothing, whenever.
    func operations(on key: Int, sentBefore end: UInt64, answeredBefore known: UInt64) -> [Operation] {
        operations(on: key).filter { $0.invoked <= end }.map { operation in
            if operation.outcome == .refused || operation.returned.map({ $0 <= known }) ?? false { return operation }
            var open = operation
            open.outcome = .unknown
            open.returned = nil
            return open
        }
    }
}
