// The data of DUMP and RESTORE; their bodies are in Commands/Key.
enum DumpCommands {
    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "dump", arity: 2, [.readonly], [.keyspace], keys: [.key(1, [.readOnly, .access])], group: .generic, since: "2.6.0",
            complexity: "O(N) for a value of N bytes", summary: "Returns the value of a key in Redis's file format.",
            tips: ["nondeterministic_output"], body: dump),
        CommandDefinition(
            "restore", arity: -4, [.write, .denyOOM], [.keyspace, .dangerous], keys: [.key(1, [.overwrite, .update])],
            group: .generic, since: "2.6.0", complexity: "O(N) for a value of N bytes, O(N*log(N)) for sorted sets",
            summary: "Makes a key of a value that DUMP returned.", body: restore),
    ]
}
