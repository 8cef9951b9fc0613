import Base
import Node

/// The network: connections, what is on its way on them, and how they end.
extension Simulation {
    // MARK: sending

    /// Sends what a node has for a connection, as far as the stream takes it.
    func flush(_ link: Link, _ machine: Machine) {
        for side in 0...1 where link.ends[side].machine == machine.index && link.machines[side] == machine.index {
            flush(link, side: side, machine)
        }
    }

    func flush(_ link: Link, side: Int, _ machine: Machine) {
        let buffer: ByteBuffer?
        switch link.ends[side] {
        case .server(_, _, let id): buffer = machine.node?.output(of: id)
        case .peer(_, _, let id): buffer = machine.node?.output(of: id)
        case .client, .gone: buffer = nil
        }
        guard let buffer, !buffer.isEmpty else { return finishClosing(link, machine) }
        var room = link.capacity - link.pipes[side].inFlight
        if room <= 0 { return }
        // A socket may take less than it has room for; then it is writable again at once.
        let isPartial = machine.random.chance(1, in: 32)
        if isPartial { room = 1 + machine.random.index(below: room) }
        let count = min(room, buffer.count)
        let bytes = buffer.view.slice(0, count).array
        buffer.consume(count)
        noteDeparture(link, side: side)
        transmit(bytes, on: link, from: side)
        if isPartial && !buffer.isEmpty { machine.inbox.append(.writable(link, side: side)) }
        finishClosing(link, machine)
    }

    /// Puts bytes on their way. What goes to nobody is lost.
    func transmit(_ bytes: [UInt8], on link: Link, from side: Int) {
        if link.pipes[side].endsAt != nil || link.ends[1 - side].isGone || bytes.isEmpty { return }
        link.pipes[side].send(bytes, due: time + delay(of: link))
        scheduleArrival(link, side: side)
    }

    func delay(of link: Link) -> Nanoseconds {
        var delay = link.delay.rawValue * 3 / 4 + networkRandom.next(below: link.delay.rawValue / 2 + 1)
        if networkRandom.chance(1, in: options.lateOneIn) { delay *= 1 + networkRandom.next(below: options.lateFactor) }
        if link.machines[0] != nil && link.machines[1] != nil { delay *= networkSlowness }
        return Nanoseconds(delay)
    }

    func scheduleArrival(_ link: Link, side: Int) {
        let pipe = link.pipes[side]
        guard !pipe.isScheduled, !pipe.isHeld, let due = pipe.nextDue, !isBlocked(link, side: side) else { return }
        link.pipes[side].isScheduled = true
        queue.schedule(.arrive(link: link.number, side: side), at: max(due, time))
    }

    /// Whether a partition keeps what `side` sends from arriving.
    func isBlocked(_ link: Link, side: Int) -> Bool {
        guard let from = link.machines[side], let to = link.machines[1 - side] else { return false }
        return blocked[from][to]
    }

    // MARK: arriving

    func arrive(_ number: Int, side: Int) throws(Violation) {
        guard let link = links[number] else { return }
        link.pipes[side].isScheduled = false
        if link.pipes[side].isHeld || isBlocked(link, side: side) { return }
        guard let due = link.pipes[side].nextDue else { return }
        if due > time { return scheduleArrival(link, side: side) }
        let receiver = link.ends[1 - side]
        guard let bytes = link.pipes[side].take() else { return try noticeEnd(number, side: 1 - side) }
        switch receiver {
        case .server(let machine, _, _), .peer(let machine, _, _):
            deliver(bytes, on: link, to: 1 - side, machines[machine])
        case .client(let client):
            received(link, side: side, bytes.count)
            try receive(bytes, clients[client])
        case .gone:
            link.pipes[side].received(bytes.count)
        }
        if links[number] != nil { scheduleArrival(link, side: side) }
    }

    /// Puts bytes into a node's receive buffer, sometimes together with the ones before.
    private func deliver(_ bytes: [UInt8], on link: Link, to side: Int, _ machine: Machine) {
        if case .bytes(let last, let lastSide, let earlier) = machine.inbox.last, last === link, lastSide == side,
            machine.random.chance(1, in: 2)
        {
            machine.inbox[machine.inbox.count - 1] = .bytes(link, side: side, earlier + bytes)
            return
        }
        post(.bytes(link, side: side, bytes), to: machine)
    }

    /// The receiver has taken bytes that `side` sent: there is room for more.
    func received(_ link: Link, side: Int, _ count: Int) {
        let wasFull = link.pipes[side].inFlight >= link.capacity
        link.pipes[side].received(count)
        if wasFull, let sender = link.ends[side].machine { post(.writable(link, side: side), to: machines[sender]) }
    }

    /// A side learns that its connection is over.
    func noticeEnd(_ number: Int, side: Int) throws(Violation) {
        guard let link = links[number] else { return }
        switch link.ends[side] {
        case .server(let machine, let run, _), .peer(let machine, let run, _):
            if machines[machine].run == run {
                post(.closed(link, side: side), to: machines[machine])
            } else {
                link.ends[side] = .gone
            }
        case .client(let client):
            link.ends[side] = .gone
            lost(clients[client], link)
        case .gone: break
        }
        forgetIfOver(link)
    }

    func forgetIfOver(_ link: Link) { if link.isOver { links[link.number] = nil } }

    // MARK: opening

    func open(_ ends: [Link.End]) -> Link {
        let delay = networkRandom.duration(in: options.delay)
        let link = Link(number: links.count, ends: ends, delay: delay, capacity: options.capacity)
        links.append(link)
        for end in ends { if let machine = end.machine { machines[machine].openLinks.append(link) } }
        return link
    }

