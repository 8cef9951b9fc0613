import Base
import RESP
import Testing

@testable import Database

/// Replies as Redis gives them, `|` for line ends.
@Suite struct SetCommandTests {
    @Test func membersComeAndGo() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("sadd s 3 1 2 1", ":3"),
                ("sadd s 2", ":0"),
                ("smembers s", "*3|$1|1|$1|2|$1|3"),
                ("scard s", ":3"),
                ("sismember s 1", ":1"),
                ("sismember s 01", ":0"),
                ("smismember s 1 9 3", "*3|:1|:0|:1"),
                ("smismember nope 1 2", "*2|:0|:0"),
                ("srem s 1 9", ":1"),
                ("srem nope 1", ":0"),
                ("sadd s a", ":1"),
                ("scard s", ":3"),
                ("smembers s", "*3|$1|2|$1|3|$1|a"),
                ("smove s t a", ":1"),
                ("smove s t a", ":0"),
                ("smove nope t a", ":0"),
                ("smove s s 2", ":1"),
                ("smembers t", "*1|$1|a"),
                ("srem t a", ":1"),
                ("exists t", ":0"),
                ("spop nope", "$-1"),
                ("spop nope 2", "*0"),
                ("srandmember nope", "$-1"),
                ("srandmember nope 2", "*0"),
                ("spop s 0", "*0"),
                ("srandmember s 0", "*0"),
                ("srandmember s 5", "*2|$1|2|$1|3"),
                ("spop s 5", "*2|$1|2|$1|3"),
                ("exists s", ":0"),
            ])
    }

    @Test func wrongWordsAreRefused() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("sadd s", "-ERR wrong number of arguments for 'sadd' command"),
                ("sadd s a", ":1"),
                ("spop s x", "-ERR value is out of range, must be positive"),
                ("spop s -1", "-ERR value is out of range, must be positive"),
                ("spop s 1 2", "-ERR syntax error"),
                ("srandmember s x", "-ERR value is not an integer or out of range"),
                ("srandmember s 1 2", "-ERR syntax error"),
                (
                    "srandmember s -9223372036854775808",
                    "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
                ),
                ("sintercard 0 s", "-ERR numkeys should be greater than 0"),
                ("sintercard x s", "-ERR numkeys should be greater than 0"),
                ("sintercard 2 s", "-ERR Number of keys can't be greater than number of args"),
                ("sintercard 1 s limit -1", "-ERR LIMIT can't be negative"),
                ("sintercard 1 s limit x", "-ERR LIMIT can't be negative"),
                ("sintercard 1 s nope", "-ERR syntax error"),
                ("sintercard 1 s limit", "-ERR syntax error"),
                ("sscan s x", "-ERR invalid cursor"),
                ("set k v", "+OK"),
                ("sadd k a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("sinter s k", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("sinter nope k", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("sunionstore d s k", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("smove s k a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("smove k s a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("sdiff k", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("sismember k a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("scard s", ":1"),
            ])
    }

    @Test func setsAreCombined() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("sadd a 1 2 3 4", ":4"),
                ("sadd b 3 4 5", ":3"),
                ("sadd c 4 x", ":2"),
                ("sinter a b", "*2|$1|3|$1|4"),
                ("sinter a b c", "*1|$1|4"),
                ("sinter a nope", "*0"),
                ("sintercard 2 a b", ":2"),
                ("sintercard 2 a b limit 1", ":1"),
                ("sintercard 2 a b limit 0", ":2"),
                ("sintercard 2 a nope", ":0"),
                ("sdiff a b", "*2|$1|1|$1|2"),
                ("sdiff a nope", "*4|$1|1|$1|2|$1|3|$1|4"),
                ("sdiff nope a", "*0"),
                ("sdiff a a", "*0"),
                ("sunion a b", "*5|$1|1|$1|2|$1|3|$1|4|$1|5"),
                ("sinterstore d a b", ":2"),
                ("smembers d", "*2|$1|3|$1|4"),
                ("sunionstore d a b nope", ":5"),
                ("smembers d", "*5|$1|1|$1|2|$1|3|$1|4|$1|5"),
                ("sdiffstore d a b", ":2"),
                ("smembers d", "*2|$1|1|$1|2"),
                ("sinterstore d a nope", ":0"),
                ("exists d", ":0"),
                ("sdiffstore a a b", ":2"),
                ("smembers a", "*2|$1|1|$1|2"),
            ])
    }

    @Test func resp3HasSets() {
        let machine = TestMachine()
        machine.version = .three
        expect(
            machine,
            [
                ("sadd s 1", ":1"),
                ("smembers s", "~1|$1|1"),
                ("sinter s s", "~1|$1|1"),
                ("sunion s nope", "~1|$1|1"),
                ("sdiff s nope", "~1|$1|1"),
                ("smembers nope", "~0"),
                ("sinter nope s", "~0"),
                ("srandmember s 1", "*1|$1|1"),
                ("srandmember s -2", "*2|$1|1|$1|1"),
                ("spop s 3", "~1|$1|1"),
                ("spop s 3", "~0"),
                ("spop s", "_"),
            ])
    }

    @Test func scanReturnsWhatMatches() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("sadd s 5 6 16", ":3"),
                ("sscan s 0", "*2|$1|0|*3|$1|5|$1|6|$2|16"),
                ("sscan s 0 match *6", "*2|$1|0|*2|$1|6|$2|16"),
                ("sscan s 0 match 1? count 100", "*2|$1|0|*1|$2|16"),
                ("sscan nope 0", "*2|$1|0|*0"),
            ])
    }
}
