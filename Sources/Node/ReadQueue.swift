import Base
import Consensus

/// Reads of this node's clients on their way to a read index (thesis, section 6.4). All reads of a turn share one
/// request; requests wait for their grant and then for the state machine to reach its index.
struct ReadQueue {
    /// One command that only reads.
    struct Read {
        let connection: ConnectionID
        let database: Int
        /// Where its arguments lie in the batch's bytes: offset of the first item byte and number of arguments.
        let offset: Int
        let argumentCount: Int
    }

    /// The reads of one request.
    final class Batch {
        var reads: [Read] = []
        /// Encoded arguments: for each its length as a variable integer, then its bytes.
        let bytes = ByteBuffer(capacity: 1 << 12)
        /// Number of the present request.
        var id: UInt64 = 0
        /// When the first one came, to refuse it while there is no leader.
        var since = Instant(nanoseconds: 0)
        /// Set by the grant.
        var index: LogIndex?
        var wall = WallTime(microseconds: 0)
    }

    /// The reads of this turn.
    var gathering: Batch?
    /// Requested and not granted, in order of request.
    var requested: [Batch] = []
    /// Granted at an index that is not applied yet, in order of grant.
    var granted: [Batch] = []
    /// Failed, to be asked again as soon as a leader is known.
    var failed: [Batch] = []
    private var pool: [Batch] = []
    private var lastID: UInt64 = 0

    /// The batch that this turn's reads go into.
    mutating func open(now: Instant) -> Batch {
        if let gathering { return gathering }
        let batch = pool.popLast() ?? Batch()
        batch.since = now
        gathering = batch
        return batch
    }

    /// A number for a request; it never comes again in this run.
    mutating func nextID() -> UInt64 {
        lastID += 1
        return lastID
    }

    /// Takes a batch back for reuse.
    mutating func recycle(_ batch: Batch) {
        batch.reads.removeAll(keepingCapacity: true)
        batch.bytes.removeAll()
        batch.index = nil
        if pool.count < 8 { pool.append(batch) }
    }

    /// Whether no read waits for anything.
    var isEmpty: Bool { gathering == nil && requested.isEmpty && granted.isEmpty && failed.isEmpty }
}
