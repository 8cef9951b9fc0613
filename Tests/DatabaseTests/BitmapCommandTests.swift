import Base
import RESP
import Testing

@testable import Database

/// Replies as Redis gives them, `|` for line ends.
@Suite struct BitmapCommandTests {
    private static let wrongType = "-WRONGTYPE Operation against a key holding the wrong kind of value"
    private static let badOffset = "-ERR bit offset is not an integer or out of range"
    private static let badBit = "-ERR bit is not an integer or out of range"
    private static let badType =
        "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."

    @Test func bitsAreSetAndRead() {
        expect(
            TestMachine(),
            [
                ("setbit b 7 1", ":0"), ("get b", "$1|\u{1}"), ("setbit b 7 1", ":1"), ("setbit b 7 0", ":1"),
                ("getbit b 7", ":0"), ("getbit b 100", ":0"), ("getbit nope 0", ":0"), ("strlen b", ":1"),
                ("setbit b 23 0", ":0"), ("strlen b", ":3"), ("set n 5", "+OK"), ("object encoding n", "$3|int"),
                ("getbit n 2", ":1"), ("getbit n 8", ":0"), ("setbit n 2 1", ":1"), ("object encoding n", "$3|raw"),
                ("get n", "$1|5"), ("pexpire n 100000", ":1"), ("setbit n 15 1", ":0"), ("ttl n", ":100"),
            ])
    }

