import Base

/// Wire form of what participants tell each other. First byte: the version of this format; second: the kind; then the fields,
/// integers little-endian, lists with a two-byte count in front. Decoding is total: what is not exactly one message is nil.
extension SnapshotMessage {
    package static let version: UInt8 = 1

    private enum Kind: UInt8 {
        case opening = 1
        case marker, runs, report, end, floor
    }

    /// The payload of a frame.
    package func encoded() -> [UInt8] {
        let buffer = ByteBuffer()
        buffer.append(byte: SnapshotMessage.version)
        switch self {
        case .opening(let opening):
            buffer.append(byte: Kind.opening.rawValue)
            opening.encode(into: buffer)
        case .marker(let marker, let previous):
            buffer.append(byte: Kind.marker.rawValue)
            marker.encode(into: buffer)
            buffer.append(integer: previous.rawValue)
        case .runs(let runs):
            buffer.append(byte: Kind.runs.rawValue)
            buffer.append(list: runs) { $0.encode(into: $1) }
        case .floor(let id):
            buffer.append(byte: Kind.floor.rawValue)
            buffer.append(integer: id.rawValue)
        case .report(let report):
            buffer.append(byte: Kind.report.rawValue)
            report.encode(into: buffer)
        case .end(let id, let outcome):
            buffer.append(byte: Kind.end.rawValue)
            buffer.append(integer: id.rawValue)
            buffer.append(byte: outcome.rawValue)
        }
        return buffer.view.array
    }

    /// The message in a frame's payload; nil when it is not exactly one of this version.
    package static func decode(_ payload: ByteView) -> SnapshotMessage? {
        var reader = ByteReader(payload)
        guard reader.integer(UInt8.self) == version, let tag = reader.integer(UInt8.self), let kind = Kind(rawValue: tag),
            let message = decodeBody(kind, &reader), reader.remaining == 0
        else { return nil }
        return message
    }

    private static func decodeBody(_ kind: Kind, _ reader: inout ByteReader) -> SnapshotMessage? {
        switch kind {
        case .opening: return SnapshotOpening(&reader).map { .opening($0) }
        case .marker:
            guard let marker = SnapshotMarker(&reader), let previous = reader.integer(UInt64.self) else { return nil }
            return .marker(marker, previous: SnapshotID(previous))
        case .runs:
            guard let runs = reader.list(max: SnapshotOptions.membersMax, { NodeRun(&$0) }), ascend(runs) else { return nil }
            return .runs(runs)
        case .floor: return reader.snapshotID().map { .floor($0) }
        case .report: return SnapshotReport(&reader).map { .report($0) }
        case .end:
            guard let id = reader.snapshotID(), let byte = reader.integer(UInt8.self),
                let outcome = SnapshotOutcome(rawValue: byte)
            else { return nil }
            return .end(id, outcome)
        }
    }

    /// Whether nodes ascend strictly: one form for one content.
    static func ascend(_ runs: [NodeRun]) -> Bool { zip(runs, runs.dropFirst()).allSatisfy { $0.node < $1.node } }
}

extension ByteBuffer {
    func append<Element>(list: [Element], _ encode: (Element, ByteBuffer) -> Void) {
        check(list.count <= UInt16.max, "a list on the wire is bounded")
        append(integer: UInt16(list.count))
        for element in list { encode(element, self) }
    }
    func append(flag: Bool) { append(byte: flag ? 1 : 0) }
}

extension ByteReader {
    mutating func list<Element>(max: Int, _ decode: (inout ByteReader) -> Element?) -> [Element]? {
        // Every element takes a byte at least: a count that can't be true reserves nothing.
        guard let count = integer(UInt16.self), count <= max, Int(count) <= remaining else { return nil }
        var list: [Element] = []
        for _ in 0..<count {
            guard let element = decode(&self) else { return nil }
            list.append(element)
        }
        return list
    }
    mutating func flag() -> Bool? {
        guard let byte = integer(UInt8.self), byte <= 1 else { return nil }
        return byte == 1
    }
    /// A snapshot's id, which is never 0.
    mutating func snapshotID() -> SnapshotID? {
        guard let value = integer(UInt64.self), value > 0 else { return nil }
        return SnapshotID(value)
    }
    mutating func nodeID() -> NodeID? {
        guard let value = integer(UInt32.self), value > 0 else { return nil }
        return NodeID(value)
    }
}

extension NodeRun {
    func encode(into buffer: ByteBuffer) {
        buffer.append(integer: node.rawValue)
        buffer.append(integer: incarnation.rawValue)
    }
    init?(_ reader: inout ByteReader) {
        guard let node = reader.nodeID(), let incarnation = reader.integer(UInt64.self) else { return nil }
        self.init(node, Incarnation(incarnation))
    }
}

extension SnapshotMarker {
    func encode(into buffer: ByteBuffer) {
        buffer.append(integer: id.rawValue)
        buffer.append(flag: isEnded)
        if isEnded { return }
        buffer.append(integer: initiator.rawValue)
        buffer.append(flag: isStrict)
        buffer.append(integer: timeLimit.rawValue)
        buffer.append(integer: channelBytesMax)
        buffer.append(list: members) {
            $0.run.encode(into: $1)
            $1.append(flag: $0.isParticipant)
        }
    }
    init?(_ reader: inout ByteReader) {
        guard let id = reader.snapshotID(), let isEnded = reader.flag() else { return nil }
        if isEnded {
            self = .ended(id)
            return
        }
        guard let initiator = reader.nodeID(), let isStrict = reader.flag(),
            let timeLimit = reader.integer(UInt64.self), timeLimit > 0, let channelBytesMax = reader.integer(UInt64.self),
            let members = reader.list(
                max: SnapshotOptions.membersMax,
                { reader -> Member? in
                    guard let run = NodeRun(&reader), let isParticipant = reader.flag() else { return nil }
                    return Member(run: run, isParticipant: isParticipant)
                }), SnapshotMessage.ascend(members.map(\.run)), members.contains(where: { $0.run.node == initiator })
        else { return nil }
        self.init(
            id: id, initiator: initiator, isStrict: isStrict, isEnded: false, timeLimit: Nanoseconds(timeLimit),
            channelBytesMax: channelBytesMax, members: members)
    }
}

