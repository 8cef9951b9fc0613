import Base
import Database
import RESP

/// MEMORY, CLIENT PAUSE and the like, LOLWUT, and the commands of Redis's replication, which are refused.
extension Node {
    // MARK: CLIENT

    /// CLIENT PAUSE milliseconds [WRITE | ALL]: holds the commands of this node's clients. Of two pauses the stricter and the
    /// longer hold.
    func clientPause(_ connection: ClientConnection) {
        var holdsReads = true
        if arguments.count > 4 { return replyError(connection, "ERR syntax error") }
        if arguments.count == 4 {
            if arguments[3].equalsIgnoringCase("write") {
                holdsReads = false
            } else if !arguments[3].equalsIgnoringCase("all") {
                return replyError(connection, "ERR CLIENT PAUSE mode must be WRITE or ALL")
            }
        }
        guard let milliseconds = parseInteger(arguments[2]) else {
            return replyError(connection, "ERR timeout is not an integer or out of range")
        }
        if milliseconds < 0 { return replyError(connection, "ERR timeout is negative") }
        if milliseconds > Int64.max / 1_000_000 { return replyError(connection, "ERR timeout is out of range") }
        let until = now.instant + .milliseconds(UInt64(milliseconds))
        if let before = pause, now.instant < before.until {
            pause = (max(before.until, until), before.holdsReads || holdsReads)
        } else {
            pause = (until, holdsReads)
        }
        connection.writer.ok()
    }

    func clientUnpause(_ connection: ClientConnection) {
        if pause != nil { pause?.until = now.instant }
        isTurnWanted = true
        connection.writer.ok()
    }

    func clientTrackingInfo(_ connection: ClientConnection) {
        let writer = connection.writer
        writer.map(3)
        writer.bulk("flags")
        writer.set(1)
        writer.bulk("off")
        writer.bulk("redirect")
        writer.integer(-1)
        writer.bulk("prefixes")
        writer.array(0)
    }

