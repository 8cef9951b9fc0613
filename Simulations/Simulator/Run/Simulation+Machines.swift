import Base
import Consensus
import Node
import Storage

/// Machines: starting and crashing them, a node's turns and what it asks for in them. This is the driver that `Posix` is in
/// the real world.
extension Simulation {
    func buildMachines() {
        var random = randomness.generator(for: .machines)
        let clusterID = ClusterID(high: random.next(), low: random.next())
        for index in 0..<options.nodeCount {
            let drawn = NodeIdentity(clusterID: clusterID, nodeID: NodeID(UInt32(index + 1)), salt: random.next())
            let identity = beginning?.identities[index] ?? drawn
            let disk = SimulatedDisk(speed: options.disk, random: randomness.generator(for: .disk, of: index))
            disk.install(NodeIdentity.fileName, bytes: identity.encode())
            for (name, bytes) in beginning?.files[index] ?? [:] { disk.install(name, bytes: bytes) }
            let drift = options.driftMax == 0 ? 0 : Int64(random.next(below: 2 * options.driftMax)) - Int64(options.driftMax)
            // No clock shows less than the log's time at the beginning.
            let epoch = max(SimulatedClock.epoch, beginning?.wall.microseconds ?? 0)
            var clock = SimulatedClock(
                origin: random.next(below: 1 << 40), base: time, driftPartsPerMillion: drift, epoch: epoch)
            if options.wallOffsetMax > 0 { clock.wallOffset = Int64(random.next(below: options.wallOffsetMax)) }
            machines.append(
                Machine(
                    index: index, identity: identity, disk: disk, clock: clock,
                    random: randomness.generator(for: .machines, of: index + 1)))
        }
    }

    private func nodeOptions(_ machine: Machine) -> NodeOptions {
        let members = machines.map { NodeOptions.Member(id: $0.id, address: "machine\($0.id):7100") }
        var result = NodeOptions(id: machine.id, clusterID: machine.identity.clusterID, members: members)
        result.raft = options.raft
        result.raft.id = machine.id
        result.log = options.log
        result.limits = options.limits
        result.snapshots = options.snapshots
        result.stateFiles = options.stateFiles
        return result
    }

    // MARK: start and end

    /// Starts the node from what is on the disk.
    func start(_ machine: Machine) throws(Violation) {
        check(!machine.isUp, "a machine that is up is not started")
        machine.run += 1
        machine.inbox.removeAll()
        machine.connections.removeAll()
        machine.peerLinks.removeAll()
        machine.openLinks.removeAll()
        machine.turnAt = nil
        machine.wakeAt = .never
        machine.isStopping = false
        machine.closedForUnknown = 0
        machine.busyUntil = time
        machine.pausedUntil = time
        machine.seen = Machine.Seen()
        let now = machine.clock.now(at: time)
        do throws(StorageError) {
            let node = try Node(
                options: nodeOptions(machine), identity: machine.identity, recovering: machine.disk, now: now,
                entropy: machine.random.next(), into: &machine.effects)
            if options.takesSnapshots {
                node.channelEvents = []
                cuts.starts(machine.index)
            }
            if let beginning, machine.run == 1 {
                node.framesToSendFirst = beginning.frames.filter { $0.from == machine.id }.map { ($0.to, $0.type, $0.payload) }
            }
            machine.node = node
        } catch {
            machine.effects.removeAll()
            try refuse(machine, error)
            return
        }
        note("node \(machine.id) starts")
        noticeStart(machine)
        try carryOut(machine)
        guard machine.isUp else { return }
        try observe(machine)
        if !machine.inbox.isEmpty { requestTurn(machine, at: time) }
        scheduleWake(machine)
    }

    /// A node that can't start is right if its disk has lost data, and wrong if not.
    private func refuse(_ machine: Machine, _ error: StorageError) throws(Violation) {
        note("node \(machine.id) refuses to start: \(error)")
        if !machine.isSpoiled {
            throw Violation(.recovery, "node \(machine.id) does not start after a crash: \(error)")
        }
        machine.refusal = error
        statistics.refusedStarts += 1
    }

