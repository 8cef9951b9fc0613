/// An error planted in the simulated world, in the place of one that a node could make: each must be found by the checker
/// that is there for it. (`RaftFaults` are planted in the node itself.)
package enum Sabotage: String, CaseIterable, Sendable {
    /// The driver takes a follower for a leader.
    case secondLeader
    /// Disks forget writes that they had reported as durable.
    case forgetWrites
    /// One node's state differs a little.
    case otherState
    /// A node closes a client's connection for no reason.
    case dropConnection
    /// Two replies leave in the wrong order.
    case swapReplies
    /// A read returns what the key held before.
    case staleRead
    /// A command is executed twice.
    case executeTwice
    /// A reply never leaves.
    case loseReply
    /// A node never hears from the others again.
    case deafNode
    /// Keys with a time to live are gone too soon.
    case expireEarly
    /// A node asks for a block of a file that does not exist.
    case strayWrite
}
