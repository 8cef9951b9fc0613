import ArgumentParsing
import Base
import Glibc
import RESP

/// `kvctl bench`: loads a server, or two in turn, and says how fast they were.
struct BenchCommand {
    /// A server under test.
    private struct Target {
        let name: String
        let addresses: [Address]
        var rounds: [RoundFigures] = []
        var title: String {
            (name.isEmpty ? "" : name + " ") + (addresses.first.map { "\($0)" } ?? "")
                + (addresses.count > 1 ? " and \(addresses.count - 1) more" : "")
        }
    }

    private let load: Load
    private let end: RoundEnd
    private let rounds: Int
    private let isJSON: Bool
    private let fills: Bool
    private var targets: [Target]
    private var errors: UInt64 = 0
    private var overdue: UInt64 = 0
    private var firstError = ""

    /// The command.
    static func run(_ values: Values) throws(Failure) -> Int32 {
        var command = try BenchCommand(values)
        return try command.run()
    }

    private init(_ values: Values) throws(Failure) {
        load = Load(
            workload: values[Tool.workload], clients: values[Tool.clients], pipeline: values[Tool.pipeline],
            valueBytes: values[Tool.valueSize], keys: values[Tool.keys], readRatio: values[Tool.readRatio],
            rate: values[ifGiven: Tool.rate], seed: values[Tool.seed])
        let seconds = values[Tool.seconds]
        end = values[ifGiven: Tool.requests].map { .requests($0) } ?? .after(Nanoseconds(UInt64(seconds * 1e9)))
        isJSON = values[Tool.json]
        fills = load.workload.reads && !values[Tool.noFill]
        let against = values[ifGiven: Tool.against]
        rounds = values[ifGiven: Tool.rounds] ?? (against == nil ? 1 : 5)
        targets = [Target(name: against == nil ? "" : "A", addresses: try BenchCommand.addresses(values))]
        if let against { targets.append(Target(name: "B", addresses: [against])) }
    }

    /// `--server`, or the local cluster's leader, or all its nodes.
    private static func addresses(_ values: Values) throws(Failure) -> [Address] {
        if let server = values[ifGiven: Tool.server] { return [server] }
        let directory = ClusterDirectory(values[Tool.data])
        let cluster = try directory.file()
        let status = ClusterStatus.gather(directory, cluster)
        let running = status.nodes.filter { $0.state == .running }.map { $0.client }
        if running.isEmpty { throw Failure("no node of the cluster in '\(directory.path)' answers; see 'kvctl cluster status'") }
        if values[Tool.allNodes] { return running }
        guard let leader = status.leader else { throw Failure("no node says that it leads; see 'kvctl status'") }
        return [leader.client]
    }

    private mutating func run() throws(Failure) -> Int32 {
        if !isJSON { Console.output(headline + "\n\n") }
        if fills { for target in targets { try fill(target) } }
        if !isJSON { Console.output(Colour.faint.paint(BenchText.row("", BenchText.columns))) }
        for round in 1...rounds {
            for index in targets.indices { try measure(index, round) }
        }
        isJSON ? printJSON() : printSummary()
        if overdue > 0 {
            Console.error("\(overdue) requests were due and found no connection free; take more clients or a lower rate\n")
        }
        if errors > 0 { Console.error("\(errors) error replies; the first: \(firstError)\n") }
        return errors > 0 ? 1 : 0
    }

    private var headline: String {
        var text = "\(load.workload.rawValue.uppercased()), \(load.clients) clients, pipeline \(load.pipeline), "
        if load.workload == .mixed { text += "\(fixed(load.readRatio * 100, 0)) % reads, " }
        if load.workload != .incr { text += "values of \(load.valueBytes) bytes, " }
        if let rate = load.rate { text += "\(BenchText.grouped(rate)) requests/s, " }
        text += "\(BenchText.grouped(Double(load.keys))) keys, \(rounds) round\(rounds == 1 ? "" : "s") of "
        switch end {
        case .after(let time): text += "\(fixed(Double(time.rawValue) / 1e9, time.rawValue % 1_000_000_000 == 0 ? 0 : 1)) s"
        case .requests(let count): text += "\(BenchText.grouped(Double(count))) requests"
        }
        return text
    }

    /// Sets every key once, so that reads find something.
    private mutating func fill(_ target: Target) throws(Failure) {
        var filling = load
        filling.workload = .set
        filling.isSequential = true
        filling.rate = nil
        filling.clients = min(8, load.clients)
        filling.pipeline = 128
        let generator = try LoadGenerator(filling, to: target.addresses)
        let result = try generator.run(until: .requests(load.keys)) { soFar in
            showProgress("filling \(target.title)  \(BenchText.grouped(Double(soFar.requests))) keys")
        }
        clearProgress()
        note(result)
    }

