import Base
import Database
import Node
import Testing

@Suite struct NodeTests {
    @Test func threeNodesElectAndServeWritesThroughAnyOfThem() throws {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        for machine in cluster.machines {
            let client = cluster.connect(machine)
            cluster.send("SET k\(machine.id) v\(machine.id)\r\nGET k\(machine.id)\r\n", client, machine)
            cluster.run(milliseconds: 5)
            #expect(cluster.take(client, machine) == "+OK\r\n$2\r\nv\(machine.id)\r\n")
        }
        let reader = cluster.connect(cluster.machines[0])
        cluster.send("MGET k1 k2 k3\r\n", reader, cluster.machines[0])
        cluster.run(milliseconds: 5)
        #expect(cluster.take(reader, cluster.machines[0]) == "*3\r\n$2\r\nv1\r\n$2\r\nv2\r\n$2\r\nv3\r\n")
        cluster.run(milliseconds: 100)
        let digests = cluster.machines.compactMap { $0.node?.machine.digest() }
        #expect(digests.count == 3 && digests.allSatisfy { $0 == digests[0] })
    }

    /// An entry that can't leave yet takes in what comes until it can; nothing is lost or reordered by that.
    @Test(arguments: [1, 3] as [UInt32]) func whatComesWhileAnEntryIsOnItsWayGoesTogether(nodes: UInt32) throws {
        // The other follower must not be asked because the first one is late.
        let cluster = try MiniCluster(nodes) { $0.raft.thriftyDelay = .milliseconds(1000) }
        let leader = cluster.elect()
        try #require(leader >= 0)
        let machine = cluster.machines[leader]
        let node = try #require(machine.node)
        let client = cluster.connect(machine)
        cluster.send("INCR n\r\n", client, machine)
        cluster.settle()
        #expect(cluster.take(client, machine) == ":1\r\n")
        let before = node.raft.lastIndex.rawValue
        cluster.isDiskRunning = false
        for _ in 2...30 {
            cluster.send("INCR n\r\n", client, machine)
            cluster.settle()
        }
        #expect(node.raft.lastIndex.rawValue == before + 1 && cluster.take(client, machine) == "")
        cluster.isDiskRunning = true
        cluster.settle()
        #expect(node.raft.lastIndex.rawValue == before + 2)
        #expect(cluster.take(client, machine) == (2...30).map { ":\($0)\r\n" }.joined())
    }

