import ArgumentParsing

/// The declaration of every command.
enum Tool {
    /// What a command does.
    enum Action: Sendable {
        case up, status, down, kill, pause, resume, start
        case transferLeader
        case bench
        case importFile, exportFile
        case inspectLog
        case takeSnapshot, fetchSnapshot, listSnapshots, showSnapshot, verifySnapshot
        case diffSnapshots, drawSnapshot, scheduleSnapshots, restoreSnapshot
        case redisCommand

        /// Does it; returns the exit code.
        func run(_ values: Values) throws(Failure) -> Int32 {
            switch self {
            case .up: try ClusterUp.run(values)
            case .status: try StatusCommand.run(values)
            case .down: try ClusterCommands.down(values)
            case .kill: try ClusterCommands.kill(values)
            case .pause: try ClusterCommands.pause(values)
            case .resume: try ClusterCommands.resume(values)
            case .start: try ClusterCommands.start(values)
            case .transferLeader: try TransferCommand.run(values)
            case .bench: try BenchCommand.run(values)
            case .importFile: try ImportCommand.run(values)
            case .exportFile: try ExportCommand.run(values)
            case .inspectLog: try LogCommand.run(values)
            case .takeSnapshot: try SnapshotTake.run(values)
            case .fetchSnapshot: try SnapshotFetch.run(values)
            case .listSnapshots: try SnapshotList.run(values)
            case .showSnapshot: try SnapshotShow.run(values)
            case .verifySnapshot: try SnapshotVerify.verify(values)
            case .diffSnapshots: try SnapshotDiff.run(values)
            case .scheduleSnapshots: try SnapshotSchedule.run(values)
            case .restoreSnapshot: try SnapshotRestore.run(values)
            case .drawSnapshot: try SnapshotDiagram.run(values)
            case .redisCommand: try RedisCommand.run(values)
            }
        }
    }

    static let version = "kvctl 0.1.0"
    static let dataDefault = "./data"

    // For all commands.
    static let data = Option("data", default: dataDefault, placeholder: "directory", help: "The local cluster's data directory.")
    static let server = Option<Address>(
        "server", short: "s", placeholder: "host:port", help: "A server to ask instead of the local cluster.")

    // For single Redis commands.
    static let raw = Flag("raw", help: "Print replies bare, as into a pipe.")
    static let formatted = Flag("no-raw", help: "Print replies with their types, as on a terminal.")
    static let three = Flag("resp3", short: "3", help: "Speak RESP3.")
    static let line = RestOfLine("command", help: "A Redis command and its arguments.")

    // For clusters.
    static let json = Flag("json", help: "Print JSON, for programs.")
    static let nodes = Option(
        "nodes", default: ClusterFile.defaults.nodes, help: "How many nodes.",
        problem: { (count: Int) in count < 1 || count > 9 ? "a number from 1 to 9" : nil })
    static let clientPort = Option(
        "client-port", default: ClusterFile.defaults.clientPort, placeholder: "port",
        help: "Port for clients of node 1; the other nodes take the ports after it.", problem: portProblem)
    static let peerPort = Option(
        "peer-port", default: ClusterFile.defaults.peerPort, placeholder: "port",
        help: "Port for the other nodes of node 1; the other nodes take the ports after it.", problem: portProblem)
    static let detach = Flag("detach", short: "d", help: "Leave the cluster running and return.")
    static let logLevel = Option("log-level", default: LogLevel.info, placeholder: "level", help: "What the nodes log.")
    static let wait = Option(
        "wait", default: 60, placeholder: "seconds", help: "How long to wait for a leader.",
        problem: { (seconds: Int) in seconds < 1 || seconds > 86_400 ? "1 to 86400 seconds" : nil })
    static let serverOptions = RestOfLine("kvd-options", help: "More options for every kvd, behind '--'.")
    static let node = Argument<Int>("node", help: "The node's number, 1 and up.")
    static let to = Option<Int>(
        "to", placeholder: "node", help: "The node that shall lead; the most up-to-date one unless given.")

    // For logs.
    static let directory = Argument<String>("directory", help: "A node's data directory, as in ./data/node-1.")
    static let brief = Flag("brief", help: "Print only segments and what is not as it should be.")

