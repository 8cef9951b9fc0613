import Base

@testable import Consensus

/// How scenario files put things.
enum Words {
    static func message(_ message: Message) -> String {
        "\(message.from) -> \(message.to) term \(message.term): \(body(message.body))"
    }

    static func body(_ body: Message.Body) -> String {
        switch body {
        case .preVoteRequest(let request): "pre-vote? \(self.request(request))"
        case .preVoteResponse(let granted): granted ? "pre-vote granted" : "pre-vote refused"
        case .voteRequest(let request): "vote? \(self.request(request))"
        case .voteResponse(let granted): granted ? "vote granted" : "vote refused"
        case .append(let append): self.append(append)
        case .appendResponse(let response): self.response(response)
        case .heartbeat(let heartbeat): "heartbeat commit \(heartbeat.commitIndex)\(round(heartbeat.readRound))"
        case .heartbeatResponse(let number): "heartbeat answer\(round(number))"
        case .readIndexRequest(let id): "read index? for \(id)"
        case .readIndexResponse(let id, let index, _): "read index \(index) for \(id)"
        case .timeoutNow: "campaign now"
        case .installSnapshot(let index, let term): "state file \(index)/\(term)"
        case .installSnapshotResponse(let index, let succeeded):
            "state file \(index) \(succeeded ? "installed" : "failed")"
        }
    }

    private static func request(_ request: Message.VoteRequest) -> String {
        "last \(request.lastIndex)/\(request.lastTerm)\(request.isTransfer ? " (transfer)" : "")"
    }

    private static func append(_ append: Message.Append) -> String {
        var text = "append after \(append.previousIndex)/\(append.previousTerm)"
        text += append.entries.isEmpty ? " nothing" : " \(entries(append.entries))"
        return text + " commit \(append.commitIndex)\(round(append.readRound))"
    }

    private static func response(_ response: Message.AppendResponse) -> String {
        switch response.outcome {
        case .accepted(let matchIndex): "accepted through \(matchIndex)\(round(response.readRound))"
        case .rejected(let previousIndex, let hintIndex, let hintTerm):
            "rejected after \(previousIndex), try \(hintIndex)/\(hintTerm)\(round(response.readRound))"
        }
    }

    private static func round(_ number: UInt64) -> String { number == 0 ? "" : " round \(number)" }

    static func entries(_ entries: [Entry]) -> String {
        let words = entries.map { entry in
            let text = entry.kind == .empty ? "empty" : String(decoding: entry.payload, as: UTF8.self)
            return "\(entry.index)/\(entry.term):\(text)"
        }
        return "[" + words.joined(separator: " ") + "]"
    }

    static func write(_ write: RaftEffects.Persist) -> String {
        var parts: [String] = []
        if let state = write.hardState { parts.append("term \(state.term) vote \(node(state.vote))") }
        if !write.entries.isEmpty { parts.append(entries(write.entries)) }
        return "write \(write.sequence): " + parts.joined(separator: ", ")
    }

    static func node(_ node: NodeID?) -> String { node.map { "\($0)" } ?? "-" }

    static func role(_ raft: Raft) -> String {
        switch raft.role {
        case .follower: "follower"
        case .preCandidate: "pre-candidate"
        case .candidate: "candidate"
        case .leader: "leader"
        }
    }

    static func status(_ raft: Raft) -> String {
        "\(role(raft)) term \(raft.term) vote \(node(raft.vote)) leader \(node(raft.leader))"
            + " log \(raft.lastIndex)/\(raft.lastTerm) durable \(raft.durableIndex) commit \(raft.commitIndex)"
    }
}
