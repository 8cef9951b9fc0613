import Base
import RESP

/// A client's connection as its node sees it: what it has sent and not yet been answered, and how it wants its answers.
///
/// Replies leave in the order of the commands. The rule that keeps it (see `Node+Clients`): a command is taken from the
/// input only if its reply is certain to come after all earlier ones; otherwise the connection is *stalled* and its input
/// waits.
final class ClientConnection {
    let id: ConnectionID
    let address: String
    let localAddress: String
    let openedAt: Instant
    /// Replies on their way out. The driver consumes from it.
    let output = ByteBuffer(capacity: 512)
    /// Input that could not be parsed or taken yet.
    let input = ByteBuffer(capacity: 16)
    var parser: RequestParser
    var version = RESPVersion.two
    /// The selected database, 0 ... 15.
    var database = 0
    var name: [UInt8] = []
    var libraryName: [UInt8] = []
    var libraryVersion: [UInt8] = []
    /// Commands on their way through the log. Their replies are written when they are applied.
    var proposalsInFlight = 0
    /// Reads that wait for a read index.
    var readsInFlight = 0
    /// Whether the next command waits until earlier ones are answered (or until there is room).
    var isStalled = false
    /// Where this turn's reads begin in the gathering list, while they may still be turned into proposals.
    var gatheredReads = 0
    /// Replies of `CLIENT REPLY OFF`, or of the one command after `SKIP`, are not written.
    var repliesAreOff = false
    var skipsNextReply = false
    /// The reply of the command that its node answers now is the skipped one.
    var skipsReply = false
    /// The proposal whose reply is not written (after `CLIENT REPLY SKIP`); 0 for none.
    var skippedProposal: UInt64 = 0
    /// Set by `DEBUG SLEEP`: nothing more is taken from the input until then.
    var sleepsUntil: Instant?
    /// The command whose reply the node owes, to be counted when it is given: its index in the table, its words, when it was taken.
    var owed: (index: Int, words: [[UInt8]], taken: Instant)?
    /// `DEBUG RELOAD` is at work: nothing more is taken from the input until it has answered.
    var isSelfChecking = false
    /// `SAVE` is at work, likewise.
    var isSaving = false
    /// `KV.SNAPSHOT FETCH` waits for the disk, likewise.
    var isFetching = false
    var isNoEvict = false
    var isNoTouch = false
    /// It is shown what the other clients send (MONITOR).
    var isMonitor = false
    /// Closed as soon as the output has left; nothing more is read.
    var isClosing = false
    /// The driver was told to close it behind its output.
    var isLeaving = false
    /// Whether this turn's effects (or the held ones) already name the connection.
    var isListedForOutput = false
    var isReadingPaused = false
    /// Whether the last reply left more output behind than the limit allows.
    var isOverOutputLimit = false
    var lastCommandAt: Instant
    /// Full name of the last command, for CLIENT LIST.
    var lastCommandName = "NULL"
    var bytesIn: UInt64 = 0

    init(id: ConnectionID, address: String, localAddress: String, openedAt: Instant, parser: RequestParser) {
        self.id = id
        self.address = address
        self.localAddress = localAddress
        self.openedAt = openedAt
        self.parser = parser
        lastCommandAt = openedAt
    }

    /// Whether every command taken so far is answered.
    var isIdle: Bool { proposalsInFlight == 0 && readsInFlight == 0 && !owesLocalReply }

    /// Whether a command that its node answers by itself is still to be answered. Whatever follows it waits.
    var owesLocalReply: Bool { sleepsUntil != nil || isSelfChecking || isSaving || isFetching }

    /// Where the next reply goes.
    var writer: ReplyWriter { ReplyWriter(output, version: version, discards: repliesAreOff || skipsReply) }
}
