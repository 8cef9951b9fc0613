import Base
import Consensus
import DistributedSnapshot
import Storage

/// Everything a node is told at its start. Nothing here changes in a run.
package struct NodeOptions: Sendable {
    package var id: NodeID
    package var clusterID: ClusterID
    /// All members with the address of their peer port, this node included, in order of id.
    package var members: [Member]
    package var raft: RaftOptions
    package var log: LogOptions
    package var limits = NodeLimits()
    package var stateFiles = StateFileOptions()
    package var server = ServerInformation()
    /// How long to wait before dialling a peer again; doubles up to the maximum while it fails.
    package var dialRetryMin = Nanoseconds.milliseconds(20)
    package var dialRetryMax = Nanoseconds.milliseconds(500)
    /// A command that arrives while no leader has been known for this long is refused (it is definitely not executed).
    package var noLeaderGrace = Nanoseconds.milliseconds(5_000)
    /// Of distributed snapshots; the node fills itself and its run in.
    package var snapshots: SnapshotOptions

    package struct Member: Sendable, Equatable {
        package var id: NodeID
        /// host:port of the peer port.
        package var address: String
        package init(id: NodeID, address: String) {
            self.id = id
            self.address = address
        }
    }

    package init(id: NodeID, clusterID: ClusterID, members: [Member]) {
        self.id = id
        self.clusterID = clusterID
        self.members = members.sorted { $0.id < $1.id }
        raft = RaftOptions(id: id)
        log = LogOptions()
        snapshots = SnapshotOptions(node: id, incarnation: Incarnation(1))
    }
}

/// Limits at a node's doors (DESIGN, rule 10). Bytes unless named otherwise.
package struct NodeLimits: Sendable {
    package var clientsMax = 10_000
    /// Unsent replies of one client; one more reply is written when there are no more than this, then the client is closed.
    package var clientOutputBytesMax = 256 << 20
    /// Unparsed input of one client; above it nothing more is read from it until it is parsed.
    package var clientInputBytesMax = 1 << 30
    /// Unsent frames of one peer link; above it the link is closed and opened again.
    package var peerOutputBytesMax = 1 << 30
    /// One command with all its arguments: the largest argument and some more.
    package var commandBytesMax = 576 << 20
    /// A command that has more bytes of arguments than this goes through the log in pieces of this size.
    package var pieceBytesMax = 1 << 20
    /// Commands of one client that are on their way through the log; above it the client has to wait.
    package var clientProposalsMax = 10_000
    /// Bytes of all commands of this node that are on their way through the log; above it clients have to wait.
    package var proposalBytesMax = 64 << 20
    /// Bytes of them that are with the leader and not yet applied; above it the rest waits here.
    package var proposalWindowBytes = 16 << 20
    /// A batch is closed when it reaches this size within a turn; so a batch is at most this and one command.
    package var batchBytesMax = 1 << 20
    /// Batches are put together into one log entry while it stays below this.
    package var entryBytesMax = 4 << 20
    package init() {}
}

/// What `INFO` tells of the process and the machine. The driver fills it in; the simulator leaves it.
package struct ServerInformation: Sendable {
    package var processID: Int32 = 0
    package var clientPort: UInt16 = 0
    package var clientAddress = ""
    package var executable = ""
    package var operatingSystem = "Linux"
    package var architecture = "64"
    package init() {}
}
