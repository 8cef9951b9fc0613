import Base
import RESP
import Testing

@testable import Database

/// Deadlines of single fields: the log's time decides, and an expired field is gone whether it is removed yet or not.
@Suite struct HashDeadlineTests {
    @Test func deadlinesAreSetAskedAndDropped() {
        expect(
            TestMachine(),
            [
                ("hset h a 1 b 2 c 3", ":3"), ("hexpire h 100 fields 2 a nope", "*2|:1|:-2"),
                ("httl h fields 3 a b nope", "*3|:100|:-1|:-2"),
                ("hpttl h fields 1 a", "*1|:100000"), ("hexpiretime h fields 2 a b", "*2|:1700000100|:-1"),
                ("hpexpiretime h fields 1 a", "*1|:1700000100000"), ("object encoding h", "$10|listpackex"),
                ("hpexpire h 5 nx fields 2 a b", "*2|:0|:1"), ("hpexpire h 6 XX fields 2 b c", "*2|:1|:0"),
                ("hpexpire h 5 gt fields 3 b c a", "*3|:0|:0|:0"), ("hpexpire h 7 gt fields 1 b", "*1|:1"),
                ("hpexpire h 7 lt fields 2 b c", "*2|:0|:1"), ("hpexpire h 6 lt fields 1 b", "*1|:1"),
                ("hpersist h fields 4 a b nope a", "*4|:1|:1|:-2|:-1"), ("hpersist h fields 1 c", "*1|:1"),
                ("object encoding h", "$8|listpack"), ("hexpireat h 1700000050 fields 1 a", "*1|:1"),
                ("httl h fields 1 a", "*1|:50"), ("hpexpireat h 1700000050500 fields 1 a", "*1|:1"),
                ("httl h fields 1 a", "*1|:51"), ("hexpiretime h fields 1 a", "*1|:1700000051"),
                ("hexpireat h 1 fields 3 a a b", "*3|:2|:-2|:2"), ("hgetall h", "*2|$1|c|$1|3"),
                ("hpexpire h 0 fields 1 c", "*1|:2"), ("exists h", ":0"), ("hexpire h 1 fields 2 a b", "*2|:-2|:-2"),
                ("hexpire h -1 fields 1 a", "-ERR invalid expire time, must be >= 0"), ("httl h fields 1 a", "*1|:-2"),
                ("hpersist h fields 1 a", "*1|:-2"), ("exists h", ":0"),
            ])
    }

