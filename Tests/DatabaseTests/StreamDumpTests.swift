import Base
import RESP
import Testing

@testable import Database

@Suite struct StreamDumpTests {
    private func dump(_ machine: TestMachine, _ key: String = "s") -> [UInt8] {
        let reply = machine.run(bytes: [Array("DUMP".utf8), Array(key.utf8)])
        guard let line = reply.firstIndex(of: 0x0A) else { return [] }
        return Array(reply[(line + 1)..<(reply.count - 2)])
    }

    private func restore(_ machine: TestMachine, _ key: String, _ payload: [UInt8]) -> String {
        let words = ["RESTORE", key, "0"].map { Array($0.utf8) } + [payload, Array("REPLACE".utf8)]
        return String(decoding: machine.run(bytes: words), as: UTF8.self)
    }

    private func value(_ machine: TestMachine, _ key: String) -> StreamValue? {
        Array(key.utf8).withView { machine.machine.execution.keyspaces[0].find($0)?.collection as? StreamValue }
    }

    /// A stream with everything that there is: several nodes, tombstones, fields of their own, groups, what is pending.
    private func filled() -> TestMachine {
        let machine = TestMachine()
        for number in 1...250 { machine.run("xadd s \(number)-5 name \(number) text value:\(number)") }
        machine.run("xadd s 251-1 other " + String(repeating: "long", count: 2000))
        machine.run("xadd s 252-18446744073709551615 a 1 b -70000 c 5000000000 a twice")
        machine.run("xdel s 3-5 150-5 252-18446744073709551615")
        machine.run("xtrim s maxlen 240")
        machine.run("xgroup create s empty $")
        machine.run("xgroup create s g 0")
        machine.run("xgroup createconsumer s g idle")
        machine.run("xreadgroup group g 12 count 50 streams s >")
        machine.run("xreadgroup group g bob count 7 streams s >")
        machine.run("xclaim s g bob 0 20-5 21-5 retrycount 9")
        return machine
    }

    @Test func aStreamComesBackAsItWas() {
        let machine = filled()
        let payload = dump(machine)
        #expect(restore(machine, "copy", payload) == "+OK\r\n")
        value(machine, "copy")?._checkInvariants()
        machine.checkInvariants()
        #expect(dump(machine, "copy") == payload)
        for command in ["xrange KEY - +", "xinfo groups KEY", "xpending KEY g", "xpending KEY g - + 1000", "xinfo stream KEY"] {
            let (old, new) = ("s", "copy")
            let first = machine.run(command.split(separator: " ").map { $0 == "KEY" ? old : String($0) })
            #expect(first == machine.run(command.split(separator: " ").map { $0 == "KEY" ? new : String($0) }), "\(command)")
        }
        // It goes on as the original does: nodes begin at the same places.
        for command in ["xadd KEY 300 a 1", "xtrim KEY maxlen ~ 60", "xautoclaim KEY g carol 0 - count 500 justid", "xlen KEY"] {
            let first = machine.run(command.split(separator: " ").map { $0 == "KEY" ? "s" : String($0) })
            #expect(first == machine.run(command.split(separator: " ").map { $0 == "KEY" ? "copy" : String($0) }), "\(command)")
        }
    }

    @Test func anEmptyStreamComesBack() {
        let machine = TestMachine()
        machine.run("xadd s 5 a 1")
        machine.run("xdel s 5")
        machine.run("xgroup create s g 3 entriesread 1")
        #expect(restore(machine, "copy", dump(machine)) == "+OK\r\n")
        #expect(value(machine, "copy")?.digest(seed: 1) == value(machine, "s")?.digest(seed: 1))
        machine.checkInvariants()
    }

