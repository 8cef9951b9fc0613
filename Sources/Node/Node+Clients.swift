import Base
import Database
import RESP

/// Clients: their input, and the order of their replies.
///
/// Three kinds of commands, by where their reply comes from: *writes* go through the log and are answered when applied,
/// *reads* wait for a read index, *local* ones are answered at once. Replies must leave in the order of the commands, and a
/// read must see its connection's earlier writes. So:
///
/// - a write follows earlier writes freely (the log keeps their order);
/// - a read follows earlier reads freely (one request, one order);
/// - a read behind an unanswered write goes through the log too, in its place;
/// - a write behind reads that were gathered in this turn sends these through the log, ahead of itself;
/// - everything else waits until the connection is idle: it is *stalled*, and its input is kept.
extension Node {
    /// What became of one command.
    enum Taken {
        /// It is answered, or on its way.
        case taken
        /// It must wait; nothing was done.
        case mustWait
        /// It must wait for other clients' commands, because too much is on its way.
        case noRoom
    }

    func clientOpened(_ connection: ConnectionID, address: String, local: String) {
        check(clients[connection.rawValue] == nil, "a connection's number comes once")
        statistics.connectionsReceived += 1
        let opened = ClientConnection(
            id: connection, address: address, localAddress: local, openedAt: now.instant,
            parser: RequestParser(limits: configuration.requestLimits))
        clients[connection.rawValue] = opened
        if clients.count > configuration.clientsMax {
            statistics.connectionsRejected += 1
            opened.writer.error("ERR max number of clients reached")
            closeAfterOutput(opened)
        }
    }

    func clientClosed(_ connection: ConnectionID) {
        if let closed = clients.removeValue(forKey: connection.rawValue) { stopMonitoring(closed) }
    }

    func clientInputEnded(_ connection: ConnectionID) { halfClosed.append(connection) }

    /// Closes connections whose client sends nothing more, once all that it sent is answered. Half a command is forgotten.
    func closeAnsweredClients() {
        if halfClosed.isEmpty { return }
        halfClosed.removeAll { id in
            guard let connection = clients[id.rawValue], !connection.isClosing else { return true }
            if !connection.isIdle || connection.isStalled { return false }
            connection.isClosing = true
            effects.closeClients.append((id, afterOutput: true))
            return true
        }
    }

    func clientBytes(_ connection: ConnectionID, _ bytes: ByteView) {
        guard let connection = clients[connection.rawValue], !connection.isClosing else { return }
        connection.bytesIn += UInt64(bytes.count)
        statistics.bytesIn += UInt64(bytes.count)
        if connection.isStalled || shutdown != nil || !isIncarnationDurable {
            connection.input.append(bytes)
            return holdBack(connection)
        }
        if connection.input.isEmpty {
            let consumed = takeCommands(connection, bytes)
            if !connection.isClosing { connection.input.append(bytes.dropFirst(consumed)) }
        } else {
            connection.input.append(bytes)
            takeBufferedCommands(connection)
        }
        holdBack(connection)
    }

    /// Stops reading from a client whose input piles up.
    private func holdBack(_ connection: ClientConnection) {
        let limit = connection.isStalled ? Node.stalledInputBytesMax : options.limits.clientInputBytesMax
        if !connection.isReadingPaused && connection.input.count > limit {
            if !connection.isStalled {
                // More than one command may ever need, and still not one whole command.
                log(
                    .warning,
                    "closed client \(connection.address): its input of \(connection.input.count) bytes is over the limit")
                connection.isClosing = true
                return effects.closeClients.append((connection.id, afterOutput: false))
            }
            connection.isReadingPaused = true
            effects.reading.append((connection.id, enabled: false))
        }
    }

    /// A stalled client may send this much ahead before its socket is left alone.
    private static let stalledInputBytesMax = 1 << 20

    func takeBufferedCommands(_ connection: ClientConnection) {
        let consumed = takeCommands(connection, connection.input.view)
        if connection.isClosing { return connection.input.removeAll(keeping: 16) }
        connection.input.consume(consumed)
        if connection.input.isEmpty { connection.input.removeAll(keeping: 1024) }
        if connection.isReadingPaused && connection.input.count <= Node.stalledInputBytesMax / 2 {
            connection.isReadingPaused = false
            effects.reading.append((connection.id, enabled: true))
        }
    }

    /// Takes commands from the front of `input` until one must wait or is cut; returns the bytes taken.
    private func takeCommands(_ connection: ClientConnection, _ input: ByteView) -> Int {
        var offset = 0
        while offset < input.count && !connection.isClosing {
            switch connection.parser.next(in: input.dropFirst(offset), arguments: arguments) {
            case .command(let consumed):
                switch consumed > options.limits.commandBytesMax ? refuseLarge(connection, consumed) : take(connection) {
                case .taken: offset += consumed
                case .mustWait:
                    connection.isStalled = true
                    return offset
                case .noRoom:
                    connection.isStalled = true
                    waitingForRoom.append(connection.id)
                    return offset
                }
            case .empty(let consumed): offset += consumed
            case .incomplete: return offset
            case .failure(let error):
                if !connection.isIdle {
                    connection.isStalled = true
                    return offset
                }
                replyError(connection, error.text)
                closeAfterOutput(connection)
            }
        }
        return offset
    }

