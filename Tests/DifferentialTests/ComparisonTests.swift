import Base
import Differential
import Testing

/// Gives prepared replies, in order.
private final class Script: Subject {
    private let replies: [String: [String]]
    private var asked: [String: Int] = [:]

    init(_ replies: [String: [String]]) { self.replies = replies }

    func begin(_ sequence: CommandSequence) throws(SubjectError) { asked = [:] }
    func pause() throws(SubjectError) {}

    func run(_ steps: [Step]) throws(SubjectError) -> [[UInt8]] {
        steps.map { step in
            let list = replies[step.line] ?? ["+OK"]
            let number = asked[step.line, default: 0]
            asked[step.line] = number + 1
            return Word((list[min(number, list.count - 1)].split(separator: "|").joined(separator: "\r\n") + "\r\n").utf8)
        }
    }
}

/// The replies are written with `|` for line ends.
@Suite struct ComparisonTests {
    /// What is wrong when a command is answered so by the two sides; nil when nothing is.
    private func mismatch(_ line: String, _ ours: String, _ theirs: String, before: [String: String] = [:]) throws -> Mismatch? {
        var mine = before.mapValues { [$0] }
        mine[line] = [ours]
        let run = PairRun(coracle: Script(mine), peer: Script([line: [theirs]]))
        return try run.run(CommandSequence([Step(line)])).mismatch
    }

    @Test(arguments: [
        ("get s1", "$1|a", "$1|b"), ("get s1", "$-1", "*-1"), ("get s1", ":1", "+1"), ("incrbyfloat n1 1", "$3|1.0", "$1|1"),
        ("smembers t1", "*2|$1|a|$1|b", "*2|$1|a|$1|c"), ("smembers t1", "*2|$1|a|$1|b", "*3|$1|a|$1|b|$1|b"),
        ("smembers t1", "*0", "~0"), ("hgetall h1", "*4|$1|a|$1|1|$1|b|$1|2", "*4|$1|a|$1|2|$1|b|$1|1"),
        ("hkeys h1", "*1|$1|a", "-WRONGTYPE no"), ("zscore z1 a", "$3|1.5", "$3|1.6"), ("zscore z1 a", "$3|inf", "$4|-inf"),
        ("zrange z1 0 -1", "*2|$1|a|$1|b", "*2|$1|b|$1|a"), ("ttl s1", ":-1", ":100"), ("ttl s1", ":1000", ":2000"),
        ("ttl s1", ":-1", ":-2"), ("get s1", "-ERR a", "-ERR b"), ("object encoding t1", "$6|intset", "$8|listpack"),
        ("httl h1 fields 2 a b", "*2|:100000|:-1", "*2|:-1|:100000"), ("httl h1 fields 1 a", "*1|:100000", "*1|:101000"),
        ("hpttl h1 fields 1 a", "*1|:100000000", "*1|:101000000"), ("httl h1 fields 1 a", "*1|:-1", "*2|:-1|:-1"),
        ("scan 7", "*2|$1|0|*0", "-ERR invalid cursor"), ("object encoding h1", "$10|listpackex", "$8|listpack"),
    ]) func differencesAreSeen(line: String, ours: String, theirs: String) throws {
        #expect(try mismatch(line, ours, theirs, before: ["type t1": "+set"]) != nil)
    }

    @Test(arguments: [
        ("smembers t1", "*2|$1|a|$1|b", "*2|$1|b|$1|a"), ("hgetall h1", "*4|$1|a|$1|1|$1|b|$1|2", "*4|$1|b|$1|2|$1|a|$1|1"),
        ("hgetall h1", "%2|$1|a|$1|1|$1|b|$1|2", "%2|$1|b|$1|2|$1|a|$1|1"), ("zscore z1 a", "$3|1.1", "$18|1.1000000000000001"),
        ("zscore z1 a", ",1.1", ",1.1000000000000001"), ("ttl s1", ":1000", ":999"), ("pttl s1", ":100000", ":99000"),
        ("object encoding t1", "$8|listpack", "$9|hashtable"), ("object refcount s1", ":1", ":2147483647"),
        ("httl h1 fields 3 a b c", "*3|:100000|:-1|:-2", "*3|:99999|:-1|:-2"),
        ("hpttl h1 fields 1 a", "*1|:100000000", "*1|:99990000"),
        ("hexpiretime h1 fields 1 a", "*1|:4000000000", "*1|:4000000001"),
        ("object encoding h1", "$8|listpack", "$10|listpackex"),
        ("scan -1", "*2|$1|0|*0", "-ERR invalid cursor"), ("hscan h1 -1", "-ERR syntax error", "-ERR invalid cursor"),
    ]) func whatRedisDoesNotPromiseIsAllowed(line: String, ours: String, theirs: String) throws {
        #expect(try mismatch(line, ours, theirs, before: ["type t1": "+set"]) == nil)
    }

