// The data of the HyperLogLog commands; their bodies are in Commands.
enum HyperLogLogCommands {
    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "pfadd", arity: -2, [.write, .denyOOM, .fast], [.hyperloglog], keys: [.key(1, [.readWrite, .insert])],
            group: .hyperloglog, since: "2.8.9", complexity: "O(1) for each element",
            summary: "Adds elements to a HyperLogLog; makes the key when it is absent.", body: pfadd),
        CommandDefinition(
            "pfcount", arity: -2, [.readonly], [.hyperloglog],
            keys: [.keys(from: 1, [.readWrite, .access])], group: .hyperloglog, since: "2.8.9",
            complexity: "O(1) for one key, with a large constant when it has changed; O(N) for N keys",
            summary: "Estimates how many different elements one or several HyperLogLogs have seen together.", body: pfcount),
        CommandDefinition(
            "pfdebug", arity: 3, [.write, .denyOOM, .admin], [.hyperloglog], keys: [.key(2, [.readWrite, .access])],
            group: .hyperloglog, since: "2.8.9", complexity: "O(1), with a large constant",
            summary: "Shows the inside of a HyperLogLog: GETREG, DECODE, ENCODING, TODENSE.", body: pfdebug),
        CommandDefinition(
            "pfmerge", arity: -2, [.write, .denyOOM], [.hyperloglog],
            keys: [.key(1, [.readWrite, .access, .insert]), .keys(from: 2, [.readOnly, .access])], group: .hyperloglog,
            since: "2.8.9", complexity: "O(N) for N keys, with a large constant",
            summary: "Stores the union of several HyperLogLogs.", body: pfmerge),
        CommandDefinition(
            "pfselftest", arity: 1, [.admin], [.hyperloglog], group: .hyperloglog, since: "2.8.9",
            complexity: "O(1), with a large constant",
            summary: "Checks on values of its own that registers keep what they are given and that estimates are near enough.",
            body: pfselftest),
    ]
}
