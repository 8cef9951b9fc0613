import Base
import Database
import Simulator

/// Sequences of commands of all families, drawn from the command table, on a state machine.
///
/// What must hold: nothing crashes; every command gets one well-formed reply; the same entries applied again give the same state.
struct DatabaseFuzz: FuzzTarget {
    init() {}

    mutating func run(_ random: inout RandomGenerator) -> FuzzVerdict {
        let drawn = DrawnCommands(seed: random.next())
        for _ in 0...random.index(below: 400) {
            let (_, words, reply) = drawn.next()
            if let problem = DrawnCommands.problem(reply) {
                let text = words.map { escaped($0) }.joined(separator: " ")
                return .bad("\(problem), after \(text)", input: reply)
            }
        }
        let again = drawn.replay()
        return again.digest() == drawn.machine.digest() ? .good : .bad("the same entries give another state", input: [])
    }
}