extension SnapshotOpening {
    func encode(into buffer: ByteBuffer) {
        buffer.append(integer: channel)
        buffer.append(integer: colour.rawValue)
        buffer.append(integer: floor.rawValue)
        buffer.append(list: open) { $0.encode(into: $1) }
        buffer.append(list: ended) { $1.append(integer: $0.rawValue) }
        buffer.append(list: runs) { $0.encode(into: $1) }
    }
    init?(_ reader: inout ByteReader) {
        guard let channel = reader.integer(UInt64.self), channel > 0, let colour = reader.integer(UInt64.self),
            let floor = reader.integer(UInt64.self), let open = reader.list(max: 64, { SnapshotMarker(&$0) }),
            let ended = reader.list(max: 64, { $0.snapshotID() }),
            let runs = reader.list(max: SnapshotOptions.membersMax, { NodeRun(&$0) }), SnapshotMessage.ascend(runs)
        else { return nil }
        self.init(
            channel: channel, colour: SnapshotID(colour), floor: SnapshotID(floor), open: open, ended: ended, runs: runs)
    }
}

extension SnapshotReport {
    func encode(into buffer: ByteBuffer) {
        buffer.append(integer: id.rawValue)
        run.encode(into: buffer)
        switch body {
        case .part(let summary):
            buffer.append(byte: 0)
            summary.encode(into: buffer)
        case .missing(let reason): buffer.append(byte: reason.rawValue)
        }
    }
    init?(_ reader: inout ByteReader) {
        guard let id = reader.snapshotID(), let run = NodeRun(&reader), let tag = reader.integer(UInt8.self) else { return nil }
        if tag == 0 {
            guard let summary = PartSummary(&reader) else { return nil }
            self.init(id: id, run: run, body: .part(summary))
        } else {
            guard let reason = MissingReason(rawValue: tag) else { return nil }
            self.init(id: id, run: run, body: .missing(reason))
        }
    }
}

extension PartSummary {
    /// Channels that a report may list: every member with its newest and its last closed channels.
    static let channelsMax = SnapshotOptions.membersMax * 64

    func encode(into buffer: ByteBuffer) {
        buffer.append(integer: stateDigest)
        buffer.append(integer: stateBytes)
        buffer.append(flag: isStrict)
        buffer.append(list: sources) {
            $1.append(integer: $0.from.rawValue)
            $1.append(byte: $0.end.rawValue)
        }
        buffer.append(list: incoming) { $0.encode(into: $1) }
        buffer.append(list: outgoing) {
            $1.append(integer: $0.to.rawValue)
            $1.append(integer: $0.number)
            $1.append(integer: $0.sent)
        }
    }
    init?(_ reader: inout ByteReader) {
        guard let digest = reader.integer(UInt64.self), let bytes = reader.integer(UInt64.self), let isStrict = reader.flag(),
            let sources = reader.list(
                max: SnapshotOptions.membersMax,
                { reader -> IncomingSource? in
                    guard let from = reader.nodeID(), let byte = reader.integer(UInt8.self), let end = ChannelEnd(rawValue: byte)
                    else { return nil }
                    return IncomingSource(from: from, end: end)
                }),
            let incoming = reader.list(max: Self.channelsMax, { IncomingChannel(&$0) }),
            let outgoing = reader.list(
                max: Self.channelsMax,
                { reader -> OutgoingChannel? in
                    guard let to = reader.nodeID(), let number = reader.integer(UInt64.self),
                        let sent = reader.integer(UInt64.self)
                    else { return nil }
                    return OutgoingChannel(to: to, number: number, sent: sent)
                })
        else { return nil }
        self.init(
            stateDigest: digest, stateBytes: bytes, isStrict: isStrict, sources: sources, incoming: incoming, outgoing: outgoing)
    }
}

extension IncomingChannel {
    func encode(into buffer: ByteBuffer) {
        from.encode(into: buffer)
        buffer.append(integer: number)
        buffer.append(integer: delivered)
        buffer.append(integer: inFlight)
        buffer.append(integer: inFlightBytes)
        buffer.append(integer: checksum)
        buffer.append(flag: isEndedByMarker)
        buffer.append(flag: isTruncated)
    }
    init?(_ reader: inout ByteReader) {
        guard let from = NodeRun(&reader), let number = reader.integer(UInt64.self), let delivered = reader.integer(UInt64.self),
            let inFlight = reader.integer(UInt64.self), let bytes = reader.integer(UInt64.self),
            let checksum = reader.integer(UInt32.self), let isEndedByMarker = reader.flag(), let isTruncated = reader.flag()
        else { return nil }
        self.init(
            from: from, number: number, delivered: delivered, inFlight: inFlight, inFlightBytes: bytes, checksum: checksum,
            isEndedByMarker: isEndedByMarker, isTruncated: isTruncated)
    }
}
