import Base

/// Channels and what comes on them.
extension SnapshotParticipant {
    /// A link to `peer` in its run `incarnation` is open: it has two new, empty channels. The effects begin with the opening, which
    /// must be the first frame on it behind the handshake.
    package mutating func channelOpened(_ peer: NodeID, incarnation: Incarnation, now: Instant) {
        check(peer != node && incarnation.rawValue > 0, "a link leads to another node's run")
        advance(now)
        learn([NodeRun(peer, incarnation)], except: peer)
        guard let index = position(peer) else { return check(false, "a node that was learnt is known") }
        check(peers[index].incoming == nil && peers[index].outgoing == nil, "a peer has one link at a time")
        peers[index].incoming = SnapshotPeer.Incoming(incarnation: incarnation)
        peers[index].channelsOpened += 1
        peers[index].outgoing = SnapshotPeer.Outgoing(number: peers[index].channelsOpened)
        let opening = SnapshotOpening(
            channel: peers[index].channelsOpened, colour: colour, floor: floor,
            open: options.faults.contains(.noMarkersAtOpening) ? [] : open.map(\.marker), ended: ended, runs: runs)
        send(.opening(opening), to: peer)
        for snapshot in open {
            guard snapshot.marker.initiator == peer, let report = snapshot.report else { continue }
            send(.report(report), to: peer)
        }
        settle()
    }

    /// The link to `peer` is gone. Recordings keep what came; the markers are awaited on the next channel.
    package mutating func channelClosed(_ peer: NodeID, now: Instant) {
        advance(now)
        guard let index = position(peer), peers[index].outgoing != nil else { return }
        peers[index].close()
        settle()
    }

    /// A frame is encoded for `peer`: counts it, and gives the colour for its header.
    package mutating func frameSent(to peer: NodeID) -> SnapshotID {
        guard let index = position(peer), peers[index].outgoing != nil else {
            check(false, "frames are sent on open channels")
            return colour
        }
        peers[index].outgoing?.sent += 1
        return colour
    }

    /// A frame has come from `peer`, and is taken in only if the answer says so (rule 7.3). While its channel is recorded, its bytes
    /// become part of the channel's state (rule 7.2; Chandy and Lamport, section 3.1, the marker-receiving rule).
    package mutating func frameArrived(from peer: NodeID, colour: SnapshotID, bytes: ByteView) -> FrameVerdict {
        guard let index = position(peer), let incoming = peers[index].incoming else { return .refuse }
        if incoming.isBroken { return .refuse }
        if incoming.number == nil {
            damage(index, "a frame came before the channel's opening")
            return .refuse
        }
        if colour != incoming.colour && !options.faults.contains(.ignoreColours) {
            // The frame was sent after a record whose marker this node did not get here: to deliver it could put its receipt into a
            // cut that its sending is not in. The next channel begins with all the markers.
            damage(index, "a frame has colour \(colour), the last marker was of \(incoming.colour): a marker was lost")
            return .refuse
        }
        peers[index].incoming?.delivered = incoming.delivered + 1
        if recordings > 0 { keep(bytes, from: index) }
        return .deliver
    }

    /// A frame with a `SnapshotMessage` has come from `peer`. Such frames are not part of any channel's state.
    package mutating func messageArrived(from peer: NodeID, payload: ByteView, now: Instant) {
        advance(now)
        guard let index = position(peer), let incoming = peers[index].incoming, !incoming.isBroken else { return }
        guard let message = SnapshotMessage.decode(payload) else { return damage(index, "a snapshot message is malformed") }
        if case .opening(let opening) = message {
            if incoming.number != nil { return damage(index, "a second opening came") }
            take(opening, from: index)
        } else if incoming.number == nil {
            return damage(index, "a snapshot message came before the channel's opening")
        } else {
            switch message {
            case .opening: break
            case .marker(let marker, let previous): take(marker, previous: previous, from: index)
            case .runs(let runs): learn(runs, except: peer)
            case .floor(let id): raiseFloor(to: id, except: peer)
            case .report(let report): take(report, from: peer)
            case .end(let id, let outcome): take(end: id, outcome, from: peer)
            }
        }
        settle()
    }

    /// Nothing more is believed on this link.
    mutating func damage(_ index: Int, _ reason: String) {
        if peers[index].incoming?.isBroken == true { return }
        peers[index].incoming?.isBroken = true
        effects.append(.log("the link with node \(peers[index].node) is reset: \(reason)"))
        effects.append(.reset(peers[index].node, reason: reason))
    }

    /// Appends a frame to every recording of its channel.
    private mutating func keep(_ bytes: ByteView, from peerIndex: Int) {
        let peer = peers[peerIndex].node
        guard let incoming = peers[peerIndex].incoming else { return }
        for index in open.indices {
            guard let part = open[index].part,
                let source = part.sources.firstIndex(where: { $0.run.node == peer && $0.end == nil }),
                let channel = part.sources[source].channels.last, channel.number == incoming.number,
                channel.from.incarnation == incoming.incarnation
            else { continue }
            if options.faults.contains(.stopRecordingEarly) && channel.inFlight > 0 { continue }
            let limit = min(options.channelBytesMax, open[index].marker.channelBytesMax)
            let dropped = open[index].part?.sources[source].append(
                bytes, limit: limit, total: &recordedBytes, totalLimit: options.recordedBytesMax)
            if dropped == true {
                effects.append(
                    .log(
                        "snapshot \(open[index].id): the state of the channel from node \(peer) is over the limit and is dropped")
                )
            }
        }
    }
}
