import Base
import Consensus
import Database
import DistributedSnapshot

/// Checks a cut: what must hold of every consistent picture of a cluster (DESIGN, rule 7.9), from the manifest and the parts alone.
package struct CutVerification {
    /// One invariant, and what was looked at.
    package struct Check: Equatable, Sendable {
        package let name: String
        /// What was counted: "channels", "entries".
        package let items: String
        package internal(set) var count = 0
        /// Empty when it holds.
        package internal(set) var problems: [String] = []
    }

    package private(set) var checks: [Check] = []
    package var holds: Bool { checks.allSatisfy(\.problems.isEmpty) }

    private let manifest: SnapshotManifest
    private let parts: [SnapshotPartFile]

    /// - Parameter parts: those that are there, in order of their nodes.
    package init(_ manifest: SnapshotManifest, _ parts: [SnapshotPartFile]) {
        self.manifest = manifest
        self.parts = parts
        check("the parts are the ones that the manifest names", "parts", checkParts)
        check("no frame is received that was not sent; what is in flight is there", "frames", checkChannels)
        check("a term has one leader", "leaders and messages", checkLeaders)
        check("logs that share an entry are equal before it", "entries", checkLogs)
        check("equal applied indexes have equal databases", "pairs", checkDigests)
        check("what is committed is in the logs of a majority", "commit indexes", checkCommits)
    }

    private mutating func check(_ name: String, _ items: String, _ body: (inout Check) -> Void) {
        var check = Check(name: name, items: items)
        body(&check)
        checks.append(check)
    }

    private func checkParts(_ check: inout Check) {
        if !manifest.contradictions.isEmpty { check.problems += manifest.contradictions }
        for listed in manifest.parts {
            guard let found = parts.first(where: { $0.part.run.node == listed.run.node }) else {
                check.problems.append("the part of node \(listed.run.node) is missing")
                continue
            }
            check.count += 1
            if found.part.id != manifest.id {
                check.problems.append("node \(listed.run.node): its part is of snapshot \(found.part.id)")
            } else if found.part.run != listed.run || found.part.summary != listed.summary {
                check.problems.append("node \(listed.run.node): its part is not the one that the manifest names")
            }
        }
        for part in parts where !manifest.parts.contains(where: { $0.run.node == part.part.run.node }) {
            check.problems.append("node \(part.part.run.node) has a part that the manifest does not name")
        }
    }

    private func checkChannels(_ check: inout Check) {
        for receiver in parts {
            for (channel, content) in zip(receiver.part.summary.incoming, receiver.part.contents) {
                let name = "channel \(channel.from.node) -> \(receiver.part.run.node), number \(channel.number)"
                let sender = parts.first { $0.part.run == channel.from }
                let sent = sender?.part.summary.outgoing.first {
                    $0.to == receiver.part.run.node && $0.number == channel.number
                }?.sent
                check.count += Int(clamping: channel.delivered) + Int(clamping: channel.inFlight)
                if let sent, channel.delivered + channel.inFlight > sent {
                    check.problems.append(
                        "\(name): \(sent) sent, \(channel.delivered) delivered, \(channel.inFlight) in flight")
                }
                if channel.isTruncated { continue }
                let frames = SnapshotPart.frames(of: content)
                if UInt64(frames.count) != channel.inFlight {
                    check.problems.append("\(name): \(frames.count) frames of \(channel.inFlight) are there")
                }
                for frame in frames where !CutVerification.isFrame(frame) {
                    check.problems.append("\(name): a frame in flight can't be read")
                }
            }
        }
    }

    private static func isFrame(_ bytes: [UInt8]) -> Bool {
        bytes.withView { view in
            var consumed = 0
            guard let frame = try? PeerFrame.decode(view, payloadLimit: PeerFrame.payloadBytesMax, consumed: &consumed) else {
                return false
            }
            return consumed == view.count && frame.type.isCounted
        }
    }

    /// Whoever leads, or leads by what is in flight from it.
    private func checkLeaders(_ check: inout Check) {
        var leaders: [(term: Term, node: NodeID, how: String)] = []
        func note(_ term: Term, _ node: NodeID, _ how: String) {
            check.count += 1
            if let other = leaders.first(where: { $0.term == term && $0.node != node }) {
                check.problems.append("term \(term): node \(node) \(how), node \(other.node) \(other.how)")
            }
            leaders.append((term, node, how))
        }
        for part in parts where part.state.role == .leader { note(part.state.term, part.state.run.node, "leads") }
        for part in parts { if let leader = part.state.leader { note(part.state.term, leader, "is followed") } }
        for receiver in parts {
            for (channel, content) in zip(receiver.part.summary.incoming, receiver.part.contents) {
                for frame in SnapshotPart.frames(of: content) {
                    guard let message = CutVerification.message(frame, from: channel.from.node, to: receiver.part.run.node)
                    else { continue }
                    switch message.body {
                    case .append, .heartbeat: note(message.term, message.from, "has sent as leader")
                    default: break
                    }
                }
            }
        }
    }

    /// The Raft message in a frame; nil when it holds something else.
    package static func message(_ bytes: [UInt8], from: NodeID, to: NodeID) -> Message? {
        bytes.withView { view in
            var consumed = 0
            guard let frame = try? PeerFrame.decode(view, payloadLimit: PeerFrame.payloadBytesMax, consumed: &consumed),
                frame.type == .raft
            else { return nil }
            return MessageCodec.decode(frame.payload, from: from, to: to)
        }
    }

    // MARK: logs

    private func checkLogs(_ check: inout Check) {
        for (position, one) in parts.enumerated() {
            for other in parts[(position + 1)...] { compare(one.state, other.state, &check) }
        }
    }

    /// Logs match up to the last entry that they share (paper, Figure 3): there all terms before it are equal, and the entries.
    private func compare(_ one: LocalState, _ other: LocalState, _ check: inout Check) {
        let first = max(one.baseIndex, other.baseIndex).next
        var shared = min(one.lastIndex, other.lastIndex)
        while shared >= first, one.logTerm(at: shared) != other.logTerm(at: shared) { shared = shared.previous }
        if shared < first { return }
        let names = "nodes \(one.run.node) and \(other.run.node)"
        check.count += Int(shared.rawValue - first.rawValue) + 1
        // Runs of equal terms that both logs hold: it is enough to look where a run begins.
        for run in one.termRuns + other.termRuns where run.first >= first && run.first <= shared {
            if one.logTerm(at: run.first) != other.logTerm(at: run.first) {
                check.problems.append("\(names) share entry \(shared) and differ at entry \(run.first)")
            }
        }
        for entry in one.tail where entry.index <= shared {
            guard let same = other.tail.first(where: { $0.index == entry.index }) else { continue }
            if same != entry { check.problems.append("\(names) hold different entries \(entry.index) of one term") }
        }
    }

    private func checkDigests(_ check: inout Check) {
        for (position, one) in parts.enumerated() {
            for other in parts[(position + 1)...] where one.state.appliedIndex == other.state.appliedIndex {
                check.count += 1
                if one.part.summary.stateDigest != other.part.summary.stateDigest {
                    check.problems.append(
                        "nodes \(one.state.run.node) and \(other.state.run.node) have applied \(one.state.appliedIndex) and hold different databases"
                    )
                }
            }
        }
    }

    /// Nodes whose parts are missing may have any log.
    private func checkCommits(_ check: inout Check) {
        for part in parts {
            let state = part.state
            let voters = part.header.configuration.voters
            guard state.commitIndex > state.baseIndex, let term = state.logTerm(at: state.commitIndex) else { continue }
            check.count += 1
            let present = parts.filter { voters.contains($0.state.run.node) }
            let holders = present.count {
                $0.state.baseIndex >= state.commitIndex || $0.state.logTerm(at: state.commitIndex) == term
            }
            if holders + voters.count - present.count <= voters.count / 2 {
                check.problems.append(
                    "node \(state.run.node) has committed entry \(state.commitIndex), which \(holders) of \(voters.count) nodes hold"
                )
            }
        }
    }
}

extension LocalState {
    /// The term of an entry of the log; nil outside of it.
    package func logTerm(at index: LogIndex) -> Term? {
        if index == baseIndex { return baseTerm }
        guard index > baseIndex, index <= lastIndex else { return nil }
        return termRuns.last { $0.first <= index }?.term
    }
}
