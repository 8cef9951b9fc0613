import Base
import Node
import Testing

/// Errors that the simulator found, each in the smallest cluster that shows it.
@Suite struct FoundBySimulationTests {
    @Test func whileTheDiskIsSlowAtTheStartNoDeadlineIsInThePast() throws {
        // A deadline that has passed and that no turn moves keeps the driver spinning.
        for size in [1, 3] as [UInt32] {
            let cluster = try MiniCluster(size)
            cluster.isDiskRunning = false
            cluster.run(milliseconds: 3000)
            for machine in cluster.machines {
                let node = try #require(machine.node)
                #expect(node.nextDeadline > cluster.now.instant)
            }
        }
    }

    @Test func aStoppingNodeHasNoDeadlineInThePast() throws {
        let cluster = try MiniCluster(3)
        try #require(cluster.elect() >= 0)
        let last = cluster.machines[2]
        cluster.crash(0)
        last.node?.handle(.shutdownRequested, now: cluster.now, into: &last.effects)
        for _ in 0..<1000 where last.exit == nil {
            cluster.run(milliseconds: 1)
            let node = try #require(last.node)
            #expect(node.nextDeadline > cluster.now.instant || last.exit != nil)
        }
    }

    @Test func whatTheAnnouncementOfACommitNeedsFromDiskIsRead() throws {
        // With no room in the log cache the follower's entries have to be read back when its commit is announced.
        let cluster = try MiniCluster(3) {
            $0.raft.cacheBytesMax = 1
            $0.raft.thriftyGather = 10
        }
        let leader = cluster.elect()
        try #require(leader >= 0)
        let first = cluster.connect(cluster.machines[leader])
        for machine in cluster.machines where machine !== cluster.machines[leader] {
            let client = cluster.connect(machine)
            for _ in 1...30 {
                // Gathered for the follower that a majority does not need, and then a command of its own.
                cluster.send("INCR a\r\n", first, cluster.machines[leader])
                cluster.settle()
                cluster.send("INCR n\(machine.id)\r\n", client, machine)
                cluster.settle()
                cluster.run(milliseconds: 3)
            }
            cluster.run(milliseconds: 500)
            let expected = (1...30).map { ":\($0)\r\n" }.joined()
            #expect(cluster.take(client, machine) == expected)
        }
    }

    @Test func aKeyMayLiveUntilTheEndOfTime() throws {
        let cluster = try MiniCluster(1)
        try #require(cluster.elect() >= 0)
        let machine = cluster.machines[0]
        let client = cluster.connect(machine)
        cluster.send("SET a 1 PXAT 9223372036854775807\r\nSET b 1 PXAT 99999999999999999\r\nEXISTS a b\r\n", client, machine)
        cluster.run(milliseconds: 50)
        #expect(cluster.take(client, machine) == "+OK\r\n+OK\r\n:2\r\n")
        let node = try #require(machine.node)
        #expect(node.nextDeadline < .never)
    }

    @Test func whatFollowsALocalCommandThatTakesTimeIsAnsweredBehindIt() throws {
        let cluster = try MiniCluster(1)
        try #require(cluster.elect() >= 0)
        let machine = cluster.machines[0]
        let client = cluster.connect(machine)
        for slow in ["DEBUG RELOAD", "DEBUG SLEEP 0.02"] {
            cluster.send("SET a 1\r\n\(slow)\r\nGET a\r\nINCR a\r\nPING\r\n", client, machine)
            cluster.run(milliseconds: 200)
            #expect(cluster.take(client, machine) == "+OK\r\n+OK\r\n$1\r\n1\r\n:2\r\n+PONG\r\n", "\(slow)")
        }
        // Input that can't be parsed is an error of its own, in its place.
        cluster.send("DEBUG SLEEP 0.02\r\n*x\r\n", client, machine)
        cluster.run(milliseconds: 200)
        #expect(cluster.take(client, machine).hasPrefix("+OK\r\n-ERR Protocol error"))
    }
}
