import ArgumentParsing
import Base
import Consensus
import DistributedSnapshot
import Node

/// `kvctl snapshot show DIR`, `kvctl snapshot verify DIR`: what is in a snapshot, and whether it keeps what a consistent cut must.
enum SnapshotVerify {
    static func show(_ values: Values) throws(Failure) -> Int32 {
        let snapshot = try SnapshotDirectory(values[Tool.snapshotDirectory])
        let manifest = snapshot.manifest
        var text = "snapshot \(manifest.id), begun by node \(manifest.initiator): \(manifest.outcome)"
        text += manifest.isStrict ? ", a point in real time\n" : "\n"
        for file in snapshot.parts {
            let state = file.state
            text += "node \(state.run.node), run \(state.run.incarnation): \(state.role), term \(state.term), "
            text += "leader \(state.leader.map { "\($0)" } ?? "none"), log \(state.baseIndex.next) to \(state.lastIndex), "
            text += "committed \(state.commitIndex), applied \(state.appliedIndex), "
            text += "\((0..<16).reduce(0) { $0 + file.machine.keyCount($1) }) keys\n"
        }
        for missing in manifest.missing { text += "node \(missing.node) is missing: \(missing.reason)\n" }
        for channel in manifest.channels where channel.inFlight > 0 || channel.lost != 0 || !channel.isExact {
            text += "channel \(channel.from.node) -> \(channel.to), number \(channel.number): \(channel.delivered) delivered, "
            text += "\(channel.inFlight) in flight (\(channel.inFlightBytes) bytes), "
            text += "\(channel.lost.map { "\($0)" } ?? "?") lost\(channel.isExact ? "" : ", not exact")\n"
        }
        Console.output(text)
        return 0
    }

    static func verify(_ values: Values) throws(Failure) -> Int32 {
        let snapshot = try SnapshotDirectory(values[Tool.snapshotDirectory])
        let result = CutVerification(snapshot.manifest, snapshot.parts)
        for check in result.checks {
            Console.output("\(check.problems.isEmpty ? "ok    " : "FAILED") \(check.name) (\(check.count) \(check.items))\n")
            for problem in check.problems { Console.output("       \(problem)\n") }
        }
        return result.holds ? 0 : 1
    }
}
