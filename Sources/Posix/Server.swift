import Base
import Node
import Storage

/// Drives a node: turns what the kernel reports into events and carries out effects.
///
/// A turn:
/// 1. wait until something happens, the node's next deadline at the latest;
/// 2. finished disk work, then all that the sockets have, goes to the node as events, then `turnEnded`;
/// 3. peers' output is sent, then clients' output, one write each;
/// 4. disk work begins; on a fast disk the log write is done here;
/// 5. connections are closed, peers dialled;
/// 6. what the log write made durable goes to the node at once, and steps 3 to 5 follow for it.
///
/// One thread. Everything that blocks longer than a log write on a fast disk runs on threads of `DiskQueue` and `Resolver`.
package final class Server<Backend: NetworkBackend, Handler: TurnHandler>: NetworkSink {
    let options: ServerOptions
    /// Clients at most, as the operator has it now.
    var clientsMax: Int
    let backend: Backend
    let handler: Handler
    let disk: DiskQueue
    let signals: SignalInbox?
    let logger: Logger
    let statistics: DriverStatistics

    var now: Now
    var effects = NodeEffects()
    /// Events that came up while effects were carried out; the first of the next turn.
    var carried: [NodeEvent] = []
    /// Who owns the socket in each place of the back end.
    var owners: [SocketOwner] = []
    var clients: [ConnectionID: SocketID] = [:]
    var peers: [PeerLinkID: SocketID] = [:]
    var lastClient: UInt64 = 0
    var lastPeer: UInt64 = 0
    /// Clients that are closed when their output has left, and when we stop waiting for that.
    var closing: [ConnectionID: Instant] = [:]
    var dialler: Dialler
    var signalsSeen = 0
    /// When an orderly shutdown has to be done.
    var shutdownDeadline = Instant.never
    var end: ServerEnd?
    var refusedSinceReport = 0
    var lastRefusalReport: Instant?
    private var isFirstTurn = true
    /// Turns in a row that did not wait and in which nothing came up.
    private var emptyTurns = 0
    /// When the process's own figures are read again.
    private var nextProcessUpdate: Instant

    /// A server that does not listen yet.
    ///
    /// - Parameter effects: what the node wanted while it recovered; carried out first.
    /// - Throws: `system`.
    package init(
        options: ServerOptions, backend: Backend, handler: Handler, disk: DiskQueue, signals: SignalInbox?, logger: Logger,
        statistics: DriverStatistics, effects: NodeEffects = NodeEffects()
    ) throws(PosixError) {
        self.options = options
        clientsMax = options.clientsMax
        self.backend = backend
        self.handler = handler
        self.disk = disk
        self.signals = signals
        self.logger = logger
        self.statistics = statistics
        self.effects = effects
        dialler = Dialler(addresses: options.peers)
        now = SystemClock.now()
        nextProcessUpdate = now.instant
        try backend.watch(disk.descriptor, purpose: Purpose.disk)
        if let signals { try backend.watch(signals.descriptor, purpose: Purpose.signals) }
    }

    /// Begins to accept clients.
    ///
    /// - Throws: `listen`, `system`.
    package func listenForClients(on socket: BoundSocket) throws(PosixError) {
        try backend.listen(on: socket, purpose: Purpose.clients)
    }

    /// Begins to accept peers.
    ///
    /// - Throws: `listen`, `system`.
    package func listenForPeers(on socket: BoundSocket) throws(PosixError) {
        try backend.listen(on: socket, purpose: Purpose.peers)
    }

    /// Turns until the node has shut down, a second signal comes, or the disk fails.
    package func run() -> ServerEnd {
        while true {
            do throws(ServerEnd) {
                try turn()
            } catch {
                return error
            }
            if let end { return end }
        }
    }

    /// One turn.
    func turn() throws(ServerEnd) {
        let asked = SystemClock.instant()
        let wake = wakeTime
        do throws(PosixError) {
            // A node that asks for turn after turn in which nothing happens has a bug, but one that must not cost a whole core.
            let isIdling = emptyTurns >= options.emptyTurnsMax
            let until = isIdling ? max(wake, asked + .milliseconds(1)) : wake
            let hasEvents = try backend.wait(until: until, now: asked, sink: self)
            emptyTurns = hasEvents || wake > asked ? 0 : emptyTurns + 1
        } catch {
            throw .failed(error)
        }
        if emptyTurns == options.emptyTurnsMax {
            logger.log(.warning, "the node asks for turns in which nothing happens; please report this")
        }
        isFirstTurn = false
        statistics.turns += 1
        let start = now.instant
        do throws(DiskFailure) {
            expire()
            deliver(.turnEnded)
            try carryOut()
            // What the log write of this turn made durable does not wait for the next one.
            if try deliverFinished() {
                deliver(.turnEnded)
                try carryOut()
            }
        } catch {
            throw .diskFailed(error)
        }
        statistics.turnTime.record(SystemClock.instant() - start)
    }

    /// When the next turn has to begin at the latest.
    private var wakeTime: Instant {
        // What the node wanted while it recovered waits for nothing.
        if isFirstTurn || !carried.isEmpty || disk.hasFinished { return now.instant }
        var wake = min(handler.nextDeadline, dialler.nextDeadline, shutdownDeadline)
        for deadline in closing.values { wake = min(wake, deadline) }
        return wake
    }

    @inline(__always)
    func deliver(_ event: NodeEvent) { handler.handle(event, now: now, into: &effects) }

    /// Hands finished disk work to the node. False when there was none.
    private func deliverFinished() throws(DiskFailure) -> Bool {
        let finished = try disk.takeFinished()
        if finished.isEmpty { return false }
        now = SystemClock.now()
        for item in finished {
            if let bytes = item.bytes {
                deliver(.diskRead(number: item.number, bytes.buffer.view))
            } else if let reason = item.refusal {
                deliver(.diskRefused(number: item.number, reason: reason))
            } else {
                deliver(.diskCompleted(number: item.number))
            }
        }
        return true
    }

    /// Begins a turn: what is known before the sockets are asked goes first.
    package func woke() {
        now = SystemClock.now()
        do throws(DiskFailure) {
            _ = try deliverFinished()
        } catch {
            end = .diskFailed(error)
        }
        if carried.isEmpty { return }
        let events = carried
        carried.removeAll(keepingCapacity: true)
        for event in events { deliver(event) }
    }

    package func notified(_ purpose: SocketPurpose) {
        switch purpose {
        case Purpose.signals: takeSignals()
        case Purpose.resolver: takeAnswers()
        // The disk's reports are taken in `woke`: this only ends the wait.
        default: break
        }
    }

    private func takeSignals() {
        signalsSeen += signals?.take() ?? 0
        if signalsSeen >= 2 {
            end = .interrupted
        } else if signalsSeen == 1 && shutdownDeadline == .never {
            logger.log(.notice, "asked to stop; a second signal ends at once")
            shutdownDeadline = now.instant + options.shutdownTime
            deliver(.shutdownRequested)
        }
    }

    /// Ends what is overdue: clients that do not take their last output, dials that wait for a name, a shutdown that hangs.
    private func expire() {
        if now.instant >= nextProcessUpdate {
            ProcessInformation.update(statistics)
            nextProcessUpdate = now.instant + .milliseconds(1000)
        }
        if now.instant >= shutdownDeadline { end = .shutdownTimedOut }
        if !closing.isEmpty {
            for (connection, deadline) in closing.sorted(by: { $0.key < $1.key }) where deadline <= now.instant {
                dropClient(connection)
            }
        }
        expireDials()
    }
}