    private mutating func measure(_ index: Int, _ round: Int) throws(Failure) {
        let target = targets[index]
        var seeded = load
        seeded.seed = load.seed &+ UInt64(round)
        let generator = try LoadGenerator(seeded, to: target.addresses)
        let before = processorTime(of: target)
        let result = try generator.run(until: end) { soFar in
            let figures = RoundFigures(soFar)
            showProgress(
                "round \(round)/\(rounds) \(target.title)  \(BenchText.grouped(figures.requestsPerSecond)) /s  p99 \(fixed(figures.p99 / 1000, 2)) ms"
            )
        }
        clearProgress()
        note(result)
        var figures = RoundFigures(result)
        if let before, let after = processorTime(of: target), result.requests > 0 {
            figures.serverTime = (after - before) / Double(result.requests)
        }
        targets[index].rounds.append(figures)
        if !isJSON { Console.output(BenchText.row("round \(round)  \(target.title)", figures.cells)) }
    }

    /// What INFO says the servers' processes have used of the processor so far, in microseconds; nil when one does not say.
    private func processorTime(of target: Target) -> Double? {
        var total = 0.0
        for address in target.addresses {
            guard let connection = try? Connection(to: address),
                let text = try? connection.ask(["INFO", "cpu"], deadline: monotonicNow() + .milliseconds(2000)).text
            else { return nil }
            guard let user = BenchText.figure("used_cpu_user", in: text), let system = BenchText.figure("used_cpu_sys", in: text)
            else {
                return nil
            }
            total += (user + system) * 1e6
        }
        return total
    }

    private mutating func note(_ result: RoundResult) {
        errors += result.errors
        overdue += result.overdue
        if firstError.isEmpty { firstError = result.firstError }
    }

    private func showProgress(_ text: String) {
        if Console.isTerminal && !isJSON { Console.output("\r\u{1B}[K" + String(text.prefix(Console.columns - 1))) }
    }

    private func clearProgress() {
        if Console.isTerminal && !isJSON { Console.output("\r\u{1B}[K") }
    }

    private func printSummary() {
        if rounds > 1 {
            Console.output("\n")
            for target in targets {
                Console.output(
                    Colour.bold.paint(BenchText.row("median   \(target.title)", RoundFigures.median(target.rounds).cells)))
            }
        }
        if targets.count == 2, let ratio = RatioFigures(targets[0].rounds, over: targets[1].rounds) {
            let a = RoundFigures.median(targets[0].rounds)
            let b = RoundFigures.median(targets[1].rounds)
            Console.output(
                Colour.bold.paint("A / B    throughput \(fixed(ratio.median, 3))")
                    + " (pairs from \(fixed(ratio.min, 3)) to \(fixed(ratio.max, 3)))"
                    + (b.p99 > 0 ? ", p99 \(fixed(a.p99 / b.p99, 2))" : "") + "\n")
        }
    }

    private func printJSON() {
        var fields: [(String, String)] = [
            ("workload", JSON.string(load.workload.rawValue)), ("clients", "\(load.clients)"), ("pipeline", "\(load.pipeline)"),
            ("valueBytes", "\(load.valueBytes)"), ("keys", "\(load.keys)"),
        ]
        if let rate = load.rate { fields += [("rate", JSON.number(rate)), ("overdue", "\(overdue)")] }
        if load.workload == .mixed { fields.append(("readRatio", JSON.number(load.readRatio))) }
        let described = targets.map { target in
            JSON.object([
                ("servers", "[" + target.addresses.map { JSON.string("\($0)") }.joined(separator: ",") + "]"),
                ("rounds", "[" + target.rounds.map { $0.json }.joined(separator: ",") + "]"),
                ("median", RoundFigures.median(target.rounds).json),
            ])
        }
        fields.append(("targets", "[" + described.joined(separator: ",") + "]"))
        if targets.count == 2, let ratio = RatioFigures(targets[0].rounds, over: targets[1].rounds) {
            fields.append(
                (
                    "ratio",
                    JSON.object([("median", fixed(ratio.median, 4)), ("min", fixed(ratio.min, 4)), ("max", fixed(ratio.max, 4))])
                ))
        }
        fields.append(("errors", "\(errors)"))
        fields.append(("firstError", firstError.isEmpty ? "null" : JSON.string(firstError)))
        Console.output(JSON.object(fields) + "\n")
    }
}
