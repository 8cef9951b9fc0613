import Base
import CLinux
import Glibc
import RESP

/// The monotonic clock, in nanoseconds.
func monotonicNow() -> Instant {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
}

/// Milliseconds from now to `deadline` for `poll`: at least 0, -1 for never, rounded up.
func pollTimeout(until deadline: Instant) -> Int32 {
    if deadline == .never { return -1 }
    let left = (deadline - monotonicNow()).rawValue
    return Int32(clamping: (left + 999_999) / 1_000_000)
}

/// Opens a socket and connects it, non-blocking from then on.
///
/// - Throws: a failure that names the address and the reason: refused, timed out, unknown host.
func connectSocket(to address: Address, deadline: Instant) throws(Failure) -> Int32 {
    var reason = "no address"
    let found = try address.resolve { (info: UnsafeMutablePointer<addrinfo>) -> Int32? in
        let entry = info.pointee
        let descriptor = socket(entry.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if descriptor < 0 {
            reason = errorText(errno)
            return nil
        }
        var code: Int32 = 0
        if connect(descriptor, entry.ai_addr, entry.ai_addrlen) != 0 {
            code = errno
            if code == EINPROGRESS {
                var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                let ready = poll(&poller, 1, pollTimeout(until: deadline))
                code = ready > 0 ? 0 : ETIMEDOUT
                var size = socklen_t(MemoryLayout<Int32>.size)
                if ready > 0 { getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) }
            }
        }
        if code != 0 {
            reason = errorText(code).lowercased()
            close(descriptor)
            return nil
        }
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        return descriptor
    }
    guard let found else { throw Failure("can't connect to \(address): \(reason)") }
    return found
}

/// A connection to a Redis server that asks one thing after another and waits for the answers.
final class Connection {
    /// Who is asked.
    let address: Address
    /// Ends every wait when one has come.
    var stop: StopSignals?
    private let descriptor: Int32
    private let input = ByteBuffer(capacity: 16 << 10)
    private let output = ByteBuffer(capacity: 4 << 10)
    private var parser = ReplyParser()

    /// Connects within `timeout`.
    init(to address: Address, timeout: Nanoseconds = .milliseconds(2000)) throws(Failure) {
        self.address = address
        descriptor = try connectSocket(to: address, deadline: monotonicNow() + timeout)
    }

    deinit { close(descriptor) }

    /// Sends a command and waits for its reply until `deadline`.
    func ask(_ words: [String], deadline: Instant = .never) throws(Failure) -> Reply {
        try send(words, deadline: deadline)
        return try reply(deadline: deadline)
    }

    /// Sends a command.
    func send(_ words: [String], deadline: Instant = .never) throws(Failure) {
        CommandWriter(output).command(words)
        try send(output, deadline: deadline)
    }

    /// Sends commands that are written already; the buffer is empty afterwards.
    func send(_ commands: ByteBuffer, deadline: Instant = .never) throws(Failure) {
        while !commands.isEmpty {
            let sent = Glibc.send(descriptor, commands.view.start, commands.count, Int32(MSG_NOSIGNAL))
            if sent > 0 {
                commands.consume(sent)
            } else if errno == EAGAIN {
                try wait(for: Int16(POLLOUT), deadline)
            } else if errno != EINTR {
                throw .system("lost the connection to \(address)")
            }
        }
    }

    /// Waits for the next reply.
    func reply(deadline: Instant = .never) throws(Failure) -> Reply {
        while true {
            switch parser.next(in: input.view) {
            case .reply(let reply, let consumed):
                input.consume(consumed)
                return reply
            case .failure(let error): throw Failure("\(address): \(error.text)")
            case .incomplete(let consumed, let need):
                input.consume(consumed)
                try read(need - input.count, deadline)
            }
        }
    }

    private func read(_ count: Int, _ deadline: Instant) throws(Failure) {
        let room = input.reserve(max(16 << 10, min(count, 1 << 20)))
        while true {
            let received = recv(descriptor, room.baseAddress, room.count, 0)
            if received > 0 { return input.commit(received) }
            if received == 0 { throw Failure("\(address) closed the connection") }
            if errno == EAGAIN {
                try wait(for: Int16(POLLIN), deadline)
            } else if errno != EINTR {
                throw .system("lost the connection to \(address)")
            }
        }
    }

    private func wait(for events: Int16, _ deadline: Instant) throws(Failure) {
        while true {
            var poller = pollfd(fd: descriptor, events: events, revents: 0)
            // Signals that are blocked do not end a wait.
            let until = stop == nil ? deadline : min(deadline, monotonicNow() + .milliseconds(50))
            let ready = poll(&poller, 1, pollTimeout(until: until))
            if ready < 0 && errno != EINTR { throw .system("can't wait for \(address)") }
            if ready != 0 { return }
            try stop?.check()
            if monotonicNow() >= deadline { throw Failure("\(address) does not answer") }
        }
    }
}
