extension CommandTable {
    /// Every family that is built, one line each.
    static let families: [[CommandDefinition]] = [
        StringCommands.definitions
    ]
}
