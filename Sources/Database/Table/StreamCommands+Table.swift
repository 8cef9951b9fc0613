// The data of the stream commands; their bodies are in Commands.
enum StreamCommands {
    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "xack", arity: -4, [.write, .fast], [.stream], keys: [.key(1, [.readWrite, .update])], group: .stream, since: "5.0.0",
            complexity: "O(log N) for each ID",
            summary: "Acknowledges entries that were delivered to a consumer of a group.", body: xack),
        CommandDefinition(
            "xadd", arity: -5, [.write, .denyOOM, .fast], [.stream], keys: [.key(1, [.readWrite, .update])], group: .stream,
            since: "5.0.0",
            complexity: "O(1) to add, O(N) for N entries trimmed",
            summary: "Appends an entry to a stream, which is made where it is absent.", tips: ["nondeterministic_output"],
            body: xadd),
        CommandDefinition(
            "xautoclaim", arity: -6, [.write, .fast], [.stream], keys: [.key(1, [.readWrite, .access, .delete])], group: .stream,
            since: "6.2.0",
            complexity: "O(M log N) for M pending entries looked at",
            summary: "Takes over pending entries that were idle for long, of whatever consumer.",
            tips: ["nondeterministic_output"],
            body: xautoclaim),
        CommandDefinition(
            "xclaim", arity: -6, [.write, .fast], [.stream], keys: [.key(1, [.readWrite, .update])], group: .stream,
            since: "5.0.0",
            complexity: "O(log N) for each ID",
            summary: "Takes over pending entries of another consumer.", tips: ["nondeterministic_output"], body: xclaim),
        CommandDefinition(
            "xdel", arity: -3, [.write, .fast], [.stream], keys: [.key(1, [.readWrite, .delete])], group: .stream, since: "5.0.0",
            complexity: "O(log N) for each ID",
            summary: "Deletes entries of a stream.", body: xdel),
        CommandDefinition(
            "xgroup", arity: -2, [], group: .stream, since: "5.0.0", complexity: "Depends on the subcommand.",
            summary: "Commands about consumer groups.", subcommands: groupDefinitions),
        CommandDefinition(
            "xinfo", arity: -2, [], group: .stream, since: "5.0.0", complexity: "Depends on the subcommand.",
            summary: "Commands that tell what is known of a stream.", subcommands: infoDefinitions),
        CommandDefinition(
            "xlen", arity: 2, [.readonly, .fast], [.stream], keys: [.key(1, [.readOnly])], group: .stream, since: "5.0.0",
            complexity: "O(1)",
            summary: "Counts the entries of a stream.", body: xlen),
        CommandDefinition(
            "xpending", arity: -3, [.readonly], [.stream], keys: [.key(1, [.readOnly, .access])], group: .stream, since: "5.0.0",
            complexity:
                "O(log N + M) for M pending entries returned or passed over, O(C log N) for the short form with C consumers",
            summary: "Returns what is delivered and not acknowledged.", tips: ["nondeterministic_output"], body: xpending),
        CommandDefinition(
            "xrange", arity: -4, [.readonly], [.stream], keys: [.key(1, [.readOnly, .access])], group: .stream, since: "5.0.0",
            complexity: "O(log N + M) for M entries returned",
            summary: "Returns the entries in a range of IDs.", body: xrange),
        CommandDefinition(
            "xread", arity: -4, [.readonly, .blocking], [.stream],
            keys: [
                KeySpecification(
                    [.readOnly, .access], begin: .keyword("STREAMS", from: 1), find: .range(last: -1, step: 1, limit: 2))
            ],
            group: .stream, since: "5.0.0",
            complexity: "O(log N + M) for each stream, for M entries returned",
            summary: "Returns the entries of several streams behind given IDs.", body: xread),
        CommandDefinition(
            "xreadgroup", arity: -7, [.write, .blocking], [.stream],
            keys: [
                KeySpecification(
                    [.readOnly, .access], begin: .keyword("STREAMS", from: 4), find: .range(last: -1, step: 1, limit: 2))
            ],
            group: .stream, since: "5.0.0",
            complexity: "O(M log N) for each stream, for M entries returned",
            summary: "Returns new entries, or those pending, to a consumer of a group.", body: xreadgroup),
        CommandDefinition(
            "xrevrange", arity: -4, [.readonly], [.stream], keys: [.key(1, [.readOnly, .access])], group: .stream, since: "5.0.0",
            complexity: "O(log N + M) for M entries returned",
            summary: "Returns the entries in a range of IDs, the last one first.", body: xrevrange),
        CommandDefinition(
            "xsetid", arity: -3, [.write, .denyOOM, .fast], [.stream], keys: [.key(1, [.readWrite, .update])], group: .stream,
            since: "5.0.0",
            complexity: "O(1)",
            summary: "Sets the last ID of a stream, for tools that move data.", body: xsetid),
        CommandDefinition(
            "xtrim", arity: -4, [.write], [.stream], keys: [.key(1, [.readWrite, .delete])], group: .stream, since: "5.0.0",
            complexity: "O(N) for N entries removed",
            summary: "Removes entries from the front of a stream.", tips: ["nondeterministic_output"], body: xtrim),
    ]

    private static let groupDefinitions: [CommandDefinition] = [
        CommandDefinition(
            "create", arity: -5, [.write, .denyOOM], [.stream], keys: [.key(2, [.readWrite, .insert])], group: .stream,
            since: "5.0.0", complexity: "O(log N) for N groups",
            summary: "Makes a consumer group.", body: xgroupCreate),
        CommandDefinition(
            "createconsumer", arity: 5, [.write, .denyOOM], [.stream], keys: [.key(2, [.readWrite, .insert])], group: .stream,
            since: "6.2.0", complexity: "O(log N) for N consumers",
            summary: "Makes a consumer in a group.", body: xgroupCreateconsumer),
        CommandDefinition(
            "delconsumer", arity: 5, [.write], [.stream], keys: [.key(2, [.readWrite, .delete])], group: .stream,
            since: "5.0.0", complexity: "O(M log N) for M pending entries of the consumer",
            summary: "Removes a consumer and what is pending for it.", body: xgroupDelconsumer),
        CommandDefinition(
            "destroy", arity: 4, [.write], [.stream], keys: [.key(2, [.readWrite, .delete])], group: .stream, since: "5.0.0",
            complexity: "O(log N) for N groups: memory is freed in steps afterwards",
            summary: "Removes a consumer group.", body: xgroupDestroy),
        CommandDefinition(
            "help", arity: 2, [.loading, .stale], [.stream], group: .stream, since: "5.0.0", complexity: "O(1)",
            summary: "Lists the subcommands.", body: xgroupHelp),
        CommandDefinition(
            "setid", arity: -5, [.write], [.stream], keys: [.key(2, [.readWrite, .update])], group: .stream, since: "5.0.0",
            complexity: "O(log N) for N groups",
            summary: "Sets the last ID that was delivered to a group.", body: xgroupSetid),
    ]

    private static let infoDefinitions: [CommandDefinition] = [
        CommandDefinition(
            "consumers", arity: 4, [.readonly], [.stream], keys: [.key(2, [.readOnly, .access])], group: .stream, since: "5.0.0",
            complexity: "O(N log M) for N consumers and M pending entries",
            summary: "Lists the consumers of a group.", tips: ["nondeterministic_output"], body: xinfoConsumers),
        CommandDefinition(
            "groups", arity: 3, [.readonly], [.stream], keys: [.key(2, [.readOnly, .access])], group: .stream, since: "5.0.0",
            complexity: "O(N log N) for N groups",
            summary: "Lists the groups of a stream.", body: xinfoGroups),
        CommandDefinition(
            "help", arity: 2, [.loading, .stale], [.stream], group: .stream, since: "5.0.0", complexity: "O(1)",
            summary: "Lists the subcommands.", body: xinfoHelp),
        CommandDefinition(
            "stream", arity: -3, [.readonly], [.stream], keys: [.key(2, [.readOnly, .access])], group: .stream, since: "5.0.0",
            complexity: "O(1), O(N) for N entries returned with FULL",
            summary: "Returns what is known of a stream.", body: xinfoStream),
    ]
}
