import Base
import Node

/// A connection between two nodes, or between a client and a node: two pipes and who stands at their ends.
final class Link {
    /// Who stands at an end.
    enum End {
        /// A client connection of a machine's node in its `run`.
        case server(machine: Int, run: UInt64, id: ConnectionID)
        /// A peer connection of a machine's node in its `run`.
        case peer(machine: Int, run: UInt64, id: PeerLinkID)
        /// A client.
        case client(Int)
        /// Closed at this end, or its process is gone.
        case gone

        var machine: Int? {
            switch self {
            case .server(let machine, _, _), .peer(let machine, _, _): machine
            case .client, .gone: nil
            }
        }

        var isGone: Bool {
            if case .gone = self { return true }
            return false
        }
    }

    /// Number in the whole run, from 0.
    let number: Int
    /// Side 0 opened the connection, side 1 accepted it.
    var ends: [End]
    /// Machine at each side, kept after the end is gone; nil for a client.
    let machines: [Int?]
    /// Pipe 0 carries what side 0 sends.
    var pipes = [Pipe(), Pipe()]
    /// The usual delay of a chunk.
    let delay: Nanoseconds
    /// Bytes in flight above which a pipe takes no more.
    let capacity: Int
    /// The client asked the node to close this connection, or sent what must make it close.
    var mayBeClosed = false
    /// The node wants this connection closed when its output has left.
    var closesAfterOutput = false

    init(number: Int, ends: [End], delay: Nanoseconds, capacity: Int) {
        check(ends.count == 2, "a connection has two ends")
        self.number = number
        self.ends = ends
        machines = ends.map(\.machine)
        self.delay = delay
        self.capacity = capacity
    }

    /// Nobody is left at either end.
    var isOver: Bool { ends[0].isGone && ends[1].isGone }
}
