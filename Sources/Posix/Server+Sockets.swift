import Base
import Node

/// What the sockets report.
extension Server {
    func owner(of socket: SocketID) -> SocketOwner {
        Int(socket.index) < owners.count ? owners[Int(socket.index)] : .none
    }

    func setOwner(of socket: SocketID, _ owner: SocketOwner) {
        while owners.count <= Int(socket.index) { owners.append(.none) }
        owners[Int(socket.index)] = owner
    }

    package func refusal(on purpose: SocketPurpose, outOfDescriptors: Bool) -> StaticString? {
        if purpose == Purpose.clients {
            return outOfDescriptors || clients.count >= clientsMax ? "-ERR max number of clients reached\r\n" : nil
        }
        return outOfDescriptors || peers.count >= options.peersMax ? "" : nil
    }

    package func refused(on purpose: SocketPurpose, outOfDescriptors: Bool) {
        statistics.refusedConnections += 1
        refusedSinceReport += 1
        // One line in ten seconds: who floods connections does not flood the log.
        if let last = lastRefusalReport, now.instant - last < Nanoseconds.milliseconds(10_000) { return }
        lastRefusalReport = now.instant
        let who = purpose == Purpose.clients ? "client" : "peer"
        let limit = purpose == Purpose.clients ? clientsMax : options.peersMax
        let reason =
            outOfDescriptors
            ? "the process has no file descriptor left; raise the limit (ulimit -n) or lower --max-clients"
            : "the limit of \(limit) is reached"
        logger.log(.warning, "refused a \(who) connection (\(refusedSinceReport) refused since the last such line): \(reason)")
        refusedSinceReport = 0
    }

    package func accepted(
        _ socket: SocketID, on purpose: SocketPurpose, address: SocketAddress, local: SocketAddress
    ) {
        if purpose == Purpose.clients {
            lastClient += 1
            let connection = ConnectionID(lastClient)
            setOwner(of: socket, .client(connection, isClosing: false))
            clients[connection] = socket
            deliver(.clientOpened(connection, address: address.text, local: local.text))
        } else {
            let link = newLink(socket)
            deliver(.peerAccepted(link, address: address.text))
        }
    }

    private func newLink(_ socket: SocketID) -> PeerLinkID {
        lastPeer += 1
        let link = PeerLinkID(lastPeer)
        setOwner(of: socket, .peer(link))
        peers[link] = socket
        return link
    }

    package func received(_ socket: SocketID, _ bytes: ByteView) {
        switch owner(of: socket) {
        case .client(let connection, let isClosing): if !isClosing { deliver(.clientBytes(connection, bytes)) }
        case .peer(let link): deliver(.peerBytes(link, bytes))
        case .none, .dial: check(false, "bytes come from connections that are open")
        }
    }

    package func inputEnded(_ socket: SocketID) -> Bool {
        // A client that only ended its sending side waits for its replies; the node says when it has them.
        guard case .client(let connection, isClosing: false) = owner(of: socket) else { return false }
        deliver(.clientInputEnded(connection))
        return true
    }

    package func writable(_ socket: SocketID) {
        switch owner(of: socket) {
        case .client(let connection, _): sendOutput(of: connection)
        case .peer(let link): sendOutput(of: link)
        case .none, .dial: check(false, "only open connections wait for room")
        }
    }

    package func connected(_ socket: SocketID) {
        guard case .dial(let node) = owner(of: socket) else {
            check(false, "only a dialled socket connects")
            return
        }
        dialler.finish(node)
        let link = newLink(socket)
        deliver(.peerDialled(link, to: node))
    }

    package func ended(_ socket: SocketID, reason: String?) {
        let owner = owner(of: socket)
        setOwner(of: socket, .none)
        switch owner {
        case .client(let connection, _):
            logger.log(.debug, "client \(connection.rawValue) closed: \(reason ?? "end of stream")")
            forget(connection)
            deliver(.clientClosed(connection))
        case .peer(let link):
            logger.log(.debug, "peer link \(link.rawValue) closed: \(reason ?? "end of stream")")
            peers[link] = nil
            deliver(.peerClosed(link))
        case .dial(let node): dialFailed(node, reason ?? "the connection was closed")
        case .none: check(false, "a socket ends once")
        }
    }

    func forget(_ connection: ConnectionID) {
        clients[connection] = nil
        closing[connection] = nil
    }
}
