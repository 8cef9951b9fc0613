import ArgumentParsing
import Base
import Database
import Node

/// `kvctl snapshot diff A B`: what differs between two snapshots, of one cluster or of two.
enum SnapshotDiff {
    static func run(_ values: Values) throws(Failure) -> Int32 {
        let isQuiet = values[Tool.json]
        let before = try SnapshotDirectory(values[Tool.firstSnapshot], isQuiet: isQuiet)
        let after = try SnapshotDirectory(values[Tool.secondSnapshot], isQuiet: isQuiet)
        guard let old = before.mostAdvanced else { throw Failure("'\(before.path)' has no part") }
        guard let new = after.mostAdvanced else { throw Failure("'\(after.path)' has no part") }
        let difference = SnapshotDifference(
            before: side(before, old), after: side(after, new),
            data: KeyspaceDifference(from: old.machine, to: new.machine, limit: values[Tool.diffKeys]))
        Console.output(isQuiet ? difference.json + "\n" : difference.text)
        return 0
    }

    private static func side(_ snapshot: SnapshotDirectory, _ source: SnapshotPartFile) -> SnapshotDifference.Side {
        let manifest = snapshot.manifest
        return SnapshotDifference.Side(
            path: snapshot.path, id: "\(manifest.id)", cluster: "\(snapshot.clusterID)",
            milliseconds: Int64(clamping: manifest.id.milliseconds), outcome: "\(manifest.outcome)", isStrict: manifest.isStrict,
            nodes: snapshot.parts.map { SnapshotFigures($0) }, source: Int(source.part.run.node.rawValue))
    }
}
