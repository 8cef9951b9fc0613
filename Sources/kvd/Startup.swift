import Base
import Node
import Posix
import Storage

/// Starts a node and runs it to its end.
struct Startup {
    var options: Options
    let logger: Logger

    /// Exit code when the node could not start.
    static let failed: Int32 = 1
    /// Exit code when the disk failed while it ran (EX_IOERR of sysexits.h).
    static let diskFailed: Int32 = 74
    /// Exit code when a second signal ended it (128 and SIGINT, as shells have it).
    static let interrupted: Int32 = 130

    init(_ options: Options) {
        self.options = options
        logger = Logger(level: options.logLevel, node: "node \(options.node.id)")
    }

    /// Runs; the process's exit code.
    mutating func run() -> Int32 {
        do {
            let server = try start()
            return code(of: server.runNode())
        } catch let error as StorageError {
            logger.log(.error, "can't start: \(error); \(advice(on: error))")
        } catch {
            logger.log(.error, "can't start: \(error)")
        }
        return Startup.failed
    }

    /// Everything that can go wrong before the first client, in an order in which nothing is left behind.
    private mutating func start() throws -> NodeServer {
        let signals = try SignalInbox()
        raiseLimits()
        let clients = try BoundSocket(SocketAddress.resolve(options.clientAddress, numericOnly: false))
        let peers = try BoundSocket(SocketAddress.resolve(options.peerAddress, numericOnly: false))
        let directory = try DataDirectory(path: options.dataPath)
        let identity = try directory.identity(clusterID: options.node.clusterID, nodeID: options.node.id)
        let probe = try DiskProbe.run(directory, wantsDirect: options.usesDirectIO)
        describe(clients)

        var effects = NodeEffects()
        let node = try recover(identity, from: directory, into: &effects)
        directory.endRecovery()
        let statistics = node.driverStatistics
        let disk = try DiskQueue(directory: directory, mode: options.diskMode, probe: probe, statistics: statistics)
        let backend = try EpollBackend(statistics: statistics)
        let server = try NodeServer(
            options: options.server, backend: backend, handler: node, disk: disk, signals: signals, logger: logger,
            statistics: statistics, effects: effects)
        try server.listenForPeers(on: peers)
        try server.listenForClients(on: clients)
        logger.log(
            .notice,
            "kvd \(Version.coracle) serves clients on \(clients.address.text), peers on \(peers.address.text), data in "
                + "\(directory.path); log writes: \(statistics.diskMode.rawValue), "
                + "\(probe.isDirect ? "direct" : "through the page cache"), \(probe.typical.rawValue / 1000) us each when measured"
        )
        return server
    }

    private mutating func raiseLimits() {
        let fitting = ProcessLimits.makeRoom(forClients: options.server.clientsMax)
        if fitting == options.server.clientsMax { return }
        logger.log(
            .warning,
            "only \(fitting) clients fit into this process's file descriptors, not \(options.server.clientsMax); raise the hard "
                + "limit (ulimit -Hn), or lower --max-clients")
        options.server.clientsMax = fitting
        options.node.limits.clientsMax = fitting
    }

    /// What `INFO` tells of the process.
    private mutating func describe(_ clients: BoundSocket) {
        options.node.server.processID = ProcessInformation.processID
        options.node.server.executable = ProcessInformation.executable
        options.node.server.operatingSystem = ProcessInformation.operatingSystem
        options.node.server.clientAddress = options.clientAddress.host
        options.node.server.clientPort = clients.address.port
    }

    /// Recovers, and tells how far it is once that takes longer than a second.
    private func recover(
        _ identity: NodeIdentity, from directory: DataDirectory, into effects: inout NodeEffects
    ) throws(StorageError) -> Node {
        let progress = RecoveryProgress(logger: logger, start: SystemClock.instant())
        return try Node(
            options: options.node, identity: identity, recovering: directory, now: SystemClock.now(),
            entropy: SystemClock.entropy(), into: &effects,
            progress: { done, total in progress.tell(done: done, total: total, now: SystemClock.instant()) })
    }

    private func advice(on error: StorageError) -> String {
        switch error {
        case .damaged:
            "look at it with 'kvctl log inspect \(options.dataPath)'; to bring the node back, restore its data directory from a copy"
        case .wrongIdentity: "give this node its own directory with --data"
        case .unsupportedVersion: "start the version that wrote it"
        case .system: "check the disk and the directory's permissions"
        }
    }

    private func code(of end: ServerEnd) -> Int32 {
        switch end {
        case .finished(let code):
            logger.log(.notice, "stopped")
            return code
        case .interrupted:
            logger.log(.warning, "ended by a second signal; what was acknowledged is on disk")
            return Startup.interrupted
        case .shutdownTimedOut:
            logger.log(.warning, "the orderly stop took too long and was given up; what was acknowledged is on disk")
            return Startup.failed
        case .diskFailed(let failure):
            logger.log(.error, failure.description)
            return Startup.diskFailed
        case .failed(let error):
            logger.log(.error, error.description)
            return Startup.failed
        }
    }
}

/// Tells how far recovery is, once a second.
final class RecoveryProgress {
    private let logger: Logger
    private var nextLine: Instant

    init(logger: Logger, start: Instant) {
        self.logger = logger
        nextLine = start + .milliseconds(1000)
    }

    func tell(done: Int, total: Int, now: Instant) {
        if now < nextLine { return }
        nextLine = now + .milliseconds(1000)
        let percent = total > 0 ? done * 100 / total : 100
        logger.log(.info, "recovering: \(done >> 20) of \(total >> 20) MiB read (\(percent) %)")
    }
}
