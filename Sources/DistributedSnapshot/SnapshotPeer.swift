import Base

/// What a participant knows of another node: the newest run and the two channels of the link.
struct SnapshotPeer: Sendable {
    /// Closed channels whose counts are kept, newest last, so that a cut can say what they lost.
    static let closedMax = 4

    let node: NodeID
    /// The newest run heard of, from anybody.
    var newestRun: Incarnation
    /// The link is open.
    var incoming: Incoming?
    var outgoing: Outgoing?
    /// Channels opened to the peer in this run.
    var channelsOpened: UInt64 = 0
    var closedIncoming: [IncomingChannel] = []
    var closedOutgoing: [OutgoingChannel] = []

    /// The channel from the peer.
    struct Incoming: Sendable {
        /// The run at the other end.
        let incarnation: Incarnation
        /// The peer's number for it; nil before its opening was received.
        var number: UInt64?
        /// The peer's colour as its opening and markers on this channel say.
        var colour = SnapshotID.none
        /// Frames delivered.
        var delivered: UInt64 = 0
        /// A marker was lost, or something malformed came: nothing more is taken from it.
        var isBroken = false
    }

    /// The channel to the peer.
    struct Outgoing: Sendable {
        let number: UInt64
        var sent: UInt64 = 0
    }

    /// The channel from the peer as it stands, once it has begun.
    var incomingChannel: IncomingChannel? {
        guard let incoming, let number = incoming.number else { return nil }
        return IncomingChannel(from: NodeRun(node, incoming.incarnation), number: number, delivered: incoming.delivered)
    }

    /// Forgets the link, keeps its counts.
    mutating func close() {
        if let channel = incomingChannel { closedIncoming.append(channel) }
        if let outgoing { closedOutgoing.append(OutgoingChannel(to: node, number: outgoing.number, sent: outgoing.sent)) }
        if closedIncoming.count > Self.closedMax { closedIncoming.removeFirst() }
        if closedOutgoing.count > Self.closedMax { closedOutgoing.removeFirst() }
        incoming = nil
        outgoing = nil
    }
}
