import Base
import Consensus
import Database
import DistributedSnapshot
import Storage

/// What a node records of its group for a distributed snapshot, in one step (DESIGN, rule 7.5): all but the database, which has a record of its
/// own, and the clients, whose commands are in `proposals` as far as they are on their way.
package struct LocalState: Equatable, Sendable {
    package var run: NodeRun
    package var group: GroupID
    /// By this node's clock.
    package var recordedAt: WallTime

    // Consensus.
    package var term: Term
    package var vote: NodeID?
    package var role: Role
    package var leader: NodeID?
    /// What the log begins after.
    package var baseIndex: LogIndex
    package var baseTerm: Term
    package var lastIndex: LogIndex
    /// The terms of the whole log.
    package var termRuns: [TermRun]
    package var durableIndex: LogIndex
    package var commitIndex: LogIndex
    package var appliedIndex: LogIndex
    package var appliedTerm: Term
    /// The entries above `appliedIndex`.
    package var tail: [Consensus.Entry]
    /// Of a leader: what it knows of each other member.
    package var progress: [PeerProgress]

    // The state machine.
    /// The largest time applied.
    package var time: WallTime
    /// How far the commands of each member's run are applied, by member.
    package var sessions: [SessionState]

    // Commands of this node's clients on their way.
    package var proposals: ProposalState

    package struct PeerProgress: Equatable, Sendable {
        package var peer: NodeID
        package var state: Progress.State
        package var matchIndex: LogIndex
        package var nextIndex: LogIndex
    }

    package struct SessionState: Equatable, Sendable {
        package var run: NodeRun
        /// Number of the last command applied.
        package var lastApplied: UInt64
    }

    package struct ProposalState: Equatable, Sendable {
        /// Number of the next command of this run.
        package var nextNumber: UInt64
        /// What the present leader was given, and what is applied.
        package var sentThrough: UInt64
        package var appliedThrough: UInt64
        package var waitingBytes: UInt64
    }
}

extension LocalState {
    /// The state of `node` between two events.
    init(of node: Node) {
        let raft = node.group.raft
        let machine = node.group.machine
        run = NodeRun(node.id, node.incarnation)
        group = node.group.id
        recordedAt = node.now.wall
        term = raft.term
        vote = raft.vote
        role = raft.role
        leader = raft.leader
        baseIndex = raft.log.baseIndex
        baseTerm = raft.log.baseTerm
        lastIndex = raft.log.lastIndex
        termRuns = raft.log.runs
        durableIndex = raft.durableIndex
        commitIndex = raft.commitIndex
        appliedIndex = machine.appliedIndex
        appliedTerm = machine.appliedTerm
        let tail = raft.log.entries(from: appliedIndex.next, through: lastIndex)
        check(tail != nil, "entries that are not applied stay in memory")
        self.tail = tail ?? []
        progress = raft.peers.map {
            PeerProgress(peer: $0.peer, state: $0.state, matchIndex: $0.matchIndex, nextIndex: $0.nextIndex)
        }
        time = machine.time
        sessions = node.options.members.compactMap { member in
            machine.lastApplied(of: member.id).map {
                SessionState(run: NodeRun(member.id, $0.incarnation), lastApplied: $0.number)
            }
        }
        let queue = node.group.proposals
        proposals = ProposalState(
            nextNumber: queue.nextNumber, sentThrough: queue.sentThrough, appliedThrough: queue.appliedThrough,
            waitingBytes: UInt64(queue.bytes))
        check(
            appliedIndex <= commitIndex && commitIndex <= lastIndex,
            "what is applied is committed, what is committed is in the log")
        check(
            self.tail.count == Int(lastIndex.rawValue - appliedIndex.rawValue),
            "the tail reaches from the applied entry to the last")
    }

    // MARK: bytes

    /// "CRLS".
    static let magic: UInt32 = 0x534C_5243
    static let version: UInt32 = 1

    /// Appends the state, with the tail's entries and their payloads.
    package func encode(into buffer: ByteBuffer) {
        var encoder = Encoder(self)
        let isComplete = encoder.encode(into: buffer, budgetBytes: .max)
        check(isComplete, "without a limit a state is encoded in one step")
    }

