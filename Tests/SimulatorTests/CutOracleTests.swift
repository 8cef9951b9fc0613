import Base
import DistributedSnapshot
import Testing

@testable import Simulator

/// The oracle of cuts: planted bugs that it must find in whole runs, and short histories that show what it looks at.
@Suite struct CutOracleTests {
    private static func run(_ seed: UInt64, _ fault: PlantedFault?) -> RunReport {
        var options = RunOptions(seed: seed, nodeCount: 3, duration: .milliseconds(2_000), planted: fault)
        options.takesSnapshots = true
        options.snapshotInterval = .milliseconds(20)
        options.faultWeights = [(.resetLink, 2), (.resetNode, 1), (.isolateLeader, 1)]
        options.faultInterval = .milliseconds(60)
        options.faultDuration = .milliseconds(100)
        return Simulation(options).run()
    }

    /// Without the bug the same seed keeps all promises, so it is the bug that is found.
    @Test(arguments: [PlantedFault.loseMarkers, .noMarkersAtOpening, .stopRecordingEarly])
    func aPlantedFaultIsFound(fault: PlantedFault) {
        for seed in 1...8 as ClosedRange<UInt64> {
            guard let violation = CutOracleTests.run(seed, fault).violation else { continue }
            #expect(violation.kind == .cut, "\(fault.rawValue) was found as \(violation)")
            let clean = CutOracleTests.run(seed, nil)
            #expect(clean.violation == nil && clean.statistics.completeSnapshots > 3, "\(clean.summary)")
            return
        }
        Issue.record("\(fault.rawValue) was not found")
    }

    // MARK: short histories

    private let id = SnapshotID(7)

    /// Two machines, 0 and 1, with a channel from 0 to 1.
    private func pair() -> CutOracle {
        var oracle = CutOracle(machines: 3)
        oracle.opens(0, to: 1, incarnation: 1, link: 0, side: 0)
        return oracle
    }

    @Test func aReceiptInsideOfASendingOutsideIsFound() throws {
        var oracle = pair()
        try oracle.records(0, id)
        try oracle.sends(0, link: 0, side: 0, checksum: 1)
        try oracle.delivers(1, link: 0, side: 0, checksum: 1)
        #expect(throws: Violation.self) { try oracle.records(1, id) }
    }

    @Test func aReceiptInsideByWayOfAnotherNodeIsFound() throws {
        var oracle = pair()
        oracle.opens(1, to: 2, incarnation: 1, link: 1, side: 0)
        try oracle.records(0, id)
        try oracle.sends(0, link: 0, side: 0, checksum: 1)
        try oracle.delivers(1, link: 0, side: 0, checksum: 1)
        try oracle.sends(1, link: 1, side: 0, checksum: 2)
        try oracle.delivers(2, link: 1, side: 0, checksum: 2)
        #expect(throws: Violation.self) { try oracle.records(2, id) }
    }

    @Test func aFrameInFlightIsNoViolation() throws {
        var oracle = pair()
        try oracle.sends(0, link: 0, side: 0, checksum: 1)
        try oracle.records(1, id)
        try oracle.delivers(1, link: 0, side: 0, checksum: 1)
        try oracle.records(0, id)
    }

    @Test func framesArriveInTheirOrder() throws {
        var oracle = pair()
        try oracle.sends(0, link: 0, side: 0, checksum: 1)
        try oracle.sends(0, link: 0, side: 0, checksum: 2)
        #expect(throws: Violation.self) { try oracle.delivers(1, link: 0, side: 0, checksum: 2) }
    }

    @Test func nobodyRecordsTwice() throws {
        var oracle = pair()
        try oracle.records(0, id)
        #expect(throws: Violation.self) { try oracle.records(0, id) }
    }

    /// What two participants that really took part make of a history, and the manifest of it: one frame is in flight.
    private struct Cut {
        var oracle = CutOracle(machines: 2)
        var manifest: SnapshotManifest?
        let frame: [UInt8] = [9, 9, 9, 9, 5, 0, 0, 0, 9]

