import Base
import Consensus
import DistributedSnapshot
import Storage
import Testing

@testable import Node

/// What a node keeps, and for how long: the log behind its state files, files that somebody reads, a fetch that is interrupted. Each case was once
/// a mutation that no other test noticed.
@Suite struct StateFileKeepingTests {
    /// State files are written when SAVE asks, and otherwise for every `logBytes` of log.
    private func cluster(
        _ nodes: UInt32, tail: Int = 0, logBytes: Int = 1 << 30, _ configure: @escaping (inout NodeOptions) -> Void = { _ in }
    ) throws -> MiniCluster {
        try MiniCluster(nodes) { options in
            options.log.segmentBytes = 1 << 16
            options.stateFiles.logBytesMin = logBytes
            options.stateFiles.tailBytes = tail
            options.stateFiles.pieceBytes = 4096
            options.stateFiles.chunkBytes = 8192
            options.stateFiles.retryDelay = .milliseconds(500)
            configure(&options)
        }
    }

    private func write(_ count: Int, _ machine: MiniCluster.Machine, _ cluster: MiniCluster) {
        let client = cluster.connect(machine)
        for number in 1...count {
            cluster.send("SET key\(number % 200) \(String(repeating: "v", count: 300))\(number)\r\n", client, machine)
            cluster.settle()
            if number % 40 == 0 { cluster.run(milliseconds: 1) }
        }
        cluster.run(milliseconds: 20)
    }

    private func save(_ machine: MiniCluster.Machine, _ cluster: MiniCluster) throws {
        let client = cluster.connect(machine)
        cluster.send("SAVE\r\n", client, machine)
        cluster.run(milliseconds: 60)
        try #require(cluster.take(client, machine) == "+OK\r\n")
    }

    private func isRead(_ action: DiskOperation.Action) -> Bool { if case .read = action { true } else { false } }

    // MARK: the log

