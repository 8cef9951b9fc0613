import Base
import Node
import Storage

/// Carrying out what the node wants (the order stands at `NodeEffects`).
extension Server {
    func carryOut() throws(DiskFailure) {
        // First, so that nothing that fails below takes the node's words with it.
        for line in effects.log { logger.log(line) }
        for link in effects.peerOutput { sendOutput(of: link) }
        for connection in effects.clientOutput { sendOutput(of: connection) }
        disk.submit(effects.disk)
        try disk.advance()
        for (connection, afterOutput) in effects.closeClients { closeClient(connection, afterOutput: afterOutput) }
        for link in effects.closePeers { closePeer(link) }
        for node in effects.dial { dial(node) }
        for (connection, enabled) in effects.reading { setReading(connection, enabled) }
        if let limit = effects.clientsMax { clientsMax = min(limit, options.clientsMax) }
        if let code = effects.exit { end = .finished(code: code) }
        effects.removeAll()
    }

    // MARK: Output

    func sendOutput(of connection: ConnectionID) {
        guard let socket = clients[connection], let buffer = handler.output(of: connection) else { return }
        switch backend.send(socket, from: buffer) {
        case .sent: if closing[connection] != nil { closeGracefully(connection) }
        case .blocked: break
        case .broken(let reason):
            logger.log(.debug, "client \(connection.rawValue) closed: \(reason)")
            lost(connection, socket)
        }
    }

    func sendOutput(of link: PeerLinkID) {
        guard let socket = peers[link], let buffer = handler.output(of: link) else { return }
        if case .broken(let reason) = backend.send(socket, from: buffer) {
            logger.log(.debug, "peer link \(link.rawValue) closed: \(reason)")
            setOwner(of: socket, .none)
            peers[link] = nil
            carried.append(.peerClosed(link))
        }
    }

    private func setReading(_ connection: ConnectionID, _ isEnabled: Bool) {
        guard let socket = clients[connection], closing[connection] == nil else { return }
        backend.setReading(socket, enabled: isEnabled)
    }

    // MARK: Closing

    /// A connection is gone without the back end's `ended`; the node learns it in the next turn.
    private func lost(_ connection: ConnectionID, _ socket: SocketID) {
        setOwner(of: socket, .none)
        forget(connection)
        carried.append(.clientClosed(connection))
    }

    private func closeClient(_ connection: ConnectionID, afterOutput: Bool) {
        guard let socket = clients[connection] else { return }
        if !afterOutput {
            backend.close(socket)
            lost(connection, socket)
            return
        }
        setOwner(of: socket, .client(connection, isClosing: true))
        closing[connection] = now.instant + options.lingerTime
        backend.setReading(socket, enabled: false)
        // Sends what is left; closes when that is all.
        sendOutput(of: connection)
        if clients[connection] != nil, handler.output(of: connection) == nil { closeGracefully(connection) }
    }

    /// All output has left: ends our side and lets the other end read it in peace.
    private func closeGracefully(_ connection: ConnectionID) {
        guard let socket = clients[connection] else { return }
        backend.closeGracefully(socket, deadline: now.instant + options.drainTime)
        lost(connection, socket)
    }

    /// A client that did not take its last output in time.
    func dropClient(_ connection: ConnectionID) {
        guard let socket = clients[connection] else { return }
        backend.close(socket)
        lost(connection, socket)
    }

    private func closePeer(_ link: PeerLinkID) {
        guard let socket = peers[link] else { return }
        backend.close(socket)
        setOwner(of: socket, .none)
        peers[link] = nil
        carried.append(.peerClosed(link))
    }
}
