import Base
import Consensus
import Database
import DistributedSnapshot
import RESP
import Storage

/// A cut made into the state that a new cluster begins with (DESIGN, rule 7.10). Rules and reasons:
/// docs/internals/distributed-snapshots.md, "Restoring".
///
/// The state is the one at the end of the most up-to-date log of a majority: that part's database, and the entries behind it. It holds all that
/// was committed, whether or not any node knows so at that moment.
package struct Restoration {
    /// How far a restored state is certain to reach.
    package enum Reach: Equatable, Sendable {
        /// Every member's part is there: all that was acknowledged before the cut is in the state.
        case everything
        /// A majority is there: all that was acknowledged before the snapshot began is in it, and what the nodes that are there
        /// acknowledged before the cut.
        case majority
        /// Too few are there to know what the others committed: anything that the missing nodes acknowledged may be missing.
        case minority
    }

    /// Whose part the state was made from.
    package let source: NodeID
    /// The state is the one after this entry of the old cluster's log …
    package let index: LogIndex
    /// … which has this term. Zero, as the index is, when nothing was ever committed.
    package let term: Term
    /// The log's time there.
    package let time: WallTime
    /// Entries that were applied to the part's database.
    package let entriesApplied: Int
    package let reach: Reach
    /// Members of the old cluster whose parts are not there.
    package let missing: [NodeID]
    /// The state, without the old cluster's runs. It is the one of the part that it was made from, and nothing may be asked of that any more.
    package let machine: StateMachine

    /// Restores the state that a cut holds.
    ///
    /// - Parameters:
    ///   - parts: those that are there, in any order. The database of one of them goes on as the restored state.
    ///   - allowsMissing: also where parts are missing.
    ///   - faults: bugs, planted to prove that a checker finds them.
    /// - Throws: when the parts are no cut, or not a whole one and that was not asked for.
    package init(
        _ manifest: SnapshotManifest, _ parts: [SnapshotPartFile], allowsMissing: Bool = false,
        faults: RestorationFaults = []
    ) throws(RestorationError) {
        let parts = parts.sorted { $0.part.run.node < $1.part.run.node }
        if parts.isEmpty { throw .noParts }
        if manifest.outcome == .aborted || manifest.outcome == .unknown { throw .worthless(manifest.id, manifest.outcome) }
        missing = Restoration.missing(manifest, parts)
        if !missing.isEmpty && !allowsMissing { throw .partsMissing(missing) }
        try Restoration.verify(manifest, parts)
        reach = Restoration.reach(parts, missing)
        var (chosen, end) = Restoration.choose(parts, reach)
        if faults.contains(.lowestCommit) {
            for part in parts where part.state.commitIndex < end { (chosen, end) = (part, part.state.commitIndex) }
        }
        if faults.contains(.ignoreTail) { end = chosen.state.appliedIndex }
        if faults.isEmpty { try Restoration.requireCommitted(parts, in: chosen.state, through: end) }
        let entries = try Restoration.entries(of: chosen, through: end)
        machine = chosen.machine
        let nobody = ReplyWriter(ByteBuffer(capacity: 64), version: .two, discards: true)
        for entry in entries { machine.apply(entry, replies: nobody) }
        if !faults.contains(.keepRuns) { machine.forgetRuns() }
        check(machine.appliedIndex == end, "a restored state is the one after the entry that was chosen")
        (source, entriesApplied) = (chosen.state.run.node, entries.count)
        (index, term, time) = (machine.appliedIndex, machine.appliedTerm, machine.time)
    }

    // MARK: whether it is a cut

    private static func missing(_ manifest: SnapshotManifest, _ parts: [SnapshotPartFile]) -> [NodeID] {
        let there = parts.map(\.part.run.node)
        let named = manifest.parts.map(\.run.node).filter { !there.contains($0) }
        return (manifest.missing.map(\.node) + named).sorted()
    }

    /// Refuses parts that do not belong together. Parts that are known to be missing are not named again.
    private static func verify(_ manifest: SnapshotManifest, _ parts: [SnapshotPartFile]) throws(RestorationError) {
        for (position, part) in parts.enumerated() {
            let node = part.part.run.node
            if position > 0, parts[position - 1].part.run.node == node { throw .notOneCut("node \(node) has two parts") }
            if part.header.clusterID != parts[0].header.clusterID {
                throw .notOneCut(
                    "node \(node): its part is of cluster \(part.header.clusterID), that of node \(parts[0].part.run.node) is of cluster "
                        + "\(parts[0].header.clusterID)")
            }
            if part.header.configuration != parts[0].header.configuration {
                throw .notOneCut("node \(node): its part names other members than that of node \(parts[0].part.run.node)")
            }
        }
        var present = manifest
        present.parts.removeAll { listed in !parts.contains { $0.part.run.node == listed.run.node } }
        for check in CutVerification(present, parts).checks {
            if let problem = check.problems.first { throw .notOneCut("\(problem) (\(check.name))") }
        }
    }

    // MARK: how far

    private static func reach(_ parts: [SnapshotPartFile], _ missing: [NodeID]) -> Reach {
        if missing.isEmpty { return .everything }
        let there = parts.map(\.part.run.node)
        return parts[0].header.configuration.isQuorum { there.contains($0) } ? .majority : .minority
    }

    /// The part to begin with, and through which entry its log is applied.
    ///
    /// What was acknowledged is committed, but that need not be known to any part: the node that acknowledged it may be missing, or have begun
    /// a new run since, which has to find out anew. Of a majority's logs the most up-to-date one has it (Leader Completeness; paper, section
    /// 5.4.3), wherever in it. Of fewer logs none need have it, and the best one may hold what was replaced elsewhere: then nothing
    /// but the highest commit index counts.
    private static func choose(_ parts: [SnapshotPartFile], _ reach: Reach) -> (part: SnapshotPartFile, end: LogIndex) {
        var best = parts[0]
        for part in parts.dropFirst() {
            let (one, other) = (part.state, best.state)
            let isBetter =
                switch reach {
                case .minority: (one.commitIndex, one.appliedIndex) > (other.commitIndex, other.appliedIndex)
                case .everything, .majority:
                    (one.lastTerm, one.lastIndex, one.appliedIndex) > (other.lastTerm, other.lastIndex, other.appliedIndex)
                }
            if isBetter { best = part }
        }
        return (best, reach == .minority ? best.state.commitIndex : best.state.lastIndex)
    }

    /// Refuses parts of which one has committed what the chosen log has not.
    private static func requireCommitted(
        _ parts: [SnapshotPartFile], in log: LocalState, through end: LogIndex
    ) throws(RestorationError) {
        for part in parts {
            let index = part.state.commitIndex
            let isThere = index <= end && (index <= log.baseIndex || log.logTerm(at: index) == part.state.logTerm(at: index))
            if isThere { continue }
            throw .notOneCut(
                "node \(part.state.run.node) has committed entry \(index), which the log of node \(log.run.node) does not hold")
        }
    }

    /// The entries that are still to be applied to a part's database.
    private static func entries(
        of part: SnapshotPartFile, through end: LogIndex
    ) throws(RestorationError) -> [LogEntry] {
        let node = part.part.run.node
        let entries = part.state.tail.filter { $0.index <= end }
        var term = part.state.appliedTerm
        guard part.machine.appliedIndex == part.state.appliedIndex,
            entries.count == Int(end.rawValue - part.state.appliedIndex.rawValue)
        else { throw .notApplicable(node, "its entries do not reach from its database to entry \(end)") }
        for entry in entries {
            if entry.term < term || part.state.logTerm(at: entry.index) != entry.term {
                throw .notApplicable(node, "entry \(entry.index) is not of the term that its log says")
            }
            term = entry.term
            if entry.kind == .command && !entry.payload.withView({ CommandBatch.validatePayload($0) }) {
                throw .notApplicable(node, "entry \(entry.index) can't be read")
            }
        }
        return entries
    }
}

