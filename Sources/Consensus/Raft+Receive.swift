import Base

/// Messages: terms first (paper, Figure 2, "rules for servers"), then by kind.
extension Raft {
    /// A message has come from a peer. One that no `Raft` can have sent (`isWellFormed`) is passed over; one that breaks
    /// the protocol (a second leader in a term, a committed entry replaced) stops the process: going on would lose data.
    package mutating func receive(_ message: Message, now: Now, random: UInt64) {
        advance(now, random: random)
        check(message.to == options.id, "a message reaches whom it is for")
        guard message.from != options.id, Self.isWellFormed(message) else { return }
        if message.term > term {
            guard enter(message) else { return }
        } else if message.term < term {
            answerStale(message)
            return
        }
        if role == .leader, message.term == term, let position = position(of: message.from) {
            progress[position].lastHeard = clock
        }
        switch message.body {
        case .preVoteRequest, .preVoteResponse, .voteRequest, .voteResponse, .timeoutNow: receiveElection(message)
        case .append, .heartbeat, .installSnapshot: receiveAsFollower(message)
        case .appendResponse, .heartbeatResponse, .installSnapshotResponse: receiveAsLeader(message)
        case .readIndexRequest(let id): receiveReadIndexRequest(id, from: message.from)
        case .readIndexResponse(let id, let index, let wall): receiveReadGrant(id, index: index, wall: wall)
        }
    }

    /// Terms and indexes beyond this are never reached, and would overflow what is added to them.
    static let numberMax: UInt64 = 1 << 62

    /// Whether a message can have been sent by a member at all, whatever the state of the group.
    static func isWellFormed(_ message: Message) -> Bool {
        guard message.term.rawValue <= numberMax else { return false }
        switch message.body {
        case .append(let append):
            guard append.previousIndex.rawValue <= numberMax else { return false }
            var (index, term) = (append.previousIndex, append.previousTerm)
            for entry in append.entries {
                guard entry.index == index.next, entry.term >= term else { return false }
                (index, term) = (entry.index, entry.term)
            }
            return term <= message.term
        case .appendResponse(let response):
            guard case .rejected(let previousIndex, let hintIndex, _) = response.outcome else { return true }
            return previousIndex.rawValue <= numberMax && hintIndex <= previousIndex
        case .installSnapshot(let index, let term):
            return index.rawValue <= numberMax && term <= message.term
        default:
            return true
        }
    }

    /// Takes a newer term from a message, where its kind allows it. False when the message is to be passed over.
    private mutating func enter(_ message: Message) -> Bool {
        check(message.term > term, "only a newer term is entered")
        switch message.body {
        case .preVoteRequest, .preVoteResponse(granted: true):
            // A term that somebody would campaign in, and perhaps never will.
            return true
        case .voteRequest(let request) where ignores(request):
            return false
        case .append, .heartbeat, .installSnapshot:
            becomeFollower(term: message.term, leader: message.from)
        default:
            becomeFollower(term: message.term, leader: nil)
        }
        check(term == message.term, "the newer term was entered")
        return true
    }

    /// Answers a message of an older term, where its sender has to learn of this one. A leader that is answered so steps
    /// down; without that, a member whose term ran ahead could never come back under PreVote and CheckQuorum.
    private mutating func answerStale(_ message: Message) {
        switch message.body {
        case .preVoteRequest:
            send(.preVoteResponse(granted: false), to: message.from)
        case .voteRequest:
            send(.voteResponse(granted: false), to: message.from)
        case .append(let append):
            send(reject(append, hintIndex: .zero, hintTerm: .zero), to: message.from)
        case .heartbeat:
            send(.heartbeatResponse(readRound: 0), to: message.from)
        case .installSnapshot(let index, _):
            send(.installSnapshotResponse(index: index, succeeded: false), to: message.from)
        default:
            break
        }
    }

    private mutating func receiveElection(_ message: Message) {
        switch message.body {
        case .preVoteRequest(let request):
            receivePreVoteRequest(request, from: message.from, campaignTerm: message.term)
        case .preVoteResponse(let granted):
            receivePreVoteResponse(granted: granted, from: message.from, answerTerm: message.term)
        case .voteRequest(let request):
            receiveVoteRequest(request, from: message.from)
        case .voteResponse(let granted):
            receiveVoteResponse(granted: granted, from: message.from)
        case .timeoutNow:
            receiveTimeoutNow()
        default:
            check(false, "an election message is received as one")
        }
    }

    private mutating func receiveAsFollower(_ message: Message) {
        guard follow(message.from) else { return }
        switch message.body {
        case .append(let append):
            receiveAppend(append, from: message.from)
        case .heartbeat(let heartbeat):
            commit(through: min(heartbeat.commitIndex, log.lastIndex))
            send(.heartbeatResponse(readRound: heartbeat.readRound), to: message.from)
        case .installSnapshot(let index, let term):
            receiveInstall(index, term, from: message.from)
        default:
            check(false, "a leader's message is received as one")
        }
    }

    private mutating func receiveAsLeader(_ message: Message) {
        guard role == .leader, let position = position(of: message.from) else { return }
        switch message.body {
        case .appendResponse(let response):
            confirmRound(response.readRound, by: position)
            receiveAppendResponse(response.outcome, from: position)
        case .heartbeatResponse(let round):
            confirmRound(round, by: position)
        case .installSnapshotResponse(let index, let succeeded):
            receiveSnapshotResponse(index: index, succeeded: succeeded, from: position)
        default:
            check(false, "a follower's answer is received as one")
        }
    }

    /// The leader of this term speaks: follow it. False when that can't be.
    private mutating func follow(_ peer: NodeID) -> Bool {
        hold(role != .leader, "a term has one leader")
        hold(leader == nil || leader == peer, "the leader of a term does not change")
        if role == .leader { return false }
        become(.follower, leader: peer)
        leaderHeard = clock
        leaderChannelLost = false
        urgency = 0
        electionDeadline = clock + electionDelay()
        return true
    }
}
