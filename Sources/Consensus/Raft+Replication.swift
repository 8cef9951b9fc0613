import Base

/// The leader's side of replication (paper, section 5.3; thesis, section 10.2).
extension Raft {
    /// Appends an entry of this leader to its own log.
    mutating func appendOwn(_ kind: Entry.Kind, _ payload: [UInt8]) -> LogIndex {
        check(role == .leader, "only a leader appends by itself")
        let index = log.lastIndex.next
        log.append(Entry(term: term, index: index, kind: kind, payload: payload))
        uncommittedBytes += payload.count
        return index
    }

    /// Commits what a quorum has on disk, when it is of this term: then everything before it is committed too, and no
    /// later leader can lack it (paper, section 5.4.2 and Figure 8).
    mutating func advanceCommit() {
        check(role == .leader, "only a leader counts copies")
        // The closure holds on to single values: with `self` in it, the whole member would be copied for each entry.
        let (id, durable, peers) = (options.id, durableIndex, progress)
        let index = configuration.quorumIndex { node in
            if node == id { return durable }
            guard let position = peers.position(of: node) else { return .zero }
            return peers[position].matchIndex
        }
        guard index > commitIndex else { return }
        if log.term(at: index) == term || options.faults.contains(.commitOlderTermByCounting) {
            commit(through: index)
        }
    }

    // MARK: Sending

    /// Sends what each peer is due, at the end of a turn.
    mutating func sendToPeers() {
        chooseNeeded()
        noteUnsent()
        for position in progress.indices where progress[position].isNeeded { sendAppends(to: position) }
        for position in progress.indices where !progress[position].isNeeded { sendAppends(to: position) }
        for position in progress.indices { sendWithoutEntries(to: position) }
    }

    private mutating func sendAppends(to position: Int) {
        switch progress[position].state {
        case .probe:
            if progress[position].probeSentAt == nil, progress[position].isConnected {
                sendProbe(to: position, bytesMax: options.probeBytesMax)
            }
        case .replicate:
            while progress[position].inFlight.count < options.inFlightMax,
                progress[position].nextIndex <= log.lastIndex, mustSendNow(position)
            {
                let next = progress[position].nextIndex
                if next <= log.baseIndex {
                    sendSnapshot(to: position)
                    break
                }
                if next < log.firstCachedIndex {
                    load(for: position)
                    break
                }
                sendAppend(to: position, log.slice(from: next, bytesMax: options.appendBytesMax))
            }
        case .snapshot:
            break
        }
    }

    /// What has to be said and did not ride on an append: a read round, a commit index.
    private mutating func sendWithoutEntries(to position: Int) {
        if progress[position].wantsCommit {
            if progress[position].commitSent >= commitIndex {
                progress[position].wantsCommit = false
            } else if progress[position].matchIndex >= commitIndex {
                sendHeartbeat(to: position)
            } else if progress[position].state == .replicate, progress[position].nextIndex > commitIndex {
                // The entries are on their way: on one channel the commit index arrives after them.
                sendAppend(to: position, [])
            }
        }
        if reads.isFlying, progress[position].roundSent < reads.round, isAsked(position) { sendHeartbeat(to: position) }
    }

    /// Asks where the logs meet, with the entries that would come next as far as they are small and at hand.
    mutating func sendProbe(to position: Int, bytesMax: Int) {
        let next = progress[position].nextIndex
        guard next > log.baseIndex else {
            sendSnapshot(to: position)
            return
        }
        var entries: [Entry] = []
        if bytesMax > 0, next <= log.lastIndex, next >= log.firstCachedIndex {
            entries = log.slice(from: next, bytesMax: bytesMax)
        }
        sendAppend(to: position, entries)
    }