    @Test(arguments: [
        // An element that is not there; too few; one twice; too many for a negative count.
        ("srandmember t1 2", "*2|$1|a|$1|x", "*2|$1|a|$1|b"), ("srandmember t1 2", "*1|$1|a", "*2|$1|a|$1|b"),
        ("srandmember t1 2", "*2|$1|a|$1|a", "*2|$1|a|$1|b"), ("srandmember t1 -1", "*2|$1|a|$1|b", "*1|$1|b"),
        ("srandmember t1", "$1|x", "$1|a"), ("spop t1 2", "*2|$1|a|$1|b", "*2|$1|a|$1|x"),
        ("hrandfield h1 1 withvalues", "*2|$1|a|$1|2", "*2|$1|a|$1|1"),
    ]) func wrongChoicesAreSeen(line: String, ours: String, theirs: String) throws {
        let before = ["smembers t1": "*3|$1|a|$1|b|$1|c", "hgetall h1": "*4|$1|a|$1|1|$1|b|$1|2"]
        #expect(try mismatch(line, ours, theirs, before: before) != nil)
    }

    @Test(arguments: [
        ("srandmember t1 2", "*2|$1|a|$1|b", "*2|$1|c|$1|b"),
        ("srandmember t1 -4", "*4|$1|a|$1|a|$1|a|$1|b", "*4|$1|b|$1|a|$1|c|$1|c"),
        ("srandmember t1", "$1|b", "$1|a"), ("srandmember t1 9", "*3|$1|a|$1|b|$1|c", "*3|$1|c|$1|a|$1|b"),
        ("hrandfield h1 1 withvalues", "*1|*2|$1|a|$1|1", "*1|*2|$1|b|$1|2"),
    ]) func otherChoicesAreAllowed(line: String, ours: String, theirs: String) throws {
        let before = ["smembers t1": "*3|$1|a|$1|b|$1|c", "hgetall h1": "*4|$1|a|$1|1|$1|b|$1|2"]
        #expect(try mismatch(line, ours, theirs, before: before) == nil)
    }

    @Test func whatWasPoppedIsMadeTheSame() throws {
        final class Recorder: Subject {
            var lines: [String] = []
            func begin(_ sequence: CommandSequence) throws(SubjectError) {}
            func pause() throws(SubjectError) {}
            func run(_ steps: [Step]) throws(SubjectError) -> [[UInt8]] {
                lines += steps.map(\.line)
                return steps.map {
                    $0.name == "smembers"
                        ? "*2\r\n$1\r\na\r\n$1\r\nb\r\n".word : $0.name == "spop" ? "$1\r\na\r\n".word : ":1\r\n".word
                }
            }
        }
        let recorder = Recorder()
        let run = PairRun(coracle: recorder, peer: Script(["spop t1": ["$1|b"]]))
        #expect(try run.run(CommandSequence([Step("spop t1")])).mismatch == nil)
        #expect(recorder.lines == ["smembers t1", "spop t1", "sadd t1 a", "srem t1 b"])
    }

    @Test func wholeScansAreCompared() throws {
        let pages = ["scan 0": ["*2|$1|7|*1|$1|a"], "scan 7": ["*2|$1|0|*2|$1|b|$1|a"]]
        func outcome(_ other: [String: [String]]) throws -> Mismatch? {
            try PairRun(coracle: Script(pages), peer: Script(other)).run(CommandSequence([Step("scan 0")])).mismatch
        }
        #expect(try outcome(["scan 0": ["*2|$1|0|*2|$1|b|$1|a"]]) == nil)
        #expect(try outcome(["scan 0": ["*2|$1|0|*1|$1|b"]]) != nil)
        #expect(try outcome(["scan 0": ["-ERR invalid cursor"]]) != nil)
    }

    @Test func orderByNameOverMixedScoresEndsTheSequence() throws {
        let line = "zremrangebylex x1 - +"
        let mixed = Script(["zrange x1 0 -1 withscores": ["*4|$1|a|$1|0|$1|b|$1|1"], line: [":1"], "get s1": ["$1|a"]])
        let other = Script([line: [":2"], "get s1": ["$1|b"]])
        let outcome = try PairRun(coracle: mixed, peer: other).run(CommandSequence([Step(line), Step("get s1")]))
        #expect(outcome.mismatch == nil && outcome.endedEarly && outcome.differences == ["lex-mixed-scores": 1])
        let equal = Script(["zrange x1 0 -1 withscores": ["*4|$1|a|$1|0|$1|b|$1|0"], line: [":1"]])
        #expect(try PairRun(coracle: equal, peer: other).run(CommandSequence([Step(line)])).mismatch != nil)
    }
}
