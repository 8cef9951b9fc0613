import Base
import CLinux
import Glibc
import Node

/// The operator's log: one line per message on a descriptor (stderr): time in UTC, level, node, message.
///
/// It never holds up the server: when the descriptor is a pipe that nobody reads, lines are dropped and counted, and the
/// count is told as soon as there is room again.
package final class Logger {
    /// Lines below this level are not written.
    package var level: LogLine.Level
    private let descriptor: Int32
    private let node: String
    private let hasColours: Bool
    private var dropped = 0

    /// A logger on `descriptor` that signs with `node` ("node 1"). Colours are used only on a terminal, and not when
    /// `NO_COLOR` is set.
    package init(level: LogLine.Level = .info, node: String, descriptor: Int32 = STDERR_FILENO) {
        self.level = level
        self.node = node
        self.descriptor = descriptor
        hasColours = isatty(descriptor) == 1 && getenv("NO_COLOR") == nil
    }

    /// Writes a line, if its level is high enough.
    package func log(_ line: LogLine) { log(line.level, line.message) }

    /// Writes a line, if its level is high enough. `message` is evaluated only then.
    package func log(_ level: LogLine.Level, _ message: @autoclosure () -> String) {
        if level < self.level { return }
        guard hasRoom() else {
            dropped += 1
            return
        }
        if dropped > 0 {
            write(format(.warning, "\(dropped) log lines were dropped, because nobody read them"))
            dropped = 0
        }
        write(format(level, message()))
    }

    /// Whether a line can be written without blocking. A pipe that poll calls writable takes 4096 bytes at least.
    private func hasRoom() -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&request, 1, 0) == 1 && request.revents & Int16(POLLOUT) != 0
    }

    private func write(_ text: String) {
        var line = text
        line.withUTF8 { bytes in
            // A line that can't be written is lost: there is nowhere to say so.
            _ = Glibc.write(descriptor, bytes.baseAddress, min(bytes.count, 4096))
        }
    }

    private func format(_ level: LogLine.Level, _ message: String) -> String {
        let time = timestamp(SystemClock.wall())
        let name = Logger.name(of: level)
        let padded = name + String(repeating: " ", count: 7 - name.utf8.count)
        // A message stays one line whatever a client put into it.
        let flat = String(message.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
        if !hasColours { return "\(time) \(padded) \(node): \(flat)\n" }
        let colour =
            switch level {
            case .debug: "\u{1B}[2m"
            case .info: ""
            case .notice: "\u{1B}[36m"
            case .warning: "\u{1B}[33m"
            case .error: "\u{1B}[31m"
            }
        return "\u{1B}[2m\(time)\u{1B}[0m \(colour)\(padded)\u{1B}[0m \(node): \(flat)\n"
    }

    /// The level's name, as `--log-level` takes it.
    package static func name(of level: LogLine.Level) -> String {
        switch level {
        case .debug: "debug"
        case .info: "info"
        case .notice: "notice"
        case .warning: "warning"
        case .error: "error"
        }
    }

    /// The level of that name, or nil.
    package static func level(named name: String) -> LogLine.Level? {
        [LogLine.Level.debug, .info, .notice, .warning, .error].first { Logger.name(of: $0) == name }
    }
}

/// UTC in the form 2026-11-21T05:48:57.123Z (RFC 3339). The date is computed from the day number (Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
package func timestamp(_ wall: WallTime) -> String {
    func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
    let milliseconds = wall.milliseconds
    let days = milliseconds / 86_400_000
    let ofDay = milliseconds % 86_400_000
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(padded(ofDay / 3_600_000, 2)):"
        + "\(padded(ofDay / 60_000 % 60, 2)):\(padded(ofDay / 1000 % 60, 2)).\(padded(ofDay % 1000, 3))Z"
}
