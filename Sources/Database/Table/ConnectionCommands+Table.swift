// The data of the connection commands, which the node with the connection answers itself.
enum ConnectionCommands {
    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "client", arity: -2, [], group: .connection, since: "2.4.0", complexity: "Depends on the subcommand.",
            summary: "Commands about client connections.",
            subcommands: [
                CommandDefinition(
                    "getname", arity: 2, [.noScript, .loading, .stale], [.connection], group: .connection, since: "2.6.9",
                    complexity: "O(1)", summary: "Returns the name of the connection."),
                CommandDefinition(
                    "getredir", arity: 2, [.noScript, .loading, .stale], [.connection], group: .connection, since: "6.0.0",
                    complexity: "O(1)", summary: "Returns the connection that invalidation messages are redirected to."),
                CommandDefinition(
                    "help", arity: 2, [.loading, .stale], [.connection], group: .connection, since: "5.0.0", complexity: "O(1)",
                    summary: "Lists the subcommands."),
                CommandDefinition(
                    "id", arity: 2, [.noScript, .loading, .stale], [.connection], group: .connection, since: "5.0.0",
                    complexity: "O(1)", summary: "Returns the number of the connection."),
                CommandDefinition(
                    "info", arity: 2, [.noScript, .loading, .stale], [.connection], group: .connection, since: "6.2.0",
                    complexity: "O(1)", summary: "Returns facts about the connection.", tips: ["nondeterministic_output"]),
                CommandDefinition(
                    "kill", arity: -3, [.admin, .noScript, .loading, .stale], [.connection], group: .connection, since: "2.4.0",
                    complexity: "O(N) for N connections of the node", summary: "Closes connections."),
                CommandDefinition(
                    "list", arity: -2, [.admin, .noScript, .loading, .stale], [.connection], group: .connection, since: "2.4.0",
                    complexity: "O(N) for N connections of the node", summary: "Lists the connections of the answering node.",
                    tips: ["nondeterministic_output"]),
                CommandDefinition(
                    "no-evict", arity: 3, [.admin, .noScript, .loading, .stale], [.connection], group: .connection,
                    since: "7.0.0", complexity: "O(1)", summary: "Says whether the connection may be closed when memory is short."
                ),
                CommandDefinition(
                    "no-touch", arity: 3, [.noScript, .loading, .stale], [.connection], group: .connection, since: "7.2.0",
                    complexity: "O(1)", summary: "Says whether reads of the connection count as use of a key."),
                CommandDefinition(
                    "pause", arity: -3, [.admin, .noScript, .loading, .stale], [.connection], group: .connection, since: "3.0.0",
                    complexity: "O(1)", summary: "Holds the commands of the clients of the answering node."),
                CommandDefinition(
                    "reply", arity: 3, [.noScript, .loading, .stale], [.connection], group: .connection, since: "3.2.0",
                    complexity: "O(1)", summary: "Turns replies to the connection off and on."),
                CommandDefinition(
                    "setinfo", arity: 4, [.noScript, .loading, .stale], [.connection], group: .connection, since: "7.2.0",
                    complexity: "O(1)", summary: "Tells the name and version of the client library."),
                CommandDefinition(
                    "setname", arity: 3, [.noScript, .loading, .stale], [.connection], group: .connection, since: "2.6.9",
                    complexity: "O(1)", summary: "Names the connection."),
                CommandDefinition(
                    "trackinginfo", arity: 2, [.noScript, .loading, .stale], [.connection], group: .connection, since: "6.2.0",
                    complexity: "O(1)", summary: "Returns whether keys are tracked for the connection."),
                CommandDefinition(
                    "unblock", arity: -3, [.admin, .noScript, .loading, .stale], [.connection], group: .connection,
                    since: "5.0.0",
                    complexity: "O(1)", summary: "Ends the wait of a blocked connection of the answering node."),
                CommandDefinition(
                    "unpause", arity: 2, [.admin, .noScript, .loading, .stale], [.connection], group: .connection, since: "6.2.0",
                    complexity: "O(1)", summary: "Ends CLIENT PAUSE."),
            ]),
        CommandDefinition(
            "auth", arity: -2, [.noScript, .loading, .stale, .fast, .noAuth, .allowBusy], [.connection], group: .connection,
            since: "1.0.0", complexity: "O(1)", summary: "Authenticates the connection; the one user, default, needs no password."
        ),
        CommandDefinition(
            "echo", arity: 2, [.loading, .stale, .fast], [.connection], group: .connection, since: "1.0.0", complexity: "O(1)",
            summary: "Returns its argument."),
        CommandDefinition(
            "hello", arity: -1, [.noScript, .loading, .stale, .fast, .noAuth, .allowBusy], [.connection], group: .connection,
            since: "6.0.0", complexity: "O(1)",
            summary: "Shakes hands: chooses the protocol version, authenticates, names the connection."),
        CommandDefinition(
            "ping", arity: -1, [.fast], [.connection], group: .connection, since: "1.0.0", complexity: "O(1)",
            summary: "Answers PONG, or its argument.", tips: ["request_policy:all_shards", "response_policy:all_succeeded"]),
        CommandDefinition(
            "quit", arity: -1, [.noScript, .loading, .stale, .fast, .noAuth, .allowBusy], [.connection], group: .connection,
            since: "1.0.0", complexity: "O(1)", summary: "Closes the connection after the replies before it."),
        CommandDefinition(
            "reset", arity: 1, [.noScript, .loading, .stale, .fast, .noAuth, .allowBusy], [.connection], group: .connection,
            since: "6.2.0", complexity: "O(1)", summary: "Takes the connection back to how it began."),
        CommandDefinition(
            "select", arity: 2, [.loading, .stale, .fast], [.connection], group: .connection, since: "1.0.0", complexity: "O(1)",
            summary: "Chooses the database of the connection."),
    ]
}
