import RESP

/// A cluster's status as a table and as JSON.
package enum StatusText {
    /// A table for people, one node a line.
    package static func table(_ status: ClusterStatus) -> String {
        let header = [
            "NODE", "CLIENTS AT", "PID", "STATE", "ROLE", "TERM", "LEADER", "COMMIT", "APPLIED", "LAG", "LOG", "CLIENTS", "KEYS",
        ]
        let rows = status.nodes.map { row($0, lag: status.lag(of: $0)) }
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String], _ paint: (String) -> String) -> String {
            var text = ""
            for (column, cell) in cells.enumerated() {
                // Painted only after padding, so that codes do not count as width.
                let padded =
                    column == cells.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 2)
                text += paint(padded)
            }
            return text + "\n"
        }
        var text = line(header) { Colour.faint.paint($0) }
        for (node, row) in zip(status.nodes, rows) {
            text += line(row) { cell in
                switch cell.split(separator: " ").first {
                case "leader": Colour.green.paint(cell)
                case "paused", "candidate": Colour.yellow.paint(cell)
                case "stopped", "unreachable": Colour.red.paint(cell)
                default: cell
                }
            }
            if !node.reason.isEmpty { text += Colour.faint.paint("      \(node.reason)") + "\n" }
        }
        return text
    }

    private static func row(_ node: NodeStatus, lag: Int64?) -> [String] {
        var cells = ["\(node.id)", node.client.description]
        cells.append(node.process.map { "\($0)" } ?? "-")
        cells.append(node.state.rawValue)
        cells.append(node.text("role") ?? "-")
        cells.append(node.text("term") ?? "-")
        cells.append(node.number("leader").map { $0 == 0 ? "none" : "\($0)" } ?? "-")
        cells.append(node.text("commit-index") ?? "-")
        cells.append(node.text("applied-index") ?? "-")
        cells.append(lag.map { "\($0)" } ?? "-")
        cells.append(node.number("log-bytes").map { bytes($0) } ?? "-")
        cells.append(node.text("connected-clients") ?? "-")
        cells.append(node.text("keys") ?? "-")
        return cells
    }

    /// A number of bytes for people, in powers of 1024.
    package static func bytes(_ count: Int64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(count)
        var unit = 0
        while value >= 1024 && unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 ? "\(count) B" : fixed(value, 1) + " " + units[unit]
    }

    /// `{"nodes":[…]}` in one line, for programs. Figures of KV.STATUS keep their names, in camelCase.
    package static func json(_ status: ClusterStatus) -> String {
        let nodes = status.nodes.map { node in
            var fields: [(String, String)] = [
                ("id", "\(node.id)"), ("client", JSON.string("\(node.client)")),
                ("peer", node.peer.map { JSON.string("\($0)") } ?? "null"), ("pid", node.process.map { "\($0)" } ?? "null"),
                ("state", JSON.string(node.state.rawValue)),
            ]
            let named = [
                "role", "term", "leader", "commit-index", "applied-index", "last-index", "lag", "log-bytes", "connected-clients",
                "keys",
            ]
            for name in named {
                if name == "lag" {
                    fields.append(("lag", status.lag(of: node).map { "\($0)" } ?? "null"))
                } else {
                    let value = node.figures.first { $0.name == name }?.value ?? .null
                    fields.append((JSON.camelCase(name), JSON.value(value)))
                }
            }
            for (name, value) in node.figures where name != "id" && !named.contains(name) {
                fields.append((JSON.camelCase(name), JSON.value(value)))
            }
            if !node.reason.isEmpty { fields.append(("reason", JSON.string(node.reason))) }
            return JSON.object(fields)
        }
        return JSON.object([("nodes", "[" + nodes.joined(separator: ",") + "]")]) + "\n"
    }
}

/// Writes JSON (RFC 8259).
package enum JSON {
    /// An object from names and values that are JSON already.
    package static func object(_ fields: [(String, String)]) -> String {
        "{" + fields.map { string($0.0) + ":" + $0.1 }.joined(separator: ",") + "}"
    }

    /// A string with its quotes.
    package static func string(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    /// A number; null for what JSON has no number for.
    package static func number(_ value: Double) -> String { value.isFinite ? formatDouble(value) : "null" }

    /// A simple reply as a value.
    package static func value(_ reply: Reply) -> String {
        switch reply {
        case .integer(let value): "\(value)"
        case .double(let value): number(value)
        case .boolean(let value): value ? "true" : "false"
        default: reply.text.map { string($0) } ?? "null"
        }
    }

    /// "commit-index" as "commitIndex".
    package static func camelCase(_ name: String) -> String {
        let words = name.split(separator: "-")
        return words.enumerated().map { $0 == 0 ? String($1) : $1.prefix(1).uppercased() + $1.dropFirst() }.joined()
    }
}

/// A number with a fixed count of digits behind the point, rounded half up.
package func fixed(_ value: Double, _ digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = (value.magnitude * scale + 0.5).rounded(.down)
    guard scaled < 1e18 else { return formatDouble(value) }
    var text = String(Int64(scaled))
    if text.count <= digits { text = String(repeating: "0", count: digits + 1 - text.count) + text }
    if digits > 0 { text.insert(".", at: text.index(text.endIndex, offsetBy: -digits)) }
    return (value < 0 && scaled > 0 ? "-" : "") + text
}
