// Shapes of the commands about deadlines of a hash's fields, which Redis has from 7.4 on.
enum FieldDeadlineShapes {
    static let family = ShapeFamily("field-deadlines", kinds: [.hash], setting + asking)

    private static let setting: [CommandShape] = [
        CommandShape("hexpire") { g in [g.key(.hash), g.seconds()] + condition(g) + fields(g) },
        CommandShape("hpexpire", weight: 20) { g in [g.key(.hash), g.milliseconds()] + condition(g) + fields(g) },
        CommandShape("hexpireat") { g in [g.key(.hash), g.unixSeconds()] + condition(g) + fields(g) },
        CommandShape("hpexpireat") { g in [g.key(.hash), g.unixMilliseconds()] + condition(g) + fields(g) },
        CommandShape("hpersist") { g in [g.key(.hash)] + fields(g) },
    ]

    private static let asking: [CommandShape] = ["httl", "hpttl", "hexpiretime", "hpexpiretime"].map { name in
        CommandShape(name, .remaining) { g in [g.key(.hash)] + fields(g) }
    }

    private static func condition(_ g: Generator) -> [Word] { g.maybe(30, [g.word(of: "NX", "XX", "GT", "LT")]) }

    private static func fields(_ g: Generator) -> [Word] {
        let fields = g.several(4, many: 30) { [g.member()] }
        return [g.word("FIELDS"), (g.chance(95) ? "\(fields.count)" : "2").word] + fields
    }
}
