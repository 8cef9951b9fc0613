import Differential

/// The last lines of a run.
struct Summary {
    let text: String

    init(_ request: Request, _ outcome: Workers.Outcome, seconds: Double) {
        text = request.isJSON ? Summary.json(request, outcome, seconds) : Summary.words(request, outcome, seconds)
    }

    private static func words(_ request: Request, _ outcome: Workers.Outcome, _ seconds: Double) -> String {
        let commands = outcome.figures["commands"] ?? 0
        var text = "kvdiff: \(outcome.sequences) sequences of seed \(request.options.seed), mode \(request.mode.rawValue): "
        text += "\(commands) replies compared in \(seconds) s, "
        text += outcome.failures.isEmpty ? "no difference that is not known\n" : "\(outcome.failures.count) sequences differ\n"
        let early = outcome.figures["ended early"] ?? 0
        if early > 0 { text += "  ended early by a known difference: \(early) sequences\n" }
        for (name, count) in outcome.figures.sorted(by: { $0.key < $1.key }) where name.hasPrefix("difference ") {
            text += "  known \(name): \(count)\n"
        }
        if !outcome.failures.isEmpty {
            text += "  failed: \(outcome.failures.sorted().prefix(30).map(String.init).joined(separator: " "))\n"
        }
        return text
    }

    private static func json(_ request: Request, _ outcome: Workers.Outcome, _ seconds: Double) -> String {
        let differences = outcome.figures.filter { $0.key.hasPrefix("difference ") }.sorted { $0.key < $1.key }
            .map { "\"\($0.key.dropFirst(11))\":\($0.value)" }
        let failures = outcome.failures.sorted().map(String.init).joined(separator: ",")
        return "{\"mode\":\"\(request.mode.rawValue)\",\"seed\":\(request.options.seed),\"sequences\":\(outcome.sequences),"
            + "\"commands\":\(outcome.figures["commands"] ?? 0),\"seconds\":\(seconds),"
            + "\"endedEarly\":\(outcome.figures["ended early"] ?? 0),\"differences\":{\(differences.joined(separator: ","))},"
            + "\"failures\":[\(failures)]}\n"
    }
}