    /// What redis-server 7.0.15 returns for `XADD s 1-1 f v g 12`, `XADD s 2-0 f w g 300`, `XADD s 3-0 h x`, `XDEL s 2-0`,
    /// `XGROUP CREATE s grp 0`, and reading one entry as `cons`, without compression; the time is another one.
    @Test func theBytesAreThoseOfRedis() {
        let machine = TestMachine()
        for command in [
            "xadd s 1-1 f v g 12", "xadd s 2-0 f w g 300", "xadd s 3-0 h x", "xdel s 2-0", "xgroup create s grp 0",
            "xreadgroup group grp cons count 1 streams s >",
        ] { machine.run(command) }
        let time: [UInt8] = [0x00, 0x68, 0xE5, 0xCF, 0x8B, 0x01, 0, 0]
        var expected: [UInt8] = [19, 1, 16, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]
        let elements: [UInt8] =
            [2, 1, 1, 1, 2, 1, 0x81, 0x66, 2, 0x81, 0x67, 2, 0, 1]
            + [2, 1, 0, 1, 0, 1, 0x81, 0x76, 2, 12, 1, 5, 1]
            + [3, 1, 1, 1, 0xDF, 0xFF, 2, 0x81, 0x77, 2, 0xC1, 0x2C, 2, 5, 1]
            + [0, 1, 2, 1, 0xDF, 0xFF, 2, 1, 1, 0x81, 0x68, 2, 0x81, 0x78, 2, 6, 1]
        let bytes = UInt8(elements.count + 7)
        expected += [0x40, bytes, bytes, 0, 0, 0, 25, 0] + elements + [0xFF]
        expected += [2, 3, 0, 1, 1, 2, 0, 3, 1, 3, 0x67, 0x72, 0x70, 1, 1, 0x81] + [UInt8](repeating: 255, count: 8) + [1]
        let id: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]
        expected += id + time + [1, 1, 4, 0x63, 0x6F, 0x6E, 0x73] + time + [1] + id
        let payload = dump(machine)
        #expect(Array(payload.dropLast(DumpPayload.footerBytes)) == expected)
    }

    /// Redis may keep a node in which everything is deleted.
    @Test func nodesOfTombstonesAreLeftOut() {
        let machine = TestMachine()
        machine.run("xadd s 1-1 f v")
        machine.run("xadd s 2-1 f v")
        machine.run("xdel s 1-1")
        var body = Array(dump(machine).dropLast(DumpPayload.footerBytes))
        // Two elements from the front of the listpack: one alive, one deleted; then the flags of the second entry, and the length.
        guard let front = Optional(26), body[front] == 1, body[front + 2] == 1 else {
            Issue.record("the listpack begins where it should")
            return
        }
        body[front] = 0
        body[front + 2] = 2
        guard let second = (front..<body.count - 1).first(where: { body[$0] == 4 && body[$0 + 1] == 1 && body[$0 + 2] == 2 }),
            let end = body[second...].firstIndex(of: 0xFF)
        else {
            Issue.record("the second entry is where it should be")
            return
        }
        body[second + 2] = 3
        #expect(body[end + 1] == 1)
        body[end + 1] = 0
        let buffer = ByteBuffer()
        buffer.append(body)
        DumpPayload.appendFooter(to: buffer)
        #expect(restore(machine, "t", buffer.view.array) == "+OK\r\n")
        #expect(machine.run("xlen t") == ":0\r\n")
        value(machine, "t")?._checkInvariants()
        #expect(machine.run("xadd t 2-1 a 1").hasPrefix("-ERR The ID specified in XADD is equal or smaller"))
        #expect(machine.run("xadd t 2-2 a 1") == "$3\r\n2-2\r\n")
    }

    /// Whatever the bytes are, the answer is a sound stream or an error.
    @Test(arguments: [1, 2, 3, 4]) func damageIsRefusedOrHarmless(seed: Int) {
        let machine = TestMachine()
        for number in 1...6 { machine.run("xadd s \(number) f \(number) g v") }
        machine.run("xadd s 7 other 1")
        machine.run("xdel s 2")
        machine.run("xgroup create s g 0")
        machine.run("xreadgroup group g a count 2 streams s >")
        machine.run("xreadgroup group g b count 2 streams s >")
        let body = Array(dump(machine).dropLast(DumpPayload.footerBytes))
        var random = RandomGenerator(seed: UInt64(seed))
        var (accepted, refused) = (0, 0)
        for _ in 0..<3000 {
            var changed = body
            for _ in 0...random.index(below: 2) {
                let place = 1 + random.index(below: changed.count - 1)
                switch random.index(below: 4) {
                case 0: changed[place] = UInt8(random.index(below: 256))
                case 1: changed[place] ^= 1 << UInt8(random.index(below: 8))
                case 2: changed.remove(at: place)
                default: changed.insert(UInt8(random.index(below: 256)), at: place)
                }
            }
            if random.index(below: 8) == 0 { changed[0] = [15, 19, 21][random.index(below: 3)] }
            let buffer = ByteBuffer()
            buffer.append(changed)
            DumpPayload.appendFooter(to: buffer)
            if restore(machine, "t", buffer.view.array) == "+OK\r\n" {
                accepted += 1
                value(machine, "t")?._checkInvariants()
                for command in [
                    "xinfo stream t full", "xinfo consumers t g", "xpending t g - + 10", "xadd t * a 1", "xautoclaim t g c 0 -",
                    "xreadgroup group g c streams t >", "xtrim t maxlen 1",
                ] { machine.run(command) }
            } else {
                refused += 1
            }
        }
        #expect(accepted > 100 && refused > 1000)
        machine.checkInvariants()
    }
}
