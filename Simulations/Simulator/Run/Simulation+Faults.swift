import Base
import Consensus

/// A time in which every new leader goes down soon after its election.
struct Hunt {
    var until: Instant
    /// A leader lives this long at most.
    var grace: Nanoseconds
}

/// What goes wrong in the safety phase.
extension Simulation {
    /// Lets the next fault happen.
    func strikeNext() throws(Violation) {
        guard phase == .safety else { return }
        queue.schedule(.fault, at: time + faultRandom.exponential(mean: options.faultInterval))
        // A plot needs quiet to come off.
        if plot != nil { return }
        let total = options.faultWeights.reduce(0) { $0 + $1.weight }
        var draw = faultRandom.next(below: total)
        for (kind, weight) in options.faultWeights {
            if draw < weight { return try strike(kind) }
            draw -= weight
        }
    }

    private func strike(_ kind: FaultKind) throws(Violation) {
        statistics.faults += 1
        note("fault: \(kind.rawValue)")
        switch kind {
        case .crashNode, .crashLeader, .crashAll, .crashAfterReply, .huntLeaders, .restartLoop, .orderlyRestart:
            try strikeNodes(kind)
        case .figure8, .doubleVote: try plot(kind)
        case .splitGroups, .isolateNode, .isolateLeader, .oneWay, .bridge: divide(kind)
        case .resetLink, .resetNode, .resetClients: resetSome(kind)
        case .pauseNode: if let machine = anyUp() { pause(machine) }
        case .pauseLeader: if let machine = leader() ?? anyUp() { pause(machine) }
        case .wallJump, .drift: disturbClock(kind)
        case .slowDisk:
            let machine = faultRandom.choice(of: machines)
            machine.disk.slowness = faultRandom.choice(of: [3, 20, 100])
            queue.schedule(.diskRecovers(machine: machine.index), at: time + faultSpan())
        case .fullDisk:
            let machine = faultRandom.choice(of: machines)
            let full = machines.count { $0.disk.capacity != .max && $0 !== machine }
            if full >= (machines.count - 1) / 2 { return }
            machine.disk.capacity = machine.disk.usedBytes
            queue.schedule(.diskHasRoom(machine: machine.index), at: time + Nanoseconds(faultSpan().rawValue * 2))
        case .slowNetwork:
            networkSlowness = faultRandom.choice(of: [3, 20])
            queue.schedule(.networkRecovers, at: time + faultSpan())
        case .transferLeadership:
            guard let client = clients.first(where: { if case .operator = $0.role { true } else { false } }) else { return }
            if client.link == nil && !client.isConnecting { connect(client, to: (leader() ?? anyUp())?.index) }
        case .slowReader:
            guard let link = faultRandom.choice(of: clients).link else { return }
            link.pipes[1].isHeld = true
            queue.schedule(.readerRecovers(link: link.number), at: time + faultSpan())
        }
    }

    // MARK: whom

    private func faultSpan() -> Nanoseconds { faultRandom.exponential(mean: options.faultDuration) }

    private func anyUp() -> Machine? {
        let up = machines.filter(\.isUp)
        return up.isEmpty ? nil : faultRandom.choice(of: up)
    }

    /// The leader of the newest term.
    func leader() -> Machine? {
        machines.filter { $0.isUp && $0.node?.raft.role == .leader }.max { $0.seen.term < $1.seen.term }
    }

    // MARK: nodes

    private func strikeNodes(_ kind: FaultKind) throws(Violation) {
        switch kind {
        case .crashNode: if let machine = anyUp() { try strike(machine) }
        case .crashLeader: if let machine = leader() ?? anyUp() { try strike(machine) }
        case .crashAll:
            let mode = faultRandom.chance(1, in: 2) ? SimulatedDisk.CrashMode.any : .lost
            for machine in machines where machine.isUp { try strike(machine, mode: mode, losesPower: true) }
        case .crashAfterReply: crashesAtNextReply = 1
        case .huntLeaders:
            let span = Nanoseconds(faultSpan().rawValue * 4 + 500_000_000)
            let grace = Nanoseconds(options.delay.upperBound.rawValue * faultRandom.choice(of: [1, 3, 10, 50]))
            hunt = Hunt(until: time + span, grace: grace)
        case .restartLoop:
            if let machine = anyUp() {
                machine.startsToFail = 1 + faultRandom.index(below: 6)
                try strike(machine)
            }
        default:
            if let machine = anyUp(), !machine.isStopping {
                machine.isStopping = true
                post(.shutdown, to: machine)
            }
        }
    }

    /// Takes a machine down, in some way, and has it come back.
    func strike(
        _ machine: Machine, mode: SimulatedDisk.CrashMode? = nil, losesPower: Bool? = nil, restartAfter: Nanoseconds? = nil
    ) throws(Violation) {
        guard machine.isUp else { return }
        let drawnMode = faultRandom.chance(1, in: 3) ? SimulatedDisk.CrashMode.lost : .any
        let drawnPower = faultRandom.chance(1, in: 2)
        try crash(machine, mode: mode ?? drawnMode, losesPower: losesPower ?? drawnPower)
        spoil(machine)
        let isSoon = machine.startsToFail > 0 || machine.startsSoon
        machine.startsSoon = false
        scheduleRestart(machine, after: restartAfter ?? (isSoon ? .milliseconds(faultRandom.next(below: 30)) : faultSpan()))
    }

    func scheduleRestart(_ machine: Machine, after span: Nanoseconds) {
        queue.schedule(.restart(machine: machine.index, run: machine.run), at: time + span)
    }

