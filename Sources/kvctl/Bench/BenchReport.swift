/// What one round says, in numbers to print and compare.
package struct RoundFigures: Equatable, Sendable {
    package var requestsPerSecond: Double
    /// Microseconds.
    package var p50: Double
    package var p99: Double
    package var p999: Double
    package var max: Double
    /// Processor time that the loaded servers spent for one request, in microseconds; nil when they do not say.
    package var serverTime: Double?

    package init(requestsPerSecond: Double, p50: Double, p99: Double, p999: Double, max: Double, serverTime: Double? = nil) {
        self.requestsPerSecond = requestsPerSecond
        self.p50 = p50
        self.p99 = p99
        self.p999 = p999
        self.max = max
        self.serverTime = serverTime
    }

    init(_ result: RoundResult) {
        func microseconds(_ fraction: Double) -> Double { Double(result.latencies.percentile(fraction)) / 1000 }
        self.init(
            requestsPerSecond: result.requestsPerSecond, p50: microseconds(0.5), p99: microseconds(0.99),
            p999: microseconds(0.999),
            max: Double(result.latencies.max) / 1000)
    }

    /// Figure by figure the median of several rounds.
    package static func median(_ rounds: [RoundFigures]) -> RoundFigures {
        let serverTimes = rounds.compactMap { $0.serverTime }
        return RoundFigures(
            requestsPerSecond: kvctl.median(rounds.map { $0.requestsPerSecond }), p50: kvctl.median(rounds.map { $0.p50 }),
            p99: kvctl.median(rounds.map { $0.p99 }), p999: kvctl.median(rounds.map { $0.p999 }),
            max: kvctl.median(rounds.map { $0.max }),
            serverTime: serverTimes.isEmpty ? nil : kvctl.median(serverTimes))
    }

    var json: String {
        JSON.object([
            ("requestsPerSecond", fixed(requestsPerSecond, 0)), ("p50Microseconds", fixed(p50, 1)),
            ("p99Microseconds", fixed(p99, 1)),
            ("p999Microseconds", fixed(p999, 1)), ("maxMicroseconds", fixed(max, 1)),
            ("serverMicrosecondsPerRequest", serverTime.map { fixed($0, 2) } ?? "null"),
        ])
    }

    /// The cells of a table: throughput and latencies in milliseconds.
    var cells: [String] {
        [BenchText.grouped(requestsPerSecond)] + [p50, p99, p999, max].map { fixed($0 / 1000, $0 < 10_000 ? 3 : 1) }
            + [serverTime.map { fixed($0, 2) } ?? "-"]
    }
}

/// The value in the middle, or the mean of the two in the middle; 0 of nothing.
package func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    if sorted.isEmpty { return 0 }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// How A compares with B over rounds that were run in pairs.
package struct RatioFigures: Equatable, Sendable {
    /// Median over the pairs of A's throughput by B's.
    package var median: Double
    /// Least and greatest over the pairs.
    package var min: Double
    package var max: Double

    /// nil unless there is a pair.
    package init?(_ a: [RoundFigures], over b: [RoundFigures]) {
        let ratios = zip(a, b).filter { $1.requestsPerSecond > 0 }.map { $0.requestsPerSecond / $1.requestsPerSecond }
        guard let least = ratios.min(), let most = ratios.max() else { return nil }
        median = kvctl.median(ratios)
        min = least
        max = most
    }
}

/// How benchmarks are printed.
package enum BenchText {
    static let columns = ["requests/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "server us"]

    /// A row of the table: a title of fixed width, cells of fixed width.
    package static func row(_ title: String, _ cells: [String]) -> String {
        var text = title + String(repeating: " ", count: Swift.max(1, 34 - title.count))
        for cell in cells { text += String(repeating: " ", count: Swift.max(1, 11 - cell.count)) + cell }
        return text + "\n"
    }

    /// A figure of INFO's text ("name:value"); nil when it is not there.
    package static func figure(_ name: String, in info: String) -> Double? {
        for line in info.split(whereSeparator: { $0.isNewline }) where line.hasPrefix(name + ":") {
            return Double(line.dropFirst(name.count + 1))
        }
        return nil
    }

    /// A number with commas between groups of three digits.
    package static func grouped(_ value: Double) -> String {
        let digits = Array(fixed(value, 0))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0 && (digits.count - index) % 3 == 0 && digits[index - 1] != "-" { text += "," }
            text.append(digit)
        }
        return text
    }
}
