import Base

@testable import Consensus

/// A random walk of a cluster over a network that loses, repeats and reorders, with slow disks, crashes, partitions and
/// resets; then everything heals and must come to agree. All of it follows from the seed.
final class ModelRun {
    struct Plan {
        var members = 3
        var steps = 1200
        var faults: RaftFaults = []
        /// One entry a frame, and one leader after the other falls: where older terms stay uncommitted for long.
        var isStormy = false
    }

    let cluster: TestCluster
    private let plan: Plan
    private var generator: RandomGenerator
    /// Pairs whose messages are lost, from first to second.
    private var blocked: [(NodeID, NodeID)] = []
    /// For each open read: what was committed when it began.
    private var openReads: [(id: UInt64, owner: NodeID, floor: LogIndex)] = []
    private var nextRead: UInt64 = 1
    private var nextValue = 0
    /// How often each kind of step is taken in this run, drawn from the seed: so each run has a character.
    private var weights: [UInt64] = []
    private var answered = 0
    /// Logs that began anew behind a state file.
    private(set) var restarts = 0
    /// Time runs fast against messages and disks: one election follows the other.
    private var isHasty = false
    private var struckLeaderships = 0
    private var struckCommit = LogIndex.zero

    init(seed: UInt64, plan: Plan) {
        self.plan = plan
        var generator = RandomGenerator(seed: seed)
        let ids = (1...plan.members).map { NodeID(UInt32($0)) }
        var configuration = Configuration(voters: ids)
        if plan.faults.isEmpty, generator.chance(1, in: 6) {
            // Half-way between two sets of voters, with a learner.
            configuration = Configuration(
                voters: Array(ids.prefix(plan.members - 1)), outgoing: Array(ids.dropFirst().prefix(plan.members - 1)),
                learners: [NodeID(UInt32(plan.members + 1))])
        }
        let thrifty = generator.chance(1, in: 2)
        let window = Int(generator.next(below: 3)) + 1
        let frame = plan.isStormy ? 1 : [1, 6, 1 << 20][generator.index(below: 3)]
        let cache = generator.chance(1, in: 2) ? 300 : 64 << 20
        cluster = TestCluster(configuration, seed: generator.next()) { options in
            options.thrifty = thrifty
            options.inFlightMax = window
            options.appendBytesMax = frame
            options.cacheBytesMax = cache
            options.faults = plan.faults
        }
        self.generator = generator
        drawWeights()
    }

    private enum Kind: Int, CaseIterable {
        case deliver, duplicate, lose, sync, time, propose, read, crash, restart, partition, heal, reset, transfer, flush
        case compact, install
    }

    private func drawWeights() {
        let base: [UInt64] = [120, 6, 6, 40, 30, 20, 6, 2, 8, 2, 3, 2, 1, 4, 8, 12]
        weights = base.map { $0 * (1 + generator.next(below: 4)) / 2 }
        weights[Kind.deliver.rawValue] = 120
        weights[Kind.time.rawValue] = max(weights[Kind.time.rawValue], 15)
        if !plan.faults.isEmpty || generator.chance(1, in: 3) { weights[Kind.compact.rawValue] = 0 }
        if generator.chance(1, in: 3) { weights[Kind.lose.rawValue] = 0 }
        isHasty = plan.isStormy || generator.chance(1, in: 2)
        if isHasty { weights[Kind.crash.rawValue] += 4 }
        if plan.isStormy {
            weights[Kind.crash.rawValue] += 8
            weights[Kind.restart.rawValue] += 8
            weights[Kind.sync.rawValue] += 60
        }
    }

    /// What went wrong, in words; empty when nothing did.
    func run() -> [String] {
        for _ in 0..<plan.steps {
            takeStep()
            if !cluster.violations.isEmpty { return cluster.violations }
        }
        cluster.checkLogMatching()
        if plan.faults.isEmpty { heal() }
        return cluster.violations
    }

