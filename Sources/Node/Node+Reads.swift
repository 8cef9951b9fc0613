import Base
import Consensus
import Database
import RESP

/// The way of a read (DESIGN, section 3): all reads of a turn share one request for a read index; they are served when it is
/// granted and the state machine has reached it.
extension Node {
    /// Notes the command in `arguments` as a read of this turn.
    func gatherRead(_ connection: ClientConnection) {
        let batch = group.reads.open(now: now.instant)
        let offset = batch.bytes.count
        for index in 0..<arguments.count {
            let argument = arguments[index]
            batch.bytes.append(variable: UInt64(argument.count))
            batch.bytes.append(argument)
        }
        batch.reads.append(
            ReadQueue.Read(
                connection: connection.id, database: connection.database, offset: offset, argumentCount: arguments.count))
        connection.readsInFlight += 1
    }

    /// Asks for an index for what gathered, and again for what failed.
    func requestReads() {
        if group.raft.leader != nil, !group.reads.failed.isEmpty {
            let failed = group.reads.failed
            group.reads.failed.removeAll()
            for batch in failed { request(batch) }
        }
        guard let batch = group.reads.gathering else { return }
        group.reads.gathering = nil
        if group.raft.leader == nil { return group.reads.failed.append(batch) }
        request(batch)
    }

    private func request(_ batch: ReadQueue.Batch) {
        batch.id = group.reads.nextID()
        group.reads.requested.append(batch)
        group.raft.requestRead(id: batch.id, now: now)
        statistics.readRequests += 1
    }

    func readGranted(_ grant: RaftEffects.ReadGrant) {
        guard let position = group.reads.requested.firstIndex(where: { $0.id == grant.id }) else {
            check(false, "a read is granted once, and only when it was asked for")
            return
        }
        let batch = group.reads.requested.remove(at: position)
        batch.index = grant.index
        batch.wall = grant.wall
        group.reads.granted.append(batch)
    }

    func readFailed(_ id: UInt64) {
        guard let position = group.reads.requested.firstIndex(where: { $0.id == id }) else { return }
        group.reads.failed.append(group.reads.requested.remove(at: position))
    }

    /// Serves the granted reads whose index is applied.
    func serveReads() {
        var index = 0
        while index < group.reads.granted.count {
            let batch = group.reads.granted[index]
            guard let needed = batch.index, needed <= group.machine.appliedIndex else {
                index += 1
                continue
            }
            group.reads.granted.remove(at: index)
            serve(batch)
            group.reads.recycle(batch)
        }
    }

    private func serve(_ batch: ReadQueue.Batch) {
        let bytes = batch.bytes.view
        for read in batch.reads {
            guard let connection = clients[read.connection.rawValue] else { continue }
            decodeArguments(read, bytes)
            guard case .command(let command) = table.resolve(readArguments) else {
                check(false, "a read that was taken is a command")
                continue
            }
            statistics.reads += 1
            let before = connection.output.count
            group.machine.execution.notesUse = !connection.isNoTouch
            group.machine.read(
                command, arguments: readArguments, database: read.database, readTime: batch.wall, random: random.next(),
                reply: connection.writer)
            group.machine.execution.notesUse = true
            if countErrorReply(connection, from: before) { statistics.commandCounts[command.index].failed += 1 }
            noteAnswered(command.index, readArguments, connection, taken: batch.since)
            answered(connection)
            connection.readsInFlight -= 1
            resumeWhenIdle(connection)
        }
    }

    private func decodeArguments(_ read: ReadQueue.Read, _ bytes: ByteView) {
        readArguments.removeAll(over: bytes)
        var reader = ByteReader(bytes)
        reader.offset = read.offset
        for _ in 0..<read.argumentCount {
            guard let length = reader.variable() else { return check(false, "an encoded read is whole") }
            readArguments.append(offset: reader.offset, count: Int(length))
            reader.offset += Int(length)
        }
    }

    /// Turns this turn's reads of `connection` into proposals, because a write follows them: they then keep their place
    /// in the log, before it.
    func proposeGatheredReads(of connection: ClientConnection) {
        guard let batch = group.reads.gathering else { return }
        let bytes = batch.bytes.view
        let mine = batch.reads.filter { $0.connection == connection.id }
        if mine.isEmpty { return }
        for read in mine {
            decodeArguments(read, bytes)
            gatherProposal(readArguments, connection, database: read.database)
        }
        batch.reads.removeAll { $0.connection == connection.id }
        connection.readsInFlight -= mine.count
        check(connection.readsInFlight >= 0, "a connection has no fewer than no reads in flight")
        if batch.reads.isEmpty {
            group.reads.gathering = nil
            group.reads.recycle(batch)
        }
    }

    // MARK: no leader

    /// When reads that wait for a leader are refused; nil when none wait, or one is known now.
    var refusalOfWaitingReadsAt: Instant? {
        group.reads.failed.isEmpty || group.raft.leader != nil
            ? nil : group.reads.failed.map { $0.since + options.noLeaderGrace }.min()
    }

    /// Reads that found no leader for too long are refused: they were certainly not executed.
    func refuseWaitingReads() {
        if group.raft.leader != nil { return }
        var index = 0
        while index < group.reads.failed.count {
            let batch = group.reads.failed[index]
            if batch.since + options.noLeaderGrace > now.instant {
                index += 1
                continue
            }
            group.reads.failed.remove(at: index)
            for read in batch.reads {
                guard let connection = clients[read.connection.rawValue] else { continue }
                connection.writer.error(Node.noLeaderError)
                answered(connection)
                connection.readsInFlight -= 1
                resumeWhenIdle(connection)
            }
            group.reads.recycle(batch)
        }
    }

    static let noLeaderError: StaticString =
        "CLUSTERDOWN no leader is known, the command was not executed; a majority of the nodes must run and reach each other"
}
