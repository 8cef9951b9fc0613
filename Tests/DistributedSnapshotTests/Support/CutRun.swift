import Base

@testable import DistributedSnapshot

/// A random walk: money moves, snapshots begin anywhere at any time and overlap, links break half-way, nodes crash and come back;
/// then all heals, every snapshot must end, and one more must be complete. All of it follows from the seed.
final class CutRun {
    struct Plan {
        var nodes = 3
        var steps = 500
        var faults: SnapshotFaults = []
        /// Markers vanish from the middle of channels: no network does that, only a bug.
        var losesMarkers = false
        var crashes = true
    }

    let cluster: CutCluster
    private let plan: Plan
    private var generator: RandomGenerator
    private var weights: [UInt64]

    init(seed: UInt64, plan: Plan) {
        self.plan = plan
        var generator = RandomGenerator(seed: seed)
        let hold = Nanoseconds.milliseconds(generator.chance(1, in: 4) ? 5 : 1000)
        let channelMax: UInt64 = generator.chance(1, in: 8) ? 30 : 1 << 20
        let recordings = generator.chance(1, in: 8) ? 1 : 8
        let memory = [64, 64, 64, 1, 3][generator.index(below: 5)]
        cluster = CutCluster(plan.nodes) { options in
            options.faults = plan.faults
            options.holdMax = hold
            options.channelBytesMax = channelMax
            options.recordingsMax = recordings
            options.endedMax = memory
        }
        weights = [0]
        self.generator = generator
        let base: [UInt64] = [60, 120, 8, 3, 8, 12, plan.crashes ? 2 : 0, 6, 5, 12]
        weights = base.map { $0 * (1 + self.generator.next(below: 4)) / 2 }
        if self.generator.chance(1, in: 3) { weights[6] = 0 }
        if self.generator.chance(1, in: 3) { weights[3] = 0 }
    }

    /// What went wrong; empty when nothing did.
    func run() -> [String] {
        cluster.connectAll()
        if !generator.chance(1, in: 4) { cluster.settle() }
        for _ in 0..<plan.steps { takeStep() }
        heal()
        var found = CutOracle(cluster: cluster).violations()
        found += liveness()
        return found
    }

    private func node() -> Int { generator.index(below: plan.nodes) }

    /// Two different nodes.
    private func pair() -> (Int, Int) {
        let x = node()
        return (x, (x + 1 + generator.index(below: plan.nodes - 1)) % plan.nodes)
    }

    private func some(_ count: Int) -> Int { generator.index(below: count + 1) }

    private func takeStep() {
        cluster.step += 1
        var choice = generator.next(below: weights.reduce(0, +))
        var kind = 0
        while choice >= weights[kind] {
            choice -= weights[kind]
            kind += 1
        }
        switch kind {
        case 0:
            let (x, y) = pair()
            cluster.send(x, y, amount: 1 + generator.index(below: 9))
        case 1: deliver()
        case 2: initiate()
        case 3:
            let (x, y) = pair()
            cluster.close(x, y, keeping: some)
        case 4: notice()
        case 5:
            let (x, y) = pair()
            cluster.open(x, y)
        case 6:
            if generator.chance(1, in: 2) { cluster.crash(node(), keeping: some) }
        case 7:
            if let x = (0..<plan.nodes).first(where: { cluster.machines[$0].participant == nil }) { cluster.start(x) }
        case 8: cluster.advance(.milliseconds(1 + generator.next(below: 12)))
        default:
            let x = node()
            if generator.chance(1, in: 2) { cluster.write(x) } else { cluster.store(x) }
        }
    }

    private func deliver() {
        let channels = (0..<plan.nodes).flatMap { x in (0..<plan.nodes).map { (x, $0) } }.filter {
            cluster.canDeliver($0.0, $0.1)
        }
        if channels.isEmpty { return }
        let (x, y) = channels[generator.index(below: channels.count)]
        if plan.losesMarkers, case .message(let payload) = cluster.queues[x][y][0],
            case .marker = payload.withView({ SnapshotMessage.decode($0) }), generator.chance(1, in: 3)
        {
            cluster.queues[x][y].removeFirst()
            return
        }
        cluster.deliver(x, y)
    }

    private func initiate() {
        let x = node()
        if cluster.machines[x].participant.map({ $0.openIDs.count >= 4 }) ?? true { return }
        let isStrict = generator.chance(2, in: 3)
        let limit = 40 + generator.next(below: 200)
        cluster.initiate(x) {
            $0.isStrict = isStrict
            $0.timeLimit = .milliseconds(limit)
        }
    }

    /// The other end of a broken link notices.
    private func notice() {
        for x in 0..<plan.nodes {
            for y in 0..<plan.nodes where x != y && cluster.isClosing[x][y] && cluster.isOpen[x][y] { return cluster.close(x, y) }
        }
    }

    private func heal() {
        for x in 0..<plan.nodes where cluster.machines[x].participant == nil { cluster.start(x) }
        for _ in 0..<40 {
            for x in 0..<plan.nodes {
                for y in 0..<plan.nodes where x != y && cluster.isClosing[x][y] && cluster.isOpen[x][y] { cluster.close(x, y) }
            }
            cluster.connectAll()
            cluster.settle()
            cluster.advance(.milliseconds(20))
        }
    }

    private func liveness() -> [String] {
        var found: [String] = []
        for machine in cluster.machines {
            if let participant = machine.participant, !participant.openIDs.isEmpty || participant.holdsReplies {
                found.append("liveness: node \(machine.id) has snapshots that do not end: \(participant.openIDs)")
            }
            if machine.replies.contains(where: { $0.leftAtStep == nil }) {
                found.append("liveness: replies of node \(machine.id) never left")
            }
        }
        for one in cluster.initiated where one.incarnation == cluster.machines[one.node].incarnation {
            if !cluster.manifests.contains(where: { $0.id == one.id }) {
                found.append("liveness: snapshot \(one.id) never ended")
            }
        }
        let before = cluster.manifests.count
        cluster.initiate(node()) { $0.timeLimit = .milliseconds(500) }
        cluster.settle()
        // Where markers vanish, the last snapshot's may be the first to show it: the link is reset once more.
        if plan.losesMarkers { heal() }
        guard cluster.manifests.count == before + 1, let last = cluster.manifests.last else {
            return found + ["liveness: the last snapshot never ended"]
        }
        if last.outcome != .complete || !last.isStrict {
            found.append("liveness: the last snapshot is \(last.outcome), strict \(last.isStrict)")
        }
        return found + CutOracle(cluster: cluster).violations()
    }
}
