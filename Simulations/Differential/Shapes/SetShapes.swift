// Shapes of the set commands.
enum SetShapes {
    static let family = ShapeFamily("set", kinds: [.set], changing + algebra + reading)

    private static let changing: [CommandShape] = [
        CommandShape("sadd", weight: 35) { g in
            // Sets of integers alone have a form of their own.
            let integers = g.chance(40)
            return [g.key(.set)] + g.several(5, many: 300) { [integers ? integerMember(g) : g.member()] }
        },
        CommandShape("srem") { g in [g.key(.set)] + g.several(3, many: 30) { [g.member()] } },
        CommandShape("smove") { g in [g.key(.set), g.key(.set), g.member()] },
        CommandShape("spop", .pop, isSpoilt: false) { g in
            [g.key(.set)]
                + g.maybe(60, [g.chance(90) ? "\(g.number(0...5))".word : g.pick(["-1", "abc", "1000", "1.5", ""]).word])
        },
    ]

    private static let algebra: [CommandShape] = [
        CommandShape("sinter", .unordered) { g in g.keys(.set) },
        CommandShape("sunion", .unordered) { g in g.keys(.set) },
        CommandShape("sdiff", .unordered) { g in g.keys(.set) },
        CommandShape("sinterstore", weight: 6) { g in [g.key(.set)] + g.keys(.set) },
        CommandShape("sunionstore", weight: 6) { g in [g.key(.set)] + g.keys(.set) },
        CommandShape("sdiffstore", weight: 6) { g in [g.key(.set)] + g.keys(.set) },
        CommandShape("sintercard") { g in g.countedKeys(.set) + g.maybe(40, [g.word("LIMIT"), g.count()]) },
    ]

    private static let reading: [CommandShape] = [
        CommandShape("scard", weight: 5) { g in [g.key(.set)] },
        CommandShape("sismember") { g in [g.key(.set), g.member()] },
        CommandShape("smismember") { g in [g.key(.set)] + g.several(4) { [g.member()] } },
        CommandShape("smembers", .unordered) { g in [g.key(.set)] },
        CommandShape("srandmember", .choice(.members, option: nil), isSpoilt: false) { g in
            [g.key(.set)] + g.maybe(70, [g.randomCount()])
        },
        CommandShape("sscan", .scan(.members), weight: 5, isSpoilt: false) { g in [g.key(.set)] + Scans.options(g) },
    ]

    private static func integerMember(_ g: Generator) -> Word {
        switch g.number(0...20) {
        case 0: g.pick(["32767", "32768", "-32768", "-32769", "2147483647", "2147483648", "-2147483649"]).word
        case 1: g.pick(["9223372036854775807", "-9223372036854775808", "4611686018427387904"]).word
        case 2...6: "\(g.number(-400...400))".word
        default: "\(g.number(-3...12))".word
        }
    }
}
