import Base
import Database

/// Counters of one run, for INFO and KV.STATUS. Reset by CONFIG RESETSTAT where Redis resets its own.
struct NodeStatistics {
    var turns: UInt64 = 0
    var connectionsReceived: UInt64 = 0
    var connectionsRejected: UInt64 = 0
    var clientsClosedForOutput: UInt64 = 0
    /// Clients whose commands were executed while this node was behind, so that it can't answer them.
    var clientsClosedForUnknown: UInt64 = 0
    /// State files of other nodes that took the place of this node's state.
    var stateFilesInstalled: UInt64 = 0
    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 0
    /// Commands of this node's clients that were taken.
    var commandsTaken: UInt64 = 0
    /// Commands executed by the state machine here, whoever's they were.
    var commandsApplied: UInt64 = 0
    var reads: UInt64 = 0
    var readRequests: UInt64 = 0
    var entriesProposed: UInt64 = 0
    var entryBytesProposed: UInt64 = 0
    var entriesApplied: UInt64 = 0
    var proposalsForwarded: UInt64 = 0
    var peerFramesIn: UInt64 = 0
    var peerFramesOut: UInt64 = 0
    // A node has no clock: its times are those of the turns. What a turn itself takes (parsing, applying, writing) the
    // driver measures.
    /// From the first command of an entry being ready on the leader to its proposal.
    var queueTime = DurationHistogram()
    /// From the proposal of an entry to its commit, on the leader.
    var replicationTime = DurationHistogram()
    /// How long replies were held back at a stretch, for strict snapshots.
    var holdTime = DurationHistogram()
    var leaderships: UInt64 = 0
    /// Error replies by code ("ERR", "WRONGTYPE"), in order of first appearance. At most `errorCodesMax` kinds.
    var errors: [(code: String, count: UInt64)] = []
    var errorReplies: UInt64 = 0

    private static let errorCodesMax = 128

    /// Per command, by `Command.index`.
    var commandCounts: [CommandCount]

    struct CommandCount {
        let name: String
        var calls: UInt64 = 0
        /// Wrong number of arguments.
        var rejected: UInt64 = 0
        /// Answered with an error.
        var failed: UInt64 = 0
        /// From being taken to being answered; nil until the first.
        var times: DurationHistogram?
    }

    init(_ table: CommandTable) {
        var counts = [CommandCount](repeating: CommandCount(name: ""), count: table.indexCount)
        for command in table.commands {
            for one in [command] + command.subcommands { counts[one.index] = CommandCount(name: one.fullName) }
        }
        commandCounts = counts
    }

    /// What CONFIG RESETSTAT sets to zero.
    mutating func resetCounters() {
        connectionsReceived = 0
        connectionsRejected = 0
        clientsClosedForOutput = 0
        bytesIn = 0
        commandsTaken = 0
        errors = []
        errorReplies = 0
        for index in commandCounts.indices {
            commandCounts[index].calls = 0
            commandCounts[index].rejected = 0
            commandCounts[index].failed = 0
            commandCounts[index].times = nil
        }
    }

    /// Counts an error reply by the first word of its text.
    mutating func countError(_ text: String) {
        errorReplies += 1
        let code = String(text.prefix { $0 != " " })
        if let known = errors.firstIndex(where: { $0.code.utf8.elementsEqual(code.utf8) }) {
            errors[known].count += 1
        } else if errors.count < NodeStatistics.errorCodesMax {
            errors.append((code, 1))
        }
    }
}
