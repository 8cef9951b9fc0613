import Base

/// A client as applications have them: one connection to one node, a few commands at a time, and when the connection breaks a
/// new one, to the same node or another.
final class Client {
    /// What the next reply on the connection belongs to.
    enum Expectation {
        /// A command of the history.
        case operation(Int)
        /// ECHO, which shows whether replies keep their order.
        case echo([UInt8])
        /// A command of the connection's set-up that answers OK or a map.
        case setup
        /// Setting a key with a time to live, by its number.
        case expirySet(Int)
        case expiryGet(Int, sentAt: Instant)
        /// The operator's command: any answer.
        case any
        /// Planted: the reply of a command that should not have been sent.
        case planted
    }

    enum Role {
        /// Sends commands from the key space and thinks in between.
        case worker
        /// Sets and reads keys with a time to live.
        case expiry
        /// Hands leadership on when told.
        case `operator`
        /// Reads everything from one node at the end.
        case auditor(machine: Int)
    }

    let index: Int
    let role: Role
    var random: RandomGenerator
    /// How long it waits for replies; nil for as long as it takes.
    let patience: ClosedRange<Nanoseconds>?

    var link: Link?
    /// Number of the connection over the whole run; each one gets a new one.
    var connection = 0
    var isConnecting = false
    var reader = ReplyReader()
    var waiting = RingBuffer<Expectation>()
    /// A timer that was set for an earlier epoch is void.
    var epoch: UInt64 = 0
    /// For unique values.
    var tokens = 0
    /// Replies held back to be swapped (planted).
    var heldReply: Reply?
    /// Batches that were sent and wholly answered since everything healed.
    var batchesSinceHeal = 0
    /// When the last batch was sent.
    var sentAt = Instant(nanoseconds: 0)
    /// Sends nothing more.
    var isRetired = false

    init(index: Int, role: Role, random: RandomGenerator, patience: ClosedRange<Nanoseconds>?) {
        self.index = index
        self.role = role
        self.random = random
        self.patience = patience
    }

    /// A value that nobody else writes.
    func nextToken() -> String {
        tokens += 1
        return "\(index).\(tokens)"
    }
}
