import Base
import RESP
import Testing

@testable import Database

@Suite struct DumpCommandTests {
    private func dump(_ machine: TestMachine, _ key: String) -> [UInt8] {
        let reply = machine.run(bytes: [Array("DUMP".utf8), Array(key.utf8)])
        guard let line = reply.firstIndex(of: 0x0A) else { return [] }
        return Array(reply[(line + 1)..<(reply.count - 2)])
    }

    private func restore(_ machine: TestMachine, _ key: String, _ payload: [UInt8], _ options: [String] = ["0"]) -> String {
        let words = ["RESTORE", key, options[0]].map { Array($0.utf8) } + [payload] + options.dropFirst().map { Array($0.utf8) }
        let reply = String(decoding: machine.run(bytes: words), as: UTF8.self)
        machine.checkInvariants()
        return reply
    }

    /// A payload of type and value, with a footer that fits.
    private func payload(_ body: [UInt8], version: UInt16 = 10) -> [UInt8] {
        let buffer = ByteBuffer()
        buffer.append(body)
        DumpPayload.appendFooter(to: buffer, version: version)
        return buffer.view.array
    }

    private static let bad = "-ERR Bad data format\r\n"

    /// Commands that make a key `k` of every type and form.
    private static let makers: [(commands: [String], encoding: String)] = [
        (["SET k 12345"], "int"), (["SET k -1"], "int"), (["SET k 99999999999"], "int"), (["SET k text"], "embstr"),
        (["SET k " + String(repeating: "long", count: 40)], "raw"), (["SET k \"\""], "embstr"),
        (["RPUSH k a 1 -70000 5000000000 9999999999999999999"], "listpack"),
        (["RPUSH k " + (0..<3000).map { "element-\($0)" }.joined(separator: " ")], "quicklist"),
        (["RPUSH k " + String(repeating: "x", count: 20_000)], "quicklist"),
        (["SADD k 1 2 3"], "intset"), (["SADD k 1 70000 -3"], "intset"), (["SADD k 1 5000000000"], "intset"),
        (["SADD k a b 3"], "listpack"),
        (["SADD k " + (0..<600).map { "\($0)" }.joined(separator: " ")], "hashtable"),
        (["SADD k a " + (0..<200).map { "m\($0)" }.joined(separator: " ")], "hashtable"),
        (["ZADD k 1 a 2.5 b -inf c inf d 100000000000000000 e 1e-7 f"], "listpack"),
        (["ZADD k " + (0..<300).map { "\(Double($0) / 8) m\($0)" }.joined(separator: " ")], "skiplist"),
        (["HSET k f v 1 2"], "listpack"),
        (["HSET k " + (0..<600).map { "f\($0) v\($0)" }.joined(separator: " ")], "hashtable"),
        (["HSET k f " + String(repeating: "y", count: 100)], "hashtable"),
        (
            [
                "XADD k 1-1 f v", "XADD k 1-2 f w", "XADD k 5-0 other 1 x y", "XDEL k 1-2", "XGROUP CREATE k g 0",
                "XREADGROUP GROUP g c COUNT 1 STREAMS k >", "XGROUP CREATE k behind $",
            ], "stream"
        ),
        ((0..<350).map { "XADD k \($0 / 3 + 1)-* f\($0 / 20) v\($0)" }, "stream"),
        (["XADD k 1-1 f v", "XDEL k 1-1"], "stream"),
    ]

    @Test func everyFormComesBackAsItWas() {
        for (commands, encoding) in DumpCommandTests.makers {
            let machine = TestMachine()
            for command in commands { machine.run(command) }
            let name = "\(commands[0].prefix(30))"
            let digest = machine.run("DEBUG DIGEST-VALUE k")
            let payload = dump(machine, "k")
            #expect(restore(machine, "copy", payload) == "+OK\r\n", "\(name)")
            #expect(machine.run("DEBUG DIGEST-VALUE copy") == digest, "\(name)")
            #expect(machine.run("OBJECT ENCODING copy") == "$\(encoding.utf8.count)\r\n\(encoding)\r\n", "\(name)")
            #expect(dump(machine, "copy") == payload, "\(name)")
            // A cluster with other hashes holds the same value.
            let other = TestMachine(seed: 99)
            #expect(restore(other, "k", payload) == "+OK\r\n", "\(name)")
            #expect(other.run("OBJECT ENCODING k") == "$\(encoding.utf8.count)\r\n\(encoding)\r\n", "\(name)")
            #expect(machine.run("TYPE k") == other.run("TYPE k"))
        }
    }