    /// Encodes a state slice by slice: the entries that are not applied can be many megabytes.
    package struct Encoder {
        private var state: LocalState
        private var hasFacts = false
        /// The entry that is encoded next, and how much of its payload is.
        private var position = 0
        private var offset = 0

        package init(_ state: LocalState) { self.state = state }

        /// Appends the next slice: the facts are one, then about `budgetBytes` of entries at a time. What is encoded is let go of as it goes, so that
        /// not all of it is freed in one step. The slices together are what `LocalState.encode` gives.
        ///
        /// - Returns: whether that was all.
        package mutating func encode(into buffer: ByteBuffer, budgetBytes: Int) -> Bool {
            check(budgetBytes > 0, "a slice has a budget")
            let start = buffer.count
            if !hasFacts {
                state.encodeFacts(into: buffer)
                hasFacts = true
            }
            while position < state.tail.count && buffer.count - start < budgetBytes {
                encodeEntry(into: buffer, bytesMax: budgetBytes - (buffer.count - start))
            }
            return position == state.tail.count
        }

        /// Appends an entry, or as much of it as the slice has room for.
        private mutating func encodeEntry(into buffer: ByteBuffer, bytesMax: Int) {
            let bytes = state.tail[position].payload.count
            if offset == 0 {
                buffer.append(integer: state.tail[position].term.rawValue)
                buffer.append(byte: state.tail[position].kind.rawValue)
                buffer.append(integer: UInt32(bytes))
            }
            let count = min(bytes - offset, bytesMax)
            state.tail[position].payload.withView { buffer.append($0.slice(offset, count)) }
            offset += count
            if offset < bytes { return }
            state.tail[position].payload = []
            position += 1
            offset = 0
        }
    }

    /// Appends everything but the tail's entries, and last how many those are.
    private func encodeFacts(into buffer: ByteBuffer) {
        buffer.append(integer: LocalState.magic)
        buffer.append(integer: LocalState.version)
        buffer.append(integer: run.node.rawValue)
        buffer.append(integer: run.incarnation.rawValue)
        buffer.append(integer: group.rawValue)
        buffer.append(integer: recordedAt.microseconds)
        buffer.append(integer: term.rawValue)
        buffer.append(integer: vote?.rawValue ?? 0)
        buffer.append(byte: role.rawValue)
        buffer.append(integer: leader?.rawValue ?? 0)
        for index in [baseIndex, lastIndex, durableIndex, commitIndex, appliedIndex] { buffer.append(integer: index.rawValue) }
        buffer.append(integer: baseTerm.rawValue)
        buffer.append(integer: appliedTerm.rawValue)
        buffer.append(integer: UInt32(termRuns.count))
        for run in termRuns {
            buffer.append(integer: run.first.rawValue)
            buffer.append(integer: run.term.rawValue)
        }
        buffer.append(integer: UInt32(progress.count))
        for peer in progress {
            buffer.append(integer: peer.peer.rawValue)
            buffer.append(byte: peer.state.rawValue)
            buffer.append(integer: peer.matchIndex.rawValue)
            buffer.append(integer: peer.nextIndex.rawValue)
        }
        buffer.append(integer: time.microseconds)
        buffer.append(integer: UInt32(sessions.count))
        for session in sessions {
            buffer.append(integer: session.run.node.rawValue)
            buffer.append(integer: session.run.incarnation.rawValue)
            buffer.append(integer: session.lastApplied)
        }
        for number in [proposals.nextNumber, proposals.sentThrough, proposals.appliedThrough, proposals.waitingBytes] {
            buffer.append(integer: number)
        }
        buffer.append(integer: UInt32(tail.count))
    }

