import Base
import Consensus
import Node
import Testing

@testable import Simulator

@Suite struct SimulationTests {
    private static func run(_ options: RunOptions) -> RunReport { Simulation(options).run() }

    private static func options(_ seed: UInt64, planted: PlantedFault? = nil) -> RunOptions {
        RunOptions(seed: seed, duration: .milliseconds(1_500), planted: planted)
    }

    // Seeds whose histories the linearizability checker decides within its steps: of 3 in 100 it leaves a key undecided (6 is one).
    @Test(arguments: [1, 2, 3, 4, 5, 7] as [UInt64])
    func aSeedKeepsAllPromises(seed: UInt64) {
        let report = SimulationTests.run(SimulationTests.options(seed))
        #expect(report.violation == nil, "\(report.summary)")
        #expect(report.statistics.acknowledged > 0 && report.statistics.elections > 0)
        #expect(report.statistics.undecided == 0)
    }

    @Test func theSameSeedDoesTheSameTwice() {
        for seed in [21, 22] as [UInt64] {
            var lines: [[String]] = [[], []]
            let reports = (0...1).map { turn in
                let simulation = Simulation(SimulationTests.options(seed))
                simulation.tracer = { lines[turn].append($0) }
                return simulation.run()
            }
            #expect(reports[0].hash == reports[1].hash)
            #expect(reports[0].statistics == reports[1].statistics)
            #expect(lines[0] == lines[1])
        }
    }

    @Test func differentSeedsDoDifferentThings() {
        let hashes = Set((1...4).map { SimulationTests.run(SimulationTests.options(UInt64($0))).hash.value })
        #expect(hashes.count == 4)
    }

    /// Forged disks stop a node by its own checks, and the tests with it: `kvsim --fault forgetWrites` runs those.
    private static let worldFaults: [PlantedFault] = [
        .secondLeader, .otherState, .dropConnection, .swapReplies, .staleRead, .executeTwice, .loseReply, .deafNode,
        .expireEarly, .strayWrite, .hideScanned,
    ]

    @Test(arguments: worldFaults)
    func aPlantedFaultIsFound(fault: PlantedFault) {
        for seed in 1...20 as ClosedRange<UInt64> {
            guard let violation = SimulationTests.run(SimulationTests.options(seed, planted: fault)).violation else { continue }
            #expect(fault.breaks.contains(violation.kind), "\(fault.rawValue) was found as \(violation)")
            return
        }
        Issue.record("\(fault.rawValue) was not found")
    }

    /// Runs seeds of a world in which mostly one thing fails until a bug in consensus breaks a promise. The same seed without the bug
    /// breaks none.
    private func expectFound(_ fault: PlantedFault, seeds: ClosedRange<UInt64>, _ shape: (inout RunOptions) -> Void) {
        func run(_ seed: UInt64, _ planted: PlantedFault?) -> RunReport {
            var options = RunOptions(seed: seed, nodeCount: 3, duration: .milliseconds(4_000), planted: planted)
            options.thinkTime = .milliseconds(20)
            options.delay = .microseconds(100)...Nanoseconds.microseconds(300)
            options.raft.uncommittedBytesMax = 64 << 20
            options.limits.proposalBytesMax = 64 << 20
            options.limits.pieceBytesMax = 1 << 20
            options.limits.proposalWindowBytes = 16 << 20
            options.stateFiles = StateFileOptions()
            options.asksForSaves = false
            options.takesSnapshots = false
            options.scans = false
            shape(&options)
            return SimulationTests.run(options)
        }
        for seed in seeds {
            guard let violation = run(seed, fault).violation else { continue }
            #expect(fault.breaks.contains(violation.kind), "\(fault.rawValue) was found as \(violation)")
            let clean = run(seed, nil)
            #expect(clean.violation == nil, "\(clean.summary)")
            return
        }
        Issue.record("\(fault.rawValue) was not found")
    }

    @Test(arguments: [PlantedFault.trimTooFar, .unsyncedStateFiles, .keepUnknown])
    func aPlantedFaultOfStateFilesIsFound(fault: PlantedFault) {
        expectFound(fault, seeds: 1...20) { options in
            options.stateFiles.logBytesMin = 1 << 15
            options.stateFiles.tailBytes = 0
            options.stateFiles.chunkBytes = 4096
            options.stateFiles.faults = options.planted?.stateFileFaults ?? []
            options.log.segmentBytes = 8 * 4096
            options.faultWeights = fault == .keepUnknown ? [(.isolateNode, 1)] : [(.crashNode, 1)]
            options.faultInterval = .milliseconds(200)
            options.faultDuration = .milliseconds(fault == .keepUnknown ? 800 : 100)
            options.disksRot = true
        }
    }

    @Test func acknowledgingBeforeTheSyncIsFound() {
        expectFound(.acknowledgeBeforeSync, seeds: 1...4) { options in
            options.faultWeights = [(.crashAfterReply, 1)]
            options.faultInterval = .milliseconds(300)
            options.faultDuration = .milliseconds(100)
            options.disk.write = .microseconds(2_000)...Nanoseconds.microseconds(4_000)
            options.writesInline = false
        }
    }

    @Test func committingAnOlderTermByCountingIsFound() {
        expectFound(.commitOlderTermByCounting, seeds: 1...12) { options in
            options.faultWeights = [(.figure8, 1)]
            options.raft.appendBytesMax = 1
            options.faultInterval = .milliseconds(100)
        }
    }

    @Test func forgettingAVoteIsFound() {
        expectFound(.skipVotePersistence, seeds: 1...40) { options in
            options.faultWeights = [(.doubleVote, 1)]
            options.faultInterval = .milliseconds(100)
        }
    }
}
