import Base
import Database
import DistributedSnapshot
import RESP
import Storage

/// KV.SNAPSHOT: distributed snapshots for operators (DESIGN, section 7). Every node answers them, with a leader and without.
extension Node {
    /// KV.SNAPSHOT TAKE [STRICT|CAUSAL] [TIMEOUT milliseconds] [WHOLE]: answered with the id when the snapshot has begun. WHOLE: what would be
    /// partial is aborted. Without a time limit it has 10 s, and twice what the state takes to be written while clients are served.
    func snapshotTake(_ connection: ClientConnection) {
        var request = SnapshotRequest(participants: options.members.map(\.id))
        let writing = pace.duration(stateBytes: group.machine.usedMemory)
        request.timeLimit = min(options.snapshots.timeLimitMax, Nanoseconds(request.timeLimit.rawValue + 2 * writing.rawValue))
        var index = 2
        while index < arguments.count {
            let word = arguments[index]
            index += 1
            if word.equalsIgnoringCase("strict") {
                request.isStrict = true
            } else if word.equalsIgnoringCase("causal") {
                request.isStrict = false
            } else if word.equalsIgnoringCase("whole") {
                request.allowsPartial = false
            } else if word.equalsIgnoringCase("timeout"), index < arguments.count {
                let limit = options.snapshots.timeLimitMax.rawValue / 1_000_000
                guard let milliseconds = parseInteger(arguments[index]), milliseconds > 0, UInt64(milliseconds) <= limit else {
                    return replyError(connection, "ERR the timeout of a snapshot is 1 to \(limit) milliseconds")
                }
                request.timeLimit = .milliseconds(UInt64(milliseconds))
                index += 1
            } else {
                return replyError(connection, "ERR syntax error")
            }
        }
        do throws(SnapshotRefusal) {
            let id = try beginSnapshot(request)
            log(.notice, "snapshot \(id) has begun, as asked by \(connection.address)")
            connection.writer.bulk(text: "\(id)")
        } catch {
            replyError(connection, "ERR \(error)")
        }
    }

    /// KV.SNAPSHOT ABORT id.
    func snapshotAbort(_ connection: ClientConnection) {
        guard let id = snapshotID(arguments[2]) else { return replyError(connection, Node.noSuchSnapshot) }
        if abortSnapshot(id) { return connection.writer.ok() }
        if archive[id] == nil { return replyError(connection, Node.noSuchSnapshot) }
        replyError(
            connection,
            archive[id]?.outcome == nil
                ? "ERR node \(id.initiator) began this snapshot: only it can abort it" : "ERR the snapshot is over")
    }

    /// KV.SNAPSHOT LIST: of each snapshot, oldest first, what STATUS begins with.
    func snapshotList(_ connection: ClientConnection) {
        let items = archive.items.sorted { $0.id < $1.id }
        connection.writer.array(items.count)
        for item in items {
            let fields = summary(of: item)
            connection.writer.map(fields.count)
            for (name, value) in fields { write(name, value, connection) }
        }
    }

    /// KV.SNAPSHOT STATUS id: id, initiator, state, strict, age, this node's part; on the node that began it, and when it is over, the parts, what is
    /// missing, the channels and contradictions.
    func snapshotStatus(_ connection: ClientConnection) {
        guard let id = snapshotID(arguments[2]), let item = archive[id] else {
            return replyError(connection, Node.noSuchSnapshot)
        }
        let fields = summary(of: item)
        let writer = connection.writer
        writer.map(fields.count + (item.manifest == nil ? 0 : 4))
        for (name, value) in fields { write(name, value, connection) }
        guard let manifest = item.manifest else { return }
        writer.bulk(text: "parts")
        writer.array(manifest.parts.count)
        for part in manifest.parts { writePart(part, connection) }
        writer.bulk(text: "missing")
        writer.array(manifest.missing.count)
        for missing in manifest.missing {
            writer.map(2)
            write("node", .number(UInt64(missing.node.rawValue)), connection)
            write("reason", .text("\(missing.reason)"), connection)
        }
        writer.bulk(text: "channels")
        writer.array(manifest.channels.count)
        for channel in manifest.channels { writeChannel(channel, connection) }
        writer.bulk(text: "contradictions")
        writer.array(manifest.contradictions.count)
        for contradiction in manifest.contradictions { writer.bulk(text: contradiction) }
    }

    /// KV.SNAPSHOT REMOVE id: the files of this node, and what it knows.
    func snapshotRemove(_ connection: ClientConnection) {
        guard let id = snapshotID(arguments[2]), let item = archive[id] else {
            return replyError(connection, Node.noSuchSnapshot)
        }
        if !item.isOver || partJobs.contains(where: { $0.id == id }) || manifestsUnderWay.contains(where: { $0.id == id }) {
            return replyError(connection, "ERR the snapshot is not over")
        }
        archive.remove(id)
        connection.writer.ok()
    }

