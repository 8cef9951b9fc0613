import RESP
import Testing

/// What all nodes hold after a load, compared with what was acknowledged.
struct Audit {
    /// A node's whole content: each key with its value.
    typealias Content = [String: Value]

    enum Value: Equatable {
        case string(String)
        case list([String])
        case other(Reply)
    }

    let content: Content
    /// What does not hold, in words.
    private(set) var faults: [String] = []

    /// Reads every node that runs, and compares them with each other. (A node answers reads from its own copy.)
    init(_ cluster: TestCluster) throws {
        var contents: [(id: Int, content: Content, digest: String)] = []
        for node in cluster.nodes where node.isRunning {
            let client = try node.connect(timeout: .seconds(60))
            contents.append((node.id, try Audit.read(client), try client.call("DEBUG", "DIGEST").text ?? ""))
        }
        guard let first = contents.first else { throw TestFailure("no node runs") }
        content = first.content
        for other in contents.dropFirst() {
            if other.digest != first.digest {
                faults.append("digest: \(first.digest) on node \(first.id), \(other.digest) on node \(other.id)")
            }
            if other.content == first.content { continue }
            let keys = Set(first.content.keys).union(other.content.keys).filter { first.content[$0] != other.content[$0] }
                .sorted()
            for key in keys.prefix(5) {
                faults.append(
                    "\(key): \(first.content[key].map { "\($0)" } ?? "missing") on node \(first.id), "
                        + "\(other.content[key].map { "\($0)" } ?? "missing") on node \(other.id)")
            }
        }
    }

    private init(content: Content) { self.content = content }

    /// An audit of a content that a test made up.
    static func planted(_ content: Content) -> Audit { Audit(content: content) }

    /// All keys of a database, through SCAN.
    static func keys(_ client: Client) throws -> [String] {
        var keys: Set<String> = []
        var cursor = "0"
        repeat {
            guard let parts = try client.call("SCAN", cursor, "COUNT", "1000").elements, parts.count == 2,
                let next = parts[0].text, let page = parts[1].elements
            else { throw TestFailure("SCAN does not answer with a cursor and keys") }
            for key in page { keys.insert(key.text ?? "") }
            cursor = next
        } while cursor != "0"
        return keys.sorted()
    }

    private static func read(_ client: Client) throws -> Content {
        var content: Content = [:]
        let keys = try keys(client)
        for start in stride(from: 0, to: keys.count, by: 500) {
            let some = Array(keys[start..<min(start + 500, keys.count)])
            let types = try client.pipeline(some.map { ["TYPE", $0] })
            let values = try client.pipeline(
                zip(some, types).map { $1.text == "list" ? ["LRANGE", $0, "0", "-1"] : ["GET", $0] })
            for (key, value) in zip(some, values) {
                if let elements = value.elements {
                    content[key] = .list(elements.map { $0.text ?? "" })
                } else if case .bulk = value {
                    content[key] = .string(value.text ?? "")
                } else {
                    content[key] = .other(value)
                }
            }
        }
        return content
    }

    /// Compares the content with what clients know: every acknowledged write is there, once and in its place; a write with an
    /// unknown outcome is there once or not at all; nothing else is there.
    mutating func compare(with journals: [Journal]) {
        var shared = Journal.Count()
        for journal in journals {
            faults += journal.violations
            shared.acknowledged += journal.shared.acknowledged
            shared.unknown += journal.shared.unknown
            compareCounter("counter:\(journal.name)", journal.counter)
            compareUnique(journal)
            if case .list(let elements)? = content["list:\(journal.name)"] {
                compare(elements, journal.list, "list:\(journal.name)")
            } else {
                compare([], journal.list, "list:\(journal.name)")
            }
            let text = string("text:\(journal.name)")
            compare(text.split(separator: ",").map(String.init), journal.text, "text:\(journal.name)")
        }
        compareCounter(Journal.sharedCounter, shared)
    }

    private func string(_ key: String) -> String { if case .string(let text)? = content[key] { text } else { "" } }

    private mutating func compareCounter(_ key: String, _ count: Journal.Count) {
        let value = Int(string(key)) ?? 0
        if !count.range.contains(value) {
            faults.append("\(key) is \(value); \(count.acknowledged) increments were acknowledged, \(count.unknown) are unknown")
        }
    }

    private mutating func compareUnique(_ journal: Journal) {
        for number in 0...journal.unique.next {
            let key = "unique:\(journal.name):\(number)"
            switch content[key] {
            case nil:
                if number < journal.unique.next && !journal.unique.unknown.contains(number) {
                    faults.append("\(key) was acknowledged and is missing")
                }
            case .string(let text) where text == journal.value(number):
                if number == journal.unique.next { faults.append("\(key) is there and was not written yet") }
            default: faults.append("\(key) has another value than was written")
            }
        }
    }

    private mutating func compare(_ elements: [String], _ sequence: Journal.Sequence, _ key: String) {
        let numbers = elements.map { Int($0) ?? -1 }
        for (earlier, later) in zip(numbers, numbers.dropFirst()) where earlier >= later {
            faults.append("\(key) has \(later) behind \(earlier)")
        }
        let present = Set(numbers)
        for number in 0..<sequence.next where !present.contains(number) && !sequence.unknown.contains(number) {
            faults.append("\(key): \(number) was acknowledged and is missing")
        }
        for number in numbers where number < 0 || number >= sequence.next {
            faults.append("\(key) has \(number), which was not written")
        }
    }

    /// Fails the test when anything does not hold.
    func expectClean(_ cluster: TestCluster, sourceLocation: SourceLocation = #_sourceLocation) {
        if faults.isEmpty { return }
        Issue.record(
            "\(faults.count) faults, the first:\n\(faults.prefix(12).joined(separator: "\n"))\n\(cluster.lastWords)",
            sourceLocation: sourceLocation)
    }
}
