import Base

/// Holding replies back (DESIGN, rule 7.7): between this node's record for a strict snapshot and the last marker no reply leaves, so that
/// no client can carry what happened after the record to a node that has not recorded yet.
///
/// Replies are written as ever; but the driver is not told of them, and finds nothing when it asks by itself. Older ones that
/// a slow client has not read yet are held with them, for as long: a fraction of a second at most.
extension Node {
    /// Replies of a client that have not left yet and may; nil when the connection is gone.
    package func output(of connection: ConnectionID) -> ByteBuffer? {
        guard let client = clients[connection.rawValue] else { return nil }
        // Whoever was told to close behind its output gets no more replies; what it has is older than the hold.
        if !holdsReplies || client.isLeaving { return client.output }
        if !client.output.isEmpty && !client.isListedForOutput {
            client.isListedForOutput = true
            heldOutput.append(connection)
        }
        return noOutput
    }

    func holdReplies() {
        check(!holdsReplies && heldOutput.isEmpty && heldCloses.isEmpty, "replies are held once")
        holdsReplies = true
        holdBegan = now.instant
    }

    /// Lets the held replies go with this turn's.
    func releaseReplies() {
        check(holdsReplies, "held replies are released")
        holdsReplies = false
        statistics.holdTime.record(now.instant - holdBegan)
        for connection in heldOutput where clients[connection.rawValue] != nil { effects.clientOutput.append(connection) }
        for connection in heldCloses where clients[connection.rawValue] != nil {
            effects.closeClients.append((connection, afterOutput: true))
        }
        heldOutput.removeAll(keepingCapacity: true)
        heldCloses.removeAll()
    }

    /// Takes this turn's replies, and the closes that wait for them, out of the effects.
    func withholdReplies() {
        heldOutput.append(contentsOf: effects.clientOutput)
        effects.clientOutput.removeAll(keepingCapacity: true)
        if effects.closeClients.isEmpty { return }
        heldCloses.append(contentsOf: effects.closeClients.filter(\.afterOutput).map(\.connection))
        effects.closeClients.removeAll(where: \.afterOutput)
    }
}
