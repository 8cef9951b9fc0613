import Base
import Node
import Testing

/// SLOWLOG, LATENCY, MEMORY, CLIENT PAUSE: what a node tells of itself and how it holds its clients.
@Suite struct DiagnosisTests {
    private func single() throws -> (MiniCluster, MiniCluster.Machine, ConnectionID) {
        let cluster = try MiniCluster(1)
        try #require(cluster.elect() >= 0)
        let machine = cluster.machines[0]
        return (cluster, machine, cluster.connect(machine))
    }

    private func call(_ text: String, _ cluster: MiniCluster, _ machine: MiniCluster.Machine, _ client: ConnectionID) -> String {
        cluster.send(text + "\r\n", client, machine)
        cluster.settle()
        return cluster.take(client, machine)
    }

    @Test func theSlowLogKeepsWhatTookLongToAnswer() throws {
        let (cluster, machine, client) = try single()
        #expect(call("SET quick 1", cluster, machine, client) == "+OK\r\n")
        #expect(call("SLOWLOG LEN", cluster, machine, client) == ":0\r\n")
        _ = call("CLIENT SETNAME me", cluster, machine, client)
        cluster.isDiskRunning = false
        cluster.send("SET slow \(String(repeating: "x", count: 200))\r\n", client, machine)
        cluster.settle()
        cluster.run(milliseconds: 25)
        cluster.isDiskRunning = true
        cluster.settle()
        #expect(cluster.take(client, machine) == "+OK\r\n")
        let text = call("SLOWLOG GET", cluster, machine, client)
        let lines = text.split(separator: "\r\n")
        #expect(text.hasPrefix("*1\r\n*6\r\n:0\r\n:170000"))
        #expect(lines[4] == ":25000")
        #expect(text.contains("$3\r\nSET\r\n$4\r\nslow\r\n$147\r\n\(String(repeating: "x", count: 128))... (72 more bytes)\r\n"))
        #expect(text.hasSuffix("$2\r\nme\r\n"))
        #expect(call("SLOWLOG GET -2", cluster, machine, client) == "-ERR count should be greater than or equal to -1\r\n")
        #expect(call("SLOWLOG GET 0", cluster, machine, client) == "*0\r\n")
        #expect(call("SLOWLOG RESET", cluster, machine, client) == "+OK\r\n")
        #expect(call("SLOWLOG LEN", cluster, machine, client) == ":0\r\n")
    }

    @Test func theSlowLogIsLimitedAndCanBeTurnedOff() throws {
        let (cluster, machine, client) = try single()
        _ = call("CONFIG SET slowlog-max-len 2 slowlog-log-slower-than 1000", cluster, machine, client)
        func slowly(_ command: String) {
            cluster.isDiskRunning = false
            cluster.send(command + "\r\n", client, machine)
            cluster.settle()
            cluster.run(milliseconds: 3)
            cluster.isDiskRunning = true
            cluster.settle()
            _ = cluster.take(client, machine)
        }
        for number in 1...4 { slowly("SET k \(number)") }
        #expect(call("SLOWLOG LEN", cluster, machine, client) == ":2\r\n")
        #expect(call("SLOWLOG GET 1", cluster, machine, client).hasPrefix("*1\r\n*6\r\n:3\r\n"))
        _ = call("CONFIG SET slowlog-log-slower-than -1", cluster, machine, client)
        slowly("SET k 5")
        #expect(call("SLOWLOG GET 1", cluster, machine, client).hasPrefix("*1\r\n*6\r\n:3\r\n"))
        slowly("SET many" + String(repeating: " x", count: 1))
        _ = call("CONFIG SET slowlog-log-slower-than 0", cluster, machine, client)
        slowly("RPUSH l" + String(repeating: " x", count: 40))
        #expect(call("SLOWLOG GET 1", cluster, machine, client).contains("$23\r\n... (11 more arguments)\r\n"))
    }

