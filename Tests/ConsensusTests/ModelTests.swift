import Base
import Foundation
import Testing

@testable import Consensus

/// Random histories: nothing that Raft promises is ever broken, and whoever breaks it on purpose is found.
///
/// `CORACLE_MODEL_SEEDS=first:last swift test --filter ModelTests` runs other seeds than the usual few.
@Suite struct ModelTests {
    private var seeds: ClosedRange<UInt64> {
        let words = ProcessInfo.processInfo.environment["CORACLE_MODEL_SEEDS"]?.split(separator: ":") ?? []
        guard words.count == 2, let first = UInt64(words[0]), let last = UInt64(words[1]), first <= last else { return 1...120 }
        return first...last
    }

    @Test(arguments: [(3, false), (5, false), (3, true)])
    func randomHistoriesKeepEveryPromise(members: Int, isStormy: Bool) {
        for seed in seeds {
            let violations = ModelRun(seed: seed, plan: .init(members: members, isStormy: isStormy)).run()
            #expect(violations == [], "seed \(seed), \(members) members, stormy \(isStormy)")
            if !violations.isEmpty { return }
        }
    }

    @Test func theSameSeedGivesTheSameHistory() {
        for seed in 1...UInt64(5) {
            let one = ModelRun(seed: seed, plan: .init(members: 3))
            let other = ModelRun(seed: seed, plan: .init(members: 3))
            #expect(one.run() == other.run())
            #expect(one.trace == other.trace)
        }
    }

    @Test(
        arguments: [
            (RaftFaults.acknowledgeBeforeSync, false, ["leader completeness", "state machine safety", "log matching"]),
            (.skipVotePersistence, true, ["election safety"]),
            (.commitOlderTermByCounting, true, ["leader completeness", "state machine safety"]),
        ])
    func aPlantedFaultIsFound(fault: RaftFaults, isStormy: Bool, words: [String]) {
        for seed in 1...UInt64(1000) {
            let violations = ModelRun(seed: seed, plan: .init(members: 3, faults: fault, isStormy: isStormy)).run()
            guard let first = violations.first else { continue }
            #expect(words.contains { first.hasPrefix($0) }, "seed \(seed): \(first)")
            return
        }
        Issue.record("no seed finds fault \(fault.rawValue)")
    }
}
