// What the connection itself answers, as far as it bears on data: the selected database, and words that are no command.
enum ConnectionShapes {
    /// SELECT of another database, soon back to the first, or nonsense.
    static func words(_ g: Generator) -> [Word] {
        switch g.number(0...3) {
        case 0: ["select".word, "\(g.number(0...1))".word]
        case 1, 2: ["select".word, "0".word]
        default:
            g.pick([
                ["nosuchcommand".word, "a".word, [0x62, 0, 0x63]], ["GET".word], ["object".word],
                ["object".word, "nosuch".word, "s1".word],
            ])
        }
    }
}