    /// A state from its bytes, which need not be trusted; nil when they are not one.
    package init?(decoding bytes: ByteView) {
        var reader = ByteReader(bytes)
        guard reader.integer(UInt32.self) == LocalState.magic, reader.integer(UInt32.self) == LocalState.version,
            let node = reader.integer(UInt32.self), let incarnation = reader.integer(UInt64.self),
            let group = reader.integer(UInt32.self), let recordedAt = reader.integer(Int64.self),
            let term = reader.integer(UInt64.self), let vote = reader.integer(UInt32.self),
            let role = reader.integer(UInt8.self).flatMap({ Role(rawValue: $0) }), let leader = reader.integer(UInt32.self)
        else { return nil }
        run = NodeRun(NodeID(node), Incarnation(incarnation))
        self.group = GroupID(group)
        self.recordedAt = WallTime(microseconds: recordedAt)
        self.term = Term(term)
        self.vote = vote == 0 ? nil : NodeID(vote)
        self.role = role
        self.leader = leader == 0 ? nil : NodeID(leader)
        guard let base = reader.integer(UInt64.self), let last = reader.integer(UInt64.self),
            let durable = reader.integer(UInt64.self), let commit = reader.integer(UInt64.self),
            let applied = reader.integer(UInt64.self), let baseTerm = reader.integer(UInt64.self),
            let appliedTerm = reader.integer(UInt64.self), base <= applied, applied <= commit, commit <= last, durable <= last
        else { return nil }
        (baseIndex, lastIndex, durableIndex) = (LogIndex(base), LogIndex(last), LogIndex(durable))
        (commitIndex, appliedIndex) = (LogIndex(commit), LogIndex(applied))
        (self.baseTerm, self.appliedTerm) = (Term(baseTerm), Term(appliedTerm))
        guard let runs = LocalState.termRuns(&reader), let progress = LocalState.progress(&reader),
            let time = reader.integer(Int64.self), let sessions = LocalState.sessions(&reader),
            let next = reader.integer(UInt64.self), let sent = reader.integer(UInt64.self),
            let through = reader.integer(UInt64.self), let waiting = reader.integer(UInt64.self),
            let tail = LocalState.tail(&reader, after: applied, through: last), reader.remaining == 0
        else { return nil }
        termRuns = runs
        self.progress = progress
        self.time = WallTime(microseconds: time)
        self.sessions = sessions
        proposals = ProposalState(nextNumber: next, sentThrough: sent, appliedThrough: through, waitingBytes: waiting)
        self.tail = tail
    }

    /// The elements of a list of at least `size` bytes each; nil when there are fewer bytes than the count says.
    private static func list<Element>(
        _ reader: inout ByteReader, size: Int, _ element: (inout ByteReader) -> Element?
    ) -> [Element]? {
        guard let count = reader.integer(UInt32.self), Int(count) <= reader.remaining / size else { return nil }
        var elements: [Element] = []
        elements.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let one = element(&reader) else { return nil }
            elements.append(one)
        }
        return elements
    }

    private static func termRuns(_ reader: inout ByteReader) -> [TermRun]? {
        list(&reader, size: 16) { reader in
            guard let first = reader.integer(UInt64.self), let term = reader.integer(UInt64.self) else { return nil }
            return TermRun(first: LogIndex(first), term: Term(term))
        }
    }

    private static func progress(_ reader: inout ByteReader) -> [PeerProgress]? {
        list(&reader, size: 21) { reader in
            guard let peer = reader.integer(UInt32.self),
                let state = reader.integer(UInt8.self).flatMap({ Progress.State(rawValue: $0) }),
                let match = reader.integer(UInt64.self), let next = reader.integer(UInt64.self)
            else { return nil }
            return PeerProgress(peer: NodeID(peer), state: state, matchIndex: LogIndex(match), nextIndex: LogIndex(next))
        }
    }

    private static func sessions(_ reader: inout ByteReader) -> [SessionState]? {
        list(&reader, size: 20) { reader in
            guard let node = reader.integer(UInt32.self), let incarnation = reader.integer(UInt64.self),
                let last = reader.integer(UInt64.self)
            else { return nil }
            return SessionState(run: NodeRun(NodeID(node), Incarnation(incarnation)), lastApplied: last)
        }
    }

    private static func tail(_ reader: inout ByteReader, after applied: UInt64, through last: UInt64) -> [Consensus.Entry]? {
        var index = applied
        let entries: [Consensus.Entry]? = list(&reader, size: 13) { reader in
            guard let term = reader.integer(UInt64.self),
                let kind = reader.integer(UInt8.self).flatMap({ Consensus.Entry.Kind(rawValue: $0) }),
                let count = reader.integer(UInt32.self), let payload = reader.bytes(Int(count)), index < last
            else { return nil }
            index += 1
            return Consensus.Entry(term: Term(term), index: LogIndex(index), kind: kind, payload: payload.array)
        }
        return index == last ? entries : nil
    }
}
