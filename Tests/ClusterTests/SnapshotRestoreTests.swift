import Foundation
import Glibc
import Testing

extension ClusterTests {
    /// `kvctl snapshot restore`, and what snapshots do with input that is not as it should be.
    @Suite struct SnapshotFiles {
        private let files = FileManager.default

        private func names(_ path: String) -> [String] { ((try? files.contentsOfDirectory(atPath: path)) ?? []).sorted() }

        private func fill(_ cluster: ToolCluster) throws {
            let client = try Client(port: cluster.clientPort)
            for number in 0..<50 { #expect(try client.call("SET", "key:\(number)", "value \(number)") == .ok) }
            for number in 0..<300 { _ = try client.call("RPUSH", "list", "element \(number)") }
            _ = try client.call("ZADD", "zset", "1.5", "a", "2", "b")
            _ = try client.call("XADD", "stream", "1-1", "field", "value")
        }

        @Test func restoredClusterHasWhatTheSnapshotHas() throws {
            let old = try ToolCluster()
            try old.up()
            try fill(old)
            let backup = "\(old.place.path)/backup"
            try old.expect("snapshot", "take", backup)
            let partial = "\(old.place.path)/partial"
            try old.expect("cluster", "kill", "3")
            #expect(try old.run("snapshot", "take", "--node", "1", "--timeout", "500", partial).ending == .exited(1))

            // Not over what there is, running or not.
            let before = names(old.data)
            let taken = try old.run("snapshot", "restore", backup)
            #expect(taken.ending == .exited(1) && taken.errors.contains("is running"), "\(taken)")
            try old.expect("cluster", "down")
            let stopped = try old.run("snapshot", "restore", backup)
            #expect(stopped.ending == .exited(1) && stopped.errors.contains("holds cluster"), "\(stopped)")
            #expect(names(old.data).filter { !$0.hasSuffix(".pid") } == before.filter { !$0.hasSuffix(".pid") })
            let busy = try Run([Programs.tool, "--data", old.place.path, "snapshot", "restore", backup])
            #expect(busy.ending == .exited(1) && busy.errors.contains("is not empty"), "\(busy)")

            // A part is missing: only when that is asked for.
            let half = try ToolCluster()
            let refused = try half.run("snapshot", "restore", partial)
            #expect(
                refused.ending == .exited(1) && refused.errors.contains("node 3") && refused.errors.contains("--allow-partial"),
                "\(refused)")
            #expect(!files.fileExists(atPath: half.data))
            let allowed = try half.expect("snapshot", "restore", "--allow-partial", "--nodes", "1", partial)
            #expect(allowed.contains("missing: node 3") && allowed.contains("may be missing"), "\(allowed)")

            // As many nodes as are wanted, each with everything.
            for nodes in [1, 3] {
                let new = try ToolCluster()
                let said = try new.expect(
                    "snapshot", "restore", "--nodes", "\(nodes)", "--client-port", "\(new.clientPort)", "--peer-port",
                    "\(new.peerPort)", backup)
                #expect(said.contains("53 keys") && said.contains("cluster up"), "\(said)")
                let up = try new.run("cluster", "up", "--detach")
                _ = try new.nodes()
                #expect(up.ending == .exited(0), "\(up)")
                let client = try Client(port: new.clientPort)
                #expect(try client.call("GET", "key:7") == .text("value 7"))
                #expect(try client.call("LLEN", "list").integer == 300)
                #expect(try client.call("SET", "new", "1") == .ok)
                let later = "\(new.place.path)/later"
                try new.expect("snapshot", "take", later)
                let difference = try new.expect("snapshot", "diff", backup, later)
                #expect(
                    difference.contains("different clusters")
                        && difference.contains("1 key added, 0 removed, 0 changed, 53 alike"), "\(difference)")
                try new.expect("cluster", "down")
            }

            // One that was interrupted is no cluster, and is not made one.
            let broken = try ToolCluster()
            try broken.expect(
                "snapshot", "restore", "--client-port", "\(broken.clientPort)", "--peer-port", "\(broken.peerPort)", backup)
            try files.removeItem(atPath: "\(broken.data)/cluster.json")
            for words in [["cluster", "up", "--detach"], ["snapshot", "restore", backup]] {
                let result = try broken.run(words)
                #expect(result.ending == .exited(1) && result.errors.contains("no cluster.json"), "\(result)")
            }
        }