    /// Sends one append from `nextIndex` on.
    private mutating func sendAppend(to position: Int, _ entries: [Entry]) {
        let previous = progress[position].nextIndex.previous
        guard let previousTerm = log.term(at: previous) else {
            check(false, "an append begins inside of the log")
            return
        }
        check(entries.first.map { $0.index == previous.next } ?? true, "an append begins with the next entry")
        let last = LogIndex(previous.rawValue + UInt64(entries.count))
        send(
            .append(
                .init(
                    previousIndex: previous, previousTerm: previousTerm, entries: entries, commitIndex: commitIndex,
                    readRound: roundFor(position))),
            to: progress[position].peer)
        progress[position].lastSent = clock
        noteCommitSent(min(commitIndex, last), to: position)
        if progress[position].state == .probe {
            progress[position].probeSentAt = clock
        } else if !entries.isEmpty {
            check(progress[position].inFlight.count < options.inFlightMax, "appends in flight are within the window")
            progress[position].inFlight.append(.init(lastIndex: last, sentAt: clock))
            progress[position].nextIndex = last.next
            noteFrame(to: position)
        }
    }

    mutating func sendHeartbeat(to position: Int) {
        let known = min(commitIndex, progress[position].matchIndex)
        send(.heartbeat(.init(commitIndex: known, readRound: roundFor(position))), to: progress[position].peer)
        progress[position].lastSent = clock
        noteCommitSent(known, to: position)
    }

    private mutating func sendSnapshot(to position: Int) {
        progress[position].becomeProbe()
        progress[position].state = .snapshot
        progress[position].snapshotIndex = log.baseIndex
        progress[position].probeSentAt = clock
        progress[position].lastSent = clock
        send(.installSnapshot(index: log.baseIndex, term: log.baseTerm), to: progress[position].peer)
    }

    private mutating func noteCommitSent(_ index: LogIndex, to position: Int) {
        progress[position].commitSent = max(progress[position].commitSent, index)
        if progress[position].commitSent >= commitIndex { progress[position].wantsCommit = false }
    }

    /// Makes `peer` learn the commit index of this drain at once instead of with the next append or heartbeat. For a node
    /// whose own proposals were just committed. Does nothing on a member that does not lead.
    package mutating func announceCommit(to peer: NodeID) {
        guard role == .leader, let position = position(of: peer) else { return }
        progress[position].wantsCommit = true
    }

    // MARK: Answers

    mutating func receiveAppendResponse(_ outcome: Message.AppendResponse.Outcome, from position: Int) {
        switch outcome {
        case .accepted(let matchIndex):
            hold(matchIndex <= log.lastIndex, "a follower acknowledges what its leader has")
            guard matchIndex <= log.lastIndex else { return }
            progress[position].acknowledge(through: matchIndex, now: clock)
            advanceCommit()
            advanceTransfer()
        case .rejected(let previousIndex, let hintIndex, let hintTerm):
            receiveRejection(position, previousIndex: previousIndex, hintIndex: hintIndex, hintTerm: hintTerm)
        }
    }

    /// Steps back to where the logs may meet: not beyond the follower's hint, and not where this log's term is newer than
    /// the hint's. So each answer passes over a whole term on one side (paper, end of section 5.3).
    private mutating func receiveRejection(
        _ position: Int, previousIndex: LogIndex, hintIndex: LogIndex, hintTerm: Term
    ) {
        let peer = progress[position]
        // An answer to a message of before: what matches, matches. (A peer whose disk lost what it acknowledged stays
        // here for ever: it must not be counted.)
        guard previousIndex > peer.matchIndex else { return }
        if previousIndex <= log.baseIndex {
            sendSnapshot(to: position)
            return
        }
        switch peer.state {
        case .snapshot: return
        case .probe: guard previousIndex == peer.nextIndex.previous else { return }
        case .replicate: break
        }
        let limit = min(hintIndex, previousIndex.previous)
        let meeting = log.lastIndex(notAfter: limit, termAtMost: hintTerm)
        progress[position].becomeProbe()
        progress[position].nextIndex = max(peer.matchIndex, meeting).next
        check(progress[position].nextIndex <= previousIndex, "a rejection moves the next index back")
    }

