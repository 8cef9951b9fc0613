import Base
import Consensus
import DistributedSnapshot
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
            let id = try id(call("KV.SNAPSHOT TAKE", cluster, machine, client))
            #expect(id.initiator == machine.id)
            let item = try #require(machine.node?.archive[id])
            #expect(item.outcome == .complete && item.manifest?.isStrict == true && item.manifest?.parts.count == 3)
            #expect(item.manifest?.channels.count == 6)
            let status = call("KV.SNAPSHOT STATUS \(id)", cluster, machine, client)
            #expect(
                status.hasPrefix("*26\r\n$2\r\nid\r\n$\("\(id)".utf8.count)\r\n\(id)\r\n$9\r\ninitiator\r\n:\(machine.id)\r\n"))
            #expect(status.contains("$5\r\nstate\r\n$8\r\ncomplete\r\n$6\r\nstrict\r\n:1\r\n"))
            for other in cluster.machines {
                #expect(other.node?.archive[id]?.outcome == .complete)
                #expect(other.node?.archive[id]?.part != nil && other.node?.holdsReplies == false)
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
        #expect(machine.node?.archive[whole]?.outcome == .aborted && machine.node?.archive[whole]?.state == nil)
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
        cluster.settle()
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
        cluster.settle()
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
}
