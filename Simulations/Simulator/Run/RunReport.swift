import Base

/// What happened in a run, in figures.
package struct RunStatistics: Equatable, Sendable {
    package var events: UInt64 = 0
    package var turns: UInt64 = 0
    package var elections = 0
    package var committed: UInt64 = 0
    package var operations = 0
    package var acknowledged = 0
    package var unknown = 0
    package var refused = 0
    /// Commands that nobody models, answered, and those of them that were answered with an error.
    package var drawn = 0
    package var drawnErrors = 0
    /// Scans that were taken to their end while what they go over changed.
    package var scans = 0
    package var crashes = 0
    package var faults = 0
    package var digestComparisons = 0
    /// Nodes that refused to start because their disk had lost data.
    package var refusedStarts = 0
    /// Distributed snapshots that began, and those of them that were complete, and strict; and the frames in flight in them.
    package var snapshots = 0
    package var completeSnapshots = 0
    package var strictSnapshots = 0
    package var framesInFlight = 0
    /// Clusters that were restored from cuts of this run, and that ran on from them.
    package var restored = 0
    package var ranOn = 0
    /// Keys whose history was too hard to decide.
    package var undecided = 0
    /// State files written, and installed by nodes that were far behind.
    package var stateFiles: UInt64 = 0
    package var installs: UInt64 = 0
    package init() {}
}

/// The outcome of a run.
package struct RunReport: Sendable {
    package var seed: UInt64
    package var nodeCount: Int
    /// The same for the same seed and the same code.
    package var hash: TraceHash
    /// The first promise that was broken; nil when all were kept.
    package var violation: Violation?
    /// The simulation's time at the end.
    package var endedAt: Instant
    package var statistics: RunStatistics

    /// One line.
    package var summary: String {
        let s = statistics
        var text = "seed \(seed): \(violation == nil ? "ok" : "FAILED") \(hash) \(nodeCount) nodes, \(seconds(endedAt)), "
        text +=
            "\(s.events) events, \(s.operations) operations (\(s.acknowledged) answered, \(s.unknown) unknown, \(s.refused) refused), "
        text += "\(s.drawn) drawn, \(s.committed) entries, \(s.elections) elections, \(s.faults) faults, \(s.crashes) crashes"
        if s.snapshots > 0 {
            text += ", \(s.snapshots) snapshots (\(s.completeSnapshots) complete, \(s.strictSnapshots) strict, "
            text += "\(s.framesInFlight) frames in flight, \(s.restored) restored, \(s.ranOn) ran on)"
        }
        if s.scans > 0 { text += ", \(s.scans) scans" }
        if s.stateFiles > 0 { text += ", \(s.stateFiles) state files, \(s.installs) installed" }
        if s.refusedStarts > 0 { text += ", \(s.refusedStarts) damaged disks refused" }
        if s.undecided > 0 { text += ", \(s.undecided) keys undecided" }
        if let violation { text += "\n  \(violation)" }
        return text
    }

    /// One JSON object on one line.
    package var json: String {
        let s = statistics
        let numbers: [(String, UInt64)] = [
            ("seed", seed), ("nodes", UInt64(nodeCount)), ("endedAtMicroseconds", endedAt.nanoseconds / 1000),
            ("events", s.events),
            ("turns", s.turns), ("operations", UInt64(s.operations)), ("answered", UInt64(s.acknowledged)),
            ("unknown", UInt64(s.unknown)), ("refused", UInt64(s.refused)), ("entries", s.committed),
            ("drawn", UInt64(s.drawn)), ("drawnErrors", UInt64(s.drawnErrors)), ("scans", UInt64(s.scans)),
            ("elections", UInt64(s.elections)), ("faults", UInt64(s.faults)), ("crashes", UInt64(s.crashes)),
            ("digestComparisons", UInt64(s.digestComparisons)), ("refusedStarts", UInt64(s.refusedStarts)),
            ("undecidedKeys", UInt64(s.undecided)), ("snapshots", UInt64(s.snapshots)),
            ("completeSnapshots", UInt64(s.completeSnapshots)), ("strictSnapshots", UInt64(s.strictSnapshots)),
            ("framesInFlight", UInt64(s.framesInFlight)), ("restored", UInt64(s.restored)), ("ranOn", UInt64(s.ranOn)),
            ("undecidedKeys", UInt64(s.undecided)), ("stateFiles", s.stateFiles), ("installs", s.installs),
        ]
        var text = "{\"ok\":\(violation == nil),\"hash\":\"\(hash)\""
        for (name, value) in numbers { text += ",\"\(name)\":\(value)" }
        if let violation {
            text += ",\"violation\":\"\(violation.kind.rawValue)\",\"message\":\"\(escaped(violation.message))\""
        }
        return text + "}"
    }

    private func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
