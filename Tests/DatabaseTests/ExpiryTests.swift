import Base
import Database
import RESP
import Testing

/// Expiry is an event in the log: the entry's time decides, never a reader's.
@Suite struct ExpiryTests {
    @Test func aKeyIsThereUntilAnEntryReachesItsDeadline() {
        let machine = TestMachine()
        machine.run("SET a 1 PX 100")
        #expect(machine.machine.nextDeadline == WallTime(microseconds: machine.now.microseconds + 100_000))
        machine.advance(milliseconds: 99)
        machine.tick()
        #expect(machine.run("GET a") == "$1\r\n1\r\n")
        // A reader's clock is ahead: the key is still there, with the least that it can have left.
        machine.advance(milliseconds: 5000)
        #expect(machine.run("GET a") == "$1\r\n1\r\n")
        #expect(machine.run("PTTL a") == ":1\r\n")
        #expect(machine.run("TTL a") == ":0\r\n")
        machine.tick()
        #expect(machine.run("GET a") == "$-1\r\n")
        #expect(machine.machine.keyCount(0) == 0 && machine.machine.nextDeadline == nil)
        #expect(machine.machine.execution.statistics.expiredKeys == 1)
    }

    @Test func theDeadlineIsReachedExactly() {
        let machine = TestMachine()
        machine.run("SET a 1 PX 100")
        machine.advance(milliseconds: 100)
        machine.tick()
        #expect(machine.run("EXISTS a") == ":0\r\n")
    }

    @Test func removalIsBoundedAndGoesOn() {
        let machine = TestMachine()
        let count = StateMachine.expiredKeysPerEntry * 3 + 5
        for number in 0..<count { machine.run(["SET", "k\(number)", "v", "PX", "\(100 + number % 7)"]) }
        machine.run("SET stays v")
        machine.advance(milliseconds: 1000)
        machine.tick()
        #expect(machine.machine.keyCount(0) == count + 1 - StateMachine.expiredKeysPerEntry)
        #expect(machine.machine.hasExpiredKeys && machine.machine.nextDeadline != nil)
        #expect(machine.run("KEYS *") == "*1\r\n$5\r\nstays\r\n", "what is due is invisible, removed or not")
        #expect(machine.run("DBSIZE") == ":1\r\n")
        var entries = 0
        while machine.machine.hasExpiredKeys {
            machine.tick()
            entries += 1
        }
        #expect(entries == 3 && machine.machine.keyCount(0) == 1)
        machine.checkInvariants()
    }

    /// Behind writes of one entry a read is an item of that entry, before its end removes anything.
    @Test func whatIsDueIsNotCountedWithinAnEntry() {
        let machine = TestMachine()
        let output = ByteBuffer()
        let lines = [
            "set a 1 pxat 1000", "set b 1", "dbsize", "hset h f 1 g 2", "hset i f 1", "hpexpire h 1 fields 2 f g", "pexpire i 1",
            "hpexpire i 1 fields 1 f",
            "dbsize",
        ]
        let items = lines.map { (database: 0, words: $0.split(separator: " ").map { Array($0.utf8) }) }
        machine.apply(machine.payload([machine.segment(items, first: 1)]), reply: ReplyWriter(output))
        #expect(String(decoding: output.view.array, as: UTF8.self).split(separator: "\r\n")[2] == ":1")
        #expect(String(decoding: output.view.array, as: UTF8.self).hasSuffix(":3\r\n"))
        machine.advance(milliseconds: 1)
        output.removeAll()
        let later = machine.segment([(database: 0, words: [Array("dbsize".utf8)])], first: 10)
        machine.apply(machine.payload([later]), reply: ReplyWriter(output))
        #expect(String(decoding: output.view.array, as: UTF8.self) == ":1\r\n")
        #expect(machine.machine.keyCount(0) == 1)
        machine.checkInvariants()
    }

    /// Nodes with different tables and heaps remove the same keys.
    @Test func whatIsRemovedDoesNotDependOnHistory() {
        let plain = TestMachine(seed: 9)
        let used = TestMachine(seed: 9)
        for number in 0..<3000 { used.run(["SET", "old\(number)", "v", "PX", "\(10_000 + number)"]) }
        for number in 0..<3000 { used.run(["DEL", "old\(number)"]) }
        for machine in [plain, used] {
            for number in 0..<400 { machine.run(["SET", "k\(number)", "v", "PX", "500"]) }
            machine.advance(milliseconds: 600)
            machine.tick()
        }
        #expect(plain.machine.keyCount(0) == used.machine.keyCount(0))
        #expect(plain.machine.contentDigest() == used.machine.contentDigest())
    }

    @Test func aWriteToAnExpiredKeyStartsAfresh() {
        let machine = TestMachine()
        machine.run("DEBUG SET-ACTIVE-EXPIRE 0")
        machine.run("SET n 41 PX 100")
        machine.run("SET s text PX 100")
        machine.advance(milliseconds: 200)
        machine.tick()
        #expect(machine.machine.keyCount(0) == 2 && machine.machine.nextDeadline == nil)
        expect(
            machine,
            [
                ("INCR n", ":1"), ("TTL n", ":-1"), ("SET s new KEEPTTL", "+OK"), ("TTL s", ":-1"), ("PERSIST gone", ":0"),
                ("DEBUG SET-ACTIVE-EXPIRE 1", "+OK"),
            ])
    }

    @Test func deadlinesFollowTheirKeys() {
        let machine = TestMachine()
        var random = RandomGenerator(seed: 4)
        for _ in 0..<4000 {
            let key = "k\(random.index(below: 200))"
            let other = "k\(random.index(below: 200))"
            let time = "\(1 + random.index(below: 100_000))"
            switch random.index(below: 10) {
            case 0: machine.run(["SET", key, String(repeating: "x", count: random.index(below: 60)), "PX", time])
            case 1: machine.run(["PEXPIRE", key, time])
            case 2: machine.run(["PERSIST", key])
            case 3: machine.run(["RENAME", key, other])
            case 4: machine.run(["COPY", key, other, "REPLACE"])
            case 5: machine.run(["DEL", key])
            case 6: machine.run(["APPEND", key, "tail"])
            case 7: machine.run(["MOVE", key, "1"])
            case 8: machine.run(["SET", key, time, "KEEPTTL"])
            default: machine.run(["GETEX", key, "PX", time])
            }
        }
        machine.checkInvariants()
        machine.advance(milliseconds: 200_000)
        for _ in 0..<10 { machine.tick() }
        #expect(machine.machine.expiringKeyCount(0) == 0 && machine.machine.expiringKeyCount(1) == 0)
        machine.checkInvariants()
    }

    @Test func averageTimeToLive() {
        let machine = TestMachine()
        machine.run("SET a 1 PX 1000")
        machine.run("SET b 1 PX 3000")
        #expect(machine.machine.averageTTL(0) == 2000)
        #expect(machine.machine.averageTTL(1) == 0)
    }

    /// The leader's time may be any number: a deadline near the end of time overflows nothing.
    @Test func deadlinesAtTheEndOfTime() {
        let machine = TestMachine()
        machine.run("SET a 1 PXAT 9223372036854775807")
        #expect(machine.run("PEXPIRETIME a") == ":9223372036854775807\r\n")
        #expect(machine.run("EXPIRETIME a") == ":9223372036854776\r\n")
        #expect(machine.machine.nextDeadline == WallTime(microseconds: Int64.max))
        #expect(machine.run("TTL a") != ":-1\r\n")
        machine.tick()
        #expect(machine.run("GET a") == "$1\r\n1\r\n")
    }
}
