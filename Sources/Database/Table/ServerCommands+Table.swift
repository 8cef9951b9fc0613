// The data of the server commands. Bodies of those that work on data are in Commands/Server; the node answers the others.
enum ServerCommands {
    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "bgrewriteaof", arity: 1, [.admin, .noScript, .noAsyncLoading], group: .server, since: "1.0.0", complexity: "O(1)",
            summary: "Begins a state file of the answering node, which lets the older part of its log go."),
        CommandDefinition(
            "bgsave", arity: -1, [.admin, .noScript, .noAsyncLoading], group: .server, since: "1.0.0", complexity: "O(1)",
            summary: "Begins a state file of the answering node."),
        CommandDefinition(
            "command", arity: -1, [.loading, .stale], [.connection], group: .server, since: "2.8.13",
            complexity: "O(N) for N commands", summary: "Returns what is known of all commands.",
            tips: ["nondeterministic_output_order"],
            subcommands: [
                CommandDefinition(
                    "count", arity: 2, [.loading, .stale], [.connection], group: .server, since: "2.8.13", complexity: "O(1)",
                    summary: "Returns the number of commands."),
                CommandDefinition(
                    "docs", arity: -2, [.loading, .stale], [.connection], group: .server, since: "7.0.0",
                    complexity: "O(N) for N commands", summary: "Documents commands.", tips: ["nondeterministic_output_order"]),
                CommandDefinition(
                    "getkeys", arity: -4, [.loading, .stale], [.connection], group: .server, since: "2.8.13",
                    complexity: "O(N) for N arguments", summary: "Finds the keys in the arguments of a command."),
                CommandDefinition(
                    "getkeysandflags", arity: -4, [.loading, .stale], [.connection], group: .server, since: "7.0.0",
                    complexity: "O(N) for N arguments",
                    summary: "Finds the keys in the arguments of a command, and what is done to them."),
                CommandDefinition(
                    "help", arity: 2, [.loading, .stale], [.connection], group: .server, since: "5.0.0", complexity: "O(1)",
                    summary: "Lists the subcommands."),
                CommandDefinition(
                    "info", arity: -2, [.loading, .stale], [.connection], group: .server, since: "2.8.13",
                    complexity: "O(N) for N commands", summary: "Returns what is known of some commands.",
                    tips: ["nondeterministic_output_order"]),
                CommandDefinition(
                    "list", arity: -2, [.loading, .stale], [.connection], group: .server, since: "7.0.0",
                    complexity: "O(N) for N commands", summary: "Lists the names of commands.",
                    tips: ["nondeterministic_output_order"]),
            ]),
        CommandDefinition(
            "config", arity: -2, [], group: .server, since: "2.0.0", complexity: "Depends on the subcommand.",
            summary: "Commands about configuration.",
            subcommands: [
                CommandDefinition(
                    "get", arity: -3, [.admin, .noScript, .loading, .stale], group: .server, since: "2.0.0",
                    complexity: "O(N) for N parameters", summary: "Returns parameters whose names match patterns."),
                CommandDefinition(
                    "help", arity: 2, [.loading, .stale], group: .server, since: "5.0.0", complexity: "O(1)",
                    summary: "Lists the subcommands."),
                CommandDefinition(
                    "resetstat", arity: 2, [.admin, .noScript, .loading, .stale], group: .server, since: "2.0.0",
                    complexity: "O(1)", summary: "Sets counters of INFO back to zero."),
                CommandDefinition(
                    "rewrite", arity: 2, [.admin, .noScript, .loading, .stale], group: .server, since: "2.8.0",
                    complexity: "O(1)", summary: "Writes the parameters to the configuration file."),
                CommandDefinition(
                    "set", arity: -4, [.admin, .noScript, .loading, .stale], group: .server, since: "2.0.0",
                    complexity: "O(N) for N parameters", summary: "Sets parameters.",
                    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"]),
            ]),
        CommandDefinition(
            "dbsize", arity: 1, [.readonly, .fast], [.keyspace], group: .server, since: "1.0.0",
            complexity: "O(1), and O(N) for N keys that are due and not yet removed",
            summary: "Counts the keys of the database.", tips: ["request_policy:all_shards", "response_policy:agg_sum"],
            body: dbsize),
        CommandDefinition(
            "debug", arity: -2, [.admin, .noScript, .loading, .stale], group: .server, since: "1.0.0",
            complexity: "Depends on the subcommand.", summary: "Commands for tests and diagnosis.", hidesSubcommands: true,
            subcommands: [
                CommandDefinition(
                    "digest", arity: 2, [.admin, .noScript, .loading, .stale], group: .server, since: "1.0.0",
                    complexity: "O(N) for all data", summary: "Returns a digest of all keys and values.", scope: .read,
                    body: debugDigest),
                CommandDefinition(
                    "digest-value", arity: -2, [.admin, .noScript, .loading, .stale], group: .server, since: "1.0.0",
                    complexity: "O(N) for N keys", summary: "Returns digests of the values of keys.", scope: .read,
                    body: debugDigestValue),
                CommandDefinition(
                    "help", arity: 2, [.admin, .noScript, .loading, .stale], group: .server, since: "1.0.0", complexity: "O(1)",
                    summary: "Lists the subcommands."),
                CommandDefinition(
                    "object", arity: -3, [.admin, .noScript, .loading, .stale], group: .server, since: "1.0.0",
                    complexity: "O(1)", summary: "Returns how a value is kept.", scope: .read, body: debugObject),
                CommandDefinition(
                    "reload", arity: -2, [.admin, .noScript, .loading, .stale], group: .server, since: "1.0.0",
                    complexity: "O(N) for all data", summary: "Writes the state, reads it back and compares."),
                CommandDefinition(
                    "set-active-expire", arity: 3, [.admin, .noScript, .loading, .stale], group: .server, since: "3.0.0",
                    complexity: "O(1)", summary: "Turns the removal of expired keys at the end of log entries off and on.",
                    scope: .write, body: debugSetActiveExpire),
                CommandDefinition(
                    "sleep", arity: 3, [.admin, .noScript, .loading, .stale], group: .server, since: "1.0.0", complexity: "O(1)",
                    summary: "Stops the node for some seconds."),
            ]),
        CommandDefinition(
            "failover", arity: -1, [.admin, .noScript, .loading, .stale], group: .server, since: "6.2.0",
            complexity: "O(1)", summary: "Refused: KV.TRANSFER-LEADER hands leadership on."),
        CommandDefinition(
            "flushall", arity: -1, [.write], [.keyspace, .dangerous], group: .server, since: "1.0.0",
            complexity: "O(1): memory is freed in steps afterwards", summary: "Drops all keys of all databases.",
            tips: ["request_policy:all_shards", "response_policy:all_succeeded"], body: flushall),
        CommandDefinition(
            "flushdb", arity: -1, [.write], [.keyspace, .dangerous], group: .server, since: "1.0.0",
            complexity: "O(1): memory is freed in steps afterwards", summary: "Drops all keys of the database.",
            tips: ["request_policy:all_shards", "response_policy:all_succeeded"], body: flushdb),
        CommandDefinition(
            "info", arity: -1, [.loading, .stale], [.dangerous], group: .server, since: "1.0.0", complexity: "O(1)",
            summary: "Returns facts and figures about the server.",
            tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
        CommandDefinition(
            "lastsave", arity: 1, [.loading, .stale, .fast], [.admin, .dangerous], group: .server, since: "1.0.0",
            complexity: "O(1)", summary: "Returns when the answering node wrote its newest state file.",
            tips: ["nondeterministic_output"]),
        CommandDefinition(
            "latency", arity: -2, [], group: .server, since: "2.8.13",
            complexity: "Depends on the subcommand.", summary: "Commands about delays of the answering node.",
            subcommands: [
                CommandDefinition(
                    "doctor", arity: 2, [.admin, .noScript, .loading, .stale], group: .server, since: "2.8.13",
                    complexity: "O(1)", summary: "Explains the delays that were seen.",
                    tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]),
                CommandDefinition(
                    "graph", arity: 3, [.admin, .noScript, .loading, .stale], group: .server, since: "2.8.13",
                    complexity: "O(1)", summary: "Draws the delays of an event.",
                    tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]),
                CommandDefinition(
                    "help", arity: 2, [.loading, .stale], group: .server, since: "2.8.13",
                    complexity: "O(1)", summary: "Lists the subcommands."),
                CommandDefinition(
                    "histogram", arity: -2, [.admin, .noScript, .loading, .stale], group: .server, since: "7.0.0",
                    complexity: "O(N) for N commands", summary: "Returns how long commands took, as cumulative counts.",
                    tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]),
                CommandDefinition(
                    "history", arity: 3, [.admin, .noScript, .loading, .stale], group: .server, since: "2.8.13",
                    complexity: "O(1)", summary: "Returns the delays of an event.",
                    tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]),
                CommandDefinition(
                    "latest", arity: 2, [.admin, .noScript, .loading, .stale], group: .server, since: "2.8.13",
                    complexity: "O(1)", summary: "Returns the newest delay of each event.",
                    tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]),
                CommandDefinition(
                    "reset", arity: -2, [.admin, .noScript, .loading, .stale], group: .server, since: "2.8.13",
                    complexity: "O(1)", summary: "Forgets delays.",
                    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"]),
            ]),
        CommandDefinition(
            "lolwut", arity: -1, [.readonly, .fast], group: .server, since: "5.0.0",
            complexity: "O(1)", summary: "Shows a boat.", scope: .local),
        CommandDefinition(
            "memory", arity: -2, [], group: .server, since: "4.0.0",
            complexity: "Depends on the subcommand.", summary: "Commands about memory.",
            subcommands: [
                CommandDefinition(
                    "doctor", arity: 2, [], group: .server, since: "4.0.0",
                    complexity: "O(1)", summary: "Explains what is wrong with memory, if anything is.",
                    tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
                CommandDefinition(
                    "help", arity: 2, [.loading, .stale], group: .server, since: "4.0.0",
                    complexity: "O(1)", summary: "Lists the subcommands."),
                CommandDefinition(
                    "malloc-stats", arity: 2, [], group: .server, since: "4.0.0",
                    complexity: "O(1)", summary: "Returns what the allocator tells of itself.",
                    tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
                CommandDefinition(
                    "purge", arity: 2, [], group: .server, since: "4.0.0",
                    complexity: "O(N) for N dropped entries, at most 200,000",
                    summary: "Frees memory of dropped data at once; without it that is done in steps.",
                    tips: ["request_policy:all_shards", "response_policy:all_succeeded"]),
                CommandDefinition(
                    "stats", arity: 2, [], group: .server, since: "4.0.0",
                    complexity: "O(N) for N connections of the node", summary: "Returns what memory is used for.",
                    tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
                CommandDefinition(
                    "usage", arity: -3, [.readonly], keys: [.key(2, [.readOnly])], group: .server, since: "4.0.0",
                    complexity: "O(1)", summary: "Returns the memory that a key and its value take.", body: memoryUsage),
            ]),
        CommandDefinition(
            "module", arity: -2, [], group: .server, since: "4.0.0",
            complexity: "Depends on the subcommand.", summary: "Commands about modules, of which there are none.",
            subcommands: [
                CommandDefinition(
                    "help", arity: 2, [.loading, .stale], group: .server, since: "5.0.0",
                    complexity: "O(1)", summary: "Lists the subcommands."),
                CommandDefinition(
                    "list", arity: 2, [.admin, .noScript], group: .server, since: "4.0.0",
                    complexity: "O(1)", summary: "Returns the loaded modules: there are none.",
                    tips: ["nondeterministic_output_order"]),
                CommandDefinition(
                    "load", arity: -3, [.admin, .noScript, .noAsyncLoading], group: .server, since: "4.0.0",
                    complexity: "O(1)", summary: "Refused: a node loads no code."),
                CommandDefinition(
                    "loadex", arity: -3, [.admin, .noScript, .noAsyncLoading], group: .server, since: "7.0.0",
                    complexity: "O(1)", summary: "Refused: a node loads no code."),
                CommandDefinition(
                    "unload", arity: 3, [.admin, .noScript, .noAsyncLoading], group: .server, since: "4.0.0",
                    complexity: "O(1)", summary: "Refused: a node loads no code."),
            ]),
        CommandDefinition(
            "monitor", arity: 1, [.admin, .noScript, .loading, .stale], group: .server, since: "1.0.0", complexity: "O(1)",
            summary: "Shows every command that the answering node takes from its clients."),
        CommandDefinition(
            "psync", arity: -3, [.admin, .noScript, .loading, .stale], group: .server, since: "2.8.0",
            complexity: "O(1)", summary: "Refused: nodes replicate by Raft."),
        CommandDefinition(
            "replconf", arity: -1, [.admin, .noScript, .loading, .stale], group: .server, since: "3.0.0",
            complexity: "O(1)", summary: "Refused: nodes replicate by Raft."),
        CommandDefinition(
            "replicaof", arity: 3, [.admin, .noScript, .loading, .stale], group: .server, since: "5.0.0",
            complexity: "O(1)", summary: "Refused: nodes replicate by Raft."),
        CommandDefinition(
            "role", arity: 1, [.noScript, .loading, .stale, .fast], [.admin, .dangerous], group: .server, since: "2.8.12",
            complexity: "O(1)", summary: "Returns the role of the node."),
        CommandDefinition(
            "save", arity: 1, [.admin, .noScript, .noAsyncLoading, .noMulti], group: .server, since: "1.0.0",
            complexity: "O(N) for all data", summary: "Writes a state file of the answering node and waits for it."),
        CommandDefinition(
            "shutdown", arity: -1, [.admin, .noScript, .loading, .stale, .noMulti, .allowBusy], group: .server, since: "1.0.0",
            complexity: "O(1)", summary: "Ends the answering node; what was acknowledged is durable already."),
        CommandDefinition(
            "slaveof", arity: 3, [.admin, .noScript, .loading, .stale], group: .server, since: "1.0.0",
            complexity: "O(1)", summary: "Refused: nodes replicate by Raft."),
        CommandDefinition(
            "slowlog", arity: -2, [], group: .server, since: "2.2.12",
            complexity: "Depends on the subcommand.", summary: "Commands about slow commands of the answering node.",
            subcommands: [
                CommandDefinition(
                    "get", arity: -2, [.admin, .loading, .stale], group: .server, since: "2.2.12",
                    complexity: "O(N) for N entries", summary: "Returns the slowest commands of the answering node.",
                    tips: ["request_policy:all_nodes", "nondeterministic_output"]),
                CommandDefinition(
                    "help", arity: 2, [.loading, .stale], group: .server, since: "6.2.0",
                    complexity: "O(1)", summary: "Lists the subcommands."),
                CommandDefinition(
                    "len", arity: 2, [.admin, .loading, .stale], group: .server, since: "2.2.12",
                    complexity: "O(1)", summary: "Returns the number of entries of the slow log.",
                    tips: ["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"]),
                CommandDefinition(
                    "reset", arity: 2, [.admin, .loading, .stale], group: .server, since: "2.2.12",
                    complexity: "O(1)", summary: "Forgets the entries of the slow log.",
                    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"]),
            ]),
        CommandDefinition(
            "swapdb", arity: 3, [.write, .fast], [.keyspace, .dangerous], group: .server, since: "4.0.0", complexity: "O(1)",
            summary: "Swaps two databases for all connections.", body: swapdb),
        CommandDefinition(
            "sync", arity: 1, [.admin, .noScript, .loading, .stale], group: .server, since: "1.0.0",
            complexity: "O(1)", summary: "Refused: nodes replicate by Raft."),
        CommandDefinition(
            "time", arity: 1, [.loading, .stale, .fast], group: .server, since: "2.6.0", complexity: "O(1)",
            summary: "Returns the time in seconds and microseconds.", tips: ["nondeterministic_output"], scope: .read, body: time),
    ]
}
