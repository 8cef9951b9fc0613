// The data of the commands about deadlines; their bodies are in Commands/Key.
enum ExpiryCommands {
    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "expire", arity: -3, [.write, .fast], [.keyspace], keys: [.key(1, [.readWrite, .update])], group: .generic,
            since: "1.0.0", complexity: "O(1)", summary: "Sets the time to live of a key in seconds.", body: expire),
        CommandDefinition(
            "expireat", arity: -3, [.write, .fast], [.keyspace], keys: [.key(1, [.readWrite, .update])], group: .generic,
            since: "1.2.0", complexity: "O(1)", summary: "Sets the deadline of a key in seconds since 1970.", body: expireat),
        CommandDefinition(
            "expiretime", arity: 2, [.readonly, .fast], [.keyspace], keys: [.key(1, [.readOnly, .access])], group: .generic,
            since: "7.0.0", complexity: "O(1)", summary: "Returns the deadline of a key in seconds since 1970.", body: expiretime),
        CommandDefinition(
            "persist", arity: 2, [.write, .fast], [.keyspace], keys: [.key(1, [.readWrite, .update])], group: .generic,
            since: "2.2.0", complexity: "O(1)", summary: "Drops the deadline of a key.", body: persist),
        CommandDefinition(
            "pexpire", arity: -3, [.write, .fast], [.keyspace], keys: [.key(1, [.readWrite, .update])], group: .generic,
            since: "2.6.0", complexity: "O(1)", summary: "Sets the time to live of a key in milliseconds.", body: pexpire),
        CommandDefinition(
            "pexpireat", arity: -3, [.write, .fast], [.keyspace], keys: [.key(1, [.readWrite, .update])], group: .generic,
            since: "2.6.0", complexity: "O(1)", summary: "Sets the deadline of a key in milliseconds since 1970.", body: pexpireat
        ),
        CommandDefinition(
            "pexpiretime", arity: 2, [.readonly, .fast], [.keyspace], keys: [.key(1, [.readOnly, .access])], group: .generic,
            since: "7.0.0", complexity: "O(1)", summary: "Returns the deadline of a key in milliseconds since 1970.",
            body: pexpiretime),
        CommandDefinition(
            "pttl", arity: 2, [.readonly, .fast], [.keyspace], keys: [.key(1, [.readOnly, .access])], group: .generic,
            since: "2.6.0", complexity: "O(1)", summary: "Returns how many milliseconds a key has to live.",
            tips: ["nondeterministic_output"], body: pttl),
        CommandDefinition(
            "ttl", arity: 2, [.readonly, .fast], [.keyspace], keys: [.key(1, [.readOnly, .access])], group: .generic,
            since: "1.0.0", complexity: "O(1)", summary: "Returns how many seconds a key has to live.",
            tips: ["nondeterministic_output"], body: ttl),
    ]
}
