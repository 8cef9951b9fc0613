import Base

/// What can happen in a run, by the numbers of those whom it happens to.
enum Event: Sendable {
    /// A node takes its turn.
    case turn(machine: Int)
    /// A node's deadline may have come.
    case wake(machine: Int, run: UInt64)
    /// A disk operation is done.
    case disk(machine: Int, run: UInt64, number: UInt64)
    /// The next chunk (or the end) of what `side` sent arrives.
    case arrive(link: Int, side: Int)
    /// An attempt to reach a peer ends.
    case dialled(from: Int, run: UInt64, to: Int)
    /// The end of a connection is noticed at a side although nothing arrived.
    case broken(link: Int, side: Int)
    /// A connection breaks.
    case reset(link: Int)
    /// A client's timer.
    case client(Int, epoch: UInt64)
    /// A client's attempt to reach a node ends.
    case clientDialled(Int, epoch: UInt64, machine: Int)
    case restart(machine: Int, run: UInt64)
    /// The next fault is due.
    case fault
    /// A partition ends, if it is still this one.
    case heal(partition: UInt64)
    /// A disk or the network is as fast as usual again.
    case diskRecovers(machine: Int)
    /// A full disk has room again.
    case diskHasRoom(machine: Int)
    case networkRecovers
    /// A client reads again.
    case readerRecovers(link: Int)
    /// A machine fails on its own in the course of a fault that was begun earlier.
    case strike(machine: Int, run: UInt64)
    /// A machine loses its connections with everything on them, and its power.
    case sever(machine: Int, run: UInt64)
    /// Looks whether the phase is over.
    case phase
}
