import ArgumentParsing
import Base

/// A span of time as it is written on a command line: "30s", "15m", "1h", "2d".
package struct Interval: Equatable, Sendable, ArgumentValue {
    package var seconds: UInt64

    /// The longest one: a year.
    private static let secondsMax: UInt64 = 366 * 86_400

    package init(seconds: UInt64) { self.seconds = seconds }

    package init?(argument: String) {
        guard let unit = argument.last, let count = UInt64(argument.dropLast()), argument.first?.isNumber == true else {
            return nil
        }
        let factor: UInt64
        switch unit {
        case "s": factor = 1
        case "m": factor = 60
        case "h": factor = 3600
        case "d": factor = 86_400
        default: return nil
        }
        let (seconds, overflow) = count.multipliedReportingOverflow(by: factor)
        if overflow || seconds == 0 || seconds > Interval.secondsMax { return nil }
        self.seconds = seconds
    }

    package static var expectation: String { "a number with s, m, h or d behind it, from 1s to 366d" }

    package var argumentText: String {
        for (unit, factor) in [("d", UInt64(86_400)), ("h", 3600), ("m", 60)] where seconds % factor == 0 {
            return "\(seconds / factor)\(unit)"
        }
        return "\(seconds)s"
    }

    var duration: Nanoseconds { .milliseconds(seconds * 1000) }
}
