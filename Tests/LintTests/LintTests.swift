import Foundation
import Testing

/// The rules of the house that a machine can keep. Each rule has a planted violation, so that none is blind.
@Suite struct LintTests {
    static let pure = [
        "Base", "RESP", "Consensus", "Database", "DistributedSnapshot", "Storage", "Node", "ArgumentParsing",
    ]

    /// What each module may import. Dependencies point down only.
    static let imports: [String: Set<String>] = [
        "Base": ["CIntrinsics"],
        "RESP": ["Base"],
        "Consensus": ["Base"],
        "Database": ["Base", "RESP", "Synchronization"],
        "DistributedSnapshot": ["Base"],
        "Storage": ["Base", "Consensus"],
        "Node": ["Base", "RESP", "Consensus", "Database", "DistributedSnapshot", "Storage"],
        "ArgumentParsing": [],
        "Posix": ["Base", "CLinux", "Consensus", "Glibc", "Node", "Storage", "Synchronization"],
        "kvd": ["ArgumentParsing", "Base", "CLinux", "Consensus", "Glibc", "Node", "Posix", "Storage"],
        "Simulator": ["Base", "RESP", "Consensus", "Database", "DistributedSnapshot", "Storage", "Node"],
        "Differential": ["Base", "RESP", "Database"],
        "kvsim": ["ArgumentParsing", "Base", "Consensus", "DistributedSnapshot", "Glibc", "Node", "Simulator", "Storage"],
    ]

