import Base
import RESP
import Testing

@testable import Database

/// Large commands that go through the log in pieces.
@Suite struct PieceTests {
    let machine = TestMachine()
    let words: [[UInt8]] = [Array("SET".utf8), Array("key".utf8), Array((0..<300).map { UInt8(truncatingIfNeeded: $0) })]

    /// The items that a command becomes, each in a segment of its own, numbered from `first`.
    private func pieces(
        _ words: [[UInt8]], of bytes: Int, first: UInt64, owner: UInt32 = 1, incarnation: UInt64 = 1, database: Int = 3
    ) -> [[UInt8]] {
        var segments: [[UInt8]] = []
        let items = ByteBuffer()
        withArguments(words) { arguments in
            CommandBatch.appendPieces(
                database: database, connection: 9, arguments: arguments, pieceBytesMax: bytes, to: items
            ) {
                let segment = ByteBuffer()
                CommandBatch.appendSegmentHeader(
                    owner: NodeID(owner), incarnation: Incarnation(incarnation), first: first + UInt64(segments.count), count: 1,
                    byteCount: items.count, to: segment)
                segment.append(items.view)
                segments.append(segment.view.array)
                items.removeAll()
            }
        }
        return segments
    }

    private func strlen(_ key: String) -> String {
        machine.database = 3
        return machine.run("strlen \(key)")
    }

    @Test(arguments: [1, 2, 7, 100, 311])
    func theLastPieceExecutesTheCommand(pieceBytes: Int) {
        let segments = pieces(words, of: pieceBytes, first: 1)
        #expect(segments.allSatisfy { $0.withView { CommandBatch.validateSegment($0) } })
        let output = ByteBuffer()
        for (index, segment) in segments.enumerated() {
            #expect(output.isEmpty)
            let executed = machine.apply(machine.payload([segment]), reply: ReplyWriter(output))
            #expect(executed == (index == segments.count - 1 ? [UInt64(segments.count)] : []))
        }
        #expect(output.view.text == "+OK\r\n")
        #expect(machine.machine.current.connection == 9 && machine.machine.current.database == 3)
        #expect(machine.machine.pieces.memoryBytes == 0)
    }

    @Test func allPiecesMayBeInOneEntryAndAreCountedOnce() {
        let segments = pieces(words, of: 50, first: 1)
        #expect(machine.apply(machine.payload(segments + segments + [segments[2]])) == [UInt64(segments.count)])
        // What was applied is not applied again in a later entry.
        #expect(machine.apply(machine.payload(segments)) == [])
    }

    @Test func piecesOfSeveralNodesDoNotMix() {
        let mine = pieces(words, of: 50, first: 1)
        let others = pieces(
            [Array("SET".utf8), Array("other".utf8), [UInt8](repeating: 1, count: 500)], of: 50, first: 1, owner: 2)
        for index in 0..<max(mine.count, others.count) {
            machine.apply(machine.payload([mine, others].compactMap { index < $0.count ? $0[index] : nil }))
        }
        #expect(strlen("key") == ":300\r\n" && strlen("other") == ":500\r\n")
    }

    @Test func whatIsBegunIsPartOfTheStateUntilTheRunIsOver() {
        let before = machine.machine.digest()
        let segments = pieces(words, of: 50, first: 1)
        machine.apply(machine.payload(Array(segments.prefix(3))))
        let other = TestMachine()
        var changed = segments
        changed[1][changed[1].count - 1] ^= 1
        other.apply(other.payload(Array(changed.prefix(3))))
        #expect(machine.machine.digest() != before && machine.machine.digest() != other.machine.digest())
        #expect(machine.machine.pieces.memoryBytes > 300)
        // The node began again: the rest never comes.
        machine.apply(machine.payload([machine.segment([(0, [Array("PING".utf8)])], first: 1, incarnation: 2)]))
        #expect(machine.machine.pieces.memoryBytes == 0)
        #expect(machine.apply(machine.payload(Array(segments.dropFirst(3)))) == [])
    }

    @Test(arguments: [1, 100, 1 << 20])
    func aRecordHasWhatIsBegun(budget: Int) throws {
        let mine = pieces(words, of: 50, first: 1)
        let others = pieces(
            [Array("SET".utf8), Array("other".utf8), [UInt8](repeating: 1, count: 500)], of: 50, first: 1, owner: 2)
        for index in 0..<4 { machine.apply(machine.payload([mine[index], others[index]])) }
        let record = try #require(machine.machine.beginRecord())
        let digest = machine.machine.digest()
        // More pieces come while the record is written: it has those that were there.
        let rest = machine.payload(Array(mine.dropFirst(4)) + Array(others.dropFirst(4)))
        let bytes = ByteBuffer()
        var index = 4
        while !record.encode(into: bytes, budgetBytes: budget) {
            if index < mine.count { machine.apply(machine.payload([mine[index]])) }
            index += 1
        }
        let loader = StateLoader()
        try loader.load(bytes.view)
        let loaded = try loader.finish()
        #expect(loaded.digest() == digest && record.digest == digest)
        var executed = 0
        rest.withView { payload in
            loaded.begin(payload: payload, index: loaded.appliedIndex.next, term: Term(1))
            while loaded.nextItem() {
                executed += 1
                loaded.execute(reply: ReplyWriter(ByteBuffer(), discards: true))
            }
            loaded.end()
        }
        #expect(executed == 2 && loaded.keyCount(3) == 2 && loaded.pieces.memoryBytes == 0)
    }

    @Test func piecesThatDoNotFitAreNeverExecuted() {
        let segments = pieces(words, of: 50, first: 1)
        // Without the beginning; one left out; one too many bytes; the last one too short.
        for broken in [Array(segments.dropFirst()), [segments[0]] + segments.dropFirst(2), [segments[0], segments.last ?? []]] {
            let machine = TestMachine()
            let renumbered = broken.enumerated().map { index, segment in
                var segment = segment
                segment.withUnsafeMutableBytes { $0.storeBytes(of: UInt64(index + 1), toByteOffset: 12, as: UInt64.self) }
                return segment
            }
            #expect(machine.apply(machine.payload(renumbered)) == [])
            #expect(machine.machine.lastApplied(of: NodeID(1))?.number == UInt64(broken.count))
        }
    }

    @Test func damagedPiecesNeverTrap() {
        var random = RandomGenerator(seed: 3)
        for _ in 0..<3000 {
            let machine = TestMachine()
            for segment in pieces(words, of: 40, first: 1) {
                var segment = segment
                // Only the items: numbers and counts are the log's own.
                if random.chance(1, in: 3) {
                    segment[28 + random.index(below: segment.count - 28)] ^= UInt8(1 + random.index(below: 255))
                }
                guard segment.withView({ CommandBatch.validateSegment($0) }) else { break }
                machine.apply(machine.payload([segment]))
            }
        }
    }
}
