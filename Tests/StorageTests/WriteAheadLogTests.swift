import Base
import Consensus
import Storage
import Testing

@Suite struct WriteAheadLogTests {
    @Test func whatWasAppendedIsRecoveredInOrder() throws {
        let rig = try LogRig()
        rig.append(incarnation: 1)
        rig.append(hardState: HardState(term: Term(1), vote: NodeID(3)), entries: [entry(1, kind: .empty)])
        rig.append(entries: [entry(2), entry(3, bytes: 0), entry(4, bytes: 1)], commitHint: LogIndex(1))
        rig.append(hardState: HardState(term: Term(2), vote: nil))
        rig.settle()
        #expect(rig.log.isIdle)
        #expect(rig.reported.count == 4)
        let next = try rig.recovered()
        #expect(next.found.records == rig.appended)
        #expect(next.report.tornTail == nil)
        #expect(next.report.records == 8)
        #expect(next.found.lastProgress.done == next.found.lastProgress.total)
        #expect(rig.disk.errors.isEmpty)
    }

    @Test func anEmptyDirectoryIsAnEmptyLog() throws {
        let rig = try LogRig()
        #expect(rig.found.records.isEmpty && rig.report.segments == 0)
        #expect(rig.flush() == nil)
        rig.append(incarnation: 1)
        // The first segment must be there before anything is written to it.
        #expect(rig.flush() == nil)
        #expect(rig.queue.count == 1)
        rig.settle()
        #expect(rig.reported == [.incarnation(Incarnation(1))])
    }

    @Test func appendsGatherWhileAFrameIsWritten() throws {
        let rig = try LogRig()
        rig.settle()
        rig.append(entries: [entry(1)])
        let first = try #require(rig.flush())
        rig.append(entries: [entry(2)])
        rig.append(entries: [entry(3)])
        #expect(rig.flush() == nil)
        #expect(rig.log.pendingBytes == 8192)
        // The header of the new segment, the frame, the creation of the next spare.
        #expect(rig.queue.first { $0.number == first } != nil)
        while rig.reported.isEmpty { rig.step() }
        #expect(rig.reported == [.persist(group: .first, sequence: 1)])
        rig.settle()
        #expect(rig.reported.count == 3)
        let next = try rig.recovered()
        #expect(next.report.frames == 2)
        #expect(next.found.records == rig.appended)
    }

    @Test func operationNumbersAreDense() throws {
        let rig = try LogRig()
        var numbers: [UInt64] = []
        for index in 1...60 {
            rig.append(entries: [entry(UInt64(index), bytes: 2000)])
            rig.flush()
            numbers += rig.queue.map(\.number)
            while !rig.queue.isEmpty {
                let before = rig.queue.count
                rig.step()
                numbers += rig.queue.dropFirst(before - 1).map(\.number)
            }
        }
        #expect(numbers == Array(1...UInt64(numbers.count)))
    }

    @Test func aSpareIsAskedForBeforeItIsNeeded() throws {
        let rig = try LogRig()
        rig.settle()
        for index in 1...40 {
            rig.append(entries: [entry(UInt64(index), bytes: 3000)])
            #expect(rig.flush() != nil, "the next segment is always ready when creations keep up")
            rig.settle()
        }
        #expect(rig.disk.files.count == 41 / 3 + 2)
        #expect(try rig.recovered().found.records == rig.appended)
        #expect(rig.disk.errors.isEmpty)
    }

    @Test func rotationWaitsForTheSpareAndGathersMeanwhile() throws {
        let rig = try LogRig()
        rig.settle()
        var creations: [DiskOperation] = []
        var index: UInt64 = 0
        func turn() {
            while !rig.queue.isEmpty {
                if case .create = rig.queue[0].action { creations.append(rig.queue.removeFirst()) } else { rig.step() }
            }
        }
        // Until the first segment is full and the second can't be used.
        repeat {
            index += 1
            rig.append(entries: [entry(index)])
            rig.flush()
            turn()
        } while rig.log.isIdle
        #expect(creations.count == 1)
        let before = rig.reported.count
        for _ in 0..<5 {
            index += 1
            rig.append(entries: [entry(index)])
            #expect(rig.flush() == nil)
        }
        rig.queue = creations + rig.queue
        rig.settle()
        #expect(rig.reported.count == before + 6)
        let next = try rig.recovered()
        #expect(next.found.records == rig.appended)
        #expect(next.report.frames == 4, "three in the first segment, one that gathered six appends")
    }

    @Test func aPersistLargerThanAFrameIsReportedWhenItsLastFrameIsDurable() throws {
        let rig = try LogRig()
        rig.settle()
        rig.append(entries: (1...20).map { entry($0, bytes: 1500) })
        rig.append(entries: [entry(21)])
        rig.flush()
        rig.step()
        rig.step()
        #expect(rig.reported.isEmpty)
        rig.settle()
        #expect(rig.reported == [.persist(group: .first, sequence: 1), .persist(group: .first, sequence: 2)])
        #expect(try rig.recovered().found.records == rig.appended)
    }

    @Test func anOversizedEntryGetsItsOwnSegment() throws {
        let rig = try LogRig()
        rig.settle()
        rig.append(entries: [entry(1)])
        rig.append(entries: [entry(2, bytes: 100_000)])
        rig.append(entries: [entry(3), entry(4, bytes: 50_000), entry(5)])
        rig.settle()
        for index in 6...20 {
            rig.append(entries: [entry(UInt64(index), bytes: 5000)])
            rig.settle()
        }
        #expect(rig.disk.errors.isEmpty)
        let next = try rig.recovered()
        #expect(next.found.records == rig.appended)
        #expect(try readBack(next, from: 2, bytesMax: 10) == [entry(2, bytes: 100_000)])
        next.settle()
        next.append(entries: [entry(21)])
        next.settle()
        #expect(next.disk.errors.isEmpty)
        #expect(try next.recovered().found.records == rig.appended + next.appended)
    }

