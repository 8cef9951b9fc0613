import Base
import Consensus
import Testing

@testable import Storage

@Suite struct FormatTests {
    /// The bytes on disk are what another version of this program must read: they don't change by accident.
    @Test func theFormatStays() throws {
        let rig = try LogRig()
        rig.append(incarnation: 1)
        rig.append(
            hardState: HardState(term: Term(2), vote: NodeID(3)), entries: [entry(1, term: 2, bytes: 5)], commitHint: LogIndex(1))
        rig.settle()
        let bytes = try #require(rig.disk.files["log-0000000000000001"])
        let header = bytes.prefix(68).map { String($0, radix: 16) }.joined(separator: " ")
        #expect(
            header == "43 4f 52 41 43 4c 4f 47 1 0 0 0 3 0 0 0 1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0 ed 5e 0 0 0 0 0 0 "
                + "1 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0 0 40 0 0 0 0 0 0 52 13 d 4b")
        #expect(bytes.withView { CRC32C.checksum($0) } == 4_269_749_052)
    }

    @Test func identityRoundTripsAndRefusesDamage() throws {
        let identity = NodeIdentity(clusterID: ClusterID(high: .max, low: 7), nodeID: NodeID(9), salt: 0x1234_5678_9ABC_DEF0)
        let bytes = identity.encode()
        #expect(try bytes.withView { (view) throws(StorageError) in try NodeIdentity.decode(view) } == identity)
        for position in bytes.indices {
            var flipped = bytes
            flipped[position] ^= 0x10
            #expect(throws: StorageError.self) {
                try flipped.withView { (view) throws(StorageError) in try NodeIdentity.decode(view) }
            }
        }
        for count in [0, 43] {
            #expect(throws: StorageError.self) {
                try Array(bytes.prefix(count)).withView { (view) throws(StorageError) in try NodeIdentity.decode(view) }
            }
        }
    }

    @Test func fileNamesAreExact() {
        #expect(LogFormat.fileName(segment: 0xAB) == FileName("log-00000000000000ab"))
        #expect(LogFormat.segmentNumber(of: FileName("log-00000000000000ab")) == 0xAB)
        for name in [
            "log-00000000000000AB", "log-ab", "log-+0000000000000ab", "lag-00000000000000ab", "log-", "", "log-00000000000000abc",
        ] {
            #expect(LogFormat.segmentNumber(of: FileName(name)) == nil)
        }
        #expect(LogFormat.isUnfinished(FileName("log-00000000000000ab").temporary))
        #expect(!LogFormat.isUnfinished(FileName("log-00000000000000ab")))
    }
}

@Suite struct LocationIndexTests {
    /// Against an array of locations, through appends, cuts and drops.
    @Test func itAgreesWithASimpleModel() {
        var generator = RandomGenerator(seed: 11)
        var index = LocationIndex()
        var model: [UInt64: LocationIndex.Location] = [:]
        var next: UInt64 = 1
        var segment: UInt64 = 1
        var offset = 0
        for _ in 0..<400 {
            switch generator.next(below: 10) {
            case 0 where !model.isEmpty:
                let from = next - generator.next(below: UInt64(model.count) + 1)
                index.cut(from: from)
                model = model.filter { $0.key < from }
                next = from
            case 1 where !model.isEmpty:
                let through = next - 1 - generator.next(below: UInt64(model.count))
                index.drop(through: through)
                model = model.filter { $0.key > through }
            case 2:
                segment += 1
                offset = 0
            default:
                for _ in 0..<generator.next(below: 3000) {
                    let location = LocationIndex.Location(
                        segment: segment, offset: offset, payloadBytes: Int(generator.next(below: 99)))
                    offset += 8 + 8 * Int(generator.next(below: 9))
                    index.append(next, at: location)
                    model[next] = location
                    next += 1
                }
            }
            #expect(index.count == model.count)
            if !model.isEmpty {
                #expect(index.last == next - 1)
                #expect(index.firstSegment == model[index.first]?.segment)
                for _ in 0..<20 {
                    let probe = index.first + generator.next(below: UInt64(index.count))
                    #expect(index.location(of: probe) == model[probe])
                }
            }
            #expect(index.location(of: next) == nil)
        }
    }
}
