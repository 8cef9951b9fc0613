import Foundation
import Glibc
import Testing

extension ClusterTests {
    /// `kvctl cluster` and its friends, as an operator uses them.
    @Suite struct Tool {
        @Test func clusterIsMadeShownBrokenMendedAndStopped() throws {
            let cluster = try ToolCluster()
            let up = try cluster.up()
            #expect(up.ending == .exited(0) && up.output.contains("redis-cli -p"), "\(up)")

            // What the status shows, as programs read it.
            let nodes = try cluster.nodes()
            #expect(nodes.keys.sorted() == [1, 2, 3])
            for (id, node) in nodes {
                #expect(node["client"] as? String == "127.0.0.1:\(Int(cluster.clientPort) + id - 1)")
                #expect(node["peer"] as? String == "127.0.0.1:\(Int(cluster.peerPort) + id - 1)")
                #expect(node["state"] as? String == "running" && node["pid"] as? Int ?? 0 > 1)
                for field in ["term", "leader", "commitIndex", "appliedIndex"] {
                    #expect(node[field] is Int, "\(field): \(node)")
                }
            }
            let status = try cluster.expect("cluster", "status")
            #expect(status.contains("leader") && status.contains("follower"), "\(status)")

            // Redis commands through it.
            #expect(try cluster.expect("set", "greeting", "hello").contains("OK"))
            #expect(try cluster.expect("get", "greeting").contains("hello"))

            // The leader dies; the others go on.
            let first = try cluster.leader()
            try cluster.expect("cluster", "kill", "\(first)")
            #expect(try cluster.state(first) == "stopped")
            let second = try cluster.leader(besides: first)
            #expect(second != first)
            #expect(try cluster.expect("get", "greeting").contains("hello"))
            #expect(try cluster.expect("incr", "counter").contains("1"))
            let again = try cluster.run("cluster", "kill", "\(first)")
            #expect(again.ending == .exited(1) && again.errors.contains("cluster start \(first)"), "\(again)")
            try cluster.expect("cluster", "start", "\(first)")
            #expect(try cluster.state(first) == "running")

            // The new leader hangs; the others go on.
            let hanging = try cluster.leader()
            try cluster.expect("cluster", "pause", "\(hanging)")
            #expect(try cluster.state(hanging) == "paused")
            let third = try cluster.leader(besides: hanging)
            #expect(try Client(port: cluster.clientPort + UInt16(third) - 1).call("INCR", "counter").integer == 2)
            try cluster.expect("cluster", "resume", "\(hanging)")
            #expect(try cluster.state(hanging) == "running")
            let target = try cluster.leader() % 3 + 1
            try cluster.expect("transfer-leader", "--to", "\(target)")
            #expect(try cluster.leader() == target)

            // Stopped and started again it has its data.
            let taken = try cluster.run("cluster", "up", "--detach")
            #expect(taken.ending == .exited(1) && taken.errors.contains("running already"), "\(taken)")
            try cluster.expect("cluster", "down")
            #expect(try (1...3).allSatisfy { try cluster.state($0) == "stopped" })
            let nothing = try cluster.run("get", "greeting")
            #expect(nothing.ending != .exited(0) && !nothing.errors.isEmpty, "\(nothing)")
            let once = try cluster.up()
            #expect(once.ending == .exited(0), "\(once)")
            #expect(try cluster.expect("mget", "greeting", "counter").contains("hello"))
            try cluster.expect("cluster", "down")
        }

        @Test func clusterInTheForegroundStopsAtCtrlC() throws {
            let cluster = try ToolCluster()
            let output = "\(cluster.place.path)/output"
            let tool = try ChildProcess(
                [Programs.tool, "--data", cluster.data] + cluster.upOptions + cluster.serverOptions, output: output,
                errors: output)
            try eventually("the cluster is up", seen: { TemporaryDirectory.tail(output) }) {
                TemporaryDirectory.tail(output).contains("Ctrl-C")
            }
            #expect(try cluster.expect("set", "a", "b").contains("OK"))
            #expect(try (1...3).allSatisfy { try cluster.state($0) == "running" })
            tool.signal(SIGINT)
            #expect(try tool.wait() == .exited(0), "\(TemporaryDirectory.tail(output))")
            #expect(try (1...3).allSatisfy { try cluster.state($0) == "stopped" }, "\(TemporaryDirectory.tail(output))")
        }

