// kvdiff: Coracle held against a real Redis, reply by reply.
//
//     swift run -c release kvdiff --sequences 1000 --jobs 2
//     swift run -c release kvdiff --mode cluster --sequences 20
//     swift run -c release kvdiff --seed 1 --first 17 --sequences 1
//
// A seed and a number make a sequence of commands. Both sides carry it out, every reply is compared, and a sequence that shows a
// difference is made as short as possible and printed as lines for redis-cli. What may differ, and why, is in
// docs/reference/differences.md.

import ArgumentParsing
import Base
import Database
import Differential
import Glibc

/// Sequences of one run at most; a bound for sums, not for patience.
let sequencesMax = 1_000_000_000

/// Prints the state's digest and a hash of all replies after each sequence: the same in every process, whatever its environment.
func printDigests(_ request: Request) -> Int32 {
    // What the environment says of languages and numbers is to have its effect, if it has any.
    setlocale(LC_ALL, "")
    let subject = DirectSubject()
    var options = request.options
    options.includesOwn = true
    for number in request.first..<(request.first + request.sequences) {
        let sequence = CommandSequence(options, number: number)
        var replies: UInt64 = 0
        do throws(SubjectError) {
            try subject.begin(sequence)
            for step in sequence.steps {
                for reply in try subject.run([step]) { replies = reply.withView { hash($0, seed: replies) } }
                if step.pauses { try subject.pause() }
            }
            // What a set of the standard library holds stands in another order in every process.
            let planted = Set((0..<8).map { "member\($0)" }).joined(separator: " ")
            if request.isPlanted { _ = try subject.run([Step("rpush planted " + planted)]) }
        } catch {
            complain("kvdiff: \(error.text)\n")
            return 1
        }
        print("\(number) \(subject.digest) \(String(replies, radix: 16))")
    }
    return 0
}

/// Sequences that a set of servers carries out before another one takes its place: a cluster's logs grow by 350 KB a sequence, most
/// likely in memory.
let sequencesPerCluster = 1000

/// Starts what must be started and runs all sequences.
func compare(_ request: Request) -> Int32 {
    let jobs = request.peer == nil ? max(1, min(request.jobs, request.sequences)) : 1
    let end = request.first + request.sequences
    let most = request.mode.nodes == 0 ? request.sequences : jobs * sequencesPerCluster
    let begin = wallTime()
    var outcome = Workers.Outcome()
    var next = request.first
    while next < end {
        let part = next..<min(end, next + most)
        if let error = run(request, part, jobs: jobs, &outcome) {
            complain("kvdiff: \(error)\n")
            return 69
        }
        next = part.upperBound
    }
    let seconds = Double((wallTime().microseconds - begin.microseconds) / 1000) / 1000
    tell(Summary(request, outcome, seconds: seconds).text)
    return outcome.failures.isEmpty == !request.isPlanted ? 0 : 1
}

/// Runs some of the sequences with servers of their own; returns why it can't go on.
func run(_ request: Request, _ part: Range<Int>, jobs: Int, _ outcome: inout Workers.Outcome) -> String? {
    let servers = Servers()
    defer { servers.end() }
    var assignments: [Assignment] = []
    do throws(SubjectError) {
        for job in 0..<jobs {
            let peer: Address
            if let given = request.peer { peer = given } else { peer = try servers.startRedis() }
            let nodes = request.mode.nodes == 0 ? [] : try servers.startCluster(request.mode.nodes)
            assignments.append(
                Assignment(next: part.lowerBound + job, step: jobs, end: part.upperBound, peer: peer, nodes: nodes))
        }
    } catch {
        return error.text
    }
    var workers = Workers(request, outcome)
    outcome = workers.run(assignments)
    return outcome.error.map { "\($0)\n\(servers.lastWords)" }
}

func main() -> Int32 {
    let sequences = Option("sequences", default: 100, help: "How many sequences to run.") {
        (1...sequencesMax).contains($0) ? nil : "a number from 1 to \(sequencesMax)"
    }
    let length = Option("length", default: 200, help: "Commands of a sequence.") {
        (1...1_000_000).contains($0) ? nil : "a number from 1 to 1000000"
    }
    let seed = Option<UInt64>("seed", default: 1, help: "What the sequences are made from.")
    let first = Option("first", default: 0, help: "Number of the first sequence.") {
        (0...sequencesMax).contains($0) ? nil : "a number from 0 to \(sequencesMax)"
    }
    let jobs = Option("jobs", default: 1, help: "Worker processes, each with servers of its own.") {
        (1...6).contains($0) ? nil : "a number from 1 to 6"
    }
    let family = Option<String>("family", help: "Only this family of commands, and those on keys of any type.") { name in
        let names = ShapeTable.families.map(\.name)
        return names.contains(name) ? nil : "one of " + names.joined(separator: ", ")
    }
    let mode = Option(
        "mode", default: Mode.direct,
        help:
            "What is compared: the state machine in this process, a node, a cluster of three through all nodes in turn; or nothing, "
            + "and the state's digests are printed.")
    let peer = Option<String>(
        "peer", placeholder: "host:port", help: "A Redis that runs, which loses its data. Without it one is started."
    ) {
        Address($0) == nil ? "HOST:PORT with a numeric host" : nil
    }
    let fieldDeadlines = Flag(
        "field-deadlines", help: "Draw HEXPIRE and its like, too: the peer must be Redis 7.4 or newer.")
    let plant = Flag("plant", help: "Alter some replies. The exit code is then 0 if that is found, and 1 if not.")
    let json = Flag("json", help: "Print the result as one JSON object; differences go to standard error.")
    let pages = Flag("print-commands", help: "Print docs/reference/commands.md and do nothing else.")
    let tool = ToolCommand<Int>(
        "kvdiff", abstract: "Runs generated commands against Coracle and a real Redis and compares every reply.",
        discussion: "Exit codes: 0 no difference, 1 some, 64 wrong usage, 69 a server can't be started or is gone.",
        version: "kvdiff 0.1.0",
        declares: [sequences, length, seed, first, jobs, family, mode, peer, fieldDeadlines, plant, json, pages],
        action: 0)
    switch tool.parse(Array(CommandLine.arguments.dropFirst())) {
    case .message(let text):
        print(text, terminator: "")
        return 0
    case .failure(let error):
        complain(error.text)
        return usageExitCode
    case .run(_, let values):
        if values[pages] {
            tell(CommandsPage(.standard).text)
            return 0
        }
        var request = Request()
        request.options.seed = values[seed]
        request.options.length = values[length]
        request.options.family = values[ifGiven: family]
        request.first = values[first]
        request.sequences = values[sequences]
        request.jobs = values[jobs]
        request.mode = values[mode]
        request.peer = values[ifGiven: peer].flatMap { Address($0) }
        request.options.includesFieldDeadlines = values[fieldDeadlines]
        request.isPlanted = values[plant]
        request.isJSON = values[json]
        if let assignment = Assignment.fromEnvironment() { return Worker.main(request, assignment) }
        return request.mode == .digest ? printDigests(request) : compare(request)
    }
}

exit(main())
