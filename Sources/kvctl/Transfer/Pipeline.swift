import Base
import RESP

/// Commands on their way to a server, in bounded number: replies are taken while later commands are sent.
final class Pipeline<Tag> {
    /// Where the next command is written; call `written` after each.
    let writer: CommandWriter
    private let connection: Connection
    private let pending = ByteBuffer(capacity: 256 << 10)
    private var waiting = RingBuffer<(tag: Tag, bytes: Int)>()
    private var waitingBytes = 0
    /// Bytes of `pending` that are counted in `waitingBytes`.
    private var countedBytes = 0
    private let handle: (Tag, Reply) -> Void

    /// Bytes that are gathered before they are sent.
    private static var sendBytes: Int { 64 << 10 }
    /// Commands and bytes that may wait for replies.
    private static var commandsMax: Int { 1024 }
    private static var bytesMax: Int { 16 << 20 }

    /// - Parameter handle: gets every reply, in order.
    init(_ connection: Connection, handle: @escaping (Tag, Reply) -> Void) {
        self.connection = connection
        self.handle = handle
        writer = CommandWriter(pending)
    }

    /// Counts the command that was just written, and sends and receives as the bounds demand.
    func written(_ tag: Tag) throws(Failure) {
        let bytes = pending.count - countedBytes
        countedBytes = pending.count
        waiting.append((tag, bytes))
        waitingBytes += bytes
        if pending.count >= Pipeline.sendBytes { try send() }
        if waiting.count < Pipeline.commandsMax && waitingBytes < Pipeline.bytesMax { return }
        try send()
        while waiting.count > Pipeline.commandsMax / 2 || waitingBytes > Pipeline.bytesMax / 2 { try receive() }
    }

    /// Waits until everything is answered.
    func drain() throws(Failure) {
        try send()
        while !waiting.isEmpty { try receive() }
    }

    /// Sends the one command that was just written, with nothing else on its way, and returns its reply.
    func ask() throws(Failure) -> Reply {
        check(waiting.isEmpty, "a single question is asked when everything before it is answered")
        try send()
        return try connection.reply(deadline: monotonicNow() + Pipeline.patience)
    }

    private func send() throws(Failure) {
        try connection.send(pending)
        countedBytes = 0
    }

    private func receive() throws(Failure) {
        let reply = try connection.reply(deadline: monotonicNow() + Pipeline.patience)
        guard let (tag, bytes) = waiting.popFirst() else { throw Failure("\(connection.address) answers without being asked") }
        waitingBytes -= bytes
        handle(tag, reply)
    }

    /// How long a reply may take: longer than an election and the commit of the largest command.
    private static var patience: Nanoseconds { .milliseconds(60_000) }
}
