import Base
import RESP
import Testing

@testable import Database

/// The bytes and the counts are those of a real Redis: 7.0.15 gave the figures below.
@Suite struct HyperLogLogTests {
    private static let invalid = "-WRONGTYPE Key is not a valid HyperLogLog string value."
    private static let damaged = "-INVALIDOBJ Corrupted HLL object detected"

    private func add(_ machine: TestMachine, _ key: String, _ prefix: String, _ range: Range<Int>) {
        for start in stride(from: range.lowerBound, to: range.upperBound, by: 500) {
            let end = min(range.upperBound, start + 500)
            machine.run(["pfadd", key] + (start..<end).map { "\(prefix)\($0)" })
        }
    }

    private func bytes(_ machine: TestMachine, _ key: StaticString) -> [UInt8] {
        machine.machine.execution.peek(ByteView(key))?.bytes.array ?? []
    }

    @Test func theSelfTestFindsNothing() {
        expect(
            TestMachine(), [("pfselftest", "+OK"), ("pfselftest x", "-ERR wrong number of arguments for 'pfselftest' command")])
    }

    @Test func bytesAndCountsAreRedisOwn() {
        let machine = TestMachine()
        machine.run("pfadd h")
        var added = 0
        let rows: [(count: Int, bytes: Int, checksum: UInt32, estimate: Int)] = [
            (0, 18, 0x9C01_DFF1, 0), (1, 21, 0xE300_3A3B, 1), (10, 48, 0x5F8F_42E1, 10), (100, 285, 0x219D_5744, 99),
            (500, 1050, 0x4BDF_48DC, 502), (1000, 1897, 0x1FD4_AA61, 997), (1500, 2722, 0x25C2_ECF7, 1500),
            (2000, 12304, 0x0CB2_C64D, 2004), (5000, 12304, 0x9E92_34C0, 5005), (100_000, 12304, 0x8121_65DC, 100_039),
        ]
        for row in rows {
            add(machine, "h", "element:", added..<row.count)
            added = row.count
            let bytes = bytes(machine, "h")
            #expect(bytes.count == row.bytes && bytes.withView { CRC32C.checksum($0) } == row.checksum, "\(row.count)")
            #expect(machine.run("pfcount h") == ":\(row.estimate)\r\n")
            #expect(machine.run("pfcount h") == ":\(row.estimate)\r\n", "the remembered count is the same")
            #expect(machine.run("pfcount h nope h") == ":\(row.estimate)\r\n", "a union with itself is the same")
        }
        #expect(machine.run("object encoding h") == "$3\r\nraw\r\n")
    }

    @Test func mergingAndLookingInside() {
        let machine = TestMachine()
        add(machine, "a", "a", 0..<300)
        add(machine, "b", "b", 0..<300)
        expect(machine, [("pfmerge c a b", "+OK"), ("pfcount a b", ":603"), ("pfcount c", ":603"), ("strlen c", ":1218")])
        #expect(bytes(machine, "c").withView { CRC32C.checksum($0) } == 0xCC3D_25BE)
        add(machine, "h", "element:", 0..<10)
        expect(
            machine,
            [
                (
                    "pfdebug decode h",
                    """
                    $132|Z:1167 v:1,1 Z:1340 v:2,1 Z:494 v:3,1 Z:1052 v:1,1 Z:125 v:5,1 Z:1282 v:1,1 Z:2740 v:2,1 Z:115 v:1,1 Z:6365 \
                    v:1,1 Z:1104 v:2,1 Z:590
                    """
                ),
                ("pfdebug encoding h", "+sparse"), ("pexpire h 100000", ":1"), ("pfdebug todense h", ":1"), ("ttl h", ":100"),
                ("pfdebug todense h", ":0"), ("pfdebug encoding h", "+dense"), ("pfcount h", ":10"),
                ("pfdebug decode h", "-ERR HLL encoding is not sparse"),
                ("pfdebug nope h", "-ERR Unknown PFDEBUG subcommand 'nope'"),
                ("pfdebug encoding none", "-ERR The specified key does not exist"), ("pfmerge a h", "+OK"),
                ("pfdebug encoding a", "+dense"), ("pfcount a", ":310"), ("pfadd h element:3", ":0"), ("pfadd h another", ":1"),
                ("ttl h", ":100"), ("pfmerge d", "+OK"), ("pfcount d", ":0"), ("pfadd e", ":1"), ("pfadd e", ":0"),
                ("pfcount none", ":0"), ("pfcount none none2", ":0"), ("pfmerge f none", "+OK"), ("strlen f", ":18"),
            ])
        #expect(machine.run("pfdebug getreg b").hasPrefix("*16384\r\n:0\r\n"))
        #expect(machine.run("pfdebug encoding b") == "+dense\r\n")
    }

