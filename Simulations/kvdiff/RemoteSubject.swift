import Base
import Differential
import Glibc
import RESP

/// Servers that are spoken to over sockets: a redis-server, one node, or all nodes of a cluster in turn.
final class RemoteSubject: Subject {
    private let connections: [Connection]
    private let isPeer: Bool
    /// Whose turn it is.
    private var turn = 0
    /// For each node, what it is called in messages.
    private var names: [String] { connections.map(\.name) }

    /// Connects.
    ///
    /// - Parameters:
    ///   - isPeer: whether it is Redis.
    init(_ addresses: [Address], isPeer: Bool) throws(SubjectError) {
        var made: [Connection] = []
        for address in addresses { made.append(try Connection(address)) }
        connections = made
        self.isPeer = isPeer
    }

    func begin(_ sequence: CommandSequence) throws(SubjectError) {
        turn = 0
        for connection in connections {
            let hello = Step("hello \(sequence.isVersionThree ? 3 : 2)")
            let replies = try connection.run([hello, Step("select 0")])
            if replies[1] != Array("+OK\r\n".utf8) {
                throw SubjectError("\(connection.name) refuses SELECT: \(replies[1].literal)")
            }
        }
        var words = ["config", "set"]
        for (name, value) in sequence.forms.parameters(isPeer: isPeer) { words += [name, "\(value)"] }
        let replies = try connections[0].run([Step("flushall"), Step(words.map { Word($0.utf8) })])
        for reply in replies where reply != Array("+OK\r\n".utf8) {
            throw SubjectError("\(names[0]) can't be prepared: \(reply.literal)")
        }
    }

    func run(_ steps: [Step]) throws(SubjectError) -> [[UInt8]] {
        if connections.count == 1 { return try connections[0].run(steps) }
        var replies: [[UInt8]] = []
        for step in steps {
            // The database is the connection's, so every connection is told.
            if step.name == "select" {
                var reply: [UInt8] = []
                for connection in connections { reply = try connection.run([step])[0] }
                replies.append(reply)
                continue
            }
            turn = (turn + 1) % connections.count
            replies.append(try connections[turn].run([step])[0])
        }
        return replies
    }

    func pause() throws(SubjectError) {
        usleep(5000)
        // A write carries the log's time past the deadlines.
        if !isPeer { _ = try connections[0].run([Step("del kvdiff-pause")]) }
    }

    /// What DEBUG DIGEST answers on each node, with the node's name.
    func digests() throws(SubjectError) -> [(name: String, digest: String)] {
        var found: [(name: String, digest: String)] = []
        for connection in connections {
            found.append((connection.name, try connection.run([Step("debug digest")])[0].literal))
        }
        return found
    }

    /// Whether every server takes a write and a read.
    func isReady() -> Bool {
        for connection in connections {
            guard let replies = try? connection.run([Step("set kvdiff-ready 1"), Step("get kvdiff-ready")]) else { return false }
            if replies[0] != Array("+OK\r\n".utf8) || replies[1] != Array("$1\r\n1\r\n".utf8) { return false }
        }
        return true
    }
}

/// Where a server listens.
struct Address: Equatable, Sendable {
    var host = "127.0.0.1"
    var port: UInt16

    init(port: UInt16) { self.port = port }

    /// "HOST:PORT" with a numeric host, or a port alone.
    init?(_ text: String) {
        let parts = text.split(separator: ":")
        guard let last = parts.last, let port = UInt16(last), parts.count <= 2 else { return nil }
        if parts.count == 2 { host = parts[0] == "localhost" ? "127.0.0.1" : String(parts[0]) }
        self.port = port
    }

    var text: String { "\(host):\(port)" }
}

/// A connection that sends commands together and returns their replies byte for byte.
final class Connection {
    let name: String
    private let descriptor: Int32
    private let input = ByteBuffer(capacity: 1 << 16)
    private let output = ByteBuffer(capacity: 1 << 16)
    private var scanner = ReplyScanner()
    /// How long a server may say nothing: long, for a machine may be stopped for a while.
    private static let silenceMilliseconds: Int32 = 1_800_000

    init(_ address: Address) throws(SubjectError) {
        name = address.text
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = address.port.bigEndian
        guard inet_pton(AF_INET, address.host, &place.sin_addr) == 1 else {
            throw SubjectError("\(address.host) is no IPv4 address")
        }
        let result = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 { throw SubjectError("can't connect to \(address.text): \(String(cString: strerror(errno)))") }
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(descriptor) }

    /// Sends commands and takes their replies.
    func run(_ steps: [Step]) throws(SubjectError) -> [[UInt8]] {
        let writer = CommandWriter(output)
        for step in steps { writer.command(step.words) }
        var replies: [[UInt8]] = []
        replies.reserveCapacity(steps.count)
        var reply: [UInt8] = []
        while true {
            try take(&reply, &replies, upTo: steps.count)
            if replies.count == steps.count { return replies }
            try exchange()
        }
    }

    /// Takes whole replies out of the input.
    private func take(_ reply: inout [UInt8], _ replies: inout [[UInt8]], upTo count: Int) throws(SubjectError) {
        while replies.count < count {
            switch scanner.next(in: input.view) {
            case .reply(let consumed, _):
                reply += input.view.slice(0, consumed).array
                input.consume(consumed)
                replies.append(reply)
                reply = []
            case .incomplete(let consumed):
                reply += input.view.slice(0, consumed).array
                input.consume(consumed)
                return
            case .failure(let error): throw SubjectError("\(name): \(error.text)")
            }
        }
    }

    /// Sends what can be sent and takes what has come; waits for one of them.
    private func exchange() throws(SubjectError) {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN | (output.isEmpty ? 0 : POLLOUT)), revents: 0)
        let ready = poll(&request, 1, Connection.silenceMilliseconds)
        if ready == 0 { throw SubjectError("\(name) does not answer") }
        if !output.isEmpty, request.revents & Int16(POLLOUT) != 0 {
            let sent = send(descriptor, output.view.start, output.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            if sent > 0 { output.consume(sent) }
        }
        if request.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 {
            let room = input.reserve(1 << 16)
            let received = recv(descriptor, room.baseAddress, room.count, Int32(MSG_DONTWAIT))
            if received > 0 { return input.commit(received) }
            if received == 0 || (errno != EAGAIN && errno != EINTR) { throw SubjectError("\(name) closed the connection") }
        }
    }
}
