import Base
import Consensus
import Testing

@testable import Storage

@Suite struct InspectorTests {
    func inspect(_ rig: LogRig) throws -> (records: [InspectedRecord], refusal: StorageError?) {
        var records: [InspectedRecord] = []
        let refusal = try LogInspector.inspect(rig.disk, identity: LogRig.identity) { records.append($0) }
        return (records, refusal)
    }

    func filled() throws -> LogRig {
        let rig = try LogRig()
        rig.append(incarnation: 1)
        rig.append(
            GroupID(6), hardState: HardState(term: Term(2), vote: NodeID(3)), entries: [entry(1, term: 2)],
            commitHint: LogIndex(1))
        rig.settle()
        rig.append(entries: [entry(1), entry(2)])
        rig.settle()
        rig.append(entries: [entry(3, bytes: 5000)])
        rig.settle()
        return rig
    }

    @Test func aSoundLogIsDescribed() throws {
        let rig = try filled()
        let (records, refusal) = try inspect(rig)
        #expect(refusal == nil)
        #expect(
            records.map(\.kind) == [
                .segment, .frame, .incarnation, .hardState, .entry, .commitHint, .frame, .entry, .entry, .segment, .frame,
                .entry, .segment,
            ])
        #expect(records.dropLast().allSatisfy { $0.verdict == .good })
        #expect(records[3].group == GroupID(6) && records[3].term == Term(2) && records[3].detail == "vote 3")
        #expect(
            records[4].index == LogIndex(1) && records[4].detail == "command, 20 bytes" && records[4].offset == 4096 + 48 + 64)
        #expect(records[10].sequence == 3 && records[10].byteCount == 8192)
        if case .unused = records[12].verdict {} else { Issue.record("the spare is unused") }
    }

    @Test func itGoesOnBehindDamage() throws {
        let rig = try filled()
        rig.disk.files["log-0000000000000001"]?[8192 + 48 + 60] ^= 1
        var (records, refusal) = try inspect(rig)
        if case .damaged(let file, let offset, _)? = refusal {
            #expect(file == "log-0000000000000001" && offset == 8192)
        } else {
            Issue.record("it was not refused")
        }
        #expect(records.filter { $0.verdict == .bad("a record's checksum is wrong") }.map(\.kind) == [.frame, .unreadable])
        #expect(records.suffix(4).map(\.kind) == [.segment, .frame, .entry, .segment])
        // A frame header: the frames behind it are found all the same.
        rig.disk.files["log-0000000000000001"]?[4096] ^= 1
        (records, refusal) = try inspect(rig)
        #expect(refusal != nil)
        #expect(records[1].kind == .unreadable && records[1].offset == 4096 && records[1].byteCount == 4096)
        #expect(records[2].kind == .frame && records[2].sequence == 2)
        // The segment's header as well.
        rig.disk.files["log-0000000000000001"]?[0] ^= 1
        (records, refusal) = try inspect(rig)
        #expect(refusal != nil && records.filter { $0.kind == .frame }.map(\.sequence) == [2, 3])
    }

    @Test func aTornTailIsToldFromDamage() throws {
        let rig = try filled()
        rig.append(entries: [entry(4, bytes: 2000)])
        rig.flush()
        rig.disk.tear(rig.queue[0].action, sectorBytes: 512) { $0 != 2 }
        let (records, refusal) = try inspect(rig)
        #expect(refusal == nil)
        #expect(records.last { $0.kind == .frame }?.verdict == .unused("never completed: a record's checksum is wrong"))
    }
}
