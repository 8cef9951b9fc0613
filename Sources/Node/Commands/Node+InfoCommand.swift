import Base
import Consensus
import Database
import RESP

/// INFO. Every figure is this node's own and true; what does not exist here is not shown, except fields that clients parse and
/// whose true value is a constant.
extension Node {
    private static let sections = [
        "server", "clients", "memory", "persistence", "stats", "replication", "cpu", "modules", "errorstats", "cluster",
        "keyspace", "coracle",
    ]
    /// Only when asked for by name, or by `all` and `everything`.
    private static let extraSections = ["commandstats", "latencystats"]

    func info(_ connection: ClientConnection) {
        var wanted: [String] = []
        for index in 1..<arguments.count {
            let name = arguments[index].text.lowercased()
            switch name {
            case "default": wanted += Node.sections
            case "all", "everything": wanted += Node.sections + Node.extraSections
            default: wanted.append(name)
            }
        }
        if arguments.count == 1 { wanted = Node.sections }
        countAnswered()
        var text = ""
        for section in Node.sections + Node.extraSections where wanted.contains(section) {
            if !text.isEmpty { text += "\r\n" }
            text += "# \(section == "cpu" ? "CPU" : section.prefix(1).uppercased() + section.dropFirst())\r\n"
            for (name, value) in fields(of: section) { text += "\(name):\(value)\r\n" }
        }
        text.withUTF8 { connection.writer.verbatim(ByteView(UnsafeRawBufferPointer($0))) }
    }

    private func fields(of section: String) -> [(String, String)] {
        switch section {
        case "server": serverFields
        case "clients": clientFields
        case "memory": memoryFields
        case "persistence": persistenceFields
        case "stats": statsFields
        case "replication": replicationFields
        case "cpu": cpuFields
        case "errorstats": statistics.errors.map { ("errorstat_\($0.code)", "count=\($0.count)") }
        case "commandstats": commandFields
        case "latencystats": latencyFields
        case "cluster": [("cluster_enabled", "0")]
        case "keyspace": keyspaceFields
        case "coracle": coracleFields
        default: []
        }
    }

    private var uptimeSeconds: UInt64 { (now.instant - startedAt).rawValue / 1_000_000_000 }

    private var serverFields: [(String, String)] {
        [
            ("redis_version", Version.redis), ("coracle_version", Version.coracle), ("redis_git_sha1", "00000000"),
            ("redis_git_dirty", "0"), ("redis_build_id", "0"), ("redis_mode", "standalone"),
            ("os", options.server.operatingSystem), ("arch_bits", options.server.architecture),
            ("monotonic_clock", "POSIX monotonic"), ("multiplexing_api", "epoll"),
            ("process_id", "\(options.server.processID)"),
            ("run_id", runID), ("tcp_port", "\(options.server.clientPort)"), ("server_time_usec", "\(now.wall.microseconds)"),
            ("uptime_in_seconds", "\(uptimeSeconds)"), ("uptime_in_days", "\(uptimeSeconds / 86_400)"), ("hz", "10"),
            ("configured_hz", "10"), ("executable", options.server.executable), ("config_file", ""),
        ]
    }

    /// 40 hexadecimal digits that name this run, as Redis's run id does.
    private var runID: String {
        let tail = String(incarnation.rawValue & 0xFFFF_FFFF, radix: 16)
        return "\(options.clusterID)".prefix(28) + String(repeating: "0", count: 4 - min(4, "\(id)".count)) + "\(id)".prefix(4)
            + String(repeating: "0", count: 8 - tail.count) + tail
    }

    private var clientFields: [(String, String)] {
        [
            ("connected_clients", "\(clients.count)"), ("cluster_connections", "\(links.count)"),
            ("maxclients", "\(configuration.clientsMax)"),
            ("client_recent_max_input_buffer", "\(clients.values.reduce(0) { max($0, $1.input.count) })"),
            ("client_recent_max_output_buffer", "\(clients.values.reduce(0) { max($0, $1.output.count) })"),
            ("blocked_clients", "\(paused.count { clients[$0.rawValue] != nil })"), ("tracking_clients", "0"),
            ("clients_in_timeout_table", "\(sleeping.count)"),
        ]
    }

    private var activitySums: ActivityMonitor.Sums {
        ActivityMonitor.Sums(
            commands: statistics.commandsTaken, bytesIn: statistics.bytesIn, bytesOut: driverStatistics.bytesWritten)
    }

    /// Notes what INFO's rates and the peak of memory are made from.
    func noteActivity() { activity.note(activitySums, memory: group.machine.usedMemory, at: now.instant) }

