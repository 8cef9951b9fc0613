// Shapes of the list commands.
enum ListShapes {
    static let family = ShapeFamily("list", kinds: [.list], changing + moving + reading)

    private static let changing: [CommandShape] = [
        CommandShape("lpush", weight: 20) { g in [g.key(.list)] + g.several(4, many: 200) { [g.member()] } },
        CommandShape("rpush", weight: 20) { g in [g.key(.list)] + g.several(4, many: 200) { [g.member()] } },
        CommandShape("lpushx", weight: 5) { g in [g.key(.list)] + g.several(2) { [g.member()] } },
        CommandShape("rpushx", weight: 5) { g in [g.key(.list)] + g.several(2) { [g.value()] } },
        CommandShape("lpop") { g in [g.key(.list)] + g.maybe(40, [g.count()]) },
        CommandShape("rpop") { g in [g.key(.list)] + g.maybe(40, [g.count()]) },
        CommandShape("lrem") { g in [g.key(.list), g.chance(90) ? "\(g.number(-3...3))".word : g.count(), g.member()] },
        CommandShape("lset") { g in [g.key(.list), g.index(), g.chance(70) ? g.member() : g.value()] },
        CommandShape("ltrim") { g in [g.key(.list), g.index(), g.index()] },
        CommandShape("linsert") { g in
            [g.key(.list), g.word(of: "BEFORE", "AFTER"), g.member(), g.chance(70) ? g.member() : g.value()]
        },
    ]

    private static let moving: [CommandShape] = [
        CommandShape("lmove") { g in [g.key(.list), g.key(.list), g.word(of: "LEFT", "RIGHT"), g.word(of: "LEFT", "RIGHT")] },
        CommandShape("rpoplpush") { g in [g.key(.list), g.key(.list)] },
        CommandShape("lmpop") { g in
            g.countedKeys(.list) + [g.word(of: "LEFT", "RIGHT")] + g.maybe(50, [g.word("COUNT"), g.count()])
        },
    ]

    private static let reading: [CommandShape] = [
        CommandShape("llen", weight: 5) { g in [g.key(.list)] },
        CommandShape("lindex") { g in [g.key(.list), g.index()] },
        CommandShape("lrange", weight: 15) { g in
            [g.key(.list)] + (g.chance(30) ? ["0".word, "-1".word] : [g.index(), g.index()])
        },
        CommandShape("lpos") { g in
            [g.key(.list), g.member()] + g.maybe(40, [g.word("RANK"), g.chance(90) ? "\(g.number(-3...3))".word : g.index()])
                + g.maybe(40, [g.word("COUNT"), g.count()]) + g.maybe(30, [g.word("MAXLEN"), g.count()])
        },
    ]
}
