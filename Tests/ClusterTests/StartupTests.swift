import Foundation
import Glibc
import Testing

extension ClusterTests {
    /// A node that can't run says why, on standard error, and what to do; its exit code says of which kind it is.
    @Suite struct Startup {
        private static let clusterID = "00112233445566778899aabbccddeeff"

        /// Runs `kvd` on free ports; other options follow.
        private func run(_ more: [String], data: String, wrapper: [String] = []) throws -> Run {
            let ports = try Ports(2)
            return try Run(
                wrapper + [
                    Programs.server, "--id", "1", "--cluster-id", Startup.clusterID, "--data", data,
                    "--listen", "127.0.0.1:\(ports.numbers[0])", "--peer-listen", "127.0.0.1:\(ports.numbers[1])",
                    "--segment-bytes", "1048576",
                ] + more, within: .seconds(20))
        }

        private func expect(
            _ result: Run, exits code: Int32, saying words: String..., sourceLocation: SourceLocation = #_sourceLocation
        ) {
            #expect(result.ending == .exited(code), "\(result)", sourceLocation: sourceLocation)
            for word in words { #expect(result.errors.contains(word), "\(word) in: \(result)", sourceLocation: sourceLocation) }
        }

        @Test func dataDirectoryInUseIsRefusedAndItsOwnerGoesOn() throws {
            try TestCluster.run(TestCluster.Options(nodes: 1)) { cluster in
                let owner = try #require(cluster[1].process)
                expect(
                    try run(["--cluster-id", cluster.clusterID], data: cluster[1].dataPath), exits: 1,
                    saying: cluster[1].dataPath, "in use by process \(owner.id)", "stop that one", "directory of its own")
                try cluster.expectHealthy("after a second process")
            }
        }

        @Test func portInUseIsNamed() throws {
            try TestCluster.run(TestCluster.Options(nodes: 1)) { cluster in
                let place = try TemporaryDirectory()
                let client = "127.0.0.1:\(cluster[1].clientPort)"
                expect(
                    try run(["--listen", client], data: "\(place.path)/data"), exits: 1, saying: client, "port is in use",
                    "choose another port")
                let peer = "127.0.0.1:\(cluster[1].peerPort)"
                expect(
                    try run(["--peer-listen", peer], data: "\(place.path)/data"), exits: 1, saying: peer, "port is in use",
                    "choose another port")
                // Nothing was made before that was found.
                #expect(!FileManager.default.fileExists(atPath: "\(place.path)/data"))
                try cluster.expectHealthy("after a second listener")
            }
        }

        @Test func nodeThatNobodyTalksToBeginsByItself() throws {
            let cluster = try TestCluster()
            try cluster[1].start()
            try eventually("it has begun its run", seen: { cluster.lastWords }) { cluster[1].lastWords.contains("run 1: log of") }
        }

        @Test func directoryOfAnotherClusterOrNodeIsRefused() throws {
            let cluster = try TestCluster(TestCluster.Options(nodes: 1))
            try cluster[1].start()
            try cluster.waitUntilReady()
            #expect(try cluster[1].connect().call("SET", "key", "value") == .ok)
            #expect(try cluster[1].terminate() == .exited(0))
            let files = try FileManager.default.contentsOfDirectory(atPath: cluster[1].dataPath).sorted()
            expect(
                try run([], data: cluster[1].dataPath), exits: 1, saying: cluster.clusterID, Startup.clusterID,
                "belongs to cluster", "another directory with --data")
            expect(
                try run(["--cluster-id", cluster.clusterID, "--id", "2"], data: cluster[1].dataPath), exits: 1,
                saying: "belongs to node 1", "--id 2", "another directory with --data")
            // It is as it was.
            #expect(try FileManager.default.contentsOfDirectory(atPath: cluster[1].dataPath).sorted() == files)
            try cluster[1].start()
            try cluster.waitUntilReady()
            #expect(try cluster[1].connect().call("GET", "key") == .text("value"))
        }

        @Test func directoryThatCannotBeMadeOrWrittenIsRefused() throws {
            let place = try TemporaryDirectory()
            try Data("text".utf8).write(to: URL(filePath: "\(place.path)/file"))
            expect(
                try run([], data: "\(place.path)/file/data"), exits: 1, saying: "\(place.path)/file", "Not a directory",
                "another directory with --data")
            expect(
                try run([], data: "\(place.path)/file"), exits: 1, saying: "\(place.path)/file", "Not a directory",
                "another directory with --data")
            #expect(FileManager.default.contents(atPath: "\(place.path)/file") == Data("text".utf8))
        }

        @Test(.enabled(if: Programs.canMount, "needs a mount namespace of its own (unshare -m)"))
        func readOnlyFileSystemIsRefused() throws {
            let place = try TemporaryDirectory()
            let script = "mount -t tmpfs -o ro,size=1m none '\(place.path)' && exec \"$@\""
            expect(
                try run([], data: "\(place.path)/data", wrapper: ["unshare", "-m", "sh", "-c", script, "sh"]), exits: 1,
                saying: "\(place.path)/data", "Read-only file system", "make it writable")
        }

        /// Runs a program as a user that owns nothing.
        private static let asNobody =
            getuid() == 0 ? ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] : []

