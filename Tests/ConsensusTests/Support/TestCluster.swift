import Base

@testable import Consensus

/// One member with its disk, and what its owner saw.
final class TestMember {
    let options: RaftOptions
    let configuration: Configuration
    var disk = TestDisk()
    /// Nil while it is down.
    var raft: Raft?
    var memory: RaftInvariants.Memory?
    /// Everything that was handed out as committed in this run.
    var applied: [Entry] = []
    var readable: [RaftEffects.ReadGrant] = []
    var failedReads: [UInt64] = []
    var becameLeader = 0
    /// The state file that the leader has for it.
    var wanted: RaftEffects.Install?

    init(options: RaftOptions, configuration: Configuration) {
        self.options = options
        self.configuration = configuration
    }
}

/// Members, their disks and the network between them; a script or a random walk decides what happens next. After each
/// step all invariants are checked.
final class TestCluster {
    var members: [TestMember] = []
    /// In flight, in the order in which they were sent.
    var network: [Message] = []
    var now = Now(instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(microseconds: 1_000_000))
    var generator: RandomGenerator
    var invariants = ClusterInvariants()
    var violations: [String] = []
    /// Pairs, ascending, between which nothing is carried.
    var cut: [[NodeID]] = []
    /// Answers loads at once, from the disk.
    var answersLoads = true
    /// Called with each drain's effects, for scripts that print them.
    var onEffects: ((TestMember, RaftEffects) -> Void)?

    init(_ configuration: Configuration, seed: UInt64 = 1, options edit: (inout RaftOptions) -> Void = { _ in }) {
        generator = RandomGenerator(seed: seed)
        for id in configuration.members {
            var options = RaftOptions(id: id)
            edit(&options)
            let member = TestMember(options: options, configuration: configuration)
            members.append(member)
        }
        for member in members { start(member) }
    }

    convenience init(_ count: Int, seed: UInt64 = 1, options edit: (inout RaftOptions) -> Void = { _ in }) {
        self.init(Configuration(voters: (1...count).map { NodeID(UInt32($0)) }), seed: seed, options: edit)
    }

    subscript(_ id: Int) -> TestMember {
        guard let member = members.first(where: { $0.options.id == NodeID(UInt32(id)) }) else { fatalError("no member \(id)") }
        return member
    }

    func raft(_ id: Int) -> Raft {
        guard let raft = self[id].raft else { fatalError("member \(id) is down") }
        return raft
    }

    var leader: TestMember? { members.first { $0.raft?.role == .leader } }

    // MARK: Steps

    func start(_ member: TestMember) {
        check(member.raft == nil, "a member is started once")
        member.applied = member.disk.state.applied
        member.wanted = nil
        let recovered = member.disk.recover()
        let raft = Raft(
            options: member.options, configuration: member.configuration, recovered: recovered, now: now,
            random: generator.next())
        member.raft = raft
        member.memory = RaftInvariants.Memory(raft)
        drain(member)
    }

    /// Stops a member; `kept` of its writes on their way reached the disk.
    func crash(_ member: TestMember, kept: Int = 0) {
        member.disk.crash(kept: kept)
        member.raft = nil
        member.memory = nil
    }

    /// Calls a member and carries out what it asks for.
    @discardableResult
    func step<Result>(_ member: TestMember, _ body: (inout Raft) -> Result) -> Result? {
        guard member.raft != nil else { return nil }
        let result = call(member, body)
        drain(member)
        return result
    }

    /// Calls a member without draining it: the turn goes on.
    func call<Result>(_ member: TestMember, _ body: (inout Raft) -> Result) -> Result? {
        guard var raft = member.raft else { return nil }
        member.raft = nil
        let result = body(&raft)
        member.raft = raft
        return result
    }

    func drain(_ member: TestMember) {
        var effects = RaftEffects()
        _ = call(member) { $0.drain(into: &effects) }
        onEffects?(member, effects)
        network += cut.isEmpty ? effects.messages : effects.messages.filter { !cut.contains([$0.from, $0.to].sorted()) }
        if let write = effects.persist { member.disk.pending.append(write) }
        if effects.becameLeader { member.becameLeader += 1 }
        member.readable += effects.readable
        member.failedReads += effects.failedReads
        if let install = effects.installs.last { member.wanted = install }
        take(effects.committed, by: member)
        inspect(member)
        if answersLoads, !effects.loads.isEmpty {
            for load in effects.loads { answer(load, from: member) }
            drain(member)
        }
    }

    private func take(_ committed: [Entry], by member: TestMember) {
        guard let last = committed.last, let raft = member.raft else { return }
        report(invariants.observe(committed: committed, by: raft))
        for entry in committed {
            if entry.index.rawValue != UInt64(member.applied.count) + 1 { report("\(member.options.id) skips to \(entry.index)") }
            member.applied.append(entry)
        }
        _ = call(member) { $0.applied(through: last.index) }
    }

    func answer(_ load: RaftEffects.Load, from member: TestMember) {
        let log = member.disk.entriesWritten
        var entries: [Entry] = []
        var bytes = 0
        for entry in log where entry.index >= load.from {
            bytes += entry.payload.count
            if !entries.isEmpty, bytes > load.bytesMax { break }
            entries.append(entry)
        }
        let now = now
        if entries.first?.index != load.from {
            _ = call(member) { $0.loadFailed(for: load.peer) }
            return
        }
        _ = call(member) { $0.loaded(for: load.peer, entries: entries, now: now) }
    }

