import Base
import DistributedSnapshot

/// What participants of a snapshot tell each other: messages written here by the wire form's description, whole, mutated, cut and
/// prolonged, and noise.
///
/// What must hold: nothing crashes or reads past the end; a message that is whole is decoded; what is decoded encodes to the same bytes
/// again, so that there is one form for one content; a message that is cut or has something behind it is none.
struct SnapshotFuzz: FuzzTarget {
    init() {}

    mutating func run(_ random: inout RandomGenerator) -> FuzzVerdict {
        let writer = ByteBuffer()
        appendMessage(&random, to: writer)
        var bytes = writer.view.array
        let isWhole = random.chance(1, in: 3)
        if !isWhole { mutate(&bytes, &random) }
        guard let message = bytes.withView({ SnapshotMessage.decode($0) }) else {
            return isWhole ? .bad("a whole message is not decoded", input: bytes) : .good
        }
        if message.encoded() != bytes { return .bad("a message encodes to other bytes", input: bytes) }
        let cut = Array(bytes.prefix(random.index(below: bytes.count)))
        if cut.withView({ SnapshotMessage.decode($0) }) != nil { return .bad("a message that is cut is one", input: cut) }
        let longer = bytes + [UInt8(truncatingIfNeeded: random.next())]
        if longer.withView({ SnapshotMessage.decode($0) }) != nil {
            return .bad("a message with a byte behind it is one", input: longer)
        }
        return .good
    }

    // MARK: making messages

    private func appendMessage(_ random: inout RandomGenerator, to bytes: ByteBuffer) {
        bytes.append(byte: SnapshotMessage.version)
        let kind = 1 + random.index(below: 6)
        bytes.append(byte: UInt8(kind))
        switch kind {
        case 1: appendOpening(&random, to: bytes)
        case 2:
            appendMarker(&random, to: bytes)
            bytes.append(integer: random.next())
        case 3: appendRuns(&random, to: bytes)
        case 4: appendReport(&random, to: bytes)
        case 5:
            appendID(&random, to: bytes)
            bytes.append(byte: UInt8(1 + random.index(below: 4)))
        default: appendID(&random, to: bytes)
        }
    }

    /// An identifier: not 0, small or large.
    private func appendID(_ random: inout RandomGenerator, to bytes: ByteBuffer) {
        bytes.append(integer: random.chance(1, in: 2) ? 1 + random.next(below: 5) : random.next() | 1)
    }

    private func appendFlag(_ random: inout RandomGenerator, to bytes: ByteBuffer) {
        bytes.append(byte: UInt8(random.index(below: 2)))
    }

    private func appendCount(_ count: Int, to bytes: ByteBuffer) { bytes.append(integer: UInt16(count)) }

    private func count(_ random: inout RandomGenerator) -> Int { random.index(below: 4) }

    private func appendRun(_ node: Int, _ random: inout RandomGenerator, to bytes: ByteBuffer) {
        bytes.append(integer: UInt32(node))
        bytes.append(integer: random.next(below: 3) == 0 ? random.next() : random.next(below: 4))
    }

    private func appendRuns(_ random: inout RandomGenerator, to bytes: ByteBuffer) {
        let count = count(&random)
        appendCount(count, to: bytes)
        for node in 0..<count { appendRun(1 + node * 2, &random, to: bytes) }
    }

    private func appendMarker(_ random: inout RandomGenerator, to bytes: ByteBuffer) {
        appendID(&random, to: bytes)
        let isEnded = random.chance(1, in: 3)
        bytes.append(byte: isEnded ? 1 : 0)
        if isEnded { return }
        let members = 1 + count(&random)
        bytes.append(integer: UInt32(1 + random.index(below: members)))
        appendFlag(&random, to: bytes)
        bytes.append(integer: random.next() | 1)
        bytes.append(integer: random.next())
        appendCount(members, to: bytes)
        for node in 1...members {
            appendRun(node, &random, to: bytes)
            appendFlag(&random, to: bytes)
        }
    }

    private func appendOpening(_ random: inout RandomGenerator, to bytes: ByteBuffer) {
        appendID(&random, to: bytes)
        bytes.append(integer: random.next(below: 9))
        bytes.append(integer: random.next(below: 9))
        let open = count(&random)
        appendCount(open, to: bytes)
        for _ in 0..<open { appendMarker(&random, to: bytes) }
        let ended = count(&random)
        appendCount(ended, to: bytes)
        for _ in 0..<ended { appendID(&random, to: bytes) }
        appendRuns(&random, to: bytes)
    }

    private func appendReport(_ random: inout RandomGenerator, to bytes: ByteBuffer) {
        appendID(&random, to: bytes)
        appendRun(1 + random.index(below: 5), &random, to: bytes)
        let hasPart = random.chance(2, in: 3)
        bytes.append(byte: hasPart ? 0 : 1)
        if !hasPart { return }
        bytes.append(integer: random.next())
        bytes.append(integer: random.next())
        appendFlag(&random, to: bytes)
        let sources = count(&random)
        appendCount(sources, to: bytes)
        for _ in 0..<sources {
            bytes.append(integer: UInt32(1 + random.index(below: 5)))
            bytes.append(byte: 1)
        }
        let incoming = count(&random)
        appendCount(incoming, to: bytes)
        for _ in 0..<incoming {
            appendRun(1 + random.index(below: 5), &random, to: bytes)
            for _ in 0..<4 { bytes.append(integer: random.next(below: 1000)) }
            bytes.append(integer: UInt32(truncatingIfNeeded: random.next()))
            appendFlag(&random, to: bytes)
            appendFlag(&random, to: bytes)
        }
        let outgoing = count(&random)
        appendCount(outgoing, to: bytes)
        for _ in 0..<outgoing {
            bytes.append(integer: UInt32(1 + random.index(below: 5)))
            bytes.append(integer: random.next())
            bytes.append(integer: random.next())
        }
    }

    // MARK: damage

    private func mutate(_ bytes: inout [UInt8], _ random: inout RandomGenerator) {
        if random.chance(1, in: 20) {
            bytes = (0..<random.index(below: 80)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            return
        }
        for _ in 0...random.index(below: 3) where !bytes.isEmpty {
            let place = random.index(below: bytes.count)
            switch random.index(below: 6) {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
            case 3: bytes[place] = [0, 0xFF, 0x7F, 0x80][random.index(below: 4)]
            case 4: bytes = Array(bytes.prefix(place))
            default: bytes[place] ^= 1 << UInt8(random.index(below: 8))
            }
        }
    }
}
