import Base
import Consensus
import Testing

@testable import Storage

/// A file of the container format in memory: what a writer makes, what a reader finds in it.
private struct Rig {
    static let cluster = ClusterID(high: 1, low: 2)
    static let node = NodeID(3)
    static let header = StateFileHeader(
        clusterID: cluster, nodeID: node, group: .first, fileID: 0xABCD_EF01_2345_6789, index: LogIndex(77), term: Term(4),
        time: WallTime(microseconds: 1_700_000_000_000_000),
        configuration: Configuration(voters: [NodeID(1), NodeID(2), NodeID(3)], learners: [NodeID(9)]))
    static let name = StateFileFormat.fileName(group: .first, index: LogIndex(77))

    /// The file that holds these pieces of sections, made in chunks of `chunkBytes`.
    static func file(
        _ pieces: [(StateFileSection, [UInt8])], header: StateFileHeader = Rig.header, chunkBytes: Int = 8192
    ) -> [UInt8] {
        let disk = MemoryDisk()
        var writer = StateFileWriter(name: name, header: header, chunkBytes: chunkBytes)
        for (section, bytes) in pieces {
            bytes.withView { writer.append($0, to: section) }
            for action in writer.takeOperations() { disk.perform(action) }
        }
        writer.finish()
        for action in writer.takeOperations() { disk.perform(action) }
        #expect(disk.files[name.text] == nil, "nothing has the name before it is whole")
        disk.perform(writer.publish)
        #expect(disk.errors.isEmpty)
        let bytes = disk.files[name.text] ?? []
        #expect(bytes.count == writer.byteCount)
        return bytes
    }

    /// What a reader makes of a file that comes in pieces of `pieceBytes`: the bytes of each section.
    static func read(
        _ file: [UInt8], pieceBytes: Int = 1000, kind: StateFileKind = .state, cluster: ClusterID = Rig.cluster,
        node: NodeID? = Rig.node
    ) throws(StorageError) -> (header: StateFileHeader?, sections: [UInt32: [UInt8]]) {
        var reader = StateFileReader(file: name.text, kind: kind, clusterID: cluster, nodeID: node)
        var sections: [UInt32: [UInt8]] = [:]
        var offset = 0
        while offset < file.count {
            let end = min(offset + pieceBytes, file.count)
            Array(file[offset..<end]).withView { reader.append($0) }
            offset = end
            while let item = try reader.next() {
                if case .chunk(let section, let bytes) = item { sections[section.rawValue, default: []] += bytes.array }
            }
        }
        try reader.finish()
        return (reader.header, sections)
    }

    static func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var random = RandomGenerator(seed: seed)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
}

@Suite struct StateFileTests {
    @Test(arguments: [0, 1, 4063, 4064, 4065, 8159, 8160, 8161, 50_000])
    func whatIsWrittenIsRead(count: Int) throws {
        let content = Rig.bytes(count)
        let file = Rig.file([(.group, [1, 2, 3]), (.database, content), (.manifest, content)])
        #expect(file.count % LogOptions.blockBytes == 0)
        for pieceBytes in [1 << 20, 4096, 333] {
            let found = try Rig.read(file, pieceBytes: pieceBytes)
            #expect(found.header == Rig.header)
            #expect(found.sections[1] == [1, 2, 3])
            #expect(found.sections[2] ?? [] == content && found.sections[4] ?? [] == content)
        }
    }

    /// Each byte counts, the padding included.
    @Test func everyFlippedByteIsRefused() throws {
        var file = Rig.file([(.database, Rig.bytes(300))], chunkBytes: 4096)
        _ = try Rig.read(file)
        for position in file.indices {
            file[position] ^= 1 << UInt8(position % 8)
            do {
                _ = try Rig.read(file, pieceBytes: 1 << 20)
                Issue.record("byte \(position) does not matter")
            } catch {
                #expect("\(error)".contains(Rig.name.text), "the error names the file: \(error)")
            }
            file[position] ^= 1 << UInt8(position % 8)
        }
    }

