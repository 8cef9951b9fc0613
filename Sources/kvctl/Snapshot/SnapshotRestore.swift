import ArgumentParsing
import Base
import Consensus
import Database
import DistributedSnapshot
import Node
import Storage

/// `kvctl snapshot restore DIR`: the data directory of a new cluster that begins with the state of a snapshot.
enum SnapshotRestore {
    static func run(_ values: Values) throws(Failure) -> Int32 {
        let isQuiet = values[Tool.json]
        let target = try RestoreTarget(values[Tool.data])
        let snapshot = try SnapshotDirectory(values[Tool.snapshotDirectory], isQuiet: isQuiet)
        let members = snapshot.parts.first?.header.configuration.voters.count
        let clusterID = try ClusterUp.drawClusterID()
        let cluster = try ClusterFile(
            .init(
                nodes: values[ifGiven: Tool.nodes] ?? members, clientPort: values[ifGiven: Tool.clientPort],
                peerPort: values[ifGiven: Tool.peerPort]), clusterID: clusterID)
        let restoration = try restore(snapshot, values)
        var bar = ProgressBar("writing", isWanted: !isQuiet)
        defer { bar.clear() }
        var written = 0
        let estimate = Int(clamping: stateBytes(snapshot, restoration)) * cluster.nodes.count
        for node in cluster.nodes {
            let identity = NodeIdentity(
                clusterID: clusterID, nodeID: NodeID(UInt32(node.id)), salt: try ClusterUp.drawNumber())
            let directory = RestoredDirectory(
                restoration, identity: identity, nodeCount: cluster.nodes.count, fileID: try ClusterUp.drawNumber())
            written += try target.write(directory, node) { bar.show(bytes: written + $0, of: max(estimate, written + $0)) }
        }
        try target.finish(cluster)
        bar.clear()
        let report = Report(snapshot, restoration, cluster, values[Tool.data], bytes: written)
        Console.output(isQuiet ? report.json : report.text)
        return 0
    }

    private static func restore(_ snapshot: SnapshotDirectory, _ values: Values) throws(Failure) -> Restoration {
        do throws(RestorationError) {
            return try Restoration(snapshot.manifest, snapshot.parts, allowsMissing: values[Tool.allowPartial])
        } catch {
            var hint = ""
            if case .partsMissing = error { hint = "; --allow-partial restores what there is, and says what may be missing" }
            throw Failure("can't restore '\(snapshot.path)': \(error)\(hint)")
        }
    }

    /// What the source's part needed for its state: about what the new ones will.
    private static func stateBytes(_ snapshot: SnapshotDirectory, _ restoration: Restoration) -> UInt64 {
        snapshot.parts.first { $0.part.run.node == restoration.source }?.part.summary.stateBytes ?? 0
    }

    /// What is said when it is done.
    private struct Report {
        private let snapshot: SnapshotID
        private let restoration: Restoration
        private let cluster: ClusterFile
        private let oldCluster: ClusterID
        private let path: String
        private let bytes: Int
        private let keys: Int

        init(
            _ snapshot: SnapshotDirectory, _ restoration: Restoration, _ cluster: ClusterFile, _ path: String, bytes: Int
        ) {
            self.snapshot = snapshot.manifest.id
            oldCluster = snapshot.clusterID
            self.restoration = restoration
            self.cluster = cluster
            self.path = path
            self.bytes = bytes
            keys = (0..<Execution.databases).reduce(0) { $0 + restoration.machine.keyCount($1) }
        }

        private var reach: String {
            switch restoration.reach {
            case .everything: "All that was acknowledged before the cut is in it."
            case .majority:
                "All that was acknowledged before the snapshot began is in it. What the missing nodes acknowledged while it was taken may be missing."
            case .minority:
                "There are parts of fewer than half of the nodes: anything that the others acknowledged may be missing, however old."
            }
        }

        var text: String {
            var text = "restored snapshot \(snapshot) of cluster \(oldCluster): the state after entry \(restoration.index) "
            text +=
                "(term \(restoration.term)), from the part of node \(restoration.source), \(counted(keys, "key"))\n"
            if !restoration.missing.isEmpty {
                text += "missing: \(restoration.missing.map { "node \($0)" }.joined(separator: ", "))\n"
            }
            text += "\(reach)\n"
            text +=
                "'\(path)' holds cluster \(cluster.clusterID) of \(counted(cluster.nodes.count, "node")), \(StatusText.bytes(Int64(bytes)))\n"
            return text + "start it:  kvctl --data \(path) cluster up --detach\n"
        }

        var json: String {
            JSON.object([
                ("snapshot", JSON.string("\(snapshot)")), ("directory", JSON.string(path)),
                ("cluster", JSON.string(cluster.clusterID)), ("nodes", "\(cluster.nodes.count)"),
                ("oldCluster", JSON.string("\(oldCluster)")), ("source", "\(restoration.source)"),
                ("index", "\(restoration.index)"), ("term", "\(restoration.term)"), ("keys", "\(keys)"),
                ("entriesApplied", "\(restoration.entriesApplied)"), ("reach", JSON.string("\(restoration.reach)")),
                ("missing", "[" + restoration.missing.map { "\($0)" }.joined(separator: ",") + "]"), ("bytes", "\(bytes)"),
            ]) + "\n"
        }
    }
}
