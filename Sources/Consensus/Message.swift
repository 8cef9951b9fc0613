import Base

/// A message between two members of one group. `Node` carries it in a frame; nothing here knows of bytes.
package struct Message: Equatable, Sendable {
    package var from: NodeID
    package var to: NodeID
    /// The sender's term. (PreVote requests carry the term that the sender would campaign in; thesis, section 9.6.)
    package var term: Term
    package var body: Body

    package init(from: NodeID, to: NodeID, term: Term, body: Body) {
        self.from = from
        self.to = to
        self.term = term
        self.body = body
    }

    package enum Body: Equatable, Sendable {
        case preVoteRequest(VoteRequest)
        case preVoteResponse(granted: Bool)
        case voteRequest(VoteRequest)
        case voteResponse(granted: Bool)
        case append(Append)
        case appendResponse(AppendResponse)
        /// Leader to follower, when there is nothing to append: proof of leadership, the commit index and a read round.
        case heartbeat(Heartbeat)
        case heartbeatResponse(readRound: UInt64)
        /// Follower to leader: "at which index may I read?" `id` is the follower's own number, never reused in its run.
        case readIndexRequest(id: UInt64)
        /// Leader to follower: reads of request `id` are linearizable once `index` is applied. `wall` is the leader's
        /// clock at confirmation, for replies that show remaining time (TTL); nothing is decided by it.
        case readIndexResponse(id: UInt64, index: LogIndex, wall: WallTime)
        /// Leader to its chosen successor: campaign now (thesis, section 3.10).
        case timeoutNow
        /// Leader to a follower whose next entry is no longer in the log: a state file that covers everything through `index`, at
        /// least, is to be had by another way.
        case installSnapshot(index: LogIndex, term: Term)
        /// Follower to leader: everything through `index` is durable here, by a state file; or the attempt failed.
        case installSnapshotResponse(index: LogIndex, succeeded: Bool)
    }

    package struct VoteRequest: Equatable, Sendable {
        package var lastIndex: LogIndex
        package var lastTerm: Term
        /// Set in a campaign that the leader itself asked for: members vote although they hear from a leader.
        package var isTransfer: Bool
        package init(lastIndex: LogIndex, lastTerm: Term, isTransfer: Bool) {
            self.lastIndex = lastIndex
            self.lastTerm = lastTerm
            self.isTransfer = isTransfer
        }
    }

    package struct Append: Equatable, Sendable {
        package var previousIndex: LogIndex
        package var previousTerm: Term
        /// Contiguous, from `previousIndex + 1`. May be empty (probe).
        package var entries: [Entry]
        package var commitIndex: LogIndex
        /// The newest read round that this message also asks the follower to confirm; 0 for none.
        package var readRound: UInt64
        package init(
            previousIndex: LogIndex, previousTerm: Term, entries: [Entry], commitIndex: LogIndex, readRound: UInt64
        ) {
            self.previousIndex = previousIndex
            self.previousTerm = previousTerm
            self.entries = entries
            self.commitIndex = commitIndex
            self.readRound = readRound
        }
    }

    package struct AppendResponse: Equatable, Sendable {
        package enum Outcome: Equatable, Sendable {
            /// Everything through `matchIndex` is durable at the follower and equal to the leader's log.
            case accepted(matchIndex: LogIndex)
            /// `previousIndex` of the append did not match. The hint is the largest index at which the logs may agree
            /// and the follower's term there (paper, end of section 5.3).
            case rejected(previousIndex: LogIndex, hintIndex: LogIndex, hintTerm: Term)
        }
        package var outcome: Outcome
        /// Echo of the append's read round; 0 for none.
        package var readRound: UInt64
        package init(outcome: Outcome, readRound: UInt64) {
            self.outcome = outcome
            self.readRound = readRound
        }
    }

    package struct Heartbeat: Equatable, Sendable {
        /// At most the follower's match index, so that it never commits what it may not have.
        package var commitIndex: LogIndex
        package var readRound: UInt64
        package init(commitIndex: LogIndex, readRound: UInt64) {
            self.commitIndex = commitIndex
            self.readRound = readRound
        }
    }
}
