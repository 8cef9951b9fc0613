import Base
import Database
import Differential
import RESP
import Testing

@Suite struct ShapeTests {
    @Test func everyDataCommandHasAShapeOrAReasonForNone() {
        #expect(
            ShapeTable.uncovered(.standard).isEmpty,
            "add shapes in Simulations/Differential/Shapes, or an exclusion with its reason")
    }

    @Test func shapesAndExclusionsAreOfTheTable() {
        #expect(ShapeTable.strangers(.standard).isEmpty)
        let shaped = Set(ShapeTable.families.flatMap { $0.shapes.map(\.fullName) })
        for (command, reason) in ShapeTable.exclusions { #expect(!shaped.contains(command) && !reason.isEmpty, "\(command)") }
    }

    /// A command that nobody described is seen to be missing.
    @Test func aCommandWithoutAShapeIsFound() {
        let planted = CommandDefinition(
            "planted", arity: 1, [.readonly], group: .generic, since: "1", complexity: "", summary: "", body: { $0.reply.ok() })
        #expect(ShapeTable.uncovered(CommandTable(families: [[planted]])) == ["planted"])
    }

    @Test func aSequenceFollowsFromItsSeedAndNumber() {
        var options = SequenceOptions()
        #expect(CommandSequence(options, number: 5) == CommandSequence(options, number: 5))
        #expect(CommandSequence(options, number: 5).steps != CommandSequence(options, number: 6).steps)
        #expect(CommandSequence(options, number: 5).steps.count == 200)
        let before = CommandSequence(options, number: 5).steps
        options.seed = 2
        #expect(CommandSequence(options, number: 5).steps != before)
    }

    @Test func everyShapeIsDrawn() {
        var drawn: Set<String> = []
        for number in 0..<300 {
            for step in CommandSequence(SequenceOptions(), number: number).steps {
                drawn.insert(step.name)
                if step.words.count > 1 { drawn.insert("\(step.name) \(step.words[1].lowercasedText)") }
            }
        }
        for family in ShapeTable.families { for shape in family.shapes { #expect(drawn.contains(shape.name), "\(shape.name)") } }
    }

    @Test func deadlinesOfFieldsAreDrawnOnRequest() {
        func names(_ options: SequenceOptions) -> Set<String> {
            Set((0..<20).flatMap { CommandSequence(options, number: $0).steps.map(\.name) })
        }
        let wanted: Set = [
            "hexpire", "hpexpire", "hexpireat", "hpexpireat", "hpersist", "httl", "hpttl", "hexpiretime", "hpexpiretime",
        ]
        var options = SequenceOptions()
        options.family = "hash"
        #expect(names(options).isDisjoint(with: wanted))
        options.includesFieldDeadlines = true
        #expect(names(options).isSuperset(of: wanted))
    }

    @Test func aFamilyAloneMeetsOnlyTheCommonOnes() {
        var options = SequenceOptions()
        options.family = "hash"
        let names = Set(CommandSequence(options, number: 1).steps.map(\.name))
        #expect(names.contains("hset") && !names.contains("zadd") && !names.contains("lpush"))
    }

    /// What a deadline is by its place is far off, long past, or followed by a pause: no reply hangs on how fast a machine is.
    @Test func noDeadlinePassesBetweenTwoCommands() {
        let places = ["pexpire": 2, "expire": 2, "psetex": 2, "setex": 2, "restore": 2]
        for number in 0..<2000 {
            var options = SequenceOptions()
            options.family = number % 2 == 0 ? "string" : "sort"
            for step in CommandSequence(options, number: number).steps where !step.pauses {
                var deadlines: [Word] = []
                let needed = step.name.hasSuffix("expire") ? 3 : 4
                if let place = places[step.name], step.words.count >= needed { deadlines.append(step.words[place]) }
                for (index, word) in step.words.enumerated().dropFirst(2)
                where ["ex", "px"].contains(word.lowercasedText) && index + 1 < step.words.count
                    && ["set", "getex"].contains(step.name)
                {
                    deadlines.append(step.words[index + 1])
                }
                for text in deadlines {
                    let number = text.withView { parseInteger($0) } ?? 0
                    #expect(number <= 0 || number >= 100_000, "\(step.line)")
                }
            }
        }
    }

    @Test func linesAreWrittenForRedisCLI() {
        #expect(Step(["set".word, [], [0, 0x22, 0x41, 0xFF], "a b".word, "x".word]).line == #"set "" "\x00\"A\xff" "a b" x"#)
    }
}

extension String {
    var word: Word { Word(utf8) }
}
