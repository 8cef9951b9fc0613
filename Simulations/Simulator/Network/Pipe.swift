import Base

/// One direction of a connection: a FIFO stream of bytes. What was sent arrives, in order, after its delay; or from some byte on
/// it does not arrive at all, and then the connection is over.
struct Pipe {
    /// Bytes that were sent together.
    private struct Chunk {
        var bytes: [UInt8]
        var due: Instant
    }

    private var chunks: [Chunk] = []
    private var first = 0
    /// Bytes that were sent and that the receiver has not taken.
    private(set) var inFlight = 0
    /// Nothing was ever sent.
    private(set) var isUnused = true
    /// Nothing arrives before what was sent before it.
    private var lastDue = Instant(nanoseconds: 0)
    /// After the last chunk the receiver learns that the connection is over.
    private(set) var endsAt: Instant?
    /// An event for the next arrival is in the queue.
    var isScheduled = false
    /// The receiver does not read for now.
    var isHeld = false

    /// Sends bytes.
    mutating func send(_ bytes: [UInt8], due: Instant) {
        check(endsAt == nil, "nothing is sent on a stream that has ended")
        check(!bytes.isEmpty, "a chunk holds bytes")
        lastDue = max(lastDue, due)
        inFlight += bytes.count
        isUnused = false
        chunks.append(Chunk(bytes: bytes, due: lastDue))
    }

    /// Ends the stream behind what was sent.
    mutating func end(due: Instant) {
        if endsAt != nil { return }
        lastDue = max(lastDue, due)
        endsAt = lastDue
    }

    /// When the next chunk, or the end, arrives.
    var nextDue: Instant? { first < chunks.count ? chunks[first].due : endsAt }

    /// Takes the next chunk, which is due. Nil when only the end is left.
    mutating func take() -> [UInt8]? {
        if first == chunks.count { return nil }
        let bytes = chunks[first].bytes
        chunks[first].bytes = []
        first += 1
        if first == chunks.count {
            chunks.removeAll(keepingCapacity: true)
            first = 0
        }
        return bytes
    }

    /// The receiver has taken `count` bytes out of its buffer.
    mutating func received(_ count: Int) {
        check(count <= inFlight, "only what was sent is received")
        inFlight -= count
    }

    /// Loses everything behind the first `count` bytes that have not arrived.
    mutating func cut(after count: Int) {
        var left = count
        var index = first
        while index < chunks.count {
            let size = chunks[index].bytes.count
            if left < size {
                inFlight -= size - left
                chunks[index].bytes.removeSubrange(left...)
            }
            left = max(0, left - size)
            index += 1
        }
        while first < chunks.count, chunks[chunks.count - 1].bytes.isEmpty { chunks.removeLast() }
        if first == chunks.count {
            chunks.removeAll(keepingCapacity: true)
            first = 0
        }
    }

    /// Bytes that have not arrived.
    var undelivered: Int { chunks[first...].reduce(0) { $0 + $1.bytes.count } }

    /// The network holds everything back until now: what waits arrives from `time` on.
    mutating func delay(until time: Instant) {
        for index in first..<max(first, chunks.count) where chunks[index].due < time { chunks[index].due = time }
        lastDue = max(lastDue, time)
        if let end = endsAt, end < time { endsAt = time }
    }
}
