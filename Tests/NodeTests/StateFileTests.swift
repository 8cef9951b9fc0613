import Base
import Consensus
import Database
import Node
import Storage
import Testing

/// State files on whole nodes: written, used at the next start, sent to a node that was away.
@Suite struct StateFileTests {
    /// Log segments of 64 KiB and a state file for every 64 KiB of log: everything happens within a few hundred commands.
    private func cluster(_ nodes: UInt32) throws -> MiniCluster {
        try MiniCluster(nodes) { options in
            options.log.segmentBytes = 1 << 16
            options.stateFiles.logBytesMin = 1 << 16
            options.stateFiles.tailBytes = 1 << 14
            options.stateFiles.pieceBytes = 4096
            options.stateFiles.chunkBytes = 8192
        }
    }

    private func write(_ range: ClosedRange<Int>, _ client: ConnectionID, _ machine: MiniCluster.Machine, _ cluster: MiniCluster)
    {
        for number in range {
            cluster.send("SET key\(number % 50) \(String(repeating: "v", count: 200))\(number)\r\nINCR n\r\n", client, machine)
            cluster.settle()
            if number % 40 == 0 { cluster.run(milliseconds: 1) }
        }
        cluster.run(milliseconds: 20)
    }

    @Test func theLogStaysBoundedAndAStartNeedsOnlyWhatIsLeft() throws {
        let cluster = try cluster(1)
        try #require(cluster.elect() == 0)
        let machine = cluster.machines[0]
        let client = cluster.connect(machine)
        var sizes: [Int] = []
        for round in 0..<6 {
            write(round * 200 + 1...round * 200 + 200, client, machine, cluster)
            sizes.append(machine.disk.files.values.reduce(0) { $0 + $1.count })
        }
        let node = try #require(machine.node)
        #expect(node.stateFilesWritten >= 10)
        #expect(node.raft.baseIndex > .zero)
        #expect(machine.stateFiles.count == 2)
        #expect(sizes[5] <= sizes[2] + 1 << 16, "the directory does not grow: \(sizes)")
        let digest = node.machine.digest()
        let lastIndex = node.raft.lastIndex
        cluster.crash(0)
        try cluster.start(machine)
        #expect(cluster.elect() == 0)
        let again = try #require(machine.node)
        #expect(again.raft.lastIndex >= lastIndex && again.raft.baseIndex > .zero)
        let reader = cluster.connect(machine)
        cluster.send("GET n\r\n", reader, machine)
        cluster.run(milliseconds: 5)
        #expect(cluster.take(reader, machine) == "$4\r\n1200\r\n")
        #expect(again.machine.appliedIndex > lastIndex || again.machine.digest() == digest)
        cluster.send("DEBUG RELOAD\r\n", reader, machine)
        cluster.run(milliseconds: 20)
        #expect(cluster.take(reader, machine) == "+OK\r\n")
    }

    @Test func aDamagedNewestFileCostsNothingButTime() throws {
        let cluster = try cluster(1)
        try #require(cluster.elect() == 0)
        let machine = cluster.machines[0]
        let client = cluster.connect(machine)
        write(1...600, client, machine, cluster)
        let names = machine.stateFiles
        try #require(names.count == 2)
        let size = try #require(machine.disk.files[names[1]]?.count)
        cluster.crash(0)
        let disk = machine.disk.files
        for position in [9, 3000, size / 2, size - 100] {
            machine.disk.files = disk
            machine.disk.files[names[1]]?[position] ^= 1
            machine.effects = NodeEffects()
            // Byte 9 is the version: a file of another version is not passed over.
            if position == 9 {
                #expect(throws: StorageError.self) { try cluster.start(machine) }
                continue
            }
            machine.lines.removeAll()
            try cluster.start(machine)
            try #require(cluster.elect() == 0)
            #expect(machine.lines.contains { $0.contains(names[1].text) && $0.contains("damaged") })
            let reader = cluster.connect(machine)
            cluster.send("GET n\r\n", reader, machine)
            cluster.run(milliseconds: 5)
            #expect(cluster.take(reader, machine) == "$3\r\n600\r\n")
            cluster.crash(0)
        }
        // Both are damaged: the log does not reach back.
        machine.disk.files = disk
        machine.effects = NodeEffects()
        for name in names { machine.disk.files[name]?[size / 2] ^= 1 }
        do {
            try cluster.start(machine)
            Issue.record("a log without its beginning was accepted")
        } catch let error as StorageError {
            #expect("\(error)".contains("no other state file reaches it") && "\(error)".contains("state-"), "\(error)")
        }
        for name in names { machine.disk.files[name] = nil }
        machine.effects = NodeEffects()
        do {
            try cluster.start(machine)
            Issue.record("a log without its beginning was accepted")
        } catch let error as StorageError {
            #expect("\(error)".contains("is missing: the log begins behind it"), "\(error)")
        }
    }

