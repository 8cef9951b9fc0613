import Foundation
import RESP
import Testing

extension ClusterTests {
    /// The log stays short, and who was away too long gets a state file; nothing is lost or done twice by that.
    @Suite struct StateFiles {
        private func field(_ name: String, of node: TestNode) throws -> Int? {
            let text = try node.connect().call("INFO", "persistence").text ?? ""
            let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix(name + ":") }
            return line.flatMap { Int($0.dropFirst(name.utf8.count + 1)) }
        }

        /// Bytes of all files in a node's data directory.
        private func bytes(_ node: TestNode) throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: node.dataPath).reduce(0) { sum, name in
                // A file may go while we look.
                let attributes = try? FileManager.default.attributesOfItem(atPath: "\(node.dataPath)/\(name)")
                return sum + (attributes?[.size] as? Int ?? 0)
            }
        }

        /// Writes values of 50 KB to ten keys.
        private func write(_ count: Int, _ node: TestNode) throws {
            let client = try node.connect()
            for number in 0..<count {
                #expect(
                    try client.call("SET", "large:\(number % 10)", "\(number)" + String(repeating: "v", count: 50_000)) == .ok)
            }
        }

        @Test func aFollowerThatWasDownWhileTheLogWasTrimmedCatchesUp() throws {
            // Segments of 4 MiB, state files of half a MiB: 100 MB are written, and a few segments stay.
            let options = TestCluster.Options(arguments: ["--state-file-log-bytes", "\(1 << 20)"])
            try TestCluster.run(options) { cluster in
                let journals = try Load.run(on: cluster) { load in
                    try load.waitForProgress()
                    let leader = try cluster.waitUntilReady()
                    let away = try #require(cluster.nodes.first { $0.id != leader.id })
                    let applied = try #require(away.status()).appliedIndex
                    away.kill()
                    try write(1000, leader)
                    try eventually("the log begins behind what the node has", seen: { cluster.lastWords }) {
                        try cluster.nodes.filter(\.isRunning).allSatisfy {
                            try field("log_first_index", of: $0) ?? 0 > applied + 100
                        }
                    }
                    try away.start()
                    try cluster.waitUntilReady()
                    #expect(try field("state_files_installed", of: away) ?? 0 >= 1, "\(cluster.lastWords)")
                    try load.waitForProgress()
                    try write(1000, away)
                    for node in cluster.nodes {
                        let size = try bytes(node)
                        #expect(size < 64 << 20, "node \(node.id) has \(size) bytes\n\(cluster.lastWords)")
                        #expect(try field("rdb_saves", of: node) ?? 0 > 5)
                    }
                    // Everybody starts from a state file and what is behind it.
                    for node in cluster.nodes { node.kill() }
                    for node in cluster.nodes { try node.start() }
                    try cluster.waitUntilReady()
                    try load.waitForProgress()
                }
                for node in cluster.nodes {
                    #expect(try field("state_file_index", of: node) ?? 0 > 0)
                    #expect(try node.connect().call("DEBUG", "RELOAD") == .ok)
                }
                var audit = try Audit(cluster)
                audit.compare(with: journals)
                audit.expectClean(cluster)
            }
        }

        @Test func saveWritesAFileThatTheNextStartUses() throws {
            try TestCluster.run(TestCluster.Options(nodes: 1)) { cluster in
                let node = cluster[1]
                let client = try node.connect()
                for number in 0..<100 { #expect(try client.call("SET", "key:\(number)", "\(number)") == .ok) }
                #expect(try client.call("SAVE") == .ok)
                #expect(try client.call("LASTSAVE").integer ?? 0 > 1_700_000_000)
                #expect(try client.call("SET", "key:100", "100") == .ok)
                let files = try FileManager.default.contentsOfDirectory(atPath: node.dataPath).filter { $0.hasPrefix("state-") }
                #expect(files.count == 1 && !files[0].hasSuffix("unfinished"))
                node.kill()
                try node.start()
                try cluster.waitUntilReady()
                let reader = try node.connect()
                for number in 0...100 { #expect(try reader.call("GET", "key:\(number)") == .text("\(number)")) }
                #expect(node.lastWords.contains("state file through entry"))
                // The one behind the file.
                let info = try reader.call("INFO", "persistence").text
                #expect(info?.contains("rdb_changes_since_last_save:1\r\n") == true)
            }
        }
    }
}
