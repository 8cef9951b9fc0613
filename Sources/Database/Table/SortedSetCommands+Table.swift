// The data of the sorted set commands; their bodies are in Commands.
enum SortedSetCommands {
    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "zadd", arity: -4, [.write, .denyOOM, .fast], [.sortedSet], keys: [.key(1, [.readWrite, .update])], group: .sortedSet,
            since: "1.2.0",
            complexity: "O(log N) for each member",
            summary: "Adds members with scores, or changes the scores of members that are there.", body: zadd),
        CommandDefinition(
            "zcard", arity: 2, [.readonly, .fast], [.sortedSet], keys: [.key(1, [.readOnly])], group: .sortedSet, since: "1.2.0",
            complexity: "O(1)",
            summary: "Counts the members of a sorted set.", body: zcard),
        CommandDefinition(
            "zcount", arity: 4, [.readonly, .fast], [.sortedSet], keys: [.key(1, [.readOnly, .access])], group: .sortedSet,
            since: "2.0.0",
            complexity: "O(log N)",
            summary: "Counts the members whose scores are in a range.", body: zcount),
        CommandDefinition(
            "zdiff", arity: -3, [.readonly], [.sortedSet], keys: [.counted(1, [.readOnly, .access])], group: .sortedSet,
            since: "6.2.0",
            complexity: "O(L + (N-K) log N) for L members of all sets, N of the first, K of the result",
            summary: "Returns the members of a sorted set that none of the others has.", body: zdiff),
        CommandDefinition(
            "zdiffstore", arity: -4, [.write, .denyOOM], [.sortedSet],
            keys: [.key(1, [.overwrite, .update]), .counted(2, [.readOnly, .access])], group: .sortedSet, since: "6.2.0",
            complexity: "O(L + (N-K) log N) for L members of all sets, N of the first, K of the result",
            summary: "Stores the members of a sorted set that none of the others has.", body: zdiffstore),
        CommandDefinition(
            "zincrby", arity: 4, [.write, .denyOOM, .fast], [.sortedSet], keys: [.key(1, [.readWrite, .access, .update])],
            group: .sortedSet, since: "1.2.0",
            complexity: "O(log N)",
            summary: "Adds to the score of a member; an absent one counts as 0.", body: zincrby),
        CommandDefinition(
            "zinter", arity: -3, [.readonly], [.sortedSet], keys: [.counted(1, [.readOnly, .access])], group: .sortedSet,
            since: "6.2.0",
            complexity: "O(N*K + M log M) for N members of the smallest of K sets and M of the result",
            summary: "Returns the members that all sets have, with their scores combined.", body: zinter),
        CommandDefinition(
            "zintercard", arity: -3, [.readonly], [.sortedSet], keys: [.counted(1, [.readOnly, .access])], group: .sortedSet,
            since: "7.0.0",
            complexity: "O(N*K) for N members of the smallest of K sets",
            summary: "Counts the members that all sets have.", body: zintercard),
        CommandDefinition(
            "zinterstore", arity: -4, [.write, .denyOOM], [.sortedSet],
            keys: [.key(1, [.overwrite, .update]), .counted(2, [.readOnly, .access])], group: .sortedSet, since: "2.0.0",
            complexity: "O(N*K + M log M) for N members of the smallest of K sets and M of the result",
            summary: "Stores the members that all sets have, with their scores combined.", body: zinterstore),
        CommandDefinition(
            "zlexcount", arity: 4, [.readonly, .fast], [.sortedSet], keys: [.key(1, [.readOnly, .access])], group: .sortedSet,
            since: "2.8.9",
            complexity: "O(log N)",
            summary: "Counts the members between two, where all scores are equal.", body: zlexcount),
        CommandDefinition(
            "zmpop", arity: -4, [.write], [.sortedSet], keys: [.counted(1, [.readWrite, .access, .delete])], group: .sortedSet,
            since: "7.0.0",
            complexity: "O(K + M log N) for K keys looked at and M members returned",
            summary: "Pops members from the first sorted set among several that has any.", body: zmpop),
        CommandDefinition(
            "zmscore", arity: -3, [.readonly, .fast], [.sortedSet], keys: [.key(1, [.readOnly, .access])], group: .sortedSet,
            since: "6.2.0",
            complexity: "O(N) for N members asked for",
            summary: "Returns the scores of several members.", body: zmscore),
        CommandDefinition(
            "zpopmax", arity: -2, [.write, .fast], [.sortedSet], keys: [.key(1, [.readWrite, .access, .delete])],
            group: .sortedSet, since: "5.0.0",
            complexity: "O(M log N) for M members returned",
            summary: "Removes and returns the members with the highest scores.", body: zpopmax),
        CommandDefinition(
            "zpopmin", arity: -2, [.write, .fast], [.sortedSet], keys: [.key(1, [.readWrite, .access, .delete])],
            group: .sortedSet, since: "5.0.0",
            complexity: "O(M log N) for M members returned",
            summary: "Removes and returns the members with the lowest scores.", body: zpopmin),
        CommandDefinition(
            "zrandmember", arity: -2, [.readonly], [.sortedSet], keys: [.key(1, [.readOnly, .access])], group: .sortedSet,
            since: "6.2.0",
            complexity: "O(M log N) for M members returned",
            summary: "Returns members chosen at random.", tips: ["nondeterministic_output"], body: zrandmember),
        CommandDefinition(
            "zrange", arity: -4, [.readonly], [.sortedSet], keys: [.key(1, [.readOnly, .access])], group: .sortedSet,
            since: "1.2.0",
            complexity: "O(log N + M) for M members returned",
            summary: "Returns the members in a range of ranks, scores or names.", body: zrange),
        CommandDefinition(
            "zrangebylex", arity: -4, [.readonly], [.sortedSet], keys: [.key(1, [.readOnly, .access])], group: .sortedSet,
            since: "2.8.9",
            complexity: "O(log N + M) for M members returned",
            summary: "Returns the members between two, where all scores are equal.", body: zrangebylex),
        CommandDefinition(
            "zrangebyscore", arity: -4, [.readonly], [.sortedSet], keys: [.key(1, [.readOnly, .access])], group: .sortedSet,
            since: "1.0.5",
            complexity: "O(log N + M) for M members returned",
            summary: "Returns the members whose scores are in a range.", body: zrangebyscore),
        CommandDefinition(
            "zrangestore", arity: -5, [.write, .denyOOM], [.sortedSet],
            keys: [.key(1, [.overwrite, .update]), .key(2, [.readOnly, .access])], group: .sortedSet, since: "6.2.0",
            complexity: "O(log N + M) for M members stored",
            summary: "Stores the members in a range of ranks, scores or names.", body: zrangestore),
        CommandDefinition(
            "zrank", arity: -3, [.readonly, .fast], [.sortedSet], keys: [.key(1, [.readOnly, .access])], group: .sortedSet,
            since: "2.0.0",
            complexity: "O(log N)",
            summary: "Returns the rank of a member from the lowest score.", body: zrank),
        CommandDefinition(
            "zrem", arity: -3, [.write, .fast], [.sortedSet], keys: [.key(1, [.readWrite, .delete])], group: .sortedSet,
            since: "1.2.0",
            complexity: "O(M log N) for M members",
            summary: "Removes members; the key goes with the last one.", body: zrem),
        CommandDefinition(
            "zremrangebylex", arity: 4, [.write], [.sortedSet], keys: [.key(1, [.readWrite, .delete])], group: .sortedSet,
            since: "2.8.9",
            complexity: "O(log N + M) for M members removed",
            summary: "Removes the members between two, where all scores are equal.", body: zremrangebylex),
        CommandDefinition(
            "zremrangebyrank", arity: 4, [.write], [.sortedSet], keys: [.key(1, [.readWrite, .delete])], group: .sortedSet,
            since: "2.0.0",
            complexity: "O(log N + M) for M members removed",
            summary: "Removes the members in a range of ranks.", body: zremrangebyrank),
        CommandDefinition(
            "zremrangebyscore", arity: 4, [.write], [.sortedSet], keys: [.key(1, [.readWrite, .delete])], group: .sortedSet,
            since: "1.2.0",
            complexity: "O(log N + M) for M members removed",
            summary: "Removes the members whose scores are in a range.", body: zremrangebyscore),
        CommandDefinition(
            "zrevrange", arity: -4, [.readonly], [.sortedSet], keys: [.key(1, [.readOnly, .access])], group: .sortedSet,
            since: "1.2.0",
            complexity: "O(log N + M) for M members returned",
            summary: "Returns the members in a range of ranks from the highest score.", body: zrevrange),
        CommandDefinition(
            "zrevrangebylex", arity: -4, [.readonly], [.sortedSet], keys: [.key(1, [.readOnly, .access])], group: .sortedSet,
            since: "2.8.9",
            complexity: "O(log N + M) for M members returned",
            summary: "Returns the members between two backwards, where all scores are equal.", body: zrevrangebylex),
        CommandDefinition(
            "zrevrangebyscore", arity: -4, [.readonly], [.sortedSet], keys: [.key(1, [.readOnly, .access])], group: .sortedSet,
            since: "2.2.0",
            complexity: "O(log N + M) for M members returned",
            summary: "Returns the members whose scores are in a range, highest first.", body: zrevrangebyscore),
        CommandDefinition(
            "zrevrank", arity: -3, [.readonly, .fast], [.sortedSet], keys: [.key(1, [.readOnly, .access])], group: .sortedSet,
            since: "2.0.0",
            complexity: "O(log N)",
            summary: "Returns the rank of a member from the highest score.", body: zrevrank),
        CommandDefinition(
            "zscan", arity: -3, [.readonly], [.sortedSet], keys: [.key(1, [.readOnly, .access])], group: .sortedSet,
            since: "2.8.0",
            complexity: "O(1) for a call, O(N) for a whole scan of N members",
            summary: "Returns some of a sorted set's members with scores and where to go on.", tips: ["nondeterministic_output"],
            body: zscan),
        CommandDefinition(
            "zscore", arity: 3, [.readonly, .fast], [.sortedSet], keys: [.key(1, [.readOnly, .access])], group: .sortedSet,
            since: "1.2.0",
            complexity: "O(1)",
            summary: "Returns the score of a member.", body: zscore),
        CommandDefinition(
            "zunion", arity: -3, [.readonly], [.sortedSet], keys: [.counted(1, [.readOnly, .access])], group: .sortedSet,
            since: "6.2.0",
            complexity: "O(N + M log M) for N members of all sets and M of the result",
            summary: "Returns the members that at least one of the sets has, with their scores combined.", body: zunion),
        CommandDefinition(
            "zunionstore", arity: -4, [.write, .denyOOM], [.sortedSet],
            keys: [.key(1, [.overwrite, .update]), .counted(2, [.readOnly, .access])], group: .sortedSet, since: "2.0.0",
            complexity: "O(N + M log M) for N members of all sets and M of the result",
            summary: "Stores the members that at least one of the sets has, with their scores combined.", body: zunionstore),
    ]
}
