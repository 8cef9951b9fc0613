// Shapes of the stream commands. No identifier comes from a clock (`*` alone), and no reply waits.
enum StreamShapes {
    static let family = ShapeFamily("stream", kinds: [.stream], entries + groups + information)

    private static let entries: [CommandShape] = [
        CommandShape("xadd", weight: 45, isSpoilt: false) { g in
            [g.key(.stream)] + g.maybe(8, [g.word("NOMKSTREAM")]) + g.maybe(15, trimming(g)) + [newID(g)]
                + g.several(3) { [g.member(), g.value()] } + g.maybe(2, ["odd".word])
        },
        CommandShape("xlen", weight: 5) { g in [g.key(.stream)] },
        CommandShape("xrange") { g in [g.key(.stream), bound(g), bound(g)] + g.maybe(40, [g.word("COUNT"), g.count()]) },
        CommandShape("xrevrange") { g in [g.key(.stream), bound(g), bound(g)] + g.maybe(40, [g.word("COUNT"), g.count()]) },
        CommandShape("xdel") { g in [g.key(.stream)] + g.several(3) { [id(g)] } },
        CommandShape("xtrim", weight: 6) { g in [g.key(.stream)] + trimming(g) },
        CommandShape("xsetid", weight: 3) { g in
            [g.key(.stream), id(g)] + g.maybe(30, [g.word("ENTRIESADDED"), g.count(), g.word("MAXDELETEDID"), id(g)])
        },
        CommandShape("xread", weight: 12) { g in
            g.maybe(50, [g.word("COUNT"), g.count()]) + [g.word("STREAMS")] + streams(g) { g.chance(90) ? id(g) : "$".word }
        },
    ]

    private static let groups: [CommandShape] = [
        CommandShape("xgroup create", weight: 14) { g in
            [g.key(.stream), group(g), g.chance(60) ? id(g) : g.pick(["$", "0"]).word] + g.maybe(50, [g.word("MKSTREAM")])
                + g.maybe(10, [g.word("ENTRIESREAD"), g.count()])
        },
        CommandShape("xgroup setid", weight: 4) { g in
            [g.key(.stream), group(g), g.chance(60) ? id(g) : "$".word] + g.maybe(10, [g.word("ENTRIESREAD"), g.count()])
        },
        CommandShape("xgroup destroy", weight: 2) { g in [g.key(.stream), group(g)] },
        CommandShape("xgroup createconsumer", weight: 4) { g in [g.key(.stream), group(g), consumer(g)] },
        CommandShape("xgroup delconsumer", weight: 3) { g in [g.key(.stream), group(g), consumer(g)] },
        CommandShape("xreadgroup", weight: 25) { g in
            [g.word("GROUP"), group(g), consumer(g)] + g.maybe(50, [g.word("COUNT"), g.count()]) + g.maybe(10, [g.word("NOACK")])
                + [g.word("STREAMS")] + streams(g) { g.chance(70) ? ">".word : id(g) }
        },
        CommandShape("xack", weight: 8) { g in [g.key(.stream), group(g)] + g.several(3) { [id(g)] } },
        CommandShape("xclaim", weight: 8, isSpoilt: false) { g in
            [g.key(.stream), group(g), consumer(g), idle(g)] + g.several(3) { [id(g)] }
                + g.maybe(20, [g.word("IDLE"), g.pick(["0", "5000000000", "abc", "-1"]).word])
                + g.maybe(10, [g.word("TIME"), "1000".word])
                + g.maybe(20, [g.word("RETRYCOUNT"), g.count()]) + g.maybe(20, [g.word("FORCE")])
                + g.maybe(30, [g.word("JUSTID")])
                + g.maybe(10, [g.word("LASTID"), id(g)])
        },
        CommandShape("xautoclaim", weight: 6, isSpoilt: false) { g in
            [g.key(.stream), group(g), consumer(g), idle(g), id(g)] + g.maybe(40, [g.word("COUNT"), g.count()])
                + g.maybe(30, [g.word("JUSTID")])
        },
    ]

    private static let information: [CommandShape] = [
        CommandShape("xpending", .streamTimes) { g in
            [g.key(.stream), group(g)]
                + g.maybe(
                    60, g.maybe(30, [g.word("IDLE"), idle(g)]) + [bound(g), bound(g), g.count()] + g.maybe(40, [consumer(g)]))
        },
        CommandShape("xinfo stream", .streamTimes, weight: 8) { g in
            [g.key(.stream)] + g.maybe(50, [g.word("FULL")] + g.maybe(40, [g.word("COUNT"), g.count()]))
        },
        CommandShape("xinfo groups", .streamTimes, weight: 6) { g in [g.key(.stream)] },
        CommandShape("xinfo consumers", .streamTimes, weight: 6) { g in [g.key(.stream), group(g)] },
    ]

    private static func group(_ g: Generator) -> Word { g.chance(95) ? "g\(g.number(1...2))".word : "nogroup".word }
    private static func consumer(_ g: Generator) -> Word { "c\(g.number(1...3))".word }

    /// Least idle times that every delivery has, or none but those that were set far back.
    private static func idle(_ g: Generator) -> Word { g.pick(["0", "0", "0", "4000000000", "-1", "abc"]).word }

    /// An identifier behind those before, mostly.
    private static func newID(_ g: Generator) -> Word {
        switch g.number(0...19) {
        case 0: return id(g)
        case 1:
            return g.pick(["0-0", "abc", "1-", "-1", "", "18446744073709551615-18446744073709551615", "1-2-3", "+", "-"]).word
        case 2...5: return "\(g.nextStreamTime())-*".word
        case 6: return "\(g.nextStreamTime())".word
        default: return "\(g.nextStreamTime())-\(g.number(0...3))".word
        }
    }

    /// An identifier that may be there.
    private static func id(_ g: Generator) -> Word {
        switch g.number(0...15) {
        case 0: g.pick(["0", "0-0", "abc", "", "1-1-1", "18446744073709551615", "99999-5", "-", "+"]).word
        case 1, 2: "0".word
        case 3: "\(g.number(1...max(1, g.streamTime)))".word
        default: "\(g.number(max(1, g.streamTime - 25)...max(1, g.streamTime)))-\(g.number(0...3))".word
        }
    }

    private static func bound(_ g: Generator) -> Word {
        switch g.number(0...9) {
        case 0...2: "-".word
        case 3...5: "+".word
        case 6: "(".word + id(g)
        default: id(g)
        }
    }

    private static func trimming(_ g: Generator) -> [Word] {
        let by = g.chance(50) ? [g.word("MAXLEN")] : [g.word("MINID")]
        let sign = g.pick([[], ["=".word], ["~".word]])
        let threshold = by[0].lowercasedText == "maxlen" ? g.count() : id(g)
        return by + sign + [threshold] + g.maybe(15, [g.word("LIMIT"), g.count()])
    }

    private static func streams(_ g: Generator, _ id: () -> Word) -> [Word] {
        let count = g.chance(70) ? 1 : 2
        return (0..<count).map { _ in g.key(.stream) } + (0..<(g.chance(97) ? count : 1)).map { _ in id() }
    }
}
