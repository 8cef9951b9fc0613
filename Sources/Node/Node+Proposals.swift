import Base
import Consensus
import Database

/// The way of a write (DESIGN, sections 3 and 5): gathered in this turn's frame, given to the leader (perhaps this node),
/// put into one log entry with everybody else's, and executed when it is applied.
extension Node {
    /// Closes this turn's frame and gives what is unsent to the leader.
    func routeProposals() {
        group.proposals.seal(now: now.instant)
        let leader = group.raft.leader
        let term = group.raft.term
        guard let leader else {
            group.sentTo = nil
            return
        }
        if group.sentTo?.leader != leader || group.sentTo?.term != term {
            if leader != id && openLink(to: leader) == nil { return }
            group.sentTo = (leader, term)
            group.proposals.leaderChanged()
            dropGathered()
            group.proposedThrough.removeAll()
            group.proposedFor.removeAll()
            group.expiryEntry = nil
            group.proposedAt.removeAll()
        }
        if leader == id {
            group.proposals.takeUnsent(windowBytes: options.limits.proposalWindowBytes) { addSegment($0.bytes) }
        } else if let link = openLink(to: leader) {
            group.proposals.takeUnsent(windowBytes: options.limits.proposalWindowBytes) { frame in
                let start = beginFrame(.proposals, to: leader, on: link)
                link.output.append(integer: term.rawValue)
                link.output.append(frame.bytes)
                endFrame(start, on: link)
                statistics.proposalsForwarded += UInt64(frame.count)
            }
        }
    }

    /// Puts a segment into the next entry, or behind those that wait for the one after.
    private func addSegment(_ segment: [UInt8]) {
        if fits(segment.count) {
            segment.withView { addToPayload($0) }
        } else {
            group.waitingSegments.append(segment)
        }
    }

    /// An entry takes one segment of any size, or several while it stays below its limit.
    private func fits(_ bytes: Int) -> Bool {
        group.waitingSegments.isEmpty && (group.payload.isEmpty || group.payload.count + bytes <= options.limits.entryBytesMax)
    }

    private func addToPayload(_ segment: ByteView) {
        if group.payload.isEmpty { beginPayload() }
        if let owner = header(of: segment)?.owner, owner != id, !group.payloadOwners.contains(owner) {
            group.payloadOwners.append(owner)
        }
        group.payload.append(segment)
    }

    /// Drops what gathered for an entry of a leadership that is over: its owners propose it again.
    private func dropGathered() {
        group.payload.removeAll()
        group.payloadOwners.removeAll()
        group.waitingSegments.removeAll()
    }

    /// Time and seed are filled in when the entry is proposed.
    private func beginPayload() {
        CommandBatch.beginPayload(time: WallTime(microseconds: 0), seed: 0, to: group.payload)
        group.payloadSince = now.instant
    }

    /// Takes a frame of commands that another node sent to this one as the leader of a term.
    func takeProposals(_ payload: ByteView, from peer: NodeID, on link: PeerLink) {
        var reader = ByteReader(payload)
        guard let term = reader.integer(UInt64.self), let segment = reader.bytes(reader.remaining),
            CommandBatch.validateSegment(segment), let header = header(of: segment), header.owner == peer, header.count > 0
        else {
            log(.warning, "closed the link with node \(peer): a frame of commands is malformed")
            return closeLink(link)
        }
        // A frame for another leadership: its sender will learn of this one and send again.
        guard group.raft.role == .leader, group.raft.term.rawValue == term else { return }
        let last = header.first + UInt64(header.count) - 1
        let known = group.proposedThrough.firstIndex { $0.node == peer }
        if let known, group.proposedThrough[known].incarnation == header.incarnation {
            // Sent again after a new link; it is in an entry of this leadership already.
            if last <= group.proposedThrough[known].number { return }
            check(
                header.first <= group.proposedThrough[known].number + 1,
                "commands for one leadership come without gaps")
            group.proposedThrough[known].number = last
        } else if let known {
            if header.incarnation < group.proposedThrough[known].incarnation { return }
            group.proposedThrough[known] = (peer, header.incarnation, last)
        } else {
            group.proposedThrough.append((peer, header.incarnation, last))
        }
        if fits(segment.count) { addToPayload(segment) } else { group.waitingSegments.append(segment.array) }
    }

    /// On the leader: makes log entries of the gathered segments, one as a rule.
    func propose() {
        // Whoever does not lead any more holds nothing back: its turns would follow one another without end.
        group.isHeldBack = false
        guard group.raft.role == .leader, group.sentTo?.leader == id, group.sentTo?.term == group.raft.term else { return }
        if group.payload.isEmpty && isExpiryDue { beginPayload() }
        group.isHeldBack = !group.payload.isEmpty && gathersOn
        if group.isHeldBack { return }
        while !group.payload.isEmpty && proposePayload() {
            while let next = group.waitingSegments.first,
                group.payload.isEmpty || group.payload.count + next.count <= options.limits.entryBytesMax
            {
                next.withView { addToPayload($0) }
                _ = group.waitingSegments.popFirst()
            }
        }
    }

    /// Whether an entry would have to wait for an answer before it could leave: what comes until then may as well be in it.
    var gathersOn: Bool {
        group.payload.count < options.limits.entryBytesMax && (group.raft.isWindowFull ?? log.isWriting)
    }

    /// Proposes one entry; false when it can't be now.
    private func proposePayload() -> Bool {
        let stamp = max(now.wall, max(group.machine.time, group.lastStamp))
        CommandBatch.stamp(time: stamp, seed: random.next(), in: group.payload)
        let bytes = group.payload.count
        switch group.raft.propose(group.payload.view.array, now: now) {
        case .appended(let index, _):
            group.lastStamp = stamp
            if isExpiryDue { group.expiryEntry = index }
            group.payload.removeAll(keeping: 1 << 20)
            for node in group.payloadOwners { group.proposedFor.append((index, node)) }
            group.payloadOwners.removeAll(keepingCapacity: true)
            statistics.queueTime.record(now.instant - group.payloadSince)
            group.proposedAt.append((index, now.instant))
            statistics.entriesProposed += 1
            statistics.entryBytesProposed += UInt64(bytes)
            return true
        case .overloaded, .transferring:
            // The segments stay; they go into a later entry.
            return false
        case .notLeader:
            dropGathered()
            return false
        }
    }

    private func header(of segment: ByteView) -> CommandBatch.SegmentHeader? {
        var reader = ByteReader(segment)
        return CommandBatch.segmentHeader(&reader)
    }

    // MARK: expiry (DESIGN, rule 7)

    /// Whether something in the database is due, and no entry that carries the time there is on its way.
    private var isExpiryDue: Bool {
        guard group.raft.canServe, group.expiryEntry == nil, let deadline = group.machine.nextDeadline else { return false }
        return deadline <= now.wall
    }

    /// When the leader has to propose an entry for the next expiry. Nil too while what it proposed last was not taken: it
    /// stays, and carries the time when it is.
    var expiryProposalAt: Instant? {
        guard group.raft.canServe, group.expiryEntry == nil, group.payload.isEmpty, let deadline = group.machine.nextDeadline
        else { return nil }
        if deadline <= now.wall { return now.instant }
        // A key may be set to live until the end of time, which does not fit into a span: look again every hour.
        return now.instant + .microseconds(UInt64(min(deadline.microseconds - now.wall.microseconds, 3_600_000_000)))
    }
}
