// Shapes of SORT and of DUMP and RESTORE, which work on values of several types.
enum SortShapes {
    static let family = ShapeFamily("sort", kinds: [.list, .set, .sortedSet, .string, .hash], sorting + moving)

    private static let sorting: [CommandShape] = [
        CommandShape("sort", .sorted, weight: 30, isSpoilt: false) { g in
            let stores = g.chance(25)
            return [source(g)] + options(g, stores: stores)
                + (stores ? [g.word("STORE"), g.chance(80) ? g.key(.list) : g.anyKey()] : [])
        },
        CommandShape("sort_ro", .sorted, weight: 12, isSpoilt: false) { g in [source(g)] + options(g, stores: false) },
        // Something to sort by.
        CommandShape("mset", weight: 8) { g in
            g.several(4) { ["s\(g.number(1...3))".word, g.chance(70) ? "\(g.number(-9...9))".word : g.value()] }
        },
        CommandShape("hset", weight: 8) { g in
            [g.key(.hash)] + g.several(3) { [g.pick(["a", "b"]).word, "\(g.number(-9...9))".word] }
        },
        CommandShape("rpush", weight: 12) { g in [g.key(.list)] + g.several(6, many: 120) { ["\(g.number(-3...9))".word] } },
        CommandShape("sadd", weight: 8) { g in [g.key(.set)] + g.several(6) { ["\(g.number(1...9))".word] } },
        CommandShape("zadd", .scores, weight: 8) { g in
            [g.key(.sortedSet)] + g.several(6) { [g.score(), "\(g.number(1...9))".word] }
        },
    ]

    private static let moving: [CommandShape] = [
        CommandShape("dump", .dump, weight: 15) { g in [g.anyKey()] },
        CommandShape("restore", weight: 20, isSpoilt: false) { g in
            [g.anyKey(), g.chance(70) ? "0".word : g.milliseconds(), payload(g)] + g.maybe(70, [g.word("REPLACE")])
                + g.maybe(5, [g.word("IDLETIME"), g.pick(["0", "100", "-1", "abc", ""]).word])
                + g.maybe(5, [g.word("FREQ"), g.count()])
                + g.maybe(3, [g.strange()])
        },
        CommandShape("restore", weight: 4, isSpoilt: false) { g in
            [g.anyKey(), g.unixMilliseconds(), payload(g), g.word("ABSTTL")] + g.maybe(70, [g.word("REPLACE")])
        },
    ]

    private static func source(_ g: Generator) -> Word { g.key(g.pick([.list, .list, .set, .sortedSet])) }

    /// With ALPHA and BY equal weights leave the order open, so such a result is not stored.
    private static func options(_ g: Generator, stores: Bool) -> [Word] {
        let by = g.maybe(35, [g.word("BY"), g.pick(["s*", "h*->a", "nosort", "n*", "*", "h*->", "x*y*"]).word])
        return by + g.maybe(30, g.limit())
            + g.several(2) { g.maybe(25, [g.word("GET"), g.pick(["#", "s*", "h*->b", "*", "nosuch", "h1->a"]).word]) }
            + g.maybe(40, [g.word(of: "ASC", "DESC")]) + (by.isEmpty || !stores ? g.maybe(40, [g.word("ALPHA")]) : [])
    }

    /// A payload of redis-server 7.0; one of ten is damaged.
    private static func payload(_ g: Generator) -> Word {
        var bytes = bytes(g.pick(payloads))
        if g.chance(10) {
            let place = g.number(0...(bytes.count - 1))
            if g.chance(50) { bytes[place] ^= UInt8(1 << g.number(0...7)) } else { bytes = Word(bytes.prefix(place)) }
        }
        return bytes
    }

    private static func bytes(_ text: String) -> Word {
        let digits = Word(text.utf8).map { $0 >= 0x61 ? $0 - 0x57 : $0 - 0x30 }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// What DUMP of redis-server 7.0 says to strings, lists, sets, hashes and sorted sets, in small forms and large ones.
    private static let payloads = [
        "00c00c0a003c2af8515c04bcd5", "000b68656c6c6f20776f726c640a000bfc49b9a6c7a034",
        "00c3093c017878e02f000178780a00136a4bd61cb507ae", "000d313039393531313632373737360a00dcd5c1feb95f4c57",
        "000200ff0a00f5f2c82b65ec357d", "120102131300000004000101816202800183322e3504ff0a0023853a39fdd0f57b",
        "0b0e02000000030000000100020003000a00a5025ce26d6e4d1b", "020301620161c0050a0052ff27e4551f6173",
        "101414000000040081610201018162028378797a04ff0a002e2c226e653d1fc4",
        "111c1c0000000600816102010181620283322e350481630283696e6604ff0a006b1ddedce8e2c399",
        "04030163000162c0020161c0010a0086b21981c1da125a",
        "111717000000060081610200018261620300018162020001ff0a0041bdd0fafd7982f2",
        "050301636666666666660a400161000000000000f03f0162000000000000f0ff0a004f82d16125774098",
        "0203c2a0860100c003c0010a001b12248ef887e6d6",
    ]
}
