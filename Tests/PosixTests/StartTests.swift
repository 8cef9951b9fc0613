import Foundation
import Glibc
import Testing

@testable import Posix

/// The program itself, started wrongly: one clear line each, and the right exit code.
@Suite struct StartTests {
    /// Where the programs are: beside the tests.
    static func program(_ name: String) throws -> URL {
        let executable = URL(fileURLWithPath: ProcessInformation.executable)
        var directory = executable.deletingLastPathComponent()
        for argument in CommandLine.arguments where argument.contains(".xctest") {
            // The test runner is the toolchain's; the bundle lies where the products are.
            directory = URL(fileURLWithPath: argument).deletingLastPathComponent()
        }
        let url = directory.appendingPathComponent(name)
        guard FileManager.default.isExecutableFile(atPath: url.path) else { throw TestError.timedOut("\(url.path) is missing") }
        return url
    }

    struct Outcome {
        var code: Int32
        var output: String
    }

    static let cluster = "00112233445566778899aabbccddeeff"

    /// A `kvd` that runs.
    final class Running {
        let process = Process()
        private let pipe = Pipe()

        init(_ arguments: [String]) throws {
            process.executableURL = try StartTests.program("kvd")
            process.arguments = arguments
            process.standardError = pipe
            process.standardOutput = pipe
            try process.run()
        }

        deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

        /// Reads the log until it has `text`.
        func wait(for text: String) throws {
            var seen = ""
            while !seen.contains(text) {
                let data = pipe.fileHandleForReading.availableData
                if data.isEmpty { throw TestError.timedOut("\"\(text)\" in: \(seen)") }
                seen += String(decoding: data, as: UTF8.self)
            }
        }

        /// Waits for the end.
        func outcome() -> Outcome {
            let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return Outcome(code: process.terminationStatus, output: output)
        }
    }

    func run(_ arguments: [String]) throws -> Outcome { try Running(arguments).outcome() }

    func arguments(
        _ directory: String, cluster: String = StartTests.cluster, id: Int = 1, listen: String = "127.0.0.1:0",
        _ more: [String] = []
    ) -> [String] {
        [
            "--id", "\(id)", "--cluster-id", cluster, "--data", directory, "--listen", listen, "--peer-listen", "127.0.0.1:0",
            "--segment-bytes", "1048576",
        ] + more
    }

    @Test(arguments: [
        (["--no-such-flag"], "--no-such-flag"),
        (["--id", "0"], "a number from 1 to"),
        (["--cluster-id", "12"], "32 hexadecimal digits"),
        (["--listen", "7001"], "HOST:PORT"),
        (["--peers", "1=a:1,1=b:2"], "ID=HOST:PORT"),
        (["--disk-mode", "fast"], "'auto', 'async', 'inline', 'thread'"),
        (["--direct-io", "maybe"], "'on', 'off'"),
        (["--log-level", "loud"], "'debug', 'info'"),
        (["--election-timeout-ms", "500..250"], "MIN..MAX"),
        (["--heartbeat-ms", "200"], "at most half of the lower bound (125)"),
        (["--segment-bytes", "1000"], "a multiple of 4096"),
        (["--max-clients", "0"], "a number from 1 to 1000000"),
    ])
    func aWrongCommandLineIsExplained(more: [String], expected: String) throws {
        let outcome = try run(["--id", "1", "--cluster-id", StartTests.cluster, "--data", "/nowhere"] + more)
        #expect(outcome.code == 64)
        #expect(outcome.output.contains(expected), "\(outcome.output)")
    }

    @Test func whatIsMissingIsNamed() throws {
        let outcome = try run([])
        #expect(outcome.code == 64)
        #expect(outcome.output.contains("--id"))
    }

    @Test func aPortInUseIsOneLine() throws {
        let temporary = try TemporaryDirectory()
        let any = try SocketAddress.resolve(HostAndPort("127.0.0.1:0"), numericOnly: true)
        let socket = try BoundSocket(any)
        let descriptor = try socket.listen(backlog: 1)
        defer { close(descriptor) }
        let outcome = try run(arguments(temporary.path, listen: socket.address.text))
        expectOneLine(outcome, "can't listen on \(socket.address.text): the port is in use")
    }

    @Test func anUnwritableDirectoryIsOneLine() throws {
        let outcome = try run(arguments("/sys/coracle-test"))
        expectOneLine(outcome, "can't make data directory /sys/coracle-test")
    }

    @Test func aNodeStopsInOrderAndItsDirectoryIsItsOwn() throws {
        let temporary = try TemporaryDirectory()
        let first = try Running(arguments(temporary.path))
        try first.wait(for: "serves clients on")
        let second = try run(arguments(temporary.path))
        expectOneLine(second, "is in use by process \(first.process.processIdentifier)")
        kill(first.process.processIdentifier, SIGTERM)
        let end = first.outcome()
        #expect(end.code == 0, "\(end.output)")
        #expect(end.output.contains("stopped"))
        let other = String(StartTests.cluster.reversed())
        expectOneLine(try run(arguments(temporary.path, cluster: other)), "it belongs to cluster \(StartTests.cluster)")
        expectOneLine(try run(arguments(temporary.path, id: 2)), "it belongs to node 1")
        // A byte of the first segment's header.
        let log = try #require(temporary.files().first { $0.hasPrefix("log-") })
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: "\(temporary.path)/\(log)"))
        try file.write(contentsOf: Data([0x55]))
        try file.close()
        expectOneLine(try run(arguments(temporary.path)), "kvctl log inspect")
    }

    func expectOneLine(_ outcome: Outcome, _ text: String) {
        #expect(outcome.code == 1, "\(outcome.output)")
        let errors = outcome.output.split(separator: "\n").filter { $0.contains("error") }
        #expect(errors.count == 1 && outcome.output.contains(text), "\(outcome.output)")
    }
}
