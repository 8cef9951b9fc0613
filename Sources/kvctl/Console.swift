import ArgumentParsing
import Glibc

/// Why an operation failed, in words for the operator: what happened, and what to do about it.
package struct Failure: Error, Equatable, Sendable {
    /// One or more sentences; the first begins in lower case or with a name.
    package var message: String
    /// 1: the operation failed. 64: it was asked for wrongly.
    package var exitCode: Int32

    package init(_ message: String, exitCode: Int32 = 1) {
        self.message = message
        self.exitCode = exitCode
    }

    /// The operation was asked for wrongly.
    static func usage(_ message: String) -> Failure { Failure(message, exitCode: usageExitCode) }

    /// A system call failed.
    static func system(_ what: String, _ code: Int32 = errno) -> Failure { Failure("\(what): \(errorText(code))") }
}

/// What `strerror` says of an error number.
func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }

/// The terminal, or whatever stands in its place.
enum Console {
    /// Whether standard output is a terminal.
    static let isTerminal = isatty(STDOUT_FILENO) == 1
    /// Whether colours are welcome: on a terminal that has them, unless NO_COLOR (no-color.org) is set.
    static let hasColours = isTerminal && getenv("NO_COLOR").map { $0.pointee == 0 } ?? true && terminal != "dumb"
    private static let terminal = getenv("TERM").map { String(cString: $0) } ?? "dumb"

    /// Writes to standard output at once.
    static func output(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }

    /// Writes bytes to standard output at once.
    static func output(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }

    /// Writes to standard error at once.
    static func error(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            // Nobody listens any more.
            if written <= 0 { exit(1) }
            rest = rest.dropFirst(written)
        }
    }

    /// Columns of the terminal; 80 where there is none.
    static var columns: Int {
        var size = winsize()
        if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 { return Int(size.ws_col) }
        return 80
    }
}

/// The few colours that are used, as the codes of ECMA-48. Empty where colours are not welcome.
enum Colour: String {
    case red = "31"
    case green = "32"
    case yellow = "33"
    case bold = "1"
    case faint = "2"

    /// `text` in this colour, on a terminal.
    func paint(_ text: String) -> String { Console.hasColours ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text }
}

/// "1 key", "1,234 keys".
func counted(_ count: Int, _ what: String) -> String { "\(BenchText.grouped(Double(count))) \(what)\(count == 1 ? "" : "s")" }
