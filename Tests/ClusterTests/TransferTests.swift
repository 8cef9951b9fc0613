import Foundation
import Glibc
import RESP
import Testing

extension ClusterTests {
    /// Into a cluster from a real redis-server, and out again into another one.
    @Suite(.enabled(if: Programs.has("redis-server"), "needs redis-server (Debian: redis-server)"))
    struct Transfer {
        @Test func everyTypeMovesInAndOutAgain() throws {
            let source = try RedisProcess()
            var client = try source.client()
            for command in Transfer.commands { #expect(!(try client.call(command)).isError, "\(command.prefix(3))") }
            let file = try source.save()
            try TestCluster.run { cluster in
                let node = cluster.nodes[1]
                let imported = try Run([
                    Programs.tool, "--server", "127.0.0.1:\(node.clientPort)", "import", "--json", file,
                ])
                #expect(imported.ending == .exited(0), "\(imported)")
                #expect(imported.output.contains("\"imported\":\(Transfer.keys),\"kept\":0"), "\(imported)")
                let inside = try Client(port: cluster.nodes[2].clientPort)
                try Transfer.expectEqual(client, inside)
                // Once more: nothing is overwritten without being asked for, and everything is with it.
                let again = try Run([Programs.tool, "--server", "127.0.0.1:\(node.clientPort)", "import", file])
                #expect(again.ending == .exited(1) && again.output.contains("\(Transfer.keys) were there already"), "\(again)")
                let over = try Run([Programs.tool, "--server", "127.0.0.1:\(node.clientPort)", "import", "--replace", file])
                #expect(over.ending == .exited(0), "\(over)")
                try Transfer.expectEqual(client, inside)

                // Files of the version that is written have no place for deadlines of fields: the fields go without.
                #expect(try inside.call("HEXPIRE", "hash", "100000", "FIELDS", "1", "f").elements == [.integer(1)])
                let target = try RedisProcess(prepare: { path in
                    let exported = try Run([Programs.tool, "--server", "127.0.0.1:\(node.clientPort)", "export", path])
                    #expect(exported.ending == .exited(0), "\(exported)")
                    #expect(exported.output.contains("1 hashes had fields with deadlines"), "\(exported)")
                    let refused = try Run([Programs.tool, "--server", "127.0.0.1:\(node.clientPort)", "export", path])
                    #expect(refused.ending == .exited(1) && refused.errors.contains("is there already"), "\(refused)")
                })
                try Transfer.expectEqual(client, try target.client())
                client = try source.client()
            }
        }

        @Test func whatCannotBeTakenIsNamedAndCounted() throws {
            let source = try RedisProcess()
            let client = try source.client()
            _ = try client.call("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
            _ = try client.call("SET", "k", "v")
            let file = try source.save()
            try TestCluster.run { cluster in
                let words = [Programs.tool, "--server", "127.0.0.1:\(cluster.nodes[0].clientPort)", "import", file]
                let first = try Run(words)
                #expect(first.ending == .exited(1) && first.output.contains("libraries of functions, 1"), "\(first)")
                let second = try Run(words + ["--replace", "--skip-unsupported"])
                #expect(second.ending == .exited(0), "\(second)")
                #expect(try Client(port: cluster.nodes[0].clientPort).call("GET", "k") == .bulk(Array("v".utf8)))
            }
        }

        @Test func aDamagedFileChangesNothing() throws {
            let source = try RedisProcess()
            let client = try source.client()
            for number in 0..<100 { _ = try client.call("SET", "k\(number)", "value \(number)") }
            let file = try source.save()
            var bytes = try Data(contentsOf: URL(filePath: file))
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: URL(filePath: file))
            let other = try RedisProcess()
            let words = [Programs.tool, "--server", "127.0.0.1:\(other.port)", "import", file]
            let result = try Run(words)
            #expect(result.ending == .exited(1) && result.errors.contains("can't import"), "\(result)")
            #expect(try other.client().call("DBSIZE") == .integer(0))
            try Data("something else".utf8).write(to: URL(filePath: file))
            #expect(try Run(words).errors.contains("it is not an RDB file"))
            try Data("REDIS0012\u{FF}".utf8).write(to: URL(filePath: file))
            #expect(try Run(words).errors.contains("it has RDB version 12"))
        }

        // MARK: data

        private static func numbers(_ range: Range<Int>) -> [String] { range.map { "\($0)" } }

        /// All types in all forms, in two databases, with deadlines.
        private static let commands: [[String]] = [
            ["SET", "integer", "-123"], ["SET", "text", "hello"], ["SET", "long", String(repeating: "abc", count: 5000)],
            ["SET", "expires", "x", "PXAT", "4102444800123"], ["SETRANGE", "zeros", "100000", "end"],
            ["RPUSH", "list", "a", "1", "-5", "100000", "5000000000", ""],
            ["RPUSH", "longlist"] + (0..<5000).map { "element \($0)" }, ["RPUSH", "wide", String(repeating: "w", count: 30_000)],
            ["SADD", "integers"] + numbers(0..<100), ["SADD", "manyintegers"] + numbers(-300..<1000),
            ["SADD", "words", "x", "y", "17"], ["SADD", "manywords"] + (0..<1000).map { "w\($0)" },
            ["ZADD", "ranking", "1", "a", "2.5", "b", "-inf", "c", "inf", "d", "1e-10", "e"],
            ["ZADD", "manyranks"] + (0..<1000).flatMap { ["\(Double($0) / 7)", "m\($0)"] },
            ["HSET", "hash", "f", "v", "1", "2"], ["HSET", "manyfields"] + (0..<1000).flatMap { ["f\($0)", "v\($0)"] },
            ["SELECT", "3"], ["SET", "elsewhere", "y"], ["PEXPIREAT", "elsewhere", "4102444800456"], ["SELECT", "0"],
        ]

        /// Keys that the commands make.
        private static let keys = 17

        /// Whether both hold the same, by reading everything.
        private static func expectEqual(_ first: Client, _ second: Client) throws {
            for database in ["0", "3"] {
                #expect(try first.call("SELECT", database) == second.call("SELECT", database))
                #expect(try first.call("DBSIZE") == second.call("DBSIZE"))
                let names = try first.call("KEYS", "*").elements ?? []
                for name in names.compactMap(\.text) {
                    #expect(try first.call("PEXPIRETIME", name) == second.call("PEXPIRETIME", name), "\(name)")
                    let type = try first.call("TYPE", name)
                    #expect(try second.call("TYPE", name) == type, "\(name)")
                    let read: [String] =
                        switch type.text {
                        case "string": ["GET", name]
                        case "list": ["LRANGE", name, "0", "-1"]
                        case "set": ["SORT", name, "ALPHA"]
                        case "zset": ["ZRANGE", name, "0", "-1", "WITHSCORES"]
                        default: ["HGETALL", name]
                        }
                    let (one, two) = (try first.call(read), try second.call(read))
                    #expect(comparable(one, type.text) == comparable(two, type.text), "\(name)")
                }
            }
            _ = try first.call("SELECT", "0")
            _ = try second.call("SELECT", "0")
        }

        /// What must be equal of a reply: scores as numbers, pairs of a hash in any order.
        private static func comparable(_ reply: Reply, _ type: String?) -> [String] {
            let words = reply.elements?.compactMap(\.text) ?? [reply.text ?? "\(reply)"]
            switch type {
            case "zset": return words.enumerated().map { $0 % 2 == 1 ? Double($1).map { "\($0)" } ?? $1 : $1 }
            case "hash":
                return stride(from: 0, to: words.count - 1, by: 2).map { "\(words[$0]) \(words[$0 + 1])" }.sorted()
            default: return words
            }
        }
    }
}

/// A redis-server of its own.
final class RedisProcess {
    let port: UInt16
    private let ports: Ports
    private let directory: TemporaryDirectory
    private let process: ChildProcess
    private var file: String { "\(directory.path)/dump.rdb" }

    /// Starts it.
    ///
    /// - Parameter prepare: gets the path of the file that the server loads at its start.
    init(prepare: (String) throws -> Void = { _ in }) throws {
        directory = try TemporaryDirectory()
        ports = try Ports(1)
        port = ports.numbers[0]
        try prepare("\(directory.path)/dump.rdb")
        let log = "\(directory.path)/log"
        process = try ChildProcess(
            [
                "redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--dir", directory.path,
                "--dbfilename", "dump.rdb",
            ], output: log, errors: log)
        let port = port
        try eventually("redis-server answers", seen: { TemporaryDirectory.tail(log) }) {
            guard let client = try? Client(port: port) else { return false }
            return (try? client.call("PING")) == .simple(Array("PONG".utf8))
        }
    }

    deinit { process.kill() }

    func client() throws -> Client { try Client(port: port) }

    /// Writes the server's file; returns its path.
    func save() throws -> String {
        let reply = try client().call("SAVE")
        if reply.isError { throw TestFailure("SAVE: \(reply)") }
        return file
    }
}
