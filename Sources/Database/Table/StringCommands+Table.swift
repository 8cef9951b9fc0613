// The data of the string commands.
enum StringCommands {
    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "get", arity: 2, [.readonly, .fast], [.string], keys: [.key(1, [.readOnly, .access])], group: .string, since: "1.0.0",
            complexity: "O(1)", summary: "Returns the string at a key.", body: get),
        CommandDefinition(
            "set", arity: 3, [.write, .denyOOM], [.string], keys: [.key(1, [.readWrite, .access, .update, .variableFlags])],
            group: .string, since: "1.0.0", complexity: "O(1)",
            summary: "Sets a key to a string, whatever it held.", body: set),
    ]
}
