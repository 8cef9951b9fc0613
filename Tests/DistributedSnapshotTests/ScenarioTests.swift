import Foundation
import Testing

@testable import DistributedSnapshot

/// Plays `Simulations/Scenarios/snapshots/*.txt` and compares with what stands there; the oracle judges every cut.
/// `CORACLE_REWRITE=1 swift test --filter DistributedSnapshotTests` writes the files anew; read the difference before you commit it.
@Suite struct ScenarioTests {
    private static let folder: URL = {
        // The file may be reached by a symbolic link.
        let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent()
        return root.appendingPathComponent("Simulations/Scenarios/snapshots")
    }()

    private static var files: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".txt") }.sorted()
    }

    @Test func thereAreScenarios() { #expect(Self.files.count >= 10) }

    @Test(arguments: files) func aScenarioGoesAsWritten(file: String) throws {
        let url = Self.folder.appendingPathComponent(file)
        let expected = try String(contentsOf: url, encoding: .utf8)
        let scenario = CutScenario()
        let actual = scenario.run(expected)
        #expect(scenario.violations == [], "\(file)")
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
}