    @Test func everyTruncationAndEveryAdditionIsRefused() throws {
        let file = Rig.file([(.database, Rig.bytes(6000))], chunkBytes: 4096)
        for length in 0..<file.count {
            if length % 97 != 0 && length % 512 > 1 { continue }
            #expect(throws: StorageError.self) { try Rig.read(Array(file[..<length]), pieceBytes: 1 << 20) }
        }
        #expect(throws: StorageError.self) { try Rig.read(file + [0]) }
        #expect(throws: StorageError.self) { try Rig.read(file + file) }
    }

    /// Chunks in another order, missing, doubled, or from another file.
    @Test func chunksOutOfPlaceAreRefused() throws {
        let file = Rig.file([(.database, Rig.bytes(20_000))], chunkBytes: 4096)
        var other = Rig.header
        other.fileID += 1
        let stranger = Rig.file([(.database, Rig.bytes(20_000, seed: 9))], header: other, chunkBytes: 4096)
        let block = 4096
        func blocks(_ numbers: [Int]) -> [UInt8] { numbers.flatMap { Array(file[$0 * block..<($0 + 1) * block]) } }
        #expect(file.count == 7 * block)
        _ = try Rig.read(blocks([0, 1, 2, 3, 4, 5, 6]))
        for order in [[0, 2, 1, 3, 4, 5, 6], [0, 1, 3, 4, 5, 6], [0, 1, 1, 2, 3, 4, 5, 6], [0, 6], [0, 1, 2, 3, 4, 5]] {
            #expect(throws: StorageError.self) { try Rig.read(blocks(order)) }
        }
        for position in 1..<7 {
            var mixed = file
            mixed.replaceSubrange(
                position * block..<(position + 1) * block, with: stranger[position * block..<(position + 1) * block])
            #expect(throws: StorageError.self) { try Rig.read(mixed) }
        }
    }

    /// A trailer whose own checksum is right has to fit what is before it, and so has every chunk.
    @Test func whatIsForgedUnderRightChecksumsIsRefused() throws {
        let file = Rig.file([(.database, Rig.bytes(9_000))], chunkBytes: 4096)
        let block = 4096
        #expect(file.count == 5 * block)
        /// The file with a field of one chunk changed, and the chunk's checksum made right.
        func forged(_ chunk: Int, at offset: Int, by change: UInt8 = 1) -> [UInt8] {
            var bytes = file
            let start = chunk * block
            bytes[start + offset] ^= change
            let count = Int(bytes[start + 4]) | Int(bytes[start + 5]) << 8
            let checksum = bytes.withView {
                CRC32C.checksum($0.slice(start + 4, 28 + count), continuing: Rig.header.checksumSeed)
            }
            for byte in 0..<4 { bytes[start + byte] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * byte)) }
            return bytes
        }
        #expect(forged(4, at: 32, by: 0) == file)
        // The trailer: chunks, bytes, digest, and a longer payload.
        for offset in [32, 40, 48, 55, 4] {
            #expect(throws: StorageError.self, "byte \(offset) of the trailer") { try Rig.read(forged(4, at: offset)) }
        }
        // A chunk: number, place, the field that is kept free, its bytes (which only the digest of the trailer shows).
        for offset in [16, 24, 12, 32, 1000] {
            #expect(throws: StorageError.self, "byte \(offset) of a chunk") { try Rig.read(forged(2, at: offset)) }
        }
    }

    @Test func foreignFilesAreNamedAsWhatTheyAre() throws {
        let file = Rig.file([(.database, [1])])
        func reason(_ body: () throws(StorageError) -> Void) -> String {
            do throws(StorageError) {
                try body()
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(
            reason { () throws(StorageError) in _ = try Rig.read(file, cluster: ClusterID(high: 1, low: 3)) }.contains(
                "belongs to cluster"))
        #expect(reason { () throws(StorageError) in _ = try Rig.read(file, node: NodeID(4)) }.contains("belongs to node 3"))
        #expect(reason { () throws(StorageError) in _ = try Rig.read(file, kind: .snapshotPart) }.contains("is a state file"))
        #expect(
            reason { () throws(StorageError) in _ = try Rig.read(Rig.bytes(9000)) }.contains("does not begin as a state file"))
        var newer = file
        newer[8] = 2
        #expect(reason { () throws(StorageError) in _ = try Rig.read(newer) }.contains("format version 2"))
        _ = try Rig.read(file, node: nil)
    }

    @Test func namesAreReadBack() {
        let name = StateFileFormat.fileName(group: GroupID(5), index: LogIndex(0x1234))
        #expect(name.text == "state-00000005-0000000000001234")
        #expect(StateFileFormat.stateFile(name)?.index == LogIndex(0x1234))
        #expect(StateFileFormat.stateFile(name)?.group == GroupID(5))
        #expect(StateFileFormat.isUnfinished(name.temporary) && StateFileFormat.stateFile(name.temporary) == nil)
        for text in [
            "state-5-1234", "state-00000005-000000000000123G", "log-0000000000001234", "state-00000005-0000000000001234x",
        ] {
            #expect(StateFileFormat.stateFile(FileName(text)) == nil)
        }
    }
}

