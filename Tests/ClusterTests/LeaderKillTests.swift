import Foundation
import Testing

extension ClusterTests {
    /// What was acknowledged is there, whoever dies.
    @Suite struct Killing {
        @Test func leaderKilledTwentyTimesUnderLoadLosesNothingAndDisturbsNobodyElse() throws {
            try TestCluster.run { cluster in
                var recoveries: [Duration] = []
                let journals = try Load.run(on: cluster) { load in
                    for round in 1...20 {
                        let leader = try cluster.waitUntilReady()
                        try load.waitForProgress(30)
                        let survivors = cluster.nodes.filter { $0.id != leader.id }
                        let probes = try survivors.map { try $0.connect() }
                        for probe in probes { _ = try probe.call("PING") }
                        leader.kill()
                        let begin = ContinuousClock.now
                        for probe in probes { try probe.send([["SET", "probe", "\(round)"]]) }
                        try eventually("a survivor acknowledges a write", every: .milliseconds(1), seen: { cluster.lastWords }) {
                            probes.contains(where: \.isReadable)
                        }
                        recoveries.append(ContinuousClock.now - begin)
                        for probe in probes { #expect(try probe.receive() == .ok) }
                        try leader.start()
                    }
                    try cluster.waitUntilReady()
                    try load.waitForProgress()
                }
                var audit = try Audit(cluster)
                audit.compare(with: journals)
                audit.expectClean(cluster)
                // A node that died took at most one command of each of its clients with it.
                #expect(journals.reduce(0) { $0 + $1.unknownCount } <= 20 * journals.count / 3)
                recoveries.sort()
                print(
                    "20 leaders killed, \(journals.reduce(0) { $0 + $1.acknowledgedCount }) writes acknowledged; first acknowledged "
                        + "write on a survivor after \(recoveries[10].milliseconds) ms (median), "
                        + "\(recoveries[19].milliseconds) ms (longest)")
            }
        }

        @Test func allNodesKilledAtOnceUnderLoadLoseNothing() throws {
            try TestCluster.run { cluster in
                let journals = try Load.run(on: cluster) { load in
                    for _ in 0..<3 {
                        try load.waitForProgress(200)
                        for node in cluster.nodes { node.expectEnd() }
                        for node in cluster.nodes { node.process?.signal(SIGKILL) }
                        for node in cluster.nodes { node.kill() }
                        for node in cluster.nodes { try node.start() }
                        try cluster.waitUntilReady()
                    }
                    try load.waitForProgress(100)
                }
                var audit = try Audit(cluster)
                audit.compare(with: journals)
                audit.expectClean(cluster)
            }
        }

        @Test func followerKilledUnderLoadIsNoticedByNobodyElse() throws {
            try TestCluster.run { cluster in
                let leader = try cluster.waitUntilReady()
                let journals = try Load.run(on: cluster) { load in
                    for follower in cluster.nodes where follower.id != leader.id {
                        try load.waitForProgress()
                        follower.kill()
                        try load.waitForProgress()
                        try follower.start()
                        try cluster.waitUntilReady()
                    }
                }
                var audit = try Audit(cluster)
                audit.compare(with: journals)
                audit.expectClean(cluster)
            }
        }

        @Test func withoutMajorityNothingIsAcknowledgedAndWithItAllIs() throws {
            try TestCluster.run { cluster in
                let leader = try cluster.waitUntilReady()
                let others = cluster.nodes.filter { $0.id != leader.id }
                let client = try leader.connect()
                #expect(try client.call("INCR", "counter").integer == 1)
                for node in others { node.kill() }
                try client.send([["INCR", "counter"]])
                // Long enough for the leader to notice that it leads nobody.
                try eventually("the leader steps down") { leader.status()?.role != "leader" }
                #expect(!client.isReadable)
                try others[0].start()
                #expect(try client.receive().integer == 2)
                try others[1].start()
                try cluster.waitUntilReady()
                for node in cluster.nodes { #expect(try node.connect().call("GET", "counter") == .text("2")) }
            }
        }

        @Test func stoppedInOrderANodeHandsOnAndEndsWithCodeZero() throws {
            try TestCluster.run { cluster in
                let journals = try Load.run(on: cluster) { load in
                    for _ in 0..<3 {
                        let leader = try cluster.waitUntilReady()
                        #expect(try leader.terminate() == .exited(0))
                        try load.waitForProgress(30)
                        try leader.start()
                    }
                    try cluster.waitUntilReady()
                }
                var audit = try Audit(cluster)
                audit.compare(with: journals)
                audit.expectClean(cluster)
            }
        }
    }

    /// The checks see what they are there for.
    @Suite struct Planted {
        /// A client that had ten writes of each kind acknowledged, the last with an unknown outcome.
        private func journal() -> Journal {
            var journal = Journal(node: 1, number: 0)
            journal.counter.acknowledged = 9
            journal.counter.unknown = 1
            journal.list.next = 10
            journal.list.unknown = [9]
            journal.unique.next = 10
            journal.unique.unknown = [9]
            return journal
        }

        private func content(of journal: Journal) -> Audit.Content {
            var content: Audit.Content = [:]
            content["counter:\(journal.name)"] = .string("9")
            content["list:\(journal.name)"] = .list((0..<9).map(String.init))
            for number in 0..<9 { content["unique:\(journal.name):\(number)"] = .string(journal.value(number)) }
            return content
        }

        private func faults(_ change: (inout Audit.Content, Journal) -> Void) -> Int {
            let journal = journal()
            var content = content(of: journal)
            change(&content, journal)
            var audit = Audit.planted(content)
            audit.compare(with: [journal])
            return audit.faults.count
        }

        @Test func auditFindsLostRepeatedAndForeignWrites() {
            #expect(faults { _, _ in } == 0)
            // An unknown outcome may be either.
            #expect(faults { content, journal in content["counter:\(journal.name)"] = .string("10") } == 0)
            #expect(faults { content, journal in content["list:\(journal.name)"] = .list((0..<10).map(String.init)) } == 0)
            #expect(
                faults { content, journal in content["unique:\(journal.name):9"] = .string(journal.value(9)) } == 0)
            // Lost.
            #expect(faults { content, journal in content["counter:\(journal.name)"] = .string("8") } == 1)
            #expect(faults { content, journal in content["unique:\(journal.name):4"] = nil } == 1)
            #expect(faults { content, journal in content["list:\(journal.name)"] = .list((1..<9).map(String.init)) } == 1)
            #expect(faults { content, journal in content["counter:\(journal.name)"] = nil } == 1)
            // Twice.
            #expect(faults { content, journal in content["counter:\(journal.name)"] = .string("11") } == 1)
            #expect(
                faults { content, journal in content["list:\(journal.name)"] = .list(["0", "1", "1"] + (2..<9).map(String.init)) }
                    == 1)
            // Out of order, and never written.
            #expect(
                faults { content, journal in content["list:\(journal.name)"] = .list(["1", "0"] + (2..<9).map(String.init)) } == 1
            )
            #expect(faults { content, journal in content["unique:\(journal.name):10"] = .string(journal.value(10)) } == 1)
            #expect(faults { content, journal in content["unique:\(journal.name):4"] = .string("else") } == 1)
            // A fault that a client saw itself.
            var journal = journal()
            journal.failed(.closed, isExcused: false)
            var audit = Audit.planted(content(of: journal))
            audit.compare(with: [journal])
            #expect(audit.faults.count == 1)
        }
    }
}
