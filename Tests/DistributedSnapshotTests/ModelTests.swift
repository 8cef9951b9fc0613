import Base
import Foundation
import Testing

@testable import DistributedSnapshot

/// Random histories: every cut is what a cut must be, and whoever breaks the algorithm on purpose is found.
///
/// `CORACLE_MODEL_SEEDS=first:last swift test --filter DistributedSnapshotTests` runs other seeds than the usual few hundred.
@Suite struct ModelTests {
    private var seeds: ClosedRange<UInt64> {
        let words = ProcessInfo.processInfo.environment["CORACLE_MODEL_SEEDS"]?.split(separator: ":") ?? []
        guard words.count == 2, let first = UInt64(words[0]), let last = UInt64(words[1]), first <= last else { return 1...200 }
        return first...last
    }

    @Test(arguments: [(3, true, false), (5, true, false), (2, true, false), (3, false, false), (4, true, true)])
    func everyCutIsConsistent(nodes: Int, crashes: Bool, losesMarkers: Bool) {
        var outcomes: [SnapshotOutcome: Int] = [:]
        var strict = 0
        var inFlight: UInt64 = 0
        var lost: UInt64 = 0
        for seed in seeds {
            let run = CutRun(seed: seed, plan: .init(nodes: nodes, losesMarkers: losesMarkers, crashes: crashes))
            let violations = run.run()
            #expect(violations == [], "seed \(seed), \(nodes) nodes")
            if !violations.isEmpty { return }
            for manifest in run.cluster.manifests {
                outcomes[manifest.outcome, default: 0] += 1
                strict += manifest.isStrict ? 1 : 0
                for channel in manifest.channels {
                    inFlight += channel.inFlight
                    lost += channel.lost ?? 0
                }
            }
        }
        // The histories are worth something.
        #expect(outcomes[.complete, default: 0] > 100)
        #expect(strict > 50 && inFlight > 100)
        if crashes { #expect(outcomes[.partial, default: 0] > 20 && lost > 10) }
    }

    @Test func theSameSeedGivesTheSameHistory() {
        for seed in 1...UInt64(5) {
            let one = CutRun(seed: seed, plan: .init())
            let other = CutRun(seed: seed, plan: .init())
            #expect(one.run() == other.run())
            #expect(one.cluster.manifests == other.cluster.manifests)
        }
    }

    @Test(
        arguments: [
            (SnapshotFaults.ignoreColours, true, ["causality"]),
            (.noMarkersAtOpening, false, ["causality"]),
            (.noMarkersAtOpening, false, ["content"]),
            (.stopRecordingEarly, false, ["content"]),
            (.anyRunTakesPart, false, ["causality", "content"]),
            // The counts in the manifest see it without an oracle, in production.
            (.ignoreColours, true, ["contradiction"]),
            (.noMarkersAtOpening, false, ["contradiction"]),
            (.stopRecordingEarly, false, ["contradiction"]),
        ])
    func aPlantedFaultIsFound(fault: SnapshotFaults, losesMarkers: Bool, words: [String]) {
        for seed in 1...UInt64(400) {
            let run = CutRun(seed: seed, plan: .init(faults: fault, losesMarkers: losesMarkers))
            let violations = run.run()
            if violations.contains(where: { violation in words.contains { violation.contains($0) } }) { return }
        }
        Issue.record("no seed finds fault \(fault.rawValue) by \(words)")
    }
}