    /// Words that a pure module never needs, with the reason why.
    static let bannedInPure: [(pattern: String, reason: String)] = [
        (#"\.random\("#, "randomness comes in by parameter"),
        (#"\.random(Element|Elements)\("#, "randomness comes in by parameter"),
        (#"\bshuffled?\("#, "randomness comes in by parameter"),
        (#"SystemRandomNumberGenerator"#, "randomness comes in by parameter"),
        (#"\b(ContinuousClock|SuspendingClock|Date\(|clock_gettime)"#, "time comes in by parameter"),
        (#"\bObjectIdentifier\("#, "addresses differ from run to run"),
        (#"\bHasher\(|\.hashValue\b"#, "the standard hash differs from process to process"),
        (#"\bFloat80\b"#, "it exists on one architecture only"),
        (#"(?<!")\b(async|await)\b(?!")|\bTask\s*[{.]|\bactor\s+[A-Z]"#, "the order of steps must be ours"),
        (#"^\s*print\("#, "a pure module does no output"),
    ]

    /// Words that no code of ours has.
    static let bannedEverywhere: [(pattern: String, reason: String)] = [
        (#"\btry!"#, "handle the error"),
        (#"\bas!"#, "use a checked cast"),
        (#"-Ounchecked"#, "checks stay on"),
        (#"^\s*(open|public)\s+(final\s+)?(class|struct|enum|protocol|func|var|let|init|extension)"#, "use `package`"),
    ]

    /// Types that are handed between threads by a discipline that the compiler can't see. Each says so where it stands.
    static let uncheckedSendable: Set<String> = [
        "Sources/Storage/DiskOperation.swift", "Sources/Posix/BlockWriter.swift", "Sources/Posix/GrowingFiles.swift",
        "Sources/RESP/ReplyWriter.swift",
    ]

    static func violations(_ file: SourceFile, _ rules: [(pattern: String, reason: String)]) -> [String] {
        let code = file.lines.map { SourceFile.code($0) }.joined(separator: "\n")
        let range = NSRange(code.startIndex..., in: code)
        var found: [String] = []
        for rule in rules {
            guard let expression = try? NSRegularExpression(pattern: rule.pattern, options: .anchorsMatchLines) else {
                found.append("the pattern \(rule.pattern) is malformed")
                continue
            }
            for match in expression.matches(in: code, range: range) {
                guard let place = Range(match.range, in: code) else { continue }
                let number = code[..<place.lowerBound].utf8.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
                // A pattern that begins with white space may begin on the line before.
                let line = file.lines[min(number, file.lines.count - 1)]
                found.append("\(file.path):\(number + 1): \(rule.reason): \(line.trimmingCharacters(in: .whitespaces))")
            }
        }
        return found
    }

    static func importViolations(_ file: SourceFile) -> [String] {
        guard let allowed = imports[file.module] else { return [] }
        var found: [String] = []
        for (number, line) in file.lines.enumerated() {
            let words = SourceFile.code(line).split(separator: " ").map(String.init)
            guard let at = words.firstIndex(of: "import"), at + 1 < words.count,
                words[..<at].allSatisfy({
                    $0.hasPrefix("@") || ["package", "internal", "private", "public", "fileprivate"].contains($0)
                })
            else { continue }
            let module = words[at + 1] == "struct" || words[at + 1] == "func" ? words.last ?? "" : words[at + 1]
            let name = module.split(separator: ".").first.map(String.init) ?? module
            if !allowed.contains(name) { found.append("\(file.path):\(number + 1): \(file.module) must not import \(name)") }
        }
        return found
    }

    @Test func modulesImportOnlyWhatTheyMay() throws {
        let found = try Tree.files(["Sources", "Simulations"]).flatMap { LintTests.importViolations($0) }
        #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
    }

    @Test func pureModulesStayPure() throws {
        let files = try Tree.files(
            LintTests.pure.map { "Sources/\($0)" } + ["Simulations/Simulator", "Simulations/Differential"])
        #expect(files.count > 20, "the files are found")
        let found = files.flatMap { LintTests.violations($0, LintTests.bannedInPure) }
        #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
    }

    @Test func nothingBannedIsAnywhere() throws {
        let found = try Tree.files(["Sources", "Simulations"]).flatMap { LintTests.violations($0, LintTests.bannedEverywhere) }
        #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
    }

    @Test func uncheckedSendabilityIsListed() throws {
        for file in try Tree.files(["Sources", "Simulations"]) where !LintTests.uncheckedSendable.contains(file.path) {
            let found = LintTests.violations(
                file, [(#"@unchecked Sendable|nonisolated\(unsafe\)"#, "list it, with its discipline")])
            #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
        }
    }

    @Test func noWorkIsLeftInNotes() throws {
        let note = try NSRegularExpression(pattern: "\\b(" + "TO" + "DO|FIX" + "ME|XX" + "X)\\b")
        for file in try Tree.files(["Sources", "Simulations", "Tests"]) {
            let text = file.lines.joined(separator: "\n")
            let found = note.firstMatch(in: text, range: NSRange(text.startIndex..., in: text))
            #expect(found == nil, "\(file.path): finish it or file it")
        }
    }

    @Test func filesStayShort() throws {
        for file in try Tree.files(["Sources", "Simulations"]) {
            #expect(file.lines.count <= 600, "\(file.path) has \(file.lines.count) lines: split it by topic")
        }
    }

    @Test func everyModuleTellsItsStory() throws {
        for module in LintTests.pure {
            let path = Tree.root.appending(path: "Sources/\(module)/\(module).swift")
            let text = try String(contentsOf: path, encoding: .utf8)
            let story = text.components(separatedBy: "\n").filter { $0.hasPrefix("//") }
            #expect(story.count >= 5, "Sources/\(module)/\(module).swift opens with what the module owns and never does")
        }
    }

    // MARK: planted violations

    @Test func theRulesSeeWhatTheyForbid() {
        let planted = SourceFile(
            path: "Sources/Base/Planted.swift",
            lines: [
                "import Foundation", "package import Glibc", "@testable import Node", "let a = Int.random(in: 0..<3)",
                "let b = list.shuffled()", "let c = Date()", "await x()", "let d = try! y()", "public struct Z {}", "print(1)",
            ])
        #expect(LintTests.importViolations(planted).count == 3)
        #expect(LintTests.violations(planted, LintTests.bannedInPure).count == 5)
        #expect(LintTests.violations(planted, LintTests.bannedEverywhere).count == 2)
        let fine = SourceFile(
            path: "Sources/RESP/Fine.swift",
            lines: ["import Base", "// import Foundation, Date(), try! in a comment", "let x = 1"])
        #expect(LintTests.importViolations(fine).isEmpty)
        #expect(LintTests.violations(fine, LintTests.bannedInPure + LintTests.bannedEverywhere).isEmpty)
    }
}