    /// Takes the command in `arguments`.
    private func take(_ connection: ClientConnection) -> Taken {
        if connection.owesLocalReply { return .mustWait }
        if connection.skipsReply { connection.skipsReply = false }
        let resolution = table.resolve(arguments)
        switch resolution {
        case .command(let command):
            if isPaused(command) {
                paused.append(connection.id)
                return .mustWait
            }
            switch command.scope(of: arguments) {
            case .write: return takeWrite(connection, command)
            case .read: return takeRead(connection, command)
            case .local:
                if !connection.isIdle { return .mustWait }
                takeLocal(connection, command)
                return .taken
            }
        case .unknownCommand, .unknownSubcommand, .wrongArgumentCount:
            if !connection.isIdle { return .mustWait }
            connection.lastCommandAt = now.instant
            beginReply(connection)
            if case .wrongArgumentCount(let command) = resolution { statistics.commandCounts[command.index].rejected += 1 }
            let before = connection.output.count
            table.replyError(resolution, arguments, connection.writer)
            countErrorReply(connection, from: before)
            answered(connection)
            return .taken
        }
    }

    /// Answers a command that the node answers itself.
    private func takeLocal(_ connection: ClientConnection, _ command: Command) {
        beginReply(connection)
        connection.lastCommandAt = now.instant
        connection.lastCommandName = command.fullName
        let (errors, before) = (statistics.errorReplies, connection.output.count)
        runLocal(command, connection)
        // Counted and shown when it is done: CONFIG RESETSTAT counts itself, and RESET is not shown to who monitors no more.
        countCommand(command)
        if !monitors.isEmpty { feedMonitors(command, from: connection) }
        if statistics.errorReplies > errors || countErrorReply(connection, from: before) {
            statistics.commandCounts[command.index].failed += 1
        }
        if connection.owesLocalReply {
            connection.owed = (command.index, (0..<arguments.count).map { arguments[$0].array }, now.instant)
        } else {
            noteAnswered(command.index, arguments, connection, taken: now.instant)
        }
        answered(connection)
    }

    /// A reply is about to be written that `CLIENT REPLY SKIP` may be about.
    private func beginReply(_ connection: ClientConnection) {
        if !connection.skipsNextReply { return }
        connection.skipsNextReply = false
        connection.skipsReply = true
    }

    /// A command that no log entry can hold.
    private func refuseLarge(_ connection: ClientConnection, _ bytes: Int) -> Taken {
        if !connection.isIdle { return .mustWait }
        beginReply(connection)
        replyError(
            connection,
            "ERR the command has \(bytes) bytes, over the limit of \(options.limits.commandBytesMax); it was not executed")
        return .taken
    }

    private func noteCommand(_ connection: ClientConnection, _ command: Command) {
        connection.lastCommandAt = now.instant
        connection.lastCommandName = command.fullName
        countCommand(command)
        if !monitors.isEmpty { feedMonitors(command, from: connection) }
    }

    private func countCommand(_ command: Command) {
        statistics.commandsTaken += 1
        statistics.commandCounts[command.index].calls += 1
    }

    // MARK: writes

    private func takeWrite(_ connection: ClientConnection, _ command: Command) -> Taken {
        if connection.readsInFlight > 0 {
            guard let batch = group.reads.gathering,
                batch.reads.reduce(0, { $0 + ($1.connection == connection.id ? 1 : 0) }) == connection.readsInFlight
            else { return .mustWait }
            proposeGatheredReads(of: connection)
        }
        if isRefusingProposals {
            if !connection.isIdle { return .mustWait }
            beginReply(connection)
            replyError(connection, Node.noLeaderError.description)
            return .taken
        }
        if connection.proposalsInFlight >= options.limits.clientProposalsMax { return .mustWait }
        if group.proposals.bytes > options.limits.proposalBytesMax { return .noRoom }
        noteCommand(connection, command)
        gatherProposal(arguments, connection, database: connection.database)
        if connection.skipsNextReply {
            connection.skipsNextReply = false
            connection.skippedProposal = group.proposals.nextNumber - 1
        }
        return .taken
    }

