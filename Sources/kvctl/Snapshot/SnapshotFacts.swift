import RESP

/// What a node says of a snapshot: the reply of KV.SNAPSHOT STATUS, or an element of LIST's.
package struct SnapshotFacts: Equatable, Sendable {
    package var id = ""
    /// "open", "complete", "partial", "aborted", "unknown"; "stored" of an earlier run of the node.
    package var state = ""
    package var isStrict = false
    /// Of the node's own part: "none", "recording", "stored".
    package var part = ""
    /// Sizes of the node's files; 0 where there is none.
    package var partBytes = 0
    package var manifestBytes = 0
    package var inFlight = 0
    /// On the node that began it, when it is over: whose parts there are, and who is missing.
    package var parts: [Int] = []
    package var missing: [Missing] = []

    /// A node without a part.
    package struct Missing: Equatable, Sendable {
        package var node: Int
        package var reason: String

        package init(node: Int, reason: String) {
            self.node = node
            self.reason = reason
        }
    }

    /// Nil when the reply is something else.
    package init?(_ reply: Reply) {
        guard let fields = SnapshotFacts.fields(reply), let id = fields["id"]?.text, let state = fields["state"]?.text else {
            return nil
        }
        func number(_ name: String) -> Int { if case .integer(let value)? = fields[name] { Int(value) } else { 0 } }
        self.id = id
        self.state = state
        isStrict = number("strict") == 1
        part = fields["part"]?.text ?? "none"
        partBytes = number("part-bytes")
        manifestBytes = number("manifest-bytes")
        inFlight = number("in-flight")
        parts = (fields["parts"]?.elements ?? []).compactMap { SnapshotFacts.node($0) }
        missing = (fields["missing"]?.elements ?? []).compactMap { item in
            SnapshotFacts.node(item).map {
                Missing(node: $0, reason: SnapshotFacts.fields(item)?["reason"]?.text ?? "no reason is given")
            }
        }
    }

    private static func node(_ reply: Reply) -> Int? {
        if case .integer(let node)? = fields(reply)?["node"] { Int(node) } else { nil }
    }

    /// Names and values of a map, which RESP2 sends as an array.
    private static func fields(_ reply: Reply) -> [String: Reply]? {
        guard let elements = reply.elements, elements.count % 2 == 0 else { return nil }
        var fields: [String: Reply] = [:]
        for index in stride(from: 0, to: elements.count, by: 2) {
            guard let name = elements[index].text else { return nil }
            fields[name] = elements[index + 1]
        }
        return fields
    }

    /// Who is missing and why, in one line; of a partial snapshot that lacks nobody a channel is not exact.
    package static func text(_ missing: [Missing]) -> String {
        missing.isEmpty
            ? "nothing; a channel is not exact" : missing.map { "node \($0.node): \($0.reason)" }.joined(separator: "; ")
    }
}