    @Test func theLogIsTrimmedThroughTheOlderOfTwoFilesAndNotBefore() throws {
        let cluster = try cluster(1)
        try #require(cluster.elect() == 0)
        let machine = cluster.machines[0]
        write(300, machine, cluster)
        try save(machine, cluster)
        let node = try #require(machine.node)
        let first = try #require(node.files.newest)
        write(10, machine, cluster)
        #expect(
            node.files.files.count == 1 && node.raft.baseIndex == .zero, "with one file the log reaches back to its beginning")
        try save(machine, cluster)
        #expect(node.files.files.count == 2 && node.raft.baseIndex == first.index)
        let second = try #require(node.files.newest)
        write(10, machine, cluster)
        try save(machine, cluster)
        #expect(node.files.files.count == 2 && node.raft.baseIndex == second.index)
    }

    @Test func asMuchOfTheLogIsKeptAsNodesNeedThatAreALittleBehind() throws {
        let tail = 1 << 15
        let cluster = try cluster(1, tail: tail)
        try #require(cluster.elect() == 0)
        let machine = cluster.machines[0]
        write(300, machine, cluster)
        for _ in 0..<3 {
            try save(machine, cluster)
            write(1, machine, cluster)
        }
        let node = try #require(machine.node)
        let base = node.raft.baseIndex
        #expect(base > .zero && base < node.files.files[0].index)
        let kept = node.log.bytes(behind: base, of: node.group.id)
        #expect(kept >= tail && kept < 2 * tail, "\(kept) bytes")
    }

    /// A node that is away for so long that it needs a state file, up to the point at which it has got a piece of one and the reads for more hang.
    private func fetching(
        logBytes: Int = 1 << 30, _ configure: @escaping (inout NodeOptions) -> Void = { _ in }
    ) throws -> (cluster: MiniCluster, leader: MiniCluster.Machine, away: MiniCluster.Machine) {
        let cluster = try cluster(3, logBytes: logBytes, configure)
        let index = cluster.elect()
        try #require(index >= 0)
        let leader = cluster.machines[index]
        let away = (index + 1) % 3
        cluster.crash(away)
        write(300, leader, cluster)
        for _ in 0..<2 {
            try save(leader, cluster)
            write(1, leader, cluster)
        }
        try #require(try #require(leader.node).raft.baseIndex > .zero)
        leader.reads = []
        cluster.holds = { machine, action in machine === leader && self.isRead(action) && leader.reads.count >= 3 }
        try cluster.start(cluster.machines[away])
        for _ in 0..<2_000 where cluster.machines[away].node?.files.fetching == nil { cluster.run(milliseconds: 1) }
        cluster.run(milliseconds: 5)
        try #require(cluster.machines[away].node?.files.fetching?.isWhole == false)
        return (cluster, leader, cluster.machines[away])
    }

    @Test func theLogBehindAFileThatIsFetchedIsKeptForAWhile() throws {
        let (cluster, leader, _) = try fetching { $0.stateFiles.piecesMax = 2 }
        let node = try #require(leader.node)
        let served = node.files.servedIndex
        try #require(served > .zero && now(cluster) < node.files.servedUntil)
        for _ in 0..<3 {
            write(1, leader, cluster)
            try save(leader, cluster)
        }
        #expect(now(cluster) < node.files.servedUntil && node.files.files[0].index > served)
        #expect(node.raft.baseIndex == served, "what follows the file is kept")
        // Nobody has asked for more for so long that nobody will.
        cluster.run(milliseconds: 600)
        write(1, leader, cluster)
        try save(leader, cluster)
        #expect(node.raft.baseIndex > served)
    }

    @Test func aNodeThatFetchesDoesNotKeepTheLogForGood() throws {
        let (cluster, leader, _) = try fetching(logBytes: 1 << 16) {
            $0.stateFiles.piecesMax = 2
            $0.stateFiles.retryDelay = .milliseconds(1_000_000)
        }
        let node = try #require(leader.node)
        let served = node.files.servedIndex
        var kept = 0
        for _ in 0..<60 where node.raft.baseIndex <= served {
            kept = node.log.bytes(behind: served, of: node.group.id)
            write(20, leader, cluster)
        }
        #expect(node.raft.baseIndex > served && now(cluster) < node.files.servedUntil)
        #expect(kept > 3 * node.logBytesMax, "\(kept) bytes were kept for it, \(node.logBytesMax) are usual")
    }

    private func now(_ cluster: MiniCluster) -> Instant { cluster.now.instant }

    // MARK: files that are read

    @Test func aFileIsNotRemovedWhileAPieceOfItIsRead() throws {
        let (cluster, leader, away) = try fetching { $0.stateFiles.piecesMax = 2 }
        let node = try #require(leader.node)
        let name = try #require(node.files.serving.first).file
        for _ in 0..<3 {
            write(1, leader, cluster)
            try save(leader, cluster)
        }
        #expect(!node.files.files.contains { $0.name == name } && node.files.toDiscard == [name])
        #expect(leader.disk.files[name] != nil)
        cluster.holds = { _, _ in false }
        cluster.run(milliseconds: 10)
        #expect(leader.disk.files[name] == nil && node.files.toDiscard.isEmpty)
        // It is told that the file is gone, and begins with another one at once.
        cluster.run(milliseconds: 300)
        #expect(away.lines.contains { $0.contains("has not got it any more") })
        #expect(away.lines.count { $0.contains("fetches a state file") } == 2 && away.node?.stateFilesInstalled == 1)
    }

    @Test func aFileIsNotRemovedWhileDebugReloadReadsIt() throws {
        let cluster = try cluster(1)
        try #require(cluster.elect() == 0)
        let machine = cluster.machines[0]
        write(50, machine, cluster)
        try save(machine, cluster)
        let node = try #require(machine.node)
        let first = try #require(node.files.newest)
        cluster.holds = { _, action in self.isRead(action) }
        let client = cluster.connect(machine)
        cluster.send("DEBUG RELOAD\r\n", client, machine)
        cluster.run(milliseconds: 5)
        for _ in 0..<3 {
            write(1, machine, cluster)
            try save(machine, cluster)
        }
        #expect(node.files.toDiscard == [first.name] && machine.disk.files[first.name] != nil)
        #expect(node.raft.baseIndex == .zero, "it needs the log behind its file")
        cluster.holds = { _, _ in false }
        cluster.run(milliseconds: 20)
        #expect(cluster.take(client, machine) == "+OK\r\n" && machine.disk.files[first.name] == nil)
    }

    @Test func aPartIsNotRemovedWhileAClientFetchesIt() throws {
        let cluster = try cluster(1)
        try #require(cluster.elect() == 0)
        let machine = cluster.machines[0]
        let client = cluster.connect(machine)
        cluster.send("KV.SNAPSHOT TAKE\r\n", client, machine)
        cluster.run(milliseconds: 50)
        let id = try #require(machine.node?.archive.items.first?.id)
        _ = cluster.take(client, machine)
        let name = SnapshotFile.part(id).name
        cluster.holds = { _, action in self.isRead(action) }
        cluster.send("KV.SNAPSHOT FETCH \(id) PART 0 4096\r\n", client, machine)
        let other = cluster.connect(machine)
        cluster.send("KV.SNAPSHOT REMOVE \(id)\r\n", other, machine)
        cluster.run(milliseconds: 5)
        #expect(cluster.take(other, machine) == "+OK\r\n" && machine.disk.files[name] != nil)
        cluster.holds = { _, _ in false }
        cluster.run(milliseconds: 5)
        #expect(cluster.take(client, machine).contains("$4096\r\nCORACLSF") && machine.disk.files[name] == nil)
    }

    // MARK: fetching

    @Test func aFetchGoesOnWhereTheLinkBroke() throws {
        let (cluster, leader, away) = try fetching { $0.stateFiles.piecesMax = 2 }
        let received = try #require(away.node?.files.fetching?.received)
        let file = try #require(leader.node?.files.serving.first).file
        try #require(received > 0 && leader.reads.contains { $0.name == file && $0.offset == 0 })
        let (one, other) = (Int(leader.id.rawValue) - 1, Int(away.id.rawValue) - 1)
        cluster.disconnect(one, other)
        leader.reads = []
        cluster.holds = { _, _ in false }
        cluster.run(milliseconds: 2_000)
        #expect(away.node?.stateFilesInstalled == 1)
        #expect(leader.reads.filter { $0.name == file }.map(\.offset).min() == received, "what came is not asked for again")
        #expect(away.lines.count { $0.contains("fetches a state file") } == 1)
    }

    @Test func aFetchThatFailedIsTriedAgainAfterADelay() throws {
        let cluster = try cluster(3) { $0.stateFiles.retryDelay = .milliseconds(1_000) }
        let index = cluster.elect()
        try #require(index >= 0)
        let away = cluster.machines[(index + 1) % 3]
        cluster.crash((index + 1) % 3)
        write(300, cluster.machines[index], cluster)
        for _ in 0..<2 {
            try save(cluster.machines[index], cluster)
            write(1, cluster.machines[index], cluster)
        }
        away.roomForGrowing = 0
        try cluster.start(away)
        cluster.run(milliseconds: 3_900)
        let attempts = away.lines.count { $0.contains("fetches a state file") }
        #expect(attempts >= 3 && attempts <= 4, "one attempt a second, not \(attempts) in four")
        #expect(away.lines.contains { $0.contains("can't use the state file") && $0.contains("the disk is full") })
        #expect(away.node?.stateFilesInstalled == 0 && away.exit == nil)
        away.roomForGrowing = .max
        cluster.run(milliseconds: 1_500)
        #expect(away.node?.stateFilesInstalled == 1)
    }

    @Test func aFileThatCouldNotBeWrittenIsTriedAgainAfterADelay() throws {
        let cluster = try cluster(1, logBytes: 1 << 14) { $0.stateFiles.retryDelay = .milliseconds(1_000) }
        try #require(cluster.elect() == 0)
        let machine = cluster.machines[0]
        cluster.refusesGrowingFiles = true
        write(200, machine, cluster)
        cluster.run(milliseconds: 3_000)
        let attempts = machine.lines.count { $0.contains("could not be written") }
        #expect(attempts >= 3 && attempts <= 4, "\(attempts) attempts in about three seconds")
        cluster.refusesGrowingFiles = false
        cluster.run(milliseconds: 1_100)
        #expect(machine.node?.stateFilesWritten == 1)
    }

    // MARK: a full disk

    @Test func aManifestWithoutRoomCostsTheManifestAlone() throws {
        let cluster = try cluster(3)
        try #require(cluster.elect() >= 0)
        let machine = cluster.machines[0]
        let client = cluster.connect(machine)
        cluster.refuses = { $0.text.hasPrefix("cut-") }
        cluster.send("KV.SNAPSHOT TAKE\r\n", client, machine)
        cluster.run(milliseconds: 50)
        let item = try #require(machine.node?.archive.items.last)
        #expect(item.outcome == .complete && item.partBytes != nil && item.manifestBytes == nil)
        #expect(machine.disk.files[SnapshotFile.part(item.id).name] != nil)
        #expect(!machine.disk.files.keys.contains { $0.text.hasPrefix("cut-") })
        let said = machine.lines.filter { $0.contains("the manifest could not be written") }
        #expect(said == ["snapshot \(item.id): the manifest could not be written: the disk is full"])
        #expect(machine.exit == nil && machine.node?.manifestsUnderWay.isEmpty == true)
        for other in cluster.machines { #expect(other.node?.archive[item.id]?.outcome == .complete) }
        _ = cluster.take(client, machine)
        cluster.send("KV.SNAPSHOT FETCH \(item.id) MANIFEST 0 4096\r\nKV.SNAPSHOT REMOVE \(item.id)\r\n", client, machine)
        cluster.run(milliseconds: 5)
        #expect(cluster.take(client, machine) == "-ERR this node has no such file of the snapshot\r\n+OK\r\n")
        cluster.refuses = { _ in false }
        cluster.send("KV.SNAPSHOT TAKE\r\n", client, machine)
        cluster.run(milliseconds: 50)
        #expect(machine.node?.archive.items.last?.manifestBytes != nil)
    }
}
