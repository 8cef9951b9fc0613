// The data of SORT; its body is in Commands/Sort.
enum SortCommands {
    private static let complexity = "O(N+M*log(M)) for N elements of which M are returned; O(N) without sorting"

    /// The keys of BY and GET follow from the elements.
    private static let elements = KeySpecification(
        [.readOnly, .access], begin: .unknown(option: nil, values: [:]), find: .range(last: 0, step: 1, limit: 0))

    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "sort", arity: -2, [.write, .denyOOM], [.set, .sortedSet, .list, .dangerous],
            keys: [
                .key(1, [.readOnly, .access]),
                elements,
                KeySpecification(
                    [.overwrite, .update], begin: .unknown(option: "STORE", values: ["limit": 2, "get": 1, "by": 1]),
                    find: .range(last: 0, step: 1, limit: 0)),
            ],
            group: .generic, since: "1.0.0", complexity: complexity,
            summary: "Sorts a list, set or sorted set by its elements or by other keys; returns or stores the result.",
            readsWithout: ["store"], body: sort),
        CommandDefinition(
            "sort_ro", arity: -2, [.readonly], [.set, .sortedSet, .list, .dangerous],
            keys: [.key(1, [.readOnly, .access]), elements], group: .generic, since: "7.0.0", complexity: complexity,
            summary: "Sorts a list, set or sorted set by its elements or by other keys, without storing.", body: sortReadOnly),
    ]
}