    private var memoryFields: [(String, String)] {
        noteActivity()
        let used = group.machine.usedMemory
        let (peak, resident) = (activity.memoryPeak, driverStatistics.residentBytes)
        return [
            ("used_memory", "\(used)"), ("used_memory_human", Node.human(used)),
            ("used_memory_rss", "\(driverStatistics.residentBytes)"),
            ("used_memory_rss_human", Node.human(driverStatistics.residentBytes)),
            ("used_memory_peak", "\(peak)"), ("used_memory_peak_human", Node.human(peak)),
            ("used_memory_peak_perc", Node.percentage(used, of: peak)),
            ("used_memory_dataset", "\(used)"), ("total_system_memory", "\(driverStatistics.systemMemoryBytes)"),
            ("total_system_memory_human", Node.human(driverStatistics.systemMemoryBytes)),
            ("used_memory_lua", "0"), ("used_memory_lua_human", "0B"), ("used_memory_scripts", "0"),
            ("used_memory_scripts_human", "0B"), ("number_of_cached_scripts", "0"), ("number_of_functions", "0"),
            ("number_of_libraries", "0"), ("maxmemory", "0"), ("maxmemory_human", "0B"), ("maxmemory_policy", "noeviction"),
            ("mem_fragmentation_ratio", Node.hundredths(UInt64(max(0, resident)) * 100 / UInt64(max(1, used)))),
            ("mem_fragmentation_bytes", "\(resident - used)"), ("mem_allocator", "libc"), ("active_defrag_running", "0"),
            ("lazyfree_pending_objects", "0"),
        ]
    }

    private static func percentage(_ part: Int, of whole: Int) -> String {
        hundredths(UInt64(max(0, part)) * 10_000 / UInt64(max(1, whole))) + "%"
    }

    private static func human(_ bytes: Int) -> String {
        let units = ["B", "K", "M", "G", "T"]
        var value = bytes * 100
        var unit = 0
        while value >= 102_400 && unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        if unit == 0 { return "\(bytes)B" }
        let fraction = value % 100
        return "\(value / 100).\(fraction < 10 ? "0" : "")\(fraction)\(units[unit])"
    }

    private var statsFields: [(String, String)] {
        noteActivity()
        let rates = activity.rates(activitySums, at: now.instant)
        return [
            ("total_connections_received", "\(statistics.connectionsReceived)"),
            ("total_commands_processed", "\(statistics.commandsTaken)"), ("instantaneous_ops_per_sec", "\(rates.commands)"),
            ("total_net_input_bytes", "\(statistics.bytesIn)"), ("total_net_output_bytes", "\(driverStatistics.bytesWritten)"),
            ("instantaneous_input_kbps", Node.hundredths(rates.bytesIn * 100 / 1024)),
            ("instantaneous_output_kbps", Node.hundredths(rates.bytesOut * 100 / 1024)),
            ("rejected_connections", "\(statistics.connectionsRejected)"),
            ("expired_keys", "\(group.machine.execution.statistics.expiredKeys)"),
            ("expired_subkeys", "\(group.machine.execution.statistics.expiredFields)"),
            ("evicted_keys", "0"), ("evicted_clients", "0"), ("total_eviction_exceeded_time", "0"),
            ("current_eviction_exceeded_time", "0"), ("keyspace_hits", "\(group.machine.execution.statistics.hits)"),
            ("keyspace_misses", "\(group.machine.execution.statistics.misses)"),
            ("pubsub_channels", "0"), ("pubsub_patterns", "0"), ("pubsubshard_channels", "0"),
            ("latest_fork_usec", "0"), ("total_forks", "0"),
            ("tracking_total_keys", "0"), ("tracking_total_items", "0"),
            ("client_output_buffer_limit_disconnections", "\(statistics.clientsClosedForOutput)"),
            ("total_error_replies", "\(statistics.errorReplies)"),
            ("total_reads_processed", "\(driverStatistics.reads)"), ("total_writes_processed", "\(driverStatistics.writes)"),
        ]
    }

    private var replicationFields: [(String, String)] {
        let raft = group.raft
        var fields: [(String, String)] = [("role", raft.role == .leader ? "master" : "slave")]
        if raft.role == .leader {
            let active = raft.peers.filter { $0.recentActive }
            fields.append(("connected_slaves", "\(active.count)"))
            for (index, peer) in active.enumerated() {
                let address = options.members.first { $0.id == peer.peer }?.address ?? ""
                let lag = raft.lastIndex.rawValue - min(raft.lastIndex.rawValue, peer.matchIndex.rawValue)
                fields.append(
                    ("slave\(index)", "node=\(peer.peer),address=\(address),state=online,offset=\(peer.matchIndex),lag=\(lag)"))
            }
        } else {
            fields.append(("master_link_status", raft.leader == nil ? "down" : "up"))
            fields.append(("master_node", "\(raft.leader?.rawValue ?? 0)"))
            fields.append(("connected_slaves", "0"))
        }
        // The history that is replicated has the cluster's name; there is none before it and no backlog beside the log.
        fields += [
            ("master_failover_state", "no-failover"),
            ("master_replid", "\(options.clusterID)" + String(repeating: "0", count: 8)),
            ("master_replid2", String(repeating: "0", count: 40)), ("master_repl_offset", "\(raft.commitIndex)"),
            ("second_repl_offset", "-1"), ("repl_backlog_active", "0"), ("repl_backlog_size", "0"),
            ("repl_backlog_first_byte_offset", "0"), ("repl_backlog_histlen", "0"),
        ]
        return fields
    }

