import Base
import Consensus
import DistributedSnapshot
import Node
import Storage

/// Everything that characterises a run, drawn from its seed: rare paths are armed at random, so that over many seeds every
/// combination has its turn.
package struct RunOptions: Sendable {
    package var seed: UInt64
    package var nodeCount: Int
    /// How long things may fail, in the simulation's time.
    package var duration: Nanoseconds
    /// After everything has healed, something must be answered or applied in any such time until all is.
    package var stallBound = Nanoseconds.milliseconds(8_000)
    /// After everything has healed, each step to the end takes no longer than this.
    package var phaseBound = Nanoseconds.milliseconds(240_000)

    // The machines.
    package var raft: RaftOptions
    package var log: LogOptions
    package var limits = NodeLimits()
    package var stateFiles = StateFileOptions()
    /// Clients ask for state files.
    package var asksForSaves = false
    package var disk: SimulatedDisk.Speed
    /// The node's loop stands still while its log is written.
    package var writesInline: Bool
    /// Bounds of the time that one turn of a node takes.
    package var turn: ClosedRange<Nanoseconds>
    /// Clocks drift by up to this, in parts per million.
    package var driftMax: UInt64
    /// Wall clocks differ by up to this at the start, in microseconds.
    package var wallOffsetMax: UInt64

    // The network.
    /// Bounds of a connection's usual delay, one way.
    package var delay: ClosedRange<Nanoseconds>
    /// One chunk in so many takes up to `lateFactor` times as long.
    package var lateOneIn: UInt64
    package var lateFactor: UInt64
    /// Bytes in flight in one direction of a connection.
    package var capacity: Int
    /// One chunk in so many arrives in pieces.
    package var piecesOneIn: UInt64

    // The clients.
    package var clientCount: Int
    package var thinkTime: Nanoseconds
    package var pipelineMax: Int
    package var registerCount: Int
    /// Keys of other types than strings.
    var collections: [KeySpace.Use]
    /// Clients that send commands of all families.
    package var generatorCount: Int
    /// Whether there is a client that scans what it changes.
    package var scans: Bool
    /// How long a client waits for a reply before it gives the connection up; some never do.
    package var patience: ClosedRange<Nanoseconds>

    // The faults.
    package var faultInterval: Nanoseconds
    package var faultWeights: [(kind: FaultKind, weight: UInt64)]
    /// How long a machine stays down, a partition lasts and so on, about.
    package var faultDuration: Nanoseconds
    /// A minority of disks may rot.
    package var disksRot: Bool
    /// Nodes accept or drop a late notice of what they closed themselves.
    package var reportsOwnCloses: Bool

    /// Whether snapshots are taken, one in about `snapshotInterval`, and how a node holds replies and limits recordings for them.
    package var takesSnapshots: Bool
    package var snapshotInterval: Nanoseconds
    package var snapshots: SnapshotOptions
    /// Whether other clusters go on from some of them.
    package var continuesFromCuts = true

    /// A scenario says what happens: there are no clients and phases of its own.
    var isScripted = false

    /// A bug planted on purpose.
    package var planted: PlantedFault?

    /// Draws a run. What is given is not drawn (but the draws of everything else stay the same).
    package init(seed: UInt64, nodeCount: Int? = nil, duration: Nanoseconds? = nil, planted: PlantedFault? = nil) {
        var random = Randomness(seed: seed).generator(for: .options)
        self.seed = seed
        self.planted = planted
        let drawnCount = random.choice(of: [3, 3, 3, 3, 3, 5, 5, 5, 1])
        self.nodeCount = nodeCount ?? drawnCount
        let drawnDuration = random.duration(in: .milliseconds(4_000)...Nanoseconds.milliseconds(10_000))
        self.duration = duration ?? drawnDuration
        let base = random.choice(of: [30, 100, 100, 500, 4000] as [UInt64])
        delay = .microseconds(base)...Nanoseconds.microseconds(base * 3)
        raft = RunOptions.drawRaft(&random)
        raft.faults = planted?.raftFaults ?? []
        // One entry at a time over a slow network: no follower could keep up.
        if base > 500 { raft.appendBytesMax = max(raft.appendBytesMax, 1 << 16) }
        log = LogOptions(
            segmentBytes: random.choice(of: [4, 8, 16, 64, 256]) * 4096, spareSegments: 1 + random.index(below: 2),
            recycledSegmentsMax: 2 + random.index(below: 3),
            frameBytesMax: random.choice(of: [4096, 8192, 1 << 16, 4 << 20]))
        limits.batchBytesMax = random.choice(of: [64, 1024, 1 << 20, 1 << 20])
        limits.clientProposalsMax = random.choice(of: [2, 10_000, 10_000])
        limits.proposalBytesMax = random.choice(of: [512, 64 << 20, 64 << 20])
        // A generator of its own: the draws of everything else stay what they were.
        var pieces = RandomGenerator(seed: seed ^ 0x7069_6563_6573)
        limits.pieceBytesMax = pieces.choice(of: [16, 64, 1 << 20])
        limits.proposalWindowBytes = pieces.choice(of: [200, 1000, 16 << 20])
        disk = RunOptions.drawDisk(&random)
        writesInline = random.chance(1, in: 2)
        turn = .microseconds(2)...Nanoseconds.microseconds(random.choice(of: [20, 200]))
        driftMax = random.choice(of: [0, 200, 20_000])
        wallOffsetMax = random.choice(of: [0, 5_000, 400_000])
        lateOneIn = random.choice(of: [20, 200, 1_000_000])
        lateFactor = random.choice(of: [10, 100])
        capacity = random.choice(of: [2_000, 1 << 16, 1 << 20])
        piecesOneIn = random.choice(of: [2, 8, 100])
        clientCount = random.choice(of: [3, 5, 8, 12])
        thinkTime = .milliseconds(random.choice(of: [5, 20, 60]))
        pipelineMax = random.choice(of: [1, 4, 16])
        registerCount = random.choice(of: [1, 3, 6])
        var uses: [KeySpace.Use] = [.queue, .list, .hash, .set, .sortedSet]
        random.permute(&uses)
        collections = Array(uses.prefix(1 + random.index(below: 3)))
        generatorCount = random.choice(of: [1, 1, 2])
        // A generator of its own, too.
        var scanning = RandomGenerator(seed: seed ^ 0x7363_616E_7321)
        scans = scanning.chance(1, in: 3) || planted == .hideScanned
        patience = .milliseconds(random.choice(of: [200, 1000]))...Nanoseconds.milliseconds(3_000)
        faultInterval = .milliseconds(random.choice(of: [60, 150, 400, 1_000]))
        faultDuration = .milliseconds(random.choice(of: [100, 400, 1_200]))
        faultWeights = RunOptions.drawWeights(&random)
        if faultWeights.contains(where: { $0.kind == .figure8 && $0.weight > 2 }) {
            // The plots need leaders that come and go between single entries, and clients that keep them busy.
            let quick = min(base, 500)
            delay = .microseconds(quick)...Nanoseconds.microseconds(quick * 3)
            raft.appendBytesMax = random.choice(of: [1, 1, 1, 200])
            self.duration = duration ?? .milliseconds(10_000)
            if self.nodeCount == 1 { self.nodeCount = nodeCount ?? 3 }
            thinkTime = min(thinkTime, .milliseconds(20))
            clientCount = max(clientCount, 5)
            faultInterval = min(faultInterval, .milliseconds(150))
        }
        disksRot = random.chance(1, in: 10) || planted == .trimTooFar
        reportsOwnCloses = random.chance(1, in: 2)
        if random.chance(2, in: 3) || planted?.needsStateFiles == true { stateFiles = RunOptions.drawStateFiles(&random) }
        stateFiles.faults = planted?.stateFileFaults ?? []
        asksForSaves = random.chance(1, in: 4)
        var snapshotRandom = Randomness(seed: seed).generator(for: .snapshots)
        let drawsSnapshots = snapshotRandom.chance(1, in: 2)
        let plantsInCuts = !(planted?.snapshotFaults ?? []).isEmpty || !(planted?.restorationFaults ?? []).isEmpty
        takesSnapshots = drawsSnapshots || plantsInCuts
        // Another bug is to be found where it is, and not by what follows from it elsewhere.
        continuesFromCuts = planted.map { !$0.restorationFaults.isEmpty } ?? true
        snapshotInterval = .milliseconds(snapshotRandom.choice(of: [20, 100, 400]))
        snapshots = RunOptions.drawSnapshots(&snapshotRandom)
        snapshots.faults = planted?.snapshotFaults ?? []
    }

    private static func drawSnapshots(_ random: inout RandomGenerator) -> SnapshotOptions {
        var options = SnapshotOptions(node: NodeID(1), incarnation: Incarnation(1))
        options.holdMax = .milliseconds(random.choice(of: [5, 200, 200]))
        options.channelBytesMax = random.choice(of: [2_000, 64 << 20, 64 << 20])
        options.endedMax = random.choice(of: [1, 3, 64])
        return options
    }

    /// Logs that are trimmed all the time, by files of a few chunks, encoded in the smallest steps or at once.
    private static func drawStateFiles(_ random: inout RandomGenerator) -> StateFileOptions {
        var result = StateFileOptions()
        result.logBytesMin = random.choice(of: [1 << 15, 1 << 17, 1 << 19, 1 << 20])
        result.tailBytes = random.choice(of: [0, 1 << 14, 1 << 17])
        result.busyTurnBytes = random.choice(of: [64, 1000, 16 << 10])
        result.idleTurnBytes = random.choice(of: [200, 4000, 128 << 10])
        result.busyBytesPerSecond = random.choice(of: [100_000, 1 << 20, 32 << 20])
        result.chunkBytes = random.choice(of: [4096, 8192, 1 << 16])
        result.operationsMax = random.choice(of: [1, 4])
        result.pieceBytes = random.choice(of: [4096, 16384, 1 << 18])
        result.piecesMax = random.choice(of: [1, 4])
        result.retryDelay = .milliseconds(random.choice(of: [50, 500]))
        return result
    }

    private static func drawRaft(_ random: inout RandomGenerator) -> RaftOptions {
        var raft = RaftOptions(id: NodeID(1))
        if random.chance(1, in: 3) {
            raft.electionTimeoutMin = .milliseconds(random.choice(of: [60, 120, 400]))
            raft.electionTimeoutMax = Nanoseconds(raft.electionTimeoutMin.rawValue * random.choice(of: [2, 3]))
            raft.heartbeatInterval = Nanoseconds(raft.electionTimeoutMin.rawValue / 5)
        }
        raft.inFlightMax = random.choice(of: [1, 1, 2, 8])
        raft.appendBytesMax = random.choice(of: [1, 1, 200, 4096, 1 << 20])
        raft.thrifty = random.chance(1, in: 2)
        raft.thriftyGather = random.choice(of: [2, 4, 10])
        raft.cacheBytesMax = random.choice(of: [1, 2000, 64 << 20, 64 << 20])
        raft.uncommittedBytesMax = random.choice(of: [300, 64 << 20, 64 << 20])
        return raft
    }

    private static func drawDisk(_ random: inout RandomGenerator) -> SimulatedDisk.Speed {
        let micros = random.choice(of: [20, 100, 100, 1_000, 6_000] as [UInt64])
        var speed = SimulatedDisk.Speed(
            write: .microseconds(micros / 2)...Nanoseconds.microseconds(micros * 2),
            create: .microseconds(micros)...Nanoseconds.microseconds(micros * 40),
            read: .microseconds(micros / 4)...Nanoseconds.microseconds(micros * 4))
        speed.stallsOneIn = random.choice(of: [0, 50, 500])
        return speed
    }

    /// Some runs see a little of everything, others much of one thing, and some nothing at all.
    private static func drawWeights(_ random: inout RandomGenerator) -> [(kind: FaultKind, weight: UInt64)] {
        switch random.index(below: 12) {
        case 0: return []
        case 1, 2, 3:
            var kinds = FaultKind.allCases
            random.permute(&kinds)
            return kinds.prefix(2 + random.index(below: 3)).map { ($0, 1) }
        case 4, 6:
            return [(.figure8, 5), (.doubleVote, 4), (.huntLeaders, 2), (.crashLeader, 1), (.resetLink, 1), (.isolateLeader, 1)]
        case 5:
            return [(.crashAfterReply, 4), (.crashAll, 2), (.crashNode, 1), (.slowDisk, 1)]
        default:
            return FaultKind.allCases.map { ($0, random.choice(of: [0, 1, 1, 2])) }.filter { $0.1 > 0 }
        }
    }
}
