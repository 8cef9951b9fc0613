import Base
import RESP

/// The parameters that CONFIG GET and CONFIG SET know. Most exist because clients and test suites ask for them; those that
/// steer something here say so in `effect`. docs/reference/configuration.md lists which do.
struct ServerConfiguration {
    enum Kind {
        case text
        case integer(ClosedRange<Int64>)
        /// An amount of memory: "100mb" and the like, shown in bytes.
        case memory(ClosedRange<Int64>)
        case boolean
        case choice([String])
        /// Known at start, refused in CONFIG SET.
        case immutable
    }

    struct Parameter {
        let name: String
        var kind: Kind
        var value: String
        /// Set through the log, the same on every node, because it changes results.
        let isReplicated: Bool
        /// Another name for the same value (Redis's old `ziplist` names).
        let alias: String?
    }

    /// Ordered by name.
    private(set) var parameters: [Parameter]
    private(set) var requestLimits = RequestLimits()
    private(set) var clientsMax = 10_000
    /// Seconds after which an idle client is closed; 0 for never.
    private(set) var timeoutSeconds = 0

    /// Commands that take longer are kept in the slow log; nil for none.
    private(set) var slowTime: Nanoseconds? = .milliseconds(10)
    private(set) var slowLogMax: Int64 = 128
    /// Delays from here on are kept by LATENCY; nil for none.
    private(set) var latencyThreshold: Nanoseconds?
    /// Whether the times of commands are counted.
    private(set) var tracksLatency = true

    init() { parameters = ParameterTable.all.sorted { $0.name < $1.name } }

    /// Position of the parameter with this name or alias, ignoring case.
    func position(_ name: String) -> Int? {
        let name = name.lowercased()
        return parameters.firstIndex { $0.name == name || $0.alias == name }
    }

    /// Puts in what the node was started with.
    mutating func start(clientsMax: Int) {
        self.clientsMax = clientsMax
        guard let position = position("maxclients") else { return check(false, "there is a limit on clients") }
        parameters[position].value = String(clientsMax)
        // The process has got descriptors for so many.
        parameters[position].kind = .integer(1...Int64(clientsMax))
    }

    /// Why `value` can't be given to the parameter at `position`, or nil. `normalized` is the text to keep.
    func objection(to value: String, at position: Int, normalized: inout String) -> String? {
        normalized = value
        switch parameters[position].kind {
        case .text: return nil
        case .immutable: return "can't set immutable config"
        case .boolean:
            normalized = value.lowercased()
            return normalized == "yes" || normalized == "no" ? nil : "argument must be 'yes' or 'no'"
        case .choice(let choices):
            normalized = value.lowercased()
            if choices.contains(normalized) { return nil }
            return "argument(s) must be one of the following: \(choices.joined(separator: ", "))"
        case .integer(let range):
            guard let number = Int64(value), !value.hasPrefix("+") else { return "argument couldn't be parsed into an integer" }
            if range.contains(number) { return nil }
            return "argument must be between \(range.lowerBound) and \(range.upperBound) inclusive"
        case .memory(let range):
            guard let bytes = ServerConfiguration.memory(value) else { return "argument must be a memory value" }
            normalized = String(bytes)
            if range.contains(bytes) { return nil }
            return "argument must be between \(range.lowerBound) and \(range.upperBound) inclusive"
        }
    }

    /// Sets a value that `objection` has nothing against.
    mutating func set(_ value: String, at position: Int) {
        parameters[position].value = value
        switch parameters[position].name {
        case "proto-max-bulk-len": requestLimits.bulkBytesMax = Int(value) ?? requestLimits.bulkBytesMax
        case "client-query-buffer-limit": requestLimits.queryBufferMax = Int(value) ?? requestLimits.queryBufferMax
        case "maxclients": clientsMax = Int(value) ?? clientsMax
        case "timeout": timeoutSeconds = Int(value) ?? timeoutSeconds
        case "slowlog-log-slower-than":
            let microseconds = Int64(value) ?? 10_000
            slowTime = microseconds < 0 ? nil : .microseconds(UInt64(min(microseconds, Int64.max / 1000)))
        case "slowlog-max-len": slowLogMax = Int64(value) ?? slowLogMax
        case "latency-monitor-threshold":
            let milliseconds = Int64(value) ?? 0
            latencyThreshold = milliseconds == 0 ? nil : .milliseconds(UInt64(min(milliseconds, Int64.max / 1_000_000)))
        case "latency-tracking": tracksLatency = value == "yes"
        default: break
        }
    }

    /// Bytes of "1k" (1000), "1kb" (1024), "5mb", "1gb" and so on; nil for anything else.
    static func memory(_ text: String) -> Int64? {
        let text = text.lowercased()
        let units: [(String, Int64)] = [
            ("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30), ("k", 1000), ("m", 1_000_000), ("g", 1_000_000_000), ("b", 1),
            ("", 1),
        ]
        for (suffix, factor) in units where text.hasSuffix(suffix) {
            guard let number = Int64(text.dropLast(suffix.count)), number >= 0 else { return nil }
            let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
            return overflow ? nil : bytes
        }
        return nil
    }
}
