import Base
import Database

/// Draws commands of all families from the command table. What they do is not modelled: replicas are compared after them.
///
/// Keys lie in databases of their own, few for each family, so that commands meet. For commands whose arguments have a shape there
/// are forms (`CommandGenerator+Forms`); any other is given keys where the table says that it has keys, and chance words elsewhere.
/// A command that is new in the table is drawn from the day that it is there.
package struct CommandGenerator: Sendable {
    /// The databases for it. The first one is the one to select.
    package static let databases = [1, 2]

    /// Commands by family: data families first in weight, what they have in common last.
    let families: [[Command]]
    private var random: RandomGenerator

    package init(random: RandomGenerator, table: CommandTable = .standard) {
        self.random = random
        let all = table.commands.flatMap { $0.isContainer ? $0.subcommands : [$0] }.filter { CommandGenerator.isDrawn($0) }
        families = CommandGenerator.groups.map { group in all.filter { $0.definition.group == group } }.filter { !$0.isEmpty }
    }

    private static let groups: [CommandGroup] = [
        .string, .list, .set, .hash, .sortedSet, .bitmap, .hyperloglog, .geo, .stream, .generic, .coracle, .server,
    ]

    /// Whether a command works on data, in one database, and answers by itself.
    static func isDrawn(_ command: Command) -> Bool {
        if command.body == nil || command.flags.contains(.admin) || leftOut.contains(command.fullName) { return false }
        if command.flags.contains(.blocking) && forms[command.fullName] == nil { return false }
        return groups.contains(command.definition.group)
    }

    /// Commands that are not drawn, each for a reason.
    static let leftOut: Set<String> = [
        // Would empty the databases of the other clients.
        "flushall",
        // Takes bytes that only DUMP gives: `kvfuzz rdb` makes those.
        "restore",
    ]

    /// All commands that are drawn.
    var commands: [Command] { families.flatMap { $0 } }

    /// Draws a command: its words.
    package mutating func draw() -> [[UInt8]] { words(of: drawCommand()) }

    /// Draws a command without its arguments.
    mutating func drawCommand() -> Command {
        let family = families[random.index(below: families.count)]
        var command = family[random.index(below: family.count)]
        // Reads change nothing: one in two is drawn again.
        if command.scope == .read, random.chance(1, in: 2) { command = family[random.index(below: family.count)] }
        // A database with nothing in it shows little.
        if command.name == "flushdb", !random.chance(1, in: 8) { command = family[0] }
        return command
    }

    /// Draws arguments for a command.
    mutating func words(of command: Command) -> [[UInt8]] {
        let family = CommandGenerator.keyFamily(command.definition.group)
        var words = command.fullName.split(separator: "|").map { Array($0.utf8) }
        if let forms = CommandGenerator.forms[command.fullName] {
            for part in random.choice(of: forms).split(separator: " ") { fill(part, family, &words) }
        } else {
            fillByTable(command, family, &words)
        }
        return words
    }

    // MARK: by the table

    private mutating func fillByTable(_ command: Command, _ family: String, _ words: inout [[UInt8]]) {
        var count = abs(command.arity)
        if command.arity < 0 { while count < 12, random.chance(1, in: 2) { count += 1 } }
        while words.count < count { words.append(random.chance(1, in: 3) ? number() : member()) }
        for specification in command.definition.keys {
            guard case .index(let first) = specification.begin, first < count else { continue }
            switch specification.find {
            case .range(let last, let step, _):
                let end = last >= 0 ? first + last : count + last
                for index in stride(from: first, through: min(end, count - 1), by: max(step, 1)) { words[index] = key(family) }
            case .count(let place, let start, let step):
                if first + start >= count { continue }
                let room = (count - first - start + step - 1) / step
                let keys = 1 + random.index(below: room)
                words[first + place] = Array(String(keys).utf8)
                for index in 0..<keys { words[first + start + index * step] = key(family) }
            }
        }
    }

    // MARK: by a form

    /// Fills one word of a form. `a|b|` is one of several words, or none; `$x` is drawn; `$x,$y` are drawn one behind the other; a `+`
    /// behind it draws one to three times, a `*` often.
    private mutating func fill(_ part: Substring, _ family: String, _ words: inout [[UInt8]]) {
        if !part.hasPrefix("$") {
            let choices = part.split(separator: "|", omittingEmptySubsequences: false)
            let choice = choices.count == 1 ? part : choices[random.index(below: choices.count)]
            if !choice.isEmpty { words.append(Array(choice.utf8)) }
            return
        }
        var part = part
        var times = 1
        if part.hasSuffix("+") || part.hasSuffix("*") {
            times = 1 + random.index(below: part.hasSuffix("*") ? 80 : 3)
            part = part.dropLast()
        }
        for _ in 0..<times { for kind in part.split(separator: ",") { fill(kind: kind, family, &words) } }
    }

    private mutating func fill(kind: Substring, _ family: String, _ words: inout [[UInt8]]) {
        switch kind {
        case "$k": words.append(key(family))
        case "$key": words.append(key(random.choice(of: CommandGenerator.keyFamilies)))
        case "$keys":
            let count = 1 + random.index(below: 3)
            words.append(Array(String(count).utf8))
            for _ in 0..<count { words.append(key(family)) }
        case "$m": words.append(member())
        case "$v": words.append(value())
        case "$i": words.append(number())
        case "$n": words.append(Array(String(1 + random.index(below: 5)).utf8))
        case "$f": words.append(score())
        case "$sb": words.append(random.chance(1, in: 3) ? Array("(".utf8) + score() : score())
        case "$lb": words.append(lexicalBound())
        case "$fields":
            let count = 1 + random.index(below: 3)
            words += [Array("FIELDS".utf8), Array(String(count).utf8)]
            for _ in 0..<count { words.append(member()) }
        case "$id": words.append(Array("5-\(random.index(below: 12))".utf8))
        case "$lon": words.append(degrees(180))
        case "$lat": words.append(degrees(85))
        case "$ms": words.append(Array(String(1 + random.index(below: random.choice(of: [50, 2_000, 1_000_000]))).utf8))
        case "$s": words.append(Array(String(1 + random.index(below: random.choice(of: [2, 2, 10_000]))).utf8))
        default: check(false, "a form names what can be drawn: \(kind)")
        }
    }

    // MARK: words

    static let keyFamilies = ["string", "list", "set", "hash", "zset", "stream", "hll"]

    /// Which keys the commands of a group work on.
    private static func keyFamily(_ group: CommandGroup) -> String {
        switch group {
        case .list: "list"
        case .set: "set"
        case .hash: "hash"
        case .sortedSet, .geo: "zset"
        case .stream: "stream"
        case .hyperloglog: "hll"
        case .string, .bitmap, .coracle: "string"
        default: ""
        }
    }

    private mutating func key(_ family: String) -> [UInt8] {
        let isOwn = !family.isEmpty && !random.chance(1, in: 20)
        let family = isOwn ? family : random.choice(of: CommandGenerator.keyFamilies)
        return Array("\(family):\(random.index(below: 3))".utf8)
    }

    private mutating func member() -> [UInt8] {
        switch random.index(below: 8) {
        case 0...3: [UInt8(ascii: "a") + UInt8(random.index(below: 8))]
        case 4...5: Array(String(random.index(below: 600)).utf8)
        case 6: Array("m\(random.index(below: 600))".utf8)
        default: value()
        }
    }

    private mutating func value() -> [UInt8] {
        switch random.index(below: 10) {
        case 0...3: return Array(String(random.index(below: 100)).utf8)
        case 4: return score()
        case 5: return []
        case 6: return (0..<random.index(below: 40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        case 7: return [UInt8](repeating: UInt8(ascii: "x"), count: 60 + random.index(below: 10))
        case 8: return [UInt8](repeating: UInt8(ascii: "y"), count: random.index(below: random.choice(of: [100, 100, 6_000])))
        default: return Array("v\(random.index(below: 10))".utf8)
        }
    }

    private mutating func number() -> [UInt8] {
        switch random.index(below: 8) {
        case 0: Array(String(Int64(bitPattern: random.next())).utf8)
        case 1: Array(String(random.index(below: 200)).utf8)
        default: Array(String(random.index(below: 16) - 6).utf8)
        }
    }

    private mutating func score() -> [UInt8] {
        random.chance(1, in: 2)
            ? Array(String(random.index(below: 30) - 10).utf8)
            : Array(random.choice(of: ["0.1", "-2.5", "3.25", "1e3", "inf", "-inf", "0", "-0", "1e-7", "17179869184.5"]).utf8)
    }

    private mutating func degrees(_ bound: Int) -> [UInt8] {
        // Most are near one another.
        let whole = random.chance(1, in: 4) ? random.index(below: 2 * bound) - bound : 13 + random.index(below: 3)
        return Array("\(whole).\(random.index(below: 10_000))".utf8)
    }

    private mutating func lexicalBound() -> [UInt8] {
        switch random.index(below: 5) {
        case 0: Array("-".utf8)
        case 1: Array("+".utf8)
        default: Array(random.choice(of: ["[", "("]).utf8) + member()
        }
    }
}
