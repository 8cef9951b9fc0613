import Base
import Database

/// A node's own commands on their way through the log, in the order of their dense numbers (DESIGN, section 5).
///
/// Commands gather in the open frame; `seal` closes it. A sealed frame stays until it is seen applied, so that it can be
/// proposed again, in order, after a change of leader: the state machine executes each number once.
struct ProposalQueue {
    /// A sealed run of commands: one segment of a log entry.
    struct Frame {
        let firstNumber: UInt64
        let count: Int
        /// The whole segment, header included (`CommandBatch`).
        let bytes: [UInt8]
        var lastNumber: UInt64 { firstNumber + UInt64(count) - 1 }
    }

    let owner: NodeID
    let incarnation: Incarnation
    private(set) var frames = RingBuffer<Frame>()
    /// For each sealed frame that is not seen applied: its last command, and when it was taken.
    private var takenAt = RingBuffer<(last: UInt64, at: Instant)>()
    /// Bytes of the sealed frames.
    private(set) var frameBytes = 0
    /// Items of the open frame.
    let gathering = ByteBuffer(capacity: 1 << 16)
    private(set) var gatheredCount = 0
    /// The header of the segment that is being sealed; reused.
    private let header = ByteBuffer(capacity: 64)
    /// Number of the next command.
    private(set) var nextNumber: UInt64 = 1
    /// Everything up to here is proposed under the present leader.
    private(set) var sentThrough: UInt64 = 0
    /// Everything up to here is applied.
    private(set) var appliedThrough: UInt64 = 0

    init(owner: NodeID, incarnation: Incarnation) {
        self.owner = owner
        self.incarnation = incarnation
    }

    /// Bytes of all commands not yet applied.
    var bytes: Int { frameBytes + gathering.count }
    /// Whether the open frame has commands.
    var hasGathered: Bool { gatheredCount > 0 }
    /// Whether every command is applied.
    var isEmpty: Bool { frames.isEmpty && gatheredCount == 0 }

    /// Counts the item that was just appended to `gathering` and returns its number.
    mutating func gathered() -> UInt64 {
        gatheredCount += 1
        nextNumber += 1
        return nextNumber - 1
    }

    /// Closes the open frame, if there is anything in it, in the turn in which its commands were taken.
    mutating func seal(now: Instant) {
        if gatheredCount == 0 { return }
        let first = nextNumber - UInt64(gatheredCount)
        header.removeAll()
        CommandBatch.appendSegmentHeader(
            owner: owner, incarnation: incarnation, first: first, count: gatheredCount, byteCount: gathering.count, to: header)
        let size = header.count + gathering.count
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { target, count in
            UnsafeMutableRawBufferPointer(target).copyBytes(from: header.view.rawBuffer)
            UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(target)[header.count...])
                .copyBytes(from: gathering.view.rawBuffer)
            count = size
        }
        let frame = Frame(firstNumber: first, count: gatheredCount, bytes: bytes)
        check(frames.last.map { $0.lastNumber + 1 == first } ?? (first == appliedThrough + 1), "proposals are numbered densely")
        frames.append(frame)
        takenAt.append((frame.lastNumber, now))
        frameBytes += frame.bytes.count
        gathering.removeAll()
        gatheredCount = 0
    }

    /// When the command of a number was taken. Asked for in order of the numbers; nil for one that was asked for before.
    mutating func takenAt(_ number: UInt64) -> Instant? {
        while let frame = takenAt.first, frame.last < number { _ = takenAt.popFirst() }
        return takenAt.first?.at
    }

    /// Frames that the present leader has not been given, oldest first, as long as no more than `windowBytes` (or one frame)
    /// are with it.
    mutating func takeUnsent(windowBytes: Int, _ body: (Frame) -> Void) {
        if sentThrough + 1 == nextNumber - UInt64(gatheredCount) { return }
        var bytes = 0
        for index in 0..<frames.count {
            let frame = frames[index]
            bytes += frame.bytes.count
            if frame.lastNumber <= sentThrough { continue }
            if bytes > windowBytes && bytes > frame.bytes.count { return }
            body(frame)
            sentThrough = frame.lastNumber
        }
    }

    /// The leader, its term or the way to it changed: everything not yet applied is proposed again.
    mutating func leaderChanged() { sentThrough = appliedThrough }

    /// The state machine has executed this node's commands up to `number`.
    mutating func applied(through number: UInt64) {
        check(number >= appliedThrough && number < nextNumber, "only numbers that were given out are applied")
        appliedThrough = number
        // What an earlier leader still brought through need not be given to the present one.
        sentThrough = max(sentThrough, number)
        while let frame = frames.first, frame.lastNumber <= number {
            frameBytes -= frame.bytes.count
            _ = frames.popFirst()
        }
        check(frameBytes >= 0, "no more bytes leave the queue than came in")
    }
}