        // MARK: bad input

        /// Every command that reads a snapshot refuses this one and names what is wrong.
        private func expectRefused(_ cluster: ToolCluster, _ path: String, _ text: String, _ note: String) throws {
            for words in [["show"], ["verify"], ["diagram"], ["diff", path], ["restore"]] {
                let result = try Run([Programs.tool, "--data", "\(cluster.place.path)/restored", "snapshot"] + words + [path])
                #expect(result.ending == .exited(1) && result.errors.contains(text), "\(note): \(text) in \(result)")
                #expect(!files.fileExists(atPath: "\(cluster.place.path)/restored"), "\(note)")
            }
        }

        @Test func filesThatAreNotOneSnapshotAreRefusedByName() throws {
            let cluster = try ToolCluster()
            try cluster.up()
            try fill(cluster)
            let (good, later, strange) = (
                "\(cluster.place.path)/good", "\(cluster.place.path)/later", "\(cluster.place.path)/strange"
            )
            try cluster.expect("snapshot", "take", good)
            _ = try Client(port: cluster.clientPort).call("SET", "more", "1")
            try cluster.expect("snapshot", "take", later)
            let foreign = try ToolCluster()
            try foreign.up()
            try foreign.expect("snapshot", "take", strange)
            try foreign.expect("cluster", "down")

            func bytes(_ path: String) throws -> Data { try #require(files.contents(atPath: path), "\(path)") }
            let part = try bytes("\(good)/node-2.part")
            let manifest = try bytes("\(good)/manifest")
            func changed(_ data: Data, at place: Int) -> Data {
                var data = data
                data[place] ^= 1
                return data
            }
            func version(_ data: Data, _ version: UInt8) -> Data {
                var data = data
                data[8] = version
                return data
            }
            let cases: [(file: String, contents: Data?, text: String, note: String)] = [
                ("node-2.part", changed(part, at: part.count / 2), "node-2.part' is damaged", "a flipped bit"),
                ("node-2.part", changed(part, at: 20), "node-2.part' is damaged", "a flipped bit in the header"),
                ("node-2.part", part.dropLast(4096), "node-2.part' is damaged", "cut at a block"),
                ("node-2.part", part.dropLast(1), "node-2.part' is damaged", "cut by a byte"),
                ("node-2.part", part + Data([0]), "node-2.part' is damaged", "a byte too many"),
                ("node-2.part", Data(), "node-2.part' is damaged", "empty"),
                ("node-2.part", try bytes("\(good)/node-1.part"), "node-2.part' is the part of node 1", "swapped"),
                ("node-2.part", try bytes("\(later)/node-2.part"), "node-2.part' is of snapshot", "of a later snapshot"),
                ("node-2.part", try bytes("\(strange)/node-2.part"), "node-2.part' is not of this", "of another cluster"),
                ("node-2.part", version(part, 9), "node-2.part' has format version 9", "a newer format"),
                ("node-2.part", version(part, 0), "node-2.part' has format version 0", "an older format"),
                ("node-2.part", manifest, "node-2.part' is damaged", "a manifest for a part"),
                ("manifest", changed(manifest, at: 4200), "manifest' is damaged", "a damaged manifest"),
                ("manifest", manifest.dropLast(4096), "manifest' is damaged", "a manifest that is cut"),
                ("manifest", Data(), "manifest' is cut short", "an empty manifest"),
                ("manifest", part, "manifest' holds no manifest", "a part for a manifest"),
                ("manifest", try bytes("\(later)/manifest"), "is of snapshot", "the manifest of a later snapshot"),
                ("manifest", version(manifest, 9), "manifest' has format version 9", "a newer manifest"),
                ("manifest", nil, "there is no manifest", "a take that was ended"),
            ]
            for bad in cases {
                let path = "\(cluster.place.path)/bad"
                try files.copyItem(atPath: good, toPath: path)
                try files.removeItem(atPath: "\(path)/\(bad.file)")
                if let contents = bad.contents { #expect(files.createFile(atPath: "\(path)/\(bad.file)", contents: contents)) }
                try expectRefused(cluster, path, bad.text, bad.note)
                try files.removeItem(atPath: path)
            }
            try expectRefused(cluster, "\(cluster.place.path)/nothing", "can't open the snapshot", "no directory")
            try expectRefused(cluster, cluster.data, "holds no snapshot", "a data directory")
            // A part less: what is there is shown, and that one is not.
            try files.removeItem(atPath: "\(good)/node-3.part")
            let verified = try cluster.run("snapshot", "verify", good)
            #expect(verified.ending == .exited(1) && verified.output.contains("the part of node 3 is missing"), "\(verified)")
            // The cluster did not notice any of it.
            #expect(try Client(port: cluster.clientPort).call("GET", "key:1") == .text("value 1"))
            try cluster.expect("cluster", "down")
        }

        // MARK: full disks

        @Test(.enabled(if: Programs.canMount, "needs a mount namespace of its own (unshare -m)"))
        func fullDiskInTheMiddleLeavesNothingAndHarmsNobody() throws {
            let disk = try SmallDisk(megabytes: 48)
            let options = TestCluster.Options(wrappers: [3: disk.wrapper], dataPaths: [3: "\(disk.path)/data"])
            try TestCluster.run(options) { cluster in
                let client = try cluster[1].connect()
                for number in 0..<100 {
                    #expect(try client.call("SET", "large:\(number)", String(repeating: "v", count: 60_000)) == .ok)
                }
                try cluster.waitUntilReady()
                let data = try writeClusterFile(cluster)
                func take(_ words: [String], wrapper: [String] = []) throws -> Run {
                    try Run(wrapper + [Programs.tool, "--data", data, "snapshot", "take"] + words)
                }

                // On the operator's side: a disk with less room than the parts need.
                let small = try SmallDisk(megabytes: 8)
                let full = try take(["\(small.path)/backup"], wrapper: small.wrapper)
                #expect(
                    full.ending == .exited(1) && full.errors.contains("node-")
                        && full.errors.lowercased().contains("no space left"), "\(full)")
                #expect(full.errors.contains("snapshot fetch"), "\(full)")
                #expect(try Run(small.wrapper + ["ls", "-A", small.path]).output.isEmpty)

                // On a node's side: its part is missing, the node and the others go on.
                try disk.run(
                    "free=$(df -m --output=avail '\(disk.path)' | tail -1); head -c $(((free - 3) * 1048576)) /dev/zero > '\(disk.path)/filler'"
                )
                let place = "\(cluster.directory.path)/partial"
                let partial = try take(["--node", "1", "--timeout", "4000", place])
                #expect(
                    partial.ending == .exited(1) && partial.output.contains("node 3: could not record its state"), "\(partial)")
                #expect(try Run([Programs.tool, "snapshot", "verify", place]).ending == .exited(0))
                #expect(try client.call("SET", "after", "1") == .ok)
                try disk.free()
                try cluster.waitUntilReady()
                try cluster.expectHealthy("after the disks were full")
                let whole = try take(["--node", "3", "\(cluster.directory.path)/whole"])
                #expect(whole.ending == .exited(0) && whole.output.contains("3 parts"), "\(whole)")
            }
        }

        /// What `kvctl` needs to know of a cluster that it did not start.
        private func writeClusterFile(_ cluster: TestCluster) throws -> String {
            let nodes = cluster.nodes.map { node in
                [
                    "id": node.id, "client": "127.0.0.1:\(node.clientPort)", "peer": "127.0.0.1:\(node.peerPort)",
                    "directory": "node-\(node.id)",
                ] as [String: Any]
            }
            let file: [String: Any] = [
                "format": 1, "clusterID": cluster.clusterID, "nodes": nodes, "logLevel": "info", "options": [String](),
            ]
            let path = "\(cluster.directory.path)/tool"
            try files.createDirectory(atPath: path, withIntermediateDirectories: false)
            try JSONSerialization.data(withJSONObject: file).write(to: URL(filePath: "\(path)/cluster.json"))
            return path
        }
    }
}
