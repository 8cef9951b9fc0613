import Base
import Database

/// What became of the keys of a file.
struct ImportReport {
    var path: String
    var version = 0
    /// The facts in the file's head, as "redis-ver".
    var facts: [(name: String, value: String)] = []
    /// Keys in the file, of the chosen databases.
    var keys = 0
    var databases: [Int] = []
    var imported = 0
    /// Were there already.
    var kept = 0
    /// Had a deadline that has passed.
    var expired = 0
    /// The server said no.
    var refused = 0
    /// What it said first, and of which key.
    var firstRefusal: (key: String, error: String)?
    /// What can't be taken, by name, in order of appearance.
    var unsupported: [(name: String, count: Int)] = []
    var seconds = 0.0

    /// Counts something that can't be taken.
    mutating func skip(_ name: String) {
        if let index = unsupported.firstIndex(where: { $0.name == name }) {
            unsupported[index].count += 1
        } else {
            unsupported.append((name, 1))
        }
    }

    /// Notes the reply to a key.
    mutating func note(refusal error: String, key: ByteView) {
        if error.hasPrefix("BUSYKEY ") {
            kept += 1
            return
        }
        refused += 1
        if firstRefusal == nil { firstRefusal = (String(key.text.prefix(100)), error) }
    }

    /// 0 when everything came over, as far as the operator asked for it.
    func exitCode(skipsUnsupported: Bool) -> Int32 {
        refused == 0 && kept == 0 && (unsupported.isEmpty || skipsUnsupported) ? 0 : 1
    }

    var json: String {
        JSON.object([
            ("file", JSON.string(path)), ("version", "\(version)"),
            ("facts", JSON.object(facts.map { ($0.name, JSON.string($0.value)) })), ("keys", "\(keys)"),
            ("databases", "[" + databases.map { "\($0)" }.joined(separator: ",") + "]"), ("imported", "\(imported)"),
            ("kept", "\(kept)"), ("expired", "\(expired)"), ("refused", "\(refused)"),
            (
                "firstRefusal",
                firstRefusal.map { JSON.object([("key", JSON.string($0.key)), ("error", JSON.string($0.error))]) } ?? "null"
            ),
            ("unsupported", JSON.object(unsupported.map { ($0.name, "\($0.count)") })), ("seconds", fixed(seconds, 3)),
        ]) + "\n"
    }

    var text: String {
        let origin = facts.first { $0.name == "redis-ver" }.map { ", redis \($0.value)" } ?? ""
        var lines = [
            "imported \(BenchText.grouped(Double(imported))) of \(BenchText.grouped(Double(keys))) keys from '\(path)' "
                + "(RDB version \(version)\(origin)) in \(fixed(seconds, 1)) s"
        ]
        if kept > 0 { lines.append("  \(kept) were there already and stay as they are; --replace overwrites them") }
        if expired > 0 { lines.append("  \(expired) had expired") }
        if let firstRefusal { lines.append("  \(refused) were refused; the first, '\(firstRefusal.key)': \(firstRefusal.error)") }
        for part in unsupported { lines.append("  skipped, as it can't be taken: \(part.name), \(part.count)") }
        return lines.joined(separator: "\n") + "\n"
    }
}
