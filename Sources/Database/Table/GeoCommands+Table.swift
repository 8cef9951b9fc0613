// The data of the geo commands; their bodies are in Commands.
enum GeoCommands {
    private static let searchComplexity = """
        O(N + log M) for N members in the cells around the shape and M of the sorted set; with an order, O(N log N) more
        """

    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "geoadd", arity: -5, [.write, .denyOOM], [.geo], keys: [.key(1, [.readWrite, .update])], group: .geo, since: "3.2.0",
            complexity: "O(log N) for each member",
            summary: "Adds members with longitude and latitude, or moves members that are there.", body: geoadd),
        CommandDefinition(
            "geodist", arity: -4, [.readonly], [.geo], keys: [.key(1, [.readOnly, .access])], group: .geo, since: "3.2.0",
            complexity: "O(1)", summary: "Returns the distance of two members.", body: geodist),
        CommandDefinition(
            "geohash", arity: -2, [.readonly], [.geo], keys: [.key(1, [.readOnly, .access])], group: .geo, since: "3.2.0",
            complexity: "O(1) for each member", summary: "Returns the geohash texts of members.", body: geohash),
        CommandDefinition(
            "geopos", arity: -2, [.readonly], [.geo], keys: [.key(1, [.readOnly, .access])], group: .geo, since: "3.2.0",
            complexity: "O(1) for each member", summary: "Returns the longitudes and latitudes of members.", body: geopos),
        CommandDefinition(
            "georadius", arity: -6, [.write, .denyOOM], [.geo], keys: [.key(1, [.readOnly, .access])] + targets(from: 6),
            group: .geo, since: "3.2.0", complexity: searchComplexity,
            summary: "Finds members within a distance of a position; the old form of GEOSEARCH.",
            readsWithout: ["store", "storedist"], body: georadius),
        CommandDefinition(
            "georadius_ro", arity: -6, [.readonly], [.geo], keys: [.key(1, [.readOnly, .access])], group: .geo,
            since: "3.2.10", complexity: searchComplexity,
            summary: "Finds members within a distance of a position, and stores nothing.", body: georadiusRo),
        CommandDefinition(
            "georadiusbymember", arity: -5, [.write, .denyOOM], [.geo],
            keys: [.key(1, [.readOnly, .access])] + targets(from: 5), group: .geo, since: "3.2.0", complexity: searchComplexity,
            summary: "Finds members within a distance of a member; the old form of GEOSEARCH.",
            readsWithout: ["store", "storedist"], body: georadiusbymember),
        CommandDefinition(
            "georadiusbymember_ro", arity: -5, [.readonly], [.geo], keys: [.key(1, [.readOnly, .access])], group: .geo,
            since: "3.2.10", complexity: searchComplexity,
            summary: "Finds members within a distance of a member, and stores nothing.", body: georadiusbymemberRo),
        CommandDefinition(
            "geosearch", arity: -7, [.readonly], [.geo], keys: [.key(1, [.readOnly, .access])], group: .geo, since: "6.2.0",
            complexity: searchComplexity, summary: "Finds members in a circle or a rectangle.", body: geosearch),
        CommandDefinition(
            "geosearchstore", arity: -8, [.write, .denyOOM], [.geo],
            keys: [.key(1, [.overwrite, .update]), .key(2, [.readOnly, .access])], group: .geo, since: "6.2.0",
            complexity: searchComplexity, summary: "Stores the members in a circle or a rectangle.", body: geosearchstore),
    ]

    /// The key behind STORE or STOREDIST.
    private static func targets(from index: Int) -> [KeySpecification] {
        ["STORE", "STOREDIST"].map {
            KeySpecification(
                [.overwrite, .update], begin: .keyword($0, from: index), find: .range(last: 0, step: 1, limit: 0))
        }
    }
}
