import Base
import Database
import RESP

/// The commands that a node answers itself, by their full names in the command table.
enum LocalCommand: String, CaseIterable {
    case ping, echo, select, auth, hello, reset, quit, info, role, wait, waitaof, command, monitor, shutdown
    case commandCount = "command|count"
    case commandInfo = "command|info"
    case commandDocs = "command|docs"
    case commandList = "command|list"
    case commandGetKeys = "command|getkeys"
    case commandGetKeysAndFlags = "command|getkeysandflags"
    case commandHelp = "command|help"
    case clientID = "client|id"
    case clientGetName = "client|getname"
    case clientSetName = "client|setname"
    case clientSetInfo = "client|setinfo"
    case clientInfo = "client|info"
    case clientList = "client|list"
    case clientKill = "client|kill"
    case clientReply = "client|reply"
    case clientNoEvict = "client|no-evict"
    case clientNoTouch = "client|no-touch"
    case clientPause = "client|pause"
    case clientUnpause = "client|unpause"
    case clientUnblock = "client|unblock"
    case clientGetRedirection = "client|getredir"
    case clientTrackingInfo = "client|trackinginfo"
    case clientHelp = "client|help"
    case configGet = "config|get"
    case configSet = "config|set"
    case configResetStat = "config|resetstat"
    case configHelp = "config|help"
    case configRewrite = "config|rewrite"
    case debugSleep = "debug|sleep"
    case debugReload = "debug|reload"
    case debugHelp = "debug|help"
    case slowLogGet = "slowlog|get"
    case slowLogLength = "slowlog|len"
    case slowLogReset = "slowlog|reset"
    case slowLogHelp = "slowlog|help"
    case latencyDoctor = "latency|doctor"
    case latencyGraph = "latency|graph"
    case latencyHelp = "latency|help"
    case latencyHistogram = "latency|histogram"
    case latencyHistory = "latency|history"
    case latencyLatest = "latency|latest"
    case latencyReset = "latency|reset"
    case memoryDoctor = "memory|doctor"
    case memoryHelp = "memory|help"
    case memoryAllocator = "memory|malloc-stats"
    case memoryPurge = "memory|purge"
    case memoryStats = "memory|stats"
    case lolwut
    case save, bgsave, lastsave, bgrewriteaof
    case failover, psync, replconf, replicaof, slaveof, sync
    case asking, cluster, migrate, readonly, readwrite
    case moduleList = "module|list"
    case moduleLoad = "module|load"
    case moduleLoadWithParameters = "module|loadex"
    case moduleUnload = "module|unload"
    case moduleHelp = "module|help"
    case kvStatus = "kv.status"
    case kvTransferLeader = "kv.transfer-leader"
    case snapshotTake = "kv.snapshot|take"
    case snapshotStatus = "kv.snapshot|status"
    case snapshotList = "kv.snapshot|list"
    case snapshotAbort = "kv.snapshot|abort"
    case snapshotFetch = "kv.snapshot|fetch"
    case snapshotRemove = "kv.snapshot|remove"
    case snapshotHelp = "kv.snapshot|help"

    /// For each `Command.index` of `table`: which local command it is.
    static func map(_ table: CommandTable) -> [LocalCommand?] {
        var map = [LocalCommand?](repeating: nil, count: table.indexCount)
        for command in table.commands {
            for one in [command] + command.subcommands where one.scope == .local {
                map[one.index] = LocalCommand(rawValue: one.fullName)
            }
        }
        return map
    }
}