    /// The machine or only its process goes down.
    func crash(_ machine: Machine, mode: SimulatedDisk.CrashMode, losesPower: Bool) throws(Violation) {
        guard machine.isUp else { return }
        note("node \(machine.id) crashes\(losesPower ? " with its machine" : "")")
        statistics.crashes += 1
        if let node = machine.node {
            statistics.stateFiles += node.stateFilesWritten
            statistics.installs += node.stateFilesInstalled
        }
        machine.node = nil
        machine.run += 1
        machine.effects.removeAll()
        machine.inbox.removeAll()
        try machine.disk.crash(mode)
        if options.planted == .forgetWrites { machine.disk.forgetWrites(8) }
        if options.planted == .unsyncedStateFiles && losesPower { machine.disk.tearStateFiles() }
        for link in machine.openLinks { abandon(link, machine: machine, losesPower: losesPower) }
    }

    // MARK: turns

    /// Makes sure that the node takes a turn at `wanted` or as soon afterwards as it can.
    func requestTurn(_ machine: Machine, at wanted: Instant) {
        let at = max(wanted, max(machine.busyUntil, machine.pausedUntil))
        if let scheduled = machine.turnAt, scheduled <= at { return }
        machine.turnAt = at
        queue.schedule(.turn(machine: machine.index), at: at)
    }

    /// Something happened that the node is to hear of.
    func post(_ input: Machine.Input, to machine: Machine) {
        guard machine.isUp else { return }
        machine.inbox.append(input)
        requestTurn(machine, at: time)
    }

    func turn(_ machine: Machine) throws(Violation) {
        guard machine.turnAt == time else { return }
        machine.turnAt = nil
        guard let node = machine.node else { return }
        let free = max(machine.busyUntil, machine.pausedUntil)
        if free > time { return requestTurn(machine, at: free) }
        statistics.turns += 1
        let now = machine.clock.now(at: time)
        var inputs: [Machine.Input] = []
        swap(&inputs, &machine.inbox)
        try noteRestlessness(machine, hasInput: !inputs.isEmpty)
        // Sometimes a turn ends before everything at hand was taken.
        let limit = machine.random.chance(1, in: 16) ? 1 + machine.random.index(below: max(inputs.count, 1)) : inputs.count
        for input in inputs.prefix(limit) { try take(input, machine, node, now) }
        machine.inbox = Array(inputs.dropFirst(limit)) + machine.inbox
        node.handle(.turnEnded, now: now, into: &machine.effects)
        try observeChannels(machine)
        machine.busyUntil = time + machine.random.duration(in: options.turn)
        try carryOut(machine)
        guard machine.isUp else { return }
        try observe(machine)
        if !machine.inbox.isEmpty { requestTurn(machine, at: time) }
        scheduleWake(machine)
    }

    private func take(_ input: Machine.Input, _ machine: Machine, _ node: Node, _ now: Now) throws(Violation) {
        switch input {
        case .clientOpened(let link):
            machine.connections.append(link)
            let id = ConnectionID(UInt64(machine.connections.count))
            link.ends[1] = .server(machine: machine.index, run: machine.run, id: id)
            let address = "client:\(link.number)"
            node.handle(.clientOpened(id, address: address, local: "machine\(machine.id):7000"), now: now, into: &machine.effects)
        case .peerDialled(let link, let peer):
            let id = adopt(link, side: 0, machine)
            node.handle(.peerDialled(id, to: peer), now: now, into: &machine.effects)
        case .peerAccepted(let link):
            let id = adopt(link, side: 1, machine)
            node.handle(.peerAccepted(id, address: "machine:\(link.number)"), now: now, into: &machine.effects)
        case .peerDialFailed(let peer, let reason):
            node.handle(.peerDialFailed(to: peer, reason: reason), now: now, into: &machine.effects)
        case .bytes(let link, let side, let bytes):
            takeBytes(link, side: side, bytes, machine, node, now)
        case .closed(let link, let side):
            let end = link.ends[side]
            link.ends[side] = .gone
            switch end {
            case .server(_, _, let id): node.handle(.clientClosed(id), now: now, into: &machine.effects)
            case .peer(_, _, let id): node.handle(.peerClosed(id), now: now, into: &machine.effects)
            case .client, .gone: break
            }
            forgetIfOver(link)
        case .closedByItself(let id): node.handle(.peerClosed(id), now: now, into: &machine.effects)
        case .diskDone(let number): node.handle(.diskCompleted(number: number), now: now, into: &machine.effects)
        case .diskRefused(let number):
            node.handle(.diskRefused(number: number, reason: "the disk is full"), now: now, into: &machine.effects)
        case .diskRead(let number, let bytes):
            bytes.withView { node.handle(.diskRead(number: number, $0), now: now, into: &machine.effects) }
        case .writable(let link, let side): flush(link, side: side, machine)
        case .shutdown: node.handle(.shutdownRequested, now: now, into: &machine.effects)
        }
    }