        @Test(
            .enabled(
                if: Programs.succeeds(asNobody + [Programs.server, "--help"]),
                "needs setpriv, and a build directory that others may read"))
        func directoryOfAnotherUserIsRefused() throws {
            let place = try TemporaryDirectory()
            #expect(mkdir("\(place.path)/data", 0o500) == 0)
            chmod(place.path, 0o755)
            expect(
                try run([], data: "\(place.path)/data", wrapper: Startup.asNobody), exits: 1, saying: "\(place.path)/data",
                "Permission denied", "make it writable")
        }

        @Test func wrongCommandLinesAreExplained() throws {
            let place = try TemporaryDirectory()
            let data = "\(place.path)/data"
            for (options, words) in [
                (["--no-such-option"], ["--no-such-option", "--help"]),
                (["--liste", "127.0.0.1:7001"], ["--liste", "--listen"]),
                (["--listen", "nowhere"], ["--listen", "nowhere", "HOST:PORT"]),
                (["--id", "zero"], ["--id", "zero"]),
                (["--id", "0"], ["--id", "1 to"]),
                (["--cluster-id", "xyz"], ["--cluster-id", "xyz", "32 hexadecimal digits"]),
                (["--peers", "1=127.0.0.1:7101,1=127.0.0.1:7102"], ["--peers", "no id twice"]),
                (["--heartbeat-ms", "400"], ["--heartbeat-ms 400", "too long"]),
                (["--segment-bytes", "100000"], ["--segment-bytes", "multiple of 4096"]),
                (["--data"], ["--data"]),
                (["surplus"], ["surplus"]),
            ] {
                let result = try run(options, data: data)
                #expect(result.ending == .exited(64), "\(options): \(result)")
                for word in words { #expect(result.errors.contains(word), "\(word) in: \(result)") }
                #expect(result.output.isEmpty, "errors go to standard error: \(result)")
            }
            let missing = try Run([Programs.server])
            #expect(missing.ending == .exited(64) && missing.errors.contains("--id"), "\(missing)")
            let help = try Run([Programs.server, "--help"])
            #expect(help.ending == .exited(0) && help.errors.isEmpty && help.output.contains("--cluster-id"), "\(help)")
            #expect(!FileManager.default.fileExists(atPath: data))
        }

        @Test func damagedLogIsRefusedWithFileAndOffset() throws {
            let cluster = try TestCluster(TestCluster.Options(nodes: 1))
            try cluster[1].start()
            try cluster.waitUntilReady()
            let client = try cluster[1].connect()
            for number in 0..<50 { #expect(try client.call("SET", "key:\(number)", "value") == .ok) }
            cluster[1].kill()
            let names = try FileManager.default.contentsOfDirectory(atPath: cluster[1].dataPath)
            let segment = try #require(names.filter { $0.hasPrefix("log-") }.sorted().first, "\(names)")
            let path = "\(cluster[1].dataPath)/\(segment)"
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            // In the middle of what is written: a block that others follow.
            try file.seek(toOffset: 5 * 4096 + 60)
            let byte = try #require(try file.read(upToCount: 1)).first ?? 0
            try file.seek(toOffset: 5 * 4096 + 60)
            try file.write(contentsOf: Data([byte ^ 0x10]))
            try file.close()
            try cluster[1].start()
            #expect(try cluster[1].process?.wait() == .exited(1))
            let log = cluster[1].lastWords
            #expect(log.contains("can't start") && log.contains(segment) && log.contains("kvctl log inspect"), "\(log)")
            #expect(log.contains("\(5 * 4096)"), "\(log)")
        }
    }
}
