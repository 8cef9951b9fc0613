import Base
import Consensus
import Database
import DistributedSnapshot

/// Links to the other nodes: dialling, the handshake, frames.
///
/// There is one link per pair of nodes; the node with the larger id dials. Both sides say hello first. Nothing else is
/// believed before the hello is checked: protocol version, cluster, who speaks and to whom.
extension Node {
    /// A link that has not said hello for this long is closed.
    static let helloTimeout = Nanoseconds.milliseconds(5_000)
    /// Links that have not said hello yet; more are refused.
    static let strangersMax = 64
    /// How often the same refusal is logged.
    static let refusalLogInterval = Nanoseconds.milliseconds(60_000)

    /// Whether this node dials `peer` (or waits to be dialled).
    func dials(_ peer: NodeID) -> Bool { id > peer }

    func peerPosition(_ peer: NodeID) -> Int? { peers.firstIndex { $0.id == peer } }

    // MARK: dialling

    /// Dials whom it is time to dial.
    func dialPeers() {
        if !isIncarnationDurable || shutdown != nil { return }
        for index in peers.indices {
            let peer = peers[index]
            if !dials(peer.id) || peer.link != nil || peer.isDialling || peer.dialAt > now.instant { continue }
            peers[index].isDialling = true
            effects.dial.append(peer.id)
        }
    }

    func peerDialled(_ link: PeerLinkID, to peer: NodeID) {
        guard let index = peerPosition(peer) else { return effects.closePeers.append(link) }
        peers[index].isDialling = false
        if peers[index].link != nil { return effects.closePeers.append(link) }
        let opened = PeerLink(id: link, isDialled: true, address: peers[index].address, peer: peer, openedAt: now.instant)
        links[link.rawValue] = opened
        peers[index].link = link
        sayHello(opened, to: peer)
    }

    func peerDialFailed(to peer: NodeID, reason: String) {
        guard let index = peerPosition(peer) else { return }
        peers[index].isDialling = false
        retryLater(index)
        if peers[index].lastFailure != reason {
            peers[index].lastFailure = reason
            log(.info, "can't reach node \(peer) at \(peers[index].address): \(reason); trying again")
        }
    }

    private func retryLater(_ index: Int) {
        peers[index].dialAt = now.instant + peers[index].retryDelay
        peers[index].retryDelay = min(Nanoseconds(peers[index].retryDelay.rawValue * 2), options.dialRetryMax)
    }

    func peerAccepted(_ link: PeerLinkID, address: String) {
        let strangers = links.values.reduce(0) { $0 + ($1.isOpen || $1.isClosing ? 0 : 1) }
        if strangers >= Node.strangersMax {
            log(.warning, "refused a peer connection from \(address): \(strangers) others have not said who they are yet")
            return effects.closePeers.append(link)
        }
        links[link.rawValue] = PeerLink(id: link, isDialled: false, address: address, peer: nil, openedAt: now.instant)
    }

    func peerClosed(_ link: PeerLinkID) {
        guard let closed = links.removeValue(forKey: link.rawValue) else { return }
        detach(closed)
    }

    /// Closes a link from this side.
    func closeLink(_ link: PeerLink) {
        guard links.removeValue(forKey: link.id.rawValue) != nil else { return }
        effects.closePeers.append(link.id)
        detach(link)
    }

    private func detach(_ link: PeerLink) {
        guard let peer = link.peer, let index = peerPosition(peer), peers[index].link == link.id else { return }
        peers[index].link = nil
        if link.isOpen {
            log(.info, "the link to node \(peer) is closed")
            channelClosed(to: peer)
            peers[index].dialAt = now.instant
            peers[index].retryDelay = options.dialRetryMin
            group.raft.peerReset(peer, isConnected: false, now: now, random: random.next())
            if group.sentTo?.leader == peer { group.sentTo = nil }
        } else {
            retryLater(index)
        }
    }

    /// Closes links that have not introduced themselves in time.
    func closeSilentLinks() {
        for link in links.values.filter({ !$0.isOpen && !$0.isClosing && $0.openedAt + Node.helloTimeout <= now.instant })
            .sorted(by: { $0.id < $1.id })
        {
            log(.warning, "closed a peer connection with \(link.address): no hello within 5 seconds")
            closeLink(link)
        }
    }

    // MARK: the handshake

