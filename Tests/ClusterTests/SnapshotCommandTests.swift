import Foundation
import Glibc
import Testing

extension ClusterTests {
    /// `kvctl snapshot` beside take, show and verify, as an operator uses it.
    @Suite struct SnapshotCommands {
        /// A cluster with 20 keys.
        private func cluster() throws -> ToolCluster {
            let cluster = try ToolCluster()
            let up = try cluster.up()
            #expect(up.ending == .exited(0), "\(up)")
            let client = try Client(port: cluster.clientPort)
            for number in 0..<20 { #expect(try client.call("SET", "key:\(number)", "value \(number)") == .ok) }
            return cluster
        }

        private func object(_ text: String) throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
        }

        private func names(_ path: String) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
        }

        @Test func fetchCollectsWhatTheNodesHaveAndSaysWhatIsGone() throws {
            let cluster = try cluster()
            let (taken, fetched) = ("\(cluster.place.path)/taken", "\(cluster.place.path)/fetched")
            let took = try object(try cluster.expect("snapshot", "take", "--strict", "--node", "2", "--json", taken))
            let id = try #require(took["id"] as? String)
            #expect(took["outcome"] as? String == "complete" && took["strict"] as? Bool == true && took["initiator"] as? Int == 2)
            let more = try object(
                try cluster.expect("snapshot", "take", "--node", "2", "--json", "\(cluster.place.path)/second"))
            let second = try #require(more["id"] as? String)
            #expect(try cluster.expect("snapshot", "fetch", id, fetched).contains("3 parts"))
            #expect(names(taken) == ["manifest", "node-1.part", "node-2.part", "node-3.part"])
            for name in names(taken) {
                #expect(FileManager.default.contentsEqual(atPath: "\(taken)/\(name)", andPath: "\(fetched)/\(name)"), "\(name)")
            }

            // What is not there is said, and leaves nothing behind.
            let place = "\(cluster.place.path)/none"
            for (words, code, text) in [
                (["fetch", "5", place], Int32(1), "no node knows snapshot 5"), (["fetch", "0", place], 64, "a number above 0"),
                (["fetch", id, taken], 1, "not empty"), (["take", taken], 1, "not empty"),
                (["take", "--strict", "--causal", place], 64, "exclude each other"),
                (["take", "--node", "9", place], 64, "no node 9"),
            ] {
                let result = try cluster.run(["snapshot"] + words)
                #expect(result.ending == .exited(code) && result.errors.contains(text), "\(result)")
                #expect(!FileManager.default.fileExists(atPath: place), "\(words)")
            }
            #expect(try cluster.expect("--server", "127.0.0.1:\(cluster.clientPort)", "kv.snapshot", "remove", id).contains("OK"))
            let gone = try cluster.run("snapshot", "fetch", id, place)
            #expect(gone.ending == .exited(1) && gone.errors.contains("the part of node 1 can't be had"), "\(gone)")
            #expect(gone.errors.contains("no longer") && !FileManager.default.fileExists(atPath: place), "\(gone)")
            try cluster.expect("cluster", "kill", "3")
            let rest = try cluster.run("snapshot", "fetch", "--allow-missing", id, place)
            #expect(rest.ending == .exited(1) && rest.output.contains("1 part,"), "\(rest)")
            #expect(rest.output.contains("not to be had any more: node 1") && rest.output.contains("node 3"), "\(rest)")
            let verified = try cluster.run("snapshot", "verify", place)
            #expect(verified.ending == .exited(1) && verified.output.contains("the part of node 3 is missing"), "\(verified)")
            #expect(try cluster.expect("snapshot", "show", place).contains("node 1: its part is not in the directory"))
            try cluster.expect("cluster", "kill", "2")
            for (id, text) in [(id, "no node that answers knows"), (second, "which node 2 began")] {
                let headless = try cluster.run("snapshot", "fetch", id, "\(cluster.place.path)/other")
                #expect(headless.ending == .exited(1) && headless.errors.contains(text), "\(headless)")
                #expect(headless.errors.contains("node 3: can't connect"), "\(headless)")
            }
            let list = try cluster.run("snapshot", "list")
            #expect(list.output.contains("node 2: can't connect"), "\(list)")
            try cluster.expect("cluster", "down")
        }