    /// KV.SNAPSHOT FETCH id PART|MANIFEST offset count: the size of a file of this node and the bytes from `offset` on, at most `count` of them. Both are multiples
    /// of 4096.
    func snapshotFetch(_ connection: ClientConnection) {
        guard let id = snapshotID(arguments[2]), let item = archive[id] else {
            return replyError(connection, Node.noSuchSnapshot)
        }
        let isPart = arguments[3].equalsIgnoringCase("part")
        if !isPart && !arguments[3].equalsIgnoringCase("manifest") { return replyError(connection, "ERR syntax error") }
        guard let size = isPart ? item.partBytes : item.manifestBytes else {
            return replyError(connection, "ERR this node has no such file of the snapshot")
        }
        let block = LogOptions.blockBytes
        guard let offset = parseInteger(arguments[4]), let count = parseInteger(arguments[5]), offset >= 0, count > 0,
            Int(offset) % block == 0, Int(count) % block == 0, count <= Node.fetchBytesMax, Int(offset) < size
        else {
            return replyError(
                connection,
                "ERR offset and count are multiples of \(block), the count is at most \(Node.fetchBytesMax), the offset is in the file of \(size) bytes"
            )
        }
        let name = isPart ? SnapshotFile.part(id).name : SnapshotFile.manifest(id).name
        let number = log.emit(
            .read(name: name, offset: Int(offset), count: min(Int(count), size - Int(offset))), into: &effects.disk)
        snapshotReads.append((number, connection.id, size))
        connection.isFetching = true
    }

    /// Takes the bytes of a file that a client asked for; false when they are not.
    func snapshotRead(_ number: UInt64, _ bytes: ByteView) -> Bool {
        guard let index = snapshotReads.firstIndex(where: { $0.number == number }) else { return false }
        let read = snapshotReads.remove(at: index)
        guard let connection = clients[read.connection.rawValue] else { return true }
        connection.writer.array(2)
        connection.writer.integer(read.size)
        connection.writer.bulk(bytes)
        answered(connection)
        connection.isFetching = false
        noteOwed(connection)
        resumeWhenIdle(connection)
        return true
    }

    private static let fetchBytesMax: Int64 = 1 << 20

    // MARK: parts of replies

    private enum Value {
        case text(String)
        case number(UInt64)
    }

    private func write(_ name: String, _ value: Value, _ connection: ClientConnection) {
        connection.writer.bulk(text: name)
        switch value {
        case .text(let text): connection.writer.bulk(text: text)
        case .number(let number): connection.writer.integer(Int64(clamping: number))
        }
    }

    private func summary(of item: SnapshotArchive.Item) -> [(String, Value)] {
        let inFlight = item.summary?.incoming.reduce(0) { $0 + $1.inFlight } ?? 0
        let inFlightBytes = item.summary?.incoming.reduce(0) { $0 + $1.inFlightBytes } ?? 0
        let isWriting = partJobs.contains { $0.id == item.id }
        return [
            ("id", .text("\(item.id)")),
            ("initiator", .number(UInt64(item.id.initiator.rawValue))),
            ("state", .text(item.outcome.map { "\($0)" } ?? (item.isOfEarlierRun ? "stored" : "open"))),
            ("strict", .number((item.manifest?.isStrict ?? item.summary?.isStrict ?? false) ? 1 : 0)),
            ("recorded-at", .number(item.id.milliseconds)),
            ("part", .text(item.partBytes != nil ? "stored" : isWriting ? "recording" : "none")),
            ("part-bytes", .number(UInt64(item.partBytes ?? 0))),
            ("manifest-bytes", .number(UInt64(item.manifestBytes ?? 0))),
            ("in-flight", .number(inFlight)),
            ("in-flight-bytes", .number(inFlightBytes)),
        ]
    }

    private func writePart(_ part: SnapshotManifest.Part, _ connection: ClientConnection) {
        connection.writer.map(6)
        write("node", .number(UInt64(part.run.node.rawValue)), connection)
        write("incarnation", .number(part.run.incarnation.rawValue), connection)
        write("strict", .number(part.summary.isStrict ? 1 : 0), connection)
        write("state-bytes", .number(part.summary.stateBytes), connection)
        write("in-flight", .number(part.summary.incoming.reduce(0) { $0 + $1.inFlight }), connection)
        write("in-flight-bytes", .number(part.summary.incoming.reduce(0) { $0 + $1.inFlightBytes }), connection)
    }

    private func writeChannel(_ channel: SnapshotManifest.Channel, _ connection: ClientConnection) {
        connection.writer.map(8)
        write("from", .number(UInt64(channel.from.node.rawValue)), connection)
        write("to", .number(UInt64(channel.to.rawValue)), connection)
        write("number", .number(channel.number), connection)
        write("delivered", .number(channel.delivered), connection)
        write("in-flight", .number(channel.inFlight), connection)
        write("in-flight-bytes", .number(channel.inFlightBytes), connection)
        write("lost", channel.lost.map { .number($0) } ?? .text("unknown"), connection)
        write("exact", .number(channel.isExact ? 1 : 0), connection)
    }

    private func snapshotID(_ argument: ByteView) -> SnapshotID? {
        guard let number = parseInteger(argument), number > 0 else { return nil }
        return SnapshotID(UInt64(number))
    }

    private static let noSuchSnapshot = "ERR no such snapshot is known to this node"

    static let snapshotHelp = [
        "ABORT <id>", "    Give up a snapshot that this node began.",
        "FETCH <id> PART|MANIFEST <offset> <count>", "    Return bytes of a file of this node.",
        "LIST", "    Return the snapshots that this node knows of.",
        "REMOVE <id>", "    Remove the files of this node.",
        "STATUS <id>", "    Return what this node knows of a snapshot.",
        "TAKE [STRICT|CAUSAL] [TIMEOUT <milliseconds>] [WHOLE]",
        "    Begin a snapshot of all nodes. STRICT (the default): a point in real time;",
        "    CAUSAL: replies are not held. WHOLE: with a part missing it is aborted.",
    ]
}