    @Test func latenciesAreKeptByEventWhenTheyAreOverTheThreshold() throws {
        let (cluster, machine, client) = try single()
        #expect(call("LATENCY LATEST", cluster, machine, client) == "*0\r\n")
        #expect(call("LATENCY GRAPH command", cluster, machine, client) == "-ERR No samples available for event 'command'\r\n")
        _ = call("CONFIG SET latency-monitor-threshold 5", cluster, machine, client)
        for wait in [3, 9, 20] {
            cluster.isDiskRunning = false
            cluster.send("SET k 1\r\n", client, machine)
            cluster.settle()
            cluster.run(milliseconds: wait)
            cluster.isDiskRunning = true
            cluster.settle()
            #expect(cluster.take(client, machine) == "+OK\r\n")
            cluster.run(milliseconds: 1000)
        }
        let latest = call("LATENCY LATEST", cluster, machine, client)
        #expect(latest.hasPrefix("*2\r\n*4\r\n$9\r\nlog-write\r\n:170000"))
        #expect(latest.contains("$7\r\ncommand\r\n"))
        #expect(latest.hasSuffix(":20\r\n:20\r\n"))
        let history = call("LATENCY HISTORY command", cluster, machine, client)
        #expect(history.hasPrefix("*2\r\n*2\r\n:") && history.contains("\r\n:9\r\n") && history.hasSuffix("\r\n:20\r\n"))
        #expect(
            call("LATENCY GRAPH command", cluster, machine, client).contains(
                "command - high 20 ms, low 9 ms (all time high 20 ms)"))
        #expect(call("LATENCY DOCTOR", cluster, machine, client).contains("log-write: 2 delays (mean 14 ms, longest 20 ms)"))
        #expect(call("LATENCY RESET command nothing", cluster, machine, client) == ":1\r\n")
        #expect(call("LATENCY RESET", cluster, machine, client) == ":1\r\n")
        #expect(call("LATENCY LATEST", cluster, machine, client) == "*0\r\n")
    }

    @Test func timesOfCommandsAreCountedInPowersOfTwo() throws {
        let (cluster, machine, client) = try single()
        for wait in [1, 1, 10] {
            cluster.isDiskRunning = false
            cluster.send("SET k 1\r\n", client, machine)
            cluster.settle()
            cluster.run(milliseconds: wait)
            cluster.isDiskRunning = true
            cluster.settle()
            _ = cluster.take(client, machine)
        }
        #expect(
            call("LATENCY HISTOGRAM set nosuch", cluster, machine, client)
                == "*2\r\n$3\r\nset\r\n*4\r\n$5\r\ncalls\r\n:3\r\n$14\r\nhistogram_usec\r\n*4\r\n:1048\r\n:2\r\n:16777\r\n:3\r\n")
        let info = call("INFO commandstats", cluster, machine, client)
        #expect(info.contains("cmdstat_set:calls=3,usec=12000,usec_per_call=4000.00,rejected_calls=0,failed_calls=0"))
        #expect(call("INFO latencystats", cluster, machine, client).contains("latency_percentiles_usec_set:p50="))
        _ = call("CONFIG RESETSTAT", cluster, machine, client)
        #expect(call("LATENCY HISTOGRAM set", cluster, machine, client) == "*0\r\n")
    }

    @Test func monitorsSeeWhatOtherClientsSend() throws {
        let (cluster, machine, client) = try single()
        let monitor = cluster.connect(machine)
        #expect(call("MONITOR", cluster, machine, monitor) == "+OK\r\n")
        #expect(call("MONITOR", cluster, machine, monitor) == "+OK\r\n")
        func seen(_ command: String) -> String {
            _ = call(command, cluster, machine, client)
            return cluster.take(monitor, machine)
        }
        let first = seen("SET \"a b\" \"\\x00\\n\\\"\"")
        #expect(first.hasPrefix("+1700000"))
        #expect(first.hasSuffix("\"SET\" \"a b\" \"\\x00\\n\\\"\"\r\n"))
        let stamp = first.dropFirst().prefix { $0 != " " }.split(separator: ".")
        #expect(stamp.count == 2 && stamp[1].count == 6)
        #expect(seen("GET k").hasSuffix("\"GET\" \"k\"\r\n"))
        #expect(seen("SELECT 3").contains(" [3 "), "shown when it is done")
        #expect(seen("PING").contains(" [3 "))
        #expect(seen("AUTH default secret").hasSuffix("\"AUTH\" \"(redacted)\" \"(redacted)\"\r\n"))
        #expect(seen("HELLO 2 SETNAME me AUTH default secret").hasSuffix("\"AUTH\" \"(redacted)\" \"(redacted)\"\r\n"))
        #expect(seen("CONFIG GET maxmemory") == "", "administrative commands are not shown")
        #expect(seen("NOSUCH") == "", "nor what is no command")
        let long = seen("SET k " + String(repeating: "x", count: 5000))
        #expect(long.hasSuffix("\(String(repeating: "x", count: 10))\"... (904 more bytes)\r\n"))
        #expect(call("CLIENT LIST", cluster, machine, client).contains(" flags=O "))
        // A monitor may send commands; RESET ends it.
        #expect(call("GET k2", cluster, machine, monitor).hasSuffix("\"GET\" \"k2\"\r\n$-1\r\n"))
        #expect(call("RESET", cluster, machine, monitor) == "+RESET\r\n")
        #expect(seen("GET k") == "")
    }

    @Test func monitorsThatGoAreForgotten() throws {
        let (cluster, machine, client) = try single()
        let monitor = cluster.connect(machine)
        let other = cluster.connect(machine)
        #expect(call("MONITOR", cluster, machine, monitor) == "+OK\r\n")
        #expect(call("MONITOR", cluster, machine, other) == "+OK\r\n")
        cluster.disconnect(monitor, machine)
        cluster.settle()
        #expect(call("GET k", cluster, machine, client) == "$-1\r\n")
        #expect(cluster.take(other, machine).hasSuffix("\"GET\" \"k\"\r\n"))
        #expect(cluster.take(monitor, machine) == "")
    }

    @Test func whatRedisHasAndANodeHasNotIsSaid() throws {
        let (cluster, machine, client) = try single()
        func answer(_ command: String) -> String { call(command, cluster, machine, client) }
        #expect(answer("AUTH default x") == "+OK\r\n")
        #expect(answer("AUTH x").hasPrefix("-ERR AUTH <password> called without any password configured"))
        #expect(answer("AUTH you x").hasPrefix("-WRONGPASS"))
        #expect(answer("AUTH a b c") == "-ERR syntax error\r\n")
        for command in ["CLUSTER INFO", "CLUSTER NODES", "READONLY", "READWRITE", "ASKING"] {
            #expect(answer(command) == "-ERR This instance has cluster support disabled\r\n")
        }
        #expect(answer("MODULE LIST") == "*0\r\n")
        #expect(answer("MODULE LOAD x").hasPrefix("-ERR MODULE is not supported"))
        #expect(answer("MIGRATE 127.0.0.1 1 k 0 10").hasPrefix("-ERR MIGRATE is not supported"))
    }

    @Test func shutdownEndsTheNodeAndItsOptionsAreChecked() throws {
        let (cluster, machine, client) = try single()
        #expect(call("SHUTDOWN ABORT", cluster, machine, client) == "-ERR No shutdown in progress.\r\n")
        for wrong in ["SAVE NOSAVE", "ABORT NOW", "SOON"] {
            #expect(call("SHUTDOWN \(wrong)", cluster, machine, client) == "-ERR syntax error\r\n")
        }
        #expect(machine.exit == nil)
        #expect(call("SET k 1", cluster, machine, client) == "+OK\r\n")
        #expect(call("SHUTDOWN NOSAVE NOW FORCE", cluster, machine, client) == "")
        cluster.run(milliseconds: 100)
        #expect(machine.exit == 0)
    }

    @Test func rewritingTheLogIsAStateFile() throws {
        let (cluster, machine, client) = try single()
        _ = call("SET k 1", cluster, machine, client)
        #expect(call("INFO persistence", cluster, machine, client).contains("rdb_saves:0"))
        #expect(call("BGREWRITEAOF", cluster, machine, client) == "+Background append only file rewriting started\r\n")
        cluster.run(milliseconds: 2000)
        #expect(call("INFO persistence", cluster, machine, client).contains("rdb_saves:1"))
    }

    private func figure(_ name: String, _ info: String) -> Double? {
        for line in info.split(separator: "\r\n") where line.hasPrefix(name + ":") {
            return Double(line.dropFirst(name.utf8.count + 1))
        }
        return nil
    }

    @Test func infoTellsRatesPeaksAndWhatExpired() throws {
        let (cluster, machine, client) = try single()
        #expect(try #require(figure("instantaneous_ops_per_sec", call("INFO stats", cluster, machine, client))) <= 10)
        _ = call("SET large \(String(repeating: "x", count: 10_000))", cluster, machine, client)
        for _ in 0..<100 {
            _ = call("SET k 1", cluster, machine, client)
            cluster.run(milliseconds: 10)
        }
        let rate = try #require(figure("instantaneous_ops_per_sec", call("INFO stats", cluster, machine, client)))
        #expect(rate > 50 && rate <= 110, "a hundred in a second")
        let before = call("INFO memory", cluster, machine, client)
        _ = call("DEL large", cluster, machine, client)
        _ = call("MEMORY PURGE", cluster, machine, client)
        let after = call("INFO memory", cluster, machine, client)
        let (peak, used) = (figure("used_memory_peak", after) ?? 0, figure("used_memory", after) ?? 0)
        #expect(peak >= figure("used_memory", before) ?? 0 && used + 10_000 <= peak)
        _ = call("HSET h a 1 b 2", cluster, machine, client)
        _ = call("HPEXPIRE h 5 FIELDS 1 a", cluster, machine, client)
        cluster.run(milliseconds: 3000)
        let info = call("INFO stats", cluster, machine, client)
        #expect(figure("expired_subkeys", info) == 1)
        #expect(try #require(figure("instantaneous_ops_per_sec", info)) <= 5, "what was done seconds ago is over")
    }

    @Test func aPauseHoldsWritesOrEverythingUntilItsEnd() throws {
        let (cluster, machine, client) = try single()
        let other = cluster.connect(machine)
        _ = call("SET k 1", cluster, machine, client)
        #expect(call("CLIENT PAUSE 100 WRITE", cluster, machine, client) == "+OK\r\n")
        #expect(call("INCR k", cluster, machine, other) == "")
        #expect(call("INFO clients", cluster, machine, client).contains("blocked_clients:1\r\n"), "who waits is counted")
        #expect(call("GET k", cluster, machine, client) == "$1\r\n1\r\n")
        cluster.run(milliseconds: 99)
        #expect(cluster.take(other, machine) == "")
        cluster.run(milliseconds: 1)
        #expect(cluster.take(other, machine) == ":2\r\n")
        #expect(call("INFO clients", cluster, machine, client).contains("blocked_clients:0\r\n"))

        #expect(call("CLIENT PAUSE 100000", cluster, machine, client) == "+OK\r\n")
        #expect(call("GET k\r\nPING", cluster, machine, other) == "")
        #expect(call("CLIENT UNPAUSE", cluster, machine, client) == "+OK\r\n")
        #expect(cluster.take(other, machine) == "$1\r\n2\r\n+PONG\r\n")
        #expect(call("CLIENT PAUSE x", cluster, machine, client) == "-ERR timeout is not an integer or out of range\r\n")
        #expect(call("CLIENT PAUSE -1", cluster, machine, client) == "-ERR timeout is negative\r\n")
        #expect(call("CLIENT PAUSE 1 SOME", cluster, machine, client) == "-ERR CLIENT PAUSE mode must be WRITE or ALL\r\n")
    }

    @Test func aConnectionThatIsPausedMayClose() throws {
        let (cluster, machine, client) = try single()
        let other = cluster.connect(machine)
        _ = call("CLIENT PAUSE 50", cluster, machine, client)
        _ = call("SET k 1", cluster, machine, other)
        machine.node?.handle(.clientClosed(other), now: cluster.now, into: &machine.effects)
        cluster.run(milliseconds: 60)
        #expect(call("EXISTS k", cluster, machine, client) == ":0\r\n")
    }

    @Test func memoryIsToldOfKeysAndOfTheNode() throws {
        let (cluster, machine, client) = try single()
        #expect(call("MEMORY USAGE nothing", cluster, machine, client) == "$-1\r\n")
        _ = call("SET k 1\r\nRPUSH l a b c", cluster, machine, client)
        #expect(call("MEMORY USAGE k", cluster, machine, client).hasPrefix(":"))
        #expect(call("MEMORY USAGE l SAMPLES 5", cluster, machine, client).hasPrefix(":"))
        #expect(call("MEMORY USAGE l SAMPLES", cluster, machine, client) == "-ERR syntax error\r\n")
        #expect(call("MEMORY STATS", cluster, machine, client).contains("$10\r\nkeys.count\r\n:2\r\n"))
        #expect(call("MEMORY DOCTOR", cluster, machine, client).contains("little memory"))
    }

    @Test func whatTheNodeAnswersItselfIsCountedLikeTheRest() throws {
        let (cluster, machine, client) = try single()
        _ = call("CONFIG RESETSTAT", cluster, machine, client)
        _ = call("PING\r\nCLIENT ID\r\nCLIENT NO-TOUCH maybe\r\nCOMMAND GETKEYS nosuch x", cluster, machine, client)
        let histogram = call("LATENCY HISTOGRAM", cluster, machine, client)
        for name in ["config|resetstat", "ping", "client|id"] {
            #expect(histogram.contains("$\(name.utf8.count)\r\n\(name)\r\n*4\r\n$5\r\ncalls\r\n:1\r\n"), "\(name)")
        }
        #expect(call("LATENCY HISTOGRAM client|id", cluster, machine, client).hasPrefix("*2\r\n$9\r\nclient|id\r\n"))
        let info = call("INFO commandstats", cluster, machine, client)
        #expect(info.contains("cmdstat_config|resetstat:calls=1,"))
        for (name, failed) in [("ping", 0), ("client|no-touch", 1), ("command|getkeys", 1)] {
            #expect(
                info.contains("cmdstat_\(name):calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=\(failed)"),
                "\(name)")
        }
    }

    @Test func failuresAreCountedByCommand() throws {
        let (cluster, machine, client) = try single()
        _ = call("SET k text", cluster, machine, client)
        _ = call("INCR k\r\nINCR n\r\nLLEN k", cluster, machine, client)
        _ = call("LLEN k", cluster, machine, client)
        let lines = call("INFO commandstats", cluster, machine, client).split(separator: "\r\n")
        for (name, calls, failed) in [("set", 1, 0), ("incr", 2, 1), ("llen", 2, 2)] {
            let line = try #require(lines.first { $0.hasPrefix("cmdstat_\(name):") })
            #expect(line.contains("calls=\(calls),") && line.hasSuffix("failed_calls=\(failed)"), "\(line)")
        }
    }

    @Test func theSlowLogHoldsWhatTheNodeAnswersItselfAndNoPasswords() throws {
        let (cluster, machine, client) = try single()
        _ = call("CONFIG SET slowlog-log-slower-than 100000", cluster, machine, client)
        cluster.send("DEBUG SLEEP 0.2\r\n", client, machine)
        cluster.settle()
        cluster.run(milliseconds: 200)
        #expect(cluster.take(client, machine) == "+OK\r\n")
        let text = call("SLOWLOG GET", cluster, machine, client)
        #expect(text.contains(":200000\r\n*3\r\n$5\r\nDEBUG\r\n$5\r\nSLEEP\r\n$3\r\n0.2\r\n"), "\(text)")
        _ = call("CONFIG SET slowlog-log-slower-than 0", cluster, machine, client)
        _ = call("PING\r\nHELLO 2 AUTH default secret1\r\nCONFIG SET timeout 0 requirepass secret2", cluster, machine, client)
        let all = call("SLOWLOG GET", cluster, machine, client)
        #expect(all.contains("*1\r\n$4\r\nPING\r\n"))
        #expect(all.contains("$4\r\nAUTH\r\n$10\r\n(redacted)\r\n$10\r\n(redacted)\r\n"))
        #expect(all.contains("$11\r\nrequirepass\r\n$10\r\n(redacted)\r\n") && !all.contains("secret"))
    }

    @Test func whatIsDroppedIsFreedAlsoWhenNothingFollows() throws {
        let (cluster, machine, client) = try single()
        let before = try #require(figure("used_memory", call("INFO memory", cluster, machine, client)))
        for part in 0..<20 {
            _ = call("SADD s" + (0..<1000).map { " \(part)-\($0)" }.joined(), cluster, machine, client)
        }
        #expect(try #require(figure("used_memory", call("INFO memory", cluster, machine, client))) > before + 100_000)
        #expect(call("FLUSHALL", cluster, machine, client) == "+OK\r\n")
        cluster.run(milliseconds: 100)
        let after = try #require(figure("used_memory", call("INFO memory", cluster, machine, client)))
        #expect(after <= before + 10_000, "\(before) before, \(after) after")
    }

    @Test func parametersForTestsAreShownToWhoNamesThem() throws {
        let (cluster, machine, client) = try single()
        #expect(!call("CONFIG GET *", cluster, machine, client).contains("key-load-delay"))
        #expect(call("CONFIG GET key-*", cluster, machine, client) == "*0\r\n")
        #expect(call("CONFIG GET KEY-LOAD-DELAY", cluster, machine, client) == "*2\r\n$14\r\nkey-load-delay\r\n$1\r\n0\r\n")
        #expect(
            call("CONFIG GET *aveof", cluster, machine, client) == "*2\r\n$7\r\nslaveof\r\n$0\r\n\r\n")
    }

    @Test func theReplyAfterSkipIsNotGivenWhoeverWouldGiveIt() throws {
        let (cluster, machine, client) = try single()
        for skipped in ["PING one", "GET k", "SET k 1", "NOSUCH", "ECHO", "CONFIG SET hll-sparse-max-bytes 100"] {
            #expect(
                call("CLIENT REPLY SKIP\r\n\(skipped)\r\nPING two\r\nGET none", cluster, machine, client)
                    == "$3\r\ntwo\r\n$-1\r\n")
        }
        #expect(call("CLIENT REPLY SKIP\r\nCLIENT REPLY ON\r\nPING", cluster, machine, client) == "+OK\r\n+PONG\r\n")
        #expect(call("CLIENT REPLY SKIP\r\nRESET\r\nPING", cluster, machine, client) == "+RESET\r\n+PONG\r\n")
    }

    @Test func replicationOfRedisIsRefusedWithTheReason() throws {
        let (cluster, machine, client) = try single()
        for command in ["REPLICAOF a 1", "SLAVEOF NO ONE", "PSYNC ? -1", "SYNC", "REPLCONF", "FAILOVER"] {
            let answer = call(command, cluster, machine, client)
            #expect(
                answer.hasPrefix("-ERR \(command.split(separator: " ")[0]) is not supported: nodes replicate by Raft; "),
                "\(answer)")
        }
        #expect(call("LOLWUT", cluster, machine, client).contains("A coracle floats"))
        #expect(call("LOLWUT VERSION 5 1 2", cluster, machine, client).hasSuffix("Redis ver. 7.2.4\n\r\n"))
        #expect(call("LOLWUT x", cluster, machine, client) == "-ERR value is not an integer or out of range\r\n")
    }
}