    private func sayHello(_ link: PeerLink, to peer: NodeID) {
        PeerHello(clusterID: options.clusterID, sender: id, receiver: peer, incarnation: incarnation)
            .encodeFrame(into: link.output)
        listForOutput(link)
    }

    /// Why a hello is refused, in words for the operator of either side; nil when it is fine.
    private func objection(to hello: PeerHello, on link: PeerLink) -> String? {
        if hello.version != PeerHello.protocolVersion {
            return "peer protocol version \(hello.version) is not \(PeerHello.protocolVersion): run the same release on all nodes"
        }
        if hello.clusterID != options.clusterID {
            return "cluster id \(hello.clusterID) is not \(options.clusterID): it belongs to another cluster"
        }
        if hello.receiver != id { return "it looks for node \(hello.receiver), this is node \(id): check the list of peers" }
        if hello.incarnation.rawValue == 0 { return "a node's first run is 1, not 0" }
        if peerPosition(hello.sender) == nil { return "node \(hello.sender) is not a member of this cluster" }
        if let peer = link.peer, peer != hello.sender {
            return "node \(hello.sender) answers at the address of node \(peer): check the list of peers"
        }
        return nil
    }

    /// Tells the other side why its hello is refused, and closes. The link stays until the driver has sent that and reports its
    /// end.
    private func refuse(_ link: PeerLink, _ objection: String) {
        // A node with a mistake in its options dials again and again: one line a minute for each mistake.
        if refusals.count >= Node.strangersMax { refusals.removeAll(keepingCapacity: true) }
        if refusals[objection].map({ now.instant - $0 >= Node.refusalLogInterval }) ?? true {
            refusals[objection] = now.instant
            log(.warning, "refused the peer at \(link.address): \(objection)")
        }
        let start = PeerFrame.begin(.refusal, group: .first, colour: .none, in: link.output)
        link.output.append(text: objection)
        PeerFrame.end(start, in: link.output)
        listForOutput(link)
        link.isClosing = true
        effects.closePeers.append(link.id)
    }

    /// The other side says why it refused this node's hello.
    private func refused(_ reason: String, on link: PeerLink) {
        if let peer = link.peer, let index = peerPosition(peer) {
            if peers[index].lastFailure == reason { return }
            peers[index].lastFailure = reason
        }
        log(.error, "the node at \(link.address) refused this one: \(reason)")
    }

    private func greeted(_ hello: PeerHello, on link: PeerLink) {
        if let objection = objection(to: hello, on: link) {
            return refuse(link, objection)
        }
        guard let index = peerPosition(hello.sender) else { return closeLink(link) }
        if let earlier = peers[index].link, earlier != link.id, let old = links[earlier.rawValue] {
            // The peer opened a new link before the end of the old one was noticed here.
            closeLink(old)
        }
        link.peer = hello.sender
        link.isOpen = true
        if !link.isDialled { sayHello(link, to: hello.sender) }
        peers[index].link = link.id
        peers[index].incarnation = hello.incarnation
        peers[index].retryDelay = options.dialRetryMin
        peers[index].lastFailure = ""
        log(.info, "linked with node \(hello.sender), run \(hello.incarnation), at \(link.address)")
        channelOpened(to: hello.sender, incarnation: hello.incarnation, on: link)
        group.raft.peerReset(hello.sender, isConnected: true, now: now, random: random.next())
        if group.sentTo?.leader == hello.sender { group.sentTo = nil }
    }

    // MARK: frames

    func peerBytes(_ link: PeerLinkID, _ bytes: ByteView) {
        guard let link = links[link.rawValue], !link.isClosing else { return }
        if !isIncarnationDurable {
            // A hello names this run: it is not spoken before the run's start is on disk.
            if link.input.count > PeerFrame.helloBytesMax * 4 { return closeLink(link) }
            return link.input.append(bytes)
        }
        // Frames are taken in place when no earlier piece waits.
        if link.input.isEmpty {
            let consumed = takeFrames(link, bytes)
            if links[link.id.rawValue] != nil { link.input.append(bytes.dropFirst(consumed)) }
        } else {
            link.input.append(bytes)
            let consumed = takeFrames(link, link.input.view)
            if links[link.id.rawValue] != nil {
                link.input.consume(consumed)
                if link.input.isEmpty { link.input.removeAll() }
            }
        }
        noteSignOfLife(link)
    }

