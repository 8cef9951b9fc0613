import Base
import RESP
import Testing

@testable import Database

/// Replies as Redis gives them, `|` for line ends.
@Suite struct ListCommandTests {
    @Test func bothEndsPushAndPop() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("lpush l a b c", ":3"),
                ("rpush l 1 2 x", ":6"),
                ("llen l", ":6"),
                ("lrange l 0 -1", "*6|$1|c|$1|b|$1|a|$1|1|$1|2|$1|x"),
                ("lrange l -2 -1", "*2|$1|2|$1|x"),
                ("lrange l 2 1", "*0"),
                ("lrange l -100 1", "*2|$1|c|$1|b"),
                ("lrange l 5 100", "*1|$1|x"),
                ("lrange nope 0 -1", "*0"),
                ("lpop l", "$1|c"),
                ("rpop l", "$1|x"),
                ("lpop l 2", "*2|$1|b|$1|a"),
                ("rpop l 0", "*0"),
                ("rpop l 100", "*2|$1|2|$1|1"),
                ("lpop l", "$-1"),
                ("lpop l 2", "*-1"),
                ("lpop l 0", "*-1"),
                ("exists l", ":0"),
                ("lpushx l a", ":0"),
                ("rpushx l a", ":0"),
                ("rpush l a", ":1"),
                ("lpushx l b c", ":3"),
                ("rpushx l d", ":4"),
                ("lrange l 0 -1", "*4|$1|c|$1|b|$1|a|$1|d"),
            ])
    }

    @Test func wrongWordsAreRefused() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("lpush l", "-ERR wrong number of arguments for 'lpush' command"),
                ("rpush l a", ":1"),
                ("lpop l -1", "-ERR value is out of range, must be positive"),
                ("lpop l x", "-ERR value is out of range, must be positive"),
                ("lpop l 1 2", "-ERR wrong number of arguments for 'lpop' command"),
                ("lindex l x", "-ERR value is not an integer or out of range"),
                ("lindex nope x", "$-1"),
                ("lset nope 0 a", "-ERR no such key"),
                ("lset l 5 a", "-ERR index out of range"),
                ("lset l x a", "-ERR value is not an integer or out of range"),
                ("lrange l a b", "-ERR value is not an integer or out of range"),
                ("ltrim l a b", "-ERR value is not an integer or out of range"),
                ("lrem l a b", "-ERR value is not an integer or out of range"),
                ("linsert l in a b", "-ERR syntax error"),
                (
                    "lpos l a rank 0",
                    "-ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list"
                ),
                ("lpos l a count -1", "-ERR COUNT can't be negative"),
                ("lpos l a maxlen -1", "-ERR MAXLEN can't be negative"),
                ("lpos l a rank", "-ERR syntax error"),
                ("lpos l a nope 1", "-ERR syntax error"),
                ("lmove l l up down", "-ERR syntax error"),
                ("lmpop 0 l left", "-ERR numkeys should be greater than 0"),
                ("lmpop x l left", "-ERR numkeys should be greater than 0"),
                ("lmpop 2 l left", "-ERR syntax error"),
                ("lmpop 1 l up", "-ERR syntax error"),
                ("lmpop 1 l left count 0", "-ERR count should be greater than 0"),
                ("lmpop 1 l left count 1 count 1", "-ERR syntax error"),
                ("lmpop 1 l left count", "-ERR syntax error"),
                ("set s v", "+OK"),
                ("lpush s a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("lrange s 0 -1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("rpoplpush l s", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("lmove s l left left", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("lmpop 2 nope s left", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("lrange l 0 -1", "*1|$1|a"),
            ])
    }

    @Test func elementsInTheMiddleChange() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("rpush l a b c b a b", ":6"),
                ("lset l 0 x", "+OK"),
                ("lset l -1 y", "+OK"),
                ("lset l 6 z", "-ERR index out of range"),
                ("linsert l before c 1", ":7"),
                ("linsert l after c 2", ":8"),
                ("linsert l after nope 3", ":-1"),
                ("linsert nope after a 3", ":0"),
                ("lrange l 0 -1", "*8|$1|x|$1|b|$1|1|$1|c|$1|2|$1|b|$1|a|$1|y"),
                ("lrem l 1 b", ":1"),
                ("lrem l -1 b", ":1"),
                ("lrem l 0 nope", ":0"),
                ("lindex l 2", "$1|c"),
                ("lindex l -1", "$1|y"),
                ("lindex l 100", "$-1"),
                ("ltrim l 1 3", "+OK"),
                ("lrange l 0 -1", "*3|$1|1|$1|c|$1|2"),
                ("ltrim l 5 3", "+OK"),
                ("exists l", ":0"),
                ("rpush l 5 05 5 5", ":4"),
                ("lrem l -2 5", ":2"),
                ("lrange l 0 -1", "*2|$1|5|$2|05"),
            ])
    }

    @Test func positionsAreFound() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("rpush l a b c 1 2 3 c c", ":8"),
                ("lpos l c", ":2"),
                ("lpos l c rank 2", ":6"),
                ("lpos l c rank -1", ":7"),
                ("lpos l c count 2", "*2|:2|:6"),
                ("lpos l c count 0", "*3|:2|:6|:7"),
                ("lpos l c rank -1 count 0", "*3|:7|:6|:2"),
                ("lpos l c count 0 maxlen 3", "*1|:2"),
                ("lpos l c rank 4", "$-1"),
                ("lpos l c rank 4 count 0", "*0"),
                ("lpos l nope", "$-1"),
                ("lpos l nope count 1", "*0"),
                ("lpos nope a", "$-1"),
                ("lpos nope a count 0", "*0"),
            ])
    }

    @Test func elementsMove() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("rpush a 1 2 3", ":3"),
                ("rpoplpush a b", "$1|3"),
                ("lmove a b left right", "$1|1"),
                ("lmove a a left right", "$1|2"),
                ("lrange a 0 -1", "*1|$1|2"),
                ("lrange b 0 -1", "*2|$1|3|$1|1"),
                ("lmove b b left right", "$1|3"),
                ("lrange b 0 -1", "*2|$1|1|$1|3"),
                ("lmove a b LEFT left", "$1|2"),
                ("exists a", ":0"),
                ("rpoplpush nope b", "$-1"),
                ("lmpop 2 nope b right count 2", "*2|$1|b|*2|$1|3|$1|1"),
                ("lmpop 1 b left", "*2|$1|b|*1|$1|2"),
                ("lmpop 2 a b left", "*-1"),
            ])
    }

    @Test func resp3HasOneNull() {
        let machine = TestMachine()
        machine.version = .three
        expect(
            machine,
            [
                ("lpop nope", "_"),
                ("lpop nope 2", "_"),
                ("lmpop 1 nope left", "_"),
                ("lpos nope a", "_"),
                ("rpush l a", ":1"),
                ("lmpop 1 l left", "*2|$1|l|*1|$1|a"),
            ])
    }

    @Test func sizesOfChunksBeyondTheirRangeAreTakenAsTheNearest() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("KV.SET-PARAMETER list-max-listpack-size 0", "+OK"), ("rpush a x", ":1"), ("object encoding a", "$8|listpack"),
                ("rpush a y", ":2"), ("object encoding a", "$9|quicklist"),
                ("KV.SET-PARAMETER list-max-listpack-size -2147483648", "+OK"),
                ("rpush b " + String(repeating: "x", count: 60_000), ":1"), ("object encoding b", "$8|listpack"),
                ("rpush b " + String(repeating: "x", count: 6_000), ":2"), ("object encoding b", "$9|quicklist"),
                ("KV.SET-PARAMETER list-max-listpack-size -2147483649", "-ERR value is not an integer or out of range"),
            ])
    }
}