    /// The oldest write on its way becomes durable.
    @discardableResult
    func sync(_ member: TestMember) -> Bool {
        guard let sequence = member.disk.sync() else { return false }
        let now = now
        step(member) { $0.persisted(sequence, now: now) }
        return true
    }

    /// A member writes a state file of what it has applied, and keeps `kept` entries of the log before it.
    func compact(_ member: TestMember, keeping kept: UInt64 = 0) {
        guard let raft = member.raft else { return }
        let index = min(raft.appliedIndex, raft.durableIndex)
        guard index > member.disk.state.index, let term = raft.term(at: index) else { return }
        member.disk.state = .init(index: index, term: term, applied: Array(member.applied.prefix(Int(index.rawValue))))
        let base = LogIndex(max(index.rawValue - min(kept, index.rawValue), raft.log.baseIndex.rawValue))
        guard base > raft.log.baseIndex, let baseTerm = raft.term(at: base) else { return }
        member.disk.compact(through: base, term: baseTerm, last: raft.lastSequence)
        step(member) { $0.compact(through: base) }
    }

    /// A member fetches the state file that its leader has for it and installs it.
    func install(_ member: TestMember) -> Raft.InstallOutcome? {
        guard let wanted = member.wanted, let raft = member.raft else { return nil }
        member.wanted = nil
        let source = members.first { $0.options.id == wanted.from }
        guard let source, source.raft != nil, source.disk.state.index >= wanted.index, source.disk.state.term <= raft.term else {
            step(member) { $0.installFailed(index: wanted.index) }
            return nil
        }
        let (file, before, now) = (source.disk.state, member.disk.state, now)
        let outcome = call(member) { $0.installed(index: file.index, term: file.term, now: now) }
        guard let outcome else { return nil }
        switch outcome {
        case .notNeeded: break
        case .kept, .restarted:
            check(file.index > before.index, "what is installed is newer")
            member.disk.state = file
            member.applied = file.applied
            if outcome == .kept {
                member.disk.compact(through: file.index, term: file.term, last: raft.lastSequence)
            } else {
                member.disk.restarts.append((raft.lastSequence, file.index, file.term))
            }
        }
        drain(member)
        return outcome
    }

    func tick(_ member: TestMember) {
        let now = now
        let random = generator.next()
        step(member) { $0.tick(now: now, random: random) }
    }

    func deliver(_ message: Message) {
        guard let member = members.first(where: { $0.options.id == message.to }) else { return }
        let now = now
        let random = generator.next()
        step(member) { $0.receive(message, now: now, random: random) }
    }

    func propose(_ member: TestMember, _ text: String) -> ProposeOutcome? {
        let now = now
        return step(member) { $0.propose(Array(text.utf8), now: now) }
    }

    func read(_ member: TestMember, id: UInt64) {
        let now = now
        step(member) { $0.requestRead(id: id, now: now) }
    }

    func reset(_ member: TestMember, peer: Int, isConnected: Bool) {
        let now = now
        let random = generator.next()
        step(member) { $0.peerReset(NodeID(UInt32(peer)), isConnected: isConnected, now: now, random: random) }
    }

    func advance(_ duration: Nanoseconds) {
        now.instant = now.instant + duration
        now.wall = WallTime(microseconds: now.wall.microseconds + Int64(duration.rawValue / 1000))
    }

    // MARK: Longer steps

    /// Delivers and syncs until nothing is on its way. Time stands still.
    func settle(limit: Int = 10_000) {
        var count = 0
        while count < limit {
            count += 1
            if !network.isEmpty {
                deliver(network.removeFirst())
            } else if let member = members.first(where: { $0.raft != nil && !$0.disk.pending.isEmpty }) {
                sync(member)
            } else {
                return
            }
        }
        report("the cluster does not come to rest")
    }

    /// Lets time pass in steps of 1 ms, everything being delivered and synced at once.
    func run(_ duration: Nanoseconds, until condition: () -> Bool = { false }) {
        let end = now.instant + duration
        while now.instant < end, !condition() {
            advance(.milliseconds(1))
            for member in members {
                if let raft = member.raft, raft.nextDeadline <= now.instant { tick(member) }
                if member.wanted != nil { _ = install(member) }
            }
            settle()
        }
    }

    /// Makes `id` campaign now: its timer is set to this moment. Its own lease and that of others stay as they are.
    func campaign(_ id: Int) {
        let member = self[id]
        _ = call(member) { $0.electionDeadline = $0.clock }
        tick(member)
    }

    /// A cluster that `id` leads, with everything settled.
    func elect(_ id: Int) {
        advance(.milliseconds(600))
        campaign(id)
        settle()
        check(raft(id).canServe, "the member was elected")
    }

    // MARK: Invariants

    func report(_ violation: String?) {
        if let violation, violations.count < 5 { violations.append(violation) }
    }

    private func inspect(_ member: TestMember) {
        guard let raft = member.raft, let memory = member.memory else { return }
        if raft.options.faults.isEmpty {
            report(RaftInvariants.violation(of: raft).map { "\(member.options.id): \($0)" })
            report(RaftInvariants.violation(from: memory, to: raft).map { "\(member.options.id): \($0)" })
        }
        member.memory = RaftInvariants.Memory(raft)
        report(invariants.observe(raft))
    }

    func checkLogMatching() {
        let rafts = members.compactMap(\.raft)
        for (position, a) in rafts.enumerated() {
            for b in rafts.dropFirst(position + 1) { report(ClusterInvariants.logMatchingViolation(a, b)) }
        }
    }
}
