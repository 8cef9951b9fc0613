// The data of the string commands; their bodies are in Commands/String.
enum StringCommands {
    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "append", arity: 3, [.write, .denyOOM, .fast], [.string], keys: [.key(1, [.readWrite, .insert])], group: .string,
            since: "2.0.0", complexity: "O(1) amortised: a string grows by a part of its length",
            summary: "Adds bytes to the end of a string; makes the key when it is absent.", body: append),
        CommandDefinition(
            "decr", arity: 2, [.write, .denyOOM, .fast], [.string], keys: [.key(1, [.readWrite, .access, .update])],
            group: .string, since: "1.0.0", complexity: "O(1)", summary: "Takes 1 from an integer; an absent key counts as 0.",
            body: decr),
        CommandDefinition(
            "decrby", arity: 3, [.write, .denyOOM, .fast], [.string], keys: [.key(1, [.readWrite, .access, .update])],
            group: .string, since: "1.0.0", complexity: "O(1)",
            summary: "Takes a number from an integer; an absent key counts as 0.", body: decrby),
        CommandDefinition(
            "get", arity: 2, [.readonly, .fast], [.string], keys: [.key(1, [.readOnly, .access])], group: .string, since: "1.0.0",
            complexity: "O(1)", summary: "Returns the string at a key.", body: get),
        CommandDefinition(
            "getdel", arity: 2, [.write, .fast], [.string], keys: [.key(1, [.readWrite, .access, .delete])], group: .string,
            since: "6.2.0", complexity: "O(1)", summary: "Returns the string at a key and deletes the key.", body: getdel),
        CommandDefinition(
            "getex", arity: -2, [.write, .fast], [.string], keys: [.key(1, [.readWrite, .access, .update])], group: .string,
            since: "6.2.0", complexity: "O(1)", summary: "Returns the string at a key and sets, changes or drops its deadline.",
            body: getex),
        CommandDefinition(
            "getrange", arity: 4, [.readonly], [.string], keys: [.key(1, [.readOnly, .access])], group: .string, since: "2.4.0",
            complexity: "O(N) for N bytes returned", summary: "Returns a part of a string, from offset to offset.", body: getrange
        ),
        CommandDefinition(
            "getset", arity: 3, [.write, .denyOOM, .fast], [.string], keys: [.key(1, [.readWrite, .access, .update])],
            group: .string, since: "1.0.0", complexity: "O(1)", summary: "Sets a key to a string and returns the one before.",
            body: getset),
        CommandDefinition(
            "incr", arity: 2, [.write, .denyOOM, .fast], [.string], keys: [.key(1, [.readWrite, .access, .update])],
            group: .string, since: "1.0.0", complexity: "O(1)", summary: "Adds 1 to an integer; an absent key counts as 0.",
            body: incr),
        CommandDefinition(
            "incrby", arity: 3, [.write, .denyOOM, .fast], [.string], keys: [.key(1, [.readWrite, .access, .update])],
            group: .string, since: "1.0.0", complexity: "O(1)",
            summary: "Adds a number to an integer; an absent key counts as 0.", body: incrby),
        CommandDefinition(
            "incrbyfloat", arity: 3, [.write, .denyOOM, .fast], [.string], keys: [.key(1, [.readWrite, .access, .update])],
            group: .string, since: "2.6.0", complexity: "O(1)",
            summary: "Adds a number to a floating-point number; an absent key counts as 0.", body: incrbyfloat),
        CommandDefinition(
            "lcs", arity: -3, [.readonly], [.string], keys: [.keys(from: 1, to: 2, [.readOnly, .access])], group: .string,
            since: "7.0.0", complexity: "O(N*M) for strings of N and M bytes",
            summary: "Finds the longest subsequence that two strings share.", body: lcs),
        CommandDefinition(
            "mget", arity: -2, [.readonly, .fast], [.string], keys: [.keys(from: 1, [.readOnly, .access])], group: .string,
            since: "1.0.0", complexity: "O(N) for N keys", summary: "Returns the strings at several keys at one moment.",
            tips: ["request_policy:multi_shard"], body: mget),
        CommandDefinition(
            "mset", arity: -3, [.write, .denyOOM], [.string], keys: [.keys(from: 1, step: 2, [.overwrite, .update])],
            group: .string, since: "1.0.1", complexity: "O(N) for N keys", summary: "Sets several keys to strings at one moment.",
            tips: ["request_policy:multi_shard", "response_policy:all_succeeded"], body: mset),
        CommandDefinition(
            "msetnx", arity: -3, [.write, .denyOOM], [.string], keys: [.keys(from: 1, step: 2, [.overwrite, .insert])],
            group: .string, since: "1.0.1", complexity: "O(N) for N keys",
            summary: "Sets several keys to strings, but only when none of them is there.",
            tips: ["request_policy:multi_shard", "response_policy:agg_min"], body: msetnx),
        CommandDefinition(
            "psetex", arity: 4, [.write, .denyOOM], [.string], keys: [.key(1, [.overwrite, .update])], group: .string,
            since: "2.6.0", complexity: "O(1)", summary: "Sets a key to a string and its time to live in milliseconds.",
            body: psetex),
        CommandDefinition(
            "set", arity: -3, [.write, .denyOOM], [.string], keys: [.key(1, [.readWrite, .access, .update, .variableFlags])],
            variableKeyFlags: setKeyFlags,
            group: .string, since: "1.0.0", complexity: "O(1)",
            summary: "Sets a key to a string, whatever type it held; options make it conditional and set a deadline.", body: set),
        CommandDefinition(
            "setex", arity: 4, [.write, .denyOOM], [.string], keys: [.key(1, [.overwrite, .update])], group: .string,
            since: "2.0.0", complexity: "O(1)", summary: "Sets a key to a string and its time to live in seconds.", body: setex),
        CommandDefinition(
            "setnx", arity: 3, [.write, .denyOOM, .fast], [.string], keys: [.key(1, [.overwrite, .insert])], group: .string,
            since: "1.0.0", complexity: "O(1)", summary: "Sets a key to a string when it is absent.", body: setnx),
        CommandDefinition(
            "setrange", arity: 4, [.write, .denyOOM], [.string], keys: [.key(1, [.readWrite, .update])], group: .string,
            since: "2.2.0", complexity: "O(M) for M bytes written, plus the gap",
            summary: "Overwrites a part of a string from an offset on; a gap is filled with zero bytes.", body: setrange),
        CommandDefinition(
            "strlen", arity: 2, [.readonly, .fast], [.string], keys: [.key(1, [.readOnly])], group: .string, since: "2.2.0",
            complexity: "O(1)", summary: "Returns the length of a string in bytes.", body: strlen),
        CommandDefinition(
            "substr", arity: 4, [.readonly], [.string], keys: [.key(1, [.readOnly, .access])], group: .string, since: "1.0.0",
            complexity: "O(N) for N bytes returned", summary: "Returns a part of a string; the old name of GETRANGE.",
            body: getrange),
    ]
}
