import Base

/// One node's part in the distributed snapshots of its cluster. A value without any reference to the outside: call it, then take its
/// effects (`takeEffects`) and carry them out before anything else is sent or taken in.
///
/// What the owner reports:
/// - `channelOpened`, `channelClosed`: a link to a peer has finished its handshake, or is gone (both directions at once).
/// - `frameSent` for each frame it encodes; the result is the colour for the frame's header.
/// - `frameArrived` for each frame, *before* taking it in; `messageArrived` for a frame that carries a `SnapshotMessage`.
/// - `initiate`, `abort`; `recordWritten`, `recordFailed`, `partStored`; `tick` when `nextDeadline` has come.
///
/// Time that goes back is taken as standing still.
package struct SnapshotParticipant: Sendable {
    package let options: SnapshotOptions
    package var node: NodeID { options.node }
    /// The other nodes, by number. Grows as they are heard of; never shrinks in a run.
    var peers: [SnapshotPeer] = []
    /// Snapshots that are not over, in the order in which this node heard of them.
    var open: [OpenSnapshot] = []
    /// Snapshots that are over, oldest first, at most `endedMax`.
    var ended: [SnapshotID] = []
    /// How this node's own ended, oldest first, at most `endedMax`: whoever reports once more has not heard it.
    var concluded: [(id: SnapshotID, outcome: SnapshotOutcome)] = []
    /// The largest id that was forgotten, here or by a node that was heard of. Nobody knows of an unlisted one up to it who recorded it.
    var floor = SnapshotID.none
    /// The largest id seen.
    package internal(set) var newest = SnapshotID.none
    /// The snapshot that this node recorded (or passed on) last: goes into the header of every frame.
    package internal(set) var colour = SnapshotID.none
    /// Recordings of channels that are under way, so that a frame costs nothing where there are none.
    var recordings = 0
    /// Bytes recorded for all snapshots and not yet handed over.
    package internal(set) var recordedBytes: UInt64 = 0
    /// Since when replies are held without a break.
    package internal(set) var holdingSince: Instant?
    var clock: Instant
    var effects: [SnapshotEffect] = []

    /// The participant of a node's new run. It knows nothing of what earlier runs recorded, and need not.
    package init(options: SnapshotOptions, now: Instant) {
        options.checkValid()
        self.options = options
        clock = now
    }

    /// Whether there is something to carry out.
    package var hasEffects: Bool { !effects.isEmpty }

    /// What the owner has to do, in order.
    package mutating func takeEffects() -> [SnapshotEffect] {
        checkInvariants()
        let taken = effects
        effects = []
        return taken
    }

    /// Ids of the snapshots that are not over, oldest first.
    package var openIDs: [SnapshotID] { open.map(\.id) }
    /// Whether replies to clients are held.
    package var holdsReplies: Bool { holdingSince != nil }
    /// Newest runs known, this one included, by number.
    package var runs: [NodeRun] {
        var runs = peers.map { NodeRun($0.node, $0.newestRun) }
        runs.insert(NodeRun(node, options.incarnation), at: peers.firstIndex { $0.node > node } ?? peers.count)
        return runs
    }

    // MARK: Begin and end

    /// Begins a snapshot: records, and sends the markers (Chandy and Lamport, 1985, section 3.1, the marker-sending rule).
    package mutating func initiate(_ request: SnapshotRequest, now: Now) throws(SnapshotRefusal) -> SnapshotID {
        advance(now.instant)
        if request.participants.isEmpty { throw .noParticipants }
        if request.timeLimit.rawValue == 0 || request.timeLimit > options.timeLimitMax { throw .timeLimitOutOfRange }
        if node.rawValue > SnapshotID.nodeNumberMax { throw .nodeNumberTooLarge(limit: SnapshotID.nodeNumberMax) }
        if open.reduce(0, { $0 + ($1.part == nil ? 0 : 1) }) >= options.recordingsMax {
            throw .tooManyOpen(limit: options.recordingsMax)
        }
        if open.count >= options.openMax { throw .tooManyOpen(limit: options.openMax) }
        var members = runs
        for participant in request.participants where !members.contains(where: { $0.node == participant }) {
            members.append(NodeRun(participant, Incarnation(0)))
        }
        if members.count > SnapshotOptions.membersMax { throw .tooManyMembers(limit: SnapshotOptions.membersMax) }
        members.sort { $0.node < $1.node }
        guard let id = SnapshotID.make(above: newest, wall: now.wall, node: node, incarnation: options.incarnation)
        else { throw .idsExhausted }
        let marker = SnapshotMarker(
            id: id, initiator: node, isStrict: request.isStrict, isEnded: false, timeLimit: request.timeLimit,
            channelBytesMax: request.channelBytesMax,
            members: members.map { .init(run: $0, isParticipant: request.participants.contains($0.node)) })
        adopt(marker, isOwn: true, allowsPartial: request.allowsPartial)
        settle()
        return id
    }

    /// Gives a snapshot of this node up. False when it is not open here or not this node's.
    package mutating func abort(_ id: SnapshotID, now: Instant) -> Bool {
        advance(now)
        guard let index = open.firstIndex(where: { $0.id == id }), open[index].collection != nil else { return false }
        announceEnd(id, .aborted)
        close(id, .aborted)
        settle()
        return true
    }

    // MARK: Parts

    /// The local state is written.
    package mutating func recordWritten(_ id: SnapshotID, digest: UInt64, bytes: UInt64, now: Instant) {
        advance(now)
        guard let index = open.firstIndex(where: { $0.id == id }), open[index].part != nil else { return }
        check(open[index].part?.written == nil, "a local state is written once")
        open[index].part?.written = (digest, bytes)
        settle()
    }

    /// The local state, or the part, could not be written.
    package mutating func recordFailed(_ id: SnapshotID, now: Instant) {
        advance(now)
        guard let index = open.firstIndex(where: { $0.id == id }), open[index].part != nil else { return }
        dropPart(index)
        answer(index, .missing(.recordFailed))
        settle()
    }

    /// The whole part is stored: the initiator may count on it.
    package mutating func partStored(_ id: SnapshotID, now: Instant) {
        advance(now)
        guard let index = open.firstIndex(where: { $0.id == id }), let summary = open[index].part?.completed else { return }
        answer(index, .part(summary))
        settle()
    }

    // MARK: Parts of a step

    mutating func advance(_ now: Instant) { clock = max(clock, now) }

    func position(_ node: NodeID) -> Int? { peers.firstIndex { $0.node == node } }

    /// Sends a message on the channel to the peer, if it is open.
    mutating func send(_ message: SnapshotMessage, to peer: NodeID) {
        guard let index = position(peer), peers[index].outgoing != nil else { return }
        effects.append(.send(to: peer, payload: message.encoded()))
    }

    mutating func broadcast(_ message: SnapshotMessage) {
        let payload = message.encoded()
        for peer in peers where peer.outgoing != nil { effects.append(.send(to: peer.node, payload: payload)) }
    }

    /// What must hold after every step.
    func checkInvariants() {
        check(open.count <= options.openMax && ended.count <= options.endedMax, "what is remembered is bounded")
        check(concluded.count <= options.endedMax, "own ends that are remembered are bounded")
        check(holdsReplies == open.contains { $0.part?.isHolding == true }, "replies are held while a part wants it")
        check(recordedBytes <= options.recordedBytesMax, "recordings keep to their limit")
        check(colour <= newest, "the colour was seen")
        for snapshot in open {
            check(!ended.contains(snapshot.id), "a snapshot is open or over")
            if let part = snapshot.part, part.completed != nil { check(part.hasAllChannels, "a whole part has all its channels") }
        }
    }
}
