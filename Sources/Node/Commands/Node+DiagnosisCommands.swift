import Base
import Database
import RESP

/// SLOWLOG and LATENCY, about this node's own clients.
extension Node {
    // MARK: SLOWLOG

    func slowLogGet(_ connection: ClientConnection) {
        var wanted: Int64 = 10
        if arguments.count > 2 {
            guard arguments.count == 3, let count = parseInteger(arguments[2]), count >= -1 else {
                return replyError(connection, "ERR count should be greater than or equal to -1")
            }
            wanted = count == -1 ? Int64.max : count
        }
        let count = Int(min(wanted, Int64(slowLog.items.count)))
        let writer = connection.writer
        writer.array(count)
        for back in 0..<count {
            let item = slowLog.items[slowLog.items.count - 1 - back]
            writer.array(6)
            writer.integer(item.id)
            writer.integer(item.seconds)
            writer.integer(item.microseconds)
            writer.array(item.words.count)
            for word in item.words { word.withView { writer.bulk($0) } }
            writer.bulk(text: item.address)
            item.name.withView { writer.bulk($0) }
        }
    }

    static let slowLogHelp = [
        "GET [<count>]", "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
        "    Entries are made of:", "    id, timestamp, time in microseconds from taking to answering, arguments array,",
        "    client IP and port, client name",
        "LEN", "    Return the length of the slowlog.",
        "RESET", "    Reset the slowlog.",
    ]

    // MARK: LATENCY

    func latencyLatest(_ connection: ClientConnection) {
        let writer = connection.writer
        writer.array(latencies.events.count)
        for event in latencies.events {
            writer.array(4)
            writer.bulk(text: event.name)
            writer.integer(event.samples.last?.seconds ?? 0)
            writer.integer(event.samples.last?.milliseconds ?? 0)
            writer.integer(event.longest)
        }
    }

    func latencyHistory(_ connection: ClientConnection) {
        let samples = latencies.event(arguments[2])?.samples ?? []
        connection.writer.array(samples.count)
        for sample in samples {
            connection.writer.array(2)
            connection.writer.integer(sample.seconds)
            connection.writer.integer(sample.milliseconds)
        }
    }

    func latencyReset(_ connection: ClientConnection) {
        connection.writer.integer(latencies.reset((2..<arguments.count).map { arguments[$0] }))
    }

    /// The samples as columns of a drawing, newest at the right, with their age below.
    func latencyGraph(_ connection: ClientConnection) {
        guard let event = latencies.event(arguments[2]) else {
            return replyError(connection, "ERR No samples available for event '\(arguments[2].text)'")
        }
        let present = now.wall.milliseconds / 1000
        let highest = event.samples.map(\.milliseconds).max() ?? 0
        let lowest = event.samples.map(\.milliseconds).min() ?? 0
        let marks = ["_", "o", "#"]
        var text = "\(event.name) - high \(highest) ms, low \(lowest) ms (all time high \(event.longest) ms)\n"
        text += String(repeating: "-", count: 80) + "\n"
        for row in stride(from: 3, through: 0, by: -1) {
            for sample in event.samples {
                // Twelve steps: four rows of three marks.
                let step = highest == lowest ? 11 : Int((sample.milliseconds - lowest) * 11 / (highest - lowest))
                text += step / 3 == row ? marks[step % 3] : step / 3 > row ? "|" : " "
            }
            text += "\n"
        }
        let ages = event.samples.map { LatencyMonitor.age(present - $0.seconds) }
        for line in 0..<(ages.map(\.count).max() ?? 0) {
            text += "\n" + ages.map { $0.count > line ? String(Array($0)[line]) : " " }.joined()
        }
        reply(text + "\n", to: connection)
    }

    func latencyDoctor(_ connection: ClientConnection) {
        if configuration.latencyThreshold == nil {
            return reply(
                "The latency monitor is off on this node. CONFIG SET latency-monitor-threshold <milliseconds> turns it on.\n",
                to: connection)
        }
        if latencies.events.isEmpty {
            return reply("No delays were seen since the monitor was turned on or reset.\n", to: connection)
        }
        var text = ""
        for event in latencies.events {
            let sum = event.samples.reduce(0) { $0 + $1.milliseconds }
            let mean = sum / Int64(max(event.samples.count, 1))
            text += "\(event.name): \(event.samples.count) delays (mean \(mean) ms, longest \(event.longest) ms). "
            text +=
                event.name == "log-write"
                ? "The disk took long to make the log durable: other work on it, or a slow disk.\n"
                : "A command waited for the log, for other commands or for itself: see SLOWLOG GET, and KV.STATUS for the log.\n"
        }
        reply(text, to: connection)
    }

    /// LATENCY HISTOGRAM: how many calls took up to so many microseconds, at powers of two.
    func latencyHistogram(_ connection: ClientConnection) {
        countAnswered()
        var wanted: [NodeStatistics.CommandCount] = []
        if arguments.count == 2 {
            wanted = statistics.commandCounts
        } else {
            for index in 2..<arguments.count {
                guard let command = CommandIntrospection.find(arguments[index], table) else { continue }
                for one in [command] + command.subcommands { wanted.append(statistics.commandCounts[one.index]) }
            }
        }
        let shown = wanted.filter { $0.times != nil }
        let writer = connection.writer
        writer.map(shown.count)
        for command in shown {
            guard let times = command.times else { continue }
            writer.bulk(text: command.name)
            writer.map(2)
            writer.bulk("calls")
            writer.integer(Int64(times.count))
            writer.bulk("histogram_usec")
            let steps = LatencyMonitor.cumulative(times)
            writer.map(steps.count)
            for (microseconds, count) in steps {
                writer.integer(microseconds)
                writer.integer(count)
            }
        }
    }

    static let latencyHelp = [
        "DOCTOR", "    Return a human readable latency analysis report.",
        "GRAPH <event>", "    Return an ASCII latency graph for the <event> class.",
        "HISTORY <event>", "    Return time-latency samples for the <event> class.",
        "LATEST", "    Return the latest latency samples for all events.",
        "RESET [<event> ...]", "    Reset latency data of one or more <event> classes.",
        "    (default: reset all data for all event classes)",
        "HISTOGRAM [COMMAND ...]", "    Return a cumulative distribution of commands' times from taking to answering.",
    ]

    /// Replies a text for people.
    func reply(_ text: String, to connection: ClientConnection) {
        var text = text
        text.withUTF8 { connection.writer.verbatim(ByteView(UnsafeRawBufferPointer($0))) }
    }
}

extension LatencyMonitor {
    /// "5s", "12m", "3h", "2d".
    static func age(_ seconds: Int64) -> String {
        switch max(seconds, 0) {
        case ..<60: "\(max(seconds, 0))s"
        case ..<3600: "\(seconds / 60)m"
        case ..<86_400: "\(seconds / 3600)h"
        default: "\(seconds / 86_400)d"
        }
    }

    /// Upper ends in microseconds (powers of two, from 1) with the number of times up to them, where that number grows.
    static func cumulative(_ times: DurationHistogram) -> [(microseconds: Int64, count: Int64)] {
        var result: [(microseconds: Int64, count: Int64)] = []
        var before: UInt64 = 0
        for exponent in 0..<43 {
            let end = UInt64(1) << UInt64(exponent)
            let count = times.count(upTo: Nanoseconds(end * 1024 - 1))
            if count > before { result.append((Int64(end * 1024 / 1000), Int64(count))) }
            before = count
            if count == times.count { break }
        }
        return result
    }
}
