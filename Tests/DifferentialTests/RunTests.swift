import Base
import Differential
import Testing

/// Two state machines against each other. They make other random choices, so the rules are exercised without a Redis.
@Suite struct RunTests {
    private func pair() -> PairRun { PairRun(coracle: DirectSubject(), peer: DirectSubject(salt: 0x1234_5678)) }

    @Test func twoMachinesWithOtherSeedsAgree() throws {
        let run = pair()
        for number in 0..<150 {
            let outcome = try run.run(CommandSequence(SequenceOptions(), number: number))
            #expect(outcome.mismatch == nil, "sequence \(number)")
            #expect(outcome.compared == 200 || outcome.endedEarly || outcome.mismatch != nil)
        }
    }

    /// The planted bug: a length that is one too small. It is found, and what is left shows it with one command that makes the
    /// collection and one that asks.
    @Test func aPlantedBugIsFoundAndShrunk() throws {
        let run = pair()
        run.plant = Plant.lengths
        var found = 0
        for number in 0..<20 {
            let sequence = CommandSequence(SequenceOptions(), number: number)
            guard let mismatch = try run.run(sequence).mismatch else { continue }
            found += 1
            var shrinker = Shrinker { (try? run.run($0))?.mismatch }
            let (short, last) = shrinker.shrink(sequence, mismatch)
            #expect(short.steps.count <= 3, "sequence \(number): \(short.steps.map(\.line))")
            #expect(last.name == mismatch.name)
            #expect(try run.run(short).mismatch == last)
            let report = MismatchReport(title: "it", original: sequence, shortest: short, mismatch: last).lines
            #expect(report.contains("  Coracle replies:") && report.contains("    " + short.steps[0].line))
        }
        #expect(found >= 5)
    }

    @Test func theSameLogGivesTheSameState() throws {
        let one = DirectSubject()
        let two = DirectSubject()
        for number in 0..<20 {
            let sequence = CommandSequence(SequenceOptions(), number: number)
            for subject in [one, two] {
                try subject.begin(sequence)
                _ = try subject.run(sequence.steps)
                subject.checkInvariants()
            }
            #expect(one.digest == two.digest)
        }
    }
}