    /// What redis-server 7.0.15 returned from DUMP.
    @Test func payloadsOfRedisAreRead() {
        let rows: [(key: String, payload: String, command: String, reply: String)] = [
            ("i", "00c1d4fe0a00c6c48623febede2e", "GET i", "$4|-300"),
            ("s", "000568656c6c6f0a006372df766534200a", "GET s", "$5|hello"),
            (
                "lzf", "00c30a405002616261e042010161620a00949d5f0eb1dea445", "GET lzf",
                "$80|abababababababababababababababababababababababababababababababababababababababab"
            ),
            (
                "l", "120102151500000004008161020101f178ec03f270110104ff0a00e9714f83ef94e564", "LRANGE l 0 -1",
                "*4|$1|a|$1|1|$5|-5000|$5|70000"
            ),
            ("is", "0b140400000003000000fdffffff01000000701101000a007b8d4dddaf2286d7", "SMEMBERS is", "*3|$2|-3|$1|1|$5|70000"),
            (
                "z", "1114140000000400816102010181620283322e3504ff0a00d44c6ea4f644d9d7", "ZRANGE z 0 -1 WITHSCORES",
                "*4|$1|a|$1|1|$1|b|$3|2.5"
            ),
            ("h", "101111000000040081660281760201010201ff0a001a4df2175e0bff9b", "HGETALL h", "*4|$1|f|$1|v|$1|1|$1|2"),
            (
                "x",
                "1301100000000000000005000000000000000128280000000f00020100010101816602000102010001000181760204010201000101018177020401ff0205020501000002010167000081ffffffffffffffff00000a0007bc6c9e36564480",
                "XRANGE x - +", "*2|*2|$3|5-1|*2|$1|f|$1|v|*2|$3|5-2|*2|$1|f|$1|w"
            ),
        ]
        let machine = TestMachine()
        for (key, text, command, reply) in rows {
            let digits = Array(text.utf8).map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
            let payload = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
            #expect(restore(machine, key, payload) == "+OK\r\n", "\(key)")
            expect(machine, [(command, reply)])
            // What is too short to be compressed is written as Redis writes it.
            if !["lzf", "x"].contains(key) { #expect(dump(machine, key) == payload, "\(key)") }
        }
    }

    @Test func optionsAreThoseOfRedis() {
        let machine = TestMachine()
        machine.run("SET k v")
        let payload = dump(machine, "k")
        #expect(restore(machine, "k", payload) == "-BUSYKEY Target key name already exists.\r\n")
        #expect(restore(machine, "k", payload, ["0", "REPLACE"]) == "+OK\r\n")
        #expect(restore(machine, "k", payload, ["5000", "replace"]) == "+OK\r\n")
        #expect(machine.run("PTTL k") == ":5000\r\n")
        #expect(restore(machine, "k", payload, ["1700000100000", "ABSTTL", "REPLACE"]) == "+OK\r\n")
        #expect(machine.run("PTTL k") == ":100000\r\n")
        #expect(restore(machine, "k", payload, ["1", "ABSTTL", "REPLACE"]) == "+OK\r\n")
        #expect(machine.run("EXISTS k") == ":0\r\n", "what has expired already is not there, nor what it replaced")
        #expect(restore(machine, "k", payload, ["0", "IDLETIME", "1000"]) == "+OK\r\n")
        #expect(machine.run("OBJECT IDLETIME k") == ":1000\r\n")
        #expect(restore(machine, "k", payload, ["0", "FREQ", "255", "REPLACE"]) == "+OK\r\n")
        let errors: [([String], String)] = [
            (["x", "REPLACE"], "ERR value is not an integer or out of range"),
            (["-1", "REPLACE"], "ERR Invalid TTL value, must be >= 0"),
            (["9223372036854775807", "REPLACE"], "ERR invalid expire time in 'restore' command"),
            (["0", "FOO"], "ERR syntax error"), (["0", "IDLETIME"], "ERR syntax error"), (["0", "FREQ"], "ERR syntax error"),
            (["0", "IDLETIME", "x"], "ERR value is not an integer or out of range"),
            (["0", "IDLETIME", "-1"], "ERR Invalid IDLETIME value, must be >= 0"),
            (["0", "FREQ", "256"], "ERR Invalid FREQ value, must be >= 0 and <= 255"),
            (["0", "FREQ", "-1"], "ERR Invalid FREQ value, must be >= 0 and <= 255"),
            (["0", "FREQ", "1", "IDLETIME", "1"], "ERR syntax error"), (["0", "IDLETIME", "1", "FREQ", "1"], "ERR syntax error"),
            (["x"], "BUSYKEY Target key name already exists."),
        ]
        for (options, error) in errors { #expect(restore(machine, "k", payload, options) == "-\(error)\r\n", "\(options)") }
        #expect(machine.run("GET k") == "$1\r\nv\r\n")
        #expect(machine.run("DUMP none") == "$-1\r\n")
        machine.version = .three
        #expect(machine.run("DUMP none") == "_\r\n")
    }

    /// As Redis 7.4 writes them: older servers refuse the version, and no deadline is lost silently.
    @Test func deadlinesOfFieldsComeAlong() {
        let machine = TestMachine()
        machine.run("HSET h a 1 b 2 c 3")
        machine.run("HPEXPIREAT h 1700000100000 FIELDS 1 b")
        machine.run("HPEXPIREAT h 1700000100255 FIELDS 1 c")
        let bytes = dump(machine, "h")
        let body: [UInt8] =
            [24, 0xA0, 0xEE, 0xE6, 0xCF, 0x8B, 1, 0, 0, 3, 0, 1, 0x61, 0xC0, 1, 1, 1, 0x62, 0xC0, 2]
            + [0x41, 0x00, 1, 0x63, 0xC0, 3]
        #expect(bytes == payload(body, version: 12))
        #expect(restore(machine, "i", bytes) == "+OK\r\n")
        expect(
            machine,
            [
                ("hpexpiretime i FIELDS 3 a b c", "*3|:-1|:1700000100000|:1700000100255"),
                ("hgetall i", "*6|$1|a|$1|1|$1|b|$1|2|$1|c|$1|3"),
                ("copy i j", ":1"), ("rename j k", "+OK"), ("hpexpiretime k FIELDS 1 c", "*1|:1700000100255"),
            ])
        #expect(dump(machine, "i") == bytes)
        // The packed form: the soonest deadline, then field, value and deadline in turn.
        let packed: [UInt8] =
            [25, 0xA0, 0xEE, 0xE6, 0xCF, 0x8B, 1, 0, 0, 29, 29, 0, 0, 0, 6, 0, 0x81, 0x62, 2, 2, 1]
            + [0xF4, 0xA0, 0xEE, 0xE6, 0xCF, 0x8B, 1, 0, 0, 9, 0x81, 0x61, 2, 1, 1, 0, 1, 0xFF]
        #expect(restore(machine, "p", payload(packed, version: 12)) == "+OK\r\n")
        expect(machine, [("hpexpiretime p FIELDS 2 b a", "*2|:1700000100000|:-1"), ("hget p a", "$1|1"), ("hlen p", ":2")])
        // What is due goes as it would have gone here; a hash of nothing else is gone at once.
        machine.advance(milliseconds: 100_100)
        machine.tick()
        #expect(restore(machine, "late", bytes) == "+OK\r\n")
        expect(machine, [("hkeys late", "*2|$1|a|$1|c"), ("hlen p", ":1")])
        machine.advance(milliseconds: 1000)
        machine.tick()
        #expect(dump(machine, "i")[0] == 16, "without deadlines as before")
        #expect(
            restore(machine, "gone", payload([24, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0x61, 1, 0x62], version: 12)) == "+OK\r\n")
        expect(machine, [("exists gone", ":0"), ("hlen i", ":1")])
    }

    @Test func deadlinesOfFieldsThatCanNotBeAreRefused() {
        let machine = TestMachine()
        let bodies: [[UInt8]] = [
            [24, 1, 0, 0, 0, 0, 0, 0, 0, 0], [24, 1, 0, 0, 0, 0, 0, 0],
            [24, 0, 0, 0, 0, 0, 0, 0, 0x80, 1, 1, 1, 0x61, 1, 0x62], [24, 0, 0, 0, 0, 0, 0x40, 0, 0, 1, 1, 1, 0x61, 1, 0x62],
            [24, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0x81, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0x61, 1, 0x62],
            [24, 1, 0, 0, 0, 0, 0, 0, 0, 2, 1, 1, 0x61, 1, 0x62, 1, 1, 0x61, 1, 0x62],
            [25, 1, 0, 0, 0, 0, 0, 0, 0, 11, 11, 0, 0, 0, 2, 0, 1, 1, 1, 1, 0xFF],
            [25, 1, 0, 0, 0, 0, 0, 0, 0, 14, 14, 0, 0, 0, 3, 0, 1, 1, 1, 1, 0x81, 0x61, 2, 0xFF],
        ]
        for body in bodies { #expect(restore(machine, "h", payload(body, version: 12)) == DumpCommandTests.bad, "\(body)") }
        #expect(machine.run("exists h") == ":0\r\n")
    }

    @Test func whatIsDamagedIsRefusedAndChangesNothing() {
        let machine = TestMachine()
        machine.run("RPUSH k a b c")
        let good = dump(machine, "k")
        let wrong = "-ERR DUMP payload version or checksum are wrong\r\n"
        for length in 0..<good.count { #expect(restore(machine, "new", Array(good.prefix(length))) == wrong) }
        for index in good.indices {
            var bytes = good
            bytes[index] ^= 0x10
            #expect(restore(machine, "new", bytes) == wrong)
        }
        #expect(restore(machine, "new", payload([0, 1, 0x61], version: 13)) == wrong)
        #expect(restore(machine, "new", payload([0, 1, 0x61], version: 11)) == "+OK\r\n")
        #expect(restore(machine, "old", payload([0, 1, 0x61], version: 1)) == "+OK\r\n")
        // With a checksum that fits, what is inside is looked at.
        let bodies: [[UInt8]] = [
            [], [8], [30], [0], [0, 5, 0x61], [0, 1, 0x61, 0x62], [1, 0], [2, 0], [4, 0], [5, 0], [18, 0],
            [2, 2, 1, 0x61, 1, 0x61],  // the same member twice
            [4, 2, 1, 0x61, 1, 0x62, 1, 0x61, 1, 0x62],  // the same field twice
            [3, 1, 1, 0x61, 253],  // NaN
            [3, 1, 1, 0x61, 1, 0x78],  // no number
            [5, 1, 1, 0x61, 0, 0, 0, 0, 0, 0, 0xF8, 0x7F],  // NaN
            [5, 2, 1, 0x61, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x61, 0, 0, 0, 0, 0, 0, 0, 0],
            [2, 0x80, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0x61],  // more members than bytes
            [0, 0x81, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            [0, 0xC3, 3, 0x80, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0x61, 0],  // three bytes that claim to unfold to 2 GiB
            [0, 0xC3, 2, 1, 0x20, 0],  // a reference to before the beginning
            [0, 0xC4, 1], [0, 0x82, 1],
            [11, 8, 2, 0, 0, 0, 0, 0, 0, 0],  // no integers
            [11, 12, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 1, 0],  // not ascending
            [11, 12, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 1, 0],
            [11, 10, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0],  // no such width
            [18, 1, 3, 1, 0x61],  // no such kind of node
            [16, 9, 9, 0, 0, 0, 1, 0, 1, 1, 0xFF],  // a field without a value
            [16, 11, 11, 0, 0, 0, 9, 0, 1, 1, 2, 1, 0xFF],  // a wrong count
            [16, 11, 11, 0, 0, 0, 2, 0, 1, 1, 2, 3, 0xFF],  // a wrong backward length
            [16, 11, 12, 0, 0, 0, 2, 0, 1, 1, 2, 1, 0xFF],  // a wrong size
            [16, 11, 11, 0, 0, 0, 2, 0, 1, 1, 0xF0, 0xFF, 0xFF],  // an entry that goes past the end
        ]
        for body in bodies { #expect(restore(machine, "bad", payload(body)) == DumpCommandTests.bad, "\(body)") }
        #expect(machine.run("EXISTS bad") == ":0\r\n")
        #expect(restore(machine, "k", payload([8]), ["0", "REPLACE"]) == DumpCommandTests.bad)
        #expect(machine.run("LLEN k") == ":3\r\n")
    }

    /// A ziplist of "a", 5, -100, 1000, 100000, 70000000, 5000000000 and 70 times "x".
    private static let ziplist: [UInt8] =
        [
            0x75, 0x00, 0x00, 0x00, 0x2B, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x01, 0x61, 0x03, 0xF6, 0x02, 0xFE, 0x9C, 0x03,
            0xC0,
            0xE8, 0x03, 0x04, 0xF0, 0xA0, 0x86, 0x01, 0x05, 0xD0, 0x80, 0x1D, 0x2C, 0x04, 0x06, 0xE0, 0x00, 0xF2, 0x05, 0x2A,
            0x01,
            0x00, 0x00, 0x00, 0x0A, 0x40, 0x46,
        ] + [UInt8](repeating: 0x78, count: 70) + [0xFF]

    /// A ziplist of "f", "v", 1 and 2.
    private static let pairs: [UInt8] = [
        0x15, 0x00, 0x00, 0x00, 0x12, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x01, 0x66, 0x03, 0x01, 0x76, 0x03, 0xF2, 0x02, 0xF3,
        0xFF,
    ]

    @Test func olderFormsAreRead() {
        let machine = TestMachine()
        let all = "*8|$1|a|$1|5|$4|-100|$4|1000|$6|100000|$8|70000000|$10|5000000000|$70|" + String(repeating: "x", count: 70)
        let ziplist = DumpCommandTests.ziplist
        let pairs = DumpCommandTests.pairs
        let rows: [(body: [UInt8], command: String, reply: String)] = [
            // A linked list, a set, a sorted set with scores as text, a hash.
            ([1, 2, 1, 0x61, 0xC0, 0x05], "LRANGE k 0 -1", "*2|$1|a|$1|5"),
            ([2, 2, 0xC1, 0x10, 0x27, 0xC2, 0xA0, 0x86, 0x01, 0x00], "SMEMBERS k", "*2|$5|10000|$6|100000"),
            ([3, 2, 1, 0x61, 3, 0x31, 0x2E, 0x35, 1, 0x62, 255], "ZRANGE k 0 -1 WITHSCORES", "*4|$1|b|$4|-inf|$1|a|$3|1.5"),
            ([4, 1, 1, 0x66, 1, 0x76], "HGETALL k", "*2|$1|f|$1|v"),
            // A zipmap; one with an unused byte behind the value.
            ([9, 7, 1, 1, 0x66, 1, 0, 0x76, 0xFF], "HGETALL k", "*2|$1|f|$1|v"),
            ([9, 8, 1, 1, 0x66, 1, 1, 0x76, 0, 0xFF], "HGETALL k", "*2|$1|f|$1|v"),
            ([10, 0x40, 0x75] + ziplist, "LRANGE k 0 -1", all),
            ([14, 1, 0x40, 0x75] + ziplist, "LRANGE k 0 -1", all),
            ([12, 0x15] + pairs.map { $0 == 0x76 ? 0x37 : $0 }, "ZRANGE k 0 -1 WITHSCORES", "*4|$1|1|$1|2|$1|f|$1|7"),
            ([13, 0x15] + pairs, "HGETALL k", "*4|$1|f|$1|v|$1|1|$1|2"),
        ]
        for (body, command, reply) in rows {
            machine.run("DEL k")
            #expect(restore(machine, "k", payload(body)) == "+OK\r\n", "\(body)")
            expect(machine, [(command, reply)])
        }
    }

    @Test func aListInPiecesIsAQuicklist() {
        let machine = TestMachine()
        // Two nodes: a bare element, and a listpack of "a" and 1.
        let body: [UInt8] = [18, 2, 1, 1, 0x62, 2, 12, 12, 0, 0, 0, 2, 0, 0x81, 0x61, 2, 1, 1, 0xFF]
        #expect(restore(machine, "k", payload(body)) == "+OK\r\n")
        expect(machine, [("LRANGE k 0 -1", "*3|$1|b|$1|a|$1|1"), ("OBJECT ENCODING k", "$9|quicklist")])
    }

    @Test func compressedStringsAreUnfolded() {
        let machine = TestMachine()
        // "a" as it is, then a reference that repeats it 264 times.
        let body: [UInt8] = [0, 0xC3, 5, 0x41, 0x09, 0, 0x61, 0xE0, 0xFF, 0]
        #expect(restore(machine, "k", payload(body)) == "+OK\r\n")
        #expect(machine.run("GET k") == "$265\r\n" + String(repeating: "a", count: 265) + "\r\n")
    }

    @Test func whatIsCompressedUnfoldsAgain() {
        var random = RandomGenerator(seed: 5)
        for round in 0..<300 {
            // From letters that repeat to noise, with runs and long distances.
            let letters = 1 + random.index(below: round % 2 == 0 ? 3 : 256)
            var bytes: [UInt8] = []
            while bytes.count < 4 + round * 40 {
                if random.chance(1, in: 8), !bytes.isEmpty {
                    let start = random.index(below: bytes.count)
                    bytes += bytes[start..<min(bytes.count, start + random.index(below: 400))]
                } else {
                    bytes.append(UInt8(truncatingIfNeeded: random.index(below: letters)))
                }
            }
            bytes.withView { view in
                let packed = ByteBuffer()
                if !LZF.compress(view, to: packed) {
                    #expect(packed.isEmpty)
                    return
                }
                #expect(packed.count <= bytes.count - 4)
                let again = ByteBuffer()
                #expect(LZF.decompress(packed.view, expected: bytes.count, into: again))
                #expect(again.view.equals(view))
                #expect(!LZF.decompress(packed.view, expected: bytes.count - 1, into: ByteBuffer()))
                #expect(!LZF.decompress(packed.view.slice(0, packed.count - 1), expected: bytes.count, into: ByteBuffer()))
            }
        }
    }

    @Test func limitsDecideTheForm() {
        let machine = TestMachine()
        machine.run("HSET h a 1 b 2")
        machine.run("ZADD z 1 a 2 b")
        machine.run("SADD s a b")
        let payloads = ["h", "z", "s"].map { dump(machine, $0) }
        machine.run("KV.SET-PARAMETER hash-max-listpack-entries 1 zset-max-listpack-entries 1 set-max-listpack-entries 1")
        for (key, payload) in zip(["h", "z", "s"], payloads) {
            #expect(restore(machine, key, payload, ["0", "REPLACE"]) == "+OK\r\n")
        }
        expect(
            machine,
            [
                ("OBJECT ENCODING h", "$9|hashtable"), ("OBJECT ENCODING z", "$8|skiplist"),
                ("OBJECT ENCODING s", "$9|hashtable"),
            ])
    }

    @Test func theChecksumIsThatOfRedis() {
        #expect(Array("123456789".utf8).withView { CRC64.checksum($0) } == 0xE9C6_D914_C4B8_D9CA)
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        bytes.withView { view in
            for cut in [0, 1, 7, 8, 9, 500, 1000] {
                let first = CRC64.checksum(view.slice(0, cut))
                #expect(CRC64.checksum(view.dropFirst(cut), continuing: first) == CRC64.checksum(view))
            }
        }
    }

    /// A listpack of these entries, as the type's value.
    private func listpack(_ type: UInt8, _ entries: [[UInt8]]) -> [UInt8] {
        let body = entries.flatMap { $0 + [UInt8($0.count)] }
        let size = body.count + 7
        let whole = [UInt8(size & 0xFF), UInt8(size >> 8), 0, 0, UInt8(entries.count), 0] + body + [0xFF]
        return [type, 0x40 | UInt8(whole.count >> 8), UInt8(whole.count & 0xFF)] + whole
    }

    private func word(_ text: String) -> [UInt8] { [0x80 | UInt8(text.utf8.count)] + Array(text.utf8) }

    /// A listpack is taken over as it lies there only where adding its elements would make the same.
    @Test func onlyWhatIsWrittenAsHereIsTakenOver() {
        let machine = TestMachine()
        let rows: [(type: UInt8, entries: [[UInt8]], expected: [String]?)] = [
            (16, [word("f"), word("v"), [5], [6]], ["hset k f v 5 6"]),
            // Integers as text, and in a form that is too wide.
            (16, [word("5"), word("17")], ["hset k 5 17"]),
            (16, [[0xF1, 5, 0], [0xC0, 3]], ["hset k 5 3"]),
            (16, [word("-5"), [0xDF, 0xFF]], ["hset k -5 -1"]),
            // A field that comes twice, also in two forms.
            (16, [word("f"), word("v"), word("f"), word("w")], nil),
            (16, [[5], word("v"), word("5"), word("w")], nil),
            (16, [word("f"), word("v"), word("v"), word("f")], ["hset k f v v f"]),
            // A short string with a form for long ones.
            (16, [[0xE0, 1, 0x66], word("v")], ["hset k f v"]),
            (20, [word("a"), word("b"), [1]], ["sadd k a b 1"]),
            (20, [word("a"), word("b"), word("a")], nil),
            (20, [[1], word("1")], nil),
            (17, [word("a"), [1], word("b"), [2]], ["zadd k 1 a 2 b"]),
            (17, [word("a"), [2], word("b"), [1]], ["zadd k 2 a 1 b"]),
            (17, [word("b"), [1], word("a"), [1]], ["zadd k 1 a 1 b"]),
            (17, [word("a"), [1], word("a"), [2]], nil),
            (17, [word("a"), word("1.5"), word("b"), [2]], ["zadd k 1.5 a 2 b"]),
            (17, [word("a"), [0xF4, 0, 0, 0, 0, 0, 0, 0x30, 0]], ["zadd k 13510798882111488 a"]),
            (17, [word("a"), word("x")], nil),
        ]
        for (type, entries, expected) in rows {
            machine.run("del r")
            let reply = restore(machine, "r", payload(listpack(type, entries), version: 11))
            guard let expected else {
                #expect(reply == DumpCommandTests.bad, "\(entries)")
                continue
            }
            #expect(reply == "+OK\r\n", "\(entries)")
            machine.run("del k")
            for command in expected { machine.run(command) }
            #expect(dump(machine, "r") == dump(machine, "k"), "\(entries)")
            #expect(machine.run("object encoding r") == machine.run("object encoding k"))
            #expect(machine.run("debug digest-value r") == machine.run("debug digest-value k"))
            for keyspace in machine.machine.execution.keyspaces { keyspace.checkInvariants() }
        }
    }

    /// The list that is taken over is one's own: what is changed later is changed in it alone.
    @Test func whatIsTakenOverIsChanged() {
        var random = RandomGenerator(seed: 3)
        let machine = TestMachine()
        for round in 0..<15 {
            let count = 1 + random.index(below: 128)
            machine.run("del h s z r")
            for index in 0..<count {
                let name =
                    random.chance(1, in: 3)
                    ? "\(index)" : "m\(index)" + String(repeating: round % 2 == 0 ? "x" : "é", count: random.index(below: 30))
                machine.run("hset h \(name) \(index * 7919 % 1000)")
                machine.run("sadd s \(name)")
                machine.run("zadd z \(random.index(below: 40)) \(name)")
            }
            for key in ["h", "s", "z"] {
                let payload = dump(machine, key)
                #expect(restore(machine, "r", payload, ["0", "REPLACE"]) == "+OK\r\n", "round \(round)")
                #expect(dump(machine, "r") == payload)
                let change = key == "h" ? "hset r new 1" : key == "s" ? "sadd r new" : "zadd r 5 new"
                #expect(machine.run(change) == ":1\r\n")
                #expect(dump(machine, key) == payload)
            }
            for keyspace in machine.machine.execution.keyspaces { keyspace.checkInvariants() }
        }
    }
}
