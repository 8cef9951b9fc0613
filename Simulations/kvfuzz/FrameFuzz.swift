import Base
import Consensus
import Database
import DistributedSnapshot
import Node
import RESP

/// Streams of peer frames: whole ones, mutated ones, cut ones and noise.
///
/// What must hold: nothing crashes or reads past the end; a decoded frame lies inside the input; a stream gives the same
/// frames however it is cut; what is decoded encodes to the same bytes again.
struct FrameFuzz: FuzzTarget {
    init() {}

    mutating func run(_ random: inout RandomGenerator) -> FuzzVerdict {
        let stream = ByteBuffer()
        for _ in 0...random.index(below: 4) { appendFrame(&random, to: stream) }
        var bytes = stream.view.array
        if random.chance(2, in: 3) { mutate(&bytes, &random) }
        let limit = random.chance(1, in: 4) ? PeerFrame.helloBytesMax : 1 << 20
        let whole = bytes.withView { frames(in: $0, limit: limit) }
        // A prefix must give a prefix of the frames, never something else.
        let cut = random.index(below: bytes.count + 1)
        let part = bytes.withView { frames(in: $0.slice(0, cut), limit: limit) }
        for (index, frame) in part.frames.enumerated() {
            if index >= whole.frames.count || whole.frames[index] != frame {
                return .bad("a cut stream gives other frames", input: bytes)
            }
        }
        if let problem = whole.problem { return .bad(problem, input: bytes) }
        return .good
    }

    /// The frames' bytes, in order, up to the first thing that is none; and what did not hold.
    private func frames(in input: ByteView, limit: Int) -> (frames: [[UInt8]], problem: String?) {
        var found: [[UInt8]] = []
        var offset = 0
        while true {
            var consumed = 0
            guard let frame = try? PeerFrame.decode(input.dropFirst(offset), payloadLimit: limit, consumed: &consumed) else {
                return (found, nil)
            }
            if consumed < PeerFrame.headerBytes || consumed > input.count - offset {
                return (found, "a frame lies outside its input")
            }
            found.append(input.slice(offset, consumed).array)
            if let problem = checkPayload(frame) { return (found, problem) }
            offset += consumed
        }
    }

    private func checkPayload(_ frame: PeerFrame) -> String? {
        let again = ByteBuffer()
        switch frame.type {
        case .hello:
            guard let hello = PeerHello(payload: frame.payload) else { return nil }
            hello.encodeFrame(into: again)
            let known = again.view.dropFirst(PeerFrame.headerBytes)
            return frame.payload.count >= known.count && frame.payload.slice(0, known.count).equals(known)
                ? nil : "a hello encodes to other bytes"
        case .raft:
            guard let message = MessageCodec.decode(frame.payload, from: NodeID(1), to: NodeID(2)) else { return nil }
            MessageCodec.encode(message, into: again)
            return again.view.equals(frame.payload) ? nil : "a message encodes to other bytes"
        case .proposals:
            if frame.payload.count >= 8 { _ = CommandBatch.validateSegment(frame.payload.dropFirst(8)) }
            return nil
        case .snapshot:
            guard let message = SnapshotMessage.decode(frame.payload) else { return nil }
            return message.encoded() == frame.payload.array ? nil : "a snapshot message encodes to other bytes"
        case .stateFileRequest:
            guard let request = StateFileRequest(frame.payload) else { return nil }
            request.encode(into: again)
            return again.view.equals(frame.payload) ? nil : "a request for a state file encodes to other bytes"
        case .stateFilePiece:
            var reader = ByteReader(frame.payload)
            guard let piece = StateFilePiece(&reader) else { return nil }
            piece.encode(into: again)
            let head = frame.payload.slice(0, again.count)
            return again.view.equals(head) ? nil : "a piece of a state file encodes to other bytes"
        case .refusal:
            return nil
        }
    }

    // MARK: making frames

