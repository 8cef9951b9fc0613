import Base

/// Leadership transfer (thesis, section 3.10).
extension Raft {
    struct Transfer: Sendable {
        var target: NodeID
        /// When it is given up, and proposals are taken again.
        var deadline: Instant
        /// The target was told to campaign.
        var isTold = false
    }

    /// Hands leadership to `target`, or to the peer that is best prepared (thesis, section 3.10). Until it is done or
    /// given up, `propose` answers `.transferring`.
    package mutating func transferLeadership(to target: NodeID?, now: Now) -> TransferOutcome {
        advance(now)
        guard role == .leader else { return .notLeader(hint: leader) }
        guard transfer == nil else { return .alreadyInProgress }
        guard let chosen = transferCandidate(target) else { return .noCandidate }
        transfer = Transfer(target: chosen, deadline: clock + options.electionTimeoutMax)
        advanceTransfer()
        return .started(chosen)
    }

    /// The voter that was asked for, or the one that lacks the least, if it can be expected to take over.
    private func transferCandidate(_ target: NodeID?) -> NodeID? {
        var best: Progress?
        for peer in progress where configuration.voters.contains(peer.peer) && isActive(peer) {
            guard peer.state == .replicate, target == nil || target == peer.peer else { continue }
            if best.map({ peer.matchIndex > $0.matchIndex }) ?? true { best = peer }
        }
        return best?.peer
    }

    /// Tells the target to campaign, once it has everything.
    mutating func advanceTransfer() {
        guard let transfer, !transfer.isTold, let position = position(of: transfer.target) else { return }
        check(role == .leader, "only a leader hands leadership on")
        guard progress[position].matchIndex == log.lastIndex else { return }
        self.transfer?.isTold = true
        send(.timeoutNow, to: transfer.target)
    }

    /// Gives up after an election timeout: the target may be dead.
    mutating func expireTransfer() {
        if let transfer, clock >= transfer.deadline { self.transfer = nil }
    }

    /// The leader wants this member to take over, and made sure that it has everything.
    mutating func receiveTimeoutNow() {
        guard role != .leader, configuration.isVoter(options.id) else { return }
        becomeCandidate(isTransfer: true)
    }
}
