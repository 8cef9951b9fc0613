// The data of the commands that work on keys of any type; their bodies are in Commands/Key.
enum KeyCommands {
    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "copy", arity: -3, [.write, .denyOOM], [.keyspace],
            keys: [.key(1, [.readOnly, .access]), .key(2, [.overwrite, .update])], group: .generic, since: "6.2.0",
            complexity: "O(N) for a collection of N elements, O(1) for strings apart from their length",
            summary: "Copies a key with value and deadline to another name or database.", body: copy),
        CommandDefinition(
            "del", arity: -2, [.write], [.keyspace], keys: [.keys(from: 1, [.removes, .delete])], group: .generic, since: "1.0.0",
            complexity: "O(N) for N keys; large values are freed later", summary: "Deletes keys.",
            tips: ["request_policy:multi_shard", "response_policy:agg_sum"], body: del),
        CommandDefinition(
            "exists", arity: -2, [.readonly, .fast], [.keyspace], keys: [.keys(from: 1, [.readOnly])], group: .generic,
            since: "1.0.0", complexity: "O(N) for N keys",
            summary: "Counts how many of the keys are there; a key named twice counts twice.",
            tips: ["request_policy:multi_shard", "response_policy:agg_sum"], body: exists),
        CommandDefinition(
            "keys", arity: 2, [.readonly], [.keyspace, .dangerous], group: .generic, since: "1.0.0",
            complexity: "O(N) for N keys in the database", summary: "Returns all keys that match a pattern.",
            tips: ["request_policy:all_shards", "nondeterministic_output_order"], body: keys),
        CommandDefinition(
            "move", arity: 3, [.write, .fast], [.keyspace], keys: [.key(1, [.readWrite, .access, .update])], group: .generic,
            since: "1.0.0", complexity: "O(1)", summary: "Moves a key to another database unless it is there already.", body: move
        ),
        CommandDefinition(
            "object", arity: -2, [], group: .generic, since: "2.2.3", complexity: "Depends on the subcommand.",
            summary: "Commands about how values are kept.",
            subcommands: [
                CommandDefinition(
                    "encoding", arity: 3, [.readonly], [.keyspace], keys: [.key(2, [.readOnly])], group: .generic, since: "2.2.3",
                    complexity: "O(1)", summary: "Names the encoding of a value.", tips: ["nondeterministic_output"],
                    body: objectEncoding),
                CommandDefinition(
                    "freq", arity: 3, [.readonly], [.keyspace], keys: [.key(2, [.readOnly])], group: .generic, since: "4.0.0",
                    complexity: "O(1)", summary: "Returns how often a key is used, where that is counted.",
                    tips: ["nondeterministic_output"], body: objectFrequency),
                CommandDefinition(
                    "help", arity: 2, [.loading, .stale], [.keyspace], group: .generic, since: "6.2.0", complexity: "O(1)",
                    summary: "Lists the subcommands.", scope: .read, body: objectHelp),
                CommandDefinition(
                    "idletime", arity: 3, [.readonly], [.keyspace], keys: [.key(2, [.readOnly])], group: .generic, since: "2.2.3",
                    complexity: "O(1)", summary: "Returns the seconds since a key was last used on the answering node.",
                    tips: ["nondeterministic_output"], body: objectIdleTime),
                CommandDefinition(
                    "refcount", arity: 3, [.readonly], [.keyspace], keys: [.key(2, [.readOnly])], group: .generic, since: "2.2.3",
                    complexity: "O(1)", summary: "Returns the number of references to a value.",
                    tips: ["nondeterministic_output"], body: objectReferenceCount),
            ]),
        CommandDefinition(
            "randomkey", arity: 1, [.readonly], [.keyspace], group: .generic, since: "1.0.0", complexity: "O(1)",
            summary: "Returns one of the keys, chosen at random.",
            tips: ["request_policy:all_shards", "nondeterministic_output"], body: randomkey),
        CommandDefinition(
            "rename", arity: 3, [.write], [.keyspace],
            keys: [.key(1, [.readWrite, .access, .delete]), .key(2, [.overwrite, .update])], group: .generic, since: "1.0.0",
            complexity: "O(1)", summary: "Gives a key another name, whose old value is dropped.", body: rename),
        CommandDefinition(
            "renamenx", arity: 3, [.write, .fast], [.keyspace],
            keys: [.key(1, [.readWrite, .access, .delete]), .key(2, [.overwrite, .insert])], group: .generic, since: "1.0.0",
            complexity: "O(1)", summary: "Gives a key another name unless that is taken.", body: renamenx),
        CommandDefinition(
            "scan", arity: -2, [.readonly], [.keyspace], group: .generic, since: "2.8.0",
            complexity: "O(1) for a step, O(N) for all of N keys",
            summary: "Walks through the keys in steps, from cursor to cursor.",
            tips: ["nondeterministic_output", "request_policy:special"], body: scan),
        CommandDefinition(
            "touch", arity: -2, [.readonly, .fast], [.keyspace], keys: [.keys(from: 1, [.readOnly])], group: .generic,
            since: "3.2.1", complexity: "O(N) for N keys",
            summary: "Counts how many of the keys are there and notes that they were used.",
            tips: ["request_policy:multi_shard", "response_policy:agg_sum"], body: touch),
        CommandDefinition(
            "type", arity: 2, [.readonly, .fast], [.keyspace], keys: [.key(1, [.readOnly])], group: .generic, since: "1.0.0",
            complexity: "O(1)", summary: "Names the type of the value at a key.", body: type),
        CommandDefinition(
            "unlink", arity: -2, [.write, .fast], [.keyspace], keys: [.keys(from: 1, [.removes, .delete])], group: .generic,
            since: "4.0.0", complexity: "O(N) for N keys; large values are freed later",
            summary: "Deletes keys; the same as DEL here.", tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
            body: del),
    ]
}
