import Storage

/// What the log inspector finds, one line each.
package enum LogText {
    /// A line of the table.
    package static func line(_ record: InspectedRecord) -> String {
        if record.kind == .segment {
            return "\(record.file)  \(StatusText.bytes(Int64(record.byteCount)))  \(record.detail)\(verdict(record))\n"
        }
        var cells: [(String, Int)] = [
            ("\(record.offset)", 12), (record.sequence == 0 ? "-" : "\(record.sequence)", 10), (record.kind.rawValue, 12),
            (record.group.map { "\($0)" } ?? "", 6), (record.index.map { "\($0)" } ?? "", 12),
            (record.term.map { "\($0)" } ?? "", 8),
        ]
        cells.append(("\(record.byteCount)", 10))
        var text = ""
        for (cell, width) in cells { text += padded(cell, width) }
        text += "  " + record.detail + verdict(record)
        while text.last == " " { text.removeLast() }
        return text + "\n"
    }

    /// The headings of `line`.
    package static var heading: String {
        var text = ""
        let columns = [("OFFSET", 12), ("FRAME", 10), ("KIND", 12), ("GROUP", 6), ("INDEX", 12), ("TERM", 8), ("BYTES", 10)]
        for (name, width) in columns { text += padded(name, width) }
        return text + "  DETAIL\n"
    }

    private static func padded(_ cell: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - cell.count)) + cell
    }

    private static func verdict(_ record: InspectedRecord) -> String {
        switch record.verdict {
        case .good: ""
        case .bad(let reason): "  " + Colour.red.paint("BAD: \(reason)")
        case .unused(let reason): "  " + Colour.faint.paint("unused: \(reason)")
        }
    }

    /// The same as an object of JSON in one line.
    package static func json(_ record: InspectedRecord) -> String {
        let verdict: (String, String?) =
            switch record.verdict {
            case .good: ("good", nil)
            case .bad(let reason): ("bad", reason)
            case .unused(let reason): ("unused", reason)
            }
        return JSON.object([
            ("file", JSON.string(record.file)), ("offset", "\(record.offset)"), ("frame", "\(record.sequence)"),
            ("kind", JSON.string(record.kind.rawValue)), ("group", record.group.map { "\($0)" } ?? "null"),
            ("index", record.index.map { "\($0)" } ?? "null"), ("term", record.term.map { "\($0)" } ?? "null"),
            ("bytes", "\(record.byteCount)"), ("detail", JSON.string(record.detail)), ("verdict", JSON.string(verdict.0)),
            ("reason", verdict.1.map { JSON.string($0) } ?? "null"),
        ]) + "\n"
    }
}
