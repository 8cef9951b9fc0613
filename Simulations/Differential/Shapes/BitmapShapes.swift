// Shapes of the bitmap commands. They work on strings, so the string keys are theirs too.
enum BitmapShapes {
    static let family = ShapeFamily("bitmap", kinds: [.bitmap, .string], shapes)

    private static let shapes: [CommandShape] = [
        CommandShape("setbit", weight: 20) { g in
            [g.key(.bitmap), offset(g), g.chance(95) ? "\(g.number(0...1))".word : g.strange()]
        },
        CommandShape("getbit") { g in [g.key(.bitmap), offset(g)] },
        CommandShape("bitcount") { g in
            [g.key(.bitmap)] + g.maybe(70, [g.index(), g.index()] + g.maybe(50, [g.word(of: "BYTE", "BIT")]))
        },
        CommandShape("bitpos") { g in
            [g.key(.bitmap), g.chance(95) ? "\(g.number(0...1))".word : g.strange()]
                + g.maybe(60, [g.index()] + g.maybe(60, [g.index()] + g.maybe(50, [g.word(of: "BYTE", "BIT")])))
        },
        CommandShape("bitop") { g in [g.word(of: "AND", "OR", "XOR", "NOT"), g.key(.bitmap)] + sources(g) },
        CommandShape("bitfield", weight: 20) { g in [g.key(.bitmap)] + g.several(4) { operation(g) } },
        CommandShape("bitfield_ro") { g in [g.key(.bitmap)] + g.several(3) { g.chance(95) ? get(g) : operation(g) } },
        CommandShape("set", weight: 4) { g in [g.key(.bitmap), g.value()] },
    ]

    private static func sources(_ g: Generator) -> [Word] { g.several(3) { [g.chance(70) ? g.key(.bitmap) : g.key(.string)] } }

    private static func offset(_ g: Generator) -> Word {
        g.chance(92)
            ? "\(g.number(0...100))".word : g.pick(["-1", "4294967296", "5000", "abc", "", "1.5", "9223372036854775807"]).word
    }

    private static func encoding(_ g: Generator) -> Word {
        g.chance(92)
            ? g.pick(["u1", "u4", "u8", "u16", "u32", "u63", "i1", "i5", "i8", "i16", "i32", "i64"]).word
            : g.pick(["u64", "i65", "u0", "i0", "x8", "u", "", "8", "U8", "u8x"]).word
    }

    private static func place(_ g: Generator) -> Word {
        g.chance(92)
            ? (g.chance(30) ? "#" : "").word + "\(g.number(0...40))".word : g.pick(["-1", "#-1", "4294967296", "#", "abc"]).word
    }

    private static func get(_ g: Generator) -> [Word] { [g.word("GET"), encoding(g), place(g)] }

    private static func operation(_ g: Generator) -> [Word] {
        g.either(
            { get(g) }, { [g.word("SET"), encoding(g), place(g), g.integer()] },
            { [g.word("INCRBY"), encoding(g), place(g), g.integer()] },
            { [g.word("OVERFLOW"), g.word(of: "WRAP", "SAT", "FAIL", "NONE")] })
    }
}
