import Base
import RESP

/// The deterministic state machine of a group: applies log entries, one after the other, and answers reads.
///
/// Of an entry: `begin`, then `nextItem` and `execute` until there is none, then `end`. What stands between `begin` and
/// `end` is one unit: nobody reads in between (rule 9 of DESIGN section 4).
package final class StateMachine {
    /// The item that `execute` would run.
    package struct Item: Sendable {
        /// Whose connection asked for it.
        package var owner: NodeID
        package var incarnation: Incarnation
        /// Its number in the owner's run.
        package var number: UInt64
        /// The owner's number of the connection.
        package var connection: UInt64
        /// The connection's selected database.
        package var database: Int
    }

    /// The entry that is being applied.
    struct OpenEntry {
        var index: LogIndex
        var term: Term
        var reader: ByteReader
        var segment: CommandBatch.SegmentHeader?
        var segmentEnd = 0
        /// Items of the segment that are decoded.
        var segmentItems = 0
        /// Whether the segment belongs to a run that is over.
        var segmentIsOver = false
        /// Whether `current` has not been executed yet.
        var itemIsOpen = false
    }

    /// Expired keys that the end of one entry removes.
    package static let expiredKeysPerEntry = 128
    /// Entries of dropped tables that the end of one log entry frees.
    package static let freedPerEntry = 2048

    /// The seed of all hashes: part of the replicated state.
    package let seed: UInt64
    /// What commands run in.
    package let execution: Execution
    /// The last entry applied.
    @exclusivity(unchecked) package internal(set) var appliedIndex = LogIndex.zero
    /// Its term.
    @exclusivity(unchecked) package internal(set) var appliedTerm = Term.zero
    /// The largest time of all entries applied.
    @exclusivity(unchecked) package internal(set) var time = WallTime(microseconds: 0)
    @exclusivity(unchecked) var sessions = SessionTable()
    @exclusivity(unchecked) var open: OpenEntry?
    @exclusivity(unchecked) var pieces = PieceTable()

    /// The item that `nextItem` found.
    @exclusivity(unchecked) package internal(set) var current: Item
    /// Its words.
    package let arguments = Arguments()
    /// What they mean; an item that is no command is answered with an error by `execute`.
    @exclusivity(unchecked) package internal(set) var resolution = CommandResolution.unknownCommand
    /// The command that `resolution` names and that the table keeps; not counted for every item.
    @exclusivity(unchecked) private var resolved: Unmanaged<Command>?
    /// Its command's `Command.index`, if it is one.
    @exclusivity(unchecked) package internal(set) var commandIndex: Int?

    private let table: CommandTable
    private var warmer = KeyWarmer()

    /// An empty state.
    ///
    /// - Parameter seed: of the hashes; the same on all nodes of the cluster, and secret.
    package init(seed: UInt64, table: CommandTable = .standard) {
        self.seed = seed
        self.table = table
        execution = Execution(seed: seed, table: table)
        current = Item(owner: NodeID(0), incarnation: Incarnation(0), number: 0, connection: 0, database: 0)
    }

    // MARK: applying

    /// Begins an entry that carries commands.
    ///
    /// - Parameters:
    ///   - payload: the entry's; must stay valid until `end`. Entries are checksummed: a payload that can't be decoded stops
    ///     the process.
    package func begin(payload: ByteView, index: LogIndex, term: Term) {
        check(open == nil, "one entry is applied at a time")
        check(index == appliedIndex.next, "entries are applied in order, without gaps")
        check(term >= appliedTerm, "terms do not go back")
        guard let header = CommandBatch.header(payload) else {
            check(false, "a committed payload has a header of a known version")
            return
        }
        time = max(time, header.time)
        execution.now = time
        execution.observedTime = time
        execution.isRead = false
        execution.random = RandomGenerator(seed: header.seed)
        var reader = ByteReader(payload)
        reader.offset = CommandBatch.payloadHeaderBytes
        open = OpenEntry(index: index, term: term, reader: reader)
    }

    /// Moves on to the next item that must be executed, which is then `current` with `arguments` and `resolution`. False at
    /// the entry's end.
    package func nextItem() -> Bool {
        guard var entry = open else {
            check(false, "items are read between begin and end")
            return false
        }
        check(!entry.itemIsOpen, "every item is executed")
        if let segment = entry.segment, entry.segmentItems % KeyWarmer.window == 0, segment.count - entry.segmentItems > 1 {
            warm(entry)
        }
        pieces.executed()
        while let found = StateMachine.advance(&entry, arguments, &sessions, &pieces, &execution.statistics) {
            current = found
            sessions.applied(found.owner, upTo: found.number)
            resolution = table.resolve(arguments)
            if case .command(let command) = resolution {
                commandIndex = command.index
                resolved = Unmanaged.passUnretained(command)
            } else {
                commandIndex = nil
                resolved = nil
            }
            entry.itemIsOpen = true
            open = entry
            return true
        }
        open = entry
        return false
    }

    /// Looks ahead at the keys of the next items.
    private func warm(_ entry: OpenEntry) {
        var reader = entry.reader
        for _ in 0..<KeyWarmer.window {
            guard let (database, key) = CommandBatch.skipItem(&reader, end: entry.segmentEnd) else { break }
            warmer.note(key, in: execution.keyspaces[database])
        }
        warmer.warm()
    }

    /// The next item that is neither repeated nor early nor of a run that is over; nil at the end.
    private static func advance(
        _ entry: inout OpenEntry, _ arguments: Arguments, _ sessions: inout SessionTable, _ pieces: inout PieceTable,
        _ statistics: inout DatabaseStatistics
    ) -> Item? {
        while true {
            guard let segment = entry.segment, entry.segmentItems < segment.count else {
                if !beginSegment(&entry, &sessions, &pieces, &statistics) { return nil }
                continue
            }
            if entry.segmentIsOver {
                entry.reader.offset = entry.segmentEnd
                entry.segmentItems = segment.count
                continue
            }
            arguments.removeAll(over: entry.reader.view)
            guard var item = CommandBatch.item(&entry.reader, end: entry.segmentEnd, arguments: arguments) else {
                check(false, "a committed item can be decoded")
                return nil
            }
            let number = segment.first + UInt64(entry.segmentItems)
            entry.segmentItems += 1
            guard let session = sessions[segment.owner], session.incarnation == segment.incarnation,
                number == session.lastApplied + 1
            else {
                statistics.itemsSkipped += 1
                continue
            }
            if item.kind != .command {
                sessions.applied(segment.owner, upTo: number)
                guard let whole = pieces.take(item.kind, of: segment.owner, arguments) else { continue }
                item = whole
            }
            statistics.itemsExecuted += 1
            return Item(
                owner: segment.owner, incarnation: segment.incarnation, number: number, connection: item.connection,
                database: item.database)
        }
    }

    /// Reads the next segment's header; false at the end of the payload.
    private static func beginSegment(
        _ entry: inout OpenEntry, _ sessions: inout SessionTable, _ pieces: inout PieceTable,
        _ statistics: inout DatabaseStatistics
    ) -> Bool {
        if entry.segment != nil { check(entry.reader.offset == entry.segmentEnd, "a segment's items fill its bytes") }
        if entry.reader.remaining == 0 { return false }
        guard let segment = CommandBatch.segmentHeader(&entry.reader) else {
            check(false, "a committed segment can be decoded")
            return false
        }
        entry.segment = segment
        entry.segmentItems = 0
        entry.segmentEnd = entry.reader.offset + segment.byteCount
        entry.segmentIsOver = false
        if let session = sessions[segment.owner] {
            if segment.incarnation < session.incarnation {
                entry.segmentIsOver = true
                statistics.itemsSkipped += UInt64(segment.count)
            } else if session.incarnation < segment.incarnation {
                sessions.begin(segment.owner, segment.incarnation)
                pieces.drop(segment.owner)
            }
        } else {
            sessions.begin(segment.owner, segment.incarnation)
        }
        return true
    }

    /// Carries out the current item.
    ///
    /// - Parameter reply: where the reply goes; one that discards on nodes that don't have the connection.
    package func execute(reply: ReplyWriter) {
        check(open?.itemIsOpen == true, "an item is executed once")
        open?.itemIsOpen = false
        guard let resolved, resolved._withUnsafeGuaranteedRef({ $0.body != nil }) else {
            // Nodes propose only what they resolved; another version's command is an error and no crash.
            if !table.replyError(resolution, arguments, reply) { reply.error("ERR this command is not carried out in the log") }
            return
        }
        run(resolved, arguments: arguments, database: current.database, reply: reply)
    }

    /// Ends the entry: removes what has expired, and counts the entry as applied.
    package func end() {
        guard let entry = open else {
            check(false, "an entry ends that has begun")
            return
        }
        check(!entry.itemIsOpen && entry.reader.remaining == 0, "an entry ends when all its items are done")
        removeExpired()
        execution.endCommand()
        var budget = StateMachine.freedPerEntry
        execution.graveyard.free(budget: &budget)
        appliedIndex = entry.index
        appliedTerm = entry.term
        open = nil
    }

    /// Applies an entry without commands: a new leader's empty one, or a change of configuration.
    package func applyEmpty(index: LogIndex, term: Term) {
        check(open == nil && index == appliedIndex.next, "entries are applied in order, without gaps")
        check(term >= appliedTerm, "terms do not go back")
        appliedIndex = index
        appliedTerm = term
    }

    /// How far a node's proposals are applied: its current run, and the number of the last item.
    package func lastApplied(of node: NodeID) -> (incarnation: Incarnation, number: UInt64)? {
        sessions[node].map { ($0.incarnation, $0.lastApplied) }
    }

    // MARK: reading

    /// Carries out a command whose scope is `.read` with its arguments, at the state as it is. Changes nothing that is replicated.
    ///
    /// - Parameters:
    ///   - arguments: fit the command (`CommandTable.resolve` said so).
    ///   - readTime: this node's time, for remaining lifetimes alone: whether a key is there, the log decides.
    ///   - random: a seed for commands that choose at random.
    package func read(
        _ command: Command, arguments: Arguments, database: Int, readTime: WallTime, random: UInt64, reply: ReplyWriter
    ) {
        check(open == nil, "nobody reads in the middle of an entry")
        check(command.scope(of: arguments) == .read && command.body != nil, "only commands of scope read are read")
        execution.now = time
        execution.observedTime = max(time, readTime)
        execution.random = RandomGenerator(seed: random)
        execution.isRead = true
        run(Unmanaged.passUnretained(command), arguments: arguments, database: database, reply: reply)
    }

    /// Runs the body of a command that has one.
    @inline(__always)
    private func run(_ command: Unmanaged<Command>, arguments: Arguments, database: Int, reply: ReplyWriter) {
        check(database >= 0 && database < execution.keyspaces.count, "a database has a number from 0 to 15")
        // Not counted, so what stands there from the command before may be gone: it is written over and never looked at.
        execution.arguments = arguments.views
        execution.reply = reply
        execution.select(database)
        command._withUnsafeGuaranteedRef { command in
            execution.command = command
            command.body?(execution)
        }
        execution.endCommand()
    }
}
