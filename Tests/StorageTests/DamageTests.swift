import Base
import Consensus
import Testing

@testable import Storage

/// What recovery refuses, what it cuts, and what does not matter.
@Suite struct DamageTests {
    /// A log of three frames in one segment, two in the next, and a spare.
    static func smallLog(sealed: Bool) throws -> LogRig {
        let rig = try LogRig()
        for turn in 0..<5 {
            rig.append(
                hardState: HardState(term: Term(UInt64(turn + 1)), vote: NodeID(1)),
                entries: [entry(UInt64(turn + 1), bytes: 100)], commitHint: LogIndex(UInt64(turn)))
            rig.settle()
        }
        if sealed { rig.log.seal() }
        rig.settle()
        return rig
    }

    /// Where the last frame lies: file, offset, bytes.
    static func lastFrame(_ rig: LogRig) throws -> InspectedRecord {
        var last: InspectedRecord?
        _ = try LogInspector.inspect(rig.disk, identity: LogRig.identity) { if $0.kind == .frame { last = $0 } }
        return try #require(last)
    }

    /// A flipped byte is refused with its file and a place at or before it, or it does not matter. Only in the last frame
    /// is it taken for a torn write, which is why a log is sealed when it rests.
    @Test(arguments: [false, true]) func everyByteFlipped(sealed: Bool) throws {
        let rig = try DamageTests.smallLog(sealed: sealed)
        let last = try DamageTests.lastFrame(rig)
        let original = rig.disk.files
        #expect(original.count == 3)
        var outcomes: (refused: Int, harmless: Int, cut: Int) = (0, 0, 0)
        for file in original.keys.sorted() {
            for position in 0..<(original[file]?.count ?? 0) {
                rig.disk.files[file]?[position] ^= 1 << UInt8(position % 8)
                var collector = Collector()
                do {
                    let report = try WriteAheadLog.recover(
                        from: rig.disk, identity: LogRig.identity, options: LogRig.tiny, visitor: &collector
                    ).report
                    if collector.records == rig.appended && report.frames == (sealed ? 6 : 5) {
                        outcomes.harmless += 1
                    } else {
                        let inLast = file == last.file && position >= last.offset && position < last.offset + last.byteCount
                        let expected = sealed ? rig.appended : Array(rig.appended.dropLast(3))
                        #expect(inLast && collector.records == expected, "\(file) \(position)")
                        outcomes.cut += 1
                    }
                } catch .damaged(let damagedFile, let offset, _) {
                    #expect(damagedFile == file && offset <= position && position < offset + 4096, "\(file) \(position)")
                    outcomes.refused += 1
                } catch {
                    Issue.record("\(file) \(position): \(error)")
                }
                rig.disk.files[file]?[position] ^= 1 << UInt8(position % 8)
            }
        }
        // Every byte of the headers and records counts; padding and unused blocks don't.
        #expect(outcomes.refused == 2 * 68 + (sealed ? 5 : 4) * frameBytes - 32)
        #expect(outcomes.cut == (sealed ? 48 : frameBytes))
    }

    /// Frame header, hard state, entry of 100 bytes (its padding does not count), commit hint (from the second frame on).
    private var frameBytes: Int { 48 + 32 + 132 + 32 }

    @Test func aMissingSegmentIsRefused() throws {
        for missing in ["log-0000000000000001", "log-0000000000000002", "log-0000000000000003"] {
            let rig = try LogRig()
            for index in 1...12 {
                rig.append(entries: [entry(UInt64(index))])
                rig.settle()
            }
            #expect(rig.disk.files.count == 5)
            rig.disk.files[missing] = nil
            do {
                _ = try rig.recovered()
                Issue.record("a log without \(missing) was accepted")
            } catch StorageError.damaged(let file, let offset, let reason) {
                let first = missing.hasSuffix("1")
                #expect(file == (first ? "log-0000000000000002" : missing.replacingLast()))
                #expect(offset == (first ? 0 : 16384))
                #expect(reason.contains("missing"))
            }
        }
    }

    @Test func aMissingBeginningIsRefusedEvenWithoutEntries() throws {
        let rig = try LogRig()
        for term in 1...5 {
            rig.append(hardState: HardState(term: Term(UInt64(term)), vote: NodeID(1)))
            rig.settle()
        }
        rig.disk.files["log-0000000000000001"] = nil
        expectDamage(rig, file: "log-0000000000000002", offset: 0)
    }

    @Test func aShortenedOrMisnamedSegmentIsRefused() throws {
        let rig = try DamageTests.smallLog(sealed: false)
        let files = rig.disk.files
        rig.disk.files["log-0000000000000002"]?.removeLast(4096)
        expectDamage(rig, file: "log-0000000000000002", offset: 12288)
        rig.disk.files = files
        rig.disk.files["log-0000000000000000"] = files["log-0000000000000002"]
        expectDamage(rig, file: "log-0000000000000000", offset: 0)
        rig.disk.files = files
        rig.disk.files["log-0000000000000009"] = files["log-0000000000000002"]
        expectDamage(rig, file: "log-0000000000000009", offset: 0)
        rig.disk.files["log-0000000000000001"] = nil
        rig.disk.files["log-0000000000000002"] = nil
        expectDamage(rig, file: "log-0000000000000009", offset: 0)
    }

    private func expectDamage(_ rig: LogRig, file: String, offset: Int, at location: SourceLocation = #_sourceLocation) {
        do {
            _ = try rig.recovered()
            Issue.record("damage was accepted", sourceLocation: location)
        } catch StorageError.damaged(let found, let place, _) {
            #expect(found == file && place == offset, sourceLocation: location)
        } catch {
            Issue.record(error, sourceLocation: location)
        }
    }

