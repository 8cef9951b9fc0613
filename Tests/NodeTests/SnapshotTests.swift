import Base
import Consensus
import Database
import DistributedSnapshot
import Storage
import Testing

@testable import Node

/// Distributed snapshots as operators see them: begun and asked for over client connections, without any fault. (Under faults the simulator
/// judges them.)
@Suite struct SnapshotTests {
    private func call(_ text: String, _ cluster: MiniCluster, _ machine: MiniCluster.Machine, _ client: ConnectionID) -> String {
        cluster.send(text + "\r\n", client, machine)
        cluster.settle()
        return cluster.take(client, machine)
    }

    /// A snapshot that is over. (While there is work for clients, state is encoded at a rate.)
    private func take(_ cluster: MiniCluster, _ machine: MiniCluster.Machine, _ client: ConnectionID) throws -> SnapshotID {
        let id = try id(call("KV.SNAPSHOT TAKE", cluster, machine, client))
        cluster.run(milliseconds: 10)
        return id
    }

    /// The id in a bulk reply.
    private func id(_ reply: String) throws -> SnapshotID {
        let lines = reply.split(separator: "\r\n")
        let number = try #require(lines.count == 2 && lines[0].hasPrefix("$") ? UInt64(lines[1]) : nil, "\(reply)")
        return SnapshotID(number)
    }

