// kvsim: whole clusters in one thread, from one number.
//
//     swift run -c release kvsim 1 --count 1000 --jobs 2
//     swift run -c release kvsim 17 --trace
//     swift run -c release kvsim 1 --count 100 --from backup
//
// A seed decides everything: the cluster, its options, what fails when, what the clients do. Each seed prints one line; one
// that breaks a promise says which, and is replayed with its number. Seeds run in worker processes (`Workers`), so that a node
// that stops itself because an invariant does not hold is one failed seed and not the end of the run.

import ArgumentParsing
import Base
import Glibc
import Node
import Simulator

extension PlantedFault: ArgumentValue {}

/// Writes to standard error.
func complain(_ text: String) {
    var copy = text
    copy.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// What the command line asks for.
struct Request {
    var first: UInt64
    var count: UInt64
    var nodes: Int?
    var duration: Nanoseconds?
    var planted: PlantedFault?
    /// Where the cut lies that each run goes on from, and what was read there.
    var directory: String?
    var cut: CutFiles?
    var isJSON: Bool
    var jobs: Int

    /// What makes a run besides its seed, as options.
    var shape: String {
        var text = ""
        if let nodes { text += " --nodes \(nodes)" }
        if let duration { text += " --duration \(duration.rawValue / 1_000_000)" }
        if let planted { text += " --fault \(planted.rawValue)" }
        if let directory { text += " --from \(directory)" }
        return text
    }

    /// The run of one seed.
    func simulation(seed: UInt64) throws(BeginningError) -> Simulation {
        guard let cut else {
            return Simulation(RunOptions(seed: seed, nodeCount: nodes, duration: duration, planted: planted))
        }
        let options = RunOptions(seed: seed, nodeCount: cut.parts.count, duration: duration, planted: planted)
        var random = RandomGenerator(seed: seed)
        let beginning = try Beginning(cut.manifest, cut.parts, log: options.log, random: &random)
        return Simulation(options, from: beginning)
    }
}

/// Runs one seed here and prints its line.
func runOne(_ seed: UInt64, _ request: Request, trace: Bool) throws(BeginningError) -> RunReport {
    let simulation = try request.simulation(seed: seed)
    if trace { simulation.tracer = { tell($0 + "\n") } }
    let report = simulation.run()
    print(request.isJSON ? report.json : report.summary)
    return report
}

func run(_ request: Request, trace: Bool) throws(BeginningError) -> Int32 {
    if let stride = WorkerStride.fromEnvironment() { return try work(request, stride) }
    // Whatever is wrong with a cut is told once and not by every worker.
    if request.cut != nil { _ = try request.simulation(seed: request.first) }
    let outcome: Workers.Outcome
    if trace || request.count == 1 {
        let violation = try runOne(request.first, request, trace: trace).violation
        let failures = violation.map { [Failure(seed: request.first, kind: $0.kind)] } ?? []
        outcome = Workers.Outcome(seeds: 1, failures: failures)
    } else {
        outcome = Workers(request).run()
    }
    if let planted = request.planted { return judge(outcome, planted) }
    if outcome.failures.isEmpty {
        complain("kvsim: \(outcome.seeds) seeds, all good\n")
        return 0
    }
    complain("kvsim: \(outcome.failures.count) of \(outcome.seeds) seeds failed: \(kinds(outcome.failures))\n")
    for failure in outcome.failures.sorted(by: { $0.seed < $1.seed }).prefix(20) {
        complain("  again: kvsim \(failure.seed)\(request.shape) --trace\n")
    }
    return 1
}

/// Says whether a planted bug was found: by a promise that it can break, or by a node's own invariants.
func judge(_ outcome: Workers.Outcome, _ planted: PlantedFault) -> Int32 {
    let isExpected = { (failure: Failure) in failure.kind.map { planted.breaks.contains($0) } ?? true }
    let found = outcome.failures.filter(isExpected)
    let others = outcome.failures.filter { !isExpected($0) }
    if !others.isEmpty { complain("kvsim: not what \(planted.rawValue) breaks: \(kinds(others))\n") }
    guard let first = found.map(\.seed).min() else {
        complain("kvsim: \(planted.rawValue) not found by \(outcome.seeds) seeds\n")
        return 1
    }
    complain(
        "kvsim: \(planted.rawValue) found by \(found.count) of \(outcome.seeds) seeds, the first is \(first): \(kinds(found))\n")
    return others.isEmpty ? 0 : 1
}

/// Which promises were broken, and how often.
func kinds(_ failures: [Failure]) -> String {
    var counts: [String: Int] = [:]
    for failure in failures { counts[failure.kind?.rawValue ?? "invariant", default: 0] += 1 }
    return counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
}

/// Reads the cut that is asked for, and runs.
func start(_ request: Request, trace: Bool) -> Int32 {
    var request = request
    do {
        if let directory = request.directory {
            request.cut = try CutFiles(directory)
            if request.nodes != nil { return fail("--nodes can't be chosen with --from: the cut has its nodes", usageExitCode) }
        }
        return try run(request, trace: trace)
    } catch let failure as CutFiles.Failure {
        return fail(failure.text, badCutExitCode)
    } catch {
        return fail("'\(request.directory ?? "")': \(error)", badCutExitCode)
    }
}

/// A cut that can't be used (EX_DATAERR).
let badCutExitCode: Int32 = 65

func fail(_ text: String, _ code: Int32) -> Int32 {
    complain("kvsim: \(text)\n")
    return code
}

func main() -> Int32 {
    let seed = Argument<UInt64>("seed", help: "The first seed.")
    let count = Option<UInt64>("count", default: 1, help: "How many seeds to run, from the first on.")
    let nodes = Option<Int>("nodes", help: "Nodes of the cluster, instead of the seed's choice.") {
        (1...9).contains($0) ? nil : "a number from 1 to 9"
    }
    let duration = Option<UInt64>(
        "duration", placeholder: "ms", help: "How long things may fail, in simulated milliseconds, instead of the seed's choice.")
    let fault = Option<PlantedFault>("fault", help: "A bug to plant. The exit code is then 0 if it is found, and 1 if not.")
    let from = Option<String>(
        "from", placeholder: "directory",
        help: "Run on from the snapshot that 'kvctl snapshot take' left there, instead of beginning with empty disks.")
    let jobs = Option("jobs", default: 1, help: "Worker processes.") { (1...256).contains($0) ? nil : "a number from 1 to 256" }
    let trace = Flag("trace", help: "Print everything that happens, for one seed.")
    let json = Flag("json", help: "Print one JSON object for each seed.")
    let tool = ToolCommand<Int>(
        "kvsim", abstract: "Runs whole clusters in a simulated world, each from one seed, and checks what they promise.",
        discussion: "Exit codes: 0 all promises were kept, 1 some were not, 64 wrong usage, 65 a snapshot that can't be used.",
        version: "kvsim 0.1.0",
        declares: [seed, count, nodes, duration, fault, from, jobs, trace, json], action: 0)
    switch tool.parse(Array(CommandLine.arguments.dropFirst())) {
    case .message(let text):
        print(text, terminator: "")
        return 0
    case .failure(let error):
        complain(error.text)
        return usageExitCode
    case .run(_, let values):
        let request = Request(
            first: values[seed], count: max(values[count], 1), nodes: values[ifGiven: nodes],
            duration: values[ifGiven: duration].map { Nanoseconds.milliseconds($0) }, planted: values[ifGiven: fault],
            directory: values[ifGiven: from], isJSON: values[json], jobs: values[jobs])
        return start(request, trace: values[trace])
    }
}

exit(main())