    /// A large frame from the leader holds up its heartbeats for as long as it takes. Its bytes are as good a sign that the
    /// leader lives, so a piece of a frame counts as a heartbeat that says nothing else. That only delays an election; and the
    /// answer to it keeps the leader from giving up because nobody answers (thesis, section 6.2).
    private func noteSignOfLife(_ link: PeerLink) {
        guard !link.input.isEmpty, link.isOpen, let peer = link.peer, peer == group.raft.leader,
            now.instant - link.signOfLifeAt >= options.raft.heartbeatInterval
        else { return }
        link.signOfLifeAt = now.instant
        let heartbeat = Message(
            from: peer, to: id, term: group.raft.term, body: .heartbeat(.init(commitIndex: .zero, readRound: 0)))
        group.raft.receive(heartbeat, now: now, random: random.next())
    }

    /// Takes what came on links before this node could speak.
    func resumeLinks() {
        for link in links.values.sorted(by: { $0.id < $1.id }) where !link.input.isEmpty { peerBytes(link.id, .empty) }
    }

    /// Takes whole frames from the front of `input`; returns the bytes taken.
    private func takeFrames(_ link: PeerLink, _ input: ByteView) -> Int {
        var offset = 0
        while links[link.id.rawValue] != nil && !link.isClosing {
            let limit = link.isOpen ? PeerFrame.payloadBytesMax : PeerFrame.helloBytesMax
            var consumed = 0
            do throws(PeerFrame.DecodingError) {
                guard let frame = try PeerFrame.decode(input.dropFirst(offset), payloadLimit: limit, consumed: &consumed)
                else { break }
                offset += consumed
                statistics.peerFramesIn += 1
                take(frame, on: link)
            } catch {
                log(.warning, "closed the link with \(link.address): \(error)")
                closeLink(link)
            }
        }
        return offset
    }

    private func take(_ frame: PeerFrame, on link: PeerLink) {
        guard link.isOpen, let peer = link.peer else {
            switch frame.type {
            case .hello:
                if let hello = PeerHello(payload: frame.payload) { return greeted(hello, on: link) }
                log(.warning, "closed the peer connection with \(link.address): its hello is malformed")
            case .refusal:
                refused(frame.payload.text, on: link)
            default:
                log(.warning, "closed the peer connection with \(link.address): it did not say hello first")
            }
            return closeLink(link)
        }
        if frame.type.isCounted && !admits(frame, from: peer, on: link) { return }
        switch frame.type {
        case .raft where frame.group == group.id:
            guard let message = MessageCodec.decode(frame.payload, from: peer, to: id) else {
                log(.warning, "closed the link with node \(peer): a Raft message is malformed")
                return closeLink(link)
            }
            group.raft.receive(message, now: now, random: random.next())
        case .proposals where frame.group == group.id:
            takeProposals(frame.payload, from: peer, on: link)
        case .snapshot where frame.group == group.id:
            takeSnapshotMessage(frame.payload, from: peer)
        case .stateFileRequest where frame.group == group.id:
            takeStateFileRequest(frame.payload, from: peer, on: link)
        case .stateFilePiece where frame.group == group.id:
            takeStateFilePiece(frame.payload, from: peer, on: link)
        default:
            log(
                .warning,
                "closed the link with node \(peer): a frame of type \(frame.type) for group \(frame.group) is out of place")
            closeLink(link)
        }
    }

    /// The open link to `peer`, or nil.
    func openLink(to peer: NodeID) -> PeerLink? {
        guard let index = peerPosition(peer), let id = peers[index].link, let link = links[id.rawValue], link.isOpen
        else { return nil }
        return link
    }

    func listForOutput(_ link: PeerLink) {
        if link.isListedForOutput { return }
        link.isListedForOutput = true
        effects.peerOutput.append(link.id)
    }

    /// Puts a Raft message on its link. Without one it is lost, which Raft is made for.
    func send(_ message: Message) {
        guard let link = openLink(to: message.to) else { return }
        if link.output.count > options.limits.peerOutputBytesMax {
            log(.warning, "closed the link to node \(message.to): \(link.output.count) bytes wait to be sent, over the limit")
            return closeLink(link)
        }
        let start = beginFrame(.raft, to: message.to, on: link)
        MessageCodec.encode(message, into: link.output)
        endFrame(start, on: link)
    }
}
