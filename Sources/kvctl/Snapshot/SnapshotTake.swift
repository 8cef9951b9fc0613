import ArgumentParsing
import Base
import DistributedSnapshot
import Glibc

/// `kvctl snapshot take DIR`: has a node begin a snapshot, waits for its end, and collects the parts and the manifest into one directory.
enum SnapshotTake {
    static func run(_ values: Values) throws(Failure) -> Int32 {
        if values[Tool.causal] && values[Tool.strict] { throw exclusive }
        let cluster = try ClusterDirectory(values[Tool.data]).file()
        let stop = StopSignals()
        let target = try SnapshotTarget(values[Tool.snapshotDirectory])
        var server = try initiator(values, cluster, stop)
        let isQuiet = values[Tool.json]
        let request = Request(
            strict: !values[Tool.causal], whole: values[Tool.whole], milliseconds: values[ifGiven: Tool.snapshotTimeout])
        let (id, facts) = try take(&server, request, isQuiet: isQuiet, stop: stop)
        var collector = try SnapshotCollector(cluster, id, isQuiet: isQuiet, stop: stop)
        let collected: SnapshotCollector.Collected
        do throws(Failure) { collected = try collector.collect(into: target, allowsAbsent: false) } catch {
            throw Failure(
                "snapshot \(id) is \(facts.state), and not fetched: \(error.message)\n'kvctl snapshot fetch \(id) DIR' tries again"
            )
        }
        Console.output(
            isQuiet
                ? SnapshotText.json(collected, target.path) + "\n" : SnapshotText.text(collected, target.path))
        return collected.manifest.outcome == .complete ? 0 : 1
    }

    static let exclusive = Failure.usage(
        "--strict and --causal exclude each other: a snapshot is a point in real time, or it need not be")

    /// What is asked of a node.
    struct Request {
        var strict = true
        var whole = false
        /// Nil for what the node thinks right for its state.
        var milliseconds: UInt64?
    }

    /// Has a node take a snapshot, and waits for its end.
    ///
    /// - Parameter stop: ends the waiting when a signal comes.
    static func take(
        _ server: inout SnapshotServer, _ request: Request, isQuiet: Bool, stop: StopSignals? = nil
    ) throws(Failure) -> (SnapshotID, SnapshotFacts) {
        let id = try server.take(strict: request.strict, whole: request.whole, milliseconds: request.milliseconds)
        var bar = ProgressBar("recording", isWanted: !isQuiet)
        defer { bar.clear() }
        let facts = try wait(for: id, &server, request, &bar, stop)
        if facts.state == "aborted" { throw Failure("snapshot \(id) is aborted; missing: \(SnapshotFacts.text(facts.missing))") }
        return (id, facts)
    }

    /// The node that begins it: the one asked for, or the first that answers.
    private static func initiator(_ values: Values, _ cluster: ClusterFile, _ stop: StopSignals) throws(Failure) -> SnapshotServer
    {
        if let number = values[ifGiven: Tool.from] {
            guard let node = cluster.nodes.first(where: { $0.id == number }) else { throw .usage("there is no node \(number)") }
            return SnapshotServer(node, stop: stop)
        }
        return SnapshotServer(try Servers.firstAnswering(cluster, values[Tool.data]).node, stop: stop)
    }

    private static func wait(
        for id: SnapshotID, _ server: inout SnapshotServer, _ request: Request, _ bar: inout ProgressBar, _ stop: StopSignals?
    ) throws(Failure) -> SnapshotFacts {
        let began = monotonicNow()
        // A node ends every snapshot within an hour.
        let limit = Nanoseconds.milliseconds((request.milliseconds ?? 3_600_000) + 5_000)
        var over: Instant?
        while true {
            guard let facts = try server.status(id) else {
                throw Failure(
                    "node \(server.node.id) has forgotten snapshot \(id): it was started anew, or has taken very many since")
            }
            if facts.state != "open" && (facts.state == "aborted" || facts.manifestBytes > 0) { return facts }
            let elapsed = monotonicNow() - began
            if facts.state != "open" && over == nil { over = monotonicNow() }
            if let over, over + .milliseconds(5_000) < monotonicNow() {
                throw Failure("node \(server.node.id) can't store the manifest of snapshot \(id); its log says why")
            }
            if elapsed > limit { throw Failure("snapshot \(id) does not end; see 'kvctl kv.snapshot status \(id)'") }
            try stop?.check()
            bar.show(elapsed: elapsed)
            poll(nil, 0, 10)
        }
    }
}
