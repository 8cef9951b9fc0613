import Foundation
import RESP
import Testing

import kvctl

/// The program itself against a real redis-server; skipped, and said so, where none is installed.
@Suite(.serialized, .enabled(if: RedisServer.isInstalled, "redis-server is not installed"))
struct RedisServerTests {
    @Test func repliesArePrintedAndErrorsGiveAnExitCode() throws {
        let server = try RedisServer()
        defer { server.stop() }
        #expect(try server.kvctl(["--no-raw", "rpush", "l", "a b", "c"]) == Outcome(code: 0, output: "(integer) 2\n", error: ""))
        #expect(
            try server.kvctl(["--no-raw", "lrange", "l", "0", "-1"])
                == Outcome(code: 0, output: "1) \"a b\"\n2) \"c\"\n", error: ""))
        #expect(try server.kvctl(["lrange", "l", "0", "-1"]) == Outcome(code: 0, output: "a b\nc\n", error: ""))
        #expect(try server.kvctl(["-3", "--no-raw", "config", "get", "save"]).output == "1# \"save\" => \"\"\n")
        let wrong = try server.kvctl(["get", "l"])
        #expect(wrong.code == 1 && wrong.output.isEmpty && wrong.error.hasPrefix("WRONGTYPE"))
        #expect(try server.kvctl(["status"]).code == 1)
    }

    @Test func aBenchmarkCountsEveryRequestAndEveryError() throws {
        let server = try RedisServer()
        defer { server.stop() }
        let plain = try server.kvctl([
            "bench", "--requests", "1000", "--clients", "7", "--pipeline", "3", "--keys", "10", "--json",
        ])
        #expect(plain.code == 0 && plain.output.contains("\"errors\":0,\"firstError\":null"))
        #expect(try server.kvctl(["info", "commandstats"]).output.contains("cmdstat_set:calls=1000,"))
        // Every SET fails now: the errors are counted and the first is shown.
        #expect(try server.kvctl(["config", "set", "maxmemory", "1"]).code == 0)
        let failing = try server.kvctl(["bench", "--requests", "100", "--clients", "3", "--json"])
        #expect(failing.code == 1 && failing.output.contains("\"errors\":100,\"firstError\":\"OOM"))
        let pair = try server.kvctl([
            "bench", "--workload", "get", "--no-fill", "--requests", "100", "--rounds", "2", "--against", "\(server.port)",
        ])
        #expect(pair.code == 0 && pair.output.contains("A / B    throughput "))
    }
}

/// What a program said and how it ended.
private struct Outcome: Equatable {
    var code: Int32
    var output: String
    var error: String
}

/// A redis-server of its own, on a port that was free.
private final class RedisServer {
    static let path: String? = ["/usr/bin/redis-server", "/usr/local/bin/redis-server"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    static var isInstalled: Bool { path != nil }

    let port: Int
    private let process = Process()
    private let ended = DispatchSemaphore(value: 0)

    init() throws {
        var started: Int?
        for candidate in 7280..<7290 {
            process.executableURL = URL(fileURLWithPath: RedisServer.path ?? "")
            process.arguments = [
                "--port", "\(candidate)", "--save", "", "--bind", "127.0.0.1", "--maxmemory-policy", "noeviction",
            ]
            if started == nil && RedisServer.isFree(candidate) { started = candidate }
            if started != nil { break }
        }
        port = try #require(started, "a port from 7280 to 7289 is free")
        process.standardOutput = FileHandle.nullDevice
        let ended = ended
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
        let deadline = Date().addingTimeInterval(20)
        while try kvctl(["ping"]).output != "PONG\n" {
            try #require(Date() < deadline && process.isRunning, "redis-server answers")
        }
    }

    func stop() {
        // A test's thread blocks signals, and its children inherit that: SIGTERM would not reach the server.
        kill(process.processIdentifier, SIGKILL)
        ended.wait()
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) != 0 }
        }
    }

    /// Runs kvctl against this server.
    func kvctl(_ words: [String]) throws -> Outcome {
        let program = Process()
        let file: URL = try #require(RedisServer.builtProgram, "kvctl is built beside the tests")
        program.executableURL = file
        program.arguments = ["--server", "127.0.0.1:\(port)"] + words
        let output = Pipe()
        let error = Pipe()
        program.standardOutput = output
        program.standardError = error
        // Not `waitUntilExit`: it needs a run loop, which a test's thread does not have.
        let ended = DispatchSemaphore(value: 0)
        program.terminationHandler = { _ in ended.signal() }
        try program.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        let complained = error.fileHandleForReading.readDataToEndOfFile()
        ended.wait()
        return Outcome(
            code: program.terminationStatus, output: String(decoding: said, as: UTF8.self),
            error: String(decoding: complained, as: UTF8.self))
    }

    /// kvctl in the directory of the test bundle that runs.
    private static var builtProgram: URL? {
        for argument in CommandLine.arguments where argument.contains(".xctest") {
            var url = URL(fileURLWithPath: argument)
            while !url.path.hasSuffix(".xctest") && url.path != "/" { url.deleteLastPathComponent() }
            let program = url.deletingLastPathComponent().appendingPathComponent("kvctl")
            if FileManager.default.isExecutableFile(atPath: program.path) { return program }
        }
        return nil
    }
}
