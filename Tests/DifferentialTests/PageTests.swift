import Database
import Differential
import Foundation
import Testing

@Suite struct PageTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func page(_ name: String) throws -> String {
        try String(contentsOf: PageTests.root.appending(path: "docs/reference/\(name)"), encoding: .utf8)
    }

    @Test func commandsPageIsCurrent() throws {
        #expect(
            try page("commands.md") == CommandsPage(.standard).text,
            "write it again: swift run kvdiff --print-commands > docs/reference/commands.md")
    }

    @Test func everyCommandIsOnThePage() {
        let text = CommandsPage(.standard).text
        for command in CommandTable.standard.commands.flatMap({ [$0] + $0.subcommands }) {
            let name = command.fullName.split(separator: "|").joined(separator: " ").uppercased()
            let isThere = text.contains("| `\(name)`")
            #expect(isThere, "\(name)")
        }
    }

    @Test func whatIsAbsentIsAbsent() {
        for name in AbsentCommands.all.flatMap(\.names) {
            let words = name.split(separator: "|").map { Array($0.utf8) }
            guard let command = words[0].withView({ CommandTable.standard.find($0) }) else { continue }
            #expect(words.count == 2, "\(name) is there: it goes from the list")
            #expect(!command.subcommands.contains { $0.fullName == name }, "\(name) is there: it goes from the list")
        }
    }

    /// Rows of tables that begin with a name in backquotes: the name, and the commands of the second column.
    private func rows(_ text: String) -> [String: [String]] {
        var rows: [String: [String]] = [:]
        for line in text.components(separatedBy: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count >= 4 else { continue }
            rows[cells[0].trimmingCharacters(in: ["`"])] = cells[1].components(separatedBy: ", ").sorted()
        }
        return rows
    }

    @Test func theListOfDifferencesIsTheOneThatIsApplied() throws {
        let written = rows(try page("differences.md"))
        var applied: [String: [String]] = [:]
        for difference in KnownDifference.all {
            let commands = difference.commands.map { $0.split(separator: "|").joined(separator: " ").uppercased() }
            applied[difference.name] = commands.isEmpty ? ["any"] : commands.sorted()
        }
        for (name, commands) in applied { #expect(written[name] == commands, "\(name) in docs/reference/differences.md") }
        for name in written.keys { #expect(applied[name] != nil, "\(name) has a rule") }
    }
}
