import Base

/// What the state machine remembers of a node's current run: how far its numbered proposals are applied (DESIGN section 5).
struct Session: Equatable {
    let node: NodeID
    var incarnation: Incarnation
    /// Number of the last item applied; 0 before the first.
    var lastApplied: UInt64
}

/// The sessions of all nodes, in order of their ids.
struct SessionTable {
    private(set) var sessions: [Session] = []

    /// The session of a node.
    subscript(node: NodeID) -> Session? {
        for session in sessions where session.node == node { return session }
        return nil
    }

    /// Begins a node's run, in the place of the one before.
    mutating func begin(_ node: NodeID, _ incarnation: Incarnation) {
        for index in sessions.indices where sessions[index].node == node {
            check(sessions[index].incarnation < incarnation, "a node's runs are counted up")
            sessions[index] = Session(node: node, incarnation: incarnation, lastApplied: 0)
            return
        }
        let place = sessions.firstIndex { node < $0.node } ?? sessions.count
        sessions.insert(Session(node: node, incarnation: incarnation, lastApplied: 0), at: place)
    }

    /// Puts back a session of a recorded state; they come in order.
    mutating func restore(_ session: Session) {
        check(sessions.last.map { $0.node < session.node } ?? true, "sessions are in order of their nodes")
        sessions.append(session)
    }

    /// Counts items of a run as applied, up to `number`.
    mutating func applied(_ node: NodeID, upTo number: UInt64) {
        for index in sessions.indices where sessions[index].node == node {
            check(sessions[index].lastApplied <= number, "the last number applied does not go back")
            sessions[index].lastApplied = number
            return
        }
        check(false, "items are applied in a session")
    }

    /// The digest of all sessions.
    var digest: Digest {
        var digest = Digest()
        for session in sessions {
            digest.append(UInt64(session.node.rawValue))
            digest.append(session.incarnation.rawValue)
            digest.append(session.lastApplied)
        }
        return digest
    }
}
