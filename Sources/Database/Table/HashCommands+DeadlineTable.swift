// The data of the commands about deadlines of fields; their bodies are in Commands/Hash.
extension HashCommands {
    static let deadlineDefinitions: [CommandDefinition] = [
        setting("hexpire", "Sets the time to live of fields in seconds.", hexpire),
        setting("hexpireat", "Sets the deadline of fields in seconds since 1970.", hexpireat),
        asking("hexpiretime", "Returns the deadlines of fields in seconds since 1970.", [], hexpiretime),
        CommandDefinition(
            "hpersist", arity: -5, [.write, .fast], [.hash], keys: [.key(1, [.readWrite, .update])], group: .hash,
            since: "7.4.0", complexity: "O(N) for N fields", summary: "Drops the deadlines of fields.", body: hpersist),
        setting("hpexpire", "Sets the time to live of fields in milliseconds.", hpexpire),
        setting("hpexpireat", "Sets the deadline of fields in milliseconds since 1970.", hpexpireat),
        asking("hpexpiretime", "Returns the deadlines of fields in milliseconds since 1970.", [], hpexpiretime),
        asking("hpttl", "Returns how many milliseconds fields have to live.", ["nondeterministic_output"], hpttl),
        asking("httl", "Returns how many seconds fields have to live.", ["nondeterministic_output"], httl),
    ]

    private static func setting(_ name: String, _ summary: String, _ body: @escaping CommandBody) -> CommandDefinition {
        CommandDefinition(
            name, arity: -6, [.write, .denyOOM, .fast], [.hash], keys: [.key(1, [.readWrite, .update])], group: .hash,
            since: "7.4.0", complexity: "O(log N) for each field, of N with a deadline", summary: summary, body: body)
    }

    private static func asking(
        _ name: String, _ summary: String, _ tips: [String], _ body: @escaping CommandBody
    ) -> CommandDefinition {
        CommandDefinition(
            name, arity: -5, [.readonly, .fast], [.hash], keys: [.key(1, [.readOnly, .access])], group: .hash, since: "7.4.0",
            complexity: "O(1) for each field", summary: summary, tips: tips, body: body)
    }
}
