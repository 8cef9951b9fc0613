import Base
import Simulator

let seed = UInt64(CommandLine.arguments[1]) ?? 1
let count = CommandLine.arguments.count > 2 ? UInt64(CommandLine.arguments[2]) ?? 1 : 1
for seed in seed..<seed + count {
    let simulation = Simulation(RunOptions(seed: seed))
    if CommandLine.arguments.contains("--trace") { simulation.tracer = { print($0) } }
    print(simulation.run().summary)
}