extension Node {
    /// Answers a local command.
    func runLocal(_ command: Command, _ connection: ClientConnection) {
        guard let local = localCommands[command.index] else {
            check(command.isContainer, "the table has no local command that the node does not answer")
            // A container without its subcommand.
            return replyError(connection, "ERR wrong number of arguments for '\(command.fullName)' command")
        }
        switch local {
        case .ping: ping(connection)
        case .echo: connection.writer.bulk(arguments[1])
        case .select: select(connection)
        case .auth: authenticate(connection)
        case .hello: hello(connection)
        case .reset: reset(connection)
        case .quit: quit(connection)
        case .info: info(connection)
        case .role: role(connection)
        case .wait: wait(connection)
        case .waitaof: waitForDisks(connection)
        case .clientID, .clientGetName, .clientSetName, .clientSetInfo, .clientInfo, .clientList, .clientKill, .clientReply,
            .clientNoEvict, .clientNoTouch, .clientPause, .clientUnpause, .clientUnblock, .clientGetRedirection,
            .clientTrackingInfo, .clientHelp:
            runClientCommand(local, connection)
        case .command, .commandCount, .commandInfo, .commandDocs, .commandList, .commandGetKeys, .commandGetKeysAndFlags,
            .commandHelp:
            let isAnswered = CommandIntrospection.reply(command, arguments, table: table, connection.writer)
            check(isAnswered, "the table answers for COMMAND")
        case .configGet: configGet(connection)
        case .configSet: configSet(connection)
        case .configResetStat: configResetStat(connection)
        case .configHelp: CommandHelp.reply("CONFIG", Node.configHelp, connection.writer)
        case .configRewrite: replyError(connection, "ERR The server is running without a config file")
        case .debugSleep: debugSleep(connection)
        case .debugReload: debugReload(connection)
        case .debugHelp: CommandHelp.reply("DEBUG", Node.debugHelp, connection.writer)
        case .slowLogGet, .slowLogLength, .slowLogReset, .slowLogHelp, .latencyDoctor, .latencyGraph, .latencyHelp,
            .latencyHistogram, .latencyHistory, .latencyLatest, .latencyReset:
            runDiagnosis(local, connection)
        case .memoryDoctor: memoryDoctor(connection)
        case .memoryHelp: CommandHelp.reply("MEMORY", Node.memoryHelp, connection.writer)
        case .memoryAllocator: reply("Stats not supported for the current allocator", to: connection)
        case .memoryPurge: memoryPurge(connection)
        case .memoryStats: memoryStats(connection)
        case .lolwut: lolwut(connection)
        case .monitor: monitor(connection)
        case .shutdown: shutDown(connection)
        case .save: save(connection)
        case .bgsave: backgroundSave(connection)
        case .lastsave: lastSave(connection)
        case .bgrewriteaof: rewriteLog(connection)
        case .failover, .psync, .replconf, .replicaof, .slaveof, .sync: refuseReplication(connection, command)
        case .asking, .cluster, .readonly, .readwrite: replyError(connection, "ERR This instance has cluster support disabled")
        case .migrate, .moduleLoad, .moduleLoadWithParameters, .moduleUnload: refuse(local, connection)
        case .moduleList: connection.writer.array(0)
        case .moduleHelp:
            CommandHelp.reply("MODULE", ["LIST", "    Return a list of loaded modules: there are none."], connection.writer)
        case .kvStatus: kvStatus(connection)
        case .kvTransferLeader: kvTransferLeader(connection)
        case .snapshotTake: snapshotTake(connection)
        case .snapshotStatus: snapshotStatus(connection)
        case .snapshotList: snapshotList(connection)
        case .snapshotAbort: snapshotAbort(connection)
        case .snapshotFetch: snapshotFetch(connection)
        case .snapshotRemove: snapshotRemove(connection)
        case .snapshotHelp: CommandHelp.reply("KV.SNAPSHOT", Node.snapshotHelp, connection.writer)
        }
    }

