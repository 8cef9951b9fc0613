import Base

/// Checks that all nodes that have applied the same log have the same state, by the digest of the state machine.
package struct StateDigests: Sendable {
    private var digests: [LogIndex: (digest: UInt64, node: NodeID)] = [:]
    /// How often two nodes could be compared.
    package private(set) var comparisons = 0

    package init() {}

    /// `node` has this digest with everything through `index` applied.
    package mutating func applied(_ node: NodeID, through index: LogIndex, digest: UInt64) throws(Violation) {
        guard let known = digests[index] else {
            digests[index] = (digest, node)
            return
        }
        if known.node != node { comparisons += 1 }
        if known.digest != digest {
            throw Violation(
                .stateDigest,
                "with everything through index \(index) applied, node \(known.node) had digest \(String(known.digest, radix: 16)) and "
                    + "node \(node) has \(String(digest, radix: 16))")
        }
    }
}