        @Test func killedFetchLeavesNothingThatPassesForASnapshot() throws {
            let cluster = try cluster()
            let taken = "\(cluster.place.path)/taken"
            let took = try object(try cluster.expect("snapshot", "take", "--json", taken))
            let id = try #require(took["id"] as? String)

            // Killed in the middle, while node 3 hangs: what is there is never taken for a snapshot.
            try cluster.expect("cluster", "pause", "3")
            let half = "\(cluster.place.path)/half"
            let killed = try ChildProcess(
                [Programs.tool, "--data", cluster.data, "snapshot", "fetch", id, half], errors: "/dev/null")
            try eventually("two parts are fetched", seen: { "\(names(half))" }) { names(half).contains("node-2.part") }
            killed.kill()
            try cluster.expect("cluster", "resume", "3")
            for words in [["show", half], ["verify", half], ["diff", taken, half], ["diagram", half]] {
                let result = try cluster.run(["snapshot"] + words)
                #expect(result.ending == .exited(1) && result.errors.contains("there is no manifest"), "\(result)")
            }
            let refused = try cluster.run("snapshot", "fetch", id, half)
            #expect(refused.ending == .exited(1) && refused.errors.contains("not empty"), "\(refused)")
            try cluster.expect("cluster", "down")
        }

        @Test(arguments: ["take", "fetch", "fetch --allow-missing"])
        func takeAndFetchLeaveNothingBehindWhenASignalEndsThem(command: String) throws {
            let cluster = try cluster()
            let took = try object(try cluster.expect("snapshot", "take", "--json", "\(cluster.place.path)/taken"))
            let id = try #require(took["id"] as? String)
            try cluster.expect("cluster", "pause", "3")
            let (half, output) = ("\(cluster.place.path)/half", "\(cluster.place.path)/output")
            let words = command.split(separator: " ").map(String.init) + (command == "take" ? [] : [id])
            let tool = try ChildProcess(
                [Programs.tool, "--data", cluster.data, "snapshot"] + words + [half], output: "/dev/null", errors: output)
            // It waits: for node 3's part of the snapshot, or for an answer about it.
            let sign = command == "take" ? [] : ["node-1.part", "node-2.part"]
            try eventually("it is under way", seen: { "\(names(half))" }) {
                FileManager.default.fileExists(atPath: half) && Array(names(half).prefix(2)) == sign
            }
            tool.signal(SIGINT)
            #expect(try tool.wait() == .exited(1) && TemporaryDirectory.tail(output).contains("stopped by a signal"))
            #expect(!FileManager.default.fileExists(atPath: half), "\(names(half))")
            try cluster.expect("cluster", "resume", "3")
            try cluster.expect("cluster", "down")
        }

