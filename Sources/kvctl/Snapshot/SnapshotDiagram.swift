import ArgumentParsing
import Base
import DistributedSnapshot
import Node

/// `kvctl snapshot diagram DIR`: a space-time picture of a snapshot, from its parts alone.
enum SnapshotDiagram {
    static func run(_ values: Values) throws(Failure) -> Int32 {
        let output = values[ifGiven: Tool.picture]
        if let output, !values[Tool.replace], fileExists(output) {
            throw Failure("'\(output)' is there already; --replace overwrites it")
        }
        let snapshot = try SnapshotDirectory(values[Tool.snapshotDirectory])
        let svg = picture(of: snapshot).svg
        guard let output else {
            Console.output(svg)
            return 0
        }
        let file = try NewFile(output, replaces: values[Tool.replace])
        try file.write(Array(svg.utf8))
        try file.finish()
        Console.output("snapshot \(snapshot.manifest.id) is drawn in \(output)\n")
        return 0
    }

    private static func picture(of snapshot: SnapshotDirectory) -> SpaceTime {
        let manifest = snapshot.manifest
        var nodes = snapshot.parts.map { file in
            SpaceTime.Node(
                id: Int(file.state.run.node.rawValue), note: "\(file.state.role), term \(file.state.term)",
                recordedAt: Double(file.state.recordedAt.microseconds), heldFor: held(file))
        }
        for missing in manifest.missing {
            nodes.append(SpaceTime.Node(id: Int(missing.node.rawValue), note: "missing", recordedAt: nil))
        }
        for node in snapshot.absent { nodes.append(SpaceTime.Node(id: Int(node.rawValue), note: "not there", recordedAt: nil)) }
        nodes.sort { $0.id < $1.id }
        let day = UTC.text(milliseconds: Int64(clamping: manifest.id.milliseconds))
        return SpaceTime(
            title: "Snapshot \(manifest.id)",
            subtitle: "begun by node \(manifest.initiator), \(day) UTC, \(manifest.outcome), "
                + (manifest.isStrict ? "a point in real time" : "not a point in real time"),
            nodes: nodes, markers: snapshot.parts.flatMap(markers), flights: snapshot.parts.flatMap(flights),
            notes: notes(snapshot))
    }

    /// From the record to the last marker, of a part that held its replies so long.
    private static func held(_ file: SnapshotPartFile) -> Double {
        guard file.part.summary.isStrict, let times = file.part.endedAfter else { return 0 }
        return Double(times.map(\.rawValue).max() ?? 0) / 1000
    }

    private static func markers(_ file: SnapshotPartFile) -> [SpaceTime.Marker] {
        file.part.summary.sources.enumerated().map { index, source in
            SpaceTime.Marker(
                from: Int(source.from.rawValue), to: Int(file.part.run.node.rawValue),
                arrivedAfter: file.part.endedAfter.map { Double($0[index].rawValue) / 1000 }, absence: absence(source.end))
        }
    }

    private static func absence(_ end: ChannelEnd) -> String? {
        switch end {
        case .marker, .opening: nil
        case .restarted: "the sender's run was over"
        case .timeLimit: "none within the time limit"
        case .unknown: "the sender no longer knew"
        }
    }

    private static func flights(_ file: SnapshotPartFile) -> [SpaceTime.Flight] {
        let to = file.part.run.node
        return zip(file.part.summary.incoming, file.part.contents).filter { $0.0.inFlight > 0 }.map { channel, content in
            SpaceTime.Flight(
                from: Int(channel.from.node.rawValue), to: Int(to.rawValue), count: Int(clamping: channel.inFlight),
                bytes: Int(clamping: channel.inFlightBytes),
                frames: SnapshotPart.frames(of: content).map { SnapshotFrames.kind($0, from: channel.from.node, to: to) })
        }
    }

    private static func notes(_ snapshot: SnapshotDirectory) -> [String] {
        var notes = snapshot.manifest.missing.map { "Node \($0.node) is missing: \($0.reason)." }
        notes += snapshot.absent.map { "The part of node \($0) is not in the directory." }
        for channel in snapshot.manifest.channels {
            let name = "Channel \(channel.from.node) → \(channel.to)"
            if let lost = channel.lost, lost > 0 { notes.append("\(name): \(lost) frames were lost with a link.") }
            if !channel.isExact { notes.append("\(name) is not exact: what was in flight is not all known.") }
        }
        return notes
    }
}
