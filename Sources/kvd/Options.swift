import ArgumentParsing
import Base
import Node
import Posix
import Storage

extension DiskMode: ArgumentValue {}

/// `on` or `off`.
enum Switch: String, CaseIterable, ArgumentValue {
    case on, off
}

/// The name of a log level.
struct LevelName: ArgumentValue {
    let level: LogLine.Level
    init?(argument: String) {
        guard let level = Logger.level(named: argument) else { return nil }
        self.level = level
    }
    static var expectation: String { "one of 'debug', 'info', 'notice', 'warning', 'error'" }
    var argumentText: String { Logger.name(of: level) }
}

/// HOST:PORT.
struct Address: ArgumentValue {
    let value: HostAndPort
    init?(argument: String) {
        guard let value = try? HostAndPort(argument) else { return nil }
        self.value = value
    }
    static var expectation: String { "HOST:PORT, as in 127.0.0.1:7001 or [::1]:7001" }
    var argumentText: String { value.description }
}

/// 32 hexadecimal digits.
struct ClusterIDText: ArgumentValue {
    let value: ClusterID
    init?(argument: String) {
        guard let value = ClusterID(text: argument) else { return nil }
        self.value = value
    }
    static var expectation: String { "32 hexadecimal digits" }
    var argumentText: String { value.description }
}

/// ID=HOST:PORT, with commas between them.
struct PeerList: ArgumentValue {
    let addresses: [NodeID: HostAndPort]
    init?(argument: String) {
        var addresses: [NodeID: HostAndPort] = [:]
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1)
            guard sides.count == 2, let id = UInt32(sides[0]), id > 0, let address = try? HostAndPort(String(sides[1])),
                addresses.updateValue(address, forKey: NodeID(id)) == nil
            else { return nil }
        }
        self.addresses = addresses
    }
    static var expectation: String { "ID=HOST:PORT of each node, with commas between them and no id twice" }
}

/// MIN..MAX in milliseconds.
struct TimeRange: ArgumentValue {
    let least: UInt64
    let most: UInt64
    init?(argument: String) {
        let sides = argument.split(separator: ".", omittingEmptySubsequences: false)
        guard sides.count == 3, sides[1].isEmpty, let least = UInt64(sides[0]), let most = UInt64(sides[2]),
            least >= 10, least < most, most <= 60_000
        else { return nil }
        self.least = least
        self.most = most
    }
    static var expectation: String { "MIN..MAX in milliseconds, from 10 to 60000, as in 250..500" }
    var argumentText: String { "\(least)..\(most)" }
}

/// What `kvd` is told on its command line.
struct Options: Sendable {
    var node: NodeOptions
    var server = ServerOptions()
    var dataPath: String
    var clientAddress: HostAndPort
    var peerAddress: HostAndPort
    var logLevel: LogLine.Level
    var diskMode: DiskMode
    var usesDirectIO: Bool
}

