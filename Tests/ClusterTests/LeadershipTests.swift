import Foundation
import RESP
import Testing

extension ClusterTests {
    /// Leadership moves, and nobody reads what is no longer true.
    @Suite struct Leadership {
        @Test func pausedLeaderIsReplacedAndServesNothingStaleWhenItWakes() throws {
            try TestCluster.run { cluster in
                var recoveries: [Duration] = []
                for round in 1...5 {
                    let paused = try cluster.waitUntilReady()
                    let oldTerm = try #require(paused.status()).term
                    let other = try #require(cluster.nodes.first { $0.id != paused.id })
                    // Connections from before, so that commands can be put into the leader's sockets while it sleeps.
                    let readers = try (0..<4).map { _ in try paused.connect() }
                    let writer = try paused.connect()
                    for reader in readers {
                        #expect(try reader.call("GET", "register").text == (round == 1 ? nil : "\(round - 1)"))
                    }
                    #expect(try writer.call("INCR", "woken").integer == 2 * round - 1)
                    try paused.pause()

                    let client = try other.connect()
                    let begin = ContinuousClock.now
                    #expect(try client.call("SET", "register", "\(round)") == .ok)
                    recoveries.append(ContinuousClock.now - begin)
                    let status = try #require(other.status())
                    #expect(status.term > oldTerm && status.leader != paused.id)
                    // These begin after the write was acknowledged: they must see it, although the node that serves them fell
                    // asleep as the leader.
                    for reader in readers { try reader.send([["GET", "register"], ["GET", "register"]]) }
                    try writer.send([["INCR", "woken"]])
                    paused.resume()
                    for reader in readers {
                        #expect(try reader.receive().text == "\(round)", "round \(round)\n\(cluster.lastWords)")
                        #expect(try reader.receive().text == "\(round)", "round \(round)\n\(cluster.lastWords)")
                    }
                    #expect(try writer.receive().integer == 2 * round, "round \(round)\n\(cluster.lastWords)")
                    try eventually("the node that slept follows", seen: { cluster.lastWords }) {
                        guard let status = paused.status() else { return false }
                        return status.role == "follower" && status.term > oldTerm && status.leader != paused.id
                            && status.leader != 0
                    }
                }
                recoveries.sort()
                print(
                    "5 leaders paused; first acknowledged write on another node after \(recoveries[2].milliseconds) ms (median), "
                        + "\(recoveries[4].milliseconds) ms (longest)")
            }
        }

        @Test func pausedFollowerCatchesUpAndReadsWhatIsTrueNow() throws {
            try TestCluster.run { cluster in
                let leader = try cluster.waitUntilReady()
                let paused = try #require(cluster.nodes.first { $0.id != leader.id })
                let reader = try paused.connect()
                #expect(try reader.call("GET", "register") == .null)
                try paused.pause()
                let client = try leader.connect()
                for number in 0...200 { #expect(try client.call("SET", "register", "\(number)") == .ok) }
                try reader.send([["GET", "register"]])
                paused.resume()
                #expect(try reader.receive() == .text("200"))
                try cluster.waitUntilReady()
            }
        }

        @Test func plannedTransferDisturbsNoClient() throws {
            try TestCluster.run { cluster in
                var switches: [Duration] = []
                let journals = try Load.run(on: cluster) { load in
                    for round in 0..<12 {
                        let leader = try cluster.waitUntilReady()
                        try load.waitForProgress(50)
                        let others = cluster.nodes.filter { $0.id != leader.id }
                        // To the one named, or to whoever is best.
                        let target = others[round / 2 % 2]
                        let words = ["KV.TRANSFER-LEADER"] + (round % 2 == 0 ? ["\(target.id)"] : [])
                        let begin = ContinuousClock.now
                        #expect(try leader.connect().call(words) == .ok)
                        try eventually("another node leads", every: .milliseconds(1)) {
                            guard let status = target.status() else { return false }
                            return status.leader != 0 && status.leader != leader.id
                        }
                        switches.append(ContinuousClock.now - begin)
                        if round % 2 == 0 { #expect(try cluster.waitUntilReady() === target) }
                    }
                }
                var audit = try Audit(cluster)
                audit.compare(with: journals)
                audit.expectClean(cluster)
                #expect(journals.allSatisfy { $0.unknownCount == 0 })
                let stalls = journals.map(\.longestStall).sorted()
                print(
                    "12 planned transfers: the longest that a client waited was \(stalls.last?.milliseconds ?? 0) ms; "
                        + "each took at most \(switches.max()?.milliseconds ?? 0) ms")
            }
        }

        @Test func transferSaysWhyItCannotBeDone() throws {
            try TestCluster.run { cluster in
                let leader = try cluster.waitUntilReady()
                let follower = try #require(cluster.nodes.first { $0.id != leader.id })
                let client = try leader.connect()
                #expect(try client.call("KV.TRANSFER-LEADER", "9") == .failure("ERR no such node in this cluster"))
                #expect(try client.call("KV.TRANSFER-LEADER", "x") == .failure("ERR no such node in this cluster"))
                #expect(
                    try follower.connect().call("KV.TRANSFER-LEADER")
                        == .failure("NOTLEADER node \(leader.id) leads: ask it"))
                for node in cluster.nodes where node.id != leader.id { node.kill() }
                try eventually("the leader knows that it is alone") {
                    try client.call("KV.TRANSFER-LEADER").isError
                }
            }
        }
    }
}
