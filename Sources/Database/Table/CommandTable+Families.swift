extension CommandTable {
    /// Every family that is built, one line each.
    static let families: [[CommandDefinition]] = [
        StringCommands.definitions,
        HashCommands.definitions,
        ListCommands.definitions,
        SetCommands.definitions,
        SortedSetCommands.definitions,
        StreamCommands.definitions,
        BitmapCommands.definitions,
        HyperLogLogCommands.definitions,
        GeoCommands.definitions,
        ThrottleCommands.definitions,
        KeyCommands.definitions,
        ExpiryCommands.definitions,
        DumpCommands.definitions,
        SortCommands.definitions,
        ConnectionCommands.definitions,
        ServerCommands.definitions,
        ClusterCommands.definitions,
    ]
}