    @Test func aNodeThatWasAwayTooLongGetsAStateFile() throws {
        let cluster = try cluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let machine = cluster.machines[leader]
        let away = (leader + 1) % 3
        let client = cluster.connect(machine)
        write(1...20, client, machine, cluster)
        cluster.crash(away)
        write(21...900, client, machine, cluster)
        #expect(try #require(machine.node).raft.baseIndex > LogIndex(100))
        try cluster.start(cluster.machines[away])
        cluster.run(milliseconds: 600)
        let node = try #require(cluster.machines[away].node)
        #expect(node.stateFilesInstalled == 1)
        #expect(cluster.machines[away].lines.contains { $0.contains("installed the state file of node") })
        let digests = cluster.machines.compactMap { $0.node?.machine.digest() }
        #expect(digests.count == 3 && digests.allSatisfy { $0 == digests[0] })
        // It is a full member again: it serves, and starts from what it was given.
        let reader = cluster.connect(cluster.machines[away])
        cluster.send("INCR n\r\nGET n\r\n", reader, cluster.machines[away])
        cluster.run(milliseconds: 50)
        #expect(cluster.take(reader, cluster.machines[away]) == ":901\r\n$3\r\n901\r\n")
        cluster.crash(away)
        try cluster.start(cluster.machines[away])
        cluster.run(milliseconds: 600)
        #expect(cluster.machines[away].node?.stateFilesInstalled == 0)
        #expect(cluster.machines[away].node?.machine.digest() == machine.node?.machine.digest())
    }

    @Test func saveAnswersWhenTheStateIsOnDisk() throws {
        let cluster = try cluster(1)
        try #require(cluster.elect() == 0)
        let machine = cluster.machines[0]
        let client = cluster.connect(machine)
        cluster.send("SET a 1\r\nLASTSAVE\r\nSAVE\r\n", client, machine)
        cluster.run(milliseconds: 20)
        #expect(cluster.take(client, machine) == "+OK\r\n:0\r\n+OK\r\n")
        #expect(machine.stateFiles.count == 1)
        cluster.send("LASTSAVE\r\nBGSAVE\r\n", client, machine)
        cluster.run(milliseconds: 20)
        #expect(cluster.take(client, machine) == ":1700000000\r\n+Background saving started\r\n")
        cluster.send("SET a 2\r\nBGSAVE\r\nBGSAVE\r\nSAVE\r\nBGSAVE SCHEDULE\r\nBGSAVE NOW\r\n", client, machine)
        cluster.run(milliseconds: 50)
        let replies = cluster.take(client, machine)
        #expect(
            replies.hasPrefix("+OK\r\n+Background saving started\r\n-ERR Background save already in progress\r\n"), "\(replies)")
        #expect(replies.hasSuffix("-ERR syntax error\r\n"))
        cluster.send("INFO persistence\r\n", client, machine)
        cluster.run(milliseconds: 20)
        let text = cluster.take(client, machine)
        for field in ["rdb_bgsave_in_progress:0", "rdb_last_bgsave_status:ok", "rdb_changes_since_last_save:0"] {
            #expect(text.contains(field + "\r\n"), "\(field) in \(text)")
        }
    }

    /// A disk that refuses the file harms nothing: the log is kept, and the next attempt is told apart.
    @Test func aRefusedStateFileIsGivenUp() throws {
        let cluster = try cluster(1)
        try #require(cluster.elect() == 0)
        let machine = cluster.machines[0]
        let client = cluster.connect(machine)
        cluster.send("SET a 1\r\n", client, machine)
        cluster.run(milliseconds: 5)
        cluster.refusesGrowingFiles = true
        cluster.send("SAVE\r\nSET a 2\r\n", client, machine)
        cluster.run(milliseconds: 20)
        #expect(
            cluster.take(client, machine)
                == "+OK\r\n-ERR the state file could not be written: the disk is full\r\n+OK\r\n")
        #expect(machine.stateFiles.isEmpty)
        cluster.refusesGrowingFiles = false
        cluster.send("SAVE\r\nGET a\r\n", client, machine)
        cluster.run(milliseconds: 20)
        #expect(cluster.take(client, machine) == "+OK\r\n$1\r\n2\r\n")
        #expect(machine.stateFiles.count == 1)
    }
}
