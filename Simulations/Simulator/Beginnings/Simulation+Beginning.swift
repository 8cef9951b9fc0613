import Base
import Node

/// Runs that go on from a cut or begin with a restored state.
extension Simulation {
    /// Tells the checkers what is known.
    func take(_ beginning: Beginning) {
        committed = CommittedLog(
            first: beginning.committedFrom, terms: beginning.committedTerms, knownBy: beginning.knownBy, in: beginning.knownIn)
        expiries = ExpiryRecord(prefix: "expiring:\(options.seed):")
        // What the cut's own checks have already compared.
        for state in beginning.states {
            try? digests.applied(state.node, through: state.appliedIndex, digest: state.digest)
        }
        for (node, term) in beginning.leaders { _ = try? elections.leads(node, in: term) }
    }

    /// Entries that a log of the beginning held and nobody knew to be committed may be committed or lost. That is decided when the first
    /// entry of a new term is applied: a leader of that term is behind all of them. Then the keys hold what they hold, and the clients begin.
    func openIfDecided(_ node: Node) throws(Violation) {
        guard let beginning, node.machine.appliedTerm > beginning.entryTerm else { return }
        let reader = StateReader(node.machine)
        atOpening?(reader)
        initialValues = keys.fit { reader.value(of: $0) }
        inheritedDeadlines = node.machine.expiringKeyCount(0)
        isOpening = false
        note("the clients begin behind entry \(node.machine.appliedIndex)")
    }
}
