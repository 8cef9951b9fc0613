import Base

/// One connection to another node: two channels, one in each direction, of one incarnation of the connection.
final class PeerLink {
    let id: PeerLinkID
    /// Whether this node dialled.
    let isDialled: Bool
    /// Where it leads or came from, for the operator.
    let address: String
    let openedAt: Instant
    /// Bytes that are not yet a whole frame.
    let input = ByteBuffer(capacity: 4096)
    /// Frames on their way out. The driver consumes from it.
    let output = ByteBuffer(capacity: 1 << 16)
    /// The other side, known for a dialled link at once and for an accepted one after its hello.
    var peer: NodeID?
    /// Whether the other side's hello was accepted: nothing else is believed before.
    var isOpen = false
    var isListedForOutput = false
    /// When a piece of a frame last counted as a heartbeat.
    var signOfLifeAt = Instant(nanoseconds: 0)
    /// Refused: nothing more is read, and the driver closes it when it has sent why.
    var isClosing = false

    init(id: PeerLinkID, isDialled: Bool, address: String, peer: NodeID?, openedAt: Instant) {
        self.id = id
        self.isDialled = isDialled
        self.address = address
        self.peer = peer
        self.openedAt = openedAt
    }
}

/// What a node knows of another member.
struct PeerState {
    let id: NodeID
    let address: String
    /// The link in use, open or in its handshake.
    var link: PeerLinkID?
    var isDialling = false
    /// When to dial (again).
    var dialAt: Instant
    var retryDelay: Nanoseconds
    /// The run of the peer that was heard last.
    var incarnation = Incarnation(0)
    /// What the last failure said, so that the same line is not logged at every try.
    var lastFailure = ""
}