    @Test func aLowerIndexReplacesTheLogFromThere() throws {
        let rig = try LogRig()
        rig.append(entries: (1...10).map { entry($0, bytes: 1000) })
        rig.settle()
        rig.append(entries: (11...14).map { entry($0, bytes: 1000) })
        rig.flush()
        // While that frame is on its way, it is already out of date.
        rig.append(hardState: HardState(term: Term(2)), entries: [entry(8, term: 2), entry(9, term: 2)])
        rig.settle()
        #expect(rig.log.readable(group: .first) == LogIndex(1)...LogIndex(9))
        #expect(try readBack(rig, from: 8) == [entry(8, term: 2), entry(9, term: 2)])
        #expect(try readBack(rig, from: 10) == nil)
        rig.append(entries: [entry(1, term: 3)])
        rig.settle()
        let next = try rig.recovered()
        #expect(next.found.state.groups[0]?.entries == [entry(1, term: 3)])
        #expect(next.log.readable(group: .first) == LogIndex(1)...LogIndex(1))
        #expect(next.found.records == rig.appended)
    }

    @Test func entriesAreReadBackInPieces() throws {
        let rig = try LogRig()
        for index in 1...100 {
            rig.append(entries: [entry(UInt64(index), bytes: 10 * index)])
            rig.append(GroupID(7), entries: [entry(UInt64(index), term: 9, bytes: 77)])
            if index % 3 == 0 { rig.settle() }
        }
        rig.settle()
        for log in [rig, try rig.recovered()] {
            for bytesMax in [1, 5000, 1 << 20] {
                var next: UInt64 = 1
                while next <= 100 {
                    let entries = try #require(try readBack(log, from: next, bytesMax: bytesMax))
                    #expect(entries == (next..<next + UInt64(entries.count)).map { entry($0, bytes: Int(10 * $0)) })
                    #expect(!entries.isEmpty && (bytesMax > 1 || entries.count == 1))
                    next += UInt64(max(1, entries.count))
                }
            }
            #expect(try readBack(log, group: GroupID(7), from: 50, bytesMax: 1) == [entry(50, term: 9, bytes: 77)])
            #expect(try readBack(log, from: 101) == nil)
            #expect(try readBack(log, from: 0) == nil)
            #expect(try readBack(log, group: GroupID(1), from: 1) == nil)
        }
    }

    @Test func anEntryIsReadableOnlyWhenDurable() throws {
        let rig = try LogRig()
        rig.settle()
        rig.append(entries: [entry(1)])
        rig.flush()
        #expect(try readBack(rig, from: 1) == nil)
        rig.settle()
        #expect(try readBack(rig, from: 1) == [entry(1)])
    }

    @Test func aReadOfEntriesThatWereCutMeanwhileGivesWhatIsLeft() throws {
        let rig = try LogRig()
        rig.append(entries: (1...10).map { entry($0) })
        rig.settle()
        var operations: [DiskOperation] = []
        let number = try #require(
            rig.log.requestEntries(group: .first, from: LogIndex(5), bytesMax: 1 << 20, into: &operations))
        rig.append(entries: [entry(7, term: 2)])
        let bytes = rig.disk.perform(try #require(operations.last).action)
        let read = try bytes.withView { (view) throws(StorageError) in try rig.log.entriesRead(number: number, bytes: view) }
        #expect(read.from == LogIndex(5) && read.entries == [entry(5), entry(6)])
    }

    @Test func damageIsFoundWhenReadBack() throws {
        let rig = try LogRig()
        rig.append(entries: [entry(1), entry(2)])
        rig.settle()
        var operations: [DiskOperation] = []
        let number = try #require(
            rig.log.requestEntries(group: .first, from: LogIndex(1), bytesMax: 1 << 20, into: &operations))
        var bytes = rig.disk.perform(try #require(operations.last).action)
        bytes[48 + 56 + 40] ^= 1
        #expect(throws: StorageError.self) {
            try bytes.withView { (view) throws(StorageError) in try rig.log.entriesRead(number: number, bytes: view) }
        }
    }

    @Test func hardStateRulesAreChecked() async {
        await #expect(processExitsWith: .failure) {
            let rig = try LogRig()
            rig.append(hardState: HardState(term: Term(2), vote: NodeID(1)))
            rig.append(hardState: HardState(term: Term(2), vote: NodeID(2)))
        }
        await #expect(processExitsWith: .failure) {
            let rig = try LogRig()
            rig.append(entries: [entry(1)])
            rig.append(entries: [entry(3)])
        }
    }

    @Test func aPersistWithoutNewsKeepsItsTurn() throws {
        let rig = try LogRig()
        rig.append()
        rig.append(entries: [entry(1)])
        rig.append(commitHint: LogIndex(1))
        rig.append(commitHint: LogIndex(1))
        rig.settle()
        #expect(rig.reported.count == 4)
        #expect(try rig.recovered().found.records == rig.appended)
    }

    @Test func aSealIsWrittenOnce() throws {
        let rig = try LogRig()
        rig.log.seal()
        rig.settle()
        rig.append(entries: [entry(1)])
        rig.log.seal()
        rig.log.seal()
        rig.settle()
        #expect(rig.log.isIdle)
        let next = try rig.recovered()
        #expect(next.report.frames == 2 && next.report.records == 1)
        next.log.seal()
        #expect(next.log.isIdle)
        next.append(entries: [entry(2)])
        next.settle()
        #expect(try next.recovered().report.frames == 3)
    }
}