    private var cpuFields: [(String, String)] {
        [
            ("used_cpu_sys", Node.seconds(driverStatistics.systemCPUMicroseconds)),
            ("used_cpu_user", Node.seconds(driverStatistics.userCPUMicroseconds)),
        ]
    }

    private static func seconds(_ microseconds: UInt64) -> String {
        let fraction = String(microseconds % 1_000_000)
        return "\(microseconds / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }

    private var commandFields: [(String, String)] {
        statistics.commandCounts.filter { $0.calls + $0.rejected > 0 }.map {
            let microseconds = ($0.times?.totalNanoseconds ?? 0) / 1000
            let each = Node.hundredths(microseconds * 100 / max($0.calls, 1))
            return (
                "cmdstat_\($0.name)",
                "calls=\($0.calls),usec=\(microseconds),usec_per_call=\(each),rejected_calls=\($0.rejected),failed_calls=\($0.failed)"
            )
        }
    }

    private var latencyFields: [(String, String)] {
        statistics.commandCounts.compactMap { command in
            guard let times = command.times else { return nil }
            let texts = [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)].map { name, fraction in
                let nanoseconds = times.percentile(fraction).rawValue
                let rest = String(nanoseconds % 1000)
                return "\(name)=\(nanoseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
            }
            return ("latency_percentiles_usec_\(command.name)", texts.joined(separator: ","))
        }
    }

    private static func hundredths(_ value: UInt64) -> String {
        "\(value / 100)." + (value % 100 < 10 ? "0" : "") + "\(value % 100)"
    }

    private var keyspaceFields: [(String, String)] {
        (0..<16).compactMap { database in
            let keys = group.machine.keyCount(database)
            if keys == 0 { return nil }
            return (
                "db\(database)",
                "keys=\(keys),expires=\(group.machine.expiringKeyCount(database)),avg_ttl=\(group.machine.averageTTL(database))"
            )
        }
    }

    private var driverFields: [(String, String)] {
        let driver = driverStatistics
        var fields: [(String, String)] = [
            ("disk_mode", driver.diskMode.rawValue), ("disk_direct", driver.isDiskDirect ? "1" : "0"),
            ("disk_writes", "\(driver.diskWrites)"), ("disk_bytes_written", "\(driver.diskBytesWritten)"),
            ("socket_reads", "\(driver.reads)"), ("socket_writes", "\(driver.writes)"), ("short_writes", "\(driver.shortWrites)"),
            ("waits", "\(driver.waits)"),
        ]
        let histograms: [(String, DurationHistogram)] = [
            ("disk_write", driver.diskWriteTime), ("turn", driver.turnTime), ("queue", statistics.queueTime),
            ("replication", statistics.replicationTime), ("reply_hold", statistics.holdTime),
        ]
        for (name, histogram) in histograms where histogram.count > 0 {
            for (label, fraction) in [("p50", 0.5), ("p99", 0.99)] {
                fields.append(("\(name)_\(label)_usec", "\(histogram.percentile(fraction).rawValue / 1000)"))
            }
            fields.append(("\(name)_max_usec", "\(histogram.maxNanoseconds / 1000)"))
        }
        return fields
    }

    private var coracleFields: [(String, String)] {
        let raft = group.raft
        return [
            ("node_id", "\(id)"), ("incarnation", "\(incarnation)"), ("cluster_id", "\(options.clusterID)"),
            ("raft_role", Node.text(raft.role)), ("raft_term", "\(raft.term)"), ("raft_leader", "\(raft.leader?.rawValue ?? 0)"),
            ("raft_commit_index", "\(raft.commitIndex)"), ("raft_applied_index", "\(group.machine.appliedIndex)"),
            ("raft_last_index", "\(raft.lastIndex)"), ("raft_durable_index", "\(raft.durableIndex)"),
            ("leaderships", "\(statistics.leaderships)"), ("log_bytes", "\(log.diskBytes)"), ("turns", "\(statistics.turns)"),
            ("entries_proposed", "\(statistics.entriesProposed)"), ("entry_bytes_proposed", "\(statistics.entryBytesProposed)"),
            ("entries_applied", "\(statistics.entriesApplied)"), ("commands_applied", "\(statistics.commandsApplied)"),
            ("reads", "\(statistics.reads)"), ("read_requests", "\(statistics.readRequests)"),
            ("proposals_forwarded", "\(statistics.proposalsForwarded)"), ("proposals_waiting_bytes", "\(group.proposals.bytes)"),
            ("peer_frames_in", "\(statistics.peerFramesIn)"), ("peer_frames_out", "\(statistics.peerFramesOut)"),
        ] + driverFields
    }
}
