// kvfuzz: generated inputs for everything that reads bytes it does not trust.
//
//     swift run -c release kvfuzz resp --inputs 1000000 --seed 1
//
// Each target is a function that makes input number `i` from the seed alone, runs the code under test on it and says
// what went wrong, if anything: so any failure is replayed with `--first i --inputs 1`. A new target is one line in
// `fuzzTargets` below and one file beside this one.

import ArgumentParsing
import Base
import Glibc

/// What a fuzz target says about one generated input.
enum FuzzVerdict {
    case good
    /// What did not hold, and the input that shows it.
    case bad(String, input: [UInt8])
}

/// A fuzz target: makes its input from the generator, which depends on the seed and the input's number only.
protocol FuzzTarget {
    init()
    mutating func run(_ random: inout RandomGenerator) -> FuzzVerdict
}

/// All targets, by name.
func fuzzTargets() -> [(name: String, abstract: String, make: () -> any FuzzTarget)] {
    [
        ("resp", "Requests and replies: the parsers of RESP.", { RESPFuzz() }),
        ("frame", "Streams between nodes: frames, hellos, Raft messages, batches.", { FrameFuzz() }),
        ("snapshot", "Messages about distributed snapshots.", { SnapshotFuzz() }),
        ("rdb", "Redis values and files: what RESTORE and import read.", { RDBFuzz() }),
        ("state", "Records of states under commands, and damaged ones: the recorder and its loader.", { StateFuzz() }),
        ("database", "Commands of all families: the state machine.", { DatabaseFuzz() }),
        ("log", "Damaged and forged write-ahead logs: recovery and the inspector.", { LogFuzz() }),
        ("file", "Damaged and forged state files: the reader and the loader.", { StateFileFuzz() }),
    ]
}

/// Writes to standard error.
func complain(_ text: String) {
    var copy = text
    copy.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

func main() -> Int32 {
    let targets = fuzzTargets()
    let inputs = Option("inputs", default: 100_000, help: "How many inputs to try.")
    let seed = Option<UInt64>("seed", default: 1, help: "What the inputs are made from.")
    let first = Option("first", default: 0, help: "Number of the first input.")
    let trace = Flag("trace", help: "Print each input's number before it is tried, to find one that crashes.")
    let tool = ToolCommand<Int>(
        "kvfuzz", abstract: "Feeds generated inputs to the parsers and checks what must hold.",
        version: "kvfuzz 0.1.0", declares: [inputs, seed, first, trace],
        subcommands: targets.enumerated().map { ToolCommand($1.name, abstract: $1.abstract, action: $0) })
    switch tool.parse(Array(CommandLine.arguments.dropFirst())) {
    case .message(let text):
        print(text, terminator: "")
        return 0
    case .failure(let error):
        complain(error.text)
        return usageExitCode
    case .run(let index, let values):
        return fuzz(
            targets[index].name, targets[index].make(), inputs: values[inputs], seed: values[seed], first: values[first],
            trace: values[trace])
    }
}

func fuzz(_ name: String, _ target: any FuzzTarget, inputs: Int, seed: UInt64, first: Int, trace: Bool) -> Int32 {
    var target = target
    var mixer = RandomGenerator(seed: seed)
    let base = mixer.next()
    for number in first..<(first + max(inputs, 0)) {
        if trace { complain("\(number)\n") }
        var random = RandomGenerator(seed: base ^ (UInt64(number) &* 0x9E37_79B9_7F4A_7C15))
        if case .bad(let message, let input) = target.run(&random) {
            complain("kvfuzz \(name): \(message)\n  input \(number) of seed \(seed): \(escaped(input))\n")
            complain("  again: kvfuzz \(name) --seed \(seed) --first \(number) --inputs 1\n")
            return 1
        }
    }
    print("kvfuzz \(name): \(inputs) inputs of seed \(seed), all good")
    return 0
}

/// Bytes as a readable literal.
func escaped(_ bytes: [UInt8]) -> String {
    var text = "\""
    for byte in bytes {
        switch byte {
        case 0x0D: text += "\\r"
        case 0x0A: text += "\\n"
        case 0x22, 0x5C: text += "\\" + String(UnicodeScalar(byte))
        case 0x20..<0x7F: text += String(UnicodeScalar(byte))
        default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }
    return text + "\""
}

exit(main())