@Suite struct RestartTests {
    /// Entries of another history behind a state file's end are no part of the log, after a crash too.
    @Test func aLogThatBeginsAnewForgetsWhatLayBehind() throws {
        let rig = try LogRig()
        rig.append(incarnation: 1)
        rig.append(hardState: HardState(term: Term(3)), entries: (1...12).map { entry($0, bytes: 1000) })
        rig.settle()
        rig.append(entries: [entry(13, bytes: 1000)])
        rig.flush()
        rig.log.restart(group: .first, behind: LogIndex(10), term: Term(3))
        rig.append(entries: [entry(11, term: 3)])
        rig.settle()
        #expect(rig.disk.errors.isEmpty)
        #expect(rig.log.readable(group: .first) == LogIndex(11)...LogIndex(11))
        #expect(rig.log.base(of: .first).index == LogIndex(10) && rig.log.base(of: .first).term == Term(3))
        let next = try rig.recovered()
        #expect(next.found.state.groups[0]?.entries == [entry(11, term: 3)])
        #expect(next.found.state.groups[0]?.base == LogIndex(10))
        next.append(entries: [entry(12, term: 3)])
        next.settle()
        let last = try next.recovered()
        #expect(last.found.state.groups[0]?.entries == [entry(11, term: 3), entry(12, term: 3)])
        #expect(last.found.state.groups[0]?.hardState?.term == Term(3))
    }

    @Test func theTailIsMeasuredInBytes() throws {
        let rig = try LogRig()
        for index in 1...30 {
            rig.append(entries: [entry(UInt64(index), bytes: 3000)])
            rig.settle()
        }
        let all = rig.log.bytes(behind: .zero, of: .first)
        #expect(all >= 30 * 3000 && all < 30 * 4096)
        #expect(rig.log.bytes(behind: LogIndex(30), of: .first) == 0)
        #expect(rig.log.lastIndex(keeping: all, of: .first) == .zero)
        for kept in stride(from: 1, to: all, by: 1777) {
            let index = rig.log.lastIndex(keeping: kept, of: .first)
            #expect(rig.log.bytes(behind: index, of: .first) >= kept)
            #expect(rig.log.bytes(behind: index.next, of: .first) < kept)
        }
        rig.log.compact(group: .first, through: LogIndex(20), term: Term(1))
        rig.settle()
        #expect(rig.log.bytes(behind: .zero, of: .first) == rig.log.bytes(behind: LogIndex(20), of: .first))
    }
}