    @Test func wrongWordsAreRefused() {
        let missing = "-ERR Mandatory argument FIELDS is missing or not at the right position"
        let mismatch = "-ERR The `numfields` parameter must match the number of arguments"
        expect(
            TestMachine(),
            [
                ("hset h a 1", ":1"), ("hexpire h 1 fields 1", "-ERR wrong number of arguments for 'hexpire' command"),
                ("httl h fields 1", "-ERR wrong number of arguments for 'httl' command"),
                ("hexpire h x fields 1 a", "-ERR value is not an integer or out of range"),
                ("hexpire h 1 nx xx fields 1 a", missing), ("hexpire h 1 field 1 a", missing), ("httl h field 1 a", missing),
                ("hpersist h a fields 1 a", missing), ("hexpire h 1 fields 2 a", mismatch),
                ("hexpire h 1 fields 1 a b", mismatch),
                ("hexpire h 1 nx fields 1", mismatch), ("httl h fields 2 a", mismatch), ("hpersist h fields 1 a b", mismatch),
                ("hexpire h 1 fields 0 a", "-ERR Parameter `numFields` should be greater than 0"),
                ("hexpire h 1 fields x a", "-ERR Parameter `numFields` should be greater than 0"),
                ("httl h fields 0 a", "-ERR Number of fields must be a positive integer"),
                ("hpersist h fields -1 a", "-ERR Number of fields must be a positive integer"),
                ("hexpire h 9223372036854775807 fields 1 a", "-ERR invalid expire time in 'hexpire' command"),
                ("hexpireat h 70368744178 fields 1 a", "-ERR invalid expire time in 'hexpireat' command"),
                ("hpexpireat h 70368744177664 fields 1 a", "-ERR invalid expire time in 'hpexpireat' command"),
                ("hpexpire h 70368744177663 fields 1 a", "-ERR invalid expire time in 'hpexpire' command"),
                ("httl h fields 1 a", "*1|:-1"), ("hpexpireat h 70368744177663 fields 1 a", "*1|:1"),
                ("hpexpiretime h fields 1 a", "*1|:70368744177663"), ("set s 1", "+OK"),
                ("hexpire s 1 fields 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("httl s fields 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("hpersist s fields 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
            ])
    }

    /// With removal switched off expired fields stay where they are, and nobody sees them.
    @Test(arguments: [false, true]) func expiredFieldsAreNotSeen(isLarge: Bool) {
        let machine = TestMachine()
        machine.run("debug set-active-expire 0")
        if isLarge { machine.run("kv.set-parameter hash-max-listpack-entries 2") }
        machine.run("hset h a 1 b 2 c 3 d 4 n 5")
        machine.run("hpexpire h 10 fields 3 a b n")
        machine.run("hpexpire h 1000 fields 1 c")
        machine.advance(milliseconds: 10)
        machine.tick()
        expect(
            machine,
            [
                ("hlen h", ":2"), ("hget h a", "$-1"), ("hmget h a c", "*2|$-1|$1|3"), ("hexists h b", ":0"),
                ("hstrlen h a", ":0"),
                ("httl h fields 3 a c d", "*3|:-2|:1|:-1"), ("hexpire h 5 fields 1 a", "*1|:-2"),
                ("hpersist h fields 1 a", "*1|:-2"),
                ("hdel h a", ":0"), ("hsetnx h a 7", ":1"), ("httl h fields 1 a", "*1|:-1"), ("hget h a", "$1|7"),
                ("hset h b 8 c 9", ":1"), ("httl h fields 2 b c", "*2|:-1|:-1"), ("hincrby h n 1", ":1"),
                ("httl h fields 1 n", "*1|:-1"), ("hlen h", ":5"),
            ])
        machine.run("hpexpire h 10 fields 4 a b c d")
        machine.advance(milliseconds: 10)
        machine.tick()
        expect(
            machine,
            [
                ("hgetall h", "*2|$1|n|$1|1"), ("hkeys h", "*1|$1|n"), ("hvals h", "*1|$1|1"),
                ("hscan h 0", "*2|$1|0|*2|$1|n|$1|1"),
                ("hrandfield h", "$1|n"), ("hrandfield h 5", "*1|$1|n"), ("hrandfield h -2", "*2|$1|n|$1|n"), ("copy h i", ":1"),
                ("hgetall i", "*2|$1|n|$1|1"), ("hdel h n", ":1"), ("exists h", ":0"), ("type h", "+none"),
            ])
    }

    @Test func aHashWithoutFieldsLeftIsGone() {
        let machine = TestMachine()
        machine.run("debug set-active-expire 0")
        machine.run("hset h a 1 b 2")
        machine.run("hpexpire h 10 fields 2 a b")
        machine.advance(milliseconds: 10)
        machine.tick()
        #expect(machine.machine.keyCount(0) == 1)
        expect(
            machine,
            [
                ("exists h", ":0"), ("type h", "+none"), ("hlen h", ":0"), ("hgetall h", "*0"), ("ttl h", ":-2"),
                ("keys *", "*0"),
                ("scan 0", "*2|$1|0|*0"), ("randomkey", "$-1"), ("rename h i", "-ERR no such key"),
                ("set h text nx", "+OK"), ("get h", "$4|text"),
            ])
    }

    @Test func countingKeepsADeadlineAndSettingDropsIt() {
        expect(
            TestMachine(),
            [
                ("hset h n 1 f 1 s 1", ":3"), ("hexpire h 100 fields 3 n f s", "*3|:1|:1|:1"), ("hincrby h n 1", ":2"),
                ("hincrbyfloat h f 0.5", "$3|1.5"), ("hset h s 2", ":0"), ("httl h fields 3 n f s", "*3|:100|:100|:-1"),
                ("hmset h n 5", "+OK"), ("httl h fields 1 n", "*1|:-1"), ("hsetnx h f 9", ":0"), ("httl h fields 1 f", "*1|:100"),
                ("rename h i", "+OK"), ("move i 1", ":1"), ("hset i x y", ":1"), ("hexpire i 7 fields 1 x", "*1|:1"),
                ("set i string", "+OK"),
            ])
    }

    @Test func theLogsTimeRemovesFieldsAndThenTheKey() {
        let machine = TestMachine()
        machine.run("hset h a 1 b 2")
        machine.run("hpexpire h 100 fields 1 a")
        machine.run("hpexpire h 200 fields 1 b")
        #expect(machine.machine.nextDeadline == WallTime(microseconds: machine.now.microseconds + 100_000))
        machine.advance(milliseconds: 5000)
        // A reader's clock is ahead: the fields are still there.
        #expect(machine.run("hpttl h fields 1 a") == "*1\r\n:1\r\n")
        machine.now.microseconds -= 4_900_000
        machine.tick()
        #expect(machine.run("hgetall h") == "*2\r\n$1\r\nb\r\n$1\r\n2\r\n")
        #expect(machine.machine.execution.statistics.expiredFields == 1)
        machine.advance(milliseconds: 100)
        machine.tick()
        #expect(machine.machine.keyCount(0) == 0 && machine.machine.nextDeadline == nil)
        machine.checkInvariants()
    }

    @Test func removalIsBoundedAndGoesOn() {
        let machine = TestMachine()
        let fields = (0..<5000).map { "f\($0)" }
        machine.run(["hset", "h"] + fields.flatMap { [$0, "v"] })
        machine.run(["hpexpire", "h", "100", "fields", "5000"] + fields)
        machine.run("hset h stays v")
        machine.advance(milliseconds: 100)
        machine.tick()
        #expect(machine.machine.hasExpiredKeys)
        #expect(machine.run("hlen h") == ":1\r\n" && machine.run("hrandfield h") == "$5\r\nstays\r\n")
        var entries = 1
        while machine.machine.hasExpiredKeys {
            machine.tick()
            entries += 1
            machine.checkInvariants()
        }
        #expect(entries == 5 && machine.run("hgetall h") == "*2\r\n$5\r\nstays\r\n$1\r\nv\r\n")
    }

    /// A small hash without deadlines is as large as ever.
    @Test func hashesWithoutDeadlinesTakeNoMoreMemory() {
        let hash = HashValue()
        #expect(hash.memoryBytes == 32)
    }

    /// Many commands on few keys, with fields that come and go: two machines with different forms of the hashes stay equal, and the
    /// order of deadlines stays true.
    @Test func anythingGoes() {
        let small = TestMachine(seed: 5)
        let large = TestMachine(seed: 5)
        large.run("kv.set-parameter hash-max-listpack-entries 3")
        var random = RandomGenerator(seed: 6)
        for step in 0..<6000 {
            let key = "h\(random.index(below: 6))"
            let fields = (0..<(1 + random.index(below: 4))).map { _ in "f\(random.index(below: 12))" }
            let time = "\(random.index(below: 60))"
            let list = ["fields", "\(fields.count)"] + fields
            let words: [String] =
                switch random.index(below: 16) {
                case 0...3: ["hset", key] + fields.flatMap { [$0, time] }
                case 4...6: ["hpexpire", key, time] + list
                case 7: ["hpersist", key] + list
                case 8: ["hdel", key] + fields
                case 9: ["hincrby", key, fields[0], "1"]
                case 10: ["copy", key, "h\(random.index(below: 6))", "replace"]
                case 11: ["rename", key, "h\(random.index(below: 6))"]
                case 12: ["pexpire", key, time]
                case 13: ["hlen", key]
                case 14: ["hmget", key] + fields
                default: ["del", key]
                }
            #expect(small.run(words) == large.run(words), "\(words)")
            if random.index(below: 3) == 0 {
                for machine in [small, large] {
                    machine.advance(milliseconds: 7)
                    machine.tick()
                }
            }
            if step % 500 == 0 {
                small.checkInvariants()
                large.checkInvariants()
                #expect(small.machine.contentDigest() == large.machine.contentDigest())
            }
        }
        for machine in [small, large] {
            machine.run("flushall")
            machine.checkInvariants()
        }
    }
}
