/// A difference as it is shown.
package struct MismatchReport {
    /// The lines, without line ends.
    package let lines: [String]

    /// - Parameters:
    ///   - title: which sequence it was.
    ///   - original: the sequence as it was made.
    ///   - shortest: what is left of it.
    package init(title: String, original: CommandSequence, shortest: CommandSequence, mismatch: Mismatch) {
        let forms = shortest.forms == .tiny ? "tiny" : "usual"
        var lines = [
            "\(title): '\(mismatch.name)' differs (RESP\(shortest.isVersionThree ? 3 : 2), \(forms) small forms); "
                + "\(shortest.steps.count) of \(original.steps.count) commands show it:"
        ]
        lines += shortest.steps.map { "    " + $0.line }
        lines += ["  Coracle replies:"] + MismatchReport.indented(mismatch.ours)
        lines += ["  Redis replies:"] + MismatchReport.indented(mismatch.theirs)
        if !mismatch.note.isEmpty { lines.append("  \(mismatch.note)") }
        self.lines = lines
    }

    private static func indented(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }
    }
}
