import Base

/// Markers, and what follows from them.
extension SnapshotParticipant {
    // MARK: What comes

    /// The facts that a new channel begins with.
    mutating func take(_ opening: SnapshotOpening, from index: Int) {
        let peer = peers[index].node
        peers[index].incoming?.number = opening.channel
        peers[index].incoming?.colour = opening.colour
        // Runs before markers: a snapshot that names an older run is declined.
        learn(opening.runs, except: peer)
        for marker in opening.open { take(marker, from: peer, isOpening: true) }
        for id in opening.ended { take(.ended(id), from: peer, isOpening: true) }
        guard let index = position(peer), let channel = peers[index].incomingChannel else { return }
        raiseFloor(to: opening.floor, except: peer)
        for position in open.indices {
            guard let part = open[position].part,
                let source = part.sources.firstIndex(where: {
                    $0.run.node == peer && $0.end == nil && channel.from.incarnation <= $0.run.incarnation
                })
            else { continue }
            if open[position].id <= opening.floor && part.sources[source].run == channel.from {
                endSource(source, of: position, .unknown)
            } else if part.sources[source].channels.last.map({ $0.from != channel.from || $0.number != channel.number }) ?? true {
                // Else it was begun with the record, which this opening caused.
                open[position].part?.sources[source].begin(channel)
            }
        }
    }

    /// A marker on an established channel.
    mutating func take(_ marker: SnapshotMarker, previous: SnapshotID, from index: Int) {
        guard let incoming = peers[index].incoming else { return }
        if marker.id == incoming.colour { return }  // A marker that came twice.
        if previous != incoming.colour && !options.faults.contains(.ignoreColours) {
            return damage(
                index, "the marker of \(marker.id) follows \(previous), the last one was of \(incoming.colour): one was lost")
        }
        peers[index].incoming?.colour = marker.id
        take(marker, from: peers[index].node, isOpening: false)
    }

    private mutating func take(_ marker: SnapshotMarker, from peer: NodeID, isOpening: Bool) {
        if ended.contains(marker.id) || (marker.isEnded && isOver(marker.id)) { return }
        if !open.contains(where: { $0.id == marker.id }) {
            // One that an earlier run of this node began has nobody who would end it. Of one at or below the floor nobody knows whether
            // this node recorded it: it has no part in it, and passes that on, for what it sends may depend on anything.
            let isHopeless = marker.initiator == node || marker.id <= floor
            adopt(isHopeless ? .ended(marker.id) : marker, isOwn: false)
        }
        guard let position = open.firstIndex(where: { $0.id == marker.id }), let source = awaitedSource(of: peer, in: position)
        else { return }
        // Who takes it for over does not say that it recorded.
        if marker.isEnded { return endSource(source, of: position, .unknown) }
        if !isOpening, let last = open[position].part?.sources[source].channels.indices.last {
            open[position].part?.sources[source].channels[last].isEndedByMarker = true
        }
        endSource(source, of: position, isOpening ? .opening : .marker)
    }

    func isOver(_ id: SnapshotID) -> Bool {
        ended.contains(id) || (id <= floor && !open.contains { $0.id == id })
    }

    /// The index of the source for `peer` whose marker is awaited. A marker of a run that is not the named one counts for nothing.
    private func awaitedSource(of peer: NodeID, in position: Int) -> Int? {
        guard let part = open[position].part, let index = self.position(peer) else { return nil }
        return part.sources.firstIndex {
            $0.run.node == peer && $0.end == nil && peers[index].incoming.map(\.incarnation) == $0.run.incarnation
        }
    }

    // MARK: Adopting

    /// First word of a snapshot: records (or not), takes its colour and passes the marker on, in one step (rule 7.1). A node that has
    /// no part in it passes it on all the same: a message that depends on what somebody did after his record must not overtake the
    /// snapshot by way of this node.
    mutating func adopt(_ marker: SnapshotMarker, isOwn: Bool, allowsPartial: Bool = true) {
        check(!ended.contains(marker.id) && !open.contains { $0.id == marker.id }, "a snapshot is taken up once")
        check(marker.isEnded || marker.id > floor, "a snapshot that may be over is not taken up again")
        check(!isOwn || marker.initiator == node, "only the initiator begins a snapshot")
        let previous = colour
        newest = max(newest, marker.id)
        colour = marker.id
        if marker.isEnded || open.count >= options.openMax {
            remember(marker.id)
            return broadcast(.marker(.ended(marker.id), previous: previous))
        }
        var snapshot = OpenSnapshot(
            marker: marker, since: clock, timeLimit: min(marker.timeLimit, options.timeLimitMax))
        let objection = objection(to: marker)
        let takesPart = marker.member(node)?.isParticipant == true && objection == nil
        if takesPart {
            effects.append(.record(marker.id))
            snapshot.part = beginPart(marker)
        }
        if isOwn {
            let awaited = marker.members.filter(\.isParticipant).map { member -> (NodeRun, SnapshotReport?) in
                let isUnknown = member.run.incarnation == Incarnation(0)
                return (
                    member.run,
                    isUnknown ? SnapshotReport(id: marker.id, run: member.run, body: .missing(.neverHeard)) : nil
                )
            }
            snapshot.collection = .init(allowsPartial: allowsPartial, answers: awaited)
        }
        open.append(snapshot)
        sendMarkers(.marker(marker, previous: previous), marker.id)
        if takesPart && marker.isStrict { startHolding(open.count - 1) }
        if let objection { answer(open.count - 1, .missing(objection)) }
    }

