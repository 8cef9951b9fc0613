// Shapes of the HyperLogLog commands. Their keys are written by them alone, but for some damage on purpose: PFCOUNT notes its result in
// the value in Redis and not here, so the bytes differ.
enum HyperLogLogShapes {
    static let family = ShapeFamily("hyperloglog", kinds: [], shapes)

    private static let shapes: [CommandShape] = [
        CommandShape("pfadd", weight: 30, isSpoilt: false) { g in [target(g)] + g.several(5, many: 1200) { [element(g)] } },
        CommandShape("pfadd", weight: 2, isSpoilt: false) { g in [target(g)] },
        CommandShape("pfcount", weight: 20) { g in g.several(3) { [g.key(.hyperloglog)] } },
        CommandShape("pfmerge", weight: 8, isSpoilt: false) { g in [target(g)] + g.several(3) { [g.key(.hyperloglog)] } },
        CommandShape("pfdebug", weight: 4, isSpoilt: false) { g in
            [
                g.word(of: "ENCODING", "ENCODING", "DECODE", "TODENSE", "GETREG", "NOSUCH"),
                g.chance(95) ? target(g) : "missing".word,
            ]
        },
        CommandShape("get", weight: 4, isSpoilt: false) { g in [target(g)] },
        CommandShape("del", weight: 2, isSpoilt: false) { g in [target(g)] },
        CommandShape("set", weight: 1, isSpoilt: false) { g in
            [target(g), g.pick(["HYLL".word, "abc".word, [], "HYLL".word + Word(repeating: 0, count: 12)])]
        },
    ]

    private static func target(_ g: Generator) -> Word { "p\(g.number(1...3))".word }

    private static func element(_ g: Generator) -> Word {
        g.chance(60) ? "\(g.number(0...3000))".word : g.noise(g.number(0...24))
    }
}
