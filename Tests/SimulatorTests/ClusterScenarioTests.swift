import Foundation
import Testing

@testable import Simulator

/// Plays `Simulations/Scenarios/cluster/*.txt` and compares with what stands there.
/// `CORACLE_REWRITE=1 swift test --filter ClusterScenarioTests` writes the files anew; read the difference before you commit it.
@Suite struct ClusterScenarioTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Simulations/Scenarios/cluster")

    private static var files: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".txt") }.sorted()
    }

    @Test func thereAreScenarios() {
        #expect(Self.files.count >= 4)
    }

    @Test(arguments: files) func aScenarioGoesAsWritten(file: String) throws {
        let url = Self.folder.appendingPathComponent(file)
        let expected = try String(contentsOf: url, encoding: .utf8)
        let scenario = ClusterScenario()
        let actual = scenario.play(expected)
        #expect(scenario.violation == nil, "\(file)")
        if ProcessInfo.processInfo.environment["CORACLE_REWRITE"] == "1" {
            try actual.write(to: url, atomically: true, encoding: .utf8)
            return
        }
        let wanted = expected.split(separator: "\n", omittingEmptySubsequences: false)
        let got = actual.split(separator: "\n", omittingEmptySubsequences: false)
        for line in 0..<max(wanted.count, got.count) {
            let one = line < wanted.count ? wanted[line] : "(end)"
            let other = line < got.count ? got[line] : "(end)"
            if one != other {
                Issue.record("\(file), line \(line + 1): expected \"\(one)\", got \"\(other)\"")
                return
            }
        }
    }

    @Test func whatCanNotBeDoneIsSaid() {
        let text = ClusterScenario().play("> run 5\n> cluster 3\n> elect L\n> crash X\n> nobody GET x\n> nobody GET y")
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("  ") }
        #expect(
            lines == [
                "  there is no cluster yet", "  L leads", "  no node is called X", "  nobody is called nobody",
                "  nobody is called nobody",
            ], "\(text)")
    }
}
