import Base
import DistributedSnapshot
import Glibc
import RESP

/// One node, asked about snapshots.
struct SnapshotServer {
    let node: ClusterFile.Node
    private let stop: StopSignals?
    private var connection: Connection?

    /// How long one answer may take.
    private static let patience = Nanoseconds.milliseconds(10_000)
    private static let connectPatience = Nanoseconds.milliseconds(1_000)
    /// Bytes that are fetched at a time; a node's limit.
    private static let pieceBytes = 1 << 20
    /// How often a file that was begun is asked for again after the connection broke: nodes keep files across restarts.
    private static let attemptsMax = 5

    /// - Parameter stop: ends every wait when a signal comes.
    init(_ node: ClusterFile.Node, stop: StopSignals? = nil) {
        self.node = node
        self.stop = stop
    }

    /// Sends KV.SNAPSHOT with these words.
    ///
    /// - Throws: also what the node answers as an error.
    mutating func ask(_ words: String...) throws(Failure) -> Reply {
        let reply = try reply(to: ["KV.SNAPSHOT"] + words, within: SnapshotServer.patience)
        if reply.isError { throw Failure("\(node.client): \(reply.text ?? "error")") }
        return reply
    }

    private mutating func reply(to words: [String], within limit: Nanoseconds) throws(Failure) -> Reply {
        let connection: Connection
        if let open = self.connection {
            connection = open
        } else {
            connection = try Connection(to: node.client, timeout: SnapshotServer.connectPatience)
            connection.stop = stop
            self.connection = connection
        }
        do throws(Failure) { return try connection.ask(words, deadline: monotonicNow() + limit) } catch {
            self.connection = nil
            throw error
        }
    }

    /// Begins a snapshot; its id.
    mutating func take(strict: Bool, whole: Bool, milliseconds: UInt64?) throws(Failure) -> SnapshotID {
        var words = ["KV.SNAPSHOT", "TAKE", strict ? "STRICT" : "CAUSAL"]
        if let milliseconds { words += ["TIMEOUT", "\(milliseconds)"] }
        if whole { words.append("WHOLE") }
        let reply = try reply(to: words, within: SnapshotServer.patience)
        if reply.isError { throw Failure("\(node.client): \(reply.text ?? "error")") }
        guard let id = reply.text.flatMap({ UInt64($0) }), id > 0 else {
            throw Failure("\(node.client) answers KV.SNAPSHOT TAKE with something else; is it a kvd?")
        }
        return SnapshotID(id)
    }

    /// The snapshots that it knows, oldest first.
    mutating func list() throws(Failure) -> [SnapshotFacts] {
        guard let items = try ask("LIST").elements else {
            throw Failure("\(node.client) answers KV.SNAPSHOT LIST with something else; is it a kvd?")
        }
        return items.compactMap { SnapshotFacts($0) }
    }

    /// What it knows of a snapshot; nil when nothing.
    ///
    /// - Parameter limit: how long the answer may take; unless given, as long as any.
    mutating func status(_ id: SnapshotID, within limit: Nanoseconds? = nil) throws(Failure) -> SnapshotFacts? {
        let reply = try reply(to: ["KV.SNAPSHOT", "STATUS", "\(id)"], within: limit ?? SnapshotServer.patience)
        if let text = reply.text, reply.isError {
            if text.contains("no such snapshot") { return nil }
            throw Failure("\(node.client): \(text)")
        }
        guard let facts = SnapshotFacts(reply) else {
            throw Failure("\(node.client) answers KV.SNAPSHOT STATUS with something else; is it a kvd?")
        }
        return facts
    }

    /// A file of the node's, piece by piece.
    ///
    /// - Parameters:
    ///   - kind: "PART" or "MANIFEST".
    ///   - take: gets each piece.
    mutating func fetch(
        _ id: SnapshotID, _ kind: String, _ take: (ByteView) throws(Failure) -> Void
    ) throws(Failure) {
        var done = 0
        var size = 1
        var failures = 0
        while done < size {
            let reply: Reply
            do throws(Failure) {
                reply = try self.reply(
                    to: ["KV.SNAPSHOT", "FETCH", "\(id)", kind, "\(done)", "\(SnapshotServer.pieceBytes)"],
                    within: SnapshotServer.patience)
            } catch {
                failures += 1
                if done == 0 || failures == SnapshotServer.attemptsMax || error == .stopped { throw error }
                poll(nil, 0, 200)
                continue
            }
            if reply.isError { throw Failure("\(node.client): \(reply.text ?? "error")") }
            guard let parts = reply.elements, parts.count == 2, case .integer(let total) = parts[0],
                case .bulk(let piece) = parts[1], !piece.isEmpty, done == 0 || size == Int(total)
            else { throw Failure("\(node.client) answers KV.SNAPSHOT FETCH with something else") }
            size = Int(total)
            failures = 0
            var problem: Failure?
            piece.withView { view in do throws(Failure) { try take(view) } catch { problem = error } }
            if let problem { throw problem }
            done += piece.count
        }
    }
}