    // For snapshots.
    static let snapshotDirectory = Argument<String>("directory", help: "Where the snapshot is, or shall be.")
    static let from = Option<Int>("node", help: "The node that begins it; the first that answers unless given.")
    static let strict = Flag(
        "strict", help: "Hold replies until the cut is made, so that it is a point in real time (the default).")
    static let causal = Flag("causal", help: "Don't hold replies: the cut is consistent, but not a point in real time.")
    static let whole = Flag("whole", help: "Abort the snapshot where a part would be missing.")
    static let snapshotID = Argument<UInt64>(
        "id", help: "The snapshot's number, as 'kvctl snapshot list' shows it.", problem: { $0 == 0 ? "a number above 0" : nil })
    static let allowPartial = Flag(
        "allow-partial", help: "Restore although parts are missing; what may be missing is said.")
    static let every = Option<Interval>("every", isRequired: true, placeholder: "interval", help: "How often: 30s, 15m, 1h, 1d.")
    static let keep = Option(
        "keep", default: 24, placeholder: "count", help: "How many are kept.", problem: between(1, 1_000_000))
    static let shelf = Argument<String>("directory", help: "Where the snapshots go, each into a directory of its own.")
    static let firstSnapshot = Argument<String>("before", help: "The directory of a snapshot.")
    static let secondSnapshot = Argument<String>("after", help: "The directory of another one.")
    static let diffKeys = Option(
        "keys", default: 10, help: "How many keys of each kind are named.", problem: between(0, 1_000_000))
    static let picture = Option<String>(
        "output", short: "o", placeholder: "file", help: "Where the picture goes; printed unless given.")
    static let allowMissing = Flag("allow-missing", help: "Collect what there is though parts are gone.")
    static let snapshotTimeout = Option<UInt64>(
        "timeout", placeholder: "ms",
        help: "After this the snapshot ends with what there is. (default: 10 s, and twice what the state takes)",
        problem: { $0 < 1 || $0 > 3_600_000 ? "1 to 3600000 milliseconds" : nil })

    // For RDB files.
    static let rdbFile = Argument<String>("file", help: "An RDB file, as redis-server writes it.")
    static let replace = Flag("replace", help: "Overwrite what is there: keys at an import, the file at an export.")
    static let skipUnsupported = Flag(
        "skip-unsupported", help: "Exit with 0 even though the file has functions or values of modules, which can't be taken.")
    static let database = Option<Int>("database", help: "Only the keys of this database.", problem: between(0, 1 << 30))

    // For load.
    static let workload = Option(
        "workload", default: Workload.set, placeholder: "name", help: "What is asked: set, get, incr or mixed.")
    static let clients = Option("clients", short: "c", default: 50, help: "Connections.", problem: between(1, 10_000))
    static let pipeline = Option(
        "pipeline", short: "P", default: 1, help: "Requests on their way on each connection.", problem: between(1, 10_000))
    static let valueSize = Option(
        "value-size", default: 64, placeholder: "bytes", help: "Size of a value.", problem: between(0, 64 << 20))
    static let keys = Option(
        "keys", short: "r", default: 100_000, help: "How many different keys of 16 bytes are used.",
        problem: between(1, 1_000_000_000))
    static let seconds = Option(
        "seconds", default: 5.0, help: "How long a round lasts.",
        problem: { (seconds: Double) in seconds < 0.1 || seconds > 86_400 ? "0.1 to 86400 seconds" : nil })
    static let requests = Option<Int>(
        "requests", short: "n", help: "How many requests a round has, instead of a time.", problem: between(1, 1_000_000_000_000))
    static let rate = Option<Double>(
        "rate", placeholder: "requests",
        help: "Requests a second, whether earlier ones are answered or not, instead of as many as are answered.",
        problem: { (rate: Double) in rate < 1 || rate > 1e9 ? "1 to 1000000000 requests a second" : nil })
    static let readRatio = Option(
        "read-ratio", default: 0.5, placeholder: "share", help: "Share of reads in 'mixed', 0 to 1.",
        problem: { (share: Double) in share < 0 || share > 1 ? "a share from 0 to 1" : nil })
    static let rounds = Option<Int>("rounds", help: "How many rounds: 1, or 5 with --against.", problem: between(1, 1000))
    static let against = Option<Address>(
        "against", placeholder: "host:port", help: "A second server, loaded alike in rounds in between; the ratio is printed.")
    static let allNodes = Flag(
        "all-nodes", help: "Spread the connections over all nodes of the local cluster, not only the leader.")
    static let noFill = Flag("no-fill", help: "Don't set all keys before reading them.")
    static let seed = Option<UInt64>("seed", default: 1, help: "What keys and values are made from.")