    private func runDiagnosis(_ local: LocalCommand, _ connection: ClientConnection) {
        switch local {
        case .slowLogGet: slowLogGet(connection)
        case .slowLogLength: connection.writer.integer(slowLog.items.count)
        case .slowLogReset:
            slowLog.reset()
            connection.writer.ok()
        case .slowLogHelp: CommandHelp.reply("SLOWLOG", Node.slowLogHelp, connection.writer)
        case .latencyDoctor: latencyDoctor(connection)
        case .latencyGraph: latencyGraph(connection)
        case .latencyHistogram: latencyHistogram(connection)
        case .latencyHistory: latencyHistory(connection)
        case .latencyLatest: latencyLatest(connection)
        case .latencyReset: latencyReset(connection)
        default: CommandHelp.reply("LATENCY", Node.latencyHelp, connection.writer)
        }
    }

    private func runClientCommand(_ local: LocalCommand, _ connection: ClientConnection) {
        switch local {
        case .clientID: connection.writer.integer(Int64(connection.id.rawValue))
        case .clientGetName: clientGetName(connection)
        case .clientSetName: clientSetName(connection)
        case .clientSetInfo: clientSetInfo(connection)
        case .clientInfo: clientInfo(connection)
        case .clientList: clientList(connection)
        case .clientKill: clientKill(connection)
        case .clientReply: clientReply(connection)
        case .clientNoEvict: clientSwitch(connection, \.isNoEvict)
        case .clientNoTouch: clientSwitch(connection, \.isNoTouch)
        case .clientPause: clientPause(connection)
        case .clientUnpause: clientUnpause(connection)
        case .clientUnblock: clientUnblock(connection)
        case .clientGetRedirection: connection.writer.integer(-1)
        case .clientTrackingInfo: clientTrackingInfo(connection)
        default: CommandHelp.reply("CLIENT", Node.clientHelp, connection.writer)
        }
    }

    private static let clientHelp = [
        "GETREDIR", "    Return the client ID we are redirecting to when tracking is enabled.",
        "GETNAME", "    Return the name of the current connection.",
        "ID", "    Return the ID of the current connection.",
        "INFO", "    Return information about the current client connection.",
        "KILL <ip:port>", "    Kill the connection made from <ip:port>.",
        "KILL <option> <value> [<option> <value> [...]]",
        "    Kill connections. Options are: ADDR, LADDR, TYPE, USER, SKIPME, ID.",
        "LIST [TYPE type | ID id [id ...]]", "    Return information about the connections of this node.",
        "PAUSE <timeout> [WRITE|ALL]", "    Suspend the clients of this node for <timeout> milliseconds.",
        "REPLY (ON|OFF|SKIP)", "    Control the replies sent to the current connection.",
        "SETNAME <name>", "    Assign the name <name> to the current connection.",
        "SETINFO <option> <value>", "    Set client meta attributes: LIB-NAME, LIB-VER.",
        "TRACKINGINFO", "    Report tracking status for the current connection.",
        "UNBLOCK <clientid> [TIMEOUT|ERROR]", "    Unblock the specified blocked client.",
        "UNPAUSE", "    Stop the current client pause, resuming traffic.",
        "NO-EVICT (ON|OFF)", "    Protect the current connection from eviction.",
        "NO-TOUCH (ON|OFF)", "    Do not change the access times of keys for the current connection.",
    ]

    private static let debugHelp = [
        "DIGEST", "    A digest of all keys and values.",
        "DIGEST-VALUE <key> [<key> ...]", "    Digests of the values of keys.",
        "OBJECT <key>", "    How a value is kept.",
        "RELOAD", "    Read this node's log back from disk, apply it anew and compare the states.",
        "SET-ACTIVE-EXPIRE <0|1>", "    Turn the removal of expired keys off and on, in the whole cluster.",
        "SLEEP <seconds>", "    Delay this connection (the node goes on).",
    ]

    private static let configHelp = [
        "GET <pattern>", "    Return parameters matching the glob-like <pattern> and their values.",
        "SET <directive> <value>", "    Set the configuration <directive> to <value>.",
        "RESETSTAT", "    Reset statistics reported by the INFO command.",
        "REWRITE", "    Rewrite the configuration file; nodes have none.",
    ]
}
