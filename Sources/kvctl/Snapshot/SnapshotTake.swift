import ArgumentParsing
import Base
import DistributedSnapshot
import Glibc
import RESP

/// `kvctl snapshot take DIR`: has a node begin a snapshot, waits for its end, and collects the parts and the manifest into one directory.
enum SnapshotTake {
    /// Bytes that are fetched at a time.
    private static let pieceBytes = 1 << 20
    /// How long one answer may take.
    private static let patience = Nanoseconds.milliseconds(10_000)

    static func run(_ values: Values) throws(Failure) -> Int32 {
        let cluster = try ClusterDirectory(values[Tool.data]).file()
        let directory = try SnapshotDirectory.make(values[Tool.snapshotDirectory])
        let connection = try initiator(values, cluster)
        let milliseconds = values[Tool.snapshotTimeout]
        var words = ["KV.SNAPSHOT", "TAKE", values[Tool.causal] ? "CAUSAL" : "STRICT", "TIMEOUT", "\(milliseconds)"]
        if values[Tool.whole] { words.append("WHOLE") }
        let reply = try ask(connection, words)
        guard let id = reply.text else { throw Failure("KV.SNAPSHOT TAKE answers something else") }
        let status = try wait(connection, id, until: monotonicNow() + .milliseconds(milliseconds + 5_000))
        let outcome = status["state"]?.text ?? "?"
        if outcome == "aborted" { throw Failure("snapshot \(id) is aborted: \(missing(status))") }
        try fetch(connection, id, "MANIFEST", to: "\(directory)/manifest")
        var bytes = 0
        for node in nodes(status) {
            guard let place = cluster.nodes.first(where: { $0.id == node }) else {
                throw Failure("node \(node) is not in the cluster")
            }
            bytes += try fetch(try Connection(to: place.client), id, "PART", to: "\(directory)/node-\(node).part")
        }
        let strict = status["strict"] == .integer(1) ? ", a point in real time" : ", consistent, not a point in real time"
        Console.output("snapshot \(id) is \(outcome)\(strict): \(nodes(status).count) parts, \(bytes) bytes in \(directory)\n")
        if outcome != "complete" { Console.output("missing: \(missing(status))\n") }
        return outcome == "complete" ? 0 : 1
    }

    /// The snapshots that a node knows, as KV.SNAPSHOT LIST tells them.
    static func list(of node: ClusterFile.Node) throws(Failure) -> [[String: Reply]] {
        try ask(try Connection(to: node.client), ["KV.SNAPSHOT", "LIST"]).elements?.map(map) ?? []
    }

    /// The node that begins it: the one asked for, or the first that answers.
    private static func initiator(_ values: Values, _ cluster: ClusterFile) throws(Failure) -> Connection {
        guard let number = values[ifGiven: Tool.from] else { return try Servers.connect(values) }
        guard let node = cluster.nodes.first(where: { $0.id == number }) else { throw .usage("there is no node \(number)") }
        return try Connection(to: node.client)
    }

    private static func ask(_ connection: Connection, _ words: [String]) throws(Failure) -> Reply {
        let reply = try connection.ask(words, deadline: monotonicNow() + patience)
        if reply.isError { throw Failure("\(connection.address): \(reply.text ?? "error")") }
        return reply
    }

    private static func wait(_ connection: Connection, _ id: String, until deadline: Instant) throws(Failure) -> [String: Reply] {
        while true {
            let status = map(try ask(connection, ["KV.SNAPSHOT", "STATUS", id]))
            let isStored = status["state"]?.text == "aborted" || status["manifest-bytes"].map { $0 != .integer(0) } ?? false
            if status["state"]?.text != "open" && isStored { return status }
            if monotonicNow() > deadline { throw Failure("snapshot \(id) does not end; see 'kvctl kv.snapshot status \(id)'") }
            poll(nil, 0, 10)
        }
    }

    @discardableResult
    private static func fetch(_ connection: Connection, _ id: String, _ kind: String, to path: String) throws(Failure) -> Int {
        let file = try NewFile(path, replaces: false)
        var size = 1
        while file.bytesWritten < size {
            let reply = try ask(connection, ["KV.SNAPSHOT", "FETCH", id, kind, "\(file.bytesWritten)", "\(pieceBytes)"])
            guard let parts = reply.elements, parts.count == 2, case .integer(let total) = parts[0],
                case .bulk(let piece) = parts[1],
                !piece.isEmpty
            else { throw Failure("\(connection.address) answers KV.SNAPSHOT FETCH with something else") }
            size = Int(total)
            var problem: Failure?
            piece.withView { view in
                do throws(Failure) { try file.write(view) } catch { problem = error }
            }
            if let problem { throw problem }
        }
        try file.finish()
        return file.bytesWritten
    }

    // MARK: what a status says

    private static func map(_ reply: Reply) -> [String: Reply] {
        let elements = reply.elements ?? []
        var map: [String: Reply] = [:]
        for index in stride(from: 0, to: elements.count - 1, by: 2) { map[elements[index].text ?? ""] = elements[index + 1] }
        return map
    }

    private static func nodes(_ status: [String: Reply]) -> [Int] {
        (status["parts"]?.elements ?? []).compactMap { part in
            if case .integer(let node)? = map(part)["node"] { Int(node) } else { nil }
        }
    }

    private static func missing(_ status: [String: Reply]) -> String {
        let found = (status["missing"]?.elements ?? []).map { item in
            let fields = map(item)
            let node = if case .integer(let node)? = fields["node"] { "\(node)" } else { "?" }
            return "node \(node): \(fields["reason"]?.text ?? "?")"
        }
        return found.isEmpty ? "nothing; a channel is not exact" : found.joined(separator: "; ")
    }
}