    @Test func everyNodeCanTakeASnapshot() throws {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        for machine in cluster.machines {
            let client = cluster.connect(machine)
            #expect(call("SET key \(machine.id)", cluster, machine, client) == "+OK\r\n")
            let id = try take(cluster, machine, client)
            #expect(id.initiator == machine.id)
            let item = try #require(machine.node?.archive[id])
            #expect(item.outcome == .complete && item.manifest?.isStrict == true && item.manifest?.parts.count == 3)
            #expect(item.manifest?.channels.count == 6)
            let status = call("KV.SNAPSHOT STATUS \(id)", cluster, machine, client)
            #expect(
                status.hasPrefix("*28\r\n$2\r\nid\r\n$\("\(id)".utf8.count)\r\n\(id)\r\n$9\r\ninitiator\r\n:\(machine.id)\r\n"))
            #expect(status.contains("$5\r\nstate\r\n$8\r\ncomplete\r\n$6\r\nstrict\r\n:1\r\n"))
            for other in cluster.machines {
                #expect(other.node?.archive[id]?.outcome == .complete)
                #expect(other.node?.archive[id]?.partBytes != nil && other.node?.holdsReplies == false)
            }
        }
        let any = cluster.machines[0]
        let client = cluster.connect(any)
        #expect(call("KV.SNAPSHOT LIST", cluster, any, client).hasPrefix("*3\r\n"))
        #expect(call("KV.SNAPSHOT STATUS 7", cluster, any, client) == "-ERR no such snapshot is known to this node\r\n")
        #expect(call("KV.SNAPSHOT TAKE LOUDLY", cluster, any, client) == "-ERR syntax error\r\n")
        #expect(
            call("KV.SNAPSHOT TAKE TIMEOUT 0", cluster, any, client)
                == "-ERR the timeout of a snapshot is 1 to 3600000 milliseconds\r\n")
    }

    @Test func withoutTheOthersASnapshotSaysWhoIsMissing() throws {
        let cluster = try MiniCluster(3)
        try #require(cluster.elect() >= 0)
        cluster.crash(1)
        cluster.crash(2)
        cluster.run(milliseconds: 3_000)
        let machine = cluster.machines[0]
        let client = cluster.connect(machine)
        let id = try id(call("KV.SNAPSHOT TAKE CAUSAL TIMEOUT 100", cluster, machine, client))
        #expect(machine.node?.archive[id]?.outcome == nil)
        cluster.run(milliseconds: 110)
        let manifest = try #require(machine.node?.archive[id]?.manifest)
        #expect(manifest.outcome == .partial && !manifest.isStrict)
        #expect(manifest.missing.map(\.node) == [NodeID(2), NodeID(3)])
        #expect(manifest.missing.allSatisfy { $0.reason == .noAnswer })
        let whole = try self.id(call("KV.SNAPSHOT TAKE CAUSAL TIMEOUT 100 WHOLE", cluster, machine, client))
        cluster.run(milliseconds: 110)
        #expect(machine.node?.archive[whole]?.outcome == .aborted && machine.node?.archive[whole]?.partBytes == nil)
        let given = try self.id(call("KV.SNAPSHOT TAKE CAUSAL", cluster, machine, client))
        #expect(call("KV.SNAPSHOT ABORT \(given)", cluster, machine, client) == "+OK\r\n")
        #expect(call("KV.SNAPSHOT ABORT \(given)", cluster, machine, client) == "-ERR the snapshot is over\r\n")
    }

    @Test func repliesWaitForTheMarkersAndNotForEver() throws {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let machine = cluster.machines[leader]
        let client = cluster.connect(machine)
        cluster.paused = [(leader + 1) % 3]
        cluster.send("KV.SNAPSHOT TAKE CAUSAL\r\nPING\r\n", client, machine)
        cluster.settle()
        #expect(cluster.take(client, machine).hasSuffix("+PONG\r\n"))
        cluster.send("KV.SNAPSHOT TAKE\r\nPING\r\nQUIT\r\n", client, machine)
        cluster.settle()
        #expect(cluster.take(client, machine) == "" && machine.closed.isEmpty && machine.node?.holdsReplies == true)
        #expect(machine.node?.output(of: client)?.isEmpty == true)
        cluster.run(milliseconds: 199)
        #expect(cluster.take(client, machine) == "")
        cluster.run(milliseconds: 2)
        #expect(cluster.take(client, machine).hasSuffix("+PONG\r\n+OK\r\n") && machine.closed == [client.rawValue])
        cluster.paused = []
        cluster.run(milliseconds: 10)
        let item = try #require(machine.node?.archive.items.last)
        #expect(item.outcome == .complete && item.manifest?.isStrict == false)
    }

    @Test func aShorterHoldEndsWithTheMarkers() throws {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let machine = cluster.machines[leader]
        let client = cluster.connect(machine)
        cluster.paused = [(leader + 1) % 3]
        cluster.send("KV.SNAPSHOT TAKE\r\n", client, machine)
        cluster.run(milliseconds: 50)
        #expect(cluster.take(client, machine) == "")
        cluster.paused = []
        cluster.run(milliseconds: 10)
        let id = try id(cluster.take(client, machine))
        #expect(machine.node?.archive[id]?.manifest?.isStrict == true)
    }

    @Test func aLocalStateSurvivesItsBytes() throws {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let machine = cluster.machines[leader]
        let client = cluster.connect(machine)
        _ = call("SET key value", cluster, machine, client)
        let others = (0..<3).filter { $0 != leader }
        cluster.paused = Set(others)
        cluster.send("SET key other\r\n", client, machine)
        cluster.settle()
        let node = try #require(machine.node)
        let state = LocalState(of: node)
        #expect(state.role == .leader && state.tail.count == 1 && state.progress.count == 2 && state.proposals.waitingBytes > 0)
        let buffer = ByteBuffer()
        state.encode(into: buffer)
        #expect(LocalState(decoding: buffer.view) == state)
        for count in 0..<buffer.count { #expect(LocalState(decoding: buffer.view.slice(0, count)) == nil) }
    }

    // MARK: files

    /// A file of a snapshot, fetched as a client does.
    private func fetch(
        _ id: SnapshotID, _ kind: String, _ cluster: MiniCluster, _ machine: MiniCluster.Machine, _ client: ConnectionID
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        var size = 1
        while bytes.count < size {
            cluster.send("KV.SNAPSHOT FETCH \(id) \(kind) \(bytes.count) 8192\r\n", client, machine)
            cluster.settle()
            let reply = machine.received.removeValue(forKey: client.rawValue) ?? []
            let lines = reply.split(separator: 10, maxSplits: 3, omittingEmptySubsequences: false)
            guard lines.count == 4, let total = Int(String(decoding: lines[1].dropFirst().dropLast(), as: UTF8.self)) else {
                return []
            }
            size = total
            bytes += lines[3].dropLast(2)
        }
        return bytes
    }

    private func load(_ bytes: [UInt8], of node: NodeID, _ cluster: MiniCluster) throws(StorageError) -> SnapshotPartFile {
        var loader = SnapshotPartFile.Loader(file: "part", clusterID: cluster.clusterID, nodeID: node)
        var problem: StorageError?
        bytes.withView { view in
            do throws(StorageError) { try loader.append(view) } catch { problem = error }
        }
        if let problem { throw problem }
        return try loader.finish()
    }

    @Test func aPartHoldsTheStateOfItsNode() throws {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let machine = cluster.machines[leader]
        let client = cluster.connect(machine)
        for number in 0..<300 { _ = call("SET key\(number) \(number)", cluster, machine, client) }
        let expected = try #require(machine.node?.machine.digest())
        let id = try take(cluster, machine, client)
        _ = call("SET key0 changed", cluster, machine, client)
        for other in cluster.machines {
            let reader = cluster.connect(other)
            let bytes = fetch(id, "PART", cluster, other, reader)
            let file = try load(bytes, of: other.id, cluster)
            #expect(file.machine.keyCount(0) >= 299 && file.state.run.node == other.id && file.part.id == id)
            if other === machine { #expect(file.machine.digest() == expected) }
            // Whatever byte is another one, the file is refused.
            for offset in stride(from: 0, to: bytes.count, by: 97) {
                var damaged = bytes
                damaged[offset] ^= 0x20
                #expect(throws: StorageError.self) { try load(damaged, of: other.id, cluster) }
            }
            #expect(throws: StorageError.self) { try load(bytes.dropLast(4096), of: other.id, cluster) }
        }
        #expect(!fetch(id, "MANIFEST", cluster, machine, client).isEmpty)
        #expect(
            call("KV.SNAPSHOT FETCH \(id) PART 1 4096", cluster, machine, client).hasPrefix("-ERR offset and count are multiples")
        )
    }

    @Test func partsOutliveTheRunAndCanBeRemoved() throws {
        let cluster = try MiniCluster(3)
        try #require(cluster.elect() >= 0)
        let machine = cluster.machines[0]
        let client = cluster.connect(machine)
        let id = try take(cluster, machine, client)
        let before = fetch(id, "PART", cluster, machine, client)
        for index in 0..<3 { cluster.crash(index) }
        for machine in cluster.machines { try cluster.start(machine) }
        try #require(cluster.elect() >= 0)
        let again = cluster.connect(machine)
        #expect(fetch(id, "PART", cluster, machine, again) == before)
        #expect(machine.node?.archive[id]?.outcome == .complete)
        #expect(cluster.machines[1].node?.archive[id]?.isOfEarlierRun == true)
        #expect(call("KV.SNAPSHOT REMOVE \(id)", cluster, machine, again) == "+OK\r\n")
        cluster.settle()
        #expect(!machine.disk.files.keys.contains { SnapshotFile($0) != nil })
        #expect(call("KV.SNAPSHOT STATUS \(id)", cluster, machine, again) == "-ERR no such snapshot is known to this node\r\n")
    }

    @Test func oldPartsAreRemoved() throws {
        let cluster = try MiniCluster(3)
        try #require(cluster.elect() >= 0)
        let machine = cluster.machines[0]
        let client = cluster.connect(machine)
        for _ in 0..<12 {
            _ = try take(cluster, machine, client)
        }
        let parts = machine.disk.files.keys.filter { if case .part = SnapshotFile($0) { true } else { false } }
        #expect(parts.count == SnapshotFile.keptMax && machine.node?.archive.items.count == 12)
    }

    /// The initiator has written its manifest and goes down before a word of it has left. What the manifest names can be fetched all the same.
    @Test func aPartThatWasReportedIsKeptThoughNobodySaysWhatForItCounts() throws {
        let cluster = try MiniCluster(3)
        try #require(cluster.elect() >= 0)
        let machine = cluster.machines[0]
        let client = cluster.connect(machine)
        cluster.isDiskRunning = false
        let id = try id(call("KV.SNAPSHOT TAKE CAUSAL TIMEOUT 200", cluster, machine, client))
        cluster.paused = [0]
        cluster.isDiskRunning = true
        cluster.run(milliseconds: 20)
        for other in cluster.machines[1...] { #expect(other.node?.archive[id]?.partBytes != nil) }
        cluster.runAlone(0) { $0.archive[id]?.manifestBytes != nil }
        #expect(machine.node?.archive[id]?.manifest?.outcome == .complete)
        for other in cluster.machines[1...] { #expect(other.node?.archive[id]?.outcome == nil) }
        cluster.crash(0)
        cluster.paused = []
        try cluster.start(machine)
        cluster.run(milliseconds: 3_000)
        #expect(machine.node?.archive[id]?.manifest?.parts.count == 3)
        for other in cluster.machines[1...] {
            #expect(other.node?.archive[id]?.outcome == .unknown)
            let reader = cluster.connect(other)
            let reply = call("KV.SNAPSHOT FETCH \(id) PART 0 4096", cluster, other, reader)
            #expect(reply.hasPrefix("*2\r\n:\(other.disk.files[SnapshotFile.part(id).name]?.count ?? 0)\r\n$4096\r\nCORACLSF"))
        }
    }

    /// A node begins anew behind its report, hears nothing of the end, and keeps its part.
    @Test func aPartOfAnEarlierRunIsKeptUntilItIsKnownToCountForNothing() throws {
        let cluster = try MiniCluster(3)
        try #require(cluster.elect() >= 0)
        let machine = cluster.machines[0]
        let client = cluster.connect(machine)
        cluster.paused = [2]
        let id = try id(call("KV.SNAPSHOT TAKE CAUSAL TIMEOUT 10000", cluster, machine, client))
        cluster.run(milliseconds: 20)
        #expect(machine.node?.archive[id]?.outcome == nil && cluster.machines[1].node?.archive[id]?.partBytes == nil)
        cluster.paused = []
        cluster.run(milliseconds: 5)
        let name = SnapshotFile.part(id).name
        try #require(cluster.machines[1].disk.files[name] != nil)
        cluster.crash(1)
        try cluster.start(cluster.machines[1])
        cluster.crash(0)
        try cluster.start(machine)
        cluster.run(milliseconds: 3_000)
        #expect(cluster.machines[1].node?.archive[id]?.partBytes != nil && cluster.machines[1].disk.files[name] != nil)
        // An end that its initiator tells is another thing.
        cluster.machines[1].node?.archive.end(id, .aborted, now: cluster.now)
        cluster.run(milliseconds: 5)
        #expect(cluster.machines[1].disk.files[name] == nil)
    }

    @Test func aFullDiskFailsThePartAndNotTheNode() throws {
        let cluster = try MiniCluster(3)
        try #require(cluster.elect() >= 0)
        let machine = cluster.machines[0]
        let client = cluster.connect(machine)
        cluster.refusesGrowingFiles = true
        let id = try id(call("KV.SNAPSHOT TAKE TIMEOUT 200", cluster, machine, client))
        cluster.run(milliseconds: 300)
        let manifest = try #require(machine.node?.archive[id]?.manifest)
        #expect(manifest.outcome == .aborted && manifest.missing.count == 3)
        #expect(manifest.missing.allSatisfy { $0.reason == .recordFailed })
        #expect(machine.node?.partJobs.isEmpty == true && machine.exit == nil)
    }

    // MARK: verification

    private func cut(_ cluster: MiniCluster) throws -> (SnapshotManifest, [SnapshotPartFile]) {
        let machine = cluster.machines[0]
        let client = cluster.connect(machine)
        let id = try take(cluster, machine, client)
        let manifest = try #require(machine.node?.archive[id]?.manifest)
        var parts: [SnapshotPartFile] = []
        for other in cluster.machines {
            parts.append(try load(fetch(id, "PART", cluster, other, cluster.connect(other)), of: other.id, cluster))
        }
        return (manifest, parts)
    }

    @Test func aCutKeepsItsInvariants() throws {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let writer = cluster.connect(cluster.machines[leader])
        for number in 0..<20 { _ = call("SET key\(number) x", cluster, cluster.machines[leader], writer) }
        let (manifest, parts) = try cut(cluster)
        let good = CutVerification(manifest, parts)
        #expect(good.holds, "\(good.checks)")
        #expect(good.checks.map(\.count).allSatisfy { $0 > 0 }, "\(good.checks)")

        // Each invariant notices what breaks it.
        func broken(_ edit: (inout SnapshotManifest, inout [SnapshotPartFile]) -> Void) -> [Int] {
            var (manifest, parts) = (manifest, parts)
            edit(&manifest, &parts)
            let found = CutVerification(manifest, parts).checks
            return found.indices.filter { !found[$0].problems.isEmpty }
        }
        let follower = (leader + 1) % 3
        #expect(broken { _, parts in parts.remove(at: 0) } == [0])
        #expect(broken { _, parts in parts[0].part.summary.incoming[0].delivered += 1000 } == [0, 1])
        #expect(broken { _, parts in parts[follower].state.role = .leader } == [2])
        #expect(
            broken { _, parts in
                parts[follower].state.termRuns[0].term = Term(parts[follower].state.termRuns[0].term.rawValue - 1)
            }
            .contains(where: { $0 == 3 || $0 == 5 }))
        #expect(
            broken { manifest, parts in
                // As if all had applied the same.
                for index in parts.indices { parts[index].state.appliedIndex = parts[0].state.appliedIndex }
                parts[1].part.summary.stateDigest ^= 1
                if let listed = manifest.parts.firstIndex(where: { $0.run == parts[1].part.run }) {
                    manifest.parts[listed].summary.stateDigest ^= 1
                }
            }.contains(4))
        #expect(
            broken { _, parts in
                for other in parts.indices where other != leader {
                    parts[other].state.lastIndex = LogIndex(parts[leader].state.commitIndex.rawValue - 1)
                }
            }.contains(5))
    }
}