    @Test func otherStringsAreRefused() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("set n 12", "+OK"), ("set s text", "+OK"), ("set h HYLLxxxxxxxxxxxx", "+OK"), ("pfadd n a", Self.invalid),
                ("pfadd s a", Self.invalid), ("pfadd h a", Self.invalid), ("pfcount s", Self.invalid),
                ("pfcount none s", Self.invalid),
                ("pfmerge d s", Self.invalid), ("pfmerge s d", Self.invalid), ("pfdebug encoding s", Self.invalid),
                ("exists d", ":0"),
                ("rpush l 1", ":1"), ("pfadd l 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("pfcount l", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("pfmerge d l", "-WRONGTYPE Operation against a key holding the wrong kind of value"), ("get s", "$4|text"),
            ])
    }

    @Test func aNotedCountIsBelieved() {
        let machine = TestMachine()
        var bytes = HyperLogLog.empty()
        bytes[8] = 77
        machine.run(bytes: [Array("set".utf8), Array("k".utf8), bytes])
        #expect(machine.run("pfcount k") == ":77\r\n")
        #expect(machine.run("pfadd k") == ":0\r\n" && machine.run("pfcount k") == ":77\r\n")
        machine.run("pfadd k x")
        #expect(machine.run("pfcount k") == ":1\r\n")
    }

    /// Errors have no partial effect, whatever stands behind the header.
    @Test func damageIsFoundAndChangesNothing() {
        let machine = TestMachine()
        let header = Array(HyperLogLog.empty()[..<15]) + [0x80]
        let bodies: [[UInt8]] = [[], [0x7F], [0x7F, 0xFE], [0x7F, 0xFF, 0x00], [0x00], [0xFF, 0x7F, 0xFF]]
        for body in bodies {
            machine.run(bytes: [Array("set".utf8), Array("k".utf8), header + body])
            expect(machine, [("pfcount k", Self.damaged), ("pfcount k k", Self.damaged), ("pfmerge d k", Self.damaged)])
            expect(machine, [("pfdebug todense k", Self.damaged), ("exists d", ":0")])
            machine.run(["pfadd", "k"] + (0..<60).map { "x\($0)" })
            let now = machine.machine.execution.peek(ByteView("k"))?.bytes.array
            if body == [0x7F, 0xFE] || body == [0x7F, 0xFF, 0x00] || body == [0xFF, 0x7F, 0xFF] { continue }
            #expect(now == header + body)
        }
    }

    /// Any bytes: never past the end (a view checks every access), and what is changed stays as whole as it was.
    @Test func anyBytesAreRead() {
        var random = RandomGenerator(seed: 11)
        let machine = TestMachine()
        var seed = HyperLogLog.empty()
        for _ in 0..<300 {
            _ = HyperLogLog.raise(
                &seed, random.index(below: HyperLogLog.registers), to: UInt8(1 + random.index(below: 20)), sparseBytesMax: 3000)
        }
        for round in 0..<1500 {
            var bytes = seed
            for _ in 0..<(1 + random.index(below: 6)) {
                switch random.index(below: 4) {
                case 0: bytes[5 + random.index(below: bytes.count - 5)] = UInt8(random.index(below: 256))
                case 1: bytes.remove(at: 16 + random.index(below: bytes.count - 16))
                case 2: bytes.insert(UInt8(random.index(below: 256)), at: 16 + random.index(below: bytes.count - 16))
                default: if bytes.count > 60 { bytes.removeLast(random.index(below: 30)) }
                }
            }
            let isWhole = bytes.withView { HyperLogLog.count($0) } != nil
            machine.run(bytes: [Array("set".utf8), Array("k".utf8), bytes])
            let added = machine.run(["pfadd", "k"] + (0..<5).map { "\(round):\($0)" })
            machine.run("pfcount k")
            machine.run("pfcount k k")
            machine.run("pfdebug decode k")
            let merged = machine.run("pfmerge d k")
            #expect((merged == "+OK\r\n") == isWhole, "adding neither heals nor breaks")
            if isWhole { #expect(added.hasPrefix(":")) }
            machine.run("del d")
        }
    }

    @Test func registersOfBothFormsAgree() {
        var random = RandomGenerator(seed: 12)
        var sparse = HyperLogLog.empty()
        var dense = sparse.withView { HyperLogLog.dense($0) } ?? []
        var model = [UInt8](repeating: 0, count: HyperLogLog.registers)
        for _ in 0..<2500 {
            let register = random.index(below: 3) == 0 ? random.index(below: 40) : random.index(below: HyperLogLog.registers)
            let value = UInt8(1 + random.index(below: 51))
            let expected: HyperLogLog.Raised = value > model[register] ? .changed : .unchanged
            model[register] = max(model[register], value)
            #expect(HyperLogLog.raise(&sparse, register, to: value, sparseBytesMax: 3000) == expected)
            #expect(HyperLogLog.raise(&dense, register, to: value, sparseBytesMax: 3000) == expected)
            for _ in 0..<3 {
                let some = random.index(below: HyperLogLog.registers)
                #expect(sparse.withView { HyperLogLog.value($0, some) } == model[some])
            }
            if sparse[4] == 0 { break }
        }
        for bytes in [sparse, dense] {
            var merged = [UInt8](repeating: 0, count: HyperLogLog.registers)
            let isWhole = bytes.withView { HyperLogLog.merge($0, into: &merged) }
            #expect(isWhole && merged == model)
            #expect(bytes.withView { HyperLogLog.count($0) } == HyperLogLog.count(registers: model))
            var written = bytes.withView { HyperLogLog.dense($0) } ?? []
            HyperLogLog.setDense(&written, to: model)
            #expect(written.dropFirst(16).elementsEqual(dense.dropFirst(16)))
        }
    }

    /// Registers that are raised in ascending order, with the search going on where it was, give the same bytes as each by itself, whatever
    /// stood there.
    @Test(arguments: [UInt64(1), 2, 3, 4]) func raisingInOrderGivesTheSameBytes(seed: UInt64) {
        var random = RandomGenerator(seed: seed)
        var stepwise = HyperLogLog.empty()
        var inOrder = stepwise
        for _ in 0..<40 {
            // Dense clusters of few values, so that opcodes are cut and joined.
            let base = random.index(below: HyperLogLog.registers - 40)
            var start = SparsePlace.first
            for register in base..<(base + 40) where random.index(below: 3) > 0 {
                let value = UInt8(1 + random.index(below: 3))
                let first = HyperLogLog.raise(&stepwise, register, to: value, sparseBytesMax: 12000)
                let second = HyperLogLog.raise(&inOrder, register, to: value, sparseBytesMax: 12000, from: &start)
                #expect(first == second)
            }
            #expect(stepwise == inOrder)
        }
    }

    /// A search that begins where the one before it said gives the same bytes as one from the front.
    @Test(arguments: [UInt64(1), 2, 3]) func raisingFromWhereASearchEndedGivesTheSameBytes(seed: UInt64) {
        var random = RandomGenerator(seed: seed)
        var front = HyperLogLog.empty()
        var onwards = front
        let base = random.index(below: HyperLogLog.registers - 300)
        for step in 0..<3000 {
            let register = step % 4 == 0 ? random.index(below: HyperLogLog.registers) : base + random.index(below: 300)
            let value = UInt8(1 + random.index(below: step % 2 == 0 ? 3 : 32))
            guard let (known, found) = onwards.withView({ HyperLogLog.search($0, register) }) else {
                Issue.record("every register is covered")
                return
            }
            var start = found
            let first = HyperLogLog.raise(&front, register, to: value, sparseBytesMax: 12000)
            let second = HyperLogLog.raise(&onwards, register, to: value, sparseBytesMax: 12000, from: &start)
            #expect(first == second && (first == .changed) == (known < value))
            let isSame = front == onwards
            #expect(isSame)
        }
    }
}
