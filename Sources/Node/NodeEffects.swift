import Base
import Storage

/// What a driver has to do at the end of a turn, in this order:
/// 1. send the peers' output (`peerOutput`), one write per link;
/// 2. send the clients' output (`clientOutput`), one write per connection;
/// 3. carry out `disk` in order; a log write may run inline now, its completion is the next turn's first event;
/// 4. close, dial, log.
///
/// Output stays in the node's buffers: the driver asks `Node.output(of:)` for the buffer and consumes what the socket took.
/// What the socket did not take stays there; the driver sends it when the socket is writable again, without a new effect.
/// The arrays are reused: the driver empties them with `removeAll()` when done.
package struct NodeEffects {
    /// Links that have new output.
    package var peerOutput: [PeerLinkID] = []
    /// Connections that have new output.
    package var clientOutput: [ConnectionID] = []
    /// Disk work, in order.
    package var disk: [DiskOperation] = []
    /// Client connections to close; with `afterOutput`, once their output has left (within the driver's linger limit).
    package var closeClients: [(connection: ConnectionID, afterOutput: Bool)] = []
    /// Peer links to close at once.
    package var closePeers: [PeerLinkID] = []
    /// Nodes to dial.
    package var dial: [NodeID] = []
    /// Stop or resume reading from a client (its unanswered commands or output are at the limit).
    package var reading: [(connection: ConnectionID, enabled: Bool)] = []
    /// From now on, so many clients are let in at most (CONFIG SET maxclients): never more than the node was started for.
    package var clientsMax: Int?
    /// For the operator's log.
    package var log: [LogLine] = []
    /// The node has finished an orderly shutdown: the process may end with this exit code.
    package var exit: Int32?

    package init() {}

    /// Empties everything and keeps the memory.
    package mutating func removeAll() {
        peerOutput.removeAll(keepingCapacity: true)
        clientOutput.removeAll(keepingCapacity: true)
        disk.removeAll(keepingCapacity: true)
        closeClients.removeAll(keepingCapacity: true)
        closePeers.removeAll(keepingCapacity: true)
        dial.removeAll(keepingCapacity: true)
        reading.removeAll(keepingCapacity: true)
        log.removeAll(keepingCapacity: true)
        clientsMax = nil
        exit = nil
    }
}

/// A line for the operator. Levels as in swift-log.
package struct LogLine: Sendable {
    package enum Level: UInt8, Sendable, Comparable {
        case debug, info, notice, warning, error
        package static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    }
    package var level: Level
    package var message: String
    package init(_ level: Level, _ message: String) {
        self.level = level
        self.message = message
    }
}
