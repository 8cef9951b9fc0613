import Base
import RESP
import Testing

@testable import Database

/// Rates as the redis-cell module keeps them, in the log's time.
@Suite struct ThrottleCommandTests {
    @Test func aBurstThenTheRate() {
        let machine = TestMachine()
        // Fifteen at once beyond the first, then thirty a minute.
        expect(
            machine,
            [
                ("cl.throttle user 15 30 60", "*5|:0|:16|:15|:-1|:2"), ("cl.throttle user 15 30 60 1", "*5|:0|:16|:14|:-1|:4"),
                ("cl.throttle user 15 30 60 14", "*5|:0|:16|:0|:-1|:32"), ("cl.throttle user 15 30 60", "*5|:1|:16|:0|:2|:32"),
                ("cl.throttle user 15 30 60 0", "*5|:0|:16|:0|:-1|:32"), ("cl.throttle user 15 30 60 17", "*5|:1|:16|:0|:-1|:32"),
                ("type user", "+string"), ("ttl user", ":32"), ("get user", "$19|1700000032000000000"),
            ])
        machine.advance(milliseconds: 1500)
        #expect(machine.run("cl.throttle user 15 30 60") == "*5\r\n:1\r\n:16\r\n:0\r\n:1\r\n:31\r\n")
        machine.advance(milliseconds: 500)
        #expect(machine.run("cl.throttle user 15 30 60") == "*5\r\n:0\r\n:16\r\n:0\r\n:-1\r\n:32\r\n")
        machine.advance(milliseconds: 32_000)
        machine.tick()
        #expect(machine.run("exists user") == ":0\r\n")
        #expect(machine.run("cl.throttle user 15 30 60") == "*5\r\n:0\r\n:16\r\n:15\r\n:-1\r\n:2\r\n")
    }

    /// The table of redis-cell's own test: five at once, one a second.
    @Test func limitsAsTheModuleDoes() {
        let machine = TestMachine()
        let rows: [(time: Int64, quantity: Int, remaining: Int, reset: Int64, retry: Int64, limited: Bool)] = [
            (0, 6, 5, 0, -1, true), (0, 1, 4, 1000, -1, false), (0, 1, 3, 2000, -1, false), (0, 1, 2, 3000, -1, false),
            (0, 1, 1, 4000, -1, false), (0, 1, 0, 5000, -1, false), (0, 1, 0, 5000, 1000, true),
            (3000, 1, 2, 3000, -1, false), (3100, 1, 1, 3900, -1, false), (4000, 1, 1, 4000, -1, false),
            (8000, 1, 4, 1000, -1, false), (9500, 1, 4, 1000, -1, false), (9500, 0, 4, 1000, -1, false),
            (9500, 2, 2, 3000, -1, false), (9500, 5, 2, 3000, 3000, true),
        ]
        let start = machine.now.microseconds
        for row in rows {
            machine.now = WallTime(microseconds: start + row.time * 1000)
            let retry = row.retry < 0 ? -1 : (row.retry + 999) / 1000
            let expected = "*5|:\(row.limited ? 1 : 0)|:5|:\(row.remaining)|:\(retry)|:\((row.reset + 999) / 1000)"
            expect(machine, [("cl.throttle k 4 1 1 \(row.quantity)", expected)])
        }
    }

    @Test func wrongWordsAreRefused() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("cl.throttle k 1 1", "-ERR wrong number of arguments for 'cl.throttle' command"),
                ("cl.throttle k 1 1 1 1 1", "-ERR wrong number of arguments for 'cl.throttle' command"),
                ("cl.throttle k -1 1 1", "-ERR max_burst must be an integer, 0 or more"),
                ("cl.throttle k x 1 1", "-ERR max_burst must be an integer, 0 or more"),
                ("cl.throttle k 1 0 1", "-ERR count_per_period must be an integer, 1 or more"),
                ("cl.throttle k 1 1 0", "-ERR period must be an integer number of seconds, 1 or more"),
                ("cl.throttle k 1 1 1 -1", "-ERR quantity must be an integer, 0 or more"),
                ("cl.throttle k 0 1000000001 1", "-ERR count_per_period is more than one in a nanosecond"),
                ("cl.throttle k 9223372036854775807 1 1", "-ERR max_burst and period reach too far into the future"),
                (
                    "cl.throttle k 9223372036854775807 1 9223372036854775807",
                    "-ERR max_burst and period reach too far into the future"
                ),
                ("cl.throttle k 0 1 1 9223372036854775807", "*5|:1|:1|:1|:-1|:0"), ("exists k", ":0"), ("rpush l 1", ":1"),
                ("cl.throttle l 1 1 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("set s text", "+OK"), ("cl.throttle s 1 1 1", "-ERR value is not an integer or out of range"),
                ("set far 9223372036854775807", "+OK"), ("cl.throttle far 1 1 1", "*5|:1|:2|:0|:7523372036|:7523372037"),
            ])
    }
}