        @Test func stoppedNodesLogIsInspectedAndDamageIsFound() throws {
            let cluster = try ToolCluster()
            try cluster.up()
            for number in 0..<20 { try cluster.expect("set", "key:\(number)", "value") }
            try cluster.expect("cluster", "down")
            let node = "\(cluster.data)/node-1"
            let good = try Run([Programs.tool, "log", "inspect", node])
            #expect(good.ending == .exited(0), "\(good)")
            let file = try #require(FileHandle(forUpdatingAtPath: "\(node)/log-0000000000000001"))
            try file.seek(toOffset: 6 * 4096 + 100)
            try file.write(contentsOf: Data("damage".utf8))
            try file.close()
            let bad = try Run([Programs.tool, "log", "inspect", node])
            #expect(bad.ending != .exited(0), "\(bad)")
            #expect((bad.output + bad.errors).contains("log-0000000000000001"), "\(bad)")
        }

        @Test func snapshotsAreTakenShownAndVerifiedAndDamageIsFound() throws {
            let cluster = try ToolCluster()
            try cluster.up()
            for number in 0..<20 { try cluster.expect("set", "key:\(number)", "value") }
            let whole = "\(cluster.place.path)/whole"
            let took = try cluster.expect("snapshot", "take", "--node", "2", whole)
            #expect(took.contains("complete") && took.contains("3 parts"), "\(took)")
            let shown =
                try JSONSerialization.jsonObject(
                    with: Data(try cluster.expect("snapshot", "show", "--json", whole).utf8)) as? [String: Any]
            let nodes = try #require(shown?["nodes"] as? [[String: Any]])
            #expect(nodes.compactMap { $0["id"] as? Int } == [1, 2, 3] && shown?["strict"] as? Bool == true)
            #expect(nodes.contains { $0["keys"] as? Int == 20 } && nodes.filter { $0["role"] as? String == "leader" }.count == 1)
            #expect(try cluster.expect("snapshot", "show", whole).contains("channel 1 -> 2"))
            let verified = try cluster.expect("snapshot", "verify", whole)
            #expect(verified.contains("ok") && !verified.contains("FAILED"), "\(verified)")
            #expect(try cluster.expect("snapshot", "list").split(separator: "\n").count == 3)
            let again = try cluster.run("snapshot", "take", whole)
            #expect(again.ending == .exited(1) && again.errors.contains("not empty"), "\(again)")

            // Without a leader there is a picture all the same, of those who are there.
            for node in [1, 3] { try cluster.expect("cluster", "kill", "\(node)") }
            let part = "\(cluster.place.path)/part"
            let partial = try cluster.run("snapshot", "take", "--node", "2", "--timeout", "500", part)
            #expect(partial.ending == .exited(1) && partial.output.contains("partial"), "\(partial)")
            #expect(
                partial.output.contains("missing") && partial.output.contains("1") && partial.output.contains("3"), "\(partial)")
            try cluster.expect("snapshot", "verify", part)
            try cluster.expect("cluster", "down")

            // Parts that are changed, exchanged or cut are refused by name.
            let files = FileManager.default
            let (first, second) = ("\(whole)/node-1.part", "\(whole)/node-2.part")
            let good = try #require(files.contents(atPath: first))
            let other = try #require(files.contents(atPath: second))
            var flipped = good
            flipped[flipped.count / 2] ^= 1
            for bytes in [flipped, good.dropLast(4096), other, Data()] {
                #expect(files.createFile(atPath: first, contents: bytes))
                let bad = try cluster.run("snapshot", "verify", whole)
                #expect(bad.ending == .exited(1) && (bad.output + bad.errors).contains("node"), "\(bad)")
            }
            #expect(files.createFile(atPath: first, contents: good))
            try cluster.expect("snapshot", "verify", whole)
        }

        @Test func benchLoadsACluster() throws {
            try TestCluster.run { cluster in
                let port = try cluster.waitUntilReady().clientPort
                for workload in ["set", "get", "incr", "mixed"] {
                    let result = try Run([
                        Programs.tool, "--server", "127.0.0.1:\(port)", "bench", "--workload", workload, "--clients", "10",
                        "--requests", "500", "--keys", "500",
                    ])
                    #expect(result.ending == .exited(0), "\(result)")
                    for word in ["p50", "p99"] { #expect(result.output.contains(word), "\(word) in \(result)") }
                }
            }
        }

        @Test func mistakesAreExplainedOnStandardError() throws {
            let place = try TemporaryDirectory()
            for (words, code, text) in [
                (["cluster", "status"], Int32(1), place.path), (["cluster", "no-such"], 64, "no-such"),
                (["cluster", "kill"], 64, "node"), (["--no-such", "get", "a"], 64, "--no-such"),
                (["--server", "127.0.0.1:1", "ping"], 1, "127.0.0.1:1"),
            ] {
                let result = try Run([Programs.tool, "--data", "\(place.path)/none"] + words)
                #expect(result.ending == .exited(code), "\(result)")
                #expect(result.errors.contains(text) && result.output.isEmpty, "\(text) in \(result)")
            }
        }
    }
}
