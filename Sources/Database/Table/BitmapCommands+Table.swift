// The data of the bitmap commands; their bodies are in Commands.
enum BitmapCommands {
    static let definitions: [CommandDefinition] = [
        CommandDefinition(
            "bitcount", arity: -2, [.readonly], [.bitmap], keys: [.key(1, [.readOnly, .access])], group: .bitmap,
            since: "2.6.0", complexity: "O(N) for N bytes looked at",
            summary: "Counts the bits that are set in a string, or in a range of its bytes or bits.", body: bitcount),
        CommandDefinition(
            "bitfield", arity: -2, [.write, .denyOOM], [.bitmap],
            keys: [.key(1, [.readWrite, .access, .update, .variableFlags])], variableKeyFlags: bitfieldKeyFlags, group: .bitmap,
            since: "3.2.0", complexity: "O(1) for each operation",
            summary: "Reads, sets and counts up integers of any width at any bits of a string.", body: bitfield),
        CommandDefinition(
            "bitfield_ro", arity: -2, [.readonly, .fast], [.bitmap], keys: [.key(1, [.readOnly, .access])], group: .bitmap,
            since: "6.0.0", complexity: "O(1) for each operation",
            summary: "Reads integers of any width at any bits of a string.", body: bitfieldRo),
        CommandDefinition(
            "bitop", arity: -4, [.write, .denyOOM], [.bitmap],
            keys: [.key(2, [.overwrite, .update]), .keys(from: 3, [.readOnly, .access])], group: .bitmap, since: "2.6.0",
            complexity: "O(N) for N bytes of all sources",
            summary: "Stores the bits of several strings combined with AND, OR or XOR, or of one with NOT.", body: bitop),
        CommandDefinition(
            "bitpos", arity: -3, [.readonly], [.bitmap], keys: [.key(1, [.readOnly, .access])], group: .bitmap,
            since: "2.8.7", complexity: "O(N) for N bytes looked at",
            summary: "Finds the first bit that is set, or not set, in a string or in a range of it.", body: bitpos),
        CommandDefinition(
            "getbit", arity: 3, [.readonly, .fast], [.bitmap], keys: [.key(1, [.readOnly, .access])], group: .bitmap,
            since: "2.2.0", complexity: "O(1)", summary: "Returns one bit of a string; behind the end all are 0.", body: getbit),
        CommandDefinition(
            "setbit", arity: 4, [.write, .denyOOM], [.bitmap], keys: [.key(1, [.readWrite, .access, .update])],
            group: .bitmap, since: "2.2.0", complexity: "O(1), and O(N) where the string grows to N bytes",
            summary: "Sets or clears one bit of a string and returns the bit before.", body: setbit),
    ]
}