    @Test func anotherNodesLogIsRefused() throws {
        let rig = try DamageTests.smallLog(sealed: false)
        var other = LogRig.identity
        other.nodeID = NodeID(4)
        expectRefusal(rig, other, "node 3")
        other = LogRig.identity
        other.clusterID = ClusterID(high: 9, low: 2)
        expectRefusal(rig, other, "cluster 00000000000000010000000000000002")
        other = LogRig.identity
        other.salt = 1
        expectRefusal(rig, other, "salt")
    }

    private func expectRefusal(_ rig: LogRig, _ identity: NodeIdentity, _ text: String) {
        do {
            _ = try LogRig(rig.disk, identity: identity)
            Issue.record("it was accepted")
        } catch StorageError.wrongIdentity(let file, let reason) {
            #expect(file == "log-0000000000000001" && reason.contains(text))
        } catch {
            Issue.record(error)
        }
    }

    @Test func anotherFormatVersionIsRefused() throws {
        let rig = try DamageTests.smallLog(sealed: false)
        var header = Array(try #require(rig.disk.files["log-0000000000000001"]).prefix(68))
        header[8] = 2
        let sum = header.withView { CRC32C.checksum($0.slice(0, 64)) }
        for byte in 0..<4 { header[64 + byte] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * byte)) }
        rig.disk.files["log-0000000000000001"]?.replaceSubrange(0..<68, with: header)
        #expect(throws: StorageError.unsupportedVersion(file: "log-0000000000000001", version: 2)) { try rig.recovered() }
    }

    @Test func aFileThatCannotBeReadIsRefused() throws {
        let rig = try DamageTests.smallLog(sealed: false)
        rig.disk.unreadable = "log-0000000000000002"
        #expect(throws: StorageError.system(file: "log-0000000000000002", operation: "read", reason: "it can't be read")) {
            try rig.recovered()
        }
    }

    @Test func theHeaderOfASegmentWithoutFramesDoesNotMatter() throws {
        // The crash came after the header of the second segment and before its first frame.
        let rig = try LogRig()
        for index in 1...3 {
            rig.append(entries: [entry(UInt64(index))])
            rig.settle()
        }
        rig.append(entries: [entry(4)])
        rig.flush()
        rig.step()
        #expect(try rig.recovered().report.segments == 2)
        rig.disk.files["log-0000000000000002"]?[50] ^= 1
        let next = try rig.recovered()
        #expect(next.report.segments == 1 && next.found.records == Array(rig.appended.prefix(3)))
        next.append(entries: [entry(4)])
        next.settle()
        #expect(try next.recovered().found.records == rig.appended)
    }

    @Test func aLostLastFrameOfAFullSegmentIsRefusedWhenTheNextHasBegun() throws {
        let rig = try LogRig()
        for index in 1...3 {
            rig.append(entries: [entry(UInt64(index))])
            rig.settle()
        }
        rig.append(entries: [entry(4)])
        rig.flush()
        rig.step()
        // The new segment's header says that frame 3 was durable.
        rig.disk.files["log-0000000000000001"]?[12288 + 60] ^= 1
        expectDamage(rig, file: "log-0000000000000001", offset: 12288)
    }

    @Test func unfinishedCreationsAreRemovedAndOtherFilesLeftAlone() throws {
        let rig = try DamageTests.smallLog(sealed: false)
        rig.disk.files["log-0000000000000007.new"] = [1, 2, 3]
        rig.disk.files["identity"] = [4]
        rig.disk.files["log-7"] = [5]
        rig.disk.files["log-000000000000000G"] = [5]
        rig.disk.files["log-FFFFFFFFFFFFFFFF"] = [5]
        rig.disk.files["log-ffffffffffffffff"] = [5]
        rig.disk.files["notes.new"] = [5]
        let next = try rig.recovered()
        next.settle()
        #expect(next.disk.files["log-0000000000000007.new"] == nil)
        #expect(next.disk.files.count == 3 + 6)
        #expect(next.found.records == rig.appended && next.disk.errors.isEmpty)
    }

    /// A client that stores bytes which look like a frame can't make recovery believe that one follows a torn tail:
    /// it does not know the salt.
    @Test func storedBytesDoNotPassForAFrame() throws {
        let other = try LogRig(identity: NodeIdentity(clusterID: ClusterID(high: 1, low: 2), nodeID: NodeID(3), salt: 1))
        for index in 1...3 {
            other.append(entries: [entry(UInt64(index))])
            other.settle()
        }
        let forged = Array(try #require(other.disk.files["log-0000000000000001"])[8192..<16384])
        let rig = try LogRig()
        rig.append(entries: [entry(1)])
        rig.settle()
        // 48 + 32 bytes of headers, then the forged blocks at a block's start.
        let payload = [UInt8](repeating: 0, count: 4096 - 80) + forged.prefix(4000)
        rig.append(entries: [Entry(term: Term(1), index: LogIndex(2), kind: .command, payload: payload)])
        rig.flush()
        rig.disk.tear(rig.queue[0].action, sectorBytes: 4096) { $0 == 1 }
        #expect(try rig.recovered().found.records == Array(rig.appended.prefix(1)))
    }
}

extension String {
    /// The segment before, for names that end in a digit above 1.
    fileprivate func replacingLast() -> String {
        String(dropLast()) + String((last?.wholeNumberValue ?? 1) - 1)
    }
}
