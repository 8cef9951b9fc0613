import Base
import RESP

/// What sequences are made from.
package struct SequenceOptions: Sendable, Equatable {
    /// The number that everything follows from.
    package var seed: UInt64 = 1
    /// Commands of a sequence.
    package var length = 200
    /// Only this family and those that go with any.
    package var family: String?
    /// Whether commands are drawn that the peer does not have.
    package var includesOwn = false
    /// Whether the commands about deadlines of a hash's fields are drawn, too: the peer has them from Redis 7.4 on.
    package var includesFieldDeadlines = false

    package init() {}
}

/// Sizes up to which collections are kept in their small form, set on both sides before a sequence: the borders are crossed with a
/// few elements in some sequences, and as by default in others.
package struct SmallForms: Equatable, Sendable {
    package var entries: Int
    package var valueBytes: Int
    package var integers: Int
    package var listSize: Int

    package static let usual = SmallForms(entries: 128, valueBytes: 64, integers: 512, listSize: -2)
    package static let tiny = SmallForms(entries: 4, valueBytes: 16, integers: 4, listSize: 3)

    /// The parameters by name. `isPeer`: only those that Redis 7.0 knows.
    package func parameters(isPeer: Bool) -> [(name: String, value: Int)] {
        var list = [
            ("hash-max-listpack-entries", entries), ("hash-max-listpack-value", valueBytes),
            ("zset-max-listpack-entries", entries),
            ("zset-max-listpack-value", valueBytes), ("set-max-intset-entries", integers), ("list-max-listpack-size", listSize),
        ]
        if !isPeer { list += [("set-max-listpack-entries", entries), ("set-max-listpack-value", valueBytes)] }
        return list
    }
}

/// A sequence of commands with the settings it runs under.
package struct CommandSequence: Sendable, Equatable {
    /// Its number among those of the seed.
    package var number: Int
    /// Whether replies are asked for in RESP3.
    package var isVersionThree: Bool
    package var forms: SmallForms
    package var steps: [Step]

    /// Makes sequence `number` of a seed.
    package init(_ options: SequenceOptions, number: Int) {
        let seed = options.seed &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(number) &* 0xD6E8_FEB8_6659_FD93
        var random = RandomGenerator(seed: seed)
        isVersionThree = random.chance(1, in: 2)
        forms = random.chance(1, in: 2) ? .tiny : .usual
        self.number = number
        let families = CommandSequence.families(options, &random)
        let generator = Generator(seed: random.next(), kinds: families.flatMap(\.kinds))
        steps = []
        steps.reserveCapacity(options.length)
        for _ in 0..<options.length { steps.append(CommandSequence.step(families, generator)) }
    }

    /// A sequence that is given.
    package init(_ steps: [Step], isVersionThree: Bool = false, forms: SmallForms = .usual) {
        number = 0
        self.steps = steps
        self.isVersionThree = isVersionThree
        self.forms = forms
    }

    /// All families, or one or two of them, so that their commands meet on the same keys; those that go with any always.
    private static func families(_ options: SequenceOptions, _ random: inout RandomGenerator) -> [ShapeFamily] {
        let common =
            ShapeTable.families.filter { ShapeTable.common.contains($0.name) } + (options.includesOwn ? [OwnShapes.family] : [])
            + (options.includesFieldDeadlines ? [FieldDeadlineShapes.family] : [])
        let special = ShapeTable.families.filter { !ShapeTable.common.contains($0.name) }
        if let wanted = options.family { return ShapeTable.families.filter { $0.name == wanted } + common }
        if random.chance(1, in: 3) { return special + common }
        let first = special[random.index(below: special.count)]
        let second = special[random.index(below: special.count)]
        // Three shares for what the sequence is about, one for each of the others.
        return [first, first, second] + common
    }

    private static func step(_ families: [ShapeFamily], _ generator: Generator) -> Step {
        if generator.chance(1) { return Step(ConnectionShapes.words(generator)) }
        let shape = generator.pick(families).pick(generator)
        generator.pauses = false
        var name = shape.name.split(separator: " ").map { Word($0.utf8) }
        if generator.chance(10) { name[0] = generator.word(String(decoding: name[0], as: UTF8.self).uppercased()) }
        var words = name + shape.arguments(generator)
        if generator.chance(5), !generator.pauses { spoil(&words, shape, generator) }
        return Step(words, pauses: generator.pauses)
    }

    /// Makes a command wrong in one way.
    private static func spoil(_ words: inout [Word], _ shape: CommandShape, _ generator: Generator) {
        let first = shape.name.split(separator: " ").count
        guard words.count > first, shape.isSpoilt else {
            if words.count > 1 { words.removeLast() }
            return
        }
        let place = generator.number(first...(words.count - 1))
        switch generator.number(0...5) {
        case 0: words.removeLast()
        case 1: words.append(strange(shape, generator))
        case 2: words.remove(at: place)
        case 3: words.append(words[place])
        default: words[place] = strange(shape, generator)
        }
    }

    /// A word that hardly fits, and is no deadline that passes while a sequence runs.
    private static func strange(_ shape: CommandShape, _ generator: Generator) -> Word {
        var word = generator.strange()
        guard shape.name.contains("ex") || shape.name == "set" else { return word }
        while let number = word.withView({ parseInteger($0) }), number > 0, number < 10_000_000 { word = generator.strange() }
        return word
    }
}
