import Base
import Database
import RESP
import Testing

@Suite struct ScanTests {
    /// One step; the cursor to go on with, and the keys.
    func step(_ machine: TestMachine, _ cursor: String, count: Int) -> (cursor: String, keys: [String]) {
        let parts = machine.run(["SCAN", cursor, "COUNT", "\(count)"]).split(separator: "\r\n").map(String.init)
        return (parts[2], stride(from: 5, to: parts.count, by: 2).map { parts[$0] })
    }

    /// Redis's promise: what is there from the first step to the last is returned, while the table grows and shrinks.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func everyLastingKeyIsReturned(seed: UInt64) {
        let machine = TestMachine(seed: seed)
        var random = RandomGenerator(seed: seed)
        let lasting = (0..<700).map { "lasting:\($0)" }
        for key in lasting { machine.run(["SET", key, "v"]) }
        for number in 0..<3000 where seed % 2 == 0 { machine.run(["SET", "passing:\(number)", "v"]) }
        var seen: [String] = []
        var cursor = "0"
        var next = 0
        repeat {
            let (following, keys) = step(machine, cursor, count: 1 + random.index(below: 30))
            seen += keys
            cursor = following
            for _ in 0..<60 {
                if seed % 2 == 0 {
                    machine.run(["DEL", "passing:\(next)"])
                } else {
                    machine.run(["SET", "passing:\(next)", "v"])
                }
                next += 1
            }
        } while cursor != "0"
        let found = Set(seen)
        for key in lasting { #expect(found.contains(key)) }
        #expect(seen.filter { $0.hasPrefix("lasting") }.count == lasting.count, "a key that stays is returned once")
        machine.checkInvariants()
    }

    /// A cursor means the same on a node whose table has another layout.
    @Test func aCursorIsGoodOnAnotherLayout() {
        let small = TestMachine(seed: 3)
        let large = TestMachine(seed: 3)
        for number in 0..<20_000 { large.run(["SET", "passing:\(number)", "v"]) }
        for number in 0..<500 {
            small.run(["SET", "key:\(number)", "v"])
            large.run(["SET", "key:\(number)", "v"])
        }
        for number in 300..<20_000 { large.run(["DEL", "passing:\(number)"]) }
        for number in 0..<300 { small.run(["SET", "passing:\(number)", "v"]) }
        var seen: [String] = []
        var cursor = "0"
        var turn = 0
        repeat {
            let a = step(small, cursor, count: 7)
            let b = step(large, cursor, count: 7)
            #expect(a.keys == b.keys)
            let chosen = turn % 2 == 0 ? a : b
            turn += 1
            seen += chosen.keys
            cursor = chosen.cursor
        } while cursor != "0"
        #expect(Set(seen).count == 800 && seen.count == 800)
        #expect(small.run("KEYS *") == large.run("KEYS *"))
    }

    @Test func cursorsFitADouble() {
        let machine = TestMachine()
        for number in 0..<1000 { machine.run(["SET", "key:\(number)", "v"]) }
        var cursor = "0"
        repeat {
            cursor = step(machine, cursor, count: 10).cursor
            #expect((UInt64(cursor) ?? .max) < 1 << 53)
        } while cursor != "0"
    }

    @Test func optionsFilterAndErrorsAreRedis() {
        let machine = TestMachine()
        machine.run("MSET a 1 b 2 ab 3")
        expect(
            machine,
            [
                ("SCAN 0 MATCH ab COUNT 100", "*2|$1|0|*1|$2|ab"),
                ("SCAN 0 COUNT 100 TYPE list", "*2|$1|0|*0"),
                ("SCAN 0 MATCH ab TYPE string COUNT 100", "*2|$1|0|*1|$2|ab"),
                ("SCAN x", "-ERR invalid cursor"),
                ("SCAN -1", "*2|$1|0|*0"),
                ("SCAN -", "-ERR invalid cursor"),
                ("SCAN 99999999999999999999", "-ERR invalid cursor"),
                ("SCAN 0 COUNT x", "-ERR value is not an integer or out of range"),
                ("SCAN 0 COUNT 0", "-ERR syntax error"),
                ("SCAN 0 COUNT", "-ERR syntax error"),
                ("SCAN 0 NOVALUES", "-ERR syntax error"),
                ("SCAN 18446744073709551615", "*2|$1|0|*0"),
            ])
    }

    @Test func randomKeyReachesAllAndSkipsExpired() {
        let machine = TestMachine()
        #expect(machine.run("RANDOMKEY") == "$-1\r\n")
        machine.run("MSET a 1 b 2 c 3")
        machine.run("SET gone x PXAT 1")
        var seen: Set<String> = []
        for _ in 0..<200 {
            seen.insert(machine.run("RANDOMKEY"))
            machine.run("INCR a")
        }
        #expect(seen == ["$1\r\na\r\n", "$1\r\nb\r\n", "$1\r\nc\r\n"])
    }
}
