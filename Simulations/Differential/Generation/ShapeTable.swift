import Database

/// All shapes there are, and the commands that have none on purpose.
package enum ShapeTable {
    /// The families, one line each. The ones that work on keys of any type stand at the end.
    package static let families: [ShapeFamily] = [
        StringShapes.family,
        HashShapes.family,
        ListShapes.family,
        SetShapes.family,
        SortedSetShapes.family,
        BitmapShapes.family,
        HyperLogLogShapes.family,
        GeoShapes.family,
        StreamShapes.family,
        SortShapes.family,
        KeyShapes.family,
        ExpiryShapes.family,
    ]
    /// The families that go with any other.
    static let common: Set<String> = ["generic", "expiry"]

    /// Data commands without a shape, each with the reason. Names as COMMAND has them.
    package static let exclusions: [(command: String, reason: String)] =
        [
            ("hexpire", ""), ("hpexpire", ""), ("hexpireat", ""), ("hpexpireat", ""), ("httl", ""), ("hpttl", ""),
            ("hexpiretime", ""),
            ("hpexpiretime", ""), ("hpersist", ""),
        ].map { ($0.0, "Redis has it from 7.4 on, and the usual peer is older (--field-deadlines)") } + [
            ("cl.throttle", "a module's, which the peer does not have"),
            ("xgroup|help", "the text is this store's own"),
            ("xinfo|help", "the text is this store's own"),
            ("debug|digest", "the digest is this store's own; the cluster mode compares it between nodes"),
            ("debug|digest-value", "the digest is this store's own"),
            ("debug|object", "tells addresses and sizes of an implementation"),
            ("debug|set-active-expire", "changes when memory is given back, not what is replied"),
            ("kv.set-parameter", "Redis does not have it; sequences set the parameters of small forms with it"),
            ("memory|usage", "counts the bytes of an implementation"),
            ("object|help", "the text is this store's own"),
            ("pfselftest", "takes seconds in Redis"),
            ("time", "tells the time"),
        ]

    /// Every shape by the words of its name in lower case: "get", "object encoding".
    static let byName: [String: CommandShape] = {
        var shapes: [String: CommandShape] = [:]
        for family in families + [FieldDeadlineShapes.family] { for shape in family.shapes { shapes[shape.name] = shape } }
        return shapes
    }()

    /// The rule for the replies of a command, whatever became of its words.
    package static func rule(of step: Step) -> ReplyRule {
        let name = step.name
        if let shape = byName[name] { return shape.rule }
        guard step.words.count > 1 else { return .exact }
        return byName[name + " " + step.words[1].lowercasedText]?.rule ?? .exact
    }

    /// The data commands of a table that have no shape and are not excluded.
    package static func uncovered(_ table: CommandTable) -> [String] {
        var known = Set(exclusions.map(\.command))
        for family in families { for shape in family.shapes { known.insert(shape.fullName) } }
        return dataCommands(table).filter { !known.contains($0) }
    }

    /// The shapes and exclusions that no command of a table has.
    package static func strangers(_ table: CommandTable) -> [String] {
        let data = Set(dataCommands(table))
        let named = families.flatMap { $0.shapes.map(\.fullName) } + exclusions.map(\.command)
        return named.filter { !data.contains($0) }
    }

    /// The commands that are carried out by the state machine.
    package static func dataCommands(_ table: CommandTable) -> [String] {
        table.commands.flatMap { $0.isContainer ? $0.subcommands : [$0] }.filter { $0.scope != .local }.map(\.fullName)
    }
}
