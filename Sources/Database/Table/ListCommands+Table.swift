// The data of the list commands; their bodies are in Commands.
enum ListCommands {
    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "lindex", arity: 3, [.readonly], [.list], keys: [.key(1, [.readOnly, .access])], group: .list, since: "1.0.0",
            complexity: "O(log N) and the walk through one chunk",
            summary: "Returns the element at an index.", body: lindex),
        CommandDefinition(
            "linsert", arity: 5, [.write, .denyOOM], [.list], keys: [.key(1, [.readWrite, .insert])], group: .list,
            since: "2.2.0",
            complexity: "O(N) for N elements before the pivot",
            summary: "Inserts an element before or after the first one that equals a pivot.", body: linsert),
        CommandDefinition(
            "llen", arity: 2, [.readonly, .fast], [.list], keys: [.key(1, [.readOnly])], group: .list, since: "1.0.0",
            complexity: "O(1)",
            summary: "Counts the elements of a list.", body: llen),
        CommandDefinition(
            "lmove", arity: 5, [.write, .denyOOM], [.list],
            keys: [.key(1, [.readWrite, .access, .delete]), .key(2, [.readWrite, .insert])], group: .list, since: "6.2.0",
            complexity: "O(1)",
            summary: "Takes an element from one end of a list and pushes it to an end of another, or of the same.", body: lmove),
        CommandDefinition(
            "lmpop", arity: -4, [.write], [.list], keys: [.counted(1, [.readWrite, .access, .delete])], group: .list,
            since: "7.0.0",
            complexity: "O(N+M) for N keys looked at and M elements returned",
            summary: "Pops elements from the first list among several that has any.", body: lmpop),
        CommandDefinition(
            "lpop", arity: -2, [.write, .fast], [.list], keys: [.key(1, [.readWrite, .access, .delete])], group: .list,
            since: "1.0.0",
            complexity: "O(N) for N elements returned",
            summary: "Removes and returns the first elements of a list.", body: lpop),
        CommandDefinition(
            "lpos", arity: -3, [.readonly], [.list], keys: [.key(1, [.readOnly, .access])], group: .list, since: "6.0.6",
            complexity: "O(N) for N elements looked at",
            summary: "Returns where elements equal to a given one are.", body: lpos),
        CommandDefinition(
            "lpush", arity: -3, [.write, .denyOOM, .fast], [.list], keys: [.key(1, [.readWrite, .insert])], group: .list,
            since: "1.0.0",
            complexity: "O(N) for N elements",
            summary: "Puts elements in front of a list; makes the key when it is absent.", body: lpush),
        CommandDefinition(
            "lpushx", arity: -3, [.write, .denyOOM, .fast], [.list], keys: [.key(1, [.readWrite, .insert])], group: .list,
            since: "2.2.0",
            complexity: "O(N) for N elements",
            summary: "Puts elements in front of a list that exists.", body: lpushx),
        CommandDefinition(
            "lrange", arity: 4, [.readonly], [.list], keys: [.key(1, [.readOnly, .access])], group: .list, since: "1.0.0",
            complexity: "O(log N + M) for M elements returned",
            summary: "Returns the elements between two indexes.", body: lrange),
        CommandDefinition(
            "lrem", arity: 4, [.write], [.list], keys: [.key(1, [.readWrite, .delete])], group: .list, since: "1.0.0",
            complexity: "O(N) for N elements looked at",
            summary: "Removes elements that equal a given one.", body: lrem),
        CommandDefinition(
            "lset", arity: 4, [.write, .denyOOM], [.list], keys: [.key(1, [.readWrite, .update])], group: .list, since: "1.0.0",
            complexity: "O(log N) and the walk through one chunk",
            summary: "Replaces the element at an index.", body: lset),
        CommandDefinition(
            "ltrim", arity: 4, [.write], [.list], keys: [.key(1, [.readWrite, .delete])], group: .list, since: "1.0.0",
            complexity: "O(N) for N elements removed",
            summary: "Keeps only the elements between two indexes.", body: ltrim),
        CommandDefinition(
            "rpop", arity: -2, [.write, .fast], [.list], keys: [.key(1, [.readWrite, .access, .delete])], group: .list,
            since: "1.0.0",
            complexity: "O(N) for N elements returned",
            summary: "Removes and returns the last elements of a list.", body: rpop),
        CommandDefinition(
            "rpoplpush", arity: 3, [.write, .denyOOM], [.list],
            keys: [.key(1, [.readWrite, .access, .delete]), .key(2, [.readWrite, .insert])], group: .list, since: "1.2.0",
            complexity: "O(1)",
            summary: "Takes the last element of a list and pushes it in front of another, or of the same.", body: rpoplpush),
        CommandDefinition(
            "rpush", arity: -3, [.write, .denyOOM, .fast], [.list], keys: [.key(1, [.readWrite, .insert])], group: .list,
            since: "1.0.0",
            complexity: "O(N) for N elements",
            summary: "Puts elements behind a list; makes the key when it is absent.", body: rpush),
        CommandDefinition(
            "rpushx", arity: -3, [.write, .denyOOM, .fast], [.list], keys: [.key(1, [.readWrite, .insert])], group: .list,
            since: "2.2.0",
            complexity: "O(N) for N elements",
            summary: "Puts elements behind a list that exists.", body: rpushx),
    ]
}
