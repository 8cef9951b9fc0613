import Base
import Consensus
import DistributedSnapshot
import Node
import Storage

/// One run of one seed: a cluster of whole nodes in a simulated world, its clients, its misfortunes and its checkers.
///
/// Everything happens in `run`, one event after the other. The topics are in files of their own: machines and turns,
/// observation, network, clients, faults, phases.
package final class Simulation {
    package let options: RunOptions
    /// Gets a line for each event when set.
    package var tracer: ((String) -> Void)?

    let randomness: Randomness
    var queue = EventQueue<Event>()
    /// The simulation's time.
    var time = Instant(nanoseconds: 1_000_000_000)
    var trace: TraceHash
    var statistics = RunStatistics()

    // The world.
    var machines: [Machine] = []
    var links: [Link?] = []
    var networkRandom: RandomGenerator
    /// Whether what row sends does not reach column.
    var blocked: [[Bool]]
    /// Number of the present partition.
    var partition: UInt64 = 0
    /// Multiplies delays between nodes.
    var networkSlowness: UInt64 = 1

    // Clients and what they saw.
    var clients: [Client] = []
    var history = History()
    var expiries = ExpiryRecord()
    /// What the client that scans knows, in runs that have one.
    var scan: ScanRecord?
    var keys: KeySpace
    var connectionCount = 0

    // What came before the run, if anything did.
    let beginning: Beginning?
    /// What is left of it is not decided yet: the clients wait.
    var isOpening: Bool
    /// Who looks at the state when that is decided.
    var atOpening: ((StateReader) -> Void)?
    /// What each key holds when the clients begin.
    var initialValues: [KeyValue]
    /// Keys with a deadline that the run begins with; nobody knows how long they live.
    var inheritedDeadlines = 0

    // Clusters that go on from this run's snapshots (`Simulation+Continuations`).
    var continuationRandom: RandomGenerator
    var continuations = 0
    var recordMarks: [SnapshotID: (first: UInt64, last: UInt64)] = [:]

    // Faults.
    var faultRandom: RandomGenerator
    var hunt: Hunt?
    var plot: Plot?
    var crashesAtNextReply = 0
    /// The furthest ahead that any wall clock ever was, in microseconds.
    var latestWallOffset: Int64 = 0
    var sabotageState = SabotageState()

    // Checkers.
    var elections = ElectionSafety()
    var committed = CommittedLog()
    var digests = StateDigests()
    var cuts: CutOracle
    var partsStored = 0
    /// The snapshot that was taken when nothing failed any more.
    var lastSnapshot: SnapshotID?
    /// How many were taken then, and when the last one was asked for.
    var lastSnapshots = 0
    var lastSnapshotAt = Instant(nanoseconds: 0)

    // Phases.
    var phase = Phase.safety
    var phaseBegan = Instant(nanoseconds: 0)
    /// Answers given and entries applied, and when that grew last.
    var progress: UInt64 = 0
    var progressedAt = Instant(nanoseconds: 0)
    var endOfSafety: Instant

    /// Sets up the run that `options` describe.
    ///
    /// - Parameter beginning: what the nodes find on their disks; by default nothing.
    package init(_ options: RunOptions, from beginning: Beginning? = nil) {
        check(beginning.map { $0.nodeCount == options.nodeCount } ?? true, "a run has the nodes that it begins with")
        self.options = options
        self.beginning = beginning
        isOpening = beginning != nil
        randomness = Randomness(seed: options.seed)
        trace = TraceHash(seed: options.seed)
        networkRandom = randomness.generator(for: .network)
        faultRandom = randomness.generator(for: .faults)
        blocked = [[Bool]](repeating: [Bool](repeating: false, count: options.nodeCount), count: options.nodeCount)
        keys = KeySpace(registers: options.registerCount, collections: options.collections)
        initialValues = [KeyValue](repeating: .absent, count: keys.count)
        continuationRandom = randomness.generator(for: .snapshots, of: 1)
        endOfSafety = time + options.duration
        cuts = CutOracle(machines: options.nodeCount)
        if let beginning { take(beginning) }
        buildMachines()
        if !options.isScripted { buildClients() }
    }

    /// Lets the run happen.
    package func run() -> RunReport {
        var violation: Violation?
        do throws(Violation) {
            try begin()
            while phase != .over { try step() }
            try checkHistory()
        } catch {
            violation = error
            note("violation: \(error)")
            for machine in machines { note(describe(machine)) }
        }
        for machine in machines { trace.add(machine.disk.trace.value) }
        return RunReport(
            seed: options.seed, nodeCount: options.nodeCount, hash: trace, violation: violation, endedAt: time,
            statistics: finalStatistics())
    }

    /// Sets everything going.
    func begin() throws(Violation) {
        note("\(options)")
        for machine in machines { try start(machine) }
        for client in clients { schedule(client, after: client.random.duration(in: Nanoseconds(0)...options.thinkTime)) }
        if options.isScripted { return }
        if !options.faultWeights.isEmpty { queue.schedule(.fault, at: time + options.faultInterval) }
        queue.schedule(.phase, at: endOfSafety)
    }

    /// Lets the next event happen.
    func step() throws(Violation) {
        guard let next = queue.next() else { return check(false, "something is always about to happen") }
        check(next.time >= time, "time does not go back")
        time = next.time
        statistics.events += 1
        trace.add(time.nanoseconds)
        try happen(next.event)
    }

    private func happen(_ event: Event) throws(Violation) {
        switch event {
        case .turn(let machine): try turn(machines[machine])
        case .wake(let machine, let run): wake(machines[machine], run: run)
        case .disk(let machine, let run, let number): try diskDone(machines[machine], run: run, number: number)
        case .arrive(let link, let side): try arrive(link, side: side)
        case .dialled(let from, let run, let to): dialled(from: machines[from], run: run, to: machines[to])
        case .broken(let link, let side): try noticeEnd(link, side: side)
        case .reset(let link): if let link = links[link] { reset(link) }
        case .client(let client, let epoch): try clientTimer(clients[client], epoch: epoch)
        case .clientDialled(let client, let epoch, let machine):
            clientDialled(clients[client], epoch: epoch, machine: machines[machine])
        case .restart(let machine, let run):
            if machines[machine].run == run && !machines[machine].isUp { try start(machines[machine]) }
        case .fault: try strikeNext()
        case .heal(let partition): if partition == self.partition { healPartition() }
        case .diskRecovers(let machine): recoverDisk(machines[machine])
        case .diskHasRoom(let machine): machines[machine].disk.capacity = .max
        case .networkRecovers: networkSlowness = 1
        case .readerRecovers(let link): release(link)
        case .strike(let machine, let run):
            if phase == .safety && machines[machine].run == run { try strike(machines[machine]) }
        case .sever(let machine, let run): if machines[machine].run == run { try endReign(machines[machine]) }
        case .phase: try advancePhase()
        }
    }

    /// A node's state in a line.
    private func describe(_ machine: Machine) -> String {
        guard let raft = machine.node?.raft else { return "node \(machine.id) is down" }
        var text =
            "node \(machine.id), run \(machine.run): \(raft.role), term \(raft.term), leader \(raft.leader?.rawValue ?? 0), "
        text += "log through \(raft.lastIndex), durable \(raft.durableIndex), committed \(raft.commitIndex), "
        text += "applied \(raft.appliedIndex), cached from \(raft.firstCachedIndex)"
        for peer in raft.peers { text += "; \(peer)" }
        return text
    }

    /// A line of the trace.
    func note(_ line: @autoclosure () -> String) {
        if let tracer { tracer("\(seconds(time)) \(line())") }
    }
}
