import ArgumentParsing
import Base
import DistributedSnapshot
import Glibc
import Node

/// `kvctl snapshot schedule DIR`: takes a snapshot at once and then at every interval, verifies it, and only then removes older ones. Stays in the foreground until
/// SIGINT, SIGTERM or SIGHUP.
struct SnapshotSchedule {
    private let data: ClusterDirectory
    private let cluster: ClusterFile
    private let shelf: SnapshotShelf
    private let keep: Int
    private let request: SnapshotTake.Request
    private let isJSON: Bool
    private let stop: StopSignals

    static func run(_ values: Values) throws(Failure) -> Int32 {
        if values[Tool.causal] && values[Tool.strict] { throw SnapshotTake.exclusive }
        let schedule = try SnapshotSchedule(values)
        return try schedule.run(every: values[Tool.every])
    }

    private init(_ values: Values) throws(Failure) {
        data = ClusterDirectory(values[Tool.data])
        cluster = try data.file()
        guard let clusterID = ClusterID(text: cluster.clusterID) else { throw Failure("the cluster has no cluster id") }
        shelf = try SnapshotShelf(values[Tool.shelf], clusterID: clusterID)
        keep = values[Tool.keep]
        request = SnapshotTake.Request(strict: !values[Tool.causal], milliseconds: values[ifGiven: Tool.snapshotTimeout])
        isJSON = values[Tool.json]
        stop = StopSignals()
    }

    private func run(every interval: Interval) throws(Failure) -> Int32 {
        for line in try shelf.cleanUp() { say(line) }
        if !isJSON {
            say("a snapshot every \(interval.argumentText) into '\(shelf.path)', the last \(keep) are kept; Ctrl-C ends it")
        }
        var next = monotonicNow()
        while true {
            round()
            // On the grid of the first one: a late snapshot does not shift the others, and none is made up for.
            let now = monotonicNow()
            while next <= now { next = next + interval.duration }
            if stop.wait(until: next) {
                if !isJSON { say("stopped") }
                return 0
            }
        }
    }

    /// One snapshot, from the leader to the shelf. What fails is said; the next one is tried all the same.
    private func round() {
        let began = monotonicNow()
        let moment = wallMilliseconds()
        do throws(Failure) {
            let unfinished = ShelfName(moment: UTC.name(milliseconds: moment))
            let target = try SnapshotTarget(shelf.path(of: unfinished))
            var server = try initiator()
            let (id, _) = try SnapshotTake.take(&server, request, isQuiet: true, stop: stop)
            var collector = try SnapshotCollector(cluster, id, isQuiet: true, stop: stop)
            let collected = try collector.collect(into: target, allowsAbsent: false)
            do throws(Failure) { try verify(target.path) } catch {
                target.giveUp()
                throw error
            }
            let isPartial = collected.manifest.outcome != .complete
            let name = ShelfName(moment: unfinished.moment, id: id, isPartial: isPartial)
            try shelf.keep(unfinished, as: name)
            let seconds = Double((monotonicNow() - began).rawValue) / 1e9
            report(collected, shelf.path(of: name), by: server.node.id, seconds, try shelf.trim(keep: keep, newest: name))
        } catch {
            if stop.havePending { return }
            if isJSON {
                Console.output(JSON.object([("time", "\(moment)"), ("error", JSON.string(error.message))]) + "\n")
            } else {
                Console.error("\(UTC.text(milliseconds: moment)) no snapshot, older ones stay: \(error.message)\n")
            }
        }
    }

    /// The leader's node; any other that answers where there is no leader.
    private func initiator() throws(Failure) -> SnapshotServer {
        let leader = ClusterStatus.gather(data, cluster).leader
        if let leader, let node = cluster.nodes.first(where: { $0.id == leader.id }) { return SnapshotServer(node, stop: stop) }
        let node = try Servers.firstAnswering(cluster, data.path).node
        say("no node leads: node \(node.id) begins the snapshot")
        return SnapshotServer(node, stop: stop)
    }

    private func verify(_ path: String) throws(Failure) {
        let snapshot = try SnapshotDirectory(path, isQuiet: true)
        let problems = CutVerification(snapshot.manifest, snapshot.parts).checks.flatMap(\.problems)
        if let problem = problems.first { throw Failure("the snapshot does not verify: \(problem)") }
    }

    // MARK: words

    private func say(_ line: String) {
        if isJSON { return Console.error(line + "\n") }
        Console.output("\(UTC.text(milliseconds: wallMilliseconds())) \(line)\n")
    }

    private func report(
        _ collected: SnapshotCollector.Collected, _ path: String, by node: Int, _ seconds: Double, _ removed: [String]
    ) {
        let manifest = collected.manifest
        if isJSON {
            return Console.output(
                JSON.object([
                    ("time", "\(manifest.id.milliseconds)"), ("id", JSON.string("\(manifest.id)")),
                    ("directory", JSON.string(path)), ("initiator", "\(node)"),
                    ("outcome", JSON.string("\(manifest.outcome)")), ("strict", "\(manifest.isStrict)"),
                    ("parts", "\(collected.parts.count)"), ("bytes", "\(collected.bytes)"), ("seconds", fixed(seconds, 3)),
                    ("notes", "[" + removed.map { JSON.string($0) }.joined(separator: ",") + "]"),
                ]) + "\n")
        }
        say(
            "snapshot \(manifest.id) of node \(node): \(manifest.outcome)\(manifest.isStrict ? ", strict" : ""), verified, "
                + "\(counted(collected.parts.count, "part")), \(StatusText.bytes(Int64(collected.bytes))), \(fixed(seconds, 1)) s, in '\(path)'"
        )
        if manifest.outcome != .complete { say("missing: \(SnapshotText.missing(manifest))") }
        for line in removed { say(line) }
    }
}

/// The wall clock, in milliseconds since 1970.
func wallMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}
