import Foundation
import Glibc

/// Where the programs are.
enum Programs {
    /// The directory of the test bundle: the build's products lie beside it.
    static let directory: String = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let places =
            [own, CommandLine.arguments[0]] + CommandLine.arguments.filter { $0.hasSuffix(".xctest") } + [
                Bundle.main.executablePath ?? ""
            ]
        for place in places {
            let directory = URL(filePath: place).deletingLastPathComponent().path
            if access("\(directory)/kvd", X_OK) == 0 { return directory }
        }
        return URL(filePath: own).deletingLastPathComponent().path
    }()

    static var server: String { "\(directory)/kvd" }
    static var tool: String { "\(directory)/kvctl" }
    /// `Tests/peers`: scripts for stock clients.
    static let peers = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "peers").path

    /// Whether a program is on PATH.
    static func has(_ name: String) -> Bool {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return path.split(separator: ":").contains { access("\($0)/\(name)", X_OK) == 0 }
    }

    /// Whether python3 has the package redis.
    static let hasRedisPy = has("python3") && succeeds(["python3", "-c", "import redis"])

    /// Whether a file system can be mounted where only a test's own processes see it.
    static let canMount =
        has("unshare") && has("nsenter")
        && succeeds(["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=1m none /tmp && touch /tmp/probe"])

    /// Whether a program ends with code 0.
    static func succeeds(_ words: [String]) -> Bool {
        guard let result = try? Run(words) else { return false }
        return result.ending == .exited(0)
    }
}

/// A program that was run to its end.
struct Run: CustomStringConvertible {
    let words: [String]
    let ending: ChildProcess.Ending
    let output: String
    let errors: String

    init(_ words: [String], within limit: Duration = .seconds(60)) throws {
        let place = try TemporaryDirectory()
        let process = try ChildProcess(words, output: "\(place.path)/output", errors: "\(place.path)/errors")
        do {
            ending = try process.wait(within: limit)
        } catch {
            throw TestFailure(
                "\(words.joined(separator: " ")) did not end within \(limit)\n"
                    + TemporaryDirectory.tail("\(place.path)/output") + TemporaryDirectory.tail("\(place.path)/errors"))
        }
        self.words = words
        output = TemporaryDirectory.tail("\(place.path)/output", bytes: 1 << 20)
        errors = TemporaryDirectory.tail("\(place.path)/errors", bytes: 1 << 20)
    }

    var description: String { "\(words.joined(separator: " ")): \(ending)\n\(output)\n\(errors)" }
}