    mutating func receiveSnapshotResponse(index: LogIndex, succeeded: Bool, from position: Int) {
        guard progress[position].state == .snapshot, index >= progress[position].snapshotIndex else { return }
        hold(!succeeded || index <= log.lastIndex, "a follower acknowledges what its leader has")
        if succeeded { progress[position].matchIndex = max(progress[position].matchIndex, index) }
        progress[position].becomeProbe()
        // After a failure not at once again, but with the next look after lost messages.
        if !succeeded { progress[position].probeSentAt = clock }
    }

    // MARK: Entries from disk

    private mutating func load(for position: Int) {
        guard !progress[position].isLoading else { return }
        progress[position].isLoading = true
        pending.loads.append(
            .init(peer: progress[position].peer, from: progress[position].nextIndex, bytesMax: options.appendBytesMax))
    }

    /// The entries that `effects.loads` asked for, contiguous from its `from`.
    package mutating func loaded(for peer: NodeID, entries: [Entry], now: Now) {
        advance(now)
        guard let position = position(of: peer) else { return }
        progress[position].isLoading = false
        guard role == .leader, progress[position].state == .replicate,
            progress[position].inFlight.count < options.inFlightMax,
            let first = entries.first, let last = entries.last, first.index == progress[position].nextIndex,
            last.index.rawValue - first.index.rawValue == UInt64(entries.count - 1),
            log.term(at: first.index) == first.term, log.term(at: last.index) == last.term
        else { return }
        sendAppend(to: position, entries)
    }

    /// The entries that `effects.loads` asked for can't be read now. Asked again later.
    package mutating func loadFailed(for peer: NodeID) {
        guard let position = position(of: peer) else { return }
        progress[position].isLoading = false
        guard role == .leader, progress[position].state == .replicate else { return }
        progress[position].becomeProbe()
        progress[position].probeSentAt = clock
    }

    // MARK: Time

    mutating func tickLeader() {
        check(role == .leader, "a leader's timers are a leader's")
        expireTransfer()
        guard clock >= leaderCheckAt else { return }
        checkQuorum()
        guard role == .leader else { return }
        leaderCheckAt = clock + options.heartbeatInterval
        for position in progress.indices { lookAfter(position) }
    }

    /// Heartbeats, and what was lost without its channel being lost.
    private mutating func lookAfter(_ position: Int) {
        let peer = progress[position]
        switch peer.state {
        case .probe:
            if peer.probeSentAt.map({ clock - $0 >= options.resendAfter }) ?? true {
                sendProbe(to: position, bytesMax: 0)
                return
            }
        case .replicate:
            if let oldest = peer.inFlight.first, clock - oldest.sentAt >= options.resendAfter {
                progress[position].becomeProbe()
                sendProbe(to: position, bytesMax: 0)
                return
            }
        case .snapshot:
            if peer.isConnected, peer.probeSentAt.map({ clock - $0 >= options.resendAfter }) ?? true {
                sendSnapshot(to: position)
                return
            }
        }
        if (clock - peer.lastSent).rawValue * 2 >= options.heartbeatInterval.rawValue { sendHeartbeat(to: position) }
    }

    /// A channel of the leader was lost or opened anew.
    mutating func leaderLostChannel(to position: Int) {
        check(role == .leader, "a leader's channels are a leader's")
        let peer = progress[position].peer
        if progress[position].state == .replicate { progress[position].becomeProbe() }
        progress[position].probeSentAt = nil
        if progress[position].state == .snapshot { progress[position].becomeProbe() }
        forgetReads(of: peer, position)
        if transfer?.target == peer { transfer = nil }
    }

    /// Connected, and heard of within an election timeout.
    func isActive(_ peer: Progress) -> Bool {
        peer.isConnected && clock - peer.lastHeard < options.electionTimeoutMax
    }
}