    private mutating func sendMarkers(_ message: SnapshotMessage, _ id: SnapshotID) {
        guard options.faults.contains(.loseMarkers) else { return broadcast(message) }
        for peer in peers where (id.rawValue >> 22 + UInt64(peer.node.rawValue + node.rawValue)) % 3 != 0 {
            send(message, to: peer.node)
        }
    }

    /// Why this node has no part in a snapshot that asks for one.
    private func objection(to marker: SnapshotMarker) -> MissingReason? {
        guard let member = marker.member(node), member.isParticipant else { return nil }
        if options.faults.contains(.anyRunTakesPart) { return nil }
        // An earlier run may have recorded and sent frames that others took in outside the cut.
        if member.run.incarnation != options.incarnation { return .restarted }
        // A newer run of another node has forgotten this snapshot: what it sent, and what follows from it, may have come here without a marker.
        for peer in peers where peer.newestRun > (marker.member(peer.node)?.run.incarnation ?? Incarnation(0)) {
            return .newerRunMet
        }
        if open.reduce(0, { $0 + ($1.part == nil ? 0 : 1) }) >= options.recordingsMax { return .tooManyRecordings }
        return nil
    }

    private mutating func beginPart(_ marker: SnapshotMarker) -> LocalPart {
        var part = LocalPart(keptHold: marker.isStrict)
        for peer in peers {
            part.outgoing += peer.closedOutgoing
            if let outgoing = peer.outgoing {
                part.outgoing.append(OutgoingChannel(to: peer.node, number: outgoing.number, sent: outgoing.sent))
            }
        }
        for member in marker.members where member.isParticipant && member.run.node != node && member.run.incarnation.rawValue > 0
        {
            var source = LocalPart.Source(run: member.run)
            if let peer = peers.first(where: { $0.node == member.run.node }) {
                for channel in peer.closedIncoming where channel.from == member.run { source.begin(channel) }
                if let channel = peer.incomingChannel { source.begin(channel) }
            }
            part.sources.append(source)
        }
        if !part.hasAllChannels { recordings += 1 }
        return part
    }

    // MARK: Runs

    /// Notes newer runs, and tells the others ahead of every frame that may depend on them.
    mutating func learn(_ runs: [NodeRun], except source: NodeID) {
        var news: [NodeRun] = []
        for run in runs where run.node != node {
            if let index = position(run.node) {
                if run.incarnation <= peers[index].newestRun { continue }
                peers[index].newestRun = run.incarnation
            } else {
                if peers.count >= SnapshotOptions.membersMax - 1 { continue }
                let place = peers.firstIndex { $0.node > run.node } ?? peers.count
                peers.insert(SnapshotPeer(node: run.node, newestRun: run.incarnation), at: place)
            }
            news.append(run)
        }
        if news.isEmpty { return }
        let payload = SnapshotMessage.runs(news).encoded()
        for peer in peers where peer.outgoing != nil && peer.node != source {
            effects.append(.send(to: peer.node, payload: payload))
        }
    }

    /// Somebody has forgotten snapshots up to this id. What he sends may depend on what he did after recording one of them, so nobody who
    /// takes it in, or hears of it along any path, begins a part of such a one any more.
    mutating func raiseFloor(to id: SnapshotID, except source: NodeID) {
        if id <= floor { return }
        floor = id
        newest = max(newest, id)
        let payload = SnapshotMessage.floor(id).encoded()
        for peer in peers where peer.outgoing != nil && peer.node != source {
            effects.append(.send(to: peer.node, payload: payload))
        }
    }

    /// Whether the run is over, and nothing of it can come any more.
    func isGone(_ run: NodeRun) -> Bool {
        guard let index = position(run.node), peers[index].newestRun > run.incarnation else { return false }
        guard let incoming = peers[index].incoming else { return true }
        return incoming.incarnation > run.incarnation
    }
}
