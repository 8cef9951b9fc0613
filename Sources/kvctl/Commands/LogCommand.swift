import ArgumentParsing
import Base
import Storage

/// `kvctl log inspect DIR`: every record of a stopped node's log, and whether a start would accept it.
enum LogCommand {
    /// What was counted on the way.
    private struct Counts {
        var frames = 0
        var records = 0
        var entries = 0
        var bad = 0
        var firstIndex: UInt64?
        var lastIndex: UInt64?
    }

    /// Prints the log; fails when recovery would refuse it.
    static func run(_ values: Values) throws(Failure) -> Int32 {
        let directory = try LogDirectory(values[Tool.directory])
        let isJSON = values[Tool.json]
        let isBrief = values[Tool.brief]
        var counts = Counts()
        // Lines are gathered: a log has millions.
        var pending = isJSON ? "" : Colour.faint.paint(LogText.heading)
        let refusal: StorageError?
        do {
            let identity = try directory.identity()
            if !isJSON { Console.output("node \(identity.nodeID) of cluster \(identity.clusterID), in '\(directory.path)'\n") }
            refusal = try LogInspector.inspect(directory, identity: identity) { record in
                count(record, &counts)
                if isBrief && record.kind != .segment && record.verdict == .good { return }
                pending += isJSON ? LogText.json(record) : LogText.line(record)
                if pending.utf8.count > 64 << 10 {
                    Console.output(pending)
                    pending = ""
                }
            }
        } catch {
            throw Failure("can't read the log in '\(directory.path)': \(error)")
        }
        Console.output(pending)
        if !isJSON { Console.output(summary(counts)) }
        if let refusal { throw Failure("a node would not start with this log: \(refusal)") }
        return 0
    }

    private static func count(_ record: InspectedRecord, _ counts: inout Counts) {
        if case .bad = record.verdict { counts.bad += 1 }
        if record.verdict != .good { return }
        switch record.kind {
        case .segment, .unreadable: break
        case .frame: counts.frames += 1
        case .entry:
            counts.records += 1
            counts.entries += 1
            if let index = record.index?.rawValue {
                counts.firstIndex = counts.firstIndex.map { min($0, index) } ?? index
                counts.lastIndex = index
            }
        default: counts.records += 1
        }
    }

    private static func summary(_ counts: Counts) -> String {
        var text = "\(counts.frames) frames with \(counts.records) records, \(counts.entries) of them entries"
        if let first = counts.firstIndex, let last = counts.lastIndex { text += " (from index \(first), last \(last))" }
        return text + (counts.bad == 0 ? ", all checksums good\n" : ", \(Colour.red.paint("\(counts.bad) bad"))\n")
    }
}
