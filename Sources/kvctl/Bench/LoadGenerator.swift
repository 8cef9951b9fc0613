import Base
import CLinux
import Glibc
import RESP

/// When a round ends.
enum RoundEnd {
    /// After this time.
    case after(Nanoseconds)
    /// After so many requests.
    case requests(Int)
}

/// What one round measured.
struct RoundResult {
    /// Replies that came in time.
    var requests: UInt64 = 0
    /// From the first request to the end.
    var elapsed = Nanoseconds(0)
    var latencies = LatencyHistogram()
    /// Error replies, and the text of the first.
    var errors: UInt64 = 0
    var firstError = ""
    /// Of a load with a rate: requests that were due and found no connection free until the end.
    var overdue: UInt64 = 0

    var requestsPerSecond: Double {
        elapsed.rawValue == 0 ? 0 : Double(requests) * 1e9 / Double(elapsed.rawValue)
    }
}

/// Loads servers from one thread: every connection sends a batch, waits for all its replies, sends the next. One `send` and
/// one `recv` a batch, one wait for all that are ready.
///
/// With a rate, batches are sent when they are due, and a reply's time counts from then: a server that stands still is not spared the
/// requests that come meanwhile.
final class LoadGenerator {
    /// One connection's state.
    private struct Client {
        let descriptor: Int32
        let address: Address
        let input = ByteBuffer(capacity: 16 << 10)
        let output = ByteBuffer(capacity: 4 << 10)
        var scanner = ReplyScanner()
        /// Replies still to come of the batch.
        var pending = 0
        /// When the batch was sent, in nanoseconds.
        var startedAt: UInt64 = 0
        /// Whether the socket was full, so that epoll watches for room.
        var isBlocked = false
    }

    private let load: Load
    private var maker: RequestMaker
    private let epoll: Int32
    /// A plain array in memory of its own: the loop changes one element at a time, without copies.
    private let clients: UnsafeMutablePointer<Client>
    private var clientCount = 0
    private var result = RoundResult()
    /// Connections with a batch on its way.
    private var busy = 0
    /// Requests that may still be sent.
    private var left = Int.max
    private var isEnding = false
    /// When requests are due; nil when each follows the last one's reply.
    private var pace: Pace?
    /// Connections that wait for a request to be due.
    private var idle: [Int] = []

    /// Connects all clients, to the addresses in turn.
    init(_ load: Load, to addresses: [Address]) throws(Failure) {
        check(
            !addresses.isEmpty && load.clients > 0 && load.pipeline > 0 && load.keys > 0, "a load has servers, clients and keys")
        self.load = load
        maker = RequestMaker(load)
        clients = .allocate(capacity: load.clients)
        epoll = epoll_create1(0)
        if epoll < 0 { throw .system("can't make an epoll instance") }
        let deadline = monotonicNow() + .milliseconds(5000)
        for index in 0..<load.clients {
            let address = addresses[index % addresses.count]
            let descriptor = try connectSocket(to: address, deadline: deadline)
            (clients + index).initialize(to: Client(descriptor: descriptor, address: address))
            clientCount += 1
            if !watch(index, coracle_epollin(), EPOLL_CTL_ADD) { throw .system("can't watch a connection") }
        }
    }

    deinit {
        for index in 0..<clientCount { close(clients[index].descriptor) }
        clients.deinitialize(count: clientCount)
        clients.deallocate()
        if epoll >= 0 { close(epoll) }
    }

    private func watch(_ index: Int, _ events: UInt32, _ operation: Int32) -> Bool {
        var event = epoll_event()
        event.events = events
        event.data.u64 = UInt64(index)
        return epoll_ctl(epoll, operation, clients[index].descriptor, &event) == 0
    }

