import Base
import Consensus
import Testing

@testable import Storage

/// The log is cut down at every disk operation, in every way in which that operation can be left half done.
@Suite struct CrashTests {
    /// One way in which a crash leaves the operation that was under way.
    enum Damage {
        case nothingDone
        /// Done, but not reported.
        case allDone
        /// The sectors whose bit is set were written.
        case sectors(UInt64, bytes: Int)
    }

    /// A history with rotation, frames of several blocks, replaced entries, two groups, a seal, an oversized entry, and a
    /// compaction that recycles segments.
    static func script(_ rig: LogRig, turn: Int, from last: UInt64) {
        let index = last + 1
        switch turn {
        case 0:
            rig.append(hardState: HardState(term: Term(5), vote: NodeID(2)), entries: [entry(index, term: 5, kind: .empty)])
            rig.append(GroupID(4), hardState: HardState(term: Term(1)))
        case 1: rig.append(entries: (index...index + 3).map { entry($0, term: 5, bytes: 1500) }, commitHint: LogIndex(index - 1))
        case 2: rig.append(GroupID(4), entries: (1...7).map { entry($0, bytes: 900) })
        case 3: rig.append(hardState: HardState(term: Term(6)), entries: [entry(index - 2, term: 6, bytes: 3000)])
        case 4:
            rig.append(GroupID(4), entries: (3...6).map { entry($0, term: 2, bytes: 2100) }, commitHint: LogIndex(4))
            rig.append(entries: [entry(index, term: 6, bytes: 17_000)])
        case 5: rig.log.seal()
        default: rig.append(entries: [entry(index, term: 6, bytes: 3900), entry(index + 1, term: 6, bytes: 200)])
        }
    }

    static let turns = 9

    /// Runs the script and stops before operation `stop` of the run.
    ///
    /// - Returns: the operation that was under way, or nil when the script ended before.
    static func run(_ rig: LogRig, until stop: Int) -> DiskOperation? {
        var done = 0
        func drain() -> DiskOperation? {
            rig.flush()
            while !rig.queue.isEmpty {
                if done == stop { return rig.queue[0] }
                done += 1
                rig.step()
            }
            return nil
        }
        if let operation = drain() { return operation }
        var last: UInt64 = 0
        for turn in 0..<turns {
            script(rig, turn: turn, from: last)
            for case .entry(.first, let entry) in rig.appended { last = entry.index.rawValue }
            if let operation = drain() { return operation }
        }
        return nil
    }

    static func damages(of operation: DiskOperation) -> [Damage] {
        guard case .write(_, _, let block) = operation.action else { return [.nothingDone, .allDone, .sectors(0, bytes: 512)] }
        let blocks = block.buffer.count / MemoryDisk.blockBytes
        var damages: [Damage] = [.nothingDone, .allDone]
        // Every subset of the blocks, of frames that are not too long; of longer ones each block missing, and each alone.
        if blocks <= 4 {
            damages += (0..<UInt64(1) << UInt64(blocks)).map { .sectors($0, bytes: MemoryDisk.blockBytes) }
        } else {
            for number in 0..<UInt64(blocks) {
                damages += [
                    .sectors(1 << number, bytes: MemoryDisk.blockBytes), .sectors(~(1 << number), bytes: MemoryDisk.blockBytes),
                ]
            }
        }
        for pattern: UInt64 in [1, ~1, 0x5555_5555_5555_5555, 0xAAAA_AAAA_AAAA_AAAA, 0xFF, 0xFF00] {
            damages.append(.sectors(pattern, bytes: 512))
        }
        return damages
    }

    @Test func everythingReportedSurvivesACrashAtEveryOperation() throws {
        var stop = 0
        var crashes = 0
        while true {
            let probe = try LogRig()
            guard let under = CrashTests.run(probe, until: stop) else { break }
            for damage in CrashTests.damages(of: under) {
                let rig = try LogRig()
                let operation = try #require(CrashTests.run(rig, until: stop))
                apply(damage, of: operation, to: rig.disk)
                try expectPrefix(rig, "operation \(stop), \(damage)")
                crashes += 1
            }
            stop += 1
        }
        #expect(stop > 25 && crashes > 200)
    }

    func apply(_ damage: Damage, of operation: DiskOperation, to disk: MemoryDisk) {
        switch damage {
        case .nothingDone: break
        case .allDone: disk.perform(operation.action)
        case .sectors(let mask, let bytes): disk.tear(operation.action, sectorBytes: bytes) { mask >> UInt64($0 % 64) & 1 == 1 }
        }
    }

