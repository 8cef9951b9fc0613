import Base
import Database
import Testing

@testable import Simulator

@Suite struct CommandGeneratorTests {
    /// Commands of the table that are left out, each for a reason.
    private static let leftOut: Set<String> = [
        // Would empty the databases of the other clients.
        "flushall"
    ]

    @Test func everyCommandOnDataIsDrawn() {
        let generator = CommandGenerator(random: RandomGenerator(seed: 1))
        let drawn = Set(generator.commands.map(\.name))
        for command in CommandTable.standard.commands where command.scope != .local && !command.isContainer {
            if command.flags.contains(.admin) || command.flags.contains(.blocking) { continue }
            #expect(drawn.contains(command.name) != Self.leftOut.contains(command.name), "\(command.name)")
        }
        for name in CommandGenerator.forms.keys {
            #expect(drawn.contains(name), "a form is for a command that there is: \(name)")
        }
    }

    @Test func everyCommandThatIsDrawnSucceedsNowAndThen() {
        let drawn = DrawnCommands(seed: 3)
        var answered: Set<String> = []
        var errors = 0
        let count = 12_000
        for _ in 0..<count {
            let (words, reply) = drawn.next()
            #expect(DrawnCommands.problem(reply) == nil, "\(words.map(abbreviated)): \(String(decoding: reply, as: UTF8.self))")
            if reply.first == UInt8(ascii: "-") {
                errors += 1
            } else {
                answered.insert(String(decoding: words[0], as: UTF8.self))
            }
        }
        for command in CommandGenerator(random: RandomGenerator(seed: 1)).commands {
            #expect(answered.contains(command.name), "\(command.name) was never answered but with an error")
        }
        #expect(errors < count / 3)
        #expect(drawn.replay().digest() == drawn.machine.digest())
    }

    @Test func twoGeneratorsOfOneSeedDrawTheSame() {
        var one = CommandGenerator(random: RandomGenerator(seed: 9))
        var other = CommandGenerator(random: RandomGenerator(seed: 9))
        for _ in 0..<500 { #expect(one.draw() == other.draw()) }
    }
}