/// Bugs of a restoration, planted by tests; none in production.
package struct RestorationFaults: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The entries of the part are not applied.
    package static let ignoreTail = RestorationFaults(rawValue: 1)
    /// The part with the lowest commit index is taken.
    package static let lowestCommit = RestorationFaults(rawValue: 2)
    /// The old cluster's runs go on.
    package static let keepRuns = RestorationFaults(rawValue: 4)
}

/// Why nothing is restored from a cut.
package enum RestorationError: Error, Equatable, Sendable, CustomStringConvertible {
    case noParts
    /// The snapshot came to nothing.
    case worthless(SnapshotID, SnapshotOutcome)
    /// And that was not asked for.
    case partsMissing([NodeID])
    /// What contradicts what; it names the part.
    case notOneCut(String)
    case notApplicable(NodeID, String)

    package var description: String {
        switch self {
        case .noParts: "there are no parts"
        case .worthless(let id, let outcome): "snapshot \(id) is \(outcome): there is nothing to be restored"
        case .partsMissing(let nodes):
            "the parts of some nodes are missing: " + nodes.map { "node \($0)" }.joined(separator: ", ")
        case .notOneCut(let problem): "the parts are not of one cut: \(problem)"
        case .notApplicable(let node, let reason): "the part of node \(node) can't be restored: \(reason)"
        }
    }
}

extension LocalState {
    /// The term of the log's last entry.
    var lastTerm: Term { logTerm(at: lastIndex) ?? appliedTerm }
}
