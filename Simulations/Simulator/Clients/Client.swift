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
        /// A command that nobody models: any answer but one that says that there is no such command.
        case drawn([[UInt8]])
        /// DEBUG RELOAD: the node compares its state with what its log gives.
        case selfCheck
        /// The operator's command: any answer.
        case any
        /// Elements put in, or taken out, by the client that scans; and a page of its scan.
        case scanAdded([Int])
        case scanRemoved([Int])
        case scanPage(sentAt: Instant)
        /// KV.SNAPSHOT TAKE: an id, or that too many are open.
        case snapshot
        /// A command of a scenario, which shows the answer.
        case scripted
        /// Planted: the reply of a command that should not have been sent.
        case planted
    }

    enum Role {
        /// Sends commands from the key space and thinks in between.
        case worker
        /// Sets and reads keys with a time to live.
        case expiry
        /// Sends commands of all families, whose effects the replicas must agree on.
        case generator
        /// Scans what it changes.
        case scanner
        /// Hands leadership on when told.
        case `operator`
        /// Takes distributed snapshots at any time, on any node.
        case snapshots
        /// Takes one more when nothing fails any more.
        case lastSnapshot
        /// Says what a scenario says.
        case scripted
        /// Reads everything from one node at the end.
        case auditor(machine: Int)
    }

    let index: Int
    let role: Role
    /// What a generator draws from.
    var generator: CommandGenerator
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
    /// For unique values; those of a run that goes on from an earlier one begin with another prefix.
    var tokens = 0
    var tokenPrefix = ""
    /// Replies held back to be swapped (planted).
    var heldReply: Reply?
    /// Batches that were sent and wholly answered since everything healed.
    var batchesSinceHeal = 0
    /// When the last batch was sent.
    var sentAt = Instant(nanoseconds: 0)
    /// What a scenario has it say, and what it heard.
    var script: [[[UInt8]]] = []
    var heard: [Reply] = []
    /// Sends nothing more.
    var isRetired = false

    init(index: Int, role: Role, random: RandomGenerator, patience: ClosedRange<Nanoseconds>?) {
        self.index = index
        self.role = role
        self.random = random
        generator = CommandGenerator(random: RandomGenerator(seed: random.state ^ 0x5851_F42D_4C95_7F2D))
        self.patience = patience
    }

    /// A value that nobody else writes.
    func nextToken() -> String {
        tokens += 1
        return "\(tokenPrefix)\(index).\(tokens)"
    }
}
