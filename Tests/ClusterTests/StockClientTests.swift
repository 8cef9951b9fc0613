import Foundation
import Testing

extension ClusterTests {
    /// Clients as everybody has them, unmodified.
    @Suite struct StockClients {
        @Test(.enabled(if: Programs.has("redis-cli"), "needs redis-cli (Debian: redis-tools)"))
        func redisCliWorksOnAnyNode() throws {
            try TestCluster.run { cluster in
                for (number, node) in cluster.nodes.enumerated() {
                    func cli(_ words: String...) throws -> String {
                        let result = try Run(["redis-cli", "-p", "\(node.clientPort)"] + words)
                        #expect(result.ending == .exited(0), "\(result)")
                        return result.output
                    }
                    #expect(try cli("SET", "greeting", "hello \(node.id)") == "OK\n")
                    #expect(try cli("GET", "greeting") == "hello \(node.id)\n")
                    #expect(try cli("INCR", "visits") == "\(number + 1)\n")
                    #expect(try cli("-3", "HGETALL", "none") == "\n")
                    #expect(try cli("-3", "PING") == "PONG\n")
                    #expect(try cli("-n", "3", "SET", "elsewhere", "x") == "OK\n")
                    #expect(try cli("EXISTS", "elsewhere") == "0\n")
                    #expect(try cli("INFO", "server").contains("redis_version:7.2.4"))
                    #expect(try cli("--no-raw", "GET", "missing") == "(nil)\n")
                    #expect(try cli("NO-SUCH").hasPrefix("ERR unknown command 'NO-SUCH'"))
                    #expect(try cli("--scan", "--pattern", "greet*") == "greeting\n")
                }
                // From standard input, as scripts do.
                let port = cluster[2].clientPort
                let piped = try Run(["sh", "-c", "printf 'SET piped 1\\nINCR piped\\nGET piped\\n' | redis-cli -p \(port)"])
                #expect(piped.output == "OK\n2\n2\n", "\(piped)")
                let mass = try Run([
                    "sh", "-c",
                    "i=0; while [ $i -lt 500 ]; do echo \"SET mass:$i $i\"; i=$((i+1)); done | redis-cli -p \(port) --pipe",
                ])
                #expect(mass.ending == .exited(0) && mass.output.contains("errors: 0, replies: 500"), "\(mass)")
            }
        }

        @Test(.enabled(if: Programs.has("redis-benchmark"), "needs redis-benchmark (Debian: redis-tools)"))
        func redisBenchmarkRunsItsDefaultTestsWithoutAnError() throws {
            try TestCluster.run { cluster in
                let leader = try cluster.waitUntilReady()
                let follower = try #require(cluster.nodes.first { $0.id != leader.id })
                for (node, more) in [(leader, []), (follower, ["-P", "8"])] {
                    let result = try Run(
                        ["redis-benchmark", "-p", "\(node.clientPort)", "-n", "2000", "-q"] + more, within: .seconds(60))
                    #expect(result.ending == .exited(0), "\(result)")
                    let text = result.output + result.errors
                    for test in [
                        "PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "LPUSH", "RPUSH", "LPOP", "RPOP", "SADD", "HSET",
                        "SPOP",
                        "ZADD", "ZPOPMIN", "LPUSH (needed to benchmark LRANGE)", "LRANGE_100 (first 100 elements)",
                        "LRANGE_300 (first 300 elements)", "LRANGE_500 (first 500 elements)", "LRANGE_600 (first 600 elements)",
                        "MSET (10 keys)",
                    ] {
                        #expect(text.contains("\(test): ") && text.contains("requests per second"), "\(test) in \(result)")
                    }
                    for sign in ["ERR", "Error", "WARNING", "WRONGTYPE", "rror from server"] {
                        #expect(!text.contains(sign), "\(sign) in \(result)")
                    }
                }
                try cluster.expectHealthy("after redis-benchmark")
            }
        }

        @Test(.enabled(if: Programs.hasRedisPy, "needs python3 with the package redis (pip install redis)"))
        func redisPyWorksUnmodified() throws {
            try TestCluster.run { cluster in
                let ports = cluster.nodes.map { "\($0.clientPort)" }
                for protocolVersion in ["2", "3"] {
                    let result = try Run(["python3", "\(Programs.peers)/redis_py_tour.py", protocolVersion] + ports)
                    #expect(result.ending == .exited(0), "\(result)")
                    #expect(result.output.contains("tour complete"), "\(result)")
                }
            }
        }

        @Test(.enabled(if: Programs.hasRedisPy, "needs python3 with the package redis (pip install redis)"))
        func everyGroupOfCommandsWorksThroughRedisPy() throws {
            try TestCluster.run { cluster in
                let ports = cluster.nodes.map { "\($0.clientPort)" }
                for mode in ["sync", "asyncio"] {
                    for protocolVersion in ["2", "3"] {
                        let words = ["python3", "\(Programs.peers)/redis_py_groups.py", mode, protocolVersion]
                        let result = try Run(words + ports)
                        #expect(result.ending == .exited(0), "\(result)")
                        #expect(result.output.contains("groups complete"), "\(result)")
                    }
                }
                try cluster.expectHealthy("after every group of commands")
            }
        }

        /// A client library that reconnects by itself, in front of a node that dies: it goes on with another node's port.
        @Test(.enabled(if: Programs.hasRedisPy, "needs python3 with the package redis (pip install redis)"))
        func redisPyOnSurvivorsNoticesNoFailover() throws {
            try TestCluster.run { cluster in
                let leader = try cluster.waitUntilReady()
                let survivors = cluster.nodes.filter { $0.id != leader.id }
                let place = try TemporaryDirectory()
                let output = "\(place.path)/output"
                let process = try ChildProcess(
                    ["python3", "\(Programs.peers)/redis_py_counter.py", "\(place.path)/stop"]
                        + survivors.map { "\($0.clientPort)" }, output: output, errors: output)
                try eventually("the client counts", seen: { TemporaryDirectory.tail(output) }) {
                    TemporaryDirectory.tail(output).contains("counting")
                }
                leader.kill()
                try cluster.waitUntilReady()
                try Data().write(to: URL(filePath: "\(place.path)/stop"))
                #expect(try process.wait() == .exited(0), "\(TemporaryDirectory.tail(output))")
                let log = TemporaryDirectory.tail(output)
                let counted = log.split(separator: "\n").last.flatMap { Int($0.split(separator: " ").last ?? "") }
                #expect(log.contains("counted") && (counted ?? 0) > 0, "\(log)")
                #expect(try survivors[0].connect().call("GET", "python").text == counted.map { "\($0)" }, "\(log)")
            }
        }
    }
}
