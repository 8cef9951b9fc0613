// The data of the commands about functions and about the cluster: Redis's, which are refused as by a Redis that is none, and our own.
enum ClusterCommands {
    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "asking", arity: 1, [.fast], [.connection], group: .cluster, since: "3.0.0", complexity: "O(1)",
            summary: "Refused: keys are not divided among the nodes."),
        CommandDefinition(
            "cluster", arity: -2, [], group: .cluster, since: "3.0.0", complexity: "O(1)",
            summary: "Refused: keys are not divided among the nodes."),
        CommandDefinition(
            "function", arity: -2, [], group: .scripting, since: "7.0.0", complexity: "Depends on the subcommand.",
            summary: "Commands about functions, of which there are none yet.",
            subcommands: [
                CommandDefinition(
                    "flush", arity: -2, [.write, .noScript], [.scripting], group: .scripting, since: "7.0.0", complexity: "O(1)",
                    summary: "Deletes all functions.", tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
                    body: functionFlush)
            ]),
        CommandDefinition(
            "kv.set-parameter", arity: -3, [.write, .admin, .noScript], group: .coracle, since: "0.1.0", complexity: "O(1)",
            summary: "Sets parameters of the whole cluster; CONFIG SET does it where the parameter is one.",
            body: ServerCommands.setParameter),
        CommandDefinition(
            "kv.snapshot", arity: -2, [], group: .coracle, since: "0.2.0", complexity: "Depends on the subcommand.",
            summary: "Commands about distributed snapshots.",
            subcommands: [
                CommandDefinition(
                    "abort", arity: 3, [.admin, .noScript, .loading, .stale], group: .coracle, since: "0.2.0",
                    complexity: "O(1)", summary: "Gives up a snapshot that the answering node began."),
                CommandDefinition(
                    "fetch", arity: 6, [.admin, .noScript, .loading, .stale], group: .coracle, since: "0.2.0",
                    complexity: "O(N) for N bytes", summary: "Returns bytes of a file that the answering node has of a snapshot."),
                CommandDefinition(
                    "help", arity: 2, [.loading, .stale], group: .coracle, since: "0.2.0", complexity: "O(1)",
                    summary: "Lists the subcommands."),
                CommandDefinition(
                    "list", arity: 2, [.admin, .noScript, .loading, .stale], group: .coracle, since: "0.2.0",
                    complexity: "O(N) for N snapshots", summary: "Lists the snapshots that the answering node knows of."),
                CommandDefinition(
                    "remove", arity: 3, [.admin, .noScript, .loading, .stale], group: .coracle, since: "0.2.0",
                    complexity: "O(1)", summary: "Removes the files that the answering node has of a snapshot."),
                CommandDefinition(
                    "status", arity: 3, [.admin, .noScript, .loading, .stale], group: .coracle, since: "0.2.0",
                    complexity: "O(N) for N channels", summary: "Returns what the answering node knows of a snapshot."),
                CommandDefinition(
                    "take", arity: -2, [.admin, .noScript, .loading, .stale], group: .coracle, since: "0.2.0",
                    complexity: "O(N) for N nodes", summary: "Begins a snapshot of all nodes; returns its id."),
            ]),
        CommandDefinition(
            "kv.status", arity: 1, [.loading, .stale, .fast], group: .coracle, since: "0.1.0", complexity: "O(1)",
            summary: "Returns the state of the node and its group."),
        CommandDefinition(
            "kv.transfer-leader", arity: -1, [.admin, .noScript], group: .coracle, since: "0.1.0", complexity: "O(1)",
            summary: "Hands leadership to another node."),
        CommandDefinition(
            "migrate", arity: -6, [], [.keyspace, .dangerous], group: .generic, since: "2.6.0", complexity: "O(1)",
            summary: "Refused: a node speaks only to the nodes of its cluster.", scope: .local),
        CommandDefinition(
            "readonly", arity: 1, [.loading, .stale, .fast], [.connection], group: .cluster, since: "3.0.0", complexity: "O(1)",
            summary: "Refused: keys are not divided among the nodes."),
        CommandDefinition(
            "readwrite", arity: 1, [.loading, .stale, .fast], [.connection], group: .cluster, since: "3.0.0", complexity: "O(1)",
            summary: "Refused: keys are not divided among the nodes."),
        CommandDefinition(
            "wait", arity: 3, [.noScript], [.connection], group: .generic, since: "3.0.0", complexity: "O(1)",
            summary: "Waits until writes are on other nodes; every acknowledged write is on a majority already.",
            tips: ["request_policy:all_shards", "response_policy:agg_min"]),
        CommandDefinition(
            "waitaof", arity: 4, [.noScript], [.connection], group: .generic, since: "7.2.0", complexity: "O(1)",
            summary: "Waits until writes are on disks; every acknowledged write is on those of a majority already.",
            tips: ["request_policy:all_shards", "response_policy:agg_min"]),
    ]
}