/// How a server came to its end.
package enum ServerEnd: Error, Equatable {
    /// The node shut down in order and gave this exit code.
    case finished(code: Int32)
    /// A second signal came before the node was done.
    case interrupted
    /// The node was not done in time.
    case shutdownTimedOut
    /// A disk step failed.
    case diskFailed(DiskFailure)
    /// The loop itself failed.
    case failed(PosixError)
}

/// Limits and addresses of a server.
package struct ServerOptions: Sendable {
    /// Client connections at most.
    package var clientsMax = 10_000
    /// Connections on the peer port at most. A cluster needs one or two per peer; the rest is room for restarts.
    package var peersMax = 64
    /// Addresses of the other nodes.
    package var peers: [NodeID: HostAndPort] = [:]
    /// How long dialling a peer may take, the name's resolution included.
    package var dialTime = Nanoseconds.milliseconds(2000)
    /// How long a connection that is closed after its output may take to accept that output.
    package var lingerTime = Nanoseconds.milliseconds(5000)
    /// How long a connection is kept half open after that, for the other end to read.
    package var drainTime = Nanoseconds.milliseconds(1000)
    /// How long an orderly shutdown may take.
    package var shutdownTime = Nanoseconds.milliseconds(10_000)
    /// So many turns in a row may do nothing before the loop slows down.
    package var emptyTurnsMax = 10_000
    package init() {}
}

/// Who a socket belongs to.
enum SocketOwner: Equatable {
    case none
    case client(ConnectionID, isClosing: Bool)
    case peer(PeerLinkID)
    case dial(NodeID)
}

/// What the sockets are for.
enum Purpose {
    static let clients = SocketPurpose(1)
    static let peers = SocketPurpose(2)
    static let signals = SocketPurpose(3)
    static let disk = SocketPurpose(4)
    static let resolver = SocketPurpose(5)
}
