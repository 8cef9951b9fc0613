import Base
import Foundation
import Glibc
import Testing

@testable import Simulator

/// `kvsim` as a program: the same seed does the same in another process, where hashes of the standard library and addresses differ.
@Suite struct ProcessTests {
    /// The build's products lie beside the test bundle.
    private static let program: String? = {
        let places = [CommandLine.arguments[0], Bundle.main.executablePath ?? ""] + CommandLine.arguments
        for place in places {
            let path = URL(filePath: place).deletingLastPathComponent().appending(path: "kvsim").path
            if access(path, X_OK) == 0 { return path }
        }
        return nil
    }()

    /// A new directory with these files.
    static func makeDirectory(_ files: [String: [UInt8]]) throws -> String {
        let directory = FileManager.default.temporaryDirectory.appending(path: "kvsim-\(getpid())-\(UUID())").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for (name, bytes) in files { try write(bytes, to: "\(directory)/\(name)") }
        return directory
    }

    static func write(_ bytes: [UInt8], to path: String) throws { try Data(bytes).write(to: URL(filePath: path)) }

    static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

    static func run(_ arguments: [String]) throws -> (code: Int32, output: String, errors: String) {
        let process = Foundation.Process()
        process.executableURL = URL(filePath: try #require(Self.program))
        process.arguments = arguments
        let output = Foundation.Pipe()
        process.standardOutput = output
        let errors = Foundation.Pipe()
        process.standardError = errors
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        let complaints = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self), String(decoding: complaints, as: UTF8.self))
    }

    @Test func theSameSeedDoesTheSameInAnotherProcess() throws {
        let here = (41...43 as ClosedRange<UInt64>).map {
            Simulation(RunOptions(seed: $0, duration: .milliseconds(800))).run().summary
        }
        // Two workers, so three processes besides this one.
        let (code, output, _) = try Self.run(["41", "--count", "3", "--jobs", "2", "--duration", "800"])
        #expect(code == 0)
        #expect(output.split(separator: "\n").map(String.init).sorted() == here.sorted())
    }

    @Test func aPlantedBugDecidesTheExitCode() throws {
        let found = try Self.run(["1", "--count", "3", "--duration", "1500", "--fault", "otherState"])
        #expect(found.code == 0 && found.output.contains("stateDigest"))
        // A bug that nothing in a run of one node alone can show.
        let hidden = try Self.run(["1", "--count", "2", "--duration", "300", "--nodes", "1", "--fault", "secondLeader"])
        #expect(hidden.code == 1)
        #expect(try Self.run(["--fault", "nothing"]).code == 64)
    }
}
