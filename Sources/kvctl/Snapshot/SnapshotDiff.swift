import ArgumentParsing
import Base
import Database
import Node

/// `kvctl snapshot diff A B`: what differs between two snapshots, of one cluster or of two.
enum SnapshotDiff {
    static func run(_ values: Values) throws(Failure) -> Int32 {
        let isQuiet = values[Tool.json]
        let before = try side(try SnapshotDirectory(values[Tool.firstSnapshot], isQuiet: isQuiet))
        let after = try side(try SnapshotDirectory(values[Tool.secondSnapshot], isQuiet: isQuiet))
        let difference = SnapshotDifference(
            before: before.side, after: after.side,
            data: KeyspaceDifference(from: before.machine, to: after.machine, limit: values[Tool.diffKeys]))
        Console.output(isQuiet ? difference.json + "\n" : difference.text)
        return 0
    }

    /// A snapshot's figures, and the data that it is restored to; where it can't be restored, that of the part that has applied most.
    private static func side(
        _ snapshot: SnapshotDirectory
    ) throws(Failure) -> (side: SnapshotDifference.Side, machine: StateMachine) {
        guard let advanced = snapshot.mostAdvanced else { throw Failure("'\(snapshot.path)' has no part") }
        let manifest = snapshot.manifest
        // Before the restoration, which carries on with one of the databases.
        var side = SnapshotDifference.Side(
            path: snapshot.path, id: "\(manifest.id)", cluster: "\(snapshot.clusterID)",
            milliseconds: Int64(clamping: manifest.id.milliseconds), outcome: "\(manifest.outcome)", isStrict: manifest.isStrict,
            nodes: snapshot.parts.map { SnapshotFigures($0) }, source: Int(advanced.part.run.node.rawValue),
            index: advanced.state.appliedIndex.rawValue)
        do throws(RestorationError) {
            let restoration = try Restoration(manifest, snapshot.parts, allowsMissing: true)
            side.source = Int(restoration.source.rawValue)
            side.index = restoration.index.rawValue
            return (side, restoration.machine)
        } catch {
            side.problem = "\(error)"
            return (side, advanced.machine)
        }
    }
}
