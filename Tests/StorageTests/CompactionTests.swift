import Base
import Consensus
import Testing

@testable import Storage

@Suite struct CompactionTests {
    /// 30 entries of group 0 and 5 of group 2, over ten segments.
    func filled() throws -> LogRig {
        let rig = try LogRig()
        rig.append(incarnation: 4)
        rig.append(hardState: HardState(term: Term(3), vote: NodeID(2)))
        rig.append(GroupID(2), hardState: HardState(term: Term(8)), entries: (1...5).map { entry($0, bytes: 50) })
        for index in 1...30 {
            rig.append(entries: [entry(UInt64(index), bytes: 3000)], commitHint: LogIndex(UInt64(index - 1)))
            rig.settle()
        }
        return rig
    }

    @Test func segmentsGoWhenNoGroupNeedsThem() throws {
        let rig = try filled()
        let before = rig.disk.files.count
        rig.log.compact(group: .first, through: LogIndex(25), term: Term(1))
        rig.settle()
        #expect(rig.disk.files.count >= before, "group 2 still needs the first segment")
        rig.log.compact(group: GroupID(2), through: LogIndex(5), term: Term(1))
        rig.settle()
        #expect(rig.disk.files.count < before - 4)
        #expect(rig.log.diskBytes == rig.disk.files.values.reduce(0) { $0 + $1.count })
        #expect(rig.disk.errors.isEmpty)
        let next = try rig.recovered()
        let group = try #require(next.found.state.groups[0])
        #expect(group.hardState == HardState(term: Term(3), vote: NodeID(2)), "term and vote outlive their segment")
        #expect(group.base == LogIndex(25) && group.baseTerm == Term(1))
        #expect(group.entries == (26...30).map { entry($0, bytes: 3000) })
        #expect(next.found.state.groups[2]?.hardState == HardState(term: Term(8)))
        #expect(next.found.state.groups[2]?.last == LogIndex(5))
        #expect(next.found.state.incarnation == Incarnation(4))
        #expect(next.log.readable(group: .first) == LogIndex(26)...LogIndex(30))
        #expect(try readBack(next, from: 25) == nil)
        #expect(try readBack(next, from: 26, bytesMax: 1) == [entry(26, bytes: 3000)])
        next.append(GroupID(2), entries: [entry(6)])
        next.settle()
        #expect(try next.recovered().found.state.groups[2]?.entries == [entry(6)])
    }

    @Test func recycledSegmentsAreUsedAgainAndTheirOldFramesIgnored() throws {
        let rig = try filled()
        rig.log.compact(group: GroupID(2), through: LogIndex(5), term: Term(1))
        rig.log.compact(group: .first, through: LogIndex(28), term: Term(1))
        rig.settle()
        let recycled = rig.disk.files.filter { name, bytes in
            if case .good(let header) = bytes.withView({ SegmentHeader.decode($0) }) {
                return LogFormat.fileName(segment: header.number).text != name
            }
            return false
        }
        #expect(recycled.count == 1, "one spare was there, one more is kept")
        for index in 31...45 {
            rig.append(entries: [entry(UInt64(index), bytes: 3000)])
            rig.settle()
            let next = try rig.recovered()
            #expect(next.found.state.groups[0]?.entries == (29...UInt64(index)).map { entry($0, bytes: 3000) })
            #expect(next.report.tornTail == nil)
        }
        #expect(rig.disk.errors.isEmpty)
    }

    @Test func aSegmentThatIsBeingReadWaits() throws {
        let rig = try filled()
        rig.log.compact(group: GroupID(2), through: LogIndex(5), term: Term(1))
        var operations: [DiskOperation] = []
        let number = try #require(
            rig.log.requestEntries(group: .first, from: LogIndex(2), bytesMax: 1, into: &operations))
        rig.log.compact(group: .first, through: LogIndex(28), term: Term(1))
        rig.settle()
        #expect(rig.disk.files["log-0000000000000001"] != nil)
        let bytes = rig.disk.perform(try #require(operations.last).action)
        let read = try bytes.withView { (view) throws(StorageError) in try rig.log.entriesRead(number: number, bytes: view) }
        #expect(read.entries.isEmpty, "they are covered by the state file")
        rig.settle()
        #expect(rig.disk.files["log-0000000000000001"] == nil)
    }

    @Test func aBaseBehindTheLogEmptiesIt() throws {
        let rig = try filled()
        rig.append(entries: [entry(31, bytes: 5000)])
        rig.flush()
        rig.log.compact(group: .first, through: LogIndex(100), term: Term(7))
        rig.append(entries: [entry(101, term: 7)])
        rig.settle()
        #expect(rig.log.readable(group: .first) == LogIndex(101)...LogIndex(101))
        let next = try rig.recovered()
        #expect(next.found.state.groups[0]?.entries == [entry(101, term: 7)])
        #expect(next.found.state.groups[0]?.baseTerm == Term(7))
    }

    @Test func aCrashBetweenRemovalsLeavesAContiguousLog() throws {
        var stop = 0
        var finished = false
        while !finished {
            let rig = try filled()
            rig.log.compact(group: GroupID(2), through: LogIndex(5), term: Term(1))
            rig.log.compact(group: .first, through: LogIndex(28), term: Term(1))
            rig.flush()
            for _ in 0..<stop where !rig.queue.isEmpty { rig.step() }
            finished = rig.queue.isEmpty
            let isCompacted = rig.log.isIdle
            let next = try rig.recovered()
            next.settle()
            let group = try #require(next.found.state.groups[0])
            #expect(group.entries.last == entry(30, bytes: 3000) && group.hardState?.term == Term(3))
            #expect(!isCompacted || group.entries == [entry(29, bytes: 3000), entry(30, bytes: 3000)])
            #expect(next.disk.errors.isEmpty)
            next.settle()
            if isCompacted { #expect(next.disk.files.count <= 4, "what the crash left is removed") }
            stop += 1
        }
        #expect(stop > 9)
    }

    @Test func aMissingBeginningIsRefused() throws {
        let rig = try filled()
        rig.log.compact(group: GroupID(2), through: LogIndex(5), term: Term(1))
        rig.log.compact(group: .first, through: LogIndex(20), term: Term(1))
        rig.settle()
        let first = try #require(rig.log.segments.first)
        rig.disk.files[first.name.text] = nil
        do {
            _ = try rig.recovered()
            Issue.record("it was accepted")
        } catch StorageError.damaged(_, let offset, let reason) {
            #expect(offset == 0 && reason.contains("missing"))
        }
    }
}
