import Base
import Differential
import Glibc

/// What a worker process is told by its parent, in the environment.
struct Assignment {
    static let variable = "KVDIFF_WORKER"
    /// Runs every `step`th sequence from `next` on, below `end`.
    var next: Int
    var step: Int
    var end: Int
    var peer: Address
    var nodes: [Address]
    /// Only these steps of the sequence, to find out which of them stop the process; empty: all.
    var kept: [Int] = []

    init(next: Int, step: Int, end: Int, peer: Address, nodes: [Address]) {
        self.next = next
        self.step = step
        self.end = end
        self.peer = peer
        self.nodes = nodes
    }

    static func fromEnvironment() -> Assignment? {
        guard let text = getenv(variable) else { return nil }
        let fields = String(cString: text).split(separator: ";", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 6, let next = Int(fields[0]), let step = Int(fields[1]), let end = Int(fields[2]),
            let peer = Address(fields[3])
        else { return nil }
        let nodes = fields[4].split(separator: ",").compactMap { Address(String($0)) }
        var assignment = Assignment(next: next, step: max(step, 1), end: end, peer: peer, nodes: nodes)
        assignment.kept = fields[5].split(separator: ",").compactMap { Int($0) }
        return assignment
    }

    var text: String {
        "\(Assignment.variable)=\(next);\(step);\(end);\(peer.text);\(nodes.map(\.text).joined(separator: ","));"
            + kept.map(String.init).joined(separator: ",")
    }
}

/// Runs a worker's sequences and tells the parent, a line each: "=N" a sequence begins, "!…" a line of a report, "F" it failed,
/// "C name number" a figure, "E…" the worker can't go on.
struct Worker {
    private let request: Request
    private let assignment: Assignment
    private let run: PairRun
    private let coracle: any Subject
    private var figures: [String: Int] = [:]

    init(_ request: Request, _ assignment: Assignment) throws(SubjectError) {
        self.request = request
        self.assignment = assignment
        if assignment.nodes.isEmpty {
            coracle = DirectSubject(clock: { wallTime() })
        } else {
            coracle = try RemoteSubject(assignment.nodes, isPeer: false)
        }
        let peer = try RemoteSubject([assignment.peer], isPeer: true)
        // Fields of hashes count in HLEN until Redis removes them.
        if request.options.includesFieldDeadlines { peer.pauseMicroseconds = 30_000 }
        run = PairRun(coracle: coracle, peer: peer)
        if request.isPlanted { run.plant = Plant.lengths }
    }

    static func main(_ request: Request, _ assignment: Assignment) -> Int32 {
        do throws(SubjectError) {
            var worker = try Worker(request, assignment)
            try worker.work()
        } catch {
            tell("E\(error.text)\n")
            return 1
        }
        return 0
    }

    private mutating func work() throws(SubjectError) {
        var number = assignment.next
        while number < assignment.end {
            tell("=\(number)\n")
            var sequence = CommandSequence(request.options, number: number)
            if !assignment.kept.isEmpty { sequence.steps = assignment.kept.map { sequence.steps[$0] } }
            try work(sequence)
            // At once: a later sequence may stop the process.
            for (name, count) in figures.sorted(by: { $0.key < $1.key }) { tell("C \(name) \(count)\n") }
            figures = [:]
            number += assignment.step
        }
    }

    private mutating func work(_ sequence: CommandSequence) throws(SubjectError) {
        let outcome = try run.run(sequence)
        figures["commands", default: 0] += outcome.compared
        if outcome.endedEarly { figures["ended early", default: 0] += 1 }
        for (name, count) in outcome.differences { figures["difference " + name, default: 0] += count }
        if let mismatch = outcome.mismatch { return report(sequence, mismatch) }
        (coracle as? DirectSubject)?.checkInvariants()
        guard let cluster = coracle as? RemoteSubject else { return }
        var digests = try cluster.digests()
        var attempts = 1
        // A deadline may have passed on one node and not yet on another when they were asked; soon all are at one entry again.
        while attempts < 100, digests.contains(where: { $0.digest != digests[0].digest }) {
            digests = try cluster.digests()
            attempts += 1
        }
        if digests.contains(where: { $0.digest != digests[0].digest }) {
            let lines = digests.map { "  \($0.name) \($0.digest)" }
            tell("!sequence \(sequence.number) of seed \(request.options.seed): the replicas' digests differ\n")
            for line in lines + ["  again: " + request.again(sequence.number)] { tell("!\(line)\n") }
            tell("F\n")
        }
    }

    /// Shrinks a sequence and tells what is left of it.
    private func report(_ sequence: CommandSequence, _ mismatch: Mismatch) {
        var shrinker = Shrinker(budget: request.mode == .direct ? 3000 : 300) { [run] in (try? run.run($0))?.mismatch }
        let (short, found) = shrinker.shrink(sequence, mismatch)
        let report = MismatchReport(
            title: "sequence \(sequence.number) of seed \(request.options.seed)", original: sequence, shortest: short,
            mismatch: found)
        for line in report.lines + ["  again: " + request.again(sequence.number)] { tell("!\(line)\n") }
        tell("F\n")
    }
}

/// The clock of the machine.
func wallTime() -> WallTime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return WallTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
}
