// Shapes of the commands on keys of any type, and of whole databases.
enum KeyShapes {
    static let family = ShapeFamily("generic", kinds: [], keys + databases + objects)

    private static let keys: [CommandShape] = [
        CommandShape("copy") { g in
            [g.anyKey(), g.anyKey()] + g.maybe(15, [g.word("DB"), g.pick(["0", "1", "16", "-1", "abc"]).word])
                + g.maybe(50, [g.word("REPLACE")])
        },
        CommandShape("del", weight: 8) { g in g.several(3) { [g.anyKey()] } },
        CommandShape("unlink", weight: 4) { g in g.several(3) { [g.anyKey()] } },
        CommandShape("exists") { g in g.several(4) { [g.anyKey()] } },
        CommandShape("touch", weight: 4) { g in g.several(4) { [g.anyKey()] } },
        CommandShape("type") { g in [g.anyKey()] },
        CommandShape("rename", weight: 8) { g in [g.anyKey(), g.anyKey()] },
        CommandShape("renamenx", weight: 6) { g in [g.anyKey(), g.anyKey()] },
        CommandShape("move", weight: 4) { g in [g.anyKey(), g.pick(["0", "1", "1", "16", "-1", "abc"]).word] },
    ]

    private static let databases: [CommandShape] = [
        CommandShape("keys", .unordered, weight: 4) { g in [g.pattern()] },
        CommandShape("randomkey", .randomKey, weight: 4, isSpoilt: false) { _ in [] },
        CommandShape("dbsize", weight: 4) { _ in [] },
        CommandShape("scan", .scan(.keys), weight: 4, isSpoilt: false) { g in
            [g.chance(95) ? "0".word : g.pick(["abc", "-1", "", "18446744073709551616", "1.5"]).word]
                + g.maybe(30, [g.word("MATCH"), g.pattern()])
                + g.maybe(30, [g.word("COUNT"), g.count()])
                + g.maybe(30, [g.word("TYPE"), g.word(of: "string", "hash", "list", "set", "zset", "stream", "nosuch")])
                + g.maybe(3, [g.strange()])
        },
        CommandShape("swapdb", weight: 1) { g in
            [g.pick(["0", "1", "1", "16", "-1", "abc"]).word, g.pick(["1", "1", "0", "16", "abc"]).word]
        },
        CommandShape("flushdb", weight: 1, isSpoilt: false) { g in g.chance(50) ? [] : [g.word(of: "SYNC", "ASYNC", "NOW")] },
        CommandShape("flushall", weight: 1, isSpoilt: false) { g in g.chance(50) ? [] : [g.word(of: "SYNC", "ASYNC", "NOW")] },
        CommandShape("function flush", weight: 1) { g in g.chance(50) ? [] : [g.word(of: "SYNC", "ASYNC", "NOW")] },
    ]

    private static let objects: [CommandShape] = [
        CommandShape("object encoding", .exact, weight: 12) { g in [g.anyKey()] },
        CommandShape("object refcount", .exact, weight: 2) { g in [g.anyKey()] },
        CommandShape("object idletime", .remaining, weight: 2) { g in [g.anyKey()] },
        CommandShape("object freq", .exact, weight: 2) { g in [g.anyKey()] },
    ]
}
