import Base
import Consensus
import Database
import Storage
import Testing

@testable import DistributedSnapshot
@testable import Node

/// The files of snapshots: how they are written slice by slice, and what is refused.
@Suite struct SnapshotPartTests {
    /// Takes a snapshot on a machine and waits for its end.
    private func take(_ cluster: MiniCluster, _ machine: MiniCluster.Machine, _ options: String = "") throws -> SnapshotID {
        let client = cluster.connect(machine)
        cluster.send("KV.SNAPSHOT TAKE CAUSAL TIMEOUT 200\(options)\r\n", client, machine)
        cluster.run(milliseconds: 300)
        let lines = cluster.take(client, machine).split(separator: "\r\n")
        return SnapshotID(try #require(lines.count == 2 ? UInt64(lines[1]) : nil))
    }

    private func load(_ bytes: [UInt8], _ cluster: MiniCluster, node: NodeID? = nil) throws -> SnapshotPartFile {
        var loader = SnapshotPartFile.Loader(file: "part", clusterID: cluster.clusterID, nodeID: node)
        try bytes.withView { view in try loader.append(view) }
        return try loader.finish()
    }

    private func manifest(_ bytes: [UInt8], _ cluster: MiniCluster) throws -> SnapshotManifest? {
        var reader = StateFileReader(file: "cut", kind: .snapshotPart, clusterID: cluster.clusterID, nodeID: nil)
        let content = ByteBuffer()
        try bytes.withView { view in
            reader.append(view)
            while let item = try reader.next() { if case .chunk(.manifest, let bytes) = item { content.append(bytes) } }
        }
        try reader.finish()
        return SnapshotManifest(decoding: content.view)
    }

    // MARK: the local state in slices

    /// A state with entries of many sizes that are not applied.
    private func state() throws -> LocalState {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        var state = LocalState(of: try #require(cluster.machines[leader].node))
        var random = RandomGenerator(seed: 5)
        for size in [0, 1, 2, 13, 100, 0, 4096, 70_000, 3, 1 << 20, 0] {
            state.lastIndex = state.lastIndex.next
            state.tail.append(
                Consensus.Entry(
                    term: state.term, index: state.lastIndex, kind: .command,
                    payload: (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }))
        }
        return state
    }

    @Test(arguments: [1, 12, 13, 14, 700, 16 << 10, 128 << 10, 2 << 20])
    func slicesOfALocalStateAreItsBytes(budget: Int) throws {
        var state = try state()
        // Slices of a byte of a megabyte take long.
        if budget < 100 { state.tail.removeAll { $0.payload.count > 1000 } }
        state.lastIndex = LogIndex(state.appliedIndex.rawValue + UInt64(state.tail.count))
        for position in state.tail.indices {
            state.tail[position].index = LogIndex(state.appliedIndex.rawValue + UInt64(position) + 1)
        }
        state.durableIndex = min(state.durableIndex, state.lastIndex)
        let whole = ByteBuffer()
        state.encode(into: whole)
        #expect(LocalState(decoding: whole.view) == state)
        let sliced = ByteBuffer()
        let slice = ByteBuffer()
        var encoder = LocalState.Encoder(state)
        var isComplete = false
        while !isComplete {
            slice.removeAll()
            isComplete = encoder.encode(into: slice, budgetBytes: budget)
            // What stands before an entry's payload is not divided, and neither are the facts.
            #expect(slice.count <= budget + 13 || sliced.isEmpty)
            #expect(!slice.isEmpty)
            sliced.append(slice.view)
        }
        #expect(sliced.view.array == whole.view.array)
        #expect(!state.tail.isEmpty && LocalState(decoding: sliced.view) == state)
    }

    /// Megabytes that nobody has acknowledged are in the part, and no turn encodes more than its slice of them.
    @Test func aLongTailIsWrittenSliceBySlice() throws {
        let cluster = try MiniCluster(3) { $0.stateFiles.chunkBytes = 8192 }
        let leader = cluster.elect()
        try #require(leader >= 0)
        let machine = cluster.machines[leader]
        let client = cluster.connect(machine)
        cluster.paused = Set((0..<3).filter { $0 != leader })
        for number in 0..<20 { cluster.send("SET key\(number) \(String(repeating: "v", count: 50_000))\r\n", client, machine) }
        cluster.settle()
        let taker = cluster.connect(machine)
        cluster.send("KV.SNAPSHOT TAKE CAUSAL TIMEOUT 200\r\n", taker, machine)
        let node = try #require(machine.node)
        let state = LocalState(of: node)
        #expect(state.tail.reduce(0) { $0 + $1.payload.count } > 1_000_000)
        var longest = 0
        var before: UInt64 = 0
        var turns = 0
        while node.partJobs.first?.step ?? .state == .state, turns < 1000 {
            node.handle(.turnEnded, now: cluster.now, into: &machine.effects)
            cluster.settle(rounds: 1)
            turns += 1
            let written = node.partJobs.first?.writer.payloadBytes ?? 0
            longest = max(longest, Int(written - before))
            before = written
        }
        #expect(turns > 5 && longest <= 2 * (128 << 10) + 1000, "\(turns) turns, \(longest) bytes in the longest")
        cluster.run(milliseconds: 300)
        let id = try #require(node.archive.items.last?.id)
        let file = try load(try #require(machine.disk.files[SnapshotFile.part(id).name]), cluster)
        #expect(file.state.tail == state.tail)
    }

    /// What was in flight is written slice by slice too, wherever a slice ends.
    @Test(arguments: [1_000, 4_096, 100_000])
    func longContentsAreWrittenSliceBySlice(budget: Int) throws {
        let cluster = try MiniCluster(1)
        try #require(cluster.elect() == 0)
        let node = try #require(cluster.machines[0].node)
        let record = try #require(node.machine.beginRecord())
        let state = LocalState(of: node)
        let header = node.stateFileHeader(
            index: record.appliedIndex, term: record.appliedTerm, time: record.time, configuration: node.raft.configuration,
            snapshot: SnapshotID(77))
        let writer = StateFileWriter(name: FileName("part"), header: header, chunkBytes: 8192)
        let job = SnapshotPartJob(SnapshotID(77), record, state, writer)
        while job.step != .channels { job.advance(budgetBytes: budget) }
        let digest = try #require(record.digest)
        let taken = try take(cluster, cluster.machines[0])
        var part = try load(try #require(cluster.machines[0].disk.files[SnapshotFile.part(taken).name]), cluster).part
        part.id = SnapshotID(77)
        part.summary.stateDigest = digest.high ^ digest.low
        for (number, size) in [0, 999, 5_000, 60_000].enumerated() {
            let content = [UInt8](repeating: UInt8(number + 1), count: size)
            var channel = IncomingChannel(from: NodeRun(NodeID(2), Incarnation(1)), number: UInt64(number), delivered: 0)
            channel.checksum = content.withView { CRC32C.checksum($0) }
            part.summary.incoming.append(channel)
            part.contents.append(content)
        }
        job.part = part
        var bytes: [UInt8] = []
        while job.canAdvance { job.advance(budgetBytes: budget) }
        for case .extend(_, _, let block) in job.writer.takeOperations() { bytes += block.buffer.view.array }
        let file = try load(bytes, cluster)
        #expect(file.part == part && file.part.contents.count == 4 && file.state == state)
    }

    // MARK: damage

    /// Each byte counts. (Of the padding, which the container's own tests flip whole, every 16th.)
    @Test func everyFlippedByteOfAPartAndOfAManifestIsRefused() throws {
        let cluster = try MiniCluster(1)
        try #require(cluster.elect() == 0)
        let machine = cluster.machines[0]
        let client = cluster.connect(machine)
        cluster.send("SET a 1\r\nRPUSH l a b\r\n", client, machine)
        cluster.settle()
        let id = try take(cluster, machine)
        var part = try #require(machine.disk.files[SnapshotFile.part(id).name])
        var cut = try #require(machine.disk.files[SnapshotFile.manifest(id).name])
        #expect(try load(part, cluster).machine.keyCount(0) == 2)
        #expect(try manifest(cut, cluster)?.outcome == .complete)
        for position in part.indices where part[position] != 0 || position % 4096 < 200 || position % 16 == 5 {
            part[position] ^= 1 << UInt8(position % 8)
            #expect(throws: StorageError.self, "byte \(position) of the part does not matter") { try load(part, cluster) }
            part[position] ^= 1 << UInt8(position % 8)
        }
        for position in cut.indices where cut[position] != 0 || position % 4096 < 200 || position % 16 == 5 {
            cut[position] ^= 1 << UInt8(position % 8)
            #expect(throws: StorageError.self, "byte \(position) of the manifest does not matter") { try manifest(cut, cluster) }
            cut[position] ^= 1 << UInt8(position % 8)
        }
        for length in stride(from: 0, to: part.count, by: 509) {
            #expect(throws: StorageError.self) { try load(Array(part[..<length]), cluster) }
        }
        #expect(throws: StorageError.self) { try load(part + part, cluster) }
        #expect(throws: StorageError.self) { try load(cut, cluster) }
        #expect(throws: StorageError.self) { try load(part, cluster, node: NodeID(2)) }
    }

    /// Files whose every checksum is right, made of sections that do not belong together.
    @Test func sectionsThatDoNotBelongTogetherAreRefused() throws {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let client = cluster.connect(cluster.machines[leader])
        var snapshots: [SnapshotID] = []
        for number in 0..<2 {
            cluster.send("SET key\(number) value\r\n", client, cluster.machines[leader])
            cluster.run(milliseconds: 50)
            snapshots.append(try take(cluster, cluster.machines[0]))
        }
        func sections(_ machine: Int, _ snapshot: Int) throws -> (StateFileHeader, [StateFileSection: [UInt8]]) {
            let bytes = try #require(cluster.machines[machine].disk.files[SnapshotFile.part(snapshots[snapshot]).name])
            var reader = StateFileReader(file: "part", kind: .snapshotPart, clusterID: cluster.clusterID, nodeID: nil)
            var sections: [StateFileSection: [UInt8]] = [:]
            try bytes.withView { view in
                reader.append(view)
                while let item = try reader.next() {
                    if case .chunk(let section, let content) = item { sections[section, default: []] += content.array }
                }
            }
            return (try #require(reader.header), sections)
        }
        let (header, good) = try sections(0, 0)
        let (_, later) = try sections(0, 1)
        let (_, other) = try sections(1, 0)
        func isWhole(
            _ header: StateFileHeader, _ sections: [StateFileSection: [UInt8]],
            _ order: [StateFileSection] = [.group, .database, .channels]
        ) -> Bool {
            var writer = StateFileWriter(name: FileName("part"), header: header)
            for section in order { (sections[section] ?? []).withView { writer.append($0, to: section) } }
            writer.finish()
            var bytes: [UInt8] = []
            for action in writer.takeOperations() {
                if case .extend(_, _, let block) = action { bytes += block.buffer.view.array }
            }
            return (try? load(bytes, cluster)) != nil
        }
        #expect(isWhole(header, good))
        for section in [StateFileSection.group, .database, .channels] {
            var sections = good
            sections[section] = nil
            #expect(!isWhole(header, sections), "without \(section)")
            #expect(!isWhole(header, good, [.group, .database, .channels, section]), "\(section) twice")
            sections[section] = later[section]
            #expect(!isWhole(header, sections), "\(section) of another snapshot")
            if section == .database { continue }
            sections[section] = other[section]
            #expect(!isWhole(header, sections), "\(section) of another node")
        }
        // A database that is not the summary's.
        var part = try #require((good[.channels] ?? []).withView { SnapshotPart(decoding: $0) })
        part.summary.stateDigest ^= 1
        let channels = ByteBuffer()
        part.encodeHead(into: channels)
        for content in part.contents {
            channels.append(integer: UInt64(content.count))
            channels.append(content)
        }
        #expect(!isWhole(header, good.merging([.channels: channels.view.array]) { $1 }))
        #expect(!isWhole(header, good.merging([.manifest: [1]]) { $1 }, [.group, .database, .channels, .manifest]))
        for edit: (inout StateFileHeader) -> Void in [
            { $0.index = $0.index.next }, { $0.term = Term($0.term.rawValue + 1) }, { $0.snapshot += 1 },
            { $0.nodeID = NodeID(9) },
            { $0.kind = .state },
        ] {
            var header = header
            edit(&header)
            #expect(!isWhole(header, good), "\(header)")
        }
    }

    // MARK: a full disk

    @Test func aDiskThatIsFullInTheMiddleOfAPartCostsThatPart() throws {
        let cluster = try MiniCluster(3) {
            $0.stateFiles.chunkBytes = 8192
            $0.stateFiles.idleTurnBytes = 2048
        }
        let leader = cluster.elect()
        try #require(leader >= 0)
        let machine = cluster.machines[leader]
        let client = cluster.connect(machine)
        for number in 0..<100 { cluster.send("SET key\(number) \(String(repeating: "v", count: 500))\r\n", client, machine) }
        cluster.run(milliseconds: 50)
        let full = cluster.machines[(leader + 1) % 3]
        full.roomForGrowing = 30_000
        let id = try take(cluster, machine)
        let manifest = try #require(machine.node?.archive[id]?.manifest)
        #expect(manifest.outcome == .partial && !manifest.isStrict && manifest.parts.count == 2)
        #expect(manifest.missing.map(\.node) == [full.id] && manifest.missing.map(\.reason) == [.recordFailed])
        #expect(full.roomForGrowing < 30_000, "the beginning was written")
        #expect(!full.disk.files.keys.contains { $0.text.hasPrefix("part-") }, "nothing of it is left")
        #expect(full.lines.contains { $0.contains("the part could not be written: the disk is full") })
        #expect(full.node?.partJobs.isEmpty == true && full.node?.machine.openRecords == 0 && full.exit == nil)
        // The node goes on, and takes part when there is room again.
        let user = cluster.connect(full)
        cluster.send("SET key0 new\r\nGET key0\r\n", user, full)
        cluster.run(milliseconds: 50)
        #expect(cluster.take(user, full) == "+OK\r\n$3\r\nnew\r\n")
        full.roomForGrowing = .max
        let third = try take(cluster, machine)
        #expect(machine.node?.archive[third]?.outcome == .complete)
        // The initiator's own disk.
        machine.roomForGrowing = 30_000
        let last = try take(cluster, machine)
        let second = try #require(machine.node?.archive[last]?.manifest)
        #expect(second.missing.map(\.node) == [machine.id] && second.missing.map(\.reason) == [.recordFailed])
        #expect(machine.exit == nil && machine.node?.machine.openRecords == 0)
    }
}