    private func adopt(_ link: Link, side: Int, _ machine: Machine) -> PeerLinkID {
        machine.peerLinks.append(link)
        let id = PeerLinkID(UInt64(machine.peerLinks.count))
        link.ends[side] = .peer(machine: machine.index, run: machine.run, id: id)
        return id
    }

    /// Hands bytes to the node, in one piece or in several.
    private func takeBytes(_ link: Link, side: Int, _ bytes: [UInt8], _ machine: Machine, _ node: Node, _ now: Now) {
        received(link, side: 1 - side, bytes.count)
        trace.add(UInt64(link.number))
        bytes.withView { view in
            trace.add(view)
            var start = 0
            while start < view.count {
                let left = view.count - start
                let isCut = left > 1 && machine.random.chance(1, in: options.piecesOneIn)
                let count = isCut ? 1 + machine.random.index(below: left - 1) : left
                switch link.ends[side] {
                case .server(_, _, let id):
                    node.handle(.clientBytes(id, view.slice(start, count)), now: now, into: &machine.effects)
                case .peer(_, _, let id):
                    node.handle(.peerBytes(id, view.slice(start, count)), now: now, into: &machine.effects)
                case .client, .gone: return
                }
                start += count
            }
        }
    }

    // MARK: deadlines

    /// A node whose deadline has always just passed would keep a real processor busy for nothing.
    private func noteRestlessness(_ machine: Machine, hasInput: Bool) throws(Violation) {
        machine.restlessTurns = hasInput ? 0 : machine.restlessTurns + 1
        if machine.restlessTurns > 2_000, machine.disk.isBusy == false {
            let span = time - machine.restlessSince
            if span < .milliseconds(500) {
                let now = machine.clock.now(at: time).instant.nanoseconds
                let deadline = machine.node?.nextDeadline.nanoseconds ?? 0
                let raft = machine.node?.raft.nextDeadline.nanoseconds ?? 0
                throw Violation(
                    .driverContract,
                    "node \(machine.id) took 2,000 turns in \(span.rawValue / 1000) µs without input: at \(now) its deadline is \(deadline), that of Raft "
                        + "\(raft)")
            }
            machine.restlessTurns = 0
        }
        if machine.restlessTurns == 0 { machine.restlessSince = time }
    }

    /// Schedules a look at the node when its deadline comes.
    func scheduleWake(_ machine: Machine) {
        guard let node = machine.node else { return }
        let deadline = node.nextDeadline
        if deadline == .never { return }
        let at = max(machine.clock.time(of: deadline), time)
        if at >= machine.wakeAt, machine.wakeAt > time { return }
        machine.wakeAt = at
        queue.schedule(.wake(machine: machine.index, run: machine.run), at: at)
    }

    func wake(_ machine: Machine, run: UInt64) {
        guard machine.run == run, machine.wakeAt == time, let node = machine.node else { return }
        machine.wakeAt = .never
        if node.nextDeadline <= machine.clock.now(at: time).instant {
            requestTurn(machine, at: time)
        } else {
            scheduleWake(machine)
        }
    }

