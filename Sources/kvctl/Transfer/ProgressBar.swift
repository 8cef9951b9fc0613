import Base
import Glibc

/// A line on the terminal that shows how far a long operation is. Nothing is written where standard error is no terminal.
struct ProgressBar {
    private let title: String
    private let isShown: Bool
    private var next = Instant(nanoseconds: 0)
    private var isDrawn = false

    private static let width = 30
    private static let interval = Nanoseconds.milliseconds(100)

    init(_ title: String, isWanted: Bool = true) {
        self.title = title
        isShown = isWanted && isatty(STDERR_FILENO) == 1
    }

    /// Shows that `done` of `total` is done, at most ten times a second.
    mutating func show(_ done: Int, of total: Int, keys: Int) {
        if !isShown { return }
        let now = monotonicNow()
        if now < next { return }
        next = now + ProgressBar.interval
        isDrawn = true
        Console.error("\r" + ProgressBar.line(title, done, of: total, keys: keys))
    }

    /// Takes the line away.
    mutating func clear() {
        if isDrawn { Console.error("\r" + String(repeating: " ", count: 79) + "\r") }
        isDrawn = false
    }

    /// The line's text.
    static func line(_ title: String, _ done: Int, of total: Int, keys: Int) -> String {
        let share = total <= 0 ? 1 : min(1, Double(max(done, 0)) / Double(total))
        let filled = Int(share * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
        let percent = String(Int(share * 100))
        return "\(title) [\(bar)] \(String(repeating: " ", count: 3 - percent.count))\(percent) %  "
            + "\(BenchText.grouped(Double(keys))) keys"
    }
}