        @Test func diffAndDiagramShowWhatHappened() throws {
            let cluster = try cluster()
            let (before, after) = ("\(cluster.place.path)/before", "\(cluster.place.path)/after")
            try cluster.expect("snapshot", "take", before)
            let client = try Client(port: cluster.clientPort)
            for words in [
                ["SET", "key:1", "other"], ["DEL", "key:2", "key:3"], ["RPUSH", "list", "a", "b"], ["SELECT", "3"],
                ["SET", "there", "x"],
                ["PEXPIREAT", "there", "99999999999999"],
            ] { _ = try client.call(words) }
            try cluster.expect("snapshot", "take", "--causal", after)
            let text = try cluster.expect("snapshot", "diff", before, after)
            for word in [
                "the same cluster", "2 keys added, 2 removed, 1 changed, 17 alike", "\"list\": list, 2 elements",
                "\"key:1\": string, 7 bytes", "-> string, 5 bytes", "database 3 \"there\": string, 1 byte", ", expires 5138-",
            ] { #expect(text.contains(word), "\(word) in \(text)") }
            let back = try object(try cluster.expect("snapshot", "diff", "--json", "--keys", "1", after, before))
            let data = try #require(back["data"] as? [String: Any])
            let removed = try #require(data["removed"] as? [String: Any])
            #expect(removed["count"] as? Int == 2 && (removed["keys"] as? [Any])?.count == 1 && data["equal"] as? Int == 17)

            let picture = "\(cluster.place.path)/picture.svg"
            try cluster.expect("snapshot", "diagram", "--output", picture, before)
            let svg = try String(contentsOfFile: picture, encoding: .utf8)
            #expect(
                svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n") && svg.contains("node 3") && svg.contains("class=\"marker\""))
            #expect(!svg.contains("guess"))
            let again = try cluster.run("snapshot", "diagram", "--output", picture, before)
            #expect(again.ending == .exited(1) && again.errors.contains("--replace"), "\(again)")
            #expect(try cluster.expect("snapshot", "diagram", before) == svg)
            try cluster.expect("cluster", "down")
        }

        // MARK: schedule

        private func lines(_ path: String, _ word: String) -> Int {
            TemporaryDirectory.tail(path, bytes: 1 << 20).split(separator: "\n").count { $0.contains(word) }
        }

        @Test func scheduleKeepsTheLastAndTouchesNothingElse() throws {
            let cluster = try cluster()
            let files = FileManager.default
            let shelf = "\(cluster.place.path)/shelf"
            // What an earlier run left, what somebody else put there, and what only looks like one.
            for (path, name) in [
                ("20200101T000000Z.unfinished", "node-1.part.77.tmp"), ("20200101T000000Z-5.removing", "node-1.part"),
                ("20200102T000000Z.unfinished", "notes"), ("20200103T000000Z-7", "manifest"), ("mine", "manifest"),
            ] {
                try files.createDirectory(atPath: "\(shelf)/\(path)", withIntermediateDirectories: true)
                #expect(files.createFile(atPath: "\(shelf)/\(path)/\(name)", contents: Data("x".utf8)))
            }
            let output = "\(cluster.place.path)/output"
            let words = [
                Programs.tool, "--data", cluster.data, "snapshot", "schedule", "--every", "1s", "--timeout", "700", "--keep", "2",
                shelf,
            ]
            let schedule = try ChildProcess(words, output: output, errors: output)
            func seen() -> String { TemporaryDirectory.tail(output, bytes: 1 << 20) }
            func whole() -> [String] {
                names(shelf).filter { $0.hasPrefix("2") && !$0.hasPrefix("2020") && !$0.contains(".") && !$0.contains("partial") }
            }
            try eventually("four snapshots are taken", seen: seen) { lines(output, "verified") >= 4 }
            let second = try Run(words)
            #expect(second.ending == .exited(1) && second.errors.contains("another 'kvctl snapshot schedule'"), "\(second)")
            try eventually("two are kept", seen: seen) { whole().count == 2 }
            for name in ["20200101T000000Z.unfinished", "20200101T000000Z-5.removing"] {
                #expect(
                    !files.fileExists(atPath: "\(shelf)/\(name)")
                        && seen().contains("\(name)', which an earlier run left unfinished"), "\(seen())")
            }
            for name in ["20200102T000000Z.unfinished", "20200103T000000Z-7", "mine"] {
                #expect(files.fileExists(atPath: "\(shelf)/\(name)"), "\(name)")
            }
            #expect(seen().contains("20200103T000000Z-7' stays") && seen().contains("notes"), "\(seen())")
            #expect(lines(output, "of node \(try cluster.leader())") > 0, "\(seen())")

            // Without a majority there are partial ones, and with nobody none: the whole ones stay.
            for node in [1, 2] { try cluster.expect("cluster", "kill", "\(node)") }
            try eventually("three partial ones are taken", seen: seen) {
                lines(output, "partial") >= 5 && seen().contains("no node leads")
            }
            #expect(whole().count == 2, "\(names(shelf))")
            try cluster.expect("cluster", "kill", "3")
            try eventually("it is said that none can be taken", seen: seen) { seen().contains("no snapshot, older ones stay") }
            schedule.signal(SIGTERM)
            #expect(try schedule.wait() == .exited(0), "\(seen())")
            #expect(whole().count == 2 && names(shelf).count { $0.hasSuffix("-partial") } <= 2, "\(names(shelf))")
            #expect(!names(shelf).contains { $0.hasSuffix(".unfinished") && !$0.hasPrefix("2020") }, "\(names(shelf))")
            for name in whole() { try cluster.expect("snapshot", "verify", "\(shelf)/\(name)") }
        }
    }
}
