import Base
import Foundation
import RESP
import Testing

extension ClusterTests {
    /// Strangers and mistaken nodes on the peer port.
    @Suite struct PeerInput {
        /// Waits until a node has logged a line with all these words.
        private func expectLog(_ node: TestNode, _ words: String...) throws {
            try eventually("node \(node.id) logs \(words)", seen: { node.lastWords }) {
                let log = (try? String(contentsOfFile: node.logPath, encoding: .utf8)) ?? ""
                return log.split(separator: "\n").contains { line in words.allSatisfy { line.contains($0) } }
            }
        }

        @Test func garbageOnThePeerPortIsLoggedAndClosed() throws {
            try TestCluster.run { cluster in
                let journals = try Load.run(on: cluster) { load in
                    for node in cluster.nodes {
                        // A frame that claims to be long; an HTTP client; a Redis client; a frame with a wrong checksum.
                        let long = try Client(port: node.peerPort)
                        try long.send(bytes: [UInt8](repeating: 0xFF, count: 64))
                        #expect(try long.waitForEnd() != .timedOut)
                        try expectLog(node, "closed the link", "over the limit")
                        let http = try Client(port: node.peerPort)
                        try http.send(text: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                        #expect(try http.waitForEnd() != .timedOut)
                        let redis = try Client(port: node.peerPort)
                        try redis.send([["PING"]])
                        redis.endSending()
                        #expect(try redis.waitForEnd() != .timedOut)
                        let checksum = try Client(port: node.peerPort)
                        try checksum.send(bytes: [UInt8](repeating: 0, count: 28))
                        #expect(try checksum.waitForEnd() != .timedOut)
                        try expectLog(node, "closed the link", "checksum")
                        var generator = SystemRandomNumberGenerator()
                        for _ in 0..<20 {
                            let random = try Client(port: node.peerPort)
                            try? random.send(bytes: (0..<500).map { _ in UInt8.random(in: 0...255, using: &generator) })
                            random.endSending()
                            #expect(try random.waitForEnd() != .timedOut)
                        }
                    }
                    try load.waitForProgress()
                }
                var audit = try Audit(cluster)
                audit.compare(with: journals)
                audit.expectClean(cluster)
                try cluster.expectHealthy("after garbage")
            }
        }

        @Test func silentPeerConnectionsAreClosedInTime() throws {
            try TestCluster.run(TestCluster.Options(nodes: 1)) { cluster in
                let silent = try Client(port: cluster[1].peerPort)
                #expect(try silent.waitForEnd() == .closed)
                try expectLog(cluster[1], "no hello within 5 seconds")
                try cluster.expectHealthy("after a silent peer")
            }
        }

        /// A hello as a node of this release says it (the format is in `PeerHello`).
        private func hello(cluster: UInt64, sender: UInt32, receiver: UInt32, version: UInt32 = 2) -> [UInt8] {
            let payload = ByteBuffer()
            payload.append("CRCL")
            payload.append(integer: version)
            payload.append(integer: cluster)
            payload.append(integer: cluster)
            payload.append(integer: sender)
            payload.append(integer: receiver)
            payload.append(integer: UInt64(1))
            let covered = ByteBuffer()
            covered.append(integer: UInt32(1))
            covered.append(integer: UInt32(1))
            covered.append(zeros: 12)
            covered.append(payload.view)
            let frame = ByteBuffer()
            frame.append(integer: UInt32(payload.count))
            frame.append(integer: CRC32C.checksum(covered.view))
            frame.append(covered.view)
            return frame.view.array
        }

        @Test func helloOfAnotherClusterOrVersionIsRefusedWithAReason() throws {
            try TestCluster.run { cluster in
                let node = cluster[1]
                for (bytes, words) in [
                    (hello(cluster: 77, sender: 2, receiver: 1), ["refused the peer", "cluster id", "another cluster"]),
                    (hello(cluster: 77, sender: 2, receiver: 1, version: 9), ["refused the peer", "protocol version 9"]),
                ] {
                    let client = try Client(port: node.peerPort)
                    try client.send(bytes: bytes)
                    #expect(try client.waitForEnd() == .closed)
                    try eventually("the refusal is logged", seen: { node.lastWords }) {
                        node.lastWords.split(separator: "\n").contains { line in words.allSatisfy { line.contains($0) } }
                    }
                }
                try cluster.expectHealthy("after strange hellos")
            }
        }

        @Test func nodeStartedWithAnotherClusterIDIsRefusedAndDisturbsNobody() throws {
            try TestCluster.run { cluster in
                let stranger = cluster[3]
                let journals = try Load.run(on: cluster, nodes: [cluster[1], cluster[2]]) { load in
                    stranger.kill()
                    try FileManager.default.removeItem(atPath: stranger.dataPath)
                    // The last of an option given twice counts.
                    try stranger.start(["--cluster-id", "0123456789abcdef0123456789abcdef"])
                    try expectLog(stranger, "refused this one", "cluster id")
                    for node in [cluster[1], cluster[2]] { try expectLog(node, "refused the peer", "belongs to another cluster") }
                    try load.waitForProgress(500)
                    #expect(stranger.isRunning)
                    stranger.kill()
                    try FileManager.default.removeItem(atPath: stranger.dataPath)
                }
                for node in [cluster[1], cluster[2]] {
                    #expect(try node.connect().call("GET", Journal.sharedCounter).text != nil)
                }
                var audit = try Audit(cluster)
                audit.compare(with: journals)
                audit.expectClean(cluster)
            }
        }
    }
}
