import Base
import Differential
import Glibc
import RESP

/// Servers that are spoken to over sockets: a redis-server, one node, or all nodes of a cluster in turn.
///
/// A cluster gets the commands in runs of random length, each to another node. The next run goes out when all replies of the one
/// before are there, so the order of all commands is known, and every run must see what was written through the other nodes.
final class RemoteSubject: Subject {
    private let connections: [Connection]
    private let isPeer: Bool
    /// How long a pause is: a server that removes in the background what is due must come round to it.
    var pauseMicroseconds: UInt32 = 3000
    /// Whose turn it is, and how long a run is.
    private var random = RandomGenerator(seed: 0)
    private var turn = 0
    /// The database that the sequence has selected; connections follow when they are used.
    private var database = 0
    /// The sizes of small forms that are set.
    private var forms: SmallForms?
    private static let runMax = 20

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
        random = RandomGenerator(seed: UInt64(sequence.number))
        turn = 0
        database = 0
        for connection in connections { try connection.speak(version: sequence.isVersionThree ? 3 : 2) }
        var steps = [Step("flushall")]
        if forms != sequence.forms {
            var words = ["config", "set"]
            for (name, value) in sequence.forms.parameters(isPeer: isPeer) { words += [name, "\(value)"] }
            steps.append(Step(words.map { Word($0.utf8) }))
        }
        forms = nil
        for reply in try connections[0].run(steps, in: 0) where reply != Array("+OK\r\n".utf8) {
            throw SubjectError("\(connections[0].name) can't be prepared: \(reply.literal)")
        }
        forms = sequence.forms
    }

    func run(_ steps: [Step]) throws(SubjectError) -> [[UInt8]] {
        var replies: [[UInt8]] = []
        replies.reserveCapacity(steps.count)
        while replies.count < steps.count {
            var end = steps.count
            if connections.count > 1 {
                end = min(end, replies.count + 1 + random.index(below: RemoteSubject.runMax))
                turn = (turn + 1 + random.index(below: connections.count - 1)) % connections.count
            }
            let part = Array(steps[replies.count..<end])
            replies += try connections[turn].run(part, in: database)
            database = connections[turn].database
        }
        return replies
    }

    func pause() throws(SubjectError) {
        usleep(pauseMicroseconds)
        // A write carries the log's time past the deadlines.
        if !isPeer { _ = try connections[0].run([Step("del kvdiff-pause")], in: database) }
    }

    /// What DEBUG DIGEST answers on each node, with the node's name.
    func digests() throws(SubjectError) -> [(name: String, digest: String)] {
        for connection in connections { try connection.begin([Step("debug digest")], in: database) }
        var found: [(name: String, digest: String)] = []
        for connection in connections { found.append((connection.name, try connection.finish()[0].literal)) }
        return found
    }

    /// Whether every server takes a write and a read.
    func isReady() -> Bool {
        for connection in connections {
            let steps = [Step("set kvdiff-ready 1"), Step("get kvdiff-ready")]
            guard let replies = try? connection.run(steps, in: 0) else { return false }
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
    /// The database that is selected.
    private(set) var database = 0
    private var version = 2
    private let descriptor: Int32
    private let input = ByteBuffer(capacity: 1 << 16)
    private let output = ByteBuffer(capacity: 1 << 16)
    private var scanner = ReplyScanner()
    /// Commands whose replies are not here, and how many of the first are of no interest to the caller.
    private var pending: [Step] = []
    private var ownCommands = 0
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

    /// Asks for a version of the protocol.
    func speak(version wanted: Int) throws(SubjectError) {
        if version == wanted { return }
        let reply = try run([Step("hello \(wanted)")], in: database)[0]
        if reply.first == UInt8(ascii: "-") { throw SubjectError("\(name) refuses HELLO: \(reply.literal)") }
        version = wanted
    }

    /// Sends commands that are carried out in a database, and takes their replies.
    func run(_ steps: [Step], in database: Int) throws(SubjectError) -> [[UInt8]] {
        try begin(steps, in: database)
        return try finish()
    }

    /// Sends commands that are carried out in a database.
    func begin(_ steps: [Step], in wanted: Int) throws(SubjectError) {
        check(pending.isEmpty, "a connection has one run of commands at a time")
        ownCommands = database == wanted ? 0 : 1
        pending = (ownCommands == 0 ? [] : [Step("select \(wanted)")]) + steps
        let writer = CommandWriter(output)
        for step in pending { writer.command(step.words) }
        try flush()
    }

    /// Takes the replies of the commands that were sent.
    func finish() throws(SubjectError) -> [[UInt8]] {
        var replies: [[UInt8]] = []
        replies.reserveCapacity(pending.count)
        var reply: [UInt8] = []
        while true {
            try take(&reply, &replies, upTo: pending.count)
            if replies.count == pending.count { break }
            try exchange()
        }
        for (step, reply) in zip(pending, replies) where step.name == "select" && reply == Array("+OK\r\n".utf8) {
            database = step.words[1].withView { parseInteger($0) }.map { Int($0) } ?? database
        }
        pending = []
        return Array(replies[ownCommands...])
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

    /// Sends what can be sent without waiting.
    private func flush() throws(SubjectError) {
        if output.isEmpty { return }
        let sent = send(descriptor, output.view.start, output.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        if sent > 0 { return output.consume(sent) }
        if errno != EAGAIN && errno != EINTR { throw SubjectError("\(name) closed the connection") }
    }

    /// Sends what can be sent and takes what has come; waits for one of them.
    private func exchange() throws(SubjectError) {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN | (output.isEmpty ? 0 : POLLOUT)), revents: 0)
        let ready = poll(&request, 1, Connection.silenceMilliseconds)
        if ready == 0 { throw SubjectError("\(name) does not answer") }
        if request.revents & Int16(POLLOUT) != 0 { try flush() }
        if request.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 {
            let room = input.reserve(1 << 16)
            let received = recv(descriptor, room.baseAddress, room.count, Int32(MSG_DONTWAIT))
            if received > 0 { return input.commit(received) }
            if received == 0 || (errno != EAGAIN && errno != EINTR) { throw SubjectError("\(name) closed the connection") }
        }
    }
}
