import Base
import DistributedSnapshot
import Storage

/// Brings the files of a snapshot from the nodes into a directory: each node's part, and the manifest from whoever has it. Every checksum is checked on the way.
struct SnapshotCollector {
    /// What came in.
    struct Collected {
        let manifest: SnapshotManifest
        /// Parts by node, with their sizes in bytes.
        var parts: [(node: Int, bytes: Int)] = []
        /// Parts that the manifest names and that could not be had, where that was allowed.
        var absent: [SnapshotFacts.Missing] = []

        var bytes: Int { parts.reduce(0) { $0 + $1.bytes } }
    }

    private let cluster: ClusterFile
    private let clusterID: ClusterID
    private let id: SnapshotID
    private var servers: [Int: SnapshotServer] = [:]
    private var bar: ProgressBar
    private let stop: StopSignals?

    /// - Parameters:
    ///   - isQuiet: no progress is shown.
    ///   - stop: ends it when a signal comes.
    init(_ cluster: ClusterFile, _ id: SnapshotID, isQuiet: Bool, stop: StopSignals? = nil) throws(Failure) {
        self.stop = stop
        guard let clusterID = ClusterID(text: cluster.clusterID) else { throw Failure("the cluster has no cluster id") }
        self.cluster = cluster
        self.clusterID = clusterID
        self.id = id
        bar = ProgressBar("fetching", isWanted: !isQuiet)
        for node in cluster.nodes { servers[node.id] = SnapshotServer(node, stop: stop) }
    }

    /// Collects it.
    ///
    /// - Parameter allowsAbsent: whether a part that can't be had is left out. If not, it is an error.
    mutating func collect(into target: SnapshotTarget, allowsAbsent: Bool) throws(Failure) -> Collected {
        defer { bar.clear() }
        let (content, manifest) = try manifest()
        let total = size(of: manifest)
        var collected = Collected(manifest: manifest)
        for part in manifest.parts {
            let node = Int(part.run.node.rawValue)
            let before = collected.bytes
            do throws(Failure) {
                collected.parts.append((node, try fetchPart(of: node, to: target, before, total)))
            } catch {
                if error == .stopped { throw error }
                let reason = "the part of node \(node) can't be had: \(error.message)"
                if !allowsAbsent { throw Failure(reason) }
                collected.absent.append(.init(node: node, reason: error.message))
            }
        }
        if collected.parts.isEmpty { throw Failure("no part of snapshot \(id) can be had") }
        let file = try target.file("manifest")
        try file.write(content.view)
        try file.finish()
        target.finish()
        return collected
    }

    /// Bytes that the parts have together, for the progress bar; a node that does not answer counts nothing.
    private mutating func size(of manifest: SnapshotManifest) -> Int {
        var total = 0
        for part in manifest.parts {
            if let facts = try? servers[Int(part.run.node.rawValue)]?.status(id, within: .milliseconds(500)) {
                total += facts.partBytes
            }
        }
        return total
    }

    private mutating func fetchPart(
        of node: Int, to target: SnapshotTarget, _ before: Int, _ total: Int
    ) throws(Failure) -> Int {
        guard var server = servers[node] else { throw Failure("it is not a node of this cluster") }
        guard let facts = try server.status(id), facts.partBytes > 0 else {
            throw Failure("the node has it no longer; it keeps those of its last 8 snapshots")
        }
        let file = try target.file("node-\(node).part")
        var reader = StateFileReader(
            file: "the part of node \(node)", kind: .snapshotPart, clusterID: clusterID, nodeID: NodeID(UInt32(node)))
        let id = id
        let stop = stop
        var bar = bar
        do throws(Failure) {
            try server.fetch(id, "PART") { (piece) throws(Failure) in
                reader.append(piece)
                do throws(StorageError) {
                    while let item = try reader.next() {
                        if case .header(let header) = item, header.snapshot != id.rawValue {
                            throw .wrongIdentity(file: reader.file, reason: "it is of snapshot \(header.snapshot)")
                        }
                    }
                } catch { throw Failure("\(error)") }
                try stop?.check()
                try file.write(piece)
                bar.show(bytes: before + file.bytesWritten, of: max(total, before + file.bytesWritten))
            }
        } catch {
            self.bar = bar
            throw error
        }
        self.bar = bar
        do throws(StorageError) { try reader.finish() } catch { throw Failure("\(error)") }
        try file.finish()
        servers[node] = server
        return file.bytesWritten
    }

    // MARK: the manifest

    /// The manifest of the first node that has it, asking the one first that began the snapshot.
    private mutating func manifest() throws(Failure) -> (content: ByteBuffer, manifest: SnapshotManifest) {
        let initiator = Int(id.initiator.rawValue)
        let order = cluster.nodes.map(\.id).sorted { ($0 == initiator ? 0 : 1, $0) < ($1 == initiator ? 0 : 1, $1) }
        var reasons: [String] = []
        var isKnown = false
        var silent = 0
        for node in order {
            guard var server = servers[node] else { continue }
            let status: SnapshotFacts?
            do throws(Failure) { status = try server.status(id) } catch {
                if error == .stopped { throw error }
                silent += 1
                reasons.append("node \(node): \(error.message)")
                continue
            }
            guard let facts = status else {
                reasons.append("node \(node): does not know it")
                continue
            }
            isKnown = true
            do throws(Failure) {
                if facts.state == "open" { throw Failure("it is not over yet") }
                if facts.state == "aborted" { throw Failure("it was aborted") }
                if facts.manifestBytes == 0 {
                    throw Failure("has \(facts.part == "stored" ? "only its own part" : "nothing of it")")
                }
                let content = ByteBuffer(capacity: facts.manifestBytes)
                try server.fetch(id, "MANIFEST") { content.append($0) }
                servers[node] = server
                let manifest = try SnapshotDirectory.manifest(
                    in: content.view, file: "the manifest of node \(node)", clusterID: clusterID)
                guard manifest.id == id else { throw Failure("its manifest is of snapshot \(manifest.id)") }
                return (content, manifest)
            } catch {
                if error == .stopped { throw error }
                reasons.append("node \(node): \(error.message)")
            }
        }
        let list = reasons.map { "\n  \($0)" }.joined()
        if isKnown { throw Failure("no node has the manifest of snapshot \(id), which node \(initiator) began" + list) }
        if silent == order.count { throw Failure("no node of the cluster answers" + list) }
        throw Failure(
            "no node\(silent > 0 ? " that answers" : "") knows snapshot \(id); 'kvctl snapshot list' shows those that there are"
                + list)
    }
}
