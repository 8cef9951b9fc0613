import Base

/// A leader's knowledge of one peer (paper, Figure 2, "volatile state on leaders"), and what this member knows of the
/// channel to it in any role.
package struct Progress: Sendable {
    /// How the leader sends to a peer.
    package enum State: UInt8, Sendable {
        /// Where the logs meet is not known: one append at a time.
        case probe = 0
        /// The logs are known to meet at `matchIndex`: entries stream, up to the window.
        case replicate = 1
        /// The peer's next entry is no longer in the log: it waits for a state file.
        case snapshot = 2
    }

    /// An append with entries that is not yet answered.
    struct InFlight: Sendable {
        var lastIndex: LogIndex
        var sentAt: Instant
    }

    package let peer: NodeID

    // MARK: In any role
    /// What the owner reported last. True until it reports anything.
    var isConnected = true
    /// The answer to this member's campaign, when it came.
    var answer: Bool?

    // MARK: On the leader
    package internal(set) var state = State.probe
    /// Everything through here is durable at the peer and equal to the leader's log.
    package internal(set) var matchIndex = LogIndex.zero
    /// The next entry to send; above `matchIndex` always.
    package internal(set) var nextIndex: LogIndex
    /// Oldest first, at most `RaftOptions.inFlightMax`. Empty unless replicating.
    var inFlight: [InFlight] = []
    /// When the probe that is not yet answered left.
    var probeSentAt: Instant?
    /// When a message of the leader's own term came from the peer last (its election counts as one).
    var lastHeard = Instant(nanoseconds: 0)
    /// When anything that proves leadership was sent last.
    var lastSent = Instant(nanoseconds: 0)
    /// Smoothed time from an append to its acknowledgement, the peer's sync included.
    var usualDelay = Progress.usualDelayAtFirst
    /// Entries are being read from disk for it.
    var isLoading = false
    /// The state file that it waits for covers everything through here.
    var snapshotIndex = LogIndex.zero
    /// The newest commit index that what was sent makes known to it, if it arrives.
    var commitSent = LogIndex.zero
    /// It must learn the commit index with this drain.
    var wantsCommit = false
    /// The newest read round that it was asked to confirm, and that it confirmed.
    var roundSent: UInt64 = 0
    var roundConfirmed: UInt64 = 0
    /// It gets each append at once (`Raft+Thrift`).
    var isNeeded = true
    /// Since when an entry waits to be sent to it, and how many frames had gone to needed peers by then.
    var unsentSince: Instant?
    var framesBefore: UInt64 = 0

    static let usualDelayAtFirst = Nanoseconds.milliseconds(5)

    init(peer: NodeID, nextIndex: LogIndex) {
        self.peer = peer
        self.nextIndex = nextIndex
    }

    /// A new leadership begins: nothing is known but the channel.
    mutating func reset(nextIndex: LogIndex, now: Instant) {
        let old = self
        self = Progress(peer: old.peer, nextIndex: nextIndex)
        isConnected = old.isConnected
        answer = old.answer
        inFlight = old.inFlight
        inFlight.removeAll(keepingCapacity: true)
        lastHeard = now
        lastSent = now
    }

    /// What is under way is not counted on any more: ask where the logs meet.
    mutating func becomeProbe() {
        state = .probe
        nextIndex = matchIndex.next
        inFlight.removeAll(keepingCapacity: true)
        probeSentAt = nil
        unsentSince = nil
        commitSent = .zero
    }

    /// The peer has acknowledged everything through `index`.
    mutating func acknowledge(through index: LogIndex, now: Instant) {
        matchIndex = max(matchIndex, index)
        switch state {
        case .probe:
            state = .replicate
            nextIndex = matchIndex.next
            probeSentAt = nil
        case .replicate:
            nextIndex = max(nextIndex, matchIndex.next)
        case .snapshot:
            nextIndex = max(nextIndex, matchIndex.next)
            if matchIndex >= snapshotIndex { becomeProbe() }
        }
        var answered = 0
        while answered < inFlight.count, inFlight[answered].lastIndex <= index { answered += 1 }
        if answered > 0 {
            let delay = now - inFlight[answered - 1].sentAt
            usualDelay = Nanoseconds((usualDelay.rawValue * 7 + delay.rawValue) / 8)
            inFlight.removeFirst(answered)
        }
        check(nextIndex > matchIndex, "what is sent next lies after what is known to match")
    }

    /// An append in flight has waited for its acknowledgement a few times longer than usual.
    func isLate(now: Instant) -> Bool {
        guard let oldest = inFlight.first else { return false }
        let patience = min(max(usualDelay.rawValue * 4, Self.lateMin.rawValue), Self.lateMax.rawValue)
        return (now - oldest.sentAt).rawValue > patience
    }

    /// Can be expected to answer the next append as fast as ever.
    func isHealthy(now: Instant, silenceMax: Nanoseconds) -> Bool {
        isConnected && state == .replicate && now - lastHeard < silenceMax && !isLate(now: now)
    }

    private static let lateMin = Nanoseconds.milliseconds(4)
    private static let lateMax = Nanoseconds.milliseconds(20)
}

extension [Progress] {
    /// Where one peer is; there are a few, so looking through them is the fastest.
    func position(of peer: NodeID) -> Int? {
        for position in indices where self[position].peer == peer { return position }
        return nil
    }
}
