import ArgumentParsing
import DistributedSnapshot

/// `kvctl snapshot fetch ID DIR`: collects the files that the nodes still have of a snapshot.
enum SnapshotFetch {
    static func run(_ values: Values) throws(Failure) -> Int32 {
        let cluster = try ClusterDirectory(values[Tool.data]).file()
        let stop = StopSignals()
        let target = try SnapshotTarget(values[Tool.snapshotDirectory])
        let isQuiet = values[Tool.json]
        var collector = try SnapshotCollector(cluster, SnapshotID(values[Tool.snapshotID]), isQuiet: isQuiet, stop: stop)
        let collected = try collector.collect(into: target, allowsAbsent: values[Tool.allowMissing])
        Console.output(
            isQuiet ? SnapshotText.json(collected, target.path) + "\n" : SnapshotText.text(collected, target.path))
        return collected.manifest.outcome == .complete && collected.absent.isEmpty ? 0 : 1
    }
}

/// What is said of a snapshot that was collected.
enum SnapshotText {
    static func text(_ collected: SnapshotCollector.Collected, _ path: String) -> String {
        let manifest = collected.manifest
        let strict = manifest.isStrict ? ", a point in real time" : ", consistent, not a point in real time"
        var text = "snapshot \(manifest.id) is \(manifest.outcome)\(strict): \(counted(collected.parts.count, "part")), "
        text += "\(collected.bytes) bytes in \(path)\n"
        if manifest.outcome != .complete { text += "missing: \(missing(manifest))\n" }
        if !collected.absent.isEmpty { text += "not to be had any more: \(SnapshotFacts.text(collected.absent))\n" }
        return text
    }

    static func json(_ collected: SnapshotCollector.Collected, _ path: String) -> String {
        let manifest = collected.manifest
        func list(_ items: [SnapshotFacts.Missing]) -> String {
            "["
                + items.map { JSON.object([("node", "\($0.node)"), ("reason", JSON.string($0.reason))]) }.joined(separator: ",")
                + "]"
        }
        let parts = collected.parts.map { JSON.object([("node", "\($0.node)"), ("bytes", "\($0.bytes)")]) }
        return JSON.object([
            ("id", JSON.string("\(manifest.id)")), ("directory", JSON.string(path)),
            ("initiator", "\(manifest.initiator)"), ("outcome", JSON.string("\(manifest.outcome)")),
            ("strict", "\(manifest.isStrict)"), ("parts", "[" + parts.joined(separator: ",") + "]"),
            ("missing", list(items(manifest))), ("absent", list(collected.absent)),
        ])
    }

    /// Who is missing and why, in one line.
    static func missing(_ manifest: SnapshotManifest) -> String { SnapshotFacts.text(items(manifest)) }

    private static func items(_ manifest: SnapshotManifest) -> [SnapshotFacts.Missing] {
        manifest.missing.map { .init(node: Int($0.node.rawValue), reason: "\($0.reason)") }
    }
}
