/// What differs between two snapshots, as `kvctl snapshot diff` prints it.
package struct SnapshotDifference: Sendable {
    /// One of the two.
    package struct Side: Equatable, Sendable {
        package var path: String
        package var id: String
        package var cluster: String
        /// In milliseconds since 1970, by the clock of the node that began it.
        package var milliseconds: Int64
        package var outcome: String
        package var isStrict: Bool
        package var nodes: [SnapshotFigures]
        /// Whose data is compared …
        package var source: Int
        /// … after this entry.
        package var index: UInt64
        /// Why it is not the state that a restoration gives; nil when it is.
        package var problem: String?

        package init(
            path: String, id: String, cluster: String, milliseconds: Int64, outcome: String, isStrict: Bool,
            nodes: [SnapshotFigures], source: Int, index: UInt64, problem: String? = nil
        ) {
            self.path = path
            self.id = id
            self.cluster = cluster
            self.milliseconds = milliseconds
            self.outcome = outcome
            self.isStrict = isStrict
            self.nodes = nodes
            self.source = source
            self.index = index
            self.problem = problem
        }
    }

    package var before: Side
    package var after: Side
    package var data: KeyspaceDifference

    package init(before: Side, after: Side, data: KeyspaceDifference) {
        self.before = before
        self.after = after
        self.data = data
    }

    package var isSameCluster: Bool { before.cluster == after.cluster }

    /// For people.
    package var text: String {
        var text = ""
        for side in [before, after] {
            text += "\(side.path): snapshot \(side.id), \(UTC.text(milliseconds: side.milliseconds)) UTC, \(side.outcome)"
            text += side.isStrict ? ", a point in real time\n" : ", not a point in real time\n"
        }
        if isSameCluster {
            let seconds = Double(after.milliseconds - before.milliseconds) / 1000
            text += "the same cluster, \(fixed(abs(seconds), 3)) s \(seconds < 0 ? "earlier" : "later")\n"
        } else {
            text +=
                "different clusters: \(before.cluster) and \(after.cluster); figures of their logs say nothing of each other\n"
        }
        text += table
        text +=
            "data, as restored: entry \(before.index) of node \(before.source) -> entry \(after.index) of node \(after.source)\n"
        for side in [before, after] {
            guard let problem = side.problem else { continue }
            text += "  \(side.path) can't be restored (\(problem)); what node \(side.source) has applied is compared\n"
        }
        return text + data.text(comparesVersions: isSameCluster)
    }

    private var table: String {
        let header = ["NODE", "RUN", "ROLE", "TERM", "COMMIT", "APPLIED", "KEYS", "DIGEST"]
        let rows = Set(before.nodes.map(\.node) + after.nodes.map(\.node)).sorted().map(row)
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        return ([header] + rows).map { cells in
            var line = ""
            for (column, cell) in cells.enumerated() {
                line += column == cells.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 2)
            }
            return line + "\n"
        }.joined()
    }

    private func row(_ node: Int) -> [String] {
        let old = before.nodes.first { $0.node == node }
        let new = after.nodes.first { $0.node == node }
        func cell<Value: Equatable>(_ value: (SnapshotFigures) -> Value) -> String {
            let texts = [old, new].map { $0.map { "\(value($0))" } ?? "missing" }
            return texts[0] == texts[1] ? texts[0] : "\(texts[0]) -> \(texts[1])"
        }
        var cells = ["\(node)", cell(\.run), cell(\.role), cell(\.term), cell(\.commit), cell(\.applied), cell(\.keys)]
        cells.append(old == nil || new == nil ? "-" : old?.digest == new?.digest ? "same" : "differs")
        return cells
    }

    /// For programs.
    package var json: String {
        JSON.object([
            ("sameCluster", "\(isSameCluster)"), ("before", SnapshotDifference.json(before)),
            ("after", SnapshotDifference.json(after)), ("data", data.json),
        ])
    }

    private static func json(_ side: Side) -> String {
        let nodes = side.nodes.map { node in
            JSON.object([
                ("id", "\(node.node)"), ("run", "\(node.run)"), ("role", JSON.string(node.role)), ("term", "\(node.term)"),
                ("commitIndex", "\(node.commit)"), ("appliedIndex", "\(node.applied)"), ("keys", "\(node.keys)"),
                ("digest", JSON.string(node.digest)),
            ])
        }
        return JSON.object([
            ("directory", JSON.string(side.path)), ("id", JSON.string(side.id)), ("cluster", JSON.string(side.cluster)),
            ("milliseconds", "\(side.milliseconds)"), ("outcome", JSON.string(side.outcome)), ("strict", "\(side.isStrict)"),
            ("nodes", "[" + nodes.joined(separator: ",") + "]"), ("source", "\(side.source)"), ("index", "\(side.index)"),
            ("problem", side.problem.map { JSON.string($0) } ?? "null"),
        ])
    }
}
