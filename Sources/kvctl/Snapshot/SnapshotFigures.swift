import Base
import Database
import Node

/// The figures of one node in a snapshot, as `show` and `diff` print them.
package struct SnapshotFigures: Equatable, Sendable {
    package var node: Int
    package var run: UInt64
    package var role: String
    package var term: UInt64
    package var commit: UInt64
    package var applied: UInt64
    package var keys: Int
    /// Of keys, values and deadlines.
    package var digest: String

    package init(
        node: Int, run: UInt64, role: String, term: UInt64, commit: UInt64, applied: UInt64, keys: Int, digest: String
    ) {
        self.node = node
        self.run = run
        self.role = role
        self.term = term
        self.commit = commit
        self.applied = applied
        self.keys = keys
        self.digest = digest
    }

    init(_ file: SnapshotPartFile) {
        let state = file.state
        let digest = file.machine.contentDigest()
        self.init(
            node: Int(state.run.node.rawValue), run: state.run.incarnation.rawValue, role: "\(state.role)",
            term: state.term.rawValue, commit: state.commitIndex.rawValue, applied: state.appliedIndex.rawValue,
            keys: (0..<Execution.databases).reduce(0) { $0 + file.machine.keyCount($1) },
            digest: SnapshotFigures.text(digest))
    }

    /// 32 hexadecimal digits.
    static func text(_ digest: Digest) -> String {
        [digest.high, digest.low].map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
