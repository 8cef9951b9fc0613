import Base
import Storage

/// A client connection of this node's run. Numbers are dense from 1 and never come again in a run, so an event for a
/// connection that is gone can be told apart and ignored.
package struct ConnectionID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (a: ConnectionID, b: ConnectionID) -> Bool { a.rawValue < b.rawValue }
}

/// A connection to another node of this node's run (numbered as client connections are, in a space of its own).
package struct PeerLinkID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (a: PeerLinkID, b: PeerLinkID) -> Bool { a.rawValue < b.rawValue }
}

/// Everything that can happen to a node. A driver reports it with `Node.handle(_:now:)`; views are valid during the call.
///
/// A turn is: any number of events, then `turnEnded`, then the driver carries out the effects.
package enum NodeEvent {
    /// A client connected from `address` ("127.0.0.1:54321") to this node's `local` address.
    case clientOpened(ConnectionID, address: String, local: String)
    /// Bytes from a client, in order.
    case clientBytes(ConnectionID, ByteView)
    /// The client has ended its sending side and may still read: what it sent is answered, then the connection is closed.
    case clientInputEnded(ConnectionID)
    /// The client's connection ended, for whatever reason. Its id is not used any more.
    case clientClosed(ConnectionID)
    /// A connection to `to` that this node dialled is open.
    case peerDialled(PeerLinkID, to: NodeID)
    /// Dialling `to` failed; the node will ask again.
    case peerDialFailed(to: NodeID, reason: String)
    /// Somebody from `address` connected to this node's peer port.
    case peerAccepted(PeerLinkID, address: String)
    /// Bytes on a peer connection, in order.
    case peerBytes(PeerLinkID, ByteView)
    /// The peer connection ended.
    case peerClosed(PeerLinkID)
    /// A disk operation is durable (or, for `create` and so on, done).
    case diskCompleted(number: UInt64)
    /// A disk operation that may be refused was: its file is given up.
    case diskRefused(number: UInt64, reason: String)
    /// The bytes of a `read` operation.
    case diskRead(number: UInt64, ByteView)
    /// The driver has no more events at hand: batches are closed, effects are complete.
    case turnEnded
    /// The operating system asked the process to end (SIGTERM, SIGINT): hand leadership on, answer what can be answered.
    case shutdownRequested
}
