import Base
import Node

/// What the server drives: `Node`, or a small stand-in in tests. A generic parameter, never an existential.
package protocol TurnHandler: AnyObject {
    /// Takes one event. What is to be done is complete after `turnEnded`.
    func handle(_ event: NodeEvent, now: Now, into effects: inout NodeEffects)
    /// The turn loop wakes then at the latest.
    var nextDeadline: Instant { get }
    /// A client's output that has not left; nil when the client is not known.
    func output(of connection: ConnectionID) -> ByteBuffer?
    /// A peer link's output that has not left; nil when the link is not known.
    func output(of link: PeerLinkID) -> ByteBuffer?
}