    /// After a crash: a prefix of what was appended is there, all that was reported in it; the log goes on from there, and
    /// what is appended then is found behind that prefix.
    func expectPrefix(_ rig: LogRig, _ context: String) throws {
        let next = try rig.recovered()
        let found = next.found.records
        #expect(found.count >= rig.durableRecords, "\(context)")
        #expect(found == Array(rig.appended.prefix(found.count)), "\(context)")
        let last = next.found.state.groups[0]?.last.rawValue ?? 0
        next.append(entries: [entry(last + 1, term: 9, bytes: 5000), entry(last + 2, term: 9)])
        next.settle()
        next.append(entries: [entry(last + 3, term: 9)])
        next.settle()
        #expect(next.reported.count == 2 && next.disk.errors.isEmpty, "\(context): \(next.disk.errors)")
        let again = try next.recovered()
        #expect(again.found.records == found + next.appended, "\(context)")
        #expect(again.report.tornTail == nil, "\(context)")
        #expect(again.disk.files.keys.allSatisfy { !$0.hasSuffix(".new") }, "\(context)")
    }

    /// The remains of a torn frame must not mix with the frame that is written in its place and torn as well.
    @Test func aTornFrameOverATornFrame() throws {
        // Both frames have three records, each in a block of its own at the same place, the last one the same in both: every
        // mixture of their blocks has records whose own checksums fit.
        for first in 0..<UInt64(8) {
            for second in 0..<UInt64(8) {
                let rig = try LogRig(options: LogOptions(segmentBytes: 64 << 10, frameBytesMax: 32 << 10))
                rig.append(entries: [entry(1)])
                rig.settle()
                rig.append(entries: [entry(2, bytes: 4016), entry(3, bytes: 4064), entry(4, bytes: 4064)])
                rig.flush()
                rig.disk.tear(rig.queue[0].action, sectorBytes: 4096) { first >> UInt64($0) & 1 == 1 }
                let next = try LogRig(rig.disk, options: LogOptions(segmentBytes: 64 << 10, frameBytesMax: 32 << 10))
                #expect(next.found.records.count == (first == 7 ? 4 : 1))
                if first == 7 { continue }
                next.settle()
                next.append(entries: [entry(2, term: 2, bytes: 4016), entry(3, term: 2, bytes: 4064), entry(4, bytes: 4064)])
                next.flush()
                next.disk.tear(next.queue[0].action, sectorBytes: 4096) { second >> UInt64($0) & 1 == 1 }
                let again = try LogRig(next.disk, options: LogOptions(segmentBytes: 64 << 10, frameBytesMax: 32 << 10))
                let whole = again.found.records == [.entry(.first, entry(1))] + next.appended
                #expect(whole || again.found.records == [.entry(.first, entry(1))], "\(first) then \(second)")
                if second == 7 { #expect(whole) }
            }
        }
    }

    /// A segment whose header was written and that never got a frame, because the first one after the crash was too large
    /// for it, is recycled like any other.
    @Test func aSegmentThatStayedEmptyIsRecycled() throws {
        let rig = try LogRig()
        rig.append(entries: [entry(1)])
        // The creation of the first segment, and its header; not the frame.
        rig.step()
        rig.step()
        let next = try rig.recovered()
        #expect(next.report.segments == 1 && next.found.records.isEmpty)
        next.append(entries: [entry(1, bytes: 30_000)])
        next.settle()
        for _ in 0..<3 {
            let again = try next.recovered()
            #expect(again.found.records == next.appended)
            again.settle()
        }
        #expect(rig.disk.errors.isEmpty)
    }

    @Test func theTornTailIsReported() throws {
        let rig = try LogRig()
        rig.append(entries: [entry(1)])
        rig.settle()
        rig.append(entries: [entry(2, bytes: 5000)])
        rig.flush()
        rig.disk.tear(rig.queue[0].action, sectorBytes: 4096) { $0 == 0 }
        let next = try rig.recovered()
        let torn = try #require(next.report.tornTail)
        #expect(torn.file == "log-0000000000000001" && torn.offset == 8192 && torn.sequence == 2 && torn.byteCount == 8192)
        #expect(torn.description.contains("offset 8192"))
        next.settle()
        #expect(try next.recovered().report.tornTail == nil, "what was cut is wiped")
    }
}
