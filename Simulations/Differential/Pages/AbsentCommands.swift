/// The commands of Redis 7.2 that this build does not have, by what they are about. They are answered with Redis's own words for a
/// command that does not exist, which is what client libraries look for.
package struct AbsentCommands: Sendable {
    package let topic: String
    /// As COMMAND has the names; a container stands for all its subcommands unless one of them is there.
    package let names: [String]
    package let reason: String

    /// All of them.
    package static let all = [
        AbsentCommands(
            topic: "Blocking", names: words("blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin"),
            reason: "not built yet; XREAD and XREADGROUP refuse BLOCK"),
        AbsentCommands(topic: "Transactions", names: words("discard exec multi unwatch watch"), reason: "not built yet"),
        AbsentCommands(
            topic: "Pub/Sub",
            names: words("psubscribe publish pubsub punsubscribe spublish ssubscribe subscribe sunsubscribe unsubscribe"),
            reason: "not built yet"),
        AbsentCommands(
            topic: "Scripting and functions",
            names: words(
                "eval eval_ro evalsha evalsha_ro fcall fcall_ro function|delete function|dump function|help function|kill "
                    + "function|list function|load function|restore function|stats script"),
            reason: "not built yet; FUNCTION FLUSH has nothing to delete"),
        AbsentCommands(
            topic: "Access control", names: words("acl"),
            reason: "not built yet: keep the ports to yourself; AUTH and HELLO AUTH know the user `default`"),
        AbsentCommands(topic: "Client-side caching", names: words("client|caching client|tracking"), reason: "not built yet"),
        AbsentCommands(
            topic: "Redis Cluster", names: words("restore-asking"),
            reason: "the nodes hold the same data: there are no slots, and any node answers any command"),
    ]

    private static func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
}
