import Base
import DistributedSnapshot
import Foundation
import Node
import RESP
import Storage
import Synchronization

/// Takes a strict snapshot of the whole cluster every second, from one node after the other, and keeps what came of each.
final class SnapshotTaker: Sendable {
    /// One snapshot.
    struct Taken: Sendable {
        var initiator: Int
        /// Before it was asked for.
        var begin: ContinuousClock.Instant
        /// After it was over.
        var end: ContinuousClock.Instant
        /// "complete", "partial", "aborted"; "lost" where the node that began it has ended since.
        var outcome = "lost"
        var isStrict = false
        /// The files, once they are all fetched.
        var manifest: [UInt8] = []
        var parts: [[UInt8]] = []

        var isCompleteAndStrict: Bool { outcome == "complete" && isStrict && !manifest.isEmpty }
    }

    let cluster: TestCluster
    private let stopping = Flag()
    private let results = Mutex<[Taken]>([])
    private let begun = Atomic<Int>(0)

    var taken: [Taken] { results.withLock { $0 } }
    /// Snapshots that nodes were asked for so far.
    var begunCount: Int { begun.load(ordering: .acquiring) }
    var completeStrictCount: Int { taken.count(where: \.isCompleteAndStrict) }
    /// For messages.
    var summary: String { taken.map { "\($0.outcome)\($0.isStrict ? ", strict" : "")" }.joined(separator: "; ") }

    private init(_ cluster: TestCluster) { self.cluster = cluster }

    /// Takes snapshots while `body` runs.
    static func run(on cluster: TestCluster, _ body: (SnapshotTaker) throws -> Void) throws -> [Taken] {
        let taker = SnapshotTaker(cluster)
        let workers = Workers()
        workers.start { taker.takeAll() }
        let outcome = Result { try body(taker) }
        taker.stopping.raise()
        try workers.join()
        try outcome.get()
        return taker.taken
    }

    private func takeAll() {
        var next = ContinuousClock.now
        var turn = 0
        while !stopping.isRaised {
            let node = cluster.nodes[turn % cluster.nodes.count]
            turn += 1
            if !node.isRunning { continue }
            let now = ContinuousClock.now
            var one = Taken(initiator: node.id, begin: now, end: now)
            // A node that is ended in the middle leaves the snapshot as far as it is known.
            try? take(&one, node)
            results.withLock { $0.append(one) }
            next = max(next + .seconds(1), ContinuousClock.now)
            while ContinuousClock.now < next && !stopping.isRaised { _ = poll(nil, 0, 5) }
        }
    }

    private func take(_ one: inout Taken, _ node: TestNode) throws {
        let client = try node.connect()
        one.begin = .now
        try client.send([["KV.SNAPSHOT", "TAKE", "STRICT", "TIMEOUT", "500"]])
        begun.add(1, ordering: .releasing)
        guard let id = try client.receive().text else { throw TestFailure("KV.SNAPSHOT TAKE does not answer with an id") }
        var status: [String: Reply] = [:]
        var state = "open"
        try eventually("snapshot \(id) is over") {
            status = SnapshotTaker.map(try client.call("KV.SNAPSHOT", "STATUS", id))
            state = status["state"]?.text ?? state
            // An aborted one has no manifest.
            return state == "aborted" || (state != "open" && status["manifest-bytes"]?.integer ?? 0 > 0)
        }
        one.end = .now
        one.outcome = state
        one.isStrict = status["strict"]?.integer == 1
        if state == "aborted" { return }
        var parts: [[UInt8]] = []
        for part in status["parts"]?.elements ?? [] {
            guard let number = SnapshotTaker.map(part)["node"]?.integer else { throw TestFailure("a part has no node") }
            parts.append(try SnapshotTaker.fetch(id, "PART", try cluster[number].connect()))
        }
        one.manifest = try SnapshotTaker.fetch(id, "MANIFEST", client)
        one.parts = parts
    }

    private static func fetch(_ id: String, _ kind: String, _ client: Client) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var size = 1
        while bytes.count < size {
            let reply = try client.call("KV.SNAPSHOT", "FETCH", id, kind, "\(bytes.count)", "1048576")
            guard let parts = reply.elements, parts.count == 2, let total = parts[0].integer, case .bulk(let piece) = parts[1],
                !piece.isEmpty
            else { throw TestFailure("KV.SNAPSHOT FETCH answers \(reply)") }
            size = total
            bytes += piece
        }
        return bytes
    }

    private static func map(_ reply: Reply) -> [String: Reply] {
        let elements = reply.elements ?? []
        var map: [String: Reply] = [:]
        for index in stride(from: 0, to: elements.count - 1, by: 2) { map[elements[index].text ?? ""] = elements[index + 1] }
        return map
    }
}

extension SnapshotTaker.Taken {
    /// Reads and verifies the files.
    func read(clusterID: String) throws -> (manifest: SnapshotManifest, parts: [SnapshotPartFile]) {
        guard let cluster = ClusterID(text: clusterID) else { throw TestFailure("\(clusterID) is not a cluster's id") }
        let content = ByteBuffer()
        var reader = StateFileReader(file: "manifest", kind: .snapshotPart, clusterID: cluster, nodeID: NodeID(UInt32(initiator)))
        try manifest.withView { view in
            reader.append(view)
            while let item = try reader.next() { if case .chunk(.manifest, let bytes) = item { content.append(bytes) } }
            try reader.finish()
        }
        guard let manifest = SnapshotManifest(decoding: content.view) else { throw TestFailure("the manifest can't be read") }
        let files = try parts.map { part in
            try part.withView { view in
                var loader = SnapshotPartFile.Loader(file: "part", clusterID: cluster, nodeID: nil)
                try loader.append(view)
                return try loader.finish()
            }
        }
        return (manifest, files)
    }
}
