import Base

// What of a snapshot is stored: the manifest, and a node's part. Integers little-endian, lists as in `SnapshotMessage`. Decoding is total.

/// The version of something stored that begins with this magic number, when it is none of the known ones: for messages. Nil otherwise.
package func unknownVersion(_ bytes: ByteView, magic: UInt32, known: ClosedRange<UInt32>) -> UInt32? {
    var reader = ByteReader(bytes)
    guard reader.integer(UInt32.self) == magic, let version = reader.integer(UInt32.self), !known.contains(version) else {
        return nil
    }
    return version
}

extension SnapshotManifest {
    /// "CRLM".
    private static let magic: UInt32 = 0x4D4C_5243
    private static let version: UInt32 = 1

    /// The version of a manifest that is newer or older than what can be read; nil of anything else.
    package static func unknownVersion(of bytes: ByteView) -> UInt32? {
        DistributedSnapshot.unknownVersion(bytes, magic: magic, known: version...version)
    }

    /// Appends the manifest.
    package func encode(into buffer: ByteBuffer) {
        buffer.append(integer: SnapshotManifest.magic)
        buffer.append(integer: SnapshotManifest.version)
        buffer.append(integer: id.rawValue)
        buffer.append(integer: initiator.rawValue)
        buffer.append(byte: outcome.rawValue)
        buffer.append(flag: isStrict)
        buffer.append(list: parts) {
            $0.run.encode(into: $1)
            $0.summary.encode(into: $1)
        }
        buffer.append(list: missing) {
            $1.append(integer: $0.node.rawValue)
            $1.append(byte: $0.reason.rawValue)
        }
        buffer.append(list: channels) { $0.encode(into: $1) }
        buffer.append(list: contradictions) { text, buffer in
            buffer.append(integer: UInt32(text.utf8.count))
            buffer.append(text: text)
        }
    }

    /// A manifest from its bytes; nil when they are not exactly one.
    package init?(decoding bytes: ByteView) {
        var reader = ByteReader(bytes)
        guard reader.integer(UInt32.self) == SnapshotManifest.magic, reader.integer(UInt32.self) == SnapshotManifest.version,
            let id = reader.snapshotID(), let initiator = reader.nodeID(),
            let outcome = reader.integer(UInt8.self).flatMap({ SnapshotOutcome(rawValue: $0) }), let isStrict = reader.flag(),
            let parts = reader.list(
                max: SnapshotOptions.membersMax,
                { reader -> Part? in
                    guard let run = NodeRun(&reader), let summary = PartSummary(&reader) else { return nil }
                    return Part(run: run, summary: summary)
                }),
            let missing = reader.list(
                max: SnapshotOptions.membersMax,
                { reader -> Missing? in
                    guard let node = reader.nodeID(), let tag = reader.integer(UInt8.self),
                        let reason = MissingReason(rawValue: tag)
                    else { return nil }
                    return Missing(node: node, reason: reason)
                }),
            let channels = reader.list(max: .max, { Channel(&$0) }),
            let contradictions = reader.list(
                max: .max,
                { reader -> String? in
                    guard let count = reader.integer(UInt32.self), let text = reader.bytes(Int(count)) else { return nil }
                    return text.text
                }), reader.remaining == 0
        else { return nil }
        self.init(
            id: id, initiator: initiator, outcome: outcome, isStrict: isStrict, parts: parts, missing: missing,
            channels: channels, contradictions: contradictions)
    }

    private init(
        id: SnapshotID, initiator: NodeID, outcome: SnapshotOutcome, isStrict: Bool, parts: [Part], missing: [Missing],
        channels: [Channel], contradictions: [String]
    ) {
        self.id = id
        self.initiator = initiator
        self.outcome = outcome
        self.isStrict = isStrict
        self.parts = parts
        self.missing = missing
        self.channels = channels
        self.contradictions = contradictions
    }
}

extension SnapshotManifest.Channel {
    fileprivate func encode(into buffer: ByteBuffer) {
        from.encode(into: buffer)
        buffer.append(integer: to.rawValue)
        for count in [number, delivered, inFlight, inFlightBytes] { buffer.append(integer: count) }
        buffer.append(flag: lost != nil)
        buffer.append(integer: lost ?? 0)
        buffer.append(flag: isExact)
    }

    fileprivate init?(_ reader: inout ByteReader) {
        guard let from = NodeRun(&reader), let to = reader.nodeID(), let number = reader.integer(UInt64.self),
            let delivered = reader.integer(UInt64.self), let inFlight = reader.integer(UInt64.self),
            let bytes = reader.integer(UInt64.self), let isKnown = reader.flag(), let lost = reader.integer(UInt64.self),
            let isExact = reader.flag(), isKnown || lost == 0
        else { return nil }
        self.init(
            from: from, to: to, number: number, delivered: delivered, inFlight: inFlight, inFlightBytes: bytes,
            lost: isKnown ? lost : nil, isExact: isExact)
    }
}

extension SnapshotPart {
    /// "CRLP".
    private static let magic: UInt32 = 0x504C_5243
    /// 2 has the times at which channels ended; 1 is read too.
    private static let version: UInt32 = 2

    /// The version of a part that is newer or older than what can be read; nil of anything else.
    package static func unknownVersion(of bytes: ByteView) -> UInt32? {
        DistributedSnapshot.unknownVersion(bytes, magic: magic, known: 1...version)
    }

    /// Appends what stands before the contents: whose part of what, the summary, and when each source ended. Of each content follow its length (8 bytes) and its bytes,
    /// in the order of `summary.incoming`.
    package func encodeHead(into buffer: ByteBuffer) {
        buffer.append(integer: SnapshotPart.magic)
        buffer.append(integer: SnapshotPart.version)
        buffer.append(integer: id.rawValue)
        run.encode(into: buffer)
        summary.encode(into: buffer)
        let times = endedAfter ?? summary.sources.map { _ in Nanoseconds(0) }
        check(times.count == summary.sources.count, "every source ended at some time")
        for time in times { buffer.append(integer: time.rawValue) }
    }

    /// A part from its bytes; nil when they are not exactly one, or a content is not what its channel's checksum says.
    package init?(decoding bytes: ByteView) {
        var reader = ByteReader(bytes)
        guard reader.integer(UInt32.self) == SnapshotPart.magic, let version = reader.integer(UInt32.self),
            version == 1 || version == SnapshotPart.version, let id = reader.snapshotID(), let run = NodeRun(&reader),
            let summary = PartSummary(&reader)
        else { return nil }
        var times: [Nanoseconds] = []
        for _ in summary.sources where version > 1 {
            guard let time = reader.integer(UInt64.self) else { return nil }
            times.append(Nanoseconds(time))
        }
        var contents: [[UInt8]] = []
        for channel in summary.incoming {
            guard let count = reader.integer(UInt64.self), let content = reader.bytes(Int(clamping: count)),
                CRC32C.checksum(content) == channel.checksum
            else { return nil }
            contents.append(content.array)
        }
        if reader.remaining != 0 { return nil }
        self.init(id: id, run: run, summary: summary, endedAfter: version > 1 ? times : nil, contents: contents)
    }
}
