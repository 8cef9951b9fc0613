import ArgumentParsing
import Differential
import Glibc

/// What is held against Redis.
enum Mode: String, CaseIterable, ArgumentValue {
    /// The state machine in this process.
    case direct
    /// One node.
    case node
    /// A cluster of three, through all nodes in turn.
    case cluster
    /// Nothing: prints the digest of the state after each sequence.
    case digest

    /// Nodes to start.
    var nodes: Int {
        switch self {
        case .direct, .digest: 0
        case .node: 1
        case .cluster: 3
        }
    }
}

/// What the command line asks for.
struct Request: Sendable {
    var options = SequenceOptions()
    var first = 0
    var sequences = 100
    var jobs = 1
    var mode = Mode.direct
    var peer: Address?
    var isPlanted = false
    var isJSON = false

    /// The command line that runs one sequence again.
    func again(_ number: Int) -> String {
        var text =
            "kvdiff --mode \(mode.rawValue) --seed \(options.seed) --first \(number) --sequences 1 --length \(options.length)"
        if let family = options.family { text += " --family \(family)" }
        if options.includesFieldDeadlines { text += " --field-deadlines" }
        if isPlanted { text += " --plant" }
        return text
    }
}

/// Writes to standard error.
func complain(_ text: String) {
    var copy = text
    copy.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// Writes to standard output at once.
func tell(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        if count <= 0 { return }
        rest = rest.dropFirst(count)
    }
}
