import Base

/// What the initiator makes of the parts: who is in the cut, what each channel held, and whether the counts agree.
///
/// The counts are a proof that the cut is consistent, made anew in every snapshot: of no channel was more received than sent, and
/// where the marker came on the channel itself, what was sent is exactly what was received and what was in flight.
package struct SnapshotManifest: Equatable, Sendable {
    package var id: SnapshotID
    package var initiator: NodeID
    package var outcome: SnapshotOutcome
    /// The cut is a point in real time: asked for, complete, and every node held its replies long enough.
    package var isStrict: Bool
    /// Every participant's part, by node.
    package var parts: [Part]
    package var missing: [Missing]
    /// Channels between nodes whose parts are there.
    package var channels: [Channel]
    /// Where the counts contradict each other. Never empty means a bug in this module or a damaged report.
    package var contradictions: [String]

    package struct Part: Equatable, Sendable {
        package var run: NodeRun
        package var summary: PartSummary
    }

    package struct Missing: Equatable, Sendable {
        package var node: NodeID
        package var reason: MissingReason
    }

    /// The state of one channel in the cut.
    package struct Channel: Equatable, Sendable {
        package var from: NodeRun
        package var to: NodeID
        package var number: UInt64
        /// Delivered before the receiver's record.
        package var delivered: UInt64
        /// In flight, and recorded by the receiver.
        package var inFlight: UInt64
        package var inFlightBytes: UInt64
        /// Sent before the sender's record and never received, because the channel was reset. Nil: not known, because the sender's
        /// part is of a later run or no longer counts the channel.
        package var lost: UInt64?
        /// Whether `inFlight` is all there was, with its content.
        package var isExact: Bool
    }

    /// Puts a cut together.
    ///
    /// - Parameters:
    ///   - marker: the snapshot's.
    ///   - reports: of participants, one each, ascending by node.
    init(marker: SnapshotMarker, reports: [SnapshotReport], allowsPartial: Bool) {
        id = marker.id
        initiator = marker.initiator
        parts = []
        missing = []
        channels = []
        contradictions = []
        for report in reports {
            check(report.id == marker.id, "a report belongs to its snapshot")
            switch report.body {
            case .part(let summary): parts.append(Part(run: report.run, summary: summary))
            case .missing(let reason): missing.append(Missing(node: report.run.node, reason: reason))
            }
        }
        var isExact = true
        for part in parts {
            for source in part.summary.sources where !source.end.isExact { isExact = false }
            for incoming in part.summary.incoming {
                if incoming.isTruncated { isExact = false }
                let sender = parts.first { $0.run.node == incoming.from.node }
                guard let sender else { continue }
                if SnapshotManifest.isLater(incoming, than: sender, to: part.run.node) {
                    // It was opened after the sender's record: it is not in the cut, and neither may be what came on it.
                    if incoming.delivered > 0 || incoming.inFlight > 0 {
                        contradictions.append(
                            "channel \(incoming.from.node) -> \(part.run.node), number \(incoming.number): opened after its sender's record, "
                                + "and \(incoming.delivered) frames are delivered, \(incoming.inFlight) in flight")
                    }
                    continue
                }
                let channel = SnapshotManifest.channel(incoming, of: part, sender: sender)
                if let contradiction = SnapshotManifest.contradiction(incoming, channel, sender) {
                    contradictions.append(contradiction)
                }
                channels.append(channel)
            }
        }
        isStrict = marker.isStrict && parts.allSatisfy(\.summary.isStrict) && missing.isEmpty
        if !contradictions.isEmpty || parts.isEmpty {
            outcome = .aborted
        } else if missing.isEmpty && isExact {
            outcome = .complete
        } else {
            outcome = allowsPartial ? .partial : .aborted
        }
        if outcome != .complete { isStrict = false }
    }

    /// Whether a channel is newer than its sender's record.
    private static func isLater(_ incoming: IncomingChannel, than sender: Part, to node: NodeID) -> Bool {
        if incoming.from.incarnation != sender.run.incarnation { return false }
        let newest = sender.summary.outgoing.reduce(0) { $1.to == node ? max($0, $1.number) : $0 }
        return incoming.number > newest
    }

    private static func sent(on incoming: IncomingChannel, to node: NodeID, by sender: Part) -> UInt64? {
        if incoming.from.incarnation != sender.run.incarnation { return nil }
        return sender.summary.outgoing.first { $0.to == node && $0.number == incoming.number }?.sent
    }

    private static func channel(_ incoming: IncomingChannel, of part: Part, sender: Part) -> Channel {
        let end = part.summary.sources.first { $0.from == incoming.from.node }?.end
        let (received, overflow) = incoming.delivered.addingReportingOverflow(incoming.inFlight)
        let sent = sent(on: incoming, to: part.run.node, by: sender)
        var lost: UInt64?
        if let sent, !overflow, sent >= received { lost = sent - received }
        return Channel(
            from: incoming.from, to: part.run.node, number: incoming.number, delivered: incoming.delivered,
            inFlight: incoming.inFlight, inFlightBytes: incoming.inFlightBytes, lost: lost,
            isExact: end?.isExact == true && !incoming.isTruncated)
    }

    private static func contradiction(_ incoming: IncomingChannel, _ channel: Channel, _ sender: Part) -> String? {
        guard let sent = sent(on: incoming, to: channel.to, by: sender) else {
            // A channel with its marker on it was open at the sender's record: the sender lists it.
            return incoming.isEndedByMarker
                ? "channel \(incoming.from.node) -> \(channel.to), number \(channel.number): it had a marker and the sender does not list it"
                : nil
        }
        let place = "channel \(incoming.from.node) -> \(channel.to), number \(channel.number)"
        let numbers = "\(sent) sent, \(incoming.delivered) delivered, \(incoming.inFlight) in flight"
        if incoming.delivered > sent { return "\(place): more received than sent: \(numbers)" }
        if !channel.isExact && !incoming.isTruncated { return nil }
        if channel.lost == nil { return "\(place): more received and in flight than sent: \(numbers)" }
        if incoming.isEndedByMarker && channel.lost != 0 { return "\(place): frames are missing before its marker: \(numbers)" }
        return nil
    }
}
