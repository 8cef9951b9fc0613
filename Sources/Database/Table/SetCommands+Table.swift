// The data of the set commands; their bodies are in Commands.
enum SetCommands {
    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "sadd", arity: -3, [.write, .denyOOM, .fast], [.set], keys: [.key(1, [.readWrite, .insert])], group: .set,
            since: "1.0.0",
            complexity: "O(N) for N members",
            summary: "Adds members to a set; returns how many are new.", body: sadd),
        CommandDefinition(
            "scard", arity: 2, [.readonly, .fast], [.set], keys: [.key(1, [.readOnly])], group: .set, since: "1.0.0",
            complexity: "O(1)",
            summary: "Counts the members of a set.", body: scard),
        CommandDefinition(
            "sdiff", arity: -2, [.readonly], [.set], keys: [.keys(from: 1, [.readOnly, .access])], group: .set, since: "1.0.0",
            complexity: "O(N) for N members of all sets",
            summary: "Returns the members of a set that none of the others has.", tips: ["nondeterministic_output_order"],
            body: sdiff),
        CommandDefinition(
            "sdiffstore", arity: -3, [.write, .denyOOM], [.set],
            keys: [.key(1, [.overwrite, .update]), .keys(from: 2, [.readOnly, .access])], group: .set, since: "1.0.0",
            complexity: "O(N) for N members of all sets",
            summary: "Stores the members of a set that none of the others has.", body: sdiffstore),
        CommandDefinition(
            "sinter", arity: -2, [.readonly], [.set], keys: [.keys(from: 1, [.readOnly, .access])], group: .set, since: "1.0.0",
            complexity: "O(N*M) for N members of the smallest of M sets",
            summary: "Returns the members that all sets have.", tips: ["nondeterministic_output_order"], body: sinter),
        CommandDefinition(
            "sintercard", arity: -3, [.readonly], [.set], keys: [.counted(1, [.readOnly, .access])], group: .set, since: "7.0.0",
            complexity: "O(N*M) for N members of the smallest of M sets",
            summary: "Counts the members that all sets have.", body: sintercard),
        CommandDefinition(
            "sinterstore", arity: -3, [.write, .denyOOM], [.set],
            keys: [.key(1, [.readWrite, .update]), .keys(from: 2, [.readOnly, .access])], group: .set, since: "1.0.0",
            complexity: "O(N*M) for N members of the smallest of M sets",
            summary: "Stores the members that all sets have.", body: sinterstore),
        CommandDefinition(
            "sismember", arity: 3, [.readonly, .fast], [.set], keys: [.key(1, [.readOnly])], group: .set, since: "1.0.0",
            complexity: "O(1)",
            summary: "Tells whether a set has a member.", body: sismember),
        CommandDefinition(
            "smembers", arity: 2, [.readonly], [.set], keys: [.key(1, [.readOnly, .access])], group: .set, since: "1.0.0",
            complexity: "O(N) for N members",
            summary: "Returns all members of a set.", tips: ["nondeterministic_output_order"], body: smembers),
        CommandDefinition(
            "smismember", arity: -3, [.readonly, .fast], [.set], keys: [.key(1, [.readOnly, .access])], group: .set,
            since: "6.2.0",
            complexity: "O(N) for N members asked for",
            summary: "Tells of several members whether a set has them.", body: smismember),
        CommandDefinition(
            "smove", arity: 4, [.write, .fast], [.set],
            keys: [.key(1, [.readWrite, .access, .delete]), .key(2, [.readWrite, .insert])], group: .set, since: "1.0.0",
            complexity: "O(1)",
            summary: "Moves a member from one set to another.", body: smove),
        CommandDefinition(
            "spop", arity: -2, [.write, .fast], [.set], keys: [.key(1, [.readWrite, .access, .delete])], group: .set,
            since: "1.0.0",
            complexity: "O(N) for N members returned",
            summary: "Removes and returns members chosen at random.", tips: ["nondeterministic_output"], body: spop),
        CommandDefinition(
            "srandmember", arity: -2, [.readonly], [.set], keys: [.key(1, [.readOnly, .access])], group: .set, since: "1.0.0",
            complexity: "O(N) for N members returned, times the logarithm of the set's size",
            summary: "Returns members chosen at random.", tips: ["nondeterministic_output"], body: srandmember),
        CommandDefinition(
            "srem", arity: -3, [.write, .fast], [.set], keys: [.key(1, [.readWrite, .delete])], group: .set, since: "1.0.0",
            complexity: "O(N) for N members",
            summary: "Removes members from a set; the key goes with the last one.", body: srem),
        CommandDefinition(
            "sscan", arity: -3, [.readonly], [.set], keys: [.key(1, [.readOnly, .access])], group: .set, since: "2.8.0",
            complexity: "O(1) for a call, O(N) for a whole scan of N members",
            summary: "Returns some of a set's members and where to go on.", tips: ["nondeterministic_output"], body: sscan),
        CommandDefinition(
            "sunion", arity: -2, [.readonly], [.set], keys: [.keys(from: 1, [.readOnly, .access])], group: .set, since: "1.0.0",
            complexity: "O(N) for N members of all sets",
            summary: "Returns the members that at least one of the sets has.", tips: ["nondeterministic_output_order"],
            body: sunion),
        CommandDefinition(
            "sunionstore", arity: -3, [.write, .denyOOM], [.set],
            keys: [.key(1, [.overwrite, .update]), .keys(from: 2, [.readOnly, .access])], group: .set, since: "1.0.0",
            complexity: "O(N) for N members of all sets",
            summary: "Stores the members that at least one of the sets has.", body: sunionstore),
    ]
}
