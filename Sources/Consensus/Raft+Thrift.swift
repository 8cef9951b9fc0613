import Base

/// Which voters get each append at once, and which get theirs gathered.
///
/// A majority commits; the copies beyond it are for the day when a member fails. On an idle-healthy group each of them
/// costs as much as the copies that count: a frame, a wake-up, a sync for every batch. So the leader prefers as many
/// voters as a majority needs beside itself, and gathers for the others: `thriftyGather` frames' worth, or `thriftyDelay`
/// at the most. When a preferred voter falls behind its own pace, is silent or disconnected, it goes to the end of the
/// list and the next one moves up, with everything that was gathered for it, in the same turn. What is committed is on
/// a majority of disks as ever; only which majority answers first is chosen.
extension Raft {
    /// Whether an entry appended now could leave for none of the voters that the next commit needs: each has all the appends
    /// in flight that it may have. What is in flight is answered, or late, which makes another voter needed (`chooseNeeded`).
    /// Nil when there is no such voter: this member is a majority by itself.
    package var isWindowFull: Bool? {
        var isFull: Bool?
        for peer in progress where peer.isNeeded && configuration.isVoter(peer.peer) {
            if peer.state != .replicate || peer.inFlight.count < options.inFlightMax { return false }
            isFull = true
        }
        return isFull
    }

    /// Puts the voters in order at the beginning of a leadership: those that voted for this leader are surely alive.
    mutating func rankVoters() {
        let voters = progress.indices.filter { configuration.isVoter(progress[$0].peer) }
        preference = voters.filter { progress[$0].answer == true } + voters.filter { progress[$0].answer != true }
        framesToNeeded = 0
    }

    /// Decides for this turn who is needed.
    mutating func chooseNeeded() {
        let isThrifty = options.thrifty && !configuration.isJoint && configuration.isVoter(options.id)
        let needed = isThrifty ? configuration.voters.count / 2 : preference.count
        var isEnough = arePreferredHealthy(needed)
        if isThrifty, !isEnough {
            rankHealthyFirst()
            isEnough = arePreferredHealthy(needed)
        }
        for position in progress.indices { progress[position].isNeeded = !options.thrifty }
        for rank in preference.indices where !isEnough || rank < needed {
            progress[preference[rank]].isNeeded = true
        }
        if let target = transfer?.target, let position = position(of: target) { progress[position].isNeeded = true }
    }

    private func arePreferredHealthy(_ count: Int) -> Bool {
        check(count <= preference.count, "a majority of voters is among the voters")
        for rank in 0..<count where !isHealthy(preference[rank]) { return false }
        return true
    }

    private mutating func rankHealthyFirst() {
        var healthy: [Int] = []
        var others: [Int] = []
        for position in preference {
            if isHealthy(position) { healthy.append(position) } else { others.append(position) }
        }
        preference = healthy + others
    }

    private func isHealthy(_ position: Int) -> Bool {
        progress[position].isHealthy(
            now: clock, silenceMax: Nanoseconds(options.heartbeatInterval.rawValue * 3))
    }

    /// Notes for whom entries wait now.
    mutating func noteUnsent() {
        for position in progress.indices {
            if progress[position].nextIndex > log.lastIndex {
                progress[position].unsentSince = nil
            } else if progress[position].unsentSince == nil {
                progress[position].unsentSince = clock
                progress[position].framesBefore = framesToNeeded
            }
        }
    }

    /// A frame with entries has gone to a peer.
    mutating func noteFrame(to position: Int) {
        if progress[position].isNeeded { framesToNeeded += 1 }
        if progress[position].nextIndex > log.lastIndex { progress[position].unsentSince = nil }
    }

    /// Whether what waits for a peer is to leave in this turn, its window allowing.
    func mustSendNow(_ position: Int) -> Bool {
        if progress[position].isNeeded || progress[position].wantsCommit { return true }
        guard let since = progress[position].unsentSince else { return true }
        let frames = framesToNeeded - progress[position].framesBefore
        return clock - since >= options.thriftyDelay
            || frames >= UInt64(options.thriftyGather * max(configuration.voters.count / 2, 1))
    }

    /// When what is gathered for a peer leaves at the latest; nil when time does not decide it.
    func gatherDeadline(of peer: Progress) -> Instant? {
        guard let since = peer.unsentSince, !peer.isNeeded, peer.state == .replicate, !peer.isLoading,
            peer.inFlight.count < options.inFlightMax
        else { return nil }
        return since + options.thriftyDelay
    }
}
