import ArgumentParsing
import DistributedSnapshot
import Node

/// `kvctl snapshot show DIR`: the nodes of a snapshot, and the channels with the frames that were in flight, decoded.
enum SnapshotShow {
    static func run(_ values: Values) throws(Failure) -> Int32 {
        let snapshot = try SnapshotDirectory(values[Tool.snapshotDirectory], isQuiet: values[Tool.json])
        Console.output(values[Tool.json] ? json(snapshot) + "\n" : text(snapshot))
        return 0
    }

    // MARK: text

    private static func text(_ snapshot: SnapshotDirectory) -> String {
        let manifest = snapshot.manifest
        var text = "snapshot \(manifest.id), begun by node \(manifest.initiator): \(manifest.outcome)"
        text += manifest.isStrict ? ", a point in real time\n" : ", consistent, not a point in real time\n"
        for file in snapshot.parts {
            let state = file.state
            let figures = SnapshotFigures(file)
            text += "node \(state.run.node), run \(state.run.incarnation): \(state.role), term \(state.term), "
            text += "leader \(state.leader.map { "\($0)" } ?? "none"), log \(state.baseIndex.next) to \(state.lastIndex), "
            text += "committed \(state.commitIndex), applied \(state.appliedIndex), \(counted(figures.keys, "key")), "
            text += "digest \(figures.digest)\n"
        }
        for node in snapshot.absent { text += "node \(node): its part is not in the directory\n" }
        for missing in manifest.missing { text += "node \(missing.node) is missing: \(missing.reason)\n" }
        for channel in manifest.channels {
            text +=
                "channel \(channel.from.node) -> \(channel.to), number \(channel.number): \(channel.delivered) frames delivered, "
            text += "\(channel.inFlight) in flight"
            if channel.inFlight > 0 { text += " (\(channel.inFlightBytes) bytes)" }
            if channel.lost != 0 { text += ", \(channel.lost.map { "\($0)" } ?? "an unknown number") lost" }
            text += channel.isExact ? "\n" : ", not exact\n"
            for frame in SnapshotFrames.lines(snapshot, channel) { text += "    \(frame)\n" }
        }
        return text
    }

    // MARK: JSON

    private static func json(_ snapshot: SnapshotDirectory) -> String {
        let manifest = snapshot.manifest
        let nodes = snapshot.parts.map { file in
            let state = file.state
            let figures = SnapshotFigures(file)
            return JSON.object([
                ("id", "\(state.run.node)"), ("run", "\(state.run.incarnation)"), ("role", JSON.string("\(state.role)")),
                ("term", "\(state.term)"), ("leader", state.leader.map { "\($0)" } ?? "null"),
                ("firstIndex", "\(state.baseIndex.next)"), ("lastIndex", "\(state.lastIndex)"),
                ("commitIndex", "\(state.commitIndex)"), ("appliedIndex", "\(state.appliedIndex)"), ("keys", "\(figures.keys)"),
                ("digest", JSON.string(figures.digest)),
            ])
        }
        let channels = manifest.channels.map { channel in
            JSON.object([
                ("from", "\(channel.from.node)"), ("to", "\(channel.to)"), ("number", "\(channel.number)"),
                ("delivered", "\(channel.delivered)"), ("inFlight", "\(channel.inFlight)"),
                ("inFlightBytes", "\(channel.inFlightBytes)"), ("lost", channel.lost.map { "\($0)" } ?? "null"),
                ("exact", "\(channel.isExact)"),
                ("frames", "[" + SnapshotFrames.lines(snapshot, channel).map { JSON.string($0) }.joined(separator: ",") + "]"),
            ])
        }
        let missing = manifest.missing.map {
            JSON.object([("node", "\($0.node)"), ("reason", JSON.string("\($0.reason)"))])
        }
        return JSON.object([
            ("id", JSON.string("\(manifest.id)")), ("initiator", "\(manifest.initiator)"),
            ("outcome", JSON.string("\(manifest.outcome)")), ("strict", "\(manifest.isStrict)"),
            ("cluster", JSON.string("\(snapshot.clusterID)")), ("nodes", "[" + nodes.joined(separator: ",") + "]"),
            ("absent", "[" + snapshot.absent.map { "\($0)" }.joined(separator: ",") + "]"),
            ("missing", "[" + missing.joined(separator: ",") + "]"),
            ("channels", "[" + channels.joined(separator: ",") + "]"),
        ])
    }
}
