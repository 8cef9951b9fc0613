import ArgumentParsing
import Base
import Consensus
import Database
import DistributedSnapshot
import Node

/// `kvctl snapshot show DIR`: the nodes of a snapshot, and the channels with the frames that were in flight, decoded.
enum SnapshotShow {
    static func run(_ values: Values) throws(Failure) -> Int32 {
        let snapshot = try SnapshotDirectory(values[Tool.snapshotDirectory])
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
            text += "node \(state.run.node), run \(state.run.incarnation): \(state.role), term \(state.term), "
            text += "leader \(state.leader.map { "\($0)" } ?? "none"), log \(state.baseIndex.next) to \(state.lastIndex), "
            text += "committed \(state.commitIndex), applied \(state.appliedIndex), \(keys(file)) keys, "
            text += "digest \(digest(file))\n"
        }
        for missing in manifest.missing { text += "node \(missing.node) is missing: \(missing.reason)\n" }
        for channel in manifest.channels {
            text +=
                "channel \(channel.from.node) -> \(channel.to), number \(channel.number): \(channel.delivered) frames delivered, "
            text += "\(channel.inFlight) in flight"
            if channel.inFlight > 0 { text += " (\(channel.inFlightBytes) bytes)" }
            if channel.lost != 0 { text += ", \(channel.lost.map { "\($0)" } ?? "an unknown number") lost" }
            text += channel.isExact ? "\n" : ", not exact\n"
            for frame in frames(snapshot, channel) { text += "    \(frame)\n" }
        }
        return text
    }

    private static func keys(_ file: SnapshotPartFile) -> Int {
        (0..<Execution.databases).reduce(0) { $0 + file.machine.keyCount($1) }
    }

    private static func digest(_ file: SnapshotPartFile) -> String {
        let digest = file.machine.contentDigest()
        return [digest.high, digest.low].map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    // MARK: frames

    /// What was in flight on a channel, a line for each frame; empty where its receiver has no part.
    private static func frames(_ snapshot: SnapshotDirectory, _ channel: SnapshotManifest.Channel) -> [String] {
        guard let receiver = snapshot.parts.first(where: { $0.state.run.node == channel.to }) else { return [] }
        for (incoming, content) in zip(receiver.part.summary.incoming, receiver.part.contents)
        where incoming.from == channel.from && incoming.number == channel.number {
            return SnapshotPart.frames(of: content).map { describe($0, from: channel.from.node, to: channel.to) }
        }
        return []
    }

    private static func describe(_ bytes: [UInt8], from: NodeID, to: NodeID) -> String {
        bytes.withView { view in
            var consumed = 0
            guard let frame = try? PeerFrame.decode(view, payloadLimit: PeerFrame.payloadBytesMax, consumed: &consumed) else {
                return "a frame of \(view.count) bytes that can't be read"
            }
            switch frame.type {
            case .raft:
                guard let message = MessageCodec.decode(frame.payload, from: from, to: to) else {
                    return "a message that can't be read"
                }
                return "term \(message.term): \(describe(message.body))"
            case .proposals:
                var reader = ByteReader(frame.payload)
                guard let term = reader.integer(UInt64.self), let segment = CommandBatch.segmentHeader(&reader) else {
                    return "commands that can't be read"
                }
                return "term \(term): commands \(segment.first) to \(segment.first + UInt64(segment.count) - 1) of node "
                    + "\(segment.owner), run \(segment.incarnation)"
            case .hello, .refusal, .snapshot, .stateFileRequest, .stateFilePiece:
                return "\(frame.type), \(view.count) bytes"
            }
        }
    }

    private static func describe(_ body: Message.Body) -> String {
        switch body {
        case .append(let append):
            let range =
                append.entries.isEmpty
                ? "no entries behind \(append.previousIndex)"
                : "entries \(append.previousIndex.next) to \(append.entries[append.entries.count - 1].index)"
            return "append \(range), committed \(append.commitIndex)"
        case .appendResponse(let response):
            switch response.outcome {
            case .accepted(let index): return "append accepted through \(index)"
            case .rejected(let previous, let hint, let term):
                return "append behind \(previous) rejected, may agree at \(hint) in term \(term)"
            }
        case .heartbeat(let heartbeat): return "heartbeat, committed \(heartbeat.commitIndex), read round \(heartbeat.readRound)"
        case .heartbeatResponse(let round): return "heartbeat answered, read round \(round)"
        case .voteRequest(let request), .preVoteRequest(let request):
            return "request for a vote, last entry \(request.lastIndex) of term \(request.lastTerm)"
        case .voteResponse(let granted), .preVoteResponse(let granted): return granted ? "vote granted" : "vote refused"
        case .readIndexRequest(let id): return "request \(id) for a read index"
        case .readIndexResponse(let id, let index, _): return "read index \(index) for request \(id)"
        case .timeoutNow: return "campaign now"
        case .installSnapshot(let index, _): return "a state file through \(index) is to be had"
        case .installSnapshotResponse(let index, let succeeded):
            return "state file through \(index) \(succeeded ? "installed" : "not installed")"
        }
    }

    // MARK: JSON

    private static func json(_ snapshot: SnapshotDirectory) -> String {
        let manifest = snapshot.manifest
        let nodes = snapshot.parts.map { file in
            let state = file.state
            return JSON.object([
                ("id", "\(state.run.node)"), ("run", "\(state.run.incarnation)"), ("role", JSON.string("\(state.role)")),
                ("term", "\(state.term)"), ("leader", state.leader.map { "\($0)" } ?? "null"),
                ("firstIndex", "\(state.baseIndex.next)"), ("lastIndex", "\(state.lastIndex)"),
                ("commitIndex", "\(state.commitIndex)"), ("appliedIndex", "\(state.appliedIndex)"), ("keys", "\(keys(file))"),
                ("digest", JSON.string(digest(file))),
            ])
        }
        let channels = manifest.channels.map { channel in
            JSON.object([
                ("from", "\(channel.from.node)"), ("to", "\(channel.to)"), ("number", "\(channel.number)"),
                ("delivered", "\(channel.delivered)"), ("inFlight", "\(channel.inFlight)"),
                ("inFlightBytes", "\(channel.inFlightBytes)"), ("lost", channel.lost.map { "\($0)" } ?? "null"),
                ("exact", "\(channel.isExact)"),
                ("frames", "[" + frames(snapshot, channel).map { JSON.string($0) }.joined(separator: ",") + "]"),
            ])
        }
        let missing = manifest.missing.map {
            JSON.object([("node", "\($0.node)"), ("reason", JSON.string("\($0.reason)"))])
        }
        return JSON.object([
            ("id", JSON.string("\(manifest.id)")), ("initiator", "\(manifest.initiator)"),
            ("outcome", JSON.string("\(manifest.outcome)")), ("strict", "\(manifest.isStrict)"),
            ("nodes", "[" + nodes.joined(separator: ",") + "]"), ("missing", "[" + missing.joined(separator: ",") + "]"),
            ("channels", "[" + channels.joined(separator: ",") + "]"),
        ])
    }
}
