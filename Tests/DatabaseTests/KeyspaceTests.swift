import Base
import Database
import RESP
import Testing

@Suite struct KeyspaceTests {
    /// A plain model of one database: what must be there after any sequence of changes.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func agreesWithADictionary(seed: UInt64) {
        let machine = TestMachine(seed: seed)
        var random = RandomGenerator(seed: seed)
        var model: [String: String] = [:]
        for step in 0..<12_000 {
            // Phases of growth and of shrinking, so that segments split and merge.
            let grows = (step / 3000) % 2 == 0
            let key = "key:\(random.index(below: 4000))"
            if random.chance(grows ? 9 : 2, in: 10) {
                let value =
                    random.chance(1, in: 4)
                    ? "\(random.index(below: 100))" : String(repeating: "v", count: random.index(below: 90))
                machine.run(["SET", key, value])
                model[key] = value
            } else {
                let reply = machine.run(["DEL", key])
                #expect(reply == (model.removeValue(forKey: key) == nil ? ":0\r\n" : ":1\r\n"))
            }
            if step % 997 == 0 { machine.checkInvariants() }
        }
        machine.checkInvariants()
        #expect(machine.machine.keyCount(0) == model.count)
        for number in 0..<4000 {
            let key = "key:\(number)"
            let expected = model[key].map { "$\($0.utf8.count)\r\n\($0)\r\n" } ?? "$-1\r\n"
            #expect(machine.run(["GET", key]) == expected)
        }
    }

    @Test func memoryComesBack() {
        let machine = TestMachine()
        let empty = machine.machine.usedMemory
        for number in 0..<5000 { machine.run(["SET", "key:\(number)", String(repeating: "x", count: number % 200)]) }
        #expect(machine.machine.usedMemory > empty + 5000 * 60)
        for number in 0..<5000 { machine.run(["DEL", "key:\(number)"]) }
        machine.checkInvariants()
        #expect(machine.machine.usedMemory < empty + 20_000)
    }

    @Test func flushedMemoryIsFreedInSteps() {
        let machine = TestMachine()
        let empty = machine.machine.usedMemory
        for number in 0..<9000 { machine.run(["SET", "key:\(number)", "value", "EX", "100"]) }
        machine.run("FLUSHALL")
        #expect(machine.machine.keyCount(0) == 0 && machine.machine.expiringKeyCount(0) == 0)
        #expect(machine.machine.hasDropped)
        var entries = 0
        while machine.machine.hasDropped {
            machine.tick()
            entries += 1
            #expect(entries < 20)
        }
        #expect(machine.machine.usedMemory < empty + 20_000)
    }

    @Test func longStringsGrowInLinearTime() {
        let machine = TestMachine()
        let piece = String(repeating: "p", count: 1000)
        for _ in 0..<2000 { machine.run(["APPEND", "long", piece]) }
        #expect(machine.run("STRLEN long") == ":2000000\r\n")
        #expect(machine.run("GETRANGE long 1999999 -1") == "$1\r\np\r\n")
        machine.checkInvariants()
    }

    @Test func sameLogSameDigest() {
        let first = TestMachine(seed: 5)
        var random = RandomGenerator(seed: 99)
        for _ in 0..<4000 {
            let key = "k\(random.index(below: 300))"
            switch random.index(below: 9) {
            case 0: first.run(["SET", key, "v\(random.next())", "PX", "\(1 + random.index(below: 5000))"])
            case 1: first.run(["INCR", "n\(random.index(below: 50))"])
            case 2: first.run(["APPEND", key, "x"])
            case 3: first.run(["RENAME", key, "k\(random.index(below: 300))"])
            case 4: first.run(["DEL", key])
            case 5: first.run(["MOVE", key, "\(random.index(below: 3))"])
            case 6: first.run(["PEXPIRE", key, "\(random.index(below: 3000))"])
            case 7: first.run(["COPY", key, "c\(random.index(below: 30))", "REPLACE"])
            default: first.run(["SET", key, "\(random.index(below: 1000))"])
            }
            if random.chance(1, in: 100) { first.run("SWAPDB 0 1") }
            first.advance(milliseconds: Int64(random.index(below: 20)))
        }
        first.checkInvariants()
        let second = TestMachine(seed: 5)
        for payload in first.log { second.apply(payload) }
        #expect(first.machine.digest() == second.machine.digest())
        second.run("SET one more")
        #expect(first.machine.digest() != second.machine.digest())
    }
}
