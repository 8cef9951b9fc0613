import Foundation

/// The Swift files of the repository, for the rules of the house.
struct SourceFile {
    /// From the root of the repository: "Sources/Base/Base.swift".
    let path: String
    let lines: [String]

    /// "Base" for Sources/Base/…, "Simulator" for Simulations/Simulator/….
    var module: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
    /// What is left of a line without a comment at its end. (Good enough: no string here holds two slashes but addresses.)
    static func code(_ line: String) -> String {
        guard let comment = line.range(of: "//") else { return line }
        return String(line[..<comment.lowerBound])
    }
}

enum Tree {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// All Swift files under the given folders.
    static func files(_ folders: [String]) throws -> [SourceFile] {
        var found: [SourceFile] = []
        for folder in folders {
            let base = root.appending(path: folder)
            guard let paths = FileManager.default.enumerator(atPath: base.path) else { continue }
            for case let path as String in paths where path.hasSuffix(".swift") {
                let text = try String(contentsOf: base.appending(path: path), encoding: .utf8)
                found.append(SourceFile(path: "\(folder)/\(path)", lines: text.components(separatedBy: "\n")))
            }
        }
        return found.sorted { $0.path < $1.path }
    }
}