    private func appendFrame(_ random: inout RandomGenerator, to stream: ByteBuffer) {
        switch random.index(below: 4) {
        case 0:
            PeerHello(
                version: UInt32(random.index(below: 3)), clusterID: ClusterID(high: random.next(), low: 1), sender: NodeID(1),
                receiver: NodeID(2), incarnation: Incarnation(random.next())
            ).encodeFrame(into: stream)
        case 1:
            let payload = ByteBuffer()
            payload.append(integer: random.next())
            appendSegment(&random, to: payload)
            PeerFrame.encode(.proposals, payload: payload.view, into: stream)
        default:
            let payload = ByteBuffer()
            MessageCodec.encode(message(&random), into: payload)
            PeerFrame.encode(.raft, payload: payload.view, into: stream)
        }
    }

    private func appendSegment(_ random: inout RandomGenerator, to buffer: ByteBuffer) {
        let items = ByteBuffer()
        let count = random.index(below: 4)
        let arguments = Arguments()
        for _ in 0..<count {
            let bytes = (0..<12).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            bytes.withView { view in
                arguments.removeAll(over: view)
                for offset in 0...random.index(below: 4) { arguments.append(offset: offset, count: random.index(below: 8)) }
                CommandBatch.appendItem(
                    database: random.index(below: 16), connection: random.next(), arguments: arguments, to: items)
            }
        }
        CommandBatch.appendSegmentHeader(
            owner: NodeID(1), incarnation: Incarnation(1), first: 1 + random.next(below: 1 << 40), count: count,
            byteCount: items.count, to: buffer)
        buffer.append(items.view)
    }

    private func message(_ random: inout RandomGenerator) -> Message {
        let small = { (random: inout RandomGenerator) in random.next(below: 100) }
        let body: Message.Body
        switch random.index(below: 8) {
        case 0:
            body = .voteRequest(
                .init(lastIndex: LogIndex(small(&random)), lastTerm: Term(small(&random)), isTransfer: random.chance(1, in: 2)))
        case 1: body = .preVoteResponse(granted: random.chance(1, in: 2))
        case 2: body = .appendResponse(.init(outcome: .accepted(matchIndex: LogIndex(small(&random))), readRound: small(&random)))
        case 3: body = .heartbeat(.init(commitIndex: LogIndex(small(&random)), readRound: small(&random)))
        case 4: body = .readIndexResponse(id: small(&random), index: LogIndex(small(&random)), wall: WallTime(microseconds: 5))
        case 5: body = .timeoutNow
        default:
            let previous = small(&random)
            let entries = (0..<random.next(below: 4)).map { offset in
                Entry(
                    term: Term(small(&random)), index: LogIndex(previous + 1 + offset), kind: .command,
                    payload: [UInt8](repeating: 7, count: random.index(below: 50)))
            }
            body = .append(
                .init(
                    previousIndex: LogIndex(previous), previousTerm: Term(small(&random)), entries: entries,
                    commitIndex: LogIndex(small(&random)), readRound: small(&random)))
        }
        return Message(from: NodeID(1), to: NodeID(2), term: Term(small(&random)), body: body)
    }

    /// Damages bytes; half of the time repairs the checksum of the first frame, so that the damage reaches the decoders behind it.
    private func mutate(_ bytes: inout [UInt8], _ random: inout RandomGenerator) {
        for _ in 0...random.index(below: 4) where !bytes.isEmpty {
            let at = random.index(below: bytes.count)
            switch random.index(below: 4) {
            case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: at)
            case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: at)
            default: bytes[at] ^= 1 << UInt8(random.index(below: 8))
            }
        }
        guard random.chance(1, in: 2), bytes.count >= PeerFrame.headerBytes else { return }
        let length = bytes.withView { Int($0.integer(at: 0, as: UInt32.self)) }
        guard length <= bytes.count - PeerFrame.headerBytes else { return }
        let sum = bytes.withView { CRC32C.checksum($0.slice(8, PeerFrame.headerBytes - 8 + length)) }
        for index in 0..<4 { bytes[4 + index] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * index)) }
    }
}
