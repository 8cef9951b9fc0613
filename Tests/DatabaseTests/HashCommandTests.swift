import Base
import RESP
import Testing

@testable import Database

/// Replies as Redis gives them, `|` for line ends.
@Suite struct HashCommandTests {
    @Test func aFieldIsSetAndRead() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("hset h a 1 b 2", ":2"),
                ("hset h a 3 c x", ":1"),
                ("hget h a", "$1|3"),
                ("hget h nope", "$-1"),
                ("hget nope a", "$-1"),
                ("hmget h a nope c", "*3|$1|3|$-1|$1|x"),
                ("hmget nope a b", "*2|$-1|$-1"),
                ("hsetnx h a 9", ":0"),
                ("hsetnx h d 9", ":1"),
                ("hexists h d", ":1"),
                ("hexists h e", ":0"),
                ("hlen h", ":4"),
                ("hlen nope", ":0"),
                ("hstrlen h c", ":1"),
                ("hstrlen h nope", ":0"),
                ("hgetall h", "*8|$1|a|$1|3|$1|b|$1|2|$1|c|$1|x|$1|d|$1|9"),
                ("hkeys h", "*4|$1|a|$1|b|$1|c|$1|d"),
                ("hvals h", "*4|$1|3|$1|2|$1|x|$1|9"),
                ("hgetall nope", "*0"),
                ("hdel h a nope b", ":2"),
                ("hdel nope a", ":0"),
                ("hmset h x 1 y 2", "+OK"),
                ("hdel h c d x y", ":4"),
                ("exists h", ":0"),
            ])
    }

    @Test func wrongWordsAreRefused() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("hset h a", "-ERR wrong number of arguments for 'hset' command"),
                ("hset h a 1 b", "-ERR wrong number of arguments for 'hset' command"),
                ("hmset h a 1 b", "-ERR wrong number of arguments for 'hmset' command"),
                ("hset h", "-ERR wrong number of arguments for 'hset' command"),
                ("hincrby h a x", "-ERR value is not an integer or out of range"),
                ("hincrbyfloat h a x", "-ERR value is not a valid float"),
                ("hrandfield h x", "-ERR value is not an integer or out of range"),
                ("hrandfield h 1 nope", "-ERR syntax error"),
                ("hrandfield h 1 withvalues nope", "-ERR syntax error"),
                (
                    "hrandfield h -9223372036854775808",
                    "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
                ),
                ("hscan h x", "-ERR invalid cursor"),
                ("hscan h -1", "*2|$1|0|*0"),
                ("hset h a 1", ":1"),
                ("hscan h 0 count 0", "-ERR syntax error"),
                ("hscan h 0 count x", "-ERR value is not an integer or out of range"),
                ("hscan h 0 nope 1", "-ERR syntax error"),
                ("hscan h 0 match", "-ERR syntax error"),
                ("rpush l 1", ":1"),
                ("hget l a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("hset l a 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("hgetall l", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("hincrby l a 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("hscan l 0", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("exists h l", ":2"),
            ])
    }

    @Test func numbersInFieldsCount() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("hincrby h n 5", ":5"),
                ("hincrby h n -7", ":-2"),
                ("hset h big 9223372036854775807 t abc", ":2"),
                ("hincrby h big 1", "-ERR increment or decrement would overflow"),
                ("hincrby h t 1", "-ERR hash value is not an integer"),
                ("hincrbyfloat h t 1", "-ERR hash value is not a float"),
                ("hincrbyfloat h f 10.5", "$4|10.5"),
                ("hincrbyfloat h f 0.1", "$4|10.6"),
                ("hincrbyfloat h n 3.0e3", "$4|2998"),
                ("hincrbyfloat h n inf", "-ERR value is NaN or Infinity"),
                ("hget h n", "$4|2998"),
                ("hget h big", "$19|9223372036854775807"),
            ])
    }

    @Test func resp3HasMapsAndPairs() {
        let machine = TestMachine()
        machine.version = .three
        expect(
            machine,
            [
                ("hset h a 1", ":1"),
                ("hgetall h", "%1|$1|a|$1|1"),
                ("hkeys h", "*1|$1|a"),
                ("hget h b", "_"),
                ("hrandfield h 1", "*1|$1|a"),
                ("hrandfield h 1 withvalues", "*1|*2|$1|a|$1|1"),
                ("hrandfield h -2 withvalues", "*2|*2|$1|a|$1|1|*2|$1|a|$1|1"),
                ("hrandfield nope", "_"),
                ("hrandfield nope 3", "*0"),
                ("hgetall nope", "%0"),
                ("hscan h 0 match * count 5", "*2|$1|0|*2|$1|a|$1|1"),
            ])
    }

    @Test func scanReturnsWhatMatches() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("hset h a 1 b 2 \"\" 3", ":3"),
                ("hscan h 0", "*2|$1|0|*6|$1|a|$1|1|$1|b|$1|2|$0||$1|3"),
                ("hscan h 0 match *", "*2|$1|0|*6|$1|a|$1|1|$1|b|$1|2|$0||$1|3"),
                ("hscan h 0 match [ab]", "*2|$1|0|*4|$1|a|$1|1|$1|b|$1|2"),
                ("hscan h 0 match nope", "*2|$1|0|*0"),
                ("hscan nope 0 count x", "*2|$1|0|*0"),
            ])
    }
}