    /// The whole state in one number: the same seed must give the same.
    var trace: UInt64 {
        var result: UInt64 = 0
        for member in cluster.members {
            result = fold(result ^ UInt64(member.applied.count), 0x9E37_79B9_7F4A_7C15)
            result = fold(result ^ (member.raft?.term.rawValue ?? 0), 0xA076_1D64_78BD_642F)
        }
        return result ^ UInt64(answered) ^ cluster.now.instant.nanoseconds
    }

    // MARK: Steps

    private func takeStep() {
        var choice = generator.next(below: weights.reduce(0, +))
        var kind = Kind.deliver
        for candidate in Kind.allCases {
            if choice < weights[candidate.rawValue] {
                kind = candidate
                break
            }
            choice -= weights[candidate.rawValue]
        }
        let member = cluster.members[generator.index(below: cluster.members.count)]
        switch kind {
        case .deliver: deliver(keep: false)
        case .duplicate: deliver(keep: true)
        case .lose: if !cluster.network.isEmpty { cluster.network.remove(at: generator.index(below: cluster.network.count)) }
        case .sync: if member.raft != nil { cluster.sync(member) }
        case .time: passTime()
        case .propose: propose(member)
        case .read: read(member)
        case .crash: crash(generator.chance(1, in: 2) ? cluster.leader ?? member : member)
        case .restart: if member.raft == nil { cluster.start(member) }
        case .partition: partition()
        case .heal: blocked.removeAll()
        case .reset: reset(member)
        case .transfer: transfer(member)
        case .flush: cluster.network.removeAll { isBlocked($0) }
        case .compact: cluster.compact(member, keeping: generator.chance(1, in: 2) ? 0 : generator.next(below: 20))
        case .install: if cluster.install(member) == .restarted { restarts += 1 }
        }
        collectReads()
        if plan.isStormy { strike() }
    }

    /// Storms strike leaders at their weakest: when their first entry is on their own disk alone, and when something was
    /// committed that nobody else knows of (paper, Figure 8).
    private func strike() {
        let leaderships = cluster.members.reduce(0) { $0 + $1.becameLeader }
        let committed = cluster.invariants.lastIndex
        defer {
            struckLeaderships = leaderships
            struckCommit = committed
        }
        guard let leader = cluster.leader, leaderships > struckLeaderships || committed > struckCommit,
            generator.chance(1, in: 2)
        else { return }
        if leaderships > struckLeaderships {
            for number in 0..<generator.next(below: 3) { _ = cluster.propose(leader, "s\(number)") }
        }
        cluster.network.removeAll { $0.from == leader.options.id }
        openReads.removeAll { $0.owner == leader.options.id }
        leader.readable.removeAll()
        leader.failedReads.removeAll()
        cluster.crash(leader, kept: leader.disk.pending.count)
    }

    private func isBlocked(_ message: Message) -> Bool {
        blocked.contains { $0.0 == message.from && $0.1 == message.to }
    }

    private func deliver(keep: Bool) {
        guard !cluster.network.isEmpty else { return passTime() }
        // Mostly in order, sometimes not.
        let count = cluster.network.count
        let position = generator.chance(2, in: 3) ? 0 : generator.index(below: count)
        let message = cluster.network[position]
        if !keep { cluster.network.remove(at: position) }
        if !isBlocked(message) { cluster.deliver(message) }
        if cluster.network.count > 400 { cluster.network.removeFirst(200) }
    }

    private func passTime() {
        cluster.advance(Nanoseconds(generator.next(below: generator.chance(1, in: isHasty ? 2 : 8) ? 150_000_000 : 3_000_000)))
        for member in cluster.members where generator.chance(7, in: 8) {
            if let raft = member.raft, raft.nextDeadline <= cluster.now.instant { cluster.tick(member) }
        }
    }

    private func propose(_ member: TestMember) {
        for _ in 0...generator.next(below: 4) {
            nextValue += 1
            _ = cluster.propose(generator.chance(1, in: 2) ? member : cluster.leader ?? member, "v\(nextValue)")
        }
        let peer = cluster.members[generator.index(below: cluster.members.count)].options.id
        cluster.step(member) { $0.announceCommit(to: peer) }
    }

