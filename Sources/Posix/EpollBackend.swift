import Base
import CLinux
import Glibc
import Node

/// Sockets by epoll, edge-triggered: each is registered once, and neither a short write nor a paused reader costs another
/// system call. A read that fills less than the buffer has emptied the socket (epoll(7)), so there is one `recv` per
/// readable connection and turn.
///
/// An edge comes only once. So what is known to be unfinished, because a connection used up its share of the turn, or hung
/// up behind bytes that were delivered, is kept in `unfinished` and taken up in the next turn without waiting.
package final class EpollBackend: NetworkBackend {
    /// Sizes and times of a back end.
    package struct Options: Sendable {
        /// Bytes read at once; one buffer serves all connections.
        package var readBytes = 64 << 10
        /// Bytes read from one connection in one turn, about.
        package var turnBytesMax = 1 << 20
        /// Events taken from the kernel in one turn.
        package var eventsMax = 4096
        /// Connections accepted in one turn.
        package var acceptsMax = 256
        /// Connections that wait to be accepted, at most (as Redis's `tcp-backlog`).
        package var backlog: Int32 = 511
        /// How long a listener rests when the kernel can't give a connection (no memory, no descriptors at all).
        package var acceptRest = Nanoseconds.milliseconds(100)
        package init() {}
    }

    /// What a slot of the table holds.
    enum Role: UInt8 {
        case free, listener, notifier, dialling, open, closing
    }

    struct Slot {
        var descriptor: Int32 = -1
        var generation: UInt32 = 0
        var role = Role.free
        var purpose = SocketPurpose(0)
        /// The owner wants bytes.
        var isReading = true
        /// It stands in `unfinished`.
        var isQueued = false
        /// The other end has ended its sending side: behind the bytes that are left comes the end, and no edge with it.
        var isEnding = false
        /// The turn in which it was last read.
        var turn: UInt64 = 0
        /// A send was cut short: the owner is told when there is room.
        var isBlocked = false
        /// When dialling, closing or a listener's rest ends.
        var deadline = Instant.never
    }

    let options: Options
    let statistics: DriverStatistics
    let epoll: Int32
    var slots: [Slot] = []
    var freeSlots: [Int] = []
    /// Slots to read from in the next turn, whatever the kernel says.
    var unfinished: [SocketID] = []
    /// Number of the wait that runs.
    var turn: UInt64 = 0
    /// Slots that have a deadline.
    var timed: [SocketID] = []
    /// A descriptor held back, to refuse a connection politely when there is no other left.
    var reserve: Int32
    let readBuffer: UnsafeMutableRawPointer
    let events: UnsafeMutablePointer<epoll_event>
    /// Whether the kernel knows timeouts in nanoseconds.
    private var hasNanosecondWait = true

    /// An empty back end.
    ///
    /// - Throws: `system`.
    package init(options: Options = Options(), statistics: DriverStatistics) throws(PosixError) {
        check(options.readBytes >= 4096 && options.eventsMax > 0 && options.acceptsMax > 0, "a back end has room to work")
        self.options = options
        self.statistics = statistics
        epoll = epoll_create1(coracle_epoll_cloexec())
        if epoll < 0 { throw .system(operation: "make an epoll instance", code: coracle_errno()) }
        reserve = open("/dev/null", O_RDONLY | O_CLOEXEC)
        readBuffer = .allocate(byteCount: options.readBytes, alignment: 4096)
        events = .allocate(capacity: options.eventsMax)
    }

    deinit {
        for slot in slots where slot.role != .free && slot.role != .notifier { Glibc.close(slot.descriptor) }
        if reserve >= 0 { Glibc.close(reserve) }
        Glibc.close(epoll)
        readBuffer.deallocate()
        events.deallocate()
    }

    package func wait<Sink: NetworkSink>(until deadline: Instant, now: Instant, sink: Sink) throws(PosixError) -> Bool {
        let carried = unfinished
        unfinished.removeAll(keepingCapacity: true)
        for socket in carried { if let index = index(of: socket) { slots[index].isQueued = false } }
        let count = try waitForEvents(until: carried.isEmpty ? min(deadline, nextDeadline) : now, now: now)
        statistics.waits += 1
        turn += 1
        sink.woke()
        for position in 0..<count {
            let event = events[position]
            handle(SocketID(packed: event.data.u64), bits: event.events, sink: sink)
        }
        for socket in carried {
            guard let index = index(of: socket), slots[index].role == .open else { continue }
            // What an event had read in this turn already is queued again if it is still unfinished.
            if slots[index].isReading && slots[index].turn != turn { read(index, sink: sink) }
        }
        if !timed.isEmpty { expire(SystemClock.instant(), sink: sink) }
        return count > 0 || !carried.isEmpty
    }

    /// Waits in the kernel; the number of events in `events`. An interrupted wait has none.
    private func waitForEvents(until deadline: Instant, now: Instant) throws(PosixError) -> Int {
        let rest = deadline - now
        var count: Int32 = -1
        if hasNanosecondWait {
            let timeout = deadline == .never ? -1 : Int64(clamping: rest.rawValue)
            count = coracle_epoll_wait_nanoseconds(epoll, events, Int32(options.eventsMax), timeout)
            if count < 0 && (coracle_errno() == ENOSYS || coracle_errno() == EPERM) { hasNanosecondWait = false }
        }
        if !hasNanosecondWait {
            // Rounded up: waking early would turn the loop until the deadline is there.
            let timeout =
                deadline == .never ? -1 : Int32(clamping: rest.rawValue / 1_000_000 + (rest.rawValue % 1_000_000 == 0 ? 0 : 1))
            count = epoll_wait(epoll, events, Int32(options.eventsMax), timeout)
        }
        if count >= 0 { return Int(count) }
        if coracle_errno() == EINTR { return 0 }
        throw .system(operation: "wait for events", code: coracle_errno())
    }

    /// Takes up one event of the kernel.
    private func handle<Sink: NetworkSink>(_ socket: SocketID, bits: UInt32, sink: Sink) {
        // An event of a socket that was closed earlier in this turn.
        guard let index = index(of: socket) else { return }
        let isBroken = bits & (coracle_epollerr() | coracle_epollhup()) != 0
        switch slots[index].role {
        case .free: check(false, "a free slot has no current id")
        case .listener: accept(index, sink: sink)
        case .notifier: sink.notified(slots[index].purpose)
        case .dialling: finishDialling(index, sink: sink)
        case .closing: discard(index)
        case .open:
            if bits & coracle_epollout() != 0 && slots[index].isBlocked && !isBroken {
                slots[index].isBlocked = false
                sink.writable(socket)
                // The owner may have found the connection broken.
                if self.index(of: socket) == nil { return }
            }
            if isBroken || bits & coracle_epollrdhup() != 0 { slots[index].isEnding = true }
            if slots[index].isReading {
                if bits & coracle_epollin() != 0 || slots[index].isEnding { read(index, sink: sink) }
            } else if isBroken {
                // Broken both ways it is of no use, whatever it had sent. One that only ended its sending side is read to its
                // end when reading resumes.
                end(index, reason: socketError(slots[index].descriptor), sink: sink)
            }
        }
    }

    // MARK: The table

    /// The slot of `socket`, or nil when that socket is gone.
    func index(of socket: SocketID) -> Int? {
        let index = Int(socket.index)
        return index < slots.count && slots[index].generation == socket.generation && slots[index].role != .free ? index : nil
    }

    func id(_ index: Int) -> SocketID { SocketID(index: index, generation: slots[index].generation) }

    /// Puts a descriptor into the table and registers it for `bits`. On failure the descriptor is closed.
    func add(_ descriptor: Int32, role: Role, purpose: SocketPurpose, bits: UInt32) throws(PosixError) -> SocketID {
        let index: Int
        if let free = freeSlots.popLast() {
            index = free
        } else {
            index = slots.count
            slots.append(Slot())
        }
        check(slots[index].role == .free, "a slot is taken only when it is free")
        let generation = slots[index].generation &+ 1
        slots[index] = Slot(descriptor: descriptor, generation: generation, role: role, purpose: purpose)
        var event = epoll_event()
        event.events = bits
        event.data.u64 = id(index).packed
        if epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0 {
            let code = coracle_errno()
            release(index)
            throw .system(operation: "register a socket", code: code)
        }
        return id(index)
    }

    /// Closes the slot's descriptor (that takes it out of epoll, too) and frees the slot.
    func release(_ index: Int) {
        check(slots[index].role != .free, "a slot is released once")
        if slots[index].role != .notifier { Glibc.close(slots[index].descriptor) }
        slots[index].role = .free
        slots[index].descriptor = -1
        freeSlots.append(index)
    }

    /// Has the slot read in the next turn.
    func resume(_ index: Int) {
        if slots[index].isQueued { return }
        slots[index].isQueued = true
        unfinished.append(id(index))
    }

    // MARK: Deadlines

    /// When the next of the back end's own deadlines is.
    private var nextDeadline: Instant {
        var earliest = Instant.never
        for socket in timed {
            if let index = index(of: socket) { earliest = min(earliest, slots[index].deadline) }
        }
        return earliest
    }

    /// Gives the slot a deadline.
    func setDeadline(_ index: Int, _ deadline: Instant) {
        slots[index].deadline = deadline
        timed.append(id(index))
    }

    /// Ends what is overdue.
    private func expire<Sink: NetworkSink>(_ now: Instant, sink: Sink) {
        let candidates = timed
        timed.removeAll(keepingCapacity: true)
        for socket in candidates {
            guard let index = index(of: socket), slots[index].deadline != .never else { continue }
            if slots[index].deadline > now {
                timed.append(socket)
                continue
            }
            slots[index].deadline = .never
            switch slots[index].role {
            case .dialling: end(index, reason: "no answer in time", sink: sink)
            case .closing: release(index)
            case .listener: endRest(index)
            case .free, .notifier, .open: break
            }
        }
    }
}
