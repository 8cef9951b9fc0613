import Base
import Glibc

/// A line on the terminal that shows how far a long operation is. Nothing is written where standard error is no terminal.
package struct ProgressBar {
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
        if isDue() { draw(ProgressBar.line(title, done, of: total, keys: keys)) }
    }

    /// Shows that `done` of `total` bytes are done, at most ten times a second.
    mutating func show(bytes done: Int, of total: Int) {
        if isDue() { draw(ProgressBar.line(title, bytes: done, of: total)) }
    }

    /// Shows how long something takes of which nobody knows how far it is, at most ten times a second.
    mutating func show(elapsed: Nanoseconds) {
        if isDue() { draw("\(title)  \(fixed(Double(elapsed.rawValue) / 1e9, 1)) s") }
    }

    private mutating func isDue() -> Bool {
        if !isShown { return false }
        let now = monotonicNow()
        if now < next { return false }
        next = now + ProgressBar.interval
        return true
    }

    private mutating func draw(_ line: String) {
        isDrawn = true
        Console.error("\r" + line + "\u{1B}[K")
    }

    /// Takes the line away.
    mutating func clear() {
        if isDrawn { Console.error("\r\u{1B}[K") }
        isDrawn = false
    }

    /// The line's text.
    package static func line(_ title: String, _ done: Int, of total: Int, keys: Int) -> String {
        bar(title, done, of: total) + "\(BenchText.grouped(Double(keys))) keys"
    }

    /// The same for bytes: "fetching [###---]  50 %  1.0 MiB of 2.0 MiB".
    package static func line(_ title: String, bytes done: Int, of total: Int) -> String {
        bar(title, done, of: total) + "\(StatusText.bytes(Int64(done))) of \(StatusText.bytes(Int64(total)))"
    }

    private static func bar(_ title: String, _ done: Int, of total: Int) -> String {
        let share = total <= 0 ? 1 : min(1, Double(max(done, 0)) / Double(total))
        let filled = Int(share * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
        let percent = String(Int(share * 100))
        return "\(title) [\(bar)] \(String(repeating: " ", count: 3 - percent.count))\(percent) %  "
    }
}