    private static func between(_ least: Int, _ most: Int) -> @Sendable (Int) -> String? {
        { $0 < least || $0 > most ? "a number from \(least) to \(most)" : nil }
    }

    enum LogLevel: String, CaseIterable, ArgumentValue { case debug, info, notice, warning, error }

    private static let portProblem: @Sendable (Int) -> String? = { $0 < 1 || $0 > 65535 ? "a port from 1 to 65535" : nil }

    static let command = ToolCommand<Action>(
        "kvctl", abstract: "Starts, shows, measures and talks to Coracle clusters.",
        discussion: """
            Any other word is sent as a Redis command, to the first node of the cluster in --data that answers or to \
            --server; its reply is printed as redis-cli prints it. A command that is named as a subcommand here goes \
            behind '--'. Options go before the command.

                kvctl cluster up --detach
                kvctl set greeting hello
                kvctl get greeting
                kvctl --server 127.0.0.1:6379 info server
                kvctl -- cluster info
            """,
        version: version, declares: [data, server, raw, formatted, three],
        subcommands: [
            ToolCommand(
                "cluster", abstract: "Runs a cluster of kvd processes on this machine.",
                subcommands: [
                    ToolCommand(
                        "up", abstract: "Makes a cluster, or starts it again with its data, and waits for a leader.",
                        discussion: """
                            The first start draws a cluster id and writes cluster.json into --data; later starts find it there. In the \
                            foreground Ctrl-C stops all nodes; a node that ends by itself is reported, not restarted.
                            """,
                        declares: [nodes, clientPort, peerPort, detach, json, logLevel, wait, serverOptions],
                        action: .up),
                    ToolCommand(
                        "status", abstract: "Shows what every node says of itself.", declares: [json], action: .status),
                    ToolCommand("down", abstract: "Stops all nodes in order. The data stays.", action: .down),
                    ToolCommand(
                        "kill", abstract: "Ends a node with SIGKILL, as a crash would.", declares: [node],
                        action: .kill),
                    ToolCommand(
                        "pause", abstract: "Stops a node's process with SIGSTOP, as if it hung.", declares: [node],
                        action: .pause),
                    ToolCommand(
                        "resume", abstract: "Lets a paused node go on.", declares: [node], action: .resume),
                    ToolCommand(
                        "start", abstract: "Starts a node that was stopped or killed.", declares: [node, wait],
                        action: .start),
                ]),
            ToolCommand(
                "status", abstract: "Shows role, term, leader, commit, applied, lag and log size of every node.",
                declares: [json],
                action: .status),
            ToolCommand(
                "bench", abstract: "Loads a server, or two in turn, and prints throughput and latencies.",
                discussion: """
                    Works against any Redis server. Every connection sends a batch of --pipeline requests, waits for its replies and \
                    sends the next; the time of a reply counts from its batch. With --rate, requests come in groups every millisecond, and the time of \
                    a reply counts from when its request was due, though it waited for a connection. 'server us' is the processor time of the loaded servers for one \
                    request, as their INFO tells it. Without --server the local cluster's leader is loaded.

                        kvctl bench --workload get --clients 200
                        kvctl bench --pipeline 16 --against 127.0.0.1:6379
                    """,
                declares: [
                    workload, clients, pipeline, valueSize, keys, seconds, requests, rate, readRatio, rounds, against, allNodes,
                    noFill,
                    seed, json,
                ],
                action: .bench),
            ToolCommand(
                "import", abstract: "Brings the keys of a Redis RDB file into a cluster.",
                discussion: """
                    Files of RDB versions 9 to 11 (Redis 5 to 7.2, Valkey 7.2 and 8) are read. The whole file is checked before the first key is \
                    sent. Functions and values of modules can't be taken: they are counted, the rest is imported, and the exit code is 1 \
                    unless --skip-unsupported is given. Keys that are there already stay as they are unless --replace is given.

                        redis-cli --rdb dump.rdb && kvctl import dump.rdb
                    """,
                declares: [rdbFile, replace, skipUnsupported, database, json], action: .importFile),
            ToolCommand(
                "export", abstract: "Writes the keys of a cluster to an RDB file that redis-server 7.0 and later loads.",
                discussion: """
                    The cluster goes on working meanwhile, so the file is not a picture of one moment: each key has a value that it had at some time \
                    during the export. The file appears when it is complete.
                    """,
                declares: [rdbFile, replace, database, json], action: .exportFile),
            ToolCommand(
                "transfer-leader", abstract: "Hands leadership to another node without a pause.", declares: [to],
                action: .transferLeader),
            ToolCommand(
                "snapshot", abstract: "Takes and checks distributed snapshots.",
                subcommands: [
                    ToolCommand(
                        "take", abstract: "Takes a snapshot of the local cluster into a directory.",
                        discussion: """
                            Nothing stops, and no leader is needed. The exit code is 0 when the snapshot is complete, and 1 when a part is \
                            missing; what is there is consistent all the same. The directory is made, or is empty; the manifest comes into it \
                            last, so that what was not finished is never taken for a snapshot.
                            """,
                        declares: [from, strict, causal, whole, snapshotTimeout, json, snapshotDirectory], action: .takeSnapshot),
                    ToolCommand(
                        "fetch", abstract: "Collects a snapshot that the nodes still have into a directory.",
                        discussion: """
                            Each node keeps its parts of the last 8 snapshots, and the node that began one its manifest. The exit code is 0 when \
                            the snapshot is complete and all of it was fetched.
                            """,
                        declares: [allowMissing, json, snapshotID, snapshotDirectory], action: .fetchSnapshot),
                    ToolCommand(
                        "list", abstract: "Lists the snapshots whose parts the nodes still have.", declares: [json],
                        action: .listSnapshots),
                    ToolCommand(
                        "schedule", abstract: "Takes a snapshot at every interval until it is stopped, and removes old ones.",
                        discussion: """
                            For a service manager: stays in the foreground, ends at SIGTERM. The first one is taken at once. The leader's node begins it, any \
                            other where there is no leader. Each is verified; only then older ones beyond --keep go. One that failed removes \
                            nothing. Those with missing parts have '-partial' behind their names and are counted by themselves.

                                kvctl snapshot schedule --every 15m --keep 96 /backups
                            """,
                        declares: [every, keep, strict, causal, snapshotTimeout, json, shelf], action: .scheduleSnapshots),
                    ToolCommand(
                        "restore", abstract: "Makes the data directory of a new cluster from a snapshot.",
                        discussion: """
                            The new cluster has a cluster id of its own and as many nodes as the old one had, unless --nodes says otherwise. Its \
                            directory is --data, which is made, or is empty. The snapshot is verified first; it stays as it is.

                                kvctl --data ./new snapshot restore backup && kvctl --data ./new cluster up --detach
                            """,
                        declares: [nodes, clientPort, peerPort, allowPartial, json, snapshotDirectory], action: .restoreSnapshot),
                    ToolCommand(
                        "show", abstract: "Shows what is in a snapshot.", declares: [json, snapshotDirectory],
                        action: .showSnapshot),
                    ToolCommand(
                        "verify", abstract: "Checks every file of a snapshot, and what must hold of a consistent cut.",
                        declares: [json, snapshotDirectory], action: .verifySnapshot),
                    ToolCommand(
                        "diff", abstract: "Shows what differs between two snapshots: nodes, and keys.",
                        discussion: """
                            Compared is the data that a restoration of each gives, key by key. The two may be of different clusters: a restored \
                            one and the one that it was restored from.
                            """,
                        declares: [json, diffKeys, firstSnapshot, secondSnapshot], action: .diffSnapshots),
                    ToolCommand(
                        "diagram", abstract: "Draws a snapshot as a space-time picture (SVG).",
                        discussion: """
                            A line for each node with the moment of its record, the markers, what was in flight, and the cut. Times are by the \
                            nodes' own clocks; where those disagree, nodes are moved until no marker arrives before it was sent, and the picture says so.
                            """,
                        declares: [picture, replace, snapshotDirectory], action: .drawSnapshot),
                ]),
            ToolCommand(
                "log", abstract: "Looks at the write-ahead log of a stopped node.",
                subcommands: [
                    ToolCommand(
                        "inspect", abstract: "Prints every record of a log and checks all checksums.",
                        discussion: """
                            Nothing is changed. The exit code is 0 when a node would start with this log (an unfinished last frame is cut off \
                            at a start and is no damage), 1 when it would refuse.
                            """,
                        declares: [directory, brief, json], action: .inspectLog)
                ]),
        ],
        otherwise: (line, .redisCommand))
}