extension Options {
    private static let id = Option<UInt64>(
        "id", isRequired: true, placeholder: "n", help: "This node's number in the cluster, 1 and up.",
        problem: { $0 >= 1 && $0 <= UInt64(UInt32.max) ? nil : "a number from 1 to \(UInt32.max)" })
    private static let clusterID = Option<ClusterIDText>(
        "cluster-id", isRequired: true, placeholder: "hex",
        help: "The cluster's identity, 32 hexadecimal digits, the same on all nodes and drawn once.")
    private static let data = Option<String>(
        "data", isRequired: true, placeholder: "dir", help: "The node's data directory; made when it is missing.")
    private static let listen = Option<Address>(
        "listen", default: Address(argument: "127.0.0.1:7001"), placeholder: "host:port", help: "Where clients connect.")
    private static let peerListen = Option<Address>(
        "peer-listen", default: Address(argument: "127.0.0.1:7101"), placeholder: "host:port",
        help: "Where the other nodes connect.")
    private static let peers = Option<PeerList>(
        "peers", placeholder: "list",
        help: "The nodes of the cluster with their peer addresses, as 1=host:port,2=host:port,3=host:port. This node may be "
            + "left out. Without it the cluster is this node alone.")
    private static let logLevel = Option<LevelName>(
        "log-level", default: LevelName(argument: "info"), placeholder: "level",
        help: "What is logged: debug, info, notice, warning or error and what is graver.")
    private static let electionTimeout = Option<TimeRange>(
        "election-timeout-ms", default: TimeRange(argument: "250..500"), placeholder: "min..max",
        help: "How long a follower hears nothing before it stands for election: a random time from this range.")
    private static let heartbeat = Option<UInt64>(
        "heartbeat-ms", default: 50, placeholder: "ms", help: "How long a leader says nothing to a peer at most.",
        problem: { $0 >= 1 && $0 <= 10_000 ? nil : "a number from 1 to 10000" })
    private static let segmentBytes = Option<Int>(
        "segment-bytes", default: 64 << 20, placeholder: "n", help: "Size of a log segment: a multiple of 4096.",
        problem: { value in
            value >= 1 << 16 && value <= 1 << 32 && value % LogOptions.blockBytes == 0
                ? nil : "a multiple of 4096 from 65536 to 4294967296"
        })
    private static let stateFileLogBytes = Option<Int>(
        "state-file-log-bytes", default: 64 << 20, placeholder: "n",
        help: "How many bytes the log grows before a state file is written and the log's older part goes; more when the state "
            + "file itself is longer.",
        problem: { $0 >= 1 << 16 && $0 <= 1 << 40 ? nil : "a number from 65536 to 1099511627776" })
    private static let stateRate = Option<Int>(
        "state-rate", default: 8 << 20, placeholder: "bytes",
        help:
            "How many bytes a second a state file, or a part of a snapshot, grows while clients are served; more when the state "
            + "would take longer than a minute.",
        problem: { $0 >= 1 << 16 && $0 <= 1 << 40 ? nil : "a number from 65536 to 1099511627776" })
    private static let diskMode = Option<DiskMode>(
        "disk-mode", default: .auto, placeholder: "mode",
        help: "Who writes the log: the kernel while the event loop goes on (async; needs direct writes), the event loop "
            + "(inline), a thread, or the best of them that this machine offers (auto).")
    private static let directIO = Option<Switch>(
        "direct-io", default: .on, placeholder: "on|off",
        help: "Whether log writes bypass the page cache, where the file system allows it.")
    private static let clientsMax = Option<Int>(
        "max-clients", default: 10_000, placeholder: "n", help: "Client connections at most.",
        problem: { $0 >= 1 && $0 <= 1_000_000 ? nil : "a number from 1 to 1000000" })

    /// The command line of `kvd`. Its action checks what no single value shows.
    static let command = ToolCommand<@Sendable (Values) -> Result<Options, Problem>>(
        "kvd", abstract: "A node of a Coracle cluster: a replicated key-value store that speaks the Redis protocol.",
        discussion: "Three nodes on one machine are started more easily with 'kvctl cluster up'.",
        version: "kvd \(Version.coracle) (compatible with Redis \(Version.redis))",
        declares: [
            id, clusterID, data, listen, peerListen, peers, logLevel, electionTimeout, heartbeat, segmentBytes,
            stateFileLogBytes, stateRate, diskMode,
            directIO, clientsMax,
        ],
        action: { Options.checked($0) })

    /// Values that don't fit together.
    struct Problem: Error {
        var message: String
    }

    private static func checked(_ values: Values) -> Result<Options, Problem> {
        let id = NodeID(UInt32(truncatingIfNeeded: values[Self.id]))
        var addresses = values[ifGiven: peers]?.addresses ?? [:]
        if addresses.count > 9 {
            return .failure(Problem(message: "--peers names \(addresses.count) nodes; at most 9 make a cluster"))
        }
        addresses[id] = addresses[id] ?? values[peerListen].value
        let timeout = values[electionTimeout]
        if values[heartbeat] * 2 > timeout.least {
            return .failure(
                Problem(
                    message: "--heartbeat-ms \(values[heartbeat]) is too long for --election-timeout-ms \(timeout.argumentText); "
                        + "give at most half of the lower bound (\(timeout.least / 2))"))
        }
        let members = addresses.map { NodeOptions.Member(id: $0.key, address: $0.value.description) }
        var node = NodeOptions(id: id, clusterID: values[clusterID].value, members: members)
        node.raft.electionTimeoutMin = .milliseconds(timeout.least)
        node.raft.electionTimeoutMax = .milliseconds(timeout.most)
        node.raft.heartbeatInterval = .milliseconds(values[heartbeat])
        node.log.segmentBytes = values[segmentBytes]
        node.stateFiles.logBytesMin = values[stateFileLogBytes]
        node.stateFiles.tailBytes = min(node.stateFiles.tailBytes, values[stateFileLogBytes] / 2)
        node.stateFiles.busyBytesPerSecond = values[stateRate]
        node.limits.clientsMax = values[clientsMax]
        var options = Options(
            node: node, dataPath: values[data], clientAddress: values[listen].value, peerAddress: values[peerListen].value,
            logLevel: values[logLevel].level, diskMode: values[diskMode], usesDirectIO: values[directIO] == .on)
        addresses[id] = nil
        options.server.peers = addresses
        options.server.clientsMax = values[clientsMax]
        return .success(options)
    }
}
