// Shapes of commands that the peer does not have, or answers otherwise each time: for runs without a peer, which compare Coracle with
// itself in other surroundings.
enum OwnShapes {
    static let family = ShapeFamily("own", kinds: [.hash], FieldDeadlineShapes.family.shapes + others)

    private static let others: [CommandShape] = [
        CommandShape("hset", weight: 20) { g in [g.key(.hash)] + g.several(4, many: 150) { [g.member(), g.value()] } },
        CommandShape("xadd", weight: 10) { g in [g.key(.stream), "*".word, g.member(), g.value()] },
        CommandShape("cl.throttle") { g in
            [g.key(.number), g.count(), g.count(), g.count()] + g.maybe(40, [g.count()])
        },
        CommandShape("memory usage", weight: 5) { g in [g.anyKey()] },
        CommandShape("debug digest-value", weight: 5) { g in [g.anyKey(), g.anyKey()] },
        CommandShape("debug object", weight: 5) { g in [g.anyKey()] },
        CommandShape("debug set-active-expire", weight: 2) { g in [g.pick(["0", "1", "1", "x"]).word] },
        CommandShape("pfselftest", weight: 1) { _ in [] },
        CommandShape("time", weight: 2) { _ in [] },
    ]
}
