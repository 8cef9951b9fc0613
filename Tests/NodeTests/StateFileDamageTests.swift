import Base
import Consensus
import Storage
import Testing

@testable import Node

/// State files that are not what they seem, at a start and on their way to another node: each case was once a mutation that no other
/// test noticed.
@Suite struct StateFileDamageTests {
    private func cluster(_ nodes: UInt32) throws -> MiniCluster {
        try MiniCluster(nodes) { options in
            options.log.segmentBytes = 1 << 16
            options.stateFiles.logBytesMin = 1 << 16
            options.stateFiles.tailBytes = 1 << 14
            options.stateFiles.pieceBytes = 4096
            options.stateFiles.chunkBytes = 8192
            options.stateFiles.idleTurnBytes = 2048
            options.stateFiles.retryDelay = .milliseconds(50)
        }
    }

    private func write(_ range: ClosedRange<Int>, _ machine: MiniCluster.Machine, _ cluster: MiniCluster) {
        let client = cluster.connect(machine)
        for number in range {
            cluster.send("SET key\(number % 50) \(String(repeating: "v", count: 200))\(number)\r\nINCR n\r\n", client, machine)
            cluster.settle()
            if number % 40 == 0 { cluster.run(milliseconds: 1) }
        }
        cluster.run(milliseconds: 20)
    }

    /// The file under a name, with the header and the sections changed.
    private func forged(
        _ file: [UInt8], _ cluster: MiniCluster, _ edit: (inout StateFileHeader, inout [(StateFileSection, [UInt8])]) -> Void
    ) throws -> [UInt8] {
        var reader = StateFileReader(file: "f", clusterID: cluster.clusterID, nodeID: nil)
        var sections: [(StateFileSection, [UInt8])] = []
        try file.withView { view in
            reader.append(view)
            while let item = try reader.next() {
                if case .chunk(let section, let content) = item { sections.append((section, content.array)) }
            }
        }
        var header = try #require(reader.header)
        edit(&header, &sections)
        var writer = StateFileWriter(name: FileName("f"), header: header, chunkBytes: 8192)
        for (section, content) in sections { content.withView { writer.append($0, to: section) } }
        writer.finish()
        var bytes: [UInt8] = []
        for case .extend(_, _, let block) in writer.takeOperations() { bytes += block.buffer.view.array }
        return bytes
    }

    @Test func aStartPassesOverWhatIsNotItsStateAndSaysSo() throws {
        let cluster = try cluster(1)
        try #require(cluster.elect() == 0)
        let machine = cluster.machines[0]
        write(1...600, machine, cluster)
        let names = machine.stateFiles
        try #require(names.count == 2)
        let good = try #require(machine.disk.files[names[1]])
        let index = try #require(StateFileFormat.stateFile(names[1])).index
        let later = StateFileFormat.fileName(group: .first, index: LogIndex(index.rawValue + 3))
        let unfinished = StateFileFormat.fileName(group: .first, index: LogIndex(index.rawValue + 9)).temporary
        cluster.crash(0)
        let disk = machine.disk.files
        let forgeries: [(what: String, name: FileName, bytes: [UInt8])] = [
            ("under another name", later, good),
            ("of another moment", later, try forged(good, cluster) { header, _ in header.index = LogIndex(index.rawValue + 3) }),
            (
                "of another term", names[1],
                try forged(good, cluster) { header, _ in header.term = Term(header.term.rawValue + 1) }
            ),
            ("without its trailer", names[1], Array(good.dropLast(4096))),
            ("with a foreign section", names[1], try forged(good, cluster) { _, sections in sections.append((.group, [1])) }),
            ("without a database", names[1], try forged(good, cluster) { _, sections in sections = [] }),
        ]
        for (what, name, bytes) in forgeries {
            machine.disk.files = disk
            machine.disk.files[name] = bytes
            machine.disk.files[unfinished] = Array(good.dropLast(8192))
            machine.effects = NodeEffects()
            machine.lines.removeAll()
            try cluster.start(machine)
            try #require(cluster.elect() == 0)
            #expect(machine.lines.contains { $0.contains(name.text) && $0.contains("damaged") }, "\(what): \(machine.lines)")
            let reader = cluster.connect(machine)
            cluster.send("GET n\r\n", reader, machine)
            cluster.run(milliseconds: 5)
            #expect(cluster.take(reader, machine) == "$3\r\n600\r\n", "\(what)")
            #expect(machine.disk.files[unfinished] == nil, "what was never finished is removed")
            cluster.crash(0)
        }
    }

    @Test func aFileThatIsRefusedInTheMiddleLeavesNothing() throws {
        let cluster = try cluster(1)
        try #require(cluster.elect() == 0)
        let machine = cluster.machines[0]
        write(1...100, machine, cluster)
        let before = machine.stateFiles
        machine.roomForGrowing = 9000
        let client = cluster.connect(machine)
        cluster.send("SET long \(String(repeating: "v", count: 60_000))\r\nSAVE\r\n", client, machine)
        cluster.run(milliseconds: 10)
        #expect(cluster.take(client, machine).hasSuffix("could not be written: the disk is full\r\n"))
        #expect(machine.node?.machine.openRecords == 0 && machine.stateFiles == before)
        #expect(!machine.disk.files.keys.contains { StateFileFormat.isUnfinished($0) })
    }

    /// What a node was given is its only file; its own of before are gone.
    @Test func anInstallTakesThePlaceOfAllFilesOfBefore() throws {
        let cluster = try cluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let away = cluster.machines[(leader + 1) % 3]
        write(1...400, cluster.machines[leader], cluster)
        let before = away.stateFiles
        try #require(!before.isEmpty)
        cluster.crash((leader + 1) % 3)
        write(401...1_300, cluster.machines[leader], cluster)
        try cluster.start(away)
        cluster.run(milliseconds: 600)
        let node = try #require(away.node)
        #expect(node.stateFilesInstalled == 1)
        #expect(away.stateFiles == node.files.files.map(\.name) && !away.stateFiles.contains { before.contains($0) })
        #expect(!away.disk.files.keys.contains { StateFileFormat.isUnfinished($0) })
        #expect(node.files.retired.isEmpty && node.machine.digest() == cluster.machines[leader].node?.machine.digest())
    }

    /// The leader does not know that its file is damaged until somebody reads it.
    @Test func aDamagedFileIsReportedToItsOwnerWhoWritesAnother() throws {
        let cluster = try cluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let machine = cluster.machines[leader]
        let away = cluster.machines[(leader + 1) % 3]
        write(1...20, machine, cluster)
        cluster.crash((leader + 1) % 3)
        write(21...900, machine, cluster)
        let damaged = machine.stateFiles
        for name in damaged { machine.disk.files[name]?[5_000] ^= 1 }
        let bytes = machine.disk.files[damaged[1]]
        try cluster.start(away)
        cluster.run(milliseconds: 300)
        write(901...910, machine, cluster)
        cluster.run(milliseconds: 1_500)
        #expect(machine.lines.contains { $0.contains("says that \(damaged[1].text) is damaged") }, "\(machine.lines.suffix(20))")
        #expect(away.node?.stateFilesInstalled == 1)
        // The other one may have its name.
        #expect(machine.disk.files[damaged[1]] != bytes, "a damaged file goes when there is another")
        #expect(away.node?.machine.digest() == machine.node?.machine.digest())
    }
}