    @Test func repliesKeepTheOrderOfMixedCommands() throws {
        let cluster = try MiniCluster(3)
        try #require(cluster.elect() >= 0)
        for machine in cluster.machines {
            let client = cluster.connect(machine)
            cluster.send(
                "PING\r\nSET a 1\r\nGET a\r\nINCR a\r\nGET a\r\nPING x\r\nNOSUCH\r\nGET a\r\nSET a 5\r\nGET a\r\nGET\r\nECHO e\r\n",
                client, machine)
            cluster.run(milliseconds: 20)
            #expect(
                cluster.take(client, machine)
                    == "+PONG\r\n+OK\r\n$1\r\n1\r\n:2\r\n$1\r\n2\r\n$1\r\nx\r\n-ERR unknown command 'NOSUCH', with args beginning with: \r\n$1\r\n2\r\n+OK\r\n$1\r\n5\r\n-ERR wrong number of arguments for 'get' command\r\n$1\r\ne\r\n"
            )
        }
    }

    @Test func nothingIsAnsweredBeforeAMajorityHasItOnDisk() throws {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let machine = cluster.machines[leader]
        let client = cluster.connect(machine)
        cluster.isDiskRunning = false
        cluster.send("SET a 1\r\n", client, machine)
        cluster.run(milliseconds: 100)
        #expect(cluster.take(client, machine) == "")
        cluster.isDiskRunning = true
        cluster.run(milliseconds: 200)
        #expect(cluster.take(client, machine) == "+OK\r\n")
    }

    @Test func aFollowersClientDoesNotNoticeTheLeadersDeath() throws {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let follower = cluster.machines[(leader + 1) % 3]
        let client = cluster.connect(follower)
        for _ in 0..<10 { cluster.send("INCR n\r\n", client, follower) }
        cluster.crash(leader)
        for _ in 0..<10 { cluster.send("INCR n\r\n", client, follower) }
        cluster.run(milliseconds: 2000)
        let expected = (1...20).map { ":\($0)\r\n" }.joined()
        #expect(cluster.take(client, follower) == expected)
        // The dead one comes back, with everything.
        try cluster.start(cluster.machines[leader])
        cluster.run(milliseconds: 2000)
        let digests = cluster.machines.compactMap { $0.node?.machine.digest() }
        #expect(digests.count == 3 && digests.allSatisfy { $0 == digests[0] })
        let reader = cluster.connect(cluster.machines[leader])
        cluster.send("GET n\r\n", reader, cluster.machines[leader])
        cluster.run(milliseconds: 50)
        #expect(cluster.take(reader, cluster.machines[leader]) == "$2\r\n20\r\n")
    }

    @Test func everythingIsThereAfterAllNodesStop() throws {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let client = cluster.connect(cluster.machines[leader])
        for index in 0..<500 { cluster.send("SET key\(index) \(index)\r\n", client, cluster.machines[leader]) }
        cluster.run(milliseconds: 100)
        #expect(cluster.take(client, cluster.machines[leader]).utf8.count == 500 * 5)
        for index in 0..<3 { cluster.crash(index) }
        for machine in cluster.machines { try cluster.start(machine) }
        let next = cluster.elect()
        try #require(next >= 0)
        let reader = cluster.connect(cluster.machines[next])
        cluster.send("DBSIZE\r\nGET key499\r\n", reader, cluster.machines[next])
        cluster.run(milliseconds: 50)
        #expect(cluster.take(reader, cluster.machines[next]) == ":500\r\n$3\r\n499\r\n")
    }

    @Test func withoutAMajorityWritesAndReadsAreRefusedAfterTheGrace() throws {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let survivor = (leader + 1) % 3
        cluster.crash(leader)
        cluster.crash((leader + 2) % 3)
        let machine = cluster.machines[survivor]
        cluster.run(milliseconds: 7000)
        let client = cluster.connect(machine)
        cluster.send("SET a 1\r\n", client, machine)
        cluster.run(milliseconds: 10)
        #expect(cluster.take(client, machine).hasPrefix("-CLUSTERDOWN "))
        cluster.send("GET a\r\n", client, machine)
        cluster.run(milliseconds: 6000)
        #expect(cluster.take(client, machine).hasPrefix("-CLUSTERDOWN "))
    }

    @Test func leadershipMovesWithoutAnErrorToClients() throws {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let machine = cluster.machines[leader]
        let client = cluster.connect(machine)
        let other = cluster.connect(machine)
        cluster.send("KV.TRANSFER-LEADER\r\n", other, machine)
        for _ in 0..<100 { cluster.send("INCR n\r\n", client, machine) }
        cluster.run(milliseconds: 100)
        #expect(cluster.take(client, machine) == (1...100).map { ":\($0)\r\n" }.joined())
        #expect(cluster.take(other, machine) == "+OK\r\n")
        #expect(cluster.elect() != leader)
    }

    @Test func everyLocalCommandOfTheTableIsAnswered() throws {
        let cluster = try MiniCluster(1)
        try #require(cluster.elect() == 0)
        let machine = cluster.machines[0]
        for command in CommandTable.standard.commands {
            for one in [command] + command.subcommands where one.scope == .local {
                let client = cluster.connect(machine)
                let words = one.fullName.split(separator: "|").map(String.init)
                // One word more where the bare command would end the node.
                let count = one.fullName == "shutdown" ? 2 : abs(one.arity)
                let line = (words + Array(repeating: "0", count: max(0, count - words.count))).joined(separator: " ")
                cluster.send(line + "\r\n", client, machine)
                cluster.run(milliseconds: 5)
                #expect(!cluster.take(client, machine).isEmpty || one.fullName == "client|reply", "\(line) gets a reply")
            }
        }
    }

    @Test func debugReloadReadsTheLogBack() throws {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let machine = cluster.machines[leader]
        let client = cluster.connect(machine)
        for index in 0..<300 { cluster.send("SET key\(index) \(String(repeating: "v", count: index))\r\n", client, machine) }
        cluster.run(milliseconds: 50)
        _ = cluster.take(client, machine)
        cluster.send("DEBUG RELOAD\r\nPING\r\n", client, machine)
        cluster.run(milliseconds: 50)
        #expect(cluster.take(client, machine) == "+OK\r\n+PONG\r\n")
    }

    @Test func parametersThatChangeResultsAreTheClusters() throws {
        let cluster = try MiniCluster(3)
        try #require(cluster.elect() >= 0)
        let clients = cluster.machines.map { cluster.connect($0) }
        cluster.send(
            "CONFIG SET set-max-intset-entries 7 maxclients 99\r\nCONFIG GET set-max-intset-entries\r\n", clients[0],
            cluster.machines[0])
        cluster.run(milliseconds: 100)
        #expect(cluster.take(clients[0], cluster.machines[0]) == "+OK\r\n*2\r\n$22\r\nset-max-intset-entries\r\n$1\r\n7\r\n")
        cluster.send("CONFIG GET maxclients\r\nCONFIG GET set-max-intset-entries\r\n", clients[1], cluster.machines[1])
        cluster.run(milliseconds: 10)
        #expect(
            cluster.take(clients[1], cluster.machines[1])
                == "*2\r\n$10\r\nmaxclients\r\n$5\r\n10000\r\n*2\r\n$22\r\nset-max-intset-entries\r\n$1\r\n7\r\n")
        cluster.send("CONFIG SET set-max-intset-entries x\r\nCONFIG SET port 1\r\n", clients[1], cluster.machines[1])
        cluster.run(milliseconds: 10)
        let refused = cluster.take(clients[1], cluster.machines[1])
        #expect(refused.contains("argument couldn't be parsed into an integer") && refused.contains("can't set immutable config"))
    }

    @Test func expiredKeysGoByTheLogAlone() throws {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let follower = cluster.machines[(leader + 1) % 3]
        let client = cluster.connect(follower)
        cluster.send("SET a 1 PX 100\r\nSET b 2\r\n", client, follower)
        cluster.run(milliseconds: 50)
        cluster.send("EXISTS a\r\nPTTL a\r\n", client, follower)
        cluster.run(milliseconds: 5)
        #expect(cluster.take(client, follower).hasPrefix("+OK\r\n+OK\r\n:1\r\n:"))
        cluster.run(milliseconds: 100)
        cluster.send("EXISTS a b\r\nDBSIZE\r\n", client, follower)
        cluster.run(milliseconds: 5)
        #expect(cluster.take(client, follower) == ":1\r\n:1\r\n")
    }

    @Test func clientThatSendsNothingMoreGetsItsRepliesBeforeTheEnd() throws {
        let cluster = try MiniCluster(3)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let follower = cluster.machines[(leader + 1) % 3]
        let client = cluster.connect(follower)
        cluster.send("INCR a\r\nGET a\r\nPING\r\nINCR a\r\nGET", client, follower)
        follower.node?.handle(.clientInputEnded(client), now: cluster.now, into: &follower.effects)
        #expect(follower.closed.isEmpty)
        cluster.run(milliseconds: 50)
        #expect(cluster.take(client, follower) == ":1\r\n$1\r\n1\r\n+PONG\r\n:2\r\n")
        #expect(follower.closed.contains(client.rawValue))
    }

    @Test func strangersAndWrongClustersAreRefused() throws {
        let cluster = try MiniCluster(3)
        try #require(cluster.elect() >= 0)
        let machine = cluster.machines[0]
        let hello = ByteBuffer()
        PeerHello(clusterID: ClusterID(high: 9, low: 9), sender: NodeID(2), receiver: NodeID(1), incarnation: Incarnation(1))
            .encodeFrame(into: hello)
        machine.node?.handle(.peerAccepted(PeerLinkID(1 << 40), address: "x:1"), now: cluster.now, into: &machine.effects)
        machine.node?.handle(.peerBytes(PeerLinkID(1 << 40), hello.view), now: cluster.now, into: &machine.effects)
        #expect(machine.effects.closePeers.contains(PeerLinkID(1 << 40)))
        #expect(machine.effects.log.contains { $0.message.contains("it belongs to another cluster") })
        // The other side is told before the link goes, and the operator of this one not at every try.
        #expect(machine.effects.peerOutput.contains(PeerLinkID(1 << 40)))
        #expect(machine.node?.output(of: PeerLinkID(1 << 40))?.view.text.contains("it belongs to another cluster") == true)
        let lines = machine.effects.log.count
        machine.node?.handle(.peerAccepted(PeerLinkID(1 << 42), address: "x:1"), now: cluster.now, into: &machine.effects)
        machine.node?.handle(.peerBytes(PeerLinkID(1 << 42), hello.view), now: cluster.now, into: &machine.effects)
        #expect(machine.effects.closePeers.contains(PeerLinkID(1 << 42)) && machine.effects.log.count == lines)
        machine.node?.handle(.peerAccepted(PeerLinkID(1 << 41), address: "x:2"), now: cluster.now, into: &machine.effects)
        let garbage = [UInt8](repeating: 0xA5, count: 4000)
        garbage.withView {
            machine.node?.handle(.peerBytes(PeerLinkID(1 << 41), $0), now: cluster.now, into: &machine.effects)
        }
        #expect(machine.effects.closePeers.contains(PeerLinkID(1 << 41)))
        cluster.run(milliseconds: 20)
        #expect(cluster.leader != nil)
    }
}