    // MARK: effects

    /// Does what the node asked for, in the contract's order.
    func carryOut(_ machine: Machine) throws(Violation) {
        var effects = NodeEffects()
        swap(&effects, &machine.effects)
        for line in effects.log { note("node \(machine.id) says: \(line.message)") }
        for id in effects.peerOutput { flush(machine.peerLinks[Int(id.rawValue) - 1], machine) }
        for id in effects.clientOutput { flush(machine.connections[Int(id.rawValue) - 1], machine) }
        for operation in effects.disk where machine.isUp { try submit(operation, machine) }
        guard machine.isUp else { return }
        for (id, afterOutput) in effects.closeClients {
            try closeByServer(machine.connections[Int(id.rawValue) - 1], machine, afterOutput: afterOutput)
        }
        for id in effects.closePeers { close(machine.peerLinks[Int(id.rawValue) - 1], by: machine) }
        for peer in effects.dial { dial(from: machine, to: peer) }
        for (id, enabled) in effects.reading { setReading(machine.connections[Int(id.rawValue) - 1], enabled: enabled) }
        let exit = effects.exit
        effects.removeAll()
        swap(&effects, &machine.effects)
        if let exit { try ended(machine, exit) }
        if options.planted == .dropConnection, let link = machine.connections.last, !link.ends[1].isGone, sabotageNow() {
            try closeByServer(link, machine, afterOutput: false)
        }
    }

    /// The process has ended by its own decision.
    private func ended(_ machine: Machine, _ code: Int32) throws(Violation) {
        note("node \(machine.id) exits with \(code)")
        if code != 0 && !machine.isSpoiled { throw Violation(.recovery, "node \(machine.id) gives up on a disk that is whole") }
        if code == 0 && !machine.isStopping { throw Violation(.driverContract, "node \(machine.id) stops unasked") }
        try crash(machine, mode: .any, losesPower: false)
        if code == 0 { scheduleRestart(machine, after: faultRandom.exponential(mean: options.faultDuration)) }
    }

    private func submit(_ operation: DiskOperation, _ machine: Machine) throws(Violation) {
        var operation = operation
        if options.planted == .strayWrite, case .write(_, let offset, let block) = operation.action, operation.number > 40 {
            operation.action = .write(name: FileName("stray"), offset: offset, block: block)
        }
        switch try machine.disk.submit(operation, at: time) {
        case .completes(let at):
            if case .read(let name, let offset, let count) = operation.action {
                note("node \(machine.id) reads \(count) bytes of \(name) at \(offset)")
            }
            if options.writesInline, case .write = operation.action { machine.busyUntil = max(machine.busyUntil, at) }
            queue.schedule(.disk(machine: machine.index, run: machine.run, number: operation.number), at: at)
        case .full:
            // The driver ends the process: a failed operation is never tried again.
            note("the disk of node \(machine.id) is full")
            try crash(machine, mode: .any, losesPower: false)
            scheduleRestart(machine, after: faultRandom.exponential(mean: options.faultDuration))
        }
    }

    func recoverDisk(_ machine: Machine) {
        for (number, at) in machine.disk.recover(at: time) {
            queue.schedule(.disk(machine: machine.index, run: machine.run, number: number), at: at)
        }
    }

    func diskDone(_ machine: Machine, run: UInt64, number: UInt64) throws(Violation) {
        // An operation that a recovered disk hurried up has two such events.
        guard machine.run == run, machine.isUp, machine.disk.isDue(number: number, at: time) else { return }
        switch try machine.disk.complete(number: number) {
        case .done(let number):
            if options.writesInline {
                machine.inbox.insert(.diskDone(number: number), at: 0)
            } else {
                machine.inbox.append(.diskDone(number: number))
            }
        case .refused(let number): machine.inbox.append(.diskRefused(number: number))
        case .read(let number, let bytes): machine.inbox.append(.diskRead(number: number, bytes))
        }
        requestTurn(machine, at: time)
    }
}