    @Test func wrongWordsAreRefused() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("setbit b -1 1", Self.badOffset), ("setbit b x 1", Self.badOffset), ("setbit b 4294967296 1", Self.badOffset),
                ("setbit b #1 1", Self.badOffset), ("setbit b 0 2", Self.badBit), ("setbit b 0 x", Self.badBit),
                ("getbit b 4294967296", Self.badOffset), ("getbit b 4294967295", ":0"), ("exists b", ":0"),
                ("bitcount b 1", ":0"), ("bitcount b x 2", ":0"), ("bitpos b 1 x", ":-1"), ("bitpos b 0 0 1 bit x", ":0"),
                ("set b \u{1}", "+OK"), ("bitcount b 1", "-ERR syntax error"), ("bitcount b 1 2 nibble", "-ERR syntax error"),
                ("bitcount b x 2", "-ERR value is not an integer or out of range"),
                ("bitcount b -1 -6 nibble", ":0"), ("bitcount b -6 -1 nibble", "-ERR syntax error"),
                ("bitcount b 1 2 bit 3", "-ERR syntax error"),
                ("bitpos b 2", "-ERR The bit argument must be 1 or 0."),
                ("bitpos b x", "-ERR value is not an integer or out of range"),
                ("bitpos b 1 0 x bits", "-ERR syntax error"),
                ("bitcount b 0 x bits", "-ERR value is not an integer or out of range"),
                ("bitpos b 1 0 1 bit x", "-ERR syntax error"), ("bitpos b 1 0 1 bits", "-ERR syntax error"),
                ("del b", ":1"), ("bitop nand d a b", "-ERR syntax error"),
                ("bitop not d a b", "-ERR BITOP NOT must be called with a single source key."),
                ("bitfield b get u64 0", Self.badType), ("bitfield b get i65 0", Self.badType),
                ("bitfield b get x8 0", Self.badType), ("bitfield b get u0 0", Self.badType),
                ("bitfield b get u8 -1", Self.badOffset), ("bitfield b get u8 #536870912", Self.badOffset),
                ("bitfield b get u8 #9223372036854775807", Self.badOffset),
                ("bitfield b set u8 0 x", "-ERR value is not an integer or out of range"),
                ("bitfield b overflow sometimes", "-ERR Invalid OVERFLOW type specified"),
                ("bitfield b get u8", "-ERR syntax error"), ("bitfield b set u8 0 1 get", "-ERR syntax error"),
                ("bitfield_ro b set u8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand"),
                ("exists b d", ":0"), ("rpush l 1", ":1"), ("setbit l 0 1", Self.wrongType), ("getbit l 0", Self.wrongType),
                ("bitcount l", Self.wrongType), ("bitpos l 1", Self.wrongType), ("bitop or d b l", Self.wrongType),
                ("bitfield l get u8 0", Self.wrongType), ("bitfield l set u8 0 1", Self.wrongType),
                ("bitfield_ro l get u8 0", Self.wrongType), ("llen l", ":1"),
            ])
    }

    @Test func rangesAreCounted() {
        let machine = TestMachine()
        machine.run("set s foobar")
        expect(
            machine,
            [
                ("bitcount s", ":26"), ("bitcount s 0 0", ":4"), ("bitcount s 1 1", ":6"), ("bitcount s 1 1 byte", ":6"),
                ("bitcount s 5 30 bit", ":17"), ("bitcount s -2 -1", ":7"), ("bitcount s -1 -2", ":0"),
                ("bitcount s 3 100", ":10"), ("bitcount s 10 20", ":0"), ("bitcount s 0 -100", ":4"), ("bitcount nope", ":0"),
                ("bitcount nope 0 -1 bit", ":0"), ("bitcount s 47 47 bit", ":0"), ("bitcount s 46 46 bit", ":1"),
                ("set e \"\"", "+OK"), ("bitcount e", ":0"), ("bitcount e 0 -1", ":0"), ("bitpos e 0", ":-1"),
                ("set n 1234567", "+OK"), ("bitcount n", ":26"),
            ])
    }

    @Test func theFirstBitIsFound() {
        let machine = TestMachine()
        machine.run(bytes: [Array("set".utf8), Array("a".utf8), [0xFF, 0xF0, 0x00]])
        machine.run(bytes: [Array("set".utf8), Array("z".utf8), [0, 0, 0]])
        machine.run(bytes: [Array("set".utf8), Array("o".utf8), [0xFF, 0xFF, 0xFF]])
        machine.run(bytes: [Array("set".utf8), Array("m".utf8), [0x00, 0xFF, 0xF0]])
        expect(
            machine,
            [
                ("bitpos a 0", ":12"), ("bitpos m 1 0", ":8"), ("bitpos m 1 2", ":16"), ("bitpos m 1 2 -1 byte", ":16"),
                ("bitpos m 1 7 15 bit", ":8"), ("bitpos m 1 7 -3 bit", ":8"), ("bitpos z 1", ":-1"), ("bitpos o 0", ":24"),
                ("bitpos o 0 0", ":24"), ("bitpos o 0 1", ":24"), ("bitpos o 0 0 -1", ":-1"), ("bitpos o 0 3", ":-1"),
                ("bitpos o 0 0 100 bit", ":-1"), ("bitpos nope 0", ":0"), ("bitpos nope 1", ":-1"), ("bitpos z 0 -1", ":16"),
                ("bitpos m 1 2 1", ":-1"), ("bitpos a 1 9 9 bit", ":9"), ("bitpos a 1 12 15 bit", ":-1"),
                ("bitpos a 0 8 11 bit", ":-1"), ("bitpos a 0 8 12 bit", ":12"),
            ])
    }

    @Test func bitmapsAreCombined() {
        expect(
            TestMachine(),
            [
                ("set a foobar", "+OK"), ("set b abcdef", "+OK"), ("bitop and d a b", ":6"), ("get d", "$6|`bc`ab"),
                ("bitop or d a b", ":6"), ("get d", "$6|goofev"), ("bitop xor d a a", ":6"), ("bitop not d a", ":6"),
                ("set c x", "+OK"), ("bitop or d a c", ":6"), ("get d", "$6|~oobar"), ("bitop and d a c", ":6"),
                ("get d", "$6|`\u{0}\u{0}\u{0}\u{0}\u{0}"), ("object encoding d", "$3|raw"), ("bitop or d nope none", ":0"),
                ("exists d", ":0"), ("set i 12", "+OK"), ("set j 3", "+OK"), ("bitop or a i j", ":2"), ("get a", "$2|32"),
                ("pexpire a 1000", ":1"), ("bitop or a a nope", ":2"), ("ttl a", ":-1"), ("bitop not nope2 nope", ":0"),
            ])
    }

    @Test func fieldsAreReadAndWritten() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("bitfield b set i8 0 100", "*1|:0"), ("bitfield b incrby i8 0 100", "*1|:-56"),
                ("bitfield b get u8 0", "*1|:200"),
                ("bitfield b overflow sat incrby i8 0 -100 overflow fail incrby i8 0 -1", "*2|:-128|$-1"),
                ("bitfield b get i5 #1 get u4 0", "*2|:0|:8"), ("bitfield b", "*0"), ("bitfield nope get u8 0", "*1|:0"),
                ("exists nope", ":0"), ("bitfield b incrby u2 100 1 overflow sat incrby u2 102 1", "*2|:1|:1"),
                ("strlen b", ":13"), ("bitfield b incrby u2 100 1 overflow sat incrby u2 102 1", "*2|:2|:2"),
                ("bitfield b incrby u2 100 1 overflow sat incrby u2 102 1", "*2|:3|:3"),
                ("bitfield b incrby u2 100 1 overflow sat incrby u2 102 1", "*2|:0|:3"),
                ("bitfield b overflow fail incrby u2 102 1", "*1|$-1"),
                ("bitfield w set i64 #1 -5 get i64 64 get u63 64", "*3|:0|:-5|:9223372036854775805"),
                ("bitfield w overflow sat incrby i64 64 -9223372036854775808", "*1|:-9223372036854775808"),
                ("bitfield w incrby i64 64 -1", "*1|:9223372036854775807"),
                ("bitfield w set u8 3 -1 get u8 3 get u16 0", "*3|:0|:255|:8160"),
                ("bitfield w overflow sat set u8 3 -1 set i8 3 300 get i8 3", "*3|:255|:-1|:127"),
                ("bitfield_ro w get u4 #1", "*1|:15"), ("bitfield_ro w", "*0"),
                ("bitfield f overflow fail set u1 5 2", "*1|$-1"), ("strlen f", ":1"),
                ("command getkeysandflags bitfield k get u8 0", "*1|*2|$1|k|*2|+RO|+access"),
                ("command getkeysandflags bitfield k get u8 0 set u8 0 1", "*1|*2|$1|k|*3|+RW|+access|+update"),
            ])
        machine.version = .three
        #expect(machine.run("bitfield b overflow fail incrby u2 102 1") == "*1\r\n_\r\n")
    }

    /// A write that changes nothing is no change: WATCH does not see it.
    @Test func whatStaysTheSameIsNoChange() {
        let machine = TestMachine()
        machine.run("setbit b 100 1")
        let changes = machine.machine.changes
        machine.run("setbit b 100 1")
        machine.run("setbit b 3 0")
        machine.run("bitfield b get u8 0 set u4 100 8 incrby u4 100 0")
        #expect(machine.machine.changes == changes)
        machine.run("setbit b 200 0")
        #expect(machine.machine.changes == changes + 1)
    }

    // MARK: against a model of bits one by one

    private func bits(_ bytes: [UInt8]) -> [Bool] { bytes.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 == 1 } } }

    @Test func countsAndPlacesAgreeWithBitsOneByOne() {
        var random = RandomGenerator(seed: 3)
        for _ in 0..<400 {
            let kind = random.index(below: 4)
            let bytes = (0..<(1 + random.index(below: 120))).map { _ -> UInt8 in
                kind == 0
                    ? 0 : kind == 1 ? 0xFF : random.index(below: 20) == 0 ? UInt8(random.index(below: 256)) : kind == 2 ? 0 : 0xFF
            }
            let model = bits(bytes)
            let first = random.index(below: model.count)
            let range = first...(first + random.index(below: model.count - first))
            bytes.withView { view in
                #expect(Bits.count(view) == model.count { $0 })
                #expect(Bits.count(view, in: range) == model[range].count { $0 })
                for bit in [true, false] {
                    #expect(Bits.first(bit, in: view, range) == model[range].firstIndex(of: bit))
                }
            }
        }
    }

    @Test func fieldsAgreeWithBitsOneByOne() {
        var random = RandomGenerator(seed: 4)
        var bytes = (0..<40).map { _ in UInt8(random.index(below: 256)) }
        for _ in 0..<3000 {
            let width = 1 + random.index(below: 64)
            let offset = random.index(below: 40 * 8 + 30)
            let model = bits(bytes) + [Bool](repeating: false, count: 200)
            var expected: UInt64 = 0
            for bit in model[offset..<(offset + width)] { expected = expected << 1 | (bit ? 1 : 0) }
            #expect(bytes.withView { Bits.field($0, offset: offset, bits: width) } == expected)
            if offset + width > 40 * 8 { continue }
            let value = random.next()
            bytes.withUnsafeMutableBytes { Bits.setField($0, offset: offset, bits: width, to: value) }
            var changed = model
            for place in 0..<width { changed[offset + place] = value >> UInt64(width - 1 - place) & 1 == 1 }
            #expect(bits(bytes) == Array(changed[..<320]))
        }
    }

    @Test func combinationsAgreeWithBytesOneByOne() {
        var random = RandomGenerator(seed: 5)
        for round in 0..<60 {
            let size = round < 50 ? 100 : 40_000
            let sources = (0..<(1 + random.index(below: 5))).map { _ in
                (0..<random.index(below: size)).map { _ in UInt8(random.index(below: 256)) }
            }
            let longest = sources.reduce(0) { max($0, $1.count) }
            if longest == 0 { continue }
            for operation in [Bits.Operation.and, .or, .xor] {
                var expected: [UInt8] = []
                for place in 0..<longest {
                    let bytes = sources.map { place < $0.count ? $0[place] : 0 }
                    expected.append(
                        bytes.dropFirst().reduce(bytes[0]) {
                            operation == .and ? $0 & $1 : operation == .or ? $0 | $1 : $0 ^ $1
                        })
                }
                var result = [UInt8](repeating: 0xAA, count: longest)
                let views = sources.map { source in source.withUnsafeBytes { Array($0) } }
                let buffers = views.map { bytes in
                    let buffer = ByteBuffer(capacity: bytes.count + 1)
                    buffer.append(bytes)
                    return buffer
                }
                result.withUnsafeMutableBytes { Bits.combine(operation, buffers.map(\.view), into: $0) }
                #expect(result == expected)
            }
        }
    }
}
