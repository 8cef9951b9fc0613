import RESP
import Testing

extension ClusterTests {
    /// What clients may send, by mistake or on purpose, and what it costs others: nothing.
    @Suite struct ClientInput {
        /// Sends bytes on a fresh connection; the error reply must be `reply`, and the connection is closed behind it.
        private func expect(_ reply: String, for bytes: [UInt8], from node: TestNode) throws {
            let client = try node.connect()
            try client.send(bytes: bytes)
            #expect(try client.receive() == .failure(reply))
            #expect(try client.waitForEnd() == .closed, "after \(reply)")
        }

        private func expect(_ reply: String, for text: String, from node: TestNode) throws {
            try expect(reply, for: Array(text.utf8), from: node)
        }

        @Test func malformedRequestsAreAnsweredAndEndOnlyTheirOwnConnection() throws {
            try TestCluster.run { cluster in
                let node = try cluster.waitUntilReady()
                let witness = try node.connect()
                #expect(try witness.call("SET", "witness", "1") == .ok)
                try expect("ERR Protocol error: invalid multibulk length", for: "*x\r\n", from: node)
                try expect("ERR Protocol error: invalid multibulk length", for: "*1048577\r\n", from: node)
                try expect("ERR Protocol error: invalid multibulk length", for: "*99999999999999999999\r\n", from: node)
                try expect("ERR Protocol error: expected '$', got 'P'", for: "*1\r\nPING\r\n", from: node)
                try expect("ERR Protocol error: expected '$', got ':'", for: "*2\r\n$4\r\nPING\r\n:1\r\n", from: node)
                try expect("ERR Protocol error: invalid bulk length", for: "*1\r\n$-5\r\n", from: node)
                try expect("ERR Protocol error: invalid bulk length", for: "*1\r\n$abc\r\n", from: node)
                try expect("ERR Protocol error: invalid bulk length", for: "*2\r\n$3\r\nGET\r\n$536870913\r\n", from: node)
                try expect("ERR Protocol error: unbalanced quotes in request", for: "SET a \"b\r\n", from: node)
                let line = [UInt8](repeating: UInt8(ascii: "a"), count: 65 << 10)
                try expect("ERR Protocol error: too big inline request", for: line, from: node)
                try expect(
                    "ERR Protocol error: too big mbulk count string",
                    for: [UInt8(ascii: "*")] + [UInt8](repeating: UInt8(ascii: "1"), count: 65 << 10), from: node)
                try expect(
                    "ERR Protocol error: too big bulk count string",
                    for: Array("*1\r\n$".utf8) + [UInt8](repeating: UInt8(ascii: "1"), count: 65 << 10), from: node)
                // Before its mistake a client is served.
                let client = try node.connect()
                try client.send(text: "*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n*y\r\n*1\r\n$4\r\nPING\r\n")
                #expect(try client.receive() == .simple(Array("PONG".utf8)))
                #expect(try client.receive() == .ok)
                #expect(try client.receive() == .failure("ERR Protocol error: invalid multibulk length"))
                #expect(try client.waitForEnd() == .closed)
                #expect(try witness.call("MGET", "witness", "k") == .array([.text("1"), .text("v")]))
                try cluster.expectHealthy("after malformed requests")
            }
        }

        @Test func commandsThatAreWrongAreRefusedAndTheConnectionGoesOn() throws {
            try TestCluster.run(TestCluster.Options(nodes: 1)) { cluster in
                let client = try cluster[1].connect()
                #expect(
                    try client.call("NO-SUCH", "a", "b")
                        == .failure("ERR unknown command 'NO-SUCH', with args beginning with: 'a' 'b' "))
                #expect(try client.call("GET") == .failure("ERR wrong number of arguments for 'get' command"))
                #expect(try client.call("SET", "a", "b", "EX", "0") == .failure("ERR invalid expire time in 'set' command"))
                #expect(try client.call("SET", "a", "b", "NX", "XX") == .failure("ERR syntax error"))
                #expect(try client.call("SELECT", "16") == .failure("ERR DB index is out of range"))
                #expect(try client.call("SET", "a", "text") == .ok)
                #expect(try client.call("INCR", "a") == .failure("ERR value is not an integer or out of range"))
                // No arguments at all, and empty lines: nothing to answer.
                try client.send(text: "*0\r\n\r\n*-1\r\nPING\r\n")
                #expect(try client.receive() == .simple(Array("PONG".utf8)))
                // The longest line and the most arguments that are allowed.
                let long = String(repeating: "x", count: (64 << 10) - 40)
                try client.send(text: "SET long \(long)\r\nSTRLEN long\r\n")
                #expect(try client.receive() == .ok)
                #expect(try client.receive().integer == long.utf8.count)
                let many = ["MGET"] + (0..<100_000).map { "missing:\($0)" }
                #expect(try client.call(many).elements?.count == 100_000)
            }
        }

