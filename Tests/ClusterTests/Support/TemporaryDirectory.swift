import Foundation
import Glibc

/// A directory that goes away with its owner, unless CORACLE_KEEP_TEST_DATA is set.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let place = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(place)/coracle-cluster-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TestFailure.system("make a directory in \(place)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        if ProcessInfo.processInfo.environment["CORACLE_KEEP_TEST_DATA"] != nil { return }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The end of a text file.
    static func tail(_ path: String, bytes: Int = 6000) -> String {
        guard let file = FileHandle(forReadingAtPath: path) else { return "(no \(path))" }
        defer { try? file.close() }
        let size = (try? file.seekToEnd()) ?? 0
        try? file.seek(toOffset: size > UInt64(bytes) ? size - UInt64(bytes) : 0)
        return String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
    }
}
