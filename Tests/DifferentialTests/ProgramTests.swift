import Foundation
import Testing

/// The program itself, in processes of its own.
@Suite(.serialized) struct ProgramTests {
    /// Nothing but the log decides: the same log, with commands of all families, in two processes with other environments, time zones,
    /// languages and hash seeds of the runtime gives the same replies and leads to the same state.
    @Test func digestsDoNotDependOnTheEnvironment() throws {
        let arguments = ["--mode", "digest", "--sequences", "25", "--seed", "77"]
        let one = try Program(arguments, environment: ["TZ": "UTC", "LANG": "C", "SWIFT_DETERMINISTIC_HASHING": "1"])
        let two = try Program(
            arguments,
            environment: ["TZ": "Pacific/Chatham", "LC_ALL": Program.foreignLocale, "MALLOC_PERTURB_": "165"])
        #expect(one.code == 0 && two.code == 0)
        #expect(one.output == two.output)
        let lines = one.output.split(separator: "\n")
        #expect(lines.count == 25 && Set(lines).count == 25, "a digest for each sequence, and all differ")
        #expect(try Program(["--mode", "digest", "--sequences", "25", "--seed", "78"], environment: [:]).output != one.output)
    }

    /// The test above sees it when something else decides.
    @Test func anOrderOfTheRuntimeIsFound() throws {
        let arguments = ["--mode", "digest", "--sequences", "4", "--seed", "77", "--plant"]
        let one = try Program(arguments, environment: ["SWIFT_DETERMINISTIC_HASHING": "1"])
        let two = try Program(arguments)
        #expect(one.code == 0 && two.code == 0 && one.output != two.output)
    }

    @Test(.enabled(if: Program.hasRedis, "redis-server is not installed"))
    func aRealRedisAnswersTheSame() throws {
        let run = try Program(["--sequences", "20", "--seed", "5", "--json"])
        #expect(run.code == 0, "\(run.output)\(run.error)")
        #expect(run.output.contains("\"failures\":[]") && run.output.contains("\"sequences\":20,"))
    }

    @Test(.enabled(if: Program.hasRedis, "redis-server is not installed"))
    func aPlantedBugIsFoundAgainstARealRedis() throws {
        let run = try Program(["--sequences", "10", "--plant"])
        #expect(run.code == 0, "\(run.output)\(run.error)")
        #expect(run.output.contains("commands show it:") && run.output.contains("again: kvdiff --mode direct --seed 1 --first "))
    }

    @Test func wrongUsageIsToldApart() throws {
        #expect(try Program(["--family", "nosuch"]).code == 64)
        #expect(try Program(["--peer", "127.0.0.1:1"]).code == 69)
    }
}

/// kvdiff, run to its end.
private struct Program {
    let code: Int32
    let output: String
    let error: String

    static let hasRedis = ["/usr/bin/redis-server", "/usr/local/bin/redis-server"].contains {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// A locale with other letters and a decimal comma, where the machine has one.
    static let foreignLocale: String = {
        for name in ["tr_TR.UTF-8", "de_DE.UTF-8", "fr_FR.UTF-8"] {
            if let locale = newlocale(1 << LC_NUMERIC, name, nil) {
                freelocale(locale)
                return name
            }
        }
        return "tr_TR.UTF-8"
    }()

    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        let process = Process()
        let file: URL = try #require(Program.file, "kvdiff is built beside the tests")
        process.executableURL = file
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe()
        let error = Pipe()
        process.standardOutput = output
        process.standardError = error
        // Not `waitUntilExit`: it needs a run loop, which a test's thread does not have.
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
        self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        self.error = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        ended.wait()
        code = process.terminationStatus
    }

    /// kvdiff in the directory of the test bundle that runs.
    private static var file: URL? {
        for argument in CommandLine.arguments where argument.contains(".xctest") {
            var url = URL(filePath: argument)
            while !url.path.hasSuffix(".xctest") && url.path != "/" { url.deleteLastPathComponent() }
            let program = url.deletingLastPathComponent().appending(path: "kvdiff")
            if FileManager.default.isExecutableFile(atPath: program.path) { return program }
        }
        return nil
    }
}
