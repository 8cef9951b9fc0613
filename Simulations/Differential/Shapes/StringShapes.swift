// Shapes of the string commands.
enum StringShapes {
    static let family = ShapeFamily("string", kinds: [.string, .number], plain + numbers + ranges + setting)

    private static let plain: [CommandShape] = [
        CommandShape("append") { g in [g.key(.string), g.value()] },
        CommandShape("get") { g in [g.either({ [g.key(.string)] }, { [g.key(.number)] })[0]] },
        CommandShape("getdel", weight: 4) { g in [g.key(.string)] },
        CommandShape("getset") { g in [g.key(.string), g.value()] },
        CommandShape("mget") { g in g.several(4) { [g.either({ [g.key(.string)] }, { [g.anyKey()] })[0]] } },
        CommandShape("mset") { g in g.several(3) { [g.key(.string), g.value()] } },
        CommandShape("msetnx") { g in g.several(2) { [g.key(.string), g.value()] } },
        CommandShape("setnx") { g in [g.key(.string), g.value()] },
        CommandShape("strlen") { g in [g.key(.string)] },
    ]

    private static let numbers: [CommandShape] = [
        CommandShape("incr") { g in [g.key(.number)] },
        CommandShape("decr") { g in [g.key(.number)] },
        CommandShape("incrby") { g in [g.key(.number), g.integer()] },
        CommandShape("decrby") { g in [g.key(.number), g.integer()] },
        CommandShape("incrbyfloat", weight: 20) { g in [g.key(.number), g.float()] },
    ]

    private static let ranges: [CommandShape] = [
        CommandShape("getrange") { g in [g.key(.string), g.index(), g.index()] },
        CommandShape("substr", weight: 4) { g in [g.key(.string), g.index(), g.index()] },
        CommandShape("setrange") { g in
            let offset = g.chance(85) ? "\(g.number(0...60))" : g.pick(["-1", "536870912", "1000", "9223372036854775807", "abc"])
            return [g.key(.string), offset.word, g.value()]
        },
        CommandShape("lcs", isSpoilt: false) { g in
            [g.key(.string), g.key(.string)] + g.maybe(25, [g.word("LEN")])
                + g.maybe(
                    50,
                    [g.word("IDX")] + g.maybe(40, [g.word("MINMATCHLEN"), g.count()]) + g.maybe(40, [g.word("WITHMATCHLEN")]))
                + g.maybe(3, [g.strange()])
        },
    ]

    private static let setting: [CommandShape] = [
        CommandShape("set", weight: 30) { g in
            [g.chance(70) ? g.key(.string) : g.key(.number), g.chance(60) ? g.value() : g.integer()] + g.maybe(45, options(g))
        },
        CommandShape("getex") { g in [g.key(.string)] + g.maybe(70, lifetime(g, g.chance(30) ? [g.word("PERSIST")] : nil)) },
        CommandShape("setex") { g in [g.key(.string), g.seconds(), g.value()] },
        CommandShape("psetex") { g in [g.key(.string), g.milliseconds(), g.value()] },
    ]

    /// Options of SET, in any order.
    private static func options(_ g: Generator) -> [Word] {
        var parts: [[Word]] = []
        if g.chance(40) { parts.append([g.word(of: "NX", "XX")]) }
        if g.chance(30) { parts.append([g.word("GET")]) }
        if g.chance(50) { parts.append(lifetime(g, g.chance(25) ? [g.word("KEEPTTL")] : nil)) }
        if g.chance(3) { parts.append([g.word(of: "NX", "XX", "KEEPTTL", "PERSIST", "EX")]) }
        if parts.count > 1, g.chance(50) { parts.swapAt(0, parts.count - 1) }
        return parts.flatMap { $0 }
    }

    private static func lifetime(_ g: Generator, _ other: [Word]?) -> [Word] {
        if let other { return other }
        return g.either(
            { [g.word("EX"), g.seconds()] }, { [g.word("PX"), g.milliseconds()] }, { [g.word("EXAT"), g.unixSeconds()] },
            { [g.word("PXAT"), g.unixMilliseconds()] })
    }
}
