import Base
import Database
import RESP
import Testing

@Suite struct SessionTests {
    private func increments(_ count: Int) -> [(database: Int, words: [[UInt8]])] {
        (0..<count).map { _ in (0, [Array("INCR".utf8), Array("n".utf8)]) }
    }

    @Test func onlyTheNextNumberIsExecuted() {
        let machine = TestMachine()
        func apply(first: UInt64, count: Int) -> [UInt64] {
            machine.apply(machine.payload([machine.segment(increments(count), first: first, owner: 2)]))
        }
        #expect(apply(first: 1, count: 3) == [1, 2, 3])
        #expect(apply(first: 1, count: 3) == [], "repeated")
        #expect(apply(first: 2, count: 4) == [4, 5], "what is new behind what is repeated")
        #expect(apply(first: 7, count: 2) == [], "early: 6 is missing")
        #expect(apply(first: 6, count: 2) == [6, 7])
        #expect(machine.run("GET n") == "$1\r\n7\r\n")
        #expect(machine.machine.lastApplied(of: NodeID(2))?.number == 7)
        #expect(machine.machine.lastApplied(of: NodeID(3)) == nil)
    }

    @Test func aNewerRunReplacesTheOlder() {
        let machine = TestMachine()
        func apply(_ incarnation: UInt64, first: UInt64, count: Int) -> [UInt64] {
            machine.apply(
                machine.payload([machine.segment(increments(count), first: first, owner: 2, incarnation: incarnation)]))
        }
        #expect(apply(1, first: 1, count: 2) == [1, 2])
        #expect(apply(3, first: 2, count: 1) == [], "a run begins with its first number")
        #expect(machine.machine.lastApplied(of: NodeID(2))?.incarnation == Incarnation(3))
        #expect(machine.machine.lastApplied(of: NodeID(2))?.number == 0)
        #expect(apply(1, first: 3, count: 5) == [], "the older run is over")
        #expect(apply(3, first: 1, count: 2) == [1, 2])
        #expect(machine.run("GET n") == "$1\r\n4\r\n")
    }

    @Test func runsOfSeveralNodesShareAnEntry() {
        let machine = TestMachine()
        let payload = machine.payload([
            machine.segment(increments(2), first: 1, owner: 3), machine.segment([], first: 1, owner: 4),
            machine.segment(increments(1), first: 1, owner: 2), machine.segment(increments(2), first: 2, owner: 2),
        ])
        #expect(machine.apply(payload) == [1, 2, 1, 2, 3])
        #expect(machine.machine.lastApplied(of: NodeID(4))?.number == 0)
    }

    @Test func timeDoesNotGoBack() {
        let machine = TestMachine()
        machine.tick()
        let before = machine.machine.time
        machine.advance(milliseconds: -5000)
        machine.tick()
        #expect(machine.machine.time == before)
    }

    @Test func emptyEntriesCount() {
        let machine = TestMachine()
        machine.machine.applyEmpty(index: LogIndex(1), term: Term(1))
        machine.tick()
        #expect(machine.machine.appliedIndex == LogIndex(2))
    }

    @Test func aCommandThatIsUnknownInTheLogIsAnError() {
        let machine = TestMachine()
        let output = ByteBuffer()
        let words: [[UInt8]] = [Array("NEWER".utf8), Array("x".utf8)]
        machine.apply(machine.payload([machine.segment([(0, words)], first: 1)]), reply: ReplyWriter(output))
        #expect(output.view.text == "-ERR unknown command 'NEWER', with args beginning with: 'x' \r\n")
    }
}

@Suite struct CommandBatchTests {
    @Test func anySegmentThatIsCutOrLongerIsRefused() {
        let machine = TestMachine()
        let items: [(database: Int, words: [[UInt8]])] = [
            (0, [Array("SET".utf8), Array("key".utf8), [UInt8](repeating: 7, count: 300)]), (15, [Array("PING".utf8)]),
        ]
        let segment = machine.segment(items, first: 9)
        #expect(segment.withView { CommandBatch.validateSegment($0) })
        for count in 0..<segment.count { #expect(!Array(segment[..<count]).withView { CommandBatch.validateSegment($0) }) }
        #expect(!(segment + [0]).withView { CommandBatch.validateSegment($0) })
    }

    @Test func damagedSegmentsNeverTrap() {
        let machine = TestMachine()
        let segment = machine.segment([(3, [Array("SET".utf8), Array("key".utf8), Array("value".utf8)])], first: 1)
        var random = RandomGenerator(seed: 1)
        for _ in 0..<20_000 {
            var damaged = segment
            for _ in 0..<1 + random.index(below: 4) {
                damaged[random.index(below: damaged.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            _ = damaged.withView { CommandBatch.validateSegment($0) }
        }
    }

    @Test func theFormatIsWrittenDown() {
        let buffer = ByteBuffer()
        CommandBatch.beginPayload(time: WallTime(microseconds: 1), seed: 2, to: buffer)
        withArguments([Array("GET".utf8), Array("k".utf8)]) { arguments in
            CommandBatch.appendSegmentHeader(
                owner: NodeID(3), incarnation: Incarnation(4), first: 5, count: 1, byteCount: 9, to: buffer)
            CommandBatch.appendItem(database: 6, connection: 7, arguments: arguments, to: buffer)
        }
        let expected: [UInt8] =
            [2] + [1, 0, 0, 0, 0, 0, 0, 0] + [2, 0, 0, 0, 0, 0, 0, 0] + [3, 0, 0, 0] + [4, 0, 0, 0, 0, 0, 0, 0]
            + [5, 0, 0, 0, 0, 0, 0, 0] + [1, 0, 0, 0] + [9, 0, 0, 0] + [6, 7, 2, 3, 1] + Array("GETk".utf8)
        #expect(buffer.view.array == expected)
    }
}
