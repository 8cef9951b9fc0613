import Base
import Testing

@testable import DistributedSnapshot

/// What of a part is stored, in the version that is written and in the one before.
@Suite struct PartFormatTests {
    private func bytes(_ part: SnapshotPart, version: UInt32 = 2) -> [UInt8] {
        let buffer = ByteBuffer()
        part.encodeHead(into: buffer)
        var bytes = buffer.view.array
        if version == 1 {
            bytes[4] = 1
            bytes.removeLast(8 * part.summary.sources.count)
        }
        for content in part.contents {
            withUnsafeBytes(of: UInt64(content.count).littleEndian) { bytes += $0 }
            bytes += content
        }
        return bytes
    }

    private func part() -> SnapshotPart {
        var summary = MessageTests.summary
        let content: [UInt8] = [2, 0, 0, 0, 7, 8]
        summary.incoming[0].checksum = content.withView { CRC32C.checksum($0) }
        return SnapshotPart(
            id: SnapshotID(77), run: NodeRun(NodeID(1), Incarnation(4)), summary: summary, endedAfter: [.microseconds(250)],
            contents: [content])
    }

    private func decode(_ bytes: [UInt8]) -> SnapshotPart? { bytes.withView { SnapshotPart(decoding: $0) } }

    @Test func whatIsEncodedIsDecodedWithItsTimes() { #expect(decode(bytes(part())) == part()) }

    @Test func theVersionBeforeHasNoTimes() {
        var old = part()
        old.endedAfter = nil
        #expect(decode(bytes(part(), version: 1)) == old)
    }

    @Test func otherVersionsAndWhatIsCutAreRefused() {
        let good = bytes(part())
        for version: UInt8 in [0, 3] {
            var other = good
            other[4] = version
            #expect(decode(other) == nil)
            #expect(other.withView { SnapshotPart.unknownVersion(of: $0) } == UInt32(version))
            #expect(other.withView { SnapshotManifest.unknownVersion(of: $0) } == nil)
        }
        #expect(good.withView { SnapshotPart.unknownVersion(of: $0) } == nil)
        for count in 0..<good.count { #expect(decode(Array(good.prefix(count))) == nil) }
        #expect(decode(good + [0]) == nil)
    }
}
