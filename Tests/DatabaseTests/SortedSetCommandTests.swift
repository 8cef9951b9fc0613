import Base
import RESP
import Testing

@testable import Database

/// Replies as Redis gives them, `|` for line ends.
@Suite struct SortedSetCommandTests {
    @Test func membersHaveScores() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("zadd z 1 a 2 b 3 c", ":3"),
                ("zadd z 1 a 5 b", ":0"),
                ("zadd z ch 1 a 6 b 1.5 d", ":2"),
                ("zcard z", ":4"),
                ("zscore z b", "$1|6"),
                ("zscore z d", "$3|1.5"),
                ("zscore z nope", "$-1"),
                ("zscore nope a", "$-1"),
                ("zmscore z a nope d", "*3|$1|1|$-1|$3|1.5"),
                ("zmscore nope a", "*1|$-1"),
                ("zincrby z 2.5 a", "$3|3.5"),
                ("zincrby z inf c", "$3|inf"),
                ("zincrby z -inf c", "-ERR resulting score is not a number (NaN)"),
                ("zrank z a", ":1"),
                ("zrevrank z a", ":2"),
                ("zrank z nope", "$-1"),
                ("zrank nope a", "$-1"),
                ("zrem z a nope", ":1"),
                ("zrem nope a", ":0"),
                ("zrange z 0 -1 withscores", "*6|$1|d|$3|1.5|$1|b|$1|6|$1|c|$3|inf"),
                ("zrem z b c d", ":3"),
                ("exists z", ":0"),
            ])
    }

    @Test func optionsOfZADD() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("zadd z nx 1 a", ":1"),
                ("zadd z nx 2 a 3 b", ":1"),
                ("zadd z xx 5 a 5 c", ":0"),
                ("zadd z xx ch 6 a 5 c", ":1"),
                ("zadd z gt ch 5 a 9 b", ":1"),
                ("zadd z lt ch 7 a 8 b", ":1"),
                ("zadd z gt 1 new", ":1"),
                ("zadd z incr 1 a", "$1|7"),
                ("zadd z nx incr 1 a", "$-1"),
                ("zadd z gt incr -1 a", "$-1"),
                ("zadd z xx incr 1 nope", "$-1"),
                ("zadd nope xx 1 a", ":0"),
                ("zadd nope xx incr 1 a", "$-1"),
                ("zrange z 0 -1 withscores", "*6|$3|new|$1|1|$1|a|$1|7|$1|b|$1|8"),
                ("zadd z nx xx 1 a", "-ERR XX and NX options at the same time are not compatible"),
                ("zadd z nx gt 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible"),
                ("zadd z gt lt 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible"),
                ("zadd z incr 1 a 2 b", "-ERR INCR option supports a single increment-element pair"),
                ("zadd z 1", "-ERR wrong number of arguments for 'zadd' command"),
                ("zadd z nx 1", "-ERR syntax error"),
                ("zadd z x a", "-ERR value is not a valid float"),
                ("zadd z 1 a nan b", "-ERR value is not a valid float"),
                ("zadd z 1 a 2", "-ERR syntax error"),
                ("zadd z inf i", ":1"),
                ("zincrby z -inf i", "-ERR resulting score is not a number (NaN)"),
                ("zincrby z x i", "-ERR value is not a valid float"),
                ("zscore z i", "$3|inf"),
                ("exists nope", ":0"),
            ])
    }

    @Test func rangesOfRanksScoresAndMembers() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("zadd z 1 a 2 b 3 c 4 d", ":4"),
                ("zrange z 0 -1", "*4|$1|a|$1|b|$1|c|$1|d"),
                ("zrange z 1 2 withscores", "*4|$1|b|$1|2|$1|c|$1|3"),
                ("zrange z 0 1 rev", "*2|$1|d|$1|c"),
                ("zrange z -2 -1 rev withscores", "*4|$1|b|$1|2|$1|a|$1|1"),
                ("zrange z 3 1", "*0"),
                ("zrange z 1 3 byscore", "*3|$1|a|$1|b|$1|c"),
                ("zrange z (1 3 byscore", "*2|$1|b|$1|c"),
                ("zrange z (3 1 byscore rev", "*2|$1|b|$1|a"),
                ("zrange z 1 3 byscore byscore", "-ERR syntax error"), ("zrange z 1 3 bylex byscore", "-ERR syntax error"),
                ("zrange z 3 1 rev byscore rev", "-ERR syntax error"), ("zincrby z NX a", "-ERR syntax error"),
                ("zincrby z incr a", "-ERR syntax error"),
                ("zrange z +inf -inf byscore rev limit 1 2 withscores", "*4|$1|c|$1|3|$1|b|$1|2"),
                ("zrange z -inf +inf byscore limit 1 -1", "*3|$1|b|$1|c|$1|d"),
                ("zrange z -inf +inf byscore limit -1 2", "*0"),
                ("zrange z -inf +inf byscore limit 9 2", "*0"),
                ("zrevrange z 0 1 withscores", "*4|$1|d|$1|4|$1|c|$1|3"),
                ("zrangebyscore z 2 3", "*2|$1|b|$1|c"),
                ("zrangebyscore z (2 +inf withscores limit 0 1", "*2|$1|c|$1|3"),
                ("zrevrangebyscore z 3 2", "*2|$1|c|$1|b"),
                ("zcount z 2 (4", ":2"),
                ("zcount z 4 2", ":0"),
                ("zcount nope 1 2", ":0"),
                ("zadd l 0 a 0 b 0 c 0 d", ":4"),
                ("zrangebylex l [b +", "*3|$1|b|$1|c|$1|d"),
                ("zrangebylex l (b [d", "*2|$1|c|$1|d"),
                ("zrangebylex l - (c limit 1 5", "*1|$1|b"),
                ("zrevrangebylex l + [c", "*2|$1|d|$1|c"),
                ("zrange l [a (c bylex", "*2|$1|a|$1|b"),
                ("zrange l + - bylex rev limit 0 2", "*2|$1|d|$1|c"),
                ("zlexcount l [b (d", ":2"),
                ("zlexcount l + -", ":0"),
                ("zrange nope 0 -1", "*0"),
                ("zrangestore d z 1 2", ":2"),
                ("zrange d 0 -1 withscores", "*4|$1|b|$1|2|$1|c|$1|3"),
                ("zrangestore d z 2 9 byscore limit 0 1", ":1"),
                ("zrange d 0 -1", "*1|$1|b"),
                ("zrangestore d nope 0 -1", ":0"),
                ("exists d", ":0"),
            ])
    }

    @Test func wrongWordsAreRefused() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("zadd z 1 a", ":1"),
                ("zrange z a b", "-ERR value is not an integer or out of range"),
                (
                    "zrange z 0 1 limit 0 1",
                    "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
                ),
                ("zrange z 0 1 byscore limit 0", "-ERR syntax error"),
                ("zrange z 0 1 byscore limit a b", "-ERR value is not an integer or out of range"),
                ("zrange z a b byscore", "-ERR min or max is not a float"),
                ("zrange z a b bylex", "-ERR min or max not valid string range item"),
                ("zrange z [a [b bylex withscores", "-ERR syntax error, WITHSCORES not supported in combination with BYLEX"),
                ("zrange z 0 1 nope", "-ERR syntax error"),
                ("zrangebyscore z x 1", "-ERR min or max is not a float"),
                ("zrangebylex z a b", "-ERR min or max not valid string range item"),
                (
                    "zrevrange z 0 1 limit 0 1",
                    "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
                ),
                ("zcount z x 1", "-ERR min or max is not a float"),
                ("zcount z nan 1", "-ERR min or max is not a float"),
                ("zlexcount z a b", "-ERR min or max not valid string range item"),
                ("zrangestore d z 0 1 withscores", "-ERR syntax error"),
                ("zremrangebyrank z a b", "-ERR value is not an integer or out of range"),
                ("zremrangebyscore z a b", "-ERR min or max is not a float"),
                ("zremrangebylex z a b", "-ERR min or max not valid string range item"),
                ("zpopmin z -1", "-ERR value is out of range, must be positive"),
                ("zpopmin z x", "-ERR value is out of range, must be positive"),
                ("zpopmin z 1 2", "-ERR syntax error"),
                ("zmpop 0 z min", "-ERR numkeys should be greater than 0"),
                ("zmpop 1 z up", "-ERR syntax error"),
                ("zmpop 1 z min count 0", "-ERR count should be greater than 0"),
                ("zmpop 1 z min count 1 count 1", "-ERR syntax error"),
                ("zrandmember z x", "-ERR value is not an integer or out of range"),
                ("zrandmember z 1 nope", "-ERR syntax error"),
                ("zunion 0 z", "-ERR at least 1 input key is needed for 'zunion' command"),
                ("zunion x z", "-ERR value is not an integer or out of range"),
                ("zunion 2 z", "-ERR syntax error"),
                ("zunion 1 z weights", "-ERR syntax error"),
                ("zunion 1 z weights x", "-ERR weight value is not a float"),
                ("zunion 1 z aggregate avg", "-ERR syntax error"),
                ("zdiff 1 z weights 1", "-ERR syntax error"),
                ("zunionstore d 1 z withscores", "-ERR syntax error"),
                ("zunionstore d 0 z", "-ERR at least 1 input key is needed for 'zunionstore' command"),
                ("zintercard 0 z", "-ERR at least 1 input key is needed for 'zintercard' command"),
                ("zintercard 1 z limit -1", "-ERR LIMIT can't be negative"),
                ("zintercard 1 z withscores", "-ERR syntax error"),
                ("zscan z x", "-ERR invalid cursor"),
                ("set s v", "+OK"),
                ("zadd s 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("zrange s 0 -1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("zunion 2 z s", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("zrangestore d s 0 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("zcard s", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("exists d", ":0"),
            ])
    }

    @Test func rangesAreRemovedAndPopped() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("zadd z 1 a 2 b 3 c 4 d 5 e 6 f 7 g", ":7"),
                ("zremrangebyrank z 0 1", ":2"),
                ("zremrangebyscore z (3 4", ":1"),
                ("zremrangebyscore nope 1 2", ":0"),
                ("zrange z 0 -1", "*4|$1|c|$1|e|$1|f|$1|g"),
                ("zpopmin z", "*2|$1|c|$1|3"),
                ("zpopmax z 2", "*4|$1|g|$1|7|$1|f|$1|6"),
                ("zpopmin z 0", "*0"),
                ("zpopmax nope", "*0"),
                ("zpopmax nope 3", "*0"),
                ("zrange z 0 -1", "*1|$1|e"),
                ("zmpop 2 nope z max count 5", "*2|$1|z|*1|*2|$1|e|$1|5"),
                ("exists z", ":0"),
                ("zmpop 2 nope z max", "*-1"),
                ("zadd l 0 a 0 b 0 c", ":3"),
                ("zremrangebylex l [b [b", ":1"),
                ("zmpop 1 l min", "*2|$1|l|*1|*2|$1|a|$1|0"),
                ("zpopmin l 9", "*2|$1|c|$1|0"),
                ("exists l", ":0"),
            ])
    }

    @Test func sortedSetsAreCombined() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("zadd a 1 x 2 y 3 z", ":3"),
                ("zadd b 10 y 20 z 30 w", ":3"),
                ("sadd s x w", ":2"),
                ("zunion 2 a b withscores", "*8|$1|x|$1|1|$1|y|$2|12|$1|z|$2|23|$1|w|$2|30"),
                ("zunion 2 a b weights 2 3 withscores", "*8|$1|x|$1|2|$1|y|$2|34|$1|z|$2|66|$1|w|$2|90"),
                ("zunion 2 a b aggregate max withscores", "*8|$1|x|$1|1|$1|y|$2|10|$1|z|$2|20|$1|w|$2|30"),
                ("zunion 2 a s withscores", "*8|$1|w|$1|1|$1|x|$1|2|$1|y|$1|2|$1|z|$1|3"),
                ("zinter 2 a b withscores", "*4|$1|y|$2|12|$1|z|$2|23"),
                // Zero times infinity takes the sum with it, except where it is the first.
                ("zadd nan1 -60 m", ":1"), ("zadd nan2 0 m", ":1"),
                ("zinter 2 nan1 nan2 weights 1 inf withscores", "*2|$1|m|$1|0"),
                ("zinter 2 nan2 nan1 weights inf 1 withscores", "*2|$1|m|$3|-60"),
                ("zinter 2 nan1 nan2 weights 1 inf aggregate max withscores", "*2|$1|m|$3|-60"),
                ("zunion 2 nan1 nan2 weights 1 inf withscores", "*2|$1|m|$3|-60"), ("del nan1 nan2", ":2"),
                ("zinter 2 a b weights 1 0.5 aggregate min withscores", "*4|$1|y|$1|2|$1|z|$1|3"),
                ("zinter 2 a nope", "*0"),
                ("zdiff 2 a b withscores", "*2|$1|x|$1|1"),
                ("zdiff 1 a", "*3|$1|x|$1|y|$1|z"),
                ("zdiff 2 nope a", "*0"),
                ("zintercard 2 a b", ":2"),
                ("zintercard 2 a b limit 1", ":1"),
                ("zunionstore d 2 a b", ":4"),
                ("zrange d 0 -1 withscores", "*8|$1|x|$1|1|$1|y|$2|12|$1|z|$2|23|$1|w|$2|30"),
                ("zinterstore d 2 a b aggregate sum", ":2"),
                ("zrange d 0 -1 withscores", "*4|$1|y|$2|12|$1|z|$2|23"),
                ("zdiffstore d 2 a b", ":1"),
                ("zrange d 0 -1", "*1|$1|x"),
                ("zinterstore d 2 a nope", ":0"),
                ("exists d", ":0"),
                ("zadd i inf p", ":1"),
                ("zadd j -inf p", ":1"),
                ("zunion 2 i j withscores", "*2|$1|p|$1|0"),
                ("zunion 1 i weights 0 withscores", "*2|$1|p|$1|0"),
                ("zunionstore a 2 a a", ":3"),
                ("zrange a 0 -1 withscores", "*6|$1|x|$1|2|$1|y|$1|4|$1|z|$1|6"),
            ])
    }

    @Test func resp3HasDoublesAndPairs() {
        let machine = TestMachine()
        machine.version = .three
        expect(
            machine,
            [
                ("zadd z 1 a 2.5 b", ":2"),
                ("zadd z incr 1 a", ",2"),
                ("zadd z nx incr 1 a", "_"),
                ("zscore z b", ",2.5"),
                ("zscore z nope", "_"),
                ("zmscore z a nope", "*2|,2|_"),
                ("zincrby z 1 b", ",3.5"),
                ("zrange z 0 -1 withscores", "*2|*2|$1|a|,2|*2|$1|b|,3.5"),
                ("zrange z 0 -1", "*2|$1|a|$1|b"),
                ("zrangebyscore z -inf +inf withscores", "*2|*2|$1|a|,2|*2|$1|b|,3.5"),
                ("zunion 1 z withscores", "*2|*2|$1|a|,2|*2|$1|b|,3.5"),
                ("zrandmember z 2 withscores", "*2|*2|$1|a|,2|*2|$1|b|,3.5"),
                ("zrandmember z -1", "*1|$1|a"),
                ("zpopmin z", "*2|$1|a|,2"),
                ("zpopmin z 1", "*1|*2|$1|b|,3.5"),
                ("zpopmin z", "*0"),
                ("zadd z 1 a 2 b", ":2"),
                ("zmpop 1 z min count 2", "*2|$1|z|*2|*2|$1|a|,1|*2|$1|b|,2"),
                ("zmpop 1 z min", "_"),
                ("zrank z a", "_"),
                ("zadd z 1 a", ":1"),
                ("zscan z 0", "*2|$1|0|*2|$1|a|$1|1"),
            ])
    }

    @Test func scanReturnsMembersWithScores() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("zadd z 1 a 2 b 1.5 ab", ":3"),
                ("zscan z 0", "*2|$1|0|*6|$1|a|$1|1|$2|ab|$3|1.5|$1|b|$1|2"),
                ("zscan z 0 match a*", "*2|$1|0|*4|$1|a|$1|1|$2|ab|$3|1.5"),
                ("zscan nope 0", "*2|$1|0|*0"),
            ])
    }

    /// Removing one member by a range that only it can be in removes what counting in that range counts, whatever the scores are.
    @Test func aRangeOfOneMemberRemovesWhatItCounts() {
        for scores in [1, 2, 300] {
            let machine = TestMachine()
            for number in 0..<300 { machine.run("zadd z \(number * 7 % scores) m\(number)") }
            for number in stride(from: 0, to: 320, by: 3) {
                let counted = machine.run("zlexcount z [m\(number) [m\(number)")
                #expect(machine.run("zremrangebylex z [m\(number) [m\(number)") == counted, "\(scores) scores, m\(number)")
                if counted == ":1\r\n" { #expect(machine.run("zscore z m\(number)") == "$-1\r\n") }
            }
            machine.checkInvariants()
        }
    }
}
