// Shapes of the sorted set commands.
enum SortedSetShapes {
    static let family = ShapeFamily(
        "sortedset", kinds: [.sortedSet, .lexicalSet], changing + algebra + ranges + byName + reading)

    private static let changing: [CommandShape] = [
        CommandShape("zadd", .scores, weight: 40) { g in
            [g.key(.sortedSet)] + g.maybe(30, [g.word(of: "NX", "XX")]) + g.maybe(20, [g.word(of: "GT", "LT")])
                + g.maybe(25, [g.word("CH")])
                + g.maybe(10, [g.word("INCR")]) + g.several(4, many: 150) { [g.score(), g.member()] }
        },
        CommandShape("zincrby", .scores) { g in [g.key(.sortedSet), g.score(), g.member()] },
        CommandShape("zrem") { g in [g.key(.sortedSet)] + g.several(3, many: 30) { [g.member()] } },
        CommandShape("zpopmin", .scores, weight: 6) { g in [g.key(.sortedSet)] + g.maybe(50, [g.count()]) },
        CommandShape("zpopmax", .scores, weight: 6) { g in [g.key(.sortedSet)] + g.maybe(50, [g.count()]) },
        CommandShape("zmpop", .scores, weight: 6) { g in
            g.countedKeys(.sortedSet) + [g.word(of: "MIN", "MAX")] + g.maybe(50, [g.word("COUNT"), g.count()])
        },
        CommandShape("zremrangebyrank", weight: 5) { g in [g.key(.sortedSet), g.index(), g.index()] },
        CommandShape("zremrangebyscore", weight: 5) { g in [g.key(.sortedSet), g.scoreBound(), g.scoreBound()] },
    ]

    private static let algebra: [CommandShape] = [
        CommandShape("zunion", .scores) { g in sources(g) + g.maybe(60, [g.word("WITHSCORES")]) },
        CommandShape("zinter", .scores) { g in sources(g) + g.maybe(60, [g.word("WITHSCORES")]) },
        CommandShape("zdiff", .scores) { g in anyCounted(g) + g.maybe(60, [g.word("WITHSCORES")]) },
        CommandShape("zunionstore", weight: 7) { g in [g.key(.sortedSet)] + sources(g) },
        CommandShape("zinterstore", weight: 7) { g in [g.key(.sortedSet)] + sources(g) },
        CommandShape("zdiffstore", weight: 7) { g in [g.key(.sortedSet)] + anyCounted(g) },
        CommandShape("zintercard") { g in anyCounted(g) + g.maybe(40, [g.word("LIMIT"), g.count()]) },
    ]

    private static let ranges: [CommandShape] = [
        CommandShape("zrange", .scores, weight: 25) { g in
            [g.key(.sortedSet)]
                + g.either(
                    { [g.index(), g.index()] + g.maybe(30, [g.word("REV")]) }, { ["0".word, "-1".word, g.word("WITHSCORES")] },
                    {
                        [g.scoreBound(), g.scoreBound(), g.word("BYSCORE")] + g.maybe(30, [g.word("REV")])
                            + g.maybe(40, g.limit())
                    })
                + g.maybe(50, [g.word("WITHSCORES")]) + g.maybe(3, g.limit())
        },
        CommandShape("zrevrange", .scores) { g in [g.key(.sortedSet), g.index(), g.index()] + g.maybe(50, [g.word("WITHSCORES")])
        },
        CommandShape("zrangebyscore", .scores) { g in
            [g.key(.sortedSet), g.scoreBound(), g.scoreBound()] + g.maybe(50, [g.word("WITHSCORES")]) + g.maybe(40, g.limit())
        },
        CommandShape("zrevrangebyscore", .scores) { g in
            [g.key(.sortedSet), g.scoreBound(), g.scoreBound()] + g.maybe(40, g.limit()) + g.maybe(50, [g.word("WITHSCORES")])
        },
        CommandShape("zrangestore", weight: 8) { g in
            [g.key(.sortedSet), g.key(.sortedSet)]
                + g.either(
                    { [g.index(), g.index()] + g.maybe(30, [g.word("REV")]) },
                    {
                        [g.scoreBound(), g.scoreBound(), g.word("BYSCORE")] + g.maybe(30, [g.word("REV")])
                            + g.maybe(40, g.limit())
                    })
                + g.maybe(3, [g.word("WITHSCORES")])
        },
        CommandShape("zcount") { g in [g.key(.sortedSet), g.scoreBound(), g.scoreBound()] },
    ]

    /// The commands that order by name; their keys have equal scores, mostly.
    private static let byName: [CommandShape] = [
        CommandShape("zadd", .scores, weight: 20) { g in
            [g.key(.lexicalSet)] + g.several(5, many: 150) { ["0".word, g.member()] }
        },
        CommandShape("zrange", .scores) { g in
            [g.key(.lexicalSet), g.nameBound(), g.nameBound(), g.word("BYLEX")] + g.maybe(30, [g.word("REV")])
                + g.maybe(40, g.limit())
                + g.maybe(5, [g.word("WITHSCORES")])
        },
        CommandShape("zrangestore", weight: 4) { g in
            [g.key(.lexicalSet), g.key(.lexicalSet), g.nameBound(), g.nameBound(), g.word("BYLEX")] + g.maybe(40, g.limit())
        },
        CommandShape("zrangebylex") { g in [g.key(.lexicalSet), g.nameBound(), g.nameBound()] + g.maybe(40, g.limit()) },
        CommandShape("zrevrangebylex") { g in [g.key(.lexicalSet), g.nameBound(), g.nameBound()] + g.maybe(40, g.limit()) },
        CommandShape("zlexcount") { g in [g.key(.lexicalSet), g.nameBound(), g.nameBound()] },
        CommandShape("zremrangebylex", weight: 5) { g in [g.key(.lexicalSet), g.nameBound(), g.nameBound()] },
    ]

    private static let reading: [CommandShape] = [
        CommandShape("zcard", weight: 5) { g in [g.key(.sortedSet)] },
        CommandShape("zscore", .scores) { g in [g.key(.sortedSet), g.member()] },
        CommandShape("zmscore", .scores) { g in [g.key(.sortedSet)] + g.several(4) { [g.member()] } },
        CommandShape("zrank") { g in [g.key(.sortedSet), g.member()] },
        CommandShape("zrevrank") { g in [g.key(.sortedSet), g.member()] },
        CommandShape("zrandmember", .choice(.scores, option: "withscores"), isSpoilt: false) { g in
            [g.key(.sortedSet)] + g.maybe(75, [g.randomCount()] + g.maybe(50, [g.word("WITHSCORES")]) + g.maybe(3, [g.strange()]))
        },
        CommandShape("zscan", .scan(.scores), weight: 5, isSpoilt: false) { g in [g.key(.sortedSet)] + Scans.options(g) },
    ]

    /// Keys of sorted sets, some of sets, with weights and an aggregate.
    private static func sources(_ g: Generator) -> [Word] {
        let keys = anyCounted(g)
        let weights = g.chance(95) ? keys.count - 1 : keys.count
        return keys
            + g.maybe(40, [g.word("WEIGHTS")] + (0..<weights).map { _ in g.chance(60) ? "\(g.number(-2...3))".word : g.float() })
            + g.maybe(40, [g.word("AGGREGATE"), g.word(of: "SUM", "MIN", "MAX")])
    }

    private static func anyCounted(_ g: Generator) -> [Word] {
        var keys = g.countedKeys(.sortedSet)
        if g.chance(25) { keys[keys.count - 1] = g.key(.set) }
        return keys
    }
}
