import Base
import Testing

@testable import DistributedSnapshot

@Suite struct MessageTests {
    static let marker = SnapshotMarker(
        id: SnapshotID(77), initiator: NodeID(1), isStrict: true, isEnded: false, timeLimit: .milliseconds(5), channelBytesMax: 9,
        members: [
            .init(run: NodeRun(NodeID(1), Incarnation(4)), isParticipant: true),
            .init(run: NodeRun(NodeID(3), Incarnation(0)), isParticipant: false),
        ])
    static let summary = PartSummary(
        stateDigest: 5, stateBytes: 6, isStrict: true, sources: [IncomingSource(from: NodeID(2), end: .opening)],
        incoming: [
            IncomingChannel(
                from: NodeRun(NodeID(2), Incarnation(8)), number: 3, delivered: 4, inFlight: 1, inFlightBytes: 10, checksum: 7,
                isEndedByMarker: false, isTruncated: true)
        ], outgoing: [OutgoingChannel(to: NodeID(2), number: 1, sent: 12)])
    static let messages: [SnapshotMessage] = [
        .opening(
            SnapshotOpening(
                channel: 2, colour: SnapshotID(77), floor: SnapshotID(3), open: [marker], ended: [SnapshotID(5)],
                runs: [NodeRun(NodeID(1), Incarnation(4)), NodeRun(NodeID(2), Incarnation(1))])),
        .marker(marker, previous: .none),
        .marker(.ended(SnapshotID(78)), previous: SnapshotID(77)),
        .runs([NodeRun(NodeID(2), Incarnation(9))]),
        .report(SnapshotReport(id: SnapshotID(77), run: NodeRun(NodeID(2), Incarnation(1)), body: .part(summary))),
        .report(SnapshotReport(id: SnapshotID(77), run: NodeRun(NodeID(2), Incarnation(1)), body: .missing(.newerRunMet))),
        .end(SnapshotID(77), .partial), .floor(SnapshotID(9)),
    ]

    private func decode(_ bytes: [UInt8]) -> SnapshotMessage? { bytes.withView { SnapshotMessage.decode($0) } }

    @Test(arguments: messages) func whatIsEncodedIsDecoded(message: SnapshotMessage) {
        #expect(decode(message.encoded()) == message)
    }

    @Test(arguments: messages) func cutShortOrTooLongItIsRefused(message: SnapshotMessage) {
        let bytes = message.encoded()
        for count in 0..<bytes.count { #expect(decode(Array(bytes.prefix(count))) == nil) }
        #expect(decode(bytes + [0]) == nil)
    }

    /// What a damaged message decodes to has one form only: its own encoding.
    @Test(arguments: messages) func everyByteFlippedIsRefusedOrMeansItself(message: SnapshotMessage) {
        let bytes = message.encoded()
        for place in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[place] ^= 1 << UInt8(bit)
                if let decoded = decode(damaged) { #expect(decoded.encoded() == damaged) }
            }
        }
    }

    @Test func anotherVersionIsRefused() {
        var bytes = Self.messages[0].encoded()
        bytes[0] = 2
        #expect(decode(bytes) == nil)
    }

    @Test func randomBytesNeverTrap() {
        var generator = RandomGenerator(seed: 4)
        for _ in 0..<20_000 {
            var bytes: [UInt8] = [1, UInt8(1 + generator.next(below: 6))]
            for _ in 0..<generator.index(below: 60) {
                bytes.append(UInt8(generator.chance(1, in: 2) ? 0 : generator.next(below: 256)))
            }
            if let decoded = decode(bytes) { #expect(decoded.encoded() == bytes) }
        }
    }
}
