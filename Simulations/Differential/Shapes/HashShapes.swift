// Shapes of the hash commands.
enum HashShapes {
    static let family = ShapeFamily("hash", kinds: [.hash], changing + reading)

    private static let changing: [CommandShape] = [
        CommandShape("hset", weight: 30) { g in [g.key(.hash)] + g.several(4, many: 150) { [g.member(), g.value()] } },
        CommandShape("hmset", weight: 5) { g in [g.key(.hash)] + g.several(3) { [g.member(), g.value()] } },
        CommandShape("hsetnx") { g in [g.key(.hash), g.member(), g.value()] },
        CommandShape("hdel") { g in [g.key(.hash)] + g.several(3, many: 30) { [g.member()] } },
        CommandShape("hincrby") { g in [g.key(.hash), g.member(), g.integer()] },
        CommandShape("hincrbyfloat") { g in [g.key(.hash), g.member(), g.float()] },
    ]

    private static let reading: [CommandShape] = [
        CommandShape("hget") { g in [g.key(.hash), g.member()] },
        CommandShape("hmget") { g in [g.key(.hash)] + g.several(4) { [g.member()] } },
        CommandShape("hgetall", .unorderedPairs) { g in [g.key(.hash)] },
        CommandShape("hkeys", .unordered, weight: 5) { g in [g.key(.hash)] },
        CommandShape("hvals", .unordered, weight: 5) { g in [g.key(.hash)] },
        CommandShape("hlen", weight: 5) { g in [g.key(.hash)] },
        CommandShape("hexists", weight: 5) { g in [g.key(.hash), g.member()] },
        CommandShape("hstrlen", weight: 5) { g in [g.key(.hash), g.member()] },
        CommandShape("hrandfield", .choice(.pairs, option: "withvalues"), isSpoilt: false) { g in
            [g.key(.hash)] + g.maybe(75, [g.randomCount()] + g.maybe(50, [g.word("WITHVALUES")]) + g.maybe(3, [g.strange()]))
        },
        CommandShape("hscan", .scan(.pairs), weight: 5, isSpoilt: false) { g in [g.key(.hash)] + Scans.options(g) },
    ]
}

/// What HSCAN, SSCAN and ZSCAN have in common.
enum Scans {
    /// The cursor and options. Only whole scans are compared, so the cursor is where they begin, or none at all.
    static func options(_ g: Generator) -> [Word] {
        [g.chance(95) ? "0".word : g.pick(["abc", "-1", "", "18446744073709551616"]).word]
            + g.maybe(30, [g.word("MATCH"), g.pattern()])
            + g.maybe(30, [g.word("COUNT"), g.count()]) + g.maybe(3, [g.strange()])
    }
}
