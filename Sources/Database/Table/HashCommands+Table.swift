// The data of the hash commands; their bodies are in Commands.
enum HashCommands {
    static let definitions: [CommandDefinition] = fieldDefinitions + deadlineDefinitions

    private static let fieldDefinitions: [CommandDefinition] = [
        CommandDefinition(
            "hdel", arity: -3, [.write, .fast], [.hash], keys: [.key(1, [.readWrite, .delete])], group: .hash, since: "2.0.0",
            complexity: "O(N) for N fields",
            summary: "Removes fields from a hash; the key goes with the last one.", body: hdel),
        CommandDefinition(
            "hexists", arity: 3, [.readonly, .fast], [.hash], keys: [.key(1, [.readOnly])], group: .hash, since: "2.0.0",
            complexity: "O(1)",
            summary: "Tells whether a hash has a field.", body: hexists),
        CommandDefinition(
            "hget", arity: 3, [.readonly, .fast], [.hash], keys: [.key(1, [.readOnly, .access])], group: .hash, since: "2.0.0",
            complexity: "O(1)",
            summary: "Returns the value of a field.", body: hget),
        CommandDefinition(
            "hgetall", arity: 2, [.readonly], [.hash], keys: [.key(1, [.readOnly, .access])], group: .hash, since: "2.0.0",
            complexity: "O(N) for N fields",
            summary: "Returns all fields of a hash with their values.", tips: ["nondeterministic_output_order"], body: hgetall),
        CommandDefinition(
            "hincrby", arity: 4, [.write, .denyOOM, .fast], [.hash], keys: [.key(1, [.readWrite, .access, .update])],
            group: .hash, since: "2.0.0",
            complexity: "O(1)",
            summary: "Adds an integer to the integer in a field; an absent field counts as 0.", body: hincrby),
        CommandDefinition(
            "hincrbyfloat", arity: 4, [.write, .denyOOM, .fast], [.hash], keys: [.key(1, [.readWrite, .access, .update])],
            group: .hash, since: "2.6.0",
            complexity: "O(1)",
            summary: "Adds a floating-point number to the number in a field; an absent field counts as 0.", body: hincrbyfloat),
        CommandDefinition(
            "hkeys", arity: 2, [.readonly], [.hash], keys: [.key(1, [.readOnly, .access])], group: .hash, since: "2.0.0",
            complexity: "O(N) for N fields",
            summary: "Returns all fields of a hash.", tips: ["nondeterministic_output_order"], body: hkeys),
        CommandDefinition(
            "hlen", arity: 2, [.readonly, .fast], [.hash], keys: [.key(1, [.readOnly])], group: .hash, since: "2.0.0",
            complexity: "O(1)",
            summary: "Counts the fields of a hash.", body: hlen),
        CommandDefinition(
            "hmget", arity: -3, [.readonly, .fast], [.hash], keys: [.key(1, [.readOnly, .access])], group: .hash, since: "2.0.0",
            complexity: "O(N) for N fields asked for",
            summary: "Returns the values of several fields.", body: hmget),
        CommandDefinition(
            "hmset", arity: -4, [.write, .denyOOM, .fast], [.hash], keys: [.key(1, [.readWrite, .update])], group: .hash,
            since: "2.0.0",
            complexity: "O(N) for N fields",
            summary: "Sets several fields of a hash.", body: hmset),
        CommandDefinition(
            "hrandfield", arity: -2, [.readonly], [.hash], keys: [.key(1, [.readOnly, .access])], group: .hash, since: "6.2.0",
            complexity: "O(N) for N fields returned, times the logarithm of the hash's size",
            summary: "Returns fields chosen at random.", tips: ["nondeterministic_output"], body: hrandfield),
        CommandDefinition(
            "hscan", arity: -3, [.readonly], [.hash], keys: [.key(1, [.readOnly, .access])], group: .hash, since: "2.8.0",
            complexity: "O(1) for a call, O(N) for a whole scan of N fields",
            summary: "Returns some of a hash's fields and where to go on.", tips: ["nondeterministic_output"], body: hscan),
        CommandDefinition(
            "hset", arity: -4, [.write, .denyOOM, .fast], [.hash], keys: [.key(1, [.readWrite, .update])], group: .hash,
            since: "2.0.0",
            complexity: "O(N) for N fields",
            summary: "Sets fields of a hash; returns how many are new.", body: hset),
        CommandDefinition(
            "hsetnx", arity: 4, [.write, .denyOOM, .fast], [.hash], keys: [.key(1, [.readWrite, .insert])], group: .hash,
            since: "2.0.0",
            complexity: "O(1)",
            summary: "Sets a field that is not there yet.", body: hsetnx),
        CommandDefinition(
            "hstrlen", arity: 3, [.readonly, .fast], [.hash], keys: [.key(1, [.readOnly])], group: .hash, since: "3.2.0",
            complexity: "O(1)",
            summary: "Returns the length of a field's value.", body: hstrlen),
        CommandDefinition(
            "hvals", arity: 2, [.readonly], [.hash], keys: [.key(1, [.readOnly, .access])], group: .hash, since: "2.0.0",
            complexity: "O(N) for N fields",
            summary: "Returns the values of all fields.", tips: ["nondeterministic_output_order"], body: hvals),
    ]
}
