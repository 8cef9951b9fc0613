import Base
import Storage

/// The disk of one machine: carries out disk operations strictly in order (creating files beside them), each after a time
/// drawn from the seed, and survives the machine's crashes with exactly what a real one would: all that completed, and of
/// what was in flight nothing, everything, or any part of its blocks.
///
/// It checks its contract at the door: whole aligned blocks of files that exist, buffers left alone while they are written.
package final class SimulatedDisk {
    /// How fast the disk is. Bounds of one operation's time.
    package struct Speed: Sendable {
        package var write: ClosedRange<Nanoseconds>
        package var create: ClosedRange<Nanoseconds>
        package var read: ClosedRange<Nanoseconds>
        /// One operation in so many takes `stallFactor` times as long; 0 for never.
        package var stallsOneIn: UInt64 = 0
        package var stallFactor: UInt64 = 30

        package init(
            write: ClosedRange<Nanoseconds>, create: ClosedRange<Nanoseconds>, read: ClosedRange<Nanoseconds>
        ) {
            self.write = write
            self.create = create
            self.read = read
        }
    }

    /// Bytes in a block, the unit in which a write can be torn.
    package static let blockBytes = 4096

    /// An operation on its way.
    struct Pending {
        var operation: DiskOperation
        var doneAt: Instant
        /// Of the bytes to be written, when the operation came.
        var digest: UInt64 = 0
    }

    /// What a completed operation hands to the node.
    package enum Completion {
        case done(number: UInt64)
        case refused(number: UInt64)
        case read(number: UInt64, bytes: [UInt8])
    }

    /// What became of an operation at the door.
    package enum Submission: Equatable {
        /// It completes at this time; the caller asks for it then, by its number.
        case completes(at: Instant)
        /// There is no room: the operation fails, which is the end of the process.
        case full
    }

    package var speed: Speed
    /// Multiplies every time: a disk that is slow for a while.
    package var slowness: UInt64 = 1
    /// Bytes that fit; what goes beyond is refused.
    package var capacity = Int.max
    /// Who hears of every durable byte.
    package var trace = TraceHash(seed: 0)

    var files: [FileName: SimulatedFile] = [:]
    var random: RandomGenerator
    /// Ordered operations, the oldest first; only the first has begun.
    var ordered: [Pending] = []
    /// Creations and reads, each on its own.
    var beside: [Pending] = []
    /// Steps on growing files, the oldest first; only the first has begun.
    var growing: [Pending] = []
    private var growingUntil = Instant(nanoseconds: 0)
    /// When the last ordered operation will be done.
    private var orderedUntil = Instant(nanoseconds: 0)
    /// The last writes that completed, the newest last (see `rot`).
    var completedWrites: [(file: SimulatedFile, offset: Int, count: Int)] = []

    package init(speed: Speed, random: RandomGenerator) {
        self.speed = speed
        self.random = random
    }

    /// Puts a file there, as the operator does before the node's first start.
    package func install(_ name: FileName, bytes: [UInt8]) { files[name] = SimulatedFile(bytes: bytes) }

    /// Whether operations are on their way.
    package var isBusy: Bool { !ordered.isEmpty || !beside.isEmpty || !growing.isEmpty }

    /// Bytes of all files.
    package var usedBytes: Int { files.values.reduce(0) { $0 + $1.bytes.count } }

    // MARK: Operations

    /// Takes an operation.
    package func submit(_ operation: DiskOperation, at now: Instant) throws(Violation) -> Submission {
        switch operation.action {
        case .create(let name, let byteCount):
            try demand(byteCount >= 0, "a file of \(byteCount) bytes is to be created: \(name)")
            if usedBytes + byteCount > capacity { return .full }
            return start(operation, beside: speed.create, at: now)
        case .read(let name, let offset, let count):
            try demandBlocks(name: name, offset: offset, count: count)
            return start(operation, beside: speed.read, at: now)
        case .write(_, let offset, let block):
            let view = block.buffer.view
            try demandAligned(view, offset: offset)
            return queue(Pending(operation: operation, doneAt: now, digest: hash(view, seed: 1)), at: now)
        case .rename, .remove:
            return queue(Pending(operation: operation, doneAt: now), at: now)
        case .extend(_, let offset, let block):
            let view = block.buffer.view
            try demandAligned(view, offset: offset)
            return queueGrowing(Pending(operation: operation, doneAt: now, digest: hash(view, seed: 1)), at: now)
        case .publish, .discard:
            return queueGrowing(Pending(operation: operation, doneAt: now), at: now)
        }
    }

    private func demandAligned(_ view: ByteView, offset: Int) throws(Violation) {
        let size = SimulatedDisk.blockBytes
        try demand(!view.isEmpty && offset % size == 0 && view.count % size == 0, "a write is of whole blocks")
        try demand(UInt(bitPattern: view.start) % UInt(size) == 0, "a block to be written is aligned")
    }

    private func queueGrowing(_ pending: Pending, at now: Instant) -> Submission {
        var pending = pending
        pending.doneAt = max(now, growingUntil) + latency(speed.write)
        growingUntil = pending.doneAt
        growing.append(pending)
        return .completes(at: pending.doneAt)
    }

    private func queue(_ pending: Pending, at now: Instant) -> Submission {
        var pending = pending
        pending.doneAt = max(now, orderedUntil) + latency(speed.write)
        orderedUntil = pending.doneAt
        ordered.append(pending)
        return .completes(at: pending.doneAt)
    }

    private func start(_ operation: DiskOperation, beside bounds: ClosedRange<Nanoseconds>, at now: Instant) -> Submission {
        let doneAt = now + latency(bounds)
        beside.append(Pending(operation: operation, doneAt: doneAt))
        return .completes(at: doneAt)
    }

    private func latency(_ bounds: ClosedRange<Nanoseconds>) -> Nanoseconds {
        var time = random.duration(in: bounds).rawValue * slowness
        if speed.stallsOneIn > 0, random.chance(1, in: speed.stallsOneIn) { time *= speed.stallFactor }
        return Nanoseconds(max(time, 1))
    }

    /// The disk is as fast as usual from now on, also for what it has begun. Returns what completes sooner for it.
    package func recover(at now: Instant) -> [(number: UInt64, completesAt: Instant)] {
        slowness = 1
        var sooner: [(number: UInt64, completesAt: Instant)] = []
        var until = now
        for index in ordered.indices {
            until = min(ordered[index].doneAt, until + latency(speed.write))
            ordered[index].doneAt = until
            sooner.append((ordered[index].operation.number, until))
        }
        if !ordered.isEmpty { orderedUntil = until }
        until = now
        for index in growing.indices {
            until = min(growing[index].doneAt, until + latency(speed.write))
            growing[index].doneAt = until
            sooner.append((growing[index].operation.number, until))
        }
        if !growing.isEmpty { growingUntil = until }
        for index in beside.indices {
            beside[index].doneAt = min(beside[index].doneAt, now + latency(speed.create))
            sooner.append((beside[index].operation.number, beside[index].doneAt))
        }
        return sooner
    }

    /// Whether an operation is on its way and its time has come.
    package func isDue(number: UInt64, at now: Instant) -> Bool {
        if let first = ordered.first, first.operation.number == number { return first.doneAt <= now }
        if let first = growing.first, first.operation.number == number { return first.doneAt <= now }
        return beside.contains { $0.operation.number == number && $0.doneAt <= now }
    }

    /// Makes operation `number`, whose time has come, durable.
    package func complete(number: UInt64) throws(Violation) -> Completion {
        if let first = ordered.first, first.operation.number == number {
            ordered.removeFirst()
            try carryOut(first)
            return .done(number: number)
        }
        if let first = growing.first, first.operation.number == number {
            growing.removeFirst()
            if try isRefused(first) { return .refused(number: number) }
            try carryOut(first)
            return .done(number: number)
        }
        guard let index = beside.firstIndex(where: { $0.operation.number == number }) else {
            throw Violation(.diskContract, "operation \(number) is not on its way")
        }
        let pending = beside.remove(at: index)
        if case .read(let name, let offset, let count) = pending.operation.action {
            try demandBlocks(name: name, offset: offset, count: count)
            guard let file = files[name] else { throw missing(name) }
            return .read(number: number, bytes: Array(file.bytes[offset..<offset + count]))
        }
        try carryOut(pending)
        return .done(number: number)
    }

    /// Carries out a whole operation.
    func carryOut(_ pending: Pending) throws(Violation) {
        trace.add(pending.operation.number)
        switch pending.operation.action {
        case .create(let name, let byteCount):
            files[name] = SimulatedFile(zeros: byteCount)
        case .write(let name, let offset, let block):
            let view = block.buffer.view
            try demandBlocks(name: name, offset: offset, count: view.count)
            try demand(hash(view, seed: 1) == pending.digest, "a block is left alone while it is written to \(name)")
            guard let file = files[name] else { throw missing(name) }
            file.write(view, from: 0, count: view.count, at: offset)
            remember((file, offset, view.count))
            trace.add(pending.digest)
        case .rename(let from, let to):
            guard let file = files.removeValue(forKey: from) else { throw missing(from) }
            files[to] = file
        case .remove(let name):
            if files.removeValue(forKey: name) == nil { throw missing(name) }
        case .read:
            break
        case .extend, .publish, .discard:
            try carryOutGrowing(pending)
        }
    }

    private func remember(_ write: (file: SimulatedFile, offset: Int, count: Int)) {
        completedWrites.append(write)
        if completedWrites.count > 256 { completedWrites.removeFirst(128) }
    }

    /// Forgets what was on its way, after a crash took its toll of it.
    func forgetPending() {
        ordered.removeAll()
        beside.removeAll()
        growing.removeAll()
        orderedUntil = Instant(nanoseconds: 0)
        growingUntil = Instant(nanoseconds: 0)
    }

    // MARK: The contract

    private func demandBlocks(name: FileName, offset: Int, count: Int) throws(Violation) {
        let size = SimulatedDisk.blockBytes
        guard let file = files[name] else { throw missing(name) }
        try demand(offset >= 0 && offset % size == 0 && count % size == 0, "\(name): only whole blocks are read and written")
        try demand(
            offset + count <= file.bytes.count,
            "\(name) has \(file.bytes.count) bytes; \(count) at \(offset) were asked for")
    }

    func missing(_ name: FileName) -> Violation { Violation(.diskContract, "there is no file \(name)") }

    func demand(_ condition: Bool, _ message: @autoclosure () -> String) throws(Violation) {
        if !condition { throw Violation(.diskContract, message()) }
    }
}