    /// CLIENT UNBLOCK: no client is ever blocked while there are no blocking commands.
    func clientUnblock(_ connection: ClientConnection) {
        guard parseInteger(arguments[2]) != nil else {
            return replyError(connection, "ERR value is not an integer or out of range")
        }
        if arguments.count > 4 { return replyError(connection, "ERR wrong number of arguments for 'client|unblock' command") }
        if arguments.count == 4 && !arguments[3].equalsIgnoringCase("timeout") && !arguments[3].equalsIgnoringCase("error") {
            return replyError(connection, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
        }
        connection.writer.integer(0)
    }

    // MARK: MEMORY

    func memoryStats(_ connection: ClientConnection) {
        let machine = group.machine
        let used = machine.usedMemory
        let keys = (0..<16).reduce(0) { $0 + machine.keyCount($1) }
        let buffers = clients.values.reduce(0) { $0 + $1.input.capacity + $1.output.capacity }
        let peers = links.values.reduce(0) { $0 + $1.output.capacity }
        let resident = driverStatistics.residentBytes
        let fields: [(String, Int)] = [
            ("total.allocated", used), ("startup.allocated", 0), ("replication.backlog", 0), ("clients.slaves", peers),
            ("clients.normal", buffers), ("cluster.links", peers), ("aof.buffer", group.proposals.bytes), ("lua.caches", 0),
            ("functions.caches", 0), ("overhead.total", buffers + peers), ("keys.count", keys),
            ("keys.bytes-per-key", keys == 0 ? 0 : used / keys), ("dataset.bytes", used), ("allocator.resident", resident),
        ]
        let writer = connection.writer
        writer.map(fields.count + 1)
        for (name, value) in fields {
            writer.bulk(text: name)
            writer.integer(value)
        }
        writer.bulk("fragmentation")
        writer.double(used == 0 ? 0 : Double(resident) / Double(used))
    }

    func memoryDoctor(_ connection: ClientConnection) {
        let used = group.machine.usedMemory
        let resident = driverStatistics.residentBytes
        if used < 5 << 20 {
            return reply("This node uses little memory: there is nothing to say about it yet.\n", to: connection)
        }
        var text = ""
        if resident > used * 2 + (512 << 20) {
            text +=
                "The process occupies \(resident >> 20) MiB for \(used >> 20) MiB of data: memory that was freed and not given back yet, "
                + "or the cache of the log for nodes that lag (KV.STATUS).\n"
        }
        if let worst = clients.values.max(by: { $0.output.count < $1.output.count }), worst.output.count > 32 << 20 {
            text +=
                "Client \(worst.address) has \(worst.output.count >> 20) MiB of replies waiting for it: it reads too slowly.\n"
        }
        reply(text.isEmpty ? "Nothing is wrong with this node's memory.\n" : text, to: connection)
    }

    /// Entries that one MEMORY PURGE frees at most, so that the node's heartbeats are not late.
    private static let purgedMax = 200_000

    /// Frees what was dropped, which otherwise is freed in steps.
    func memoryPurge(_ connection: ClientConnection) {
        group.machine.freeDropped(budget: Node.purgedMax)
        connection.writer.ok()
    }

    static let memoryHelp = [
        "DOCTOR", "    Return memory problems reports.",
        "MALLOC-STATS", "    Return internal statistics report from the memory allocator.",
        "PURGE", "    Free memory of dropped data at once.",
        "STATS", "    Return information about the memory usage of the server.",
        "USAGE <key> [SAMPLES <count>]", "    Return memory in bytes used by <key> and its value.",
    ]

    // MARK: others

    /// What Redis's own replication is asked for: there is nothing here that would answer to it.
    func refuseReplication(_ connection: ClientConnection, _ command: Command) {
        let advice =
            command.fullName == "failover"
            ? "KV.TRANSFER-LEADER (or 'kvctl transfer-leader') hands leadership on"
            : "the nodes of a cluster are named when it is started"
        replyError(connection, "ERR \(command.fullName.uppercased()) is not supported: nodes replicate by Raft; \(advice)")
    }

    /// What needs something that a node does not have: other servers that it speaks to, or code loaded at run time.
    func refuse(_ local: LocalCommand, _ connection: ClientConnection) {
        if local == .migrate {
            return replyError(
                connection,
                "ERR MIGRATE is not supported: a node speaks only to the nodes of its cluster; DUMP and RESTORE move a value, 'kvctl export' and 'kvctl import' all of them"
            )
        }
        replyError(connection, "ERR MODULE is not supported: a node loads no code; every node has to apply the same commands")
    }

    /// SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]: ends this node as SIGTERM does. What was acknowledged is in the log of a
    /// majority, so there is nothing to save or to lose, whatever the options. No reply comes but for an error.
    func shutDown(_ connection: ClientConnection) {
        var seen: [String] = []
        for index in 1..<arguments.count {
            let word = arguments[index].text.lowercased()
            guard ["nosave", "save", "now", "force", "abort"].contains(word) else {
                return replyError(connection, "ERR syntax error")
            }
            if !seen.contains(word) { seen.append(word) }
        }
        if seen.contains("nosave") && seen.contains("save") || seen.contains("abort") && seen.count > 1 {
            return replyError(connection, "ERR syntax error")
        }
        // A node that is stopping takes no commands any more, so this one came before.
        if seen.contains("abort") { return replyError(connection, "ERR No shutdown in progress.") }
        log(.notice, "client \(connection.address) asked for the end of this node (SHUTDOWN)")
        shutdownRequested()
    }

    /// LOLWUT [VERSION n ...]: Redis has a piece of computer art here. Ours is a boat.
    func lolwut(_ connection: ClientConnection) {
        for index in 1..<arguments.count {
            let isWord = index == 1 && arguments[index].equalsIgnoringCase("version")
            if !isWord && parseInteger(arguments[index]) == nil {
                return replyError(connection, "ERR value is not an integer or out of range")
            }
        }
        let crew = "node \(id) of \(options.members.count), " + (group.raft.role == .leader ? "at the helm" : "rowing along")
        let boat = [
            "            |\\", "            | \\", "            |  \\", "            |   \\", "            |____\\",
            "            |",
            "    ________|________", "    \\  o   o   o   o  /", "~~~~~\\_______________/~~~~~", "   ~~    ~~~    ~~   ~~~",
        ]
        reply(boat.joined(separator: "\n") + "\n\nA coracle floats (\(crew)). Redis ver. \(Version.redis)\n", to: connection)
    }
}
