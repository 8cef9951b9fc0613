import Base
import DistributedSnapshot

/// What a peer frame carries. The numbers are on the wire and never change their meaning.
package enum PeerFrameType: UInt8, Sendable {
    /// First frame in each direction: who speaks, of which cluster, in which run.
    case hello = 1
    /// The other side's hello was refused; the payload says why, then the link is closed.
    case refusal = 2
    /// A Raft message of one group.
    case raft = 3
    /// Commands of the sender's clients on their way to the leader.
    case proposals = 4
    /// A message about distributed snapshots (`SnapshotMessage`); not part of any channel's state.
    case snapshot = 5
    /// "Send me a piece of a state file" (`StateFileRequest`).
    case stateFileRequest = 16
    /// A piece of a state file (`StateFilePiece`).
    case stateFilePiece = 17

    /// Whether the frame is one of those whose sending and receipt a distributed snapshot cuts between. (A piece of a state file carries
    /// what its sender had applied: whoever installs it depends on that.)
    var isCounted: Bool {
        switch self {
        case .raft, .proposals, .stateFileRequest, .stateFilePiece: true
        case .hello, .refusal, .snapshot: false
        }
    }
}

/// Header of every frame between nodes: 28 bytes, little-endian.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | payload length in bytes |
/// | 4 | 4 | CRC32C of bytes 8 ..< 28 and the payload |
/// | 8 | 1 | type |
/// | 9 | 3 | zero |
/// | 12 | 4 | group |
/// | 16 | 8 | colour: the distributed snapshot that the sender recorded last (DESIGN, section 7.3) |
/// | 24 | 4 | zero, for a later version |
package struct PeerFrame {
    package static let headerBytes = 28
    /// A frame is never longer than this; an argument may be 512 MiB, an entry carries a little more.
    package static let payloadBytesMax = 640 << 20
    /// Before the handshake nothing longer is believed, so that a stranger can't make a node hold memory.
    package static let helloBytesMax = 1024

    package var type: PeerFrameType
    package var group: GroupID
    package var colour: SnapshotID
    /// Valid as long as the buffer that was decoded.
    package var payload: ByteView
    /// The whole frame, header included; valid as long.
    package var bytes: ByteView

    /// Why bytes are not a frame. Each ends the link: a stream that lost its framing can't be trusted again.
    package enum DecodingError: Error, Equatable, Sendable, CustomStringConvertible {
        case tooLong(length: Int, limit: Int)
        case wrongChecksum
        case unknownType(UInt8)
        case reservedBytesSet

        package var description: String {
            switch self {
            case .tooLong(let length, let limit): "a frame of \(length) bytes is over the limit of \(limit)"
            case .wrongChecksum: "a frame's checksum is wrong"
            case .unknownType(let type): "a frame has the unknown type \(type)"
            case .reservedBytesSet: "a frame has reserved bytes set"
            }
        }
    }

    /// The first frame in `input`, or nil when more bytes are needed. `consumed` is set to its length.
    package static func decode(
        _ input: ByteView, payloadLimit: Int, consumed: inout Int
    ) throws(DecodingError) -> PeerFrame? {
        consumed = 0
        if input.count < headerBytes { return nil }
        let length = Int(input.integer(at: 0, as: UInt32.self))
        if length > payloadLimit { throw .tooLong(length: length, limit: payloadLimit) }
        if input.count - headerBytes < length { return nil }
        let covered = input.slice(8, headerBytes - 8 + length)
        if CRC32C.checksum(covered) != input.integer(at: 4, as: UInt32.self) { throw .wrongChecksum }
        guard let type = PeerFrameType(rawValue: input[8]) else { throw .unknownType(input[8]) }
        if input[9] != 0 || input[10] != 0 || input[11] != 0 || input.integer(at: 24, as: UInt32.self) != 0 {
            throw .reservedBytesSet
        }
        consumed = headerBytes + length
        return PeerFrame(
            type: type,
            group: GroupID(input.integer(at: 12, as: UInt32.self)),
            colour: SnapshotID(input.integer(at: 16, as: UInt64.self)),
            payload: input.slice(headerBytes, length), bytes: input.slice(0, consumed))
    }

    /// Appends a header with room for length and checksum; returns the frame's offset in `buffer` for `end`.
    static func begin(_ type: PeerFrameType, group: GroupID, colour: SnapshotID, in buffer: ByteBuffer) -> Int {
        let start = buffer.count
        buffer.append(integer: UInt64(0))
        buffer.append(integer: UInt32(type.rawValue))
        buffer.append(integer: group.rawValue)
        buffer.append(integer: colour.rawValue)
        buffer.append(integer: UInt32(0))
        return start
    }

    /// Appends a whole frame.
    package static func encode(
        _ type: PeerFrameType, group: GroupID = .first, colour: SnapshotID = .none, payload: ByteView, into buffer: ByteBuffer
    ) {
        let start = begin(type, group: group, colour: colour, in: buffer)
        buffer.append(payload)
        end(start, in: buffer)
    }

    /// Fills in length and checksum of the frame that began at `start`.
    static func end(_ start: Int, in buffer: ByteBuffer) {
        let length = buffer.count - start - headerBytes
        check(length >= 0 && length <= payloadBytesMax, "a frame is as long as the limit allows")
        buffer.overwrite(at: start, integer: UInt32(length))
        buffer.overwrite(at: start + 4, integer: CRC32C.checksum(buffer.view.dropFirst(start + 8)))
    }
}

/// First frame on a link: identities and versions, checked before anything else is believed.
package struct PeerHello: Equatable, Sendable {
    /// "CRCL".
    static let magic: UInt32 = 0x4C43_5243
    /// 2: frames of distributed snapshots, and colours that mean something.
    package static let protocolVersion: UInt32 = 2

    package var version: UInt32
    package var clusterID: ClusterID
    package var sender: NodeID
    /// Whom the sender believes to speak to.
    package var receiver: NodeID
    package var incarnation: Incarnation

    package init(
        version: UInt32 = PeerHello.protocolVersion, clusterID: ClusterID, sender: NodeID, receiver: NodeID,
        incarnation: Incarnation
    ) {
        self.version = version
        self.clusterID = clusterID
        self.sender = sender
        self.receiver = receiver
        self.incarnation = incarnation
    }

    /// Appends a whole hello frame.
    package func encodeFrame(into buffer: ByteBuffer) {
        let start = PeerFrame.begin(.hello, group: .first, colour: .none, in: buffer)
        buffer.append(integer: PeerHello.magic)
        buffer.append(integer: version)
        buffer.append(integer: clusterID.high)
        buffer.append(integer: clusterID.low)
        buffer.append(integer: sender.rawValue)
        buffer.append(integer: receiver.rawValue)
        buffer.append(integer: incarnation.rawValue)
        PeerFrame.end(start, in: buffer)
    }

    /// The hello in a frame's payload; nil when it is not one. A later version may be longer.
    package init?(payload: ByteView) {
        var reader = ByteReader(payload)
        guard let magic = reader.integer(UInt32.self), magic == PeerHello.magic,
            let version = reader.integer(UInt32.self),
            let high = reader.integer(UInt64.self), let low = reader.integer(UInt64.self),
            let sender = reader.integer(UInt32.self), let receiver = reader.integer(UInt32.self),
            let incarnation = reader.integer(UInt64.self)
        else { return nil }
        self.init(
            version: version, clusterID: ClusterID(high: high, low: low), sender: NodeID(sender),
            receiver: NodeID(receiver), incarnation: Incarnation(incarnation))
    }
}