        @Test func aLargeCommandIsExecutedOnceAndOthersAreServedMeanwhile() throws {
            try TestCluster.run { cluster in
                try cluster.waitUntilReady()
                let byteCount: Int64 = 80 << 20
                let value = String(repeating: "v", count: Int(byteCount))
                for (round, node) in cluster.nodes.enumerated() {
                    let large = try node.connect(timeout: .seconds(120))
                    let other = try cluster.nodes[(round + 1) % 3].connect(timeout: .seconds(120))
                    try large.send([["APPEND", "large", value], ["INCR", "sent"]])
                    for count in Int64(1)...20 { #expect(try other.call("INCR", "others:\(round)") == .integer(count)) }
                    #expect(try large.receive() == .integer(Int64(round + 1) * byteCount))
                    #expect(try large.receive() == .integer(Int64(round + 1)))
                    #expect(try other.call("STRLEN", "large") == .integer(Int64(round + 1) * byteCount))
                }
                try cluster.expectHealthy("after large commands")
            }
        }

        @Test func clientThatNeverReadsIsClosedAtTheLimitAndOthersAreServed() throws {
            try TestCluster.run(TestCluster.Options(nodes: 1)) { cluster in
                let node = cluster[1]
                let writer = try node.connect(timeout: .seconds(60))
                #expect(try writer.call("SET", "big", String(repeating: "b", count: 4 << 20)) == .ok)
                let deaf = try node.connect(receiveBufferBytes: 4096)
                // 100 replies of 4 MiB: above the limit of 256 MiB.
                try deaf.send([[String]](repeating: ["GET", "big"], count: 100))
                var served = 0
                try eventually("the client that never reads is gone", within: .seconds(60), seen: { "\(served) served" }) {
                    #expect(try writer.call("INCR", "others").integer == served + 1)
                    served += 1
                    let list = try writer.call("CLIENT", "LIST").text ?? ""
                    return list.split(separator: "\n").count == 1
                }
                let end = try deaf.waitForEnd()
                #expect(end == .closed || end == .broken("Connection reset by peer"))
                #expect(try writer.call("GET", "others") == .text("\(served)"))
                // One that reads slowly, but reads, gets all of as much.
                let slow = try node.connect(timeout: .seconds(60))
                for _ in 0..<20 {
                    try slow.send([["GET", "big"], ["GET", "big"]])
                    for _ in 0..<2 { #expect(try slow.receive().text?.utf8.count == 4 << 20) }
                }
            }
        }

        @Test func slowAndHalfOpenConnectionsAreServedAndHoldNobodyUp() throws {
            try TestCluster.run { cluster in
                for node in cluster.nodes {
                    // Silent, cut off in the middle of a request, and gone without a word.
                    let silent = try (0..<50).map { _ in try node.connect() }
                    let cut = try node.connect()
                    try cut.send(text: "*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$10\r\nabc")
                    // Byte by byte; another client is served after every byte.
                    let slow = try node.connect()
                    let other = try node.connect()
                    for (index, byte) in "*3\r\n$3\r\nSET\r\n$4\r\nslow\r\n$3\r\nabc\r\n".utf8.enumerated() {
                        try slow.send(bytes: [byte])
                        #expect(try other.call("SET", "other", "\(index)") == .ok)
                    }
                    #expect(try slow.receive() == .ok)
                    for byte in "GET slow\r\n".utf8 { try slow.send(bytes: [byte]) }
                    #expect(try slow.receive() == .text("abc"))
                    // Half closed: what was sent is still answered, then the connection ends.
                    try other.send([["INCR", "last:\(node.id)"], ["GET", "slow"]])
                    other.endSending()
                    #expect(try other.receive() == .integer(1))
                    #expect(try other.receive() == .text("abc"))
                    #expect(try other.waitForEnd() == .closed)
                    cut.endSending()
                    #expect(try cut.waitForEnd() == .closed)
                    #expect(try slow.call("EXISTS", "half") == .integer(0))
                    for client in silent { #expect(try client.call("PING") == .simple(Array("PONG".utf8))) }
                }
                try cluster.expectHealthy("after slow clients")
            }
        }

        @Test func connectionsAboveTheLimitAreToldSo() throws {
            try TestCluster.run(TestCluster.Options(nodes: 1, arguments: ["--max-clients", "5"])) { cluster in
                // Earlier connections of this test may take a moment to go.
                var clients: [Client] = []
                try eventually("five clients are in") {
                    clients = []
                    clients = try (0..<5).map { _ in try cluster[1].connect() }
                    return try clients.allSatisfy { try !$0.call("PING").isError }
                }
                let refused = try cluster[1].connect()
                #expect(try refused.receive() == .failure("ERR max number of clients reached"))
                #expect(try refused.waitForEnd() == .closed)
                for client in clients { #expect(try client.call("INCR", "counter").integer != nil) }
                // The operator lowers the limit, and raises it to what the node was started for.
                #expect(try clients[0].call("CONFIG", "GET", "maxclients") == .array([.text("maxclients"), .text("5")]))
                #expect(try clients[0].call("CONFIG", "SET", "maxclients", "6").isError)
                #expect(try clients[0].call("CONFIG", "SET", "maxclients", "2") == .ok)
                clients.removeLast(2)
                try eventually("two clients are gone") {
                    (try clients[0].call("CLIENT", "LIST").text ?? "").split(separator: "\n").count == 3
                }
                #expect(try cluster[1].connect().receive() == .failure("ERR max number of clients reached"))
                #expect(try clients[0].call("CONFIG", "SET", "maxclients", "5") == .ok)
                #expect(try cluster[1].connect().call("PING") == .simple(Array("PONG".utf8)))
            }
        }
    }
}
