/// How commands of one name are drawn, and how their replies are compared.
package struct CommandShape: Sendable {
    /// The command's name; "object encoding" for a subcommand.
    package var name: String
    /// How the replies of the two sides are held against each other.
    package var rule: ReplyRule
    /// How often it is drawn, in relation to the others of its family.
    package var weight: Int
    /// Whether words of it may be replaced at random. Not where that could ask for a reply of gigabytes.
    package var isSpoilt: Bool
    /// Draws the words behind the name.
    package var arguments: @Sendable (Generator) -> [Word]

    /// Describes a command.
    package init(
        _ name: String, _ rule: ReplyRule = .exact, weight: Int = 10, isSpoilt: Bool = true,
        _ arguments: @escaping @Sendable (Generator) -> [Word]
    ) {
        self.name = name
        self.rule = rule
        self.weight = weight
        self.isSpoilt = isSpoilt
        self.arguments = arguments
    }

    /// The name as COMMAND has it: "object|encoding".
    package var fullName: String { name.split(separator: " ").joined(separator: "|") }
}

/// The commands of one family.
package struct ShapeFamily: Sendable {
    /// What `--family` takes.
    package var name: String
    /// The keys that its commands work on.
    package var kinds: [KeyKind]
    package var shapes: [CommandShape]
    /// The sum of the weights.
    package let weight: Int

    package init(_ name: String, kinds: [KeyKind], _ shapes: [CommandShape]) {
        self.name = name
        self.kinds = kinds
        self.shapes = shapes
        weight = shapes.reduce(0) { $0 + $1.weight }
    }

    /// One of the commands, by weight.
    func pick(_ generator: Generator) -> CommandShape {
        var rest = generator.number(0...(weight - 1))
        for shape in shapes {
            rest -= shape.weight
            if rest < 0 { return shape }
        }
        return shapes[0]
    }
}
