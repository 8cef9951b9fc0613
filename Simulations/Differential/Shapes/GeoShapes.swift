// Shapes of the geo commands. A geo key is a sorted set of hashes of places.
enum GeoShapes {
    static let family = ShapeFamily("geo", kinds: [.geo], shapes)

    private static let shapes: [CommandShape] = [
        CommandShape("geoadd", weight: 40) { g in
            [g.key(.geo)] + g.maybe(15, [g.word(of: "NX", "XX")]) + g.maybe(15, [g.word("CH")])
                + g.several(4, many: 100) { place(g) + [member(g)] }
        },
        CommandShape("geodist") { g in [g.key(.geo), member(g), member(g)] + g.maybe(60, [unit(g)]) },
        CommandShape("geohash") { g in [g.key(.geo)] + g.several(3) { [member(g)] } },
        CommandShape("geopos", .scores) { g in [g.key(.geo)] + g.several(3) { [member(g)] } },
        CommandShape("geosearch", .places, weight: 25) { g in [g.key(.geo)] + center(g) + shape(g) + order(g) + with(g) },
        CommandShape("geosearchstore", weight: 8) { g in
            [g.key(.geo), g.key(.geo)] + center(g) + shape(g) + order(g, stores: true) + g.maybe(30, [g.word("STOREDIST")])
        },
        CommandShape("georadius", .places, weight: 8) { g in [g.key(.geo)] + place(g) + radius(g) + end(g) },
        CommandShape("georadius_ro", .places, weight: 5) { g in [g.key(.geo)] + place(g) + radius(g) + order(g) + with(g) },
        CommandShape("georadiusbymember", .places, weight: 8) { g in [g.key(.geo), member(g)] + radius(g) + end(g) },
        CommandShape("georadiusbymember_ro", .places, weight: 5) { g in [g.key(.geo), member(g)] + radius(g) + order(g) + with(g)
        },
        CommandShape("zrem", weight: 4) { g in [g.key(.geo), member(g)] },
        CommandShape("zrange", .scores, weight: 4) { g in [g.key(.geo), "0".word, "-1".word, g.word("WITHSCORES")] },
    ]

    private static func member(_ g: Generator) -> Word { g.chance(95) ? "m\(g.number(1...15))".word : g.member() }

    private static func place(_ g: Generator) -> [Word] {
        if g.chance(6) { return [g.float(), g.float()] }
        if g.chance(6) {
            return g.pick([["180", "85.05112878"], ["-180", "-85.05112878"], ["181", "0"], ["0", "86"], ["0", "0"]]).map(\.word)
        }
        if g.chance(30) {
            return ["\(13 + Double(g.number(0...4000)) / 1000)".word, "\(37 + Double(g.number(0...4000)) / 1000)".word]
        }
        return ["\(Double(g.number(-180_000...180_000)) / 1000)".word, "\(Double(g.number(-85_000...85_000)) / 1000)".word]
    }

    private static func unit(_ g: Generator) -> Word { g.chance(95) ? g.word(of: "M", "KM", "FT", "MI") : g.strange() }

    private static func length(_ g: Generator) -> Word {
        g.chance(95) ? g.pick(["0", "1", "100", "500.5", "1000", "5000", "10000", "30000000"]).word : g.float()
    }

    private static func radius(_ g: Generator) -> [Word] { [length(g), unit(g)] }

    private static func center(_ g: Generator) -> [Word] {
        g.chance(50) ? [g.word("FROMMEMBER"), member(g)] : [g.word("FROMLONLAT")] + place(g)
    }

    private static func shape(_ g: Generator) -> [Word] {
        g.chance(50) ? [g.word("BYRADIUS")] + radius(g) : [g.word("BYBOX"), length(g), length(g), unit(g)]
    }

    /// Which of several places at one distance come within COUNT is open, so what is stored has none that cuts.
    private static func order(_ g: Generator, stores: Bool = false) -> [Word] {
        g.maybe(60, [g.word(of: "ASC", "DESC")]) + g.maybe(30, [g.word("COUNT"), stores ? "1000".word : g.count()])
    }

    private static func end(_ g: Generator) -> [Word] {
        g.chance(70) ? order(g) + with(g) : order(g, stores: true) + [g.word(of: "STORE", "STOREDIST"), g.key(.geo)]
    }

    private static func with(_ g: Generator) -> [Word] {
        g.maybe(30, [g.word("WITHCOORD")]) + g.maybe(30, [g.word("WITHDIST")]) + g.maybe(30, [g.word("WITHHASH")])
    }
}
