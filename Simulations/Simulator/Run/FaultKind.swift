/// What may go wrong in the safety phase. A run draws which of these happen, and how often.
package enum FaultKind: String, CaseIterable, Sendable {
    /// A node's process or machine goes down and comes back after a while.
    case crashNode, crashLeader
    /// All machines lose power at once.
    case crashAll
    /// Machines lose power at the very moment at which a client gets its next reply.
    case crashAfterReply
    /// For a while every new leader goes down soon after its election (the way to the paper's Figure 8).
    case huntLeaders
    /// Plots (`Simulation+Plots`): the paper's Figure 8, and a voter that goes down with its vote.
    case figure8, doubleVote
    /// A node goes down again and again right after its start.
    case restartLoop
    /// A node is asked to stop in order, and started again.
    case orderlyRestart
    /// The nodes fall into groups that do not hear each other.
    case splitGroups
    case isolateNode, isolateLeader
    /// One node hears the others, or is heard by them, but not both.
    case oneWay
    /// Every node hears some of the others, no two the same ones.
    case bridge
    /// Connections break and lose what was on its way.
    case resetLink, resetNode, resetClients
    /// A node does not run for a while and then gets everything at once.
    case pauseNode, pauseLeader
    /// Somebody sets a machine's wall clock.
    case wallJump
    /// A machine's clocks run faster or slower than before.
    case drift
    case slowDisk, slowNetwork
    /// A disk has no room for another file, on a minority of the machines at most.
    case fullDisk
    /// An operator hands leadership on.
    case transferLeadership
    /// A client does not read its replies for a while.
    case slowReader
}
