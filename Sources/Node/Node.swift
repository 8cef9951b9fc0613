import Base
import Consensus
import Database
import DistributedSnapshot
import RESP
import Storage

// Node: one server without its I/O.
//
// Owns everything between the bytes: clients and their replies, links to the other nodes, the group (Raft, state machine,
// proposals, reads) and the write-ahead log. A driver (`Posix`, or the simulator) tells it what happened
// (`handle(_:now:into:)`) and carries out what it asks for (`NodeEffects`).
//
// It never holds a file descriptor, reads a clock, draws randomness that it was not given, calls back or blocks. The same
// events in the same order give the same effects, byte for byte: that is what the simulator lives on.
//
// Where to start reading: `NodeEvent` and `NodeEffects` (the contract), then the way of a command: `Node+Clients` (input,
// order of replies), `Node+Proposals` (the way of a write), `Node+Reads`, `Node+Apply`; `Node+Turn` puts a turn together;
// `Node+Peers` and `PeerFrame` are the links; `Node+Recovery` the start.

/// One server, sans I/O. See the head of this file.
package final class Node {
    package let options: NodeOptions
    package let id: NodeID
    /// This run of the node (DESIGN, section 5).
    package let incarnation: Incarnation
    let log: WriteAheadLog
    let group: Group

    // Clients.
    var clients: [UInt64: ClientConnection] = [:]
    /// Connections that wait for their earlier commands, or for room, in the order in which they began to wait.
    var resumable: [ConnectionID] = []
    var waitingForRoom: [ConnectionID] = []
    var sleeping: [ConnectionID] = []
    /// CLIENT PAUSE: until when, and whether reads wait too; nil when nothing is paused.
    var pause: (until: Instant, holdsReads: Bool)?
    /// Connections whose next command waits for its end.
    var paused: [ConnectionID] = []
    /// Connections in MONITOR, in the order in which they came.
    var monitors: [ConnectionID] = []
    var slowLog = SlowLog()
    var activity = ActivityMonitor()
    @exclusivity(unchecked) var answered = AnsweredCommands()
    var latencies = LatencyMonitor()
    /// The log write that is under way, and since when.
    var logWrite: (operation: UInt64, since: Instant)?
    /// Connections whose client sends nothing more, until what it sent is answered.
    var halfClosed: [ConnectionID] = []
    /// Why peers were refused lately, and when that was logged.
    var refusals: [String: Instant] = [:]
    /// The command that is being taken from a client.
    let arguments = Arguments()
    /// The read that is being served or turned into a proposal.
    let readArguments = Arguments()
    /// Takes the replies that nobody waits for.
    let discardingWriter = ReplyWriter(ByteBuffer(capacity: 64), version: .two, discards: true)
    var configuration = ServerConfiguration()
    let table = CommandTable.standard
    /// By `Command.index`.
    let localCommands = LocalCommand.map(CommandTable.standard)

    // Peers.
    var peers: [PeerState]
    var links: [UInt64: PeerLink] = [:]

    // Distributed snapshots (`Node+Snapshots`).
    @exclusivity(unchecked) var participant: SnapshotParticipant
    var isCarryingOutSnapshotEffects = false
    var archive = SnapshotArchive()
    /// Parts and manifests on their way to the disk, and files that clients read: disk operation, connection, size.
    var partJobs: [SnapshotPartJob] = []
    /// `steps` are the operations that write it, `number` the one that makes it a file.
    var manifestsUnderWay: [(steps: [UInt64], number: UInt64, id: SnapshotID, bytes: Int)] = []
    var snapshotReads: [(number: UInt64, connection: ConnectionID, size: Int)] = []
    /// For checkers: what happens on the channels is noted here, when they ask for it.
    package var channelEvents: [ChannelEvent]?
    /// For simulations that go on from a cut: what was in flight in it, to be sent before anything else on the first link to each node.
    package var framesToSendFirst: [(to: NodeID, type: PeerFrameType, payload: [UInt8])] = []
    /// Replies wait for the markers of a strict snapshot (`Node+ReplyHold`): whose, and which connections are to be closed behind them.
    var holdsReplies = false
    /// Since when they are.
    var holdBegan = Instant(nanoseconds: 0)
    var heldOutput: [ConnectionID] = []
    var heldCloses: [ConnectionID] = []
    let noOutput = ByteBuffer(capacity: 16)

    // The turn.
    /// Where the handlers of the event in hand leave what is to be done.
    var effects = NodeEffects()
    var now: Now
    var random: RandomGenerator
    var isTurnWanted = false
    /// Work counted by the end of the last turn, and how fast what is behind it goes.
    var workBefore: UInt64 = 0
    var pace: BackgroundPace
    /// The incarnation is on disk: only then does the node speak.
    var isIncarnationDurable = false
    /// Since when nothing was appended to the log; nil when it is sealed.
    var restsSince: Instant?
    var files = StateFiles()
    /// DEBUG RELOAD in progress.
    var selfCheck: SelfCheck?
    /// Set once the process was asked to end.
    var shutdown: ShutdownState?
    let startedAt: Instant
    /// When idle clients were last looked for.
    var idleCheckedAt = Instant(nanoseconds: 0)

    var statistics = NodeStatistics(CommandTable.standard)
    /// Counters that the driver keeps for `INFO`.
    package let driverStatistics = DriverStatistics()

    /// Recovers a node from its data directory.
    ///
    /// - Parameters:
    ///   - source: the files to recover from; read only during this call.
    ///   - entropy: 64 random bits: the seed of everything random in this run (timeouts, seeds of entries).
    ///   - effects: receives the first disk operations, dials and log lines.
    ///   - progress: called about once per MiB with bytes done and bytes in all: of the state file, then of the log.
    /// - Throws: `StorageError` when the log is damaged, or begins behind all state files that can be used, or is of another node
    ///   or cluster, or can't be read.
    package init(
        options: NodeOptions, identity: NodeIdentity, recovering source: any RecoverySource, now: Now, entropy: UInt64,
        into effects: inout NodeEffects, progress: @escaping (Int, Int) -> Void = { _, _ in }
    ) throws(StorageError) {
        check(identity.nodeID == options.id && identity.clusterID == options.clusterID, "a node recovers its own files")
        check(options.members.contains { $0.id == options.id }, "a node is a member of its cluster")
        var random = RandomGenerator(seed: entropy)
        options.stateFiles.checkInvariants()
        var states = StateRecovery(source, identity: identity, group: .first, progress: progress)
        try states.run()
        var recovery = GroupRecovery(
            machine: states.machine, seed: options.clusterID.high ^ options.clusterID.low,
            cacheBytesMax: options.raft.cacheBytesMax, progress: progress)
        let recovered = try WriteAheadLog.recover(
            from: source, identity: identity, options: options.log, visitor: &recovery)
        try states.requireReach(base: recovered.log.base(of: .first).index)
        let state = recovery.recoveredState()
        self.options = options
        pace = BackgroundPace(options.stateFiles)
        id = options.id
        log = recovered.log
        incarnation = Incarnation(recovery.incarnation.rawValue + 1)
        let configuration = Configuration(voters: options.members.map(\.id))
        let raft = Raft(
            options: options.raft, configuration: configuration, recovered: state, now: now,
            random: random.next())
        group = Group(
            id: .first, raft: raft, machine: recovery.machine,
            proposals: ProposalQueue(owner: options.id, incarnation: incarnation))
        peers = options.members.filter { $0.id != options.id }.map {
            PeerState(id: $0.id, address: $0.address, dialAt: now.instant, retryDelay: options.dialRetryMin)
        }
        var snapshotOptions = options.snapshots
        snapshotOptions.node = options.id
        snapshotOptions.incarnation = incarnation
        participant = SnapshotParticipant(options: snapshotOptions, now: now.instant)
        self.now = now
        self.random = random
        startedAt = now.instant
        self.configuration.start(clientsMax: options.limits.clientsMax)
        log.append(incarnation: incarnation)
        if let restart = recovery.restart { log.restart(group: .first, behind: restart.index, term: restart.term) }
        swap(&self.effects, &effects)
        describeRecovery(recovered.report)
        take(states)
        try recoverSnapshots(from: source)
        endTurn()
        swap(&self.effects, &effects)
    }

    /// Takes one event. What it leads to is appended to `effects`, at the latest by the next `turnEnded`.
    package func handle(_ event: NodeEvent, now: Now, into effects: inout NodeEffects) {
        check(now.instant >= self.now.instant, "monotonic time does not go back")
        self.now = now
        swap(&self.effects, &effects)
        defer { swap(&self.effects, &effects) }
        switch event {
        case .clientOpened(let connection, let address, let local): clientOpened(connection, address: address, local: local)
        case .clientBytes(let connection, let bytes): clientBytes(connection, bytes)
        case .clientInputEnded(let connection): clientInputEnded(connection)
        case .clientClosed(let connection): clientClosed(connection)
        case .peerDialled(let link, let peer): peerDialled(link, to: peer)
        case .peerDialFailed(let peer, let reason): peerDialFailed(to: peer, reason: reason)
        case .peerAccepted(let link, let address): peerAccepted(link, address: address)
        case .peerBytes(let link, let bytes): peerBytes(link, bytes)
        case .peerClosed(let link): peerClosed(link)
        case .diskCompleted(let number): diskCompleted(number)
        case .diskRefused(let number, let reason): diskRefused(number, reason)
        case .diskRead(let number, let bytes): diskRead(number, bytes)
        case .turnEnded: endTurn()
        case .shutdownRequested: shutdownRequested()
        }
    }

    /// When the driver must end a turn at the latest, whether or not anything happened.
    package var nextDeadline: Instant {
        if isTurnWanted { return now.instant }
        var deadline = Instant.never
        // Before that the node neither campaigns nor dials nor answers; the disk's completion wakes it.
        if isIncarnationDurable { deadline = nextDeadlineOfSpeaking }
        for link in links.values where !link.isOpen && !link.isClosing {
            deadline = min(deadline, link.openedAt + Node.helloTimeout)
        }
        if let pause, !paused.isEmpty { deadline = min(deadline, pause.until) }
        for connection in sleeping {
            if let until = clients[connection.rawValue]?.sleepsUntil { deadline = min(deadline, until) }
        }
        return deadline
    }

    /// The deadlines of what the node does only once its incarnation is on disk.
    private var nextDeadlineOfSpeaking: Instant {
        var deadline = min(group.raft.nextDeadline, participant.nextDeadline)
        if let shutdown {
            deadline = min(deadline, shutdown.deadline)
        } else {
            for peer in peers where peer.link == nil && !peer.isDialling && dials(peer.id) {
                deadline = min(deadline, peer.dialAt)
            }
        }
        if configuration.timeoutSeconds > 0 && !clients.isEmpty {
            deadline = min(deadline, idleCheckedAt + .milliseconds(1000))
        }
        if let expiry = expiryProposalAt { deadline = min(deadline, expiry) }
        deadline = min(deadline, stateFileDeadline)
        if encodesState { deadline = min(deadline, pace.nextSlice) }
        if let refusal = refusalOfWaitingReadsAt { deadline = min(deadline, refusal) }
        return deadline
    }

    /// Frames for a peer that have not left yet; nil when the link is gone.
    package func output(of link: PeerLinkID) -> ByteBuffer? { links[link.rawValue]?.output }

    // MARK: for checkers

    /// Distributed snapshots that are not over for this node.
    package var openSnapshots: [SnapshotID] { participant.openIDs }

    /// Consensus as it is now (a copy), for checkers and status.
    package var raft: Raft { group.raft }
    /// The state machine, to be looked at between events only.
    package var machine: StateMachine { group.machine }
    /// Clients that were closed because their commands were executed where this node did not see it.
    package var clientsClosedForUnknown: UInt64 { statistics.clientsClosedForUnknown }
    /// State files written by this run, and those of other nodes that it installed.
    package var stateFilesWritten: UInt64 { files.saves }
    package var stateFilesInstalled: UInt64 { statistics.stateFilesInstalled }
}