    private func crash(_ member: TestMember) {
        guard member.raft != nil else { return }
        openReads.removeAll { $0.owner == member.options.id }
        member.readable.removeAll()
        member.failedReads.removeAll()
        cluster.crash(member, kept: generator.index(below: member.disk.pending.count + 1))
        if generator.chance(1, in: 2) { cluster.start(member) }
    }

    private func partition() {
        let ids = cluster.members.map(\.options.id)
        var side = ids.filter { _ in generator.chance(1, in: 2) }
        if generator.chance(1, in: 2), let leader = cluster.leader { side = [leader.options.id] }
        let isOneWay = generator.chance(1, in: 3)
        for one in ids where side.contains(one) {
            for other in ids where !side.contains(other) {
                blocked.append((one, other))
                if !isOneWay { blocked.append((other, one)) }
            }
        }
    }

    private func reset(_ member: TestMember) {
        let peer = Int(cluster.members[generator.index(below: cluster.members.count)].options.id.rawValue)
        cluster.reset(member, peer: peer, isConnected: generator.chance(1, in: 2))
    }

    private func transfer(_ member: TestMember) {
        let now = cluster.now
        cluster.step(cluster.leader ?? member) { $0.transferLeadership(to: nil, now: now) }
    }

    // MARK: Reads

    /// A linearizable read sees everything that anybody saw committed before it began.
    private func read(_ member: TestMember) {
        guard member.raft != nil else { return }
        openReads.append((nextRead, member.options.id, cluster.invariants.lastIndex))
        cluster.read(member, id: nextRead)
        nextRead += 1
    }

    private func collectReads() {
        for member in cluster.members {
            for grant in member.readable {
                guard let open = closeRead(grant.id, of: member) else { continue }
                if grant.index < open.floor {
                    cluster.report("stale read: \(grant.index) granted, \(open.floor) was committed before it began")
                }
                answered += 1
            }
            for id in member.failedReads { _ = closeRead(id, of: member) }
            member.readable.removeAll()
            member.failedReads.removeAll()
        }
    }

    private func closeRead(_ id: UInt64, of member: TestMember) -> (id: UInt64, owner: NodeID, floor: LogIndex)? {
        guard let position = openReads.firstIndex(where: { $0.id == id && $0.owner == member.options.id }) else {
            cluster.report("read \(id) of \(member.options.id) was answered twice or never asked")
            return nil
        }
        return openReads.remove(at: position)
    }

    // MARK: Liveness

    /// All members run, nothing is lost any more: a leader comes, and all agree on all that was committed.
    private func heal() {
        blocked.removeAll()
        cluster.network.removeAll()
        for member in cluster.members {
            if member.raft == nil { cluster.start(member) }
            for peer in cluster.members where peer.options.id != member.options.id {
                cluster.reset(member, peer: Int(peer.options.id.rawValue), isConnected: true)
            }
        }
        cluster.run(.milliseconds(5000)) { isLed }
        guard let leader = cluster.leader else { return cluster.report("no leader after everything healed") }
        let committed = cluster.invariants.lastIndex
        for number in 0..<3 {
            guard case .appended = cluster.propose(leader, "last\(number)") else {
                return cluster.report("the leader does not take proposals after everything healed")
            }
        }
        cluster.read(leader, id: nextRead)
        openReads.append((nextRead, leader.options.id, committed))
        cluster.run(.milliseconds(2000)) { isSettled(after: committed) }
        collectReads()
        if !isSettled(after: committed) { cluster.report("members do not catch up after everything healed") }
        if openReads.contains(where: { $0.id == nextRead }) { cluster.report("a read is not answered after everything healed") }
        cluster.checkLogMatching()
    }

    /// One leader that all follow, and no campaign under way.
    private var isLed: Bool {
        guard let leader = cluster.leader?.raft, leader.canServe else { return false }
        return cluster.members.allSatisfy { $0.raft?.leader == leader.options.id && $0.raft?.term == leader.term }
    }

    private func isSettled(after index: LogIndex) -> Bool {
        cluster.members.allSatisfy {
            UInt64($0.applied.count) >= index.rawValue + 3 && $0.raft?.durableIndex == cluster.leader?.raft?.lastIndex
        }
    }
}