    /// A node dials a peer.
    func dial(from machine: Machine, to peer: NodeID) {
        guard let target = machines.firstIndex(where: { $0.id == peer }), target != machine.index else { return }
        let isBlocked = blocked[machine.index][target] || blocked[target][machine.index]
        let span = networkRandom.duration(in: options.delay).rawValue * 2 * networkSlowness
        let wait = isBlocked ? Nanoseconds(span + 100_000_000 + networkRandom.next(below: 400_000_000)) : Nanoseconds(span)
        queue.schedule(.dialled(from: machine.index, run: machine.run, to: target), at: time + wait)
    }

    func dialled(from machine: Machine, run: UInt64, to target: Machine) {
        guard machine.run == run, machine.isUp else { return }
        if blocked[machine.index][target.index] || blocked[target.index][machine.index] {
            return post(.peerDialFailed(to: target.id, reason: "no answer"), to: machine)
        }
        guard target.isUp, !faultRandom.chance(1, in: 200) else {
            return post(.peerDialFailed(to: target.id, reason: "connection refused"), to: machine)
        }
        // The nodes give the connection its numbers when they take the news in.
        let link = open([
            .peer(machine: machine.index, run: machine.run, id: PeerLinkID(0)),
            .peer(machine: target.index, run: target.run, id: PeerLinkID(0)),
        ])
        post(.peerDialled(link, to: target.id), to: machine)
        post(.peerAccepted(link), to: target)
    }

    // MARK: closing

    /// A node closes a connection from its side.
    func close(_ link: Link, by machine: Machine) {
        for side in 0...1 where link.machines[side] == machine.index {
            if link.ends[side].isGone { continue }
            let end = link.ends[side]
            link.ends[side] = .gone
            if case .peer(_, _, let id) = end, options.reportsOwnCloses { machine.inbox.append(.closedByItself(id)) }
            endStream(link, from: side, loses: networkRandom.chance(1, in: 2))
        }
        forgetIfOver(link)
    }

    /// What a side sent arrives up to some point; behind it the other side learns that the connection is over.
    func endStream(_ link: Link, from side: Int, loses: Bool) {
        if loses { link.pipes[side].cut(after: networkRandom.index(below: link.pipes[side].undelivered + 1)) }
        link.pipes[side].end(due: time + delay(of: link))
        scheduleArrival(link, side: side)
    }

    /// A connection breaks: both sides lose what was on its way to them from some byte on.
    func reset(_ link: Link) {
        if link.pipes[0].endsAt != nil && link.pipes[1].endsAt != nil { return }
        note("connection \(link.number) breaks")
        for side in 0...1 {
            if isBlocked(link, side: side) {
                // Nothing comes through, not even the news: the other side gives up by itself some time later.
                link.pipes[side].cut(after: 0)
                link.pipes[side].end(due: time)
                let after = networkRandom.duration(in: Nanoseconds(0)...Nanoseconds.milliseconds(400))
                queue.schedule(.broken(link: link.number, side: 1 - side), at: time + after)
            } else {
                endStream(link, from: side, loses: true)
            }
        }
    }

    /// A process is gone, and with it its end of a connection.
    func abandon(_ link: Link, machine: Machine, losesPower: Bool) {
        for side in 0...1 where link.machines[side] == machine.index {
            if link.ends[side].isGone { continue }
            link.ends[side] = .gone
            if losesPower {
                // A machine without power says nothing: the other side finds out when it gives up waiting.
                link.pipes[side].cut(after: faultRandom.index(below: link.pipes[side].undelivered + 1))
                let after = networkRandom.exponential(mean: .milliseconds(150))
                link.pipes[side].end(due: time + after)
                scheduleArrival(link, side: side)
            } else {
                endStream(link, from: side, loses: networkRandom.chance(1, in: 4))
            }
        }
        forgetIfOver(link)
    }

    /// A node wants a client's connection closed.
    func closeByServer(_ link: Link, _ machine: Machine, afterOutput: Bool) throws(Violation) {
        if link.ends[1].isGone { return }
        let closedForUnknown = machine.node?.clientsClosedForUnknown ?? 0
        let isUnknown = machine.closedForUnknown < closedForUnknown
        if isUnknown { machine.closedForUnknown += 1 }
        if !link.mayBeClosed && !machine.isStopping && !isUnknown {
            throw Violation(
                .droppedConnection, "node \(machine.id) closes connection \(link.number), whose client did nothing to deserve it")
        }
        link.closesAfterOutput = true
        if afterOutput { finishClosing(link, machine) } else { closeNow(link, machine) }
    }

    /// Closes a connection that is to be closed after its output, once that has left.
    private func finishClosing(_ link: Link, _ machine: Machine) {
        guard link.closesAfterOutput, case .server(_, _, let id) = link.ends[1] else { return }
        if let buffer = machine.node?.output(of: id), !buffer.isEmpty { return }
        closeNow(link, machine)
    }

    private func closeNow(_ link: Link, _ machine: Machine) {
        guard case .server = link.ends[1] else { return }
        endStream(link, from: 1, loses: false)
        // The node hears of the end, whoever caused it.
        machine.inbox.append(.closed(link, side: 1))
        requestTurn(machine, at: time)
    }

    // MARK: reading

    /// A node stops or goes on reading from a client.
    func setReading(_ link: Link, enabled: Bool) {
        link.pipes[0].isHeld = !enabled
        if enabled { scheduleArrival(link, side: 0) }
    }

    /// A client goes on reading.
    func release(_ number: Int) {
        guard let link = links[number] else { return }
        link.pipes[1].isHeld = false
        scheduleArrival(link, side: 1)
    }
}
