// Shapes of the commands about deadlines. A deadline is far off, past, or a millisecond away with a pause behind the command.
enum ExpiryShapes {
    static let family = ShapeFamily("expiry", kinds: [], setting + asking)

    private static let setting: [CommandShape] = [
        CommandShape("expire") { g in [g.anyKey(), g.seconds()] + condition(g) },
        CommandShape("pexpire") { g in [g.anyKey(), g.milliseconds()] + condition(g) },
        CommandShape("expireat") { g in [g.anyKey(), g.chance(3) ? "1".word : g.unixSeconds()] + condition(g) },
        CommandShape("pexpireat") { g in [g.anyKey(), g.chance(3) ? "1".word : g.unixMilliseconds()] + condition(g) },
        CommandShape("persist") { g in [g.anyKey()] },
    ]

    private static let asking: [CommandShape] = [
        CommandShape("ttl", .remaining) { g in [g.anyKey()] },
        CommandShape("pttl", .remaining) { g in [g.anyKey()] },
        CommandShape("expiretime", .remaining) { g in [g.anyKey()] },
        CommandShape("pexpiretime", .remaining) { g in [g.anyKey()] },
    ]

    private static func condition(_ g: Generator) -> [Word] {
        g.maybe(40, [g.word(of: "NX", "XX", "GT", "LT")]) + g.maybe(4, [g.word(of: "NX", "XX", "GT", "LT", "CH")])
    }
}