    /// Adds a command to this turn's frame.
    func gatherProposal(_ arguments: Arguments, _ connection: ClientConnection, database: Int) {
        if arguments.byteCountBound > options.limits.pieceBytesMax, arguments.byteCount > options.limits.pieceBytesMax {
            CommandBatch.appendPieces(
                database: database, connection: connection.id.rawValue, arguments: arguments,
                pieceBytesMax: options.limits.pieceBytesMax, to: group.proposals.gathering, finished: itemGathered)
        } else {
            CommandBatch.appendItem(
                database: database, connection: connection.id.rawValue, arguments: arguments, to: group.proposals.gathering)
            itemGathered()
        }
        connection.proposalsInFlight += 1
    }

    @inline(__always)
    private func itemGathered() {
        _ = group.proposals.gathered()
        if group.proposals.gathering.count >= options.limits.batchBytesMax { group.proposals.seal(now: now.instant) }
    }

    /// Without a leader for a while, writes are refused at the door: they are certainly not executed.
    private var isRefusingProposals: Bool {
        guard let since = group.leaderlessSince else { return false }
        return now.instant - since > options.noLeaderGrace
    }

    // MARK: reads

    private func takeRead(_ connection: ClientConnection, _ command: Command) -> Taken {
        if connection.proposalsInFlight > 0 {
            // Behind a write of its own connection: through the log, in its place.
            return takeWrite(connection, command)
        }
        if connection.skipsNextReply {
            if !connection.isIdle { return .mustWait }
            connection.skipsNextReply = false
            return .taken
        }
        if isRefusingProposals {
            if !connection.isIdle { return .mustWait }
            beginReply(connection)
            replyError(connection, Node.noLeaderError.description)
            return .taken
        }
        if connection.readsInFlight >= options.limits.clientProposalsMax { return .mustWait }
        noteCommand(connection, command)
        gatherRead(connection)
        return .taken
    }

    // MARK: waiting

    /// An answer was given; if the connection was waiting for it, it goes on at the end of this round.
    func resumeWhenIdle(_ connection: ClientConnection) {
        if connection.isStalled && connection.isIdle && !paused.contains(connection.id) { resumable.append(connection.id) }
    }

    func resumeForRoom() {
        if waitingForRoom.isEmpty || group.proposals.bytes > options.limits.proposalBytesMax / 2 { return }
        resumable.append(contentsOf: waitingForRoom)
        waitingForRoom.removeAll(keepingCapacity: true)
    }

    /// Lets stalled connections go on whose wait is over.
    func resumeClients() {
        if resumable.isEmpty || shutdown != nil { return }
        let waiting = resumable
        resumable.removeAll(keepingCapacity: true)
        for id in waiting {
            guard let connection = clients[id.rawValue], connection.isStalled, !connection.isClosing else { continue }
            connection.isStalled = false
            takeBufferedCommands(connection)
        }
    }

    /// The node may speak now: whoever connected before goes on.
    func resumeAllClients() {
        for connection in clients.values.sorted(by: { $0.id < $1.id }) where !connection.input.isEmpty {
            connection.isStalled = true
            resumable.append(connection.id)
        }
    }

    func wakeSleepers() {
        if sleeping.isEmpty { return }
        sleeping.removeAll { id in
            guard let connection = clients[id.rawValue], let until = connection.sleepsUntil else { return true }
            if until > now.instant { return false }
            connection.sleepsUntil = nil
            connection.writer.ok()
            noteOwed(connection)
            answered(connection)
            connection.isStalled = true
            resumable.append(id)
            return true
        }
    }

    /// Closes clients that have been silent for longer than the `timeout` parameter says. Looked at about once a second.
    func closeIdleClients() {
        guard configuration.timeoutSeconds > 0, now.instant - idleCheckedAt >= .milliseconds(1000) else { return }
        idleCheckedAt = now.instant
        let limit = Nanoseconds.milliseconds(UInt64(configuration.timeoutSeconds) * 1000)
        for connection in clients.values.sorted(by: { $0.id < $1.id })
        where !connection.isClosing && connection.isIdle && !connection.isMonitor
            && now.instant - connection.lastCommandAt > limit
        {
            log(.debug, "closed client \(connection.address): silent for longer than \(configuration.timeoutSeconds) s")
            closeAfterOutput(connection)
        }
    }

    // MARK: replies

    /// Counts an error and writes it.
    func replyError(_ connection: ClientConnection, _ text: String) {
        connection.writer.error(text: text)
        statistics.countError(text)
        answered(connection)
    }

    /// Counts the reply that was written from `start` of the output on, if it is an error; says whether it is.
    @discardableResult
    func countErrorReply(_ connection: ClientConnection, from start: Int) -> Bool {
        let reply = connection.output.view.dropFirst(min(start, connection.output.count))
        guard reply.count > 1, reply[0] == UInt8(ascii: "-") else { return false }
        let end = reply.firstIndex(of: 0x20) ?? reply.count
        statistics.countError(reply.slice(1, end - 1).text)
        return true
    }

    func closeAfterOutput(_ connection: ClientConnection) {
        connection.isClosing = true
        answered(connection)
        effects.closeClients.append((connection.id, afterOutput: true))
    }
}
