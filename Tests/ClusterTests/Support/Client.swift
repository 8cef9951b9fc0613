import Base
import Glibc
import RESP

/// Why a client got no reply.
enum ClientError: Error, Equatable, CustomStringConvertible {
    /// The connection was not made: nothing was sent.
    case notConnected(String)
    /// The server ended the connection in order.
    case closed
    /// The connection broke.
    case broken(String)
    /// No reply in time.
    case timedOut
    /// What came is not RESP.
    case malformed(String)

    var description: String {
        switch self {
        case .notConnected(let reason): "not connected: \(reason)"
        case .closed: "the server closed the connection"
        case .broken(let reason): "the connection broke: \(reason)"
        case .timedOut: "no reply in time"
        case .malformed(let reason): reason
        }
    }
}

/// A blocking RESP client with deadlines.
final class Client {
    let descriptor: Int32
    /// How long a reply may take.
    var timeout: Duration
    private var parser = ReplyParser()
    private let input = ByteBuffer(capacity: 1 << 16)
    private let output = ByteBuffer()

    init(port: UInt16, timeout: Duration = .seconds(20), receiveBufferBytes: Int32? = nil) throws(ClientError) {
        self.timeout = timeout
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if descriptor < 0 { throw .notConnected(String(cString: strerror(errno))) }
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        if var bytes = receiveBufferBytes {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        if withLoopback(port, { connect(descriptor, $0, $1) }) != 0 {
            // The object is whole already: its deinit closes the socket. (Closed twice, it would be somebody else's the second time.)
            throw .notConnected(String(cString: strerror(errno)))
        }
    }

    deinit { close(descriptor) }

    /// Sends a command and takes its reply.
    func call(_ words: String...) throws(ClientError) -> Reply { try call(words) }

    /// Sends a command and takes its reply.
    func call(_ words: [String]) throws(ClientError) -> Reply {
        try send([words])
        return try receive()
    }

    /// Sends commands at once and takes their replies.
    func pipeline(_ commands: [[String]]) throws(ClientError) -> [Reply] {
        try send(commands)
        var replies: [Reply] = []
        for _ in commands { replies.append(try receive()) }
        return replies
    }

    /// Sends commands without taking replies.
    func send(_ commands: [[String]]) throws(ClientError) {
        let writer = CommandWriter(output)
        for command in commands { writer.command(command) }
        defer { output.removeAll() }
        try send(output.view)
    }

    /// Sends any bytes.
    func send(text: String) throws(ClientError) { try send(bytes: Array(text.utf8)) }

    /// Sends any bytes.
    func send(bytes: [UInt8]) throws(ClientError) {
        let copy = ByteBuffer(capacity: max(16, bytes.count))
        copy.append(bytes)
        try send(copy.view)
    }

    private func send(_ bytes: ByteView) throws(ClientError) {
        let deadline = ContinuousClock.now + timeout
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.send(
                descriptor, rest.start, rest.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN || errno == EINTR {
                try waitFor(POLLOUT, deadline)
            } else {
                throw .broken(String(cString: strerror(errno)))
            }
        }
    }

    /// Takes the next reply.
    func receive() throws(ClientError) -> Reply {
        let deadline = ContinuousClock.now + timeout
        while true {
            switch parser.next(in: input.view) {
            case .reply(let reply, let consumed):
                input.consume(consumed)
                return reply
            case .incomplete(let consumed, let need):
                input.consume(consumed)
                while input.count < need { try receiveMore(deadline) }
            case .failure(let error): throw .malformed(error.text)
            }
        }
    }

    private func receiveMore(_ deadline: ContinuousClock.Instant) throws(ClientError) {
        while true {
            let room = input.reserve(1 << 16)
            let count = recv(descriptor, room.baseAddress, room.count, Int32(MSG_DONTWAIT))
            if count > 0 { return input.commit(count) }
            if count == 0 { throw .closed }
            if errno != EAGAIN && errno != EINTR { throw .broken(String(cString: strerror(errno))) }
            try waitFor(POLLIN, deadline)
        }
    }

    private func waitFor(_ events: Int32, _ deadline: ContinuousClock.Instant) throws(ClientError) {
        let rest = (deadline - ContinuousClock.now).milliseconds
        if rest <= 0 { throw .timedOut }
        var request = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        _ = poll(&request, 1, Int32(min(rest + 1, 60_000)))
    }

    /// Waits until the server has ended the connection, and throws away what comes before; how it ended.
    func waitForEnd() throws -> ClientError {
        let deadline = ContinuousClock.now + timeout
        while true {
            input.removeAll()
            do throws(ClientError) { try receiveMore(deadline) } catch {
                if error == .timedOut { throw TestFailure("the server did not close the connection within \(timeout)") }
                return error
            }
        }
    }

    /// Says that nothing more will be sent.
    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Whether bytes or an end can be taken without waiting.
    var isReadable: Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return !input.isEmpty || poll(&request, 1, 0) == 1
    }
}

extension Reply {
    /// The number of an integer reply.
    var integer: Int? { if case .integer(let value) = self { Int(value) } else { nil } }
    static let ok = Reply.simple(Array("OK".utf8))
    /// A bulk string from a text.
    static func text(_ text: String) -> Reply { .bulk(Array(text.utf8)) }
    /// An error from its text.
    static func failure(_ text: String) -> Reply { .error(Array(text.utf8)) }
}
