import Base
import Consensus
import Database
import DistributedSnapshot
import Node

/// The frames that were in flight on the channels of a snapshot, in words.
enum SnapshotFrames {
    /// What was in flight on a channel, a line for each frame; empty where its receiver has no part.
    static func lines(_ snapshot: SnapshotDirectory, _ channel: SnapshotManifest.Channel) -> [String] {
        guard let receiver = snapshot.parts.first(where: { $0.state.run.node == channel.to }) else { return [] }
        for (incoming, content) in zip(receiver.part.summary.incoming, receiver.part.contents)
        where incoming.from == channel.from && incoming.number == channel.number {
            return SnapshotPart.frames(of: content).map { describe($0, from: channel.from.node, to: channel.to) }
        }
        return []
    }

    /// What a frame is, in a word or two.
    static func kind(_ bytes: [UInt8], from: NodeID, to: NodeID) -> String {
        guard let message = CutVerification.message(bytes, from: from, to: to) else {
            return bytes.withView { view in
                var consumed = 0
                guard let frame = try? PeerFrame.decode(view, payloadLimit: PeerFrame.payloadBytesMax, consumed: &consumed) else {
                    return "unreadable"
                }
                return frame.type == .proposals ? "commands" : "\(frame.type)"
            }
        }
        return switch message.body {
        case .append(let append): append.entries.isEmpty ? "append without entries" : "append"
        case .appendResponse: "append answered"
        case .heartbeat: "heartbeat"
        case .heartbeatResponse: "heartbeat answered"
        case .voteRequest: "vote request"
        case .preVoteRequest: "pre-vote request"
        case .voteResponse, .preVoteResponse: "vote"
        case .readIndexRequest: "read index request"
        case .readIndexResponse: "read index"
        case .timeoutNow: "campaign now"
        case .installSnapshot, .installSnapshotResponse: "state file notice"
        }
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
}