    /// A reply has just reached a client: everybody who may know of its command loses power now.
    func strikeAtReply() throws(Violation) {
        crashesAtNextReply -= 1
        let isAll = faultRandom.chance(2, in: 3)
        for machine in machines where machine.isUp && (isAll || faultRandom.chance(2, in: 3)) {
            try strike(machine, mode: .lost, losesPower: true)
        }
    }

    /// A node has begun to lead.
    func noticeLeader(_ machine: Machine) {
        statistics.elections += 1
        guard phase == .safety, let hunt else { return }
        if hunt.until < time {
            self.hunt = nil
            return
        }
        let after = Nanoseconds(faultRandom.next(below: hunt.grace.rawValue))
        queue.schedule(.strike(machine: machine.index, run: machine.run), at: time + after)
    }

    /// A restart loop: the node goes down again soon after its start.
    func noticeStart(_ machine: Machine) {
        guard phase == .safety, machine.startsToFail > 0 else { return }
        machine.startsToFail -= 1
        let after = faultRandom.duration(in: .microseconds(10)...Nanoseconds.milliseconds(60))
        queue.schedule(.strike(machine: machine.index, run: machine.run), at: time + after)
    }

    /// Silent damage to the disk of a machine that is down, at most on a minority.
    private func spoil(_ machine: Machine) {
        guard options.disksRot, faultRandom.chance(1, in: 4) else { return }
        if faultRandom.chance(1, in: 2), !machine.hasRottenStateFile, machine.disk.stateFiles.count > 1,
            let place = machine.disk.rotStateFile()
        {
            // There is another one, and the log behind it.
            note("the disk of node \(machine.id) rots: \(place)")
            machine.hasRottenStateFile = true
            return
        }
        let spoiled = machines.filter { $0.isSpoiled && $0 !== machine }.count
        guard spoiled < (machines.count - 1) / 2, let place = machine.disk.rot(sparing: 4) else { return }
        note("the disk of node \(machine.id) rots: \(place)")
        machine.isSpoiled = true
    }

    // MARK: network

    private func divide(_ kind: FaultKind) {
        let count = machines.count
        var fresh = [[Bool]](repeating: [Bool](repeating: false, count: count), count: count)
        let one = kind == .isolateLeader ? (leader() ?? machines[0]).index : faultRandom.index(below: count)
        switch kind {
        case .splitGroups:
            let side = (0..<count).map { _ in faultRandom.chance(1, in: 2) }
            for from in 0..<count { for to in 0..<count where side[from] != side[to] { fresh[from][to] = true } }
        case .isolateNode, .isolateLeader:
            for other in 0..<count where other != one {
                fresh[one][other] = true
                fresh[other][one] = true
            }
        case .oneWay:
            let isDeaf = faultRandom.chance(1, in: 2)
            for other in 0..<count where other != one {
                if isDeaf { fresh[other][one] = true } else { fresh[one][other] = true }
            }
        default:
            var ring = Array(0..<count)
            faultRandom.permute(&ring)
            for from in 0..<count {
                for to in 0..<count where from != to {
                    let distance = abs(from - to)
                    let areNeighbours = distance == 1 || (count > 3 && distance == count - 1)
                    fresh[ring[from]][ring[to]] = !areNeighbours
                }
            }
        }
        plot = nil
        partition += 1
        blocked = fresh
        queue.schedule(.heal(partition: partition), at: time + Nanoseconds(faultSpan().rawValue * 2))
        breakSomeBlocked()
        rescheduleArrivals()
    }

    /// Connections that a partition cuts end after a while, or survive it.
    private func breakSomeBlocked() {
        for case let link? in links where isBlocked(link, side: 0) || isBlocked(link, side: 1) {
            if faultRandom.chance(1, in: 2) { queue.schedule(.reset(link: link.number), at: time + faultSpan()) }
        }
    }

    func healPartition() {
        note("the partition heals")
        partition += 1
        for row in blocked.indices { for column in blocked.indices { blocked[row][column] = false } }
        rescheduleArrivals()
    }

    /// What a partition held back, now or before, is on its way.
    func rescheduleArrivals() {
        for case let link? in links {
            for side in 0...1 where !link.pipes[side].isScheduled && !isBlocked(link, side: side) {
                link.pipes[side].delay(until: time + delay(of: link))
                scheduleArrival(link, side: side)
            }
        }
    }

    private func resetSome(_ kind: FaultKind) {
        let machine = faultRandom.index(below: machines.count)
        let isClient: (Link) -> Bool = { $0.machines[0] == nil }
        for case let link? in links {
            switch kind {
            case .resetLink: if !isClient(link) && faultRandom.chance(1, in: 3) { reset(link) }
            case .resetNode: if !isClient(link) && link.machines.contains(machine) { reset(link) }
            default: if isClient(link) && faultRandom.chance(1, in: 2) { reset(link) }
            }
        }
    }

    // MARK: time

    private func pause(_ machine: Machine) {
        machine.pausedUntil = max(machine.pausedUntil, time + faultSpan())
    }

    private func disturbClock(_ kind: FaultKind) {
        let machine = faultRandom.choice(of: machines)
        if kind == .wallJump {
            let bound = faultRandom.choice(of: [1_000, 1_000_000, 3_600_000_000] as [UInt64])
            machine.clock.wallOffset += Int64(faultRandom.next(below: 2 * bound)) - Int64(bound)
            latestWallOffset = max(latestWallOffset, machine.clock.wallOffset)
        } else {
            machine.clock.setDrift(Int64(faultRandom.next(below: 100_000)) - 50_000, at: time)
            machine.wakeAt = .never
            scheduleWake(machine)
        }
    }
}