        /// - Parameter leak: a reply leaves node 1 between the records.
        init(leaksReply leak: Bool = false, edit: (inout SnapshotPart) -> Void = { _ in }) throws {
            let now = Now(instant: Instant(nanoseconds: 1), wall: WallTime(microseconds: 1_000_000))
            var nodes = (1...2).map {
                SnapshotParticipant(
                    options: SnapshotOptions(node: NodeID($0), incarnation: Incarnation(1)), now: now.instant)
            }
            var queues: [[[UInt8]?]] = [[], []]
            func settle(_ x: Int, deliver: Bool = true) throws {
                var asked = true
                while asked {
                    asked = false
                    for effect in nodes[x].takeEffects() {
                        asked = true
                        switch effect {
                        case .record(let id):
                            try oracle.records(x, id)
                            nodes[x].recordWritten(id, digest: 0, bytes: 0, now: now.instant)
                        case .send(_, let payload): queues[1 - x].append(payload)
                        case .partComplete(var part):
                            edit(&part)
                            oracle.makes(x, part)
                            nodes[x].partStored(part.id, now: now.instant)
                        case .finished(let manifest): self.manifest = manifest
                        default: break
                        }
                    }
                }
            }
            func deliver(to y: Int) throws {
                guard !queues[y].isEmpty else { return }
                guard let payload = queues[y].removeFirst() else {
                    try frame.withView { view in
                        _ = nodes[y].frameArrived(from: NodeID(UInt32(2 - y)), colour: .none, bytes: view)
                        try oracle.delivers(y, link: 0, side: 1 - y, checksum: 5)
                    }
                    return try settle(y)
                }
                payload.withView { nodes[y].messageArrived(from: NodeID(UInt32(2 - y)), payload: $0, now: now.instant) }
                try settle(y)
            }
            for x in 0...1 {
                oracle.opens(x, to: 1 - x, incarnation: 1, link: 0, side: x)
                nodes[x].channelOpened(NodeID(UInt32(2 - x)), incarnation: Incarnation(1), now: now.instant)
                try settle(x)
            }
            for y in 0...1 { try deliver(to: y) }
            // Node 2 sends, node 1 begins before it arrives.
            _ = nodes[1].frameSent(to: NodeID(1))
            try oracle.sends(1, link: 0, side: 1, checksum: 5)
            queues[0].append(nil)
            _ = try nodes[0].initiate(SnapshotRequest(participants: [NodeID(1), NodeID(2)]), now: now)
            try settle(0)
            if leak { oracle.replies(0) }
            for _ in 0..<8 {
                try deliver(to: 1)
                try deliver(to: 0)
            }
        }
    }

    @Test func anExactCutIsNoViolation() throws {
        var cut = try Cut()
        let manifest = try #require(cut.manifest)
        #expect(manifest.outcome == .complete && manifest.isStrict)
        try cut.oracle.concludes(manifest)
        #expect(cut.oracle.framesInFlight == 1)
    }

    @Test func aMissingFrameIsFound() throws {
        var cut = try Cut { part in part.contents = part.contents.map { _ in [] } }
        let manifest = try #require(cut.manifest)
        #expect(throws: Violation.self) { try cut.oracle.concludes(manifest) }
    }

    @Test func falseCountsAreFound() throws {
        var cut = try Cut()
        var manifest = try #require(cut.manifest)
        manifest.channels[0].delivered += 1
        #expect(throws: Violation.self) { try cut.oracle.concludes(manifest) }
    }

    @Test func aReplyBetweenTheRecordsIsFound() throws {
        var cut = try Cut(leaksReply: true)
        var manifest = try #require(cut.manifest)
        #expect(throws: Violation.self) { try cut.oracle.concludes(manifest) }
        manifest.isStrict = false
        try cut.oracle.concludes(manifest)
    }
}