    /// Runs one round to its end; all replies have come when it returns.
    ///
    /// - Parameter progress: called some times a second with what was measured so far.
    /// - Throws: when a server closes a connection, or falls silent for ten seconds.
    func run(until end: RoundEnd, progress: (RoundResult) -> Void) throws(Failure) -> RoundResult {
        result = RoundResult()
        isEnding = false
        left = Int.max
        let start = monotonicNow()
        var deadline = Instant.never
        switch end {
        case .after(let time): deadline = start + time
        case .requests(let count): left = count
        }
        pace = load.rate.map { Pace(requestsPerSecond: $0, start: start) }
        for index in 0..<clientCount { try goOn(index) }
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: 256)
        defer { events.deallocate() }
        var nextProgress = start + .milliseconds(200)
        var lastReply = start
        while busy > 0 || (pace != nil && !isEnding && left > 0) {
            let count = wait(events, 256)
            if count < 0 && errno != EINTR { throw .system("can't wait for replies") }
            let now = monotonicNow()
            if count > 0 || busy == 0 { lastReply = now }
            if lastReply + .milliseconds(10_000) < now { throw Failure("no reply for 10 s") }
            if !isEnding && !(now < deadline) {
                isEnding = true
                result.elapsed = now - start
            }
            for index in 0..<Int(max(0, count)) {
                let client = Int(events[index].data.u64)
                if events[index].events & coracle_epollout() != 0 { try flush(client) }
                if events[index].events & ~coracle_epollout() != 0 { try receive(client) }
            }
            try sendDue(now)
            if nextProgress < now {
                nextProgress = now + .milliseconds(200)
                var soFar = result
                if !isEnding { soFar.elapsed = now - start }
                progress(soFar)
            }
        }
        if !isEnding { result.elapsed = monotonicNow() - start }
        check(busy == 0, "a round ends with no reply on its way")
        if let pace { result.overdue = pace.due(at: start + result.elapsed) &- pace.sent }
        idle.removeAll()
        return result
    }

    /// Waits for replies, and until the next requests are due.
    private func wait(_ events: UnsafeMutablePointer<epoll_event>, _ most: Int32) -> Int32 {
        guard let pace, !idle.isEmpty, !isEnding else { return epoll_wait(epoll, events, most, 100) }
        let (now, next) = (monotonicNow(), pace.time(of: pace.sent))
        let nanoseconds = next <= now ? 0 : min(100_000_000, Int64((next - now).rawValue))
        let count = coracle_epoll_wait_nanoseconds(epoll, events, most, nanoseconds)
        if count >= 0 || (errno != ENOSYS && errno != EPERM) { return count }
        return epoll_wait(epoll, events, most, Int32((nanoseconds + 999_999) / 1_000_000))
    }

    /// Lets a client that waits for nothing send, now or when requests are due.
    private func goOn(_ index: Int) throws(Failure) {
        if pace == nil { return try sendBatch(index, load.pipeline, since: monotonicNow()) }
        idle.append(index)
    }

    /// Sends what is due as far as there are connections free.
    private func sendDue(_ now: Instant) throws(Failure) {
        guard var pace, !isEnding else { return }
        let due = pace.due(at: now)
        while pace.sent < due, left > 0, let index = idle.popLast() {
            let count = min(load.pipeline, Int(due - pace.sent), left)
            let since = pace.time(of: pace.sent)
            pace.sent += UInt64(count)
            self.pace = pace
            try sendBatch(index, count, since: since)
        }
    }

    /// Sends the next batch of a client that waits for nothing.
    private func sendBatch(_ index: Int, _ wanted: Int, since start: Instant) throws(Failure) {
        check(clients[index].pending == 0, "a client sends a batch when the last one is answered")
        let count = min(wanted, left)
        if isEnding || count == 0 { return }
        if left != Int.max { left -= count }
        maker.append(count, to: clients[index].output)
        clients[index].pending = count
        clients[index].startedAt = start.nanoseconds
        busy += 1
        try flush(index)
    }

    private func flush(_ index: Int) throws(Failure) {
        let output = clients[index].output
        while !output.isEmpty {
            let sent = send(clients[index].descriptor, output.view.start, output.count, Int32(MSG_NOSIGNAL))
            if sent > 0 {
                output.consume(sent)
            } else if errno == EAGAIN {
                if !clients[index].isBlocked {
                    clients[index].isBlocked = true
                    _ = watch(index, coracle_epollin() | coracle_epollout(), EPOLL_CTL_MOD)
                }
                return
            } else if errno != EINTR {
                throw .system("lost a connection to \(clients[index].address)")
            }
        }
        if clients[index].isBlocked {
            clients[index].isBlocked = false
            _ = watch(index, coracle_epollin(), EPOLL_CTL_MOD)
        }
    }

    private func receive(_ index: Int) throws(Failure) {
        let client = clients + index
        let input = client.pointee.input
        let room = input.reserve(16 << 10)
        let received = recv(client.pointee.descriptor, room.baseAddress, room.count, 0)
        if received < 0 && (errno == EAGAIN || errno == EINTR) { return }
        if received < 0 { throw .system("lost a connection to \(client.pointee.address)") }
        if received == 0 { throw Failure("\(client.pointee.address) closed a connection") }
        input.commit(received)
        let latency = monotonicNow().nanoseconds - client.pointee.startedAt
        var position = 0
        let view = input.view
        scanning: while true {
            switch client.pointee.scanner.next(in: view.dropFirst(position)) {
            case .reply(let consumed, let isError):
                if client.pointee.pending == 0 { throw Failure("\(client.pointee.address) replies without being asked") }
                client.pointee.pending -= 1
                if isError { note(view.slice(position, consumed)) }
                position += consumed
                if !isEnding {
                    result.requests += 1
                    result.latencies.record(latency)
                }
            case .incomplete(let consumed):
                position += consumed
                break scanning
            case .failure(let error): throw Failure("\(client.pointee.address): \(error.text)")
            }
        }
        input.consume(position)
        if client.pointee.pending == 0 {
            busy -= 1
            try goOn(index)
        }
    }

    private func note(_ reply: ByteView) {
        result.errors += 1
        if result.firstError.isEmpty {
            result.firstError = String(reply.text.dropFirst().prefix { $0 != "\r\n" && $0 != "\r" && $0 != "\n" })
        }
    }
}
