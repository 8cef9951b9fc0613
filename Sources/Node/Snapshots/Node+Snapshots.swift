import Base
import Consensus
import DistributedSnapshot

/// Distributed snapshots (DESIGN, section 7): the participant is told of every channel and every frame, and what it asks for is carried out
/// before anything else is sent or taken in. Nothing here knows the algorithm.
extension Node {
    // MARK: channels

    /// The link to `peer` has finished its handshake.
    func channelOpened(to peer: NodeID, incarnation: Incarnation, on link: PeerLink) {
        channelEvents?.append(.opened(link.id))
        tellParticipant { $0.channelOpened(peer, incarnation: incarnation, now: now.instant) }
        guard links[link.id.rawValue] != nil else { return }
        for frame in framesToSendFirst where frame.to == peer {
            let start = beginFrame(frame.type, to: peer, on: link)
            link.output.append(frame.payload)
            endFrame(start, on: link)
        }
        framesToSendFirst.removeAll { $0.to == peer }
    }

    func channelClosed(to peer: NodeID) { tellParticipant { $0.channelClosed(peer, now: now.instant) } }

    /// Begins a frame for `peer`, whose link is open; `endFrame` follows at once.
    func beginFrame(_ type: PeerFrameType, to peer: NodeID, on link: PeerLink) -> Int {
        PeerFrame.begin(type, group: group.id, colour: participant.frameSent(to: peer), in: link.output)
    }

    /// Ends the frame that began at `start`, and has it sent.
    func endFrame(_ start: Int, on link: PeerLink) {
        PeerFrame.end(start, in: link.output)
        statistics.peerFramesOut += 1
        if channelEvents != nil {
            let checksum = link.output.view.integer(at: start + 4, as: UInt32.self)
            channelEvents?.append(.sent(link.id, checksum: checksum))
        }
        listForOutput(link)
    }

    /// Whether a frame may be taken in. If not, its link is closed.
    func admits(_ frame: PeerFrame, from peer: NodeID, on link: PeerLink) -> Bool {
        let verdict = participant.frameArrived(from: peer, colour: frame.colour, bytes: frame.bytes)
        if participant.hasEffects { carryOutSnapshotEffects() }
        if verdict == .refuse {
            closeLink(link)
            return false
        }
        if channelEvents != nil {
            channelEvents?.append(.delivered(link.id, checksum: frame.bytes.integer(at: 4, as: UInt32.self)))
        }
        return true
    }

    /// A frame with a snapshot message has come.
    func takeSnapshotMessage(_ payload: ByteView, from peer: NodeID) {
        sendPending()
        tellParticipant { $0.messageArrived(from: peer, payload: payload, now: now.instant) }
    }

    /// Puts on the links what consensus has decided to send: it was decided before the record that may follow, so it belongs
    /// before it on the channels too.
    private func sendPending() { drainRaft() }

    // MARK: beginning, going on

    /// Begins a snapshot of all members.
    func beginSnapshot(_ request: SnapshotRequest) throws(SnapshotRefusal) -> SnapshotID {
        sendPending()
        let id = try participant.initiate(request, now: now)
        if participant.hasEffects { carryOutSnapshotEffects() }
        return id
    }

    /// False when it is not open, or was begun elsewhere.
    func abortSnapshot(_ id: SnapshotID) -> Bool {
        let isAborted = participant.abort(id, now: now.instant)
        if participant.hasEffects { carryOutSnapshotEffects() }
        return isAborted
    }

    /// At the end of a turn: what is due, and the next slices of the parts.
    func continueSnapshots(slice: Int) {
        if participant.nextDeadline <= now.instant { tellParticipant { $0.tick(now: now.instant) } }
        continueParts(slice: slice)
    }

    // MARK: effects

    func tellParticipant(_ body: (inout SnapshotParticipant) -> Void) {
        body(&participant)
        if participant.hasEffects { carryOutSnapshotEffects() }
    }

    /// Carries out what the participant asks for until it asks for nothing more. What an effect leads to comes behind those that
    /// were asked for before it.
    private func carryOutSnapshotEffects() {
        if isCarryingOutSnapshotEffects { return }
        isCarryingOutSnapshotEffects = true
        defer { isCarryingOutSnapshotEffects = false }
        while participant.hasEffects {
            for effect in participant.takeEffects() { carryOut(effect) }
        }
    }

    private func carryOut(_ effect: SnapshotEffect) {
        switch effect {
        case .record(let id):
            recordPart(id)
            channelEvents?.append(.recorded(id))
        case .send(let peer, let payload):
            guard let link = openLink(to: peer) else { return }
            let start = PeerFrame.begin(.snapshot, group: group.id, colour: participant.colour, in: link.output)
            link.output.append(payload)
            PeerFrame.end(start, in: link.output)
            statistics.peerFramesOut += 1
            listForOutput(link)
        case .holdReplies: holdReplies()
        case .releaseReplies: releaseReplies()
        case .reset(let peer, _): if let link = openLink(to: peer) { closeLink(link) }
        case .partComplete(let part):
            takePart(part)
            channelEvents?.append(.partMade(part))
        case .finished(let manifest):
            storeManifest(manifest)
            channelEvents?.append(.concluded(manifest))
            log(.notice, Node.describe(manifest))
        case .ended(let id, let outcome):
            // A part whose channels have not ended by now never gets them.
            let isWhole = partJobs.contains { $0.id == id && $0.part != nil }
            if outcome == .aborted || outcome == .unknown || !isWhole { dropPart(id) }
            archive.end(id, outcome, now: now)
            channelEvents?.append(.ended(id, outcome))
        case .log(let line): log(.warning, line)
        }
    }

    /// A line for the operator.
    private static func describe(_ manifest: SnapshotManifest) -> String {
        let inFlight = manifest.channels.reduce(0) { $0 + $1.inFlight }
        let missing = manifest.missing.map { "; node \($0.node): \($0.reason)" }.joined()
        return "snapshot \(manifest.id) is \(manifest.outcome)\(manifest.isStrict ? " and strict" : ""): "
            + "\(manifest.parts.count) parts, \(inFlight) frames in flight\(missing)"
    }
}
