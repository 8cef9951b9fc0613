// The data of rate limiting; its body is in Commands.
enum ThrottleCommands {
    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "cl.throttle", arity: -5, [.write, .denyOOM, .fast], [.string], keys: [.key(1, [.readWrite, .access, .update])],
            group: .coracle, since: "0.1.0", complexity: "O(1)",
            summary: "Counts a request against a rate and says whether it is within it, and how long to wait where it is not.",
            body: throttle)
    ]
}
