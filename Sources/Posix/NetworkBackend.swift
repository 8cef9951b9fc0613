import Base

/// A socket of a back end. The generation tells a socket from an earlier one in the same place.
package struct SocketID: Hashable, Sendable {
    let index: UInt32
    let generation: UInt32

    /// Both in one word, as the kernel hands it back.
    var packed: UInt64 { UInt64(generation) << 32 | UInt64(index) }

    init(index: Int, generation: UInt32) {
        self.index = UInt32(index)
        self.generation = generation
    }

    init(packed: UInt64) {
        index = UInt32(truncatingIfNeeded: packed)
        generation = UInt32(truncatingIfNeeded: packed >> 32)
    }
}

/// What a listener or a notification descriptor is for; the owner's own number.
package struct SocketPurpose: Hashable, Sendable {
    package let rawValue: UInt32
    package init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

/// What became of a send.
package enum SendOutcome: Equatable {
    /// Everything left.
    case sent
    /// The socket is full. What is left stays in the buffer; `NetworkSink.writable` follows when there is room.
    case blocked
    /// The connection is broken. The socket is closed and its id is not used any more; no `ended` follows.
    case broken(reason: String)
}

/// What a back end reports while `NetworkBackend.wait` runs. Views are valid during the call.
package protocol NetworkSink: AnyObject {
    /// The wait is over and reports follow: the time to read the clock.
    func woke()
    /// Nil when a connection to the listener is welcome; otherwise the words to tell it before it is closed (possibly none).
    /// With `outOfDescriptors` it can't be taken in, and only the words are asked for.
    func refusal(on purpose: SocketPurpose, outOfDescriptors: Bool) -> StaticString?
    /// A connection came in. `address` is the other end, `local` this one.
    func accepted(_ socket: SocketID, on purpose: SocketPurpose, address: SocketAddress, local: SocketAddress)
    /// A connection was refused, because of `refusal` or because descriptors ran out.
    func refused(on purpose: SocketPurpose, outOfDescriptors: Bool)
    /// A dialled connection is open.
    func connected(_ socket: SocketID)
    /// Bytes of a connection, in order.
    func received(_ socket: SocketID, _ bytes: ByteView)
    /// The other end sends nothing more. True keeps the connection for what is still to be sent to it; with false it is closed,
    /// and `ended` follows.
    func inputEnded(_ socket: SocketID) -> Bool
    /// A socket that was `blocked` has room again.
    func writable(_ socket: SocketID)
    /// A connection ended, or dialling failed: the other end closed it (nil) or the reason in words. The id is not used any more.
    func ended(_ socket: SocketID, reason: String?)
    /// A watched descriptor was signalled.
    func notified(_ purpose: SocketPurpose)
}

/// Sockets as the server needs them, in terms that suit readiness (epoll) and completion (io_uring) alike: the back end reads
/// by itself and reports bytes; it sends on request, from a buffer that the caller owns.
///
/// Used as a generic parameter, never as an existential: the loop is specialised for its back end.
package protocol NetworkBackend: AnyObject {
    /// Begins to accept on a bound socket and takes it over.
    ///
    /// - Throws: `listen`, `system`.
    func listen(on socket: BoundSocket, purpose: SocketPurpose) throws(PosixError)
    /// Reports `notified` whenever the eventfd or signalfd `descriptor` is signalled. The back end does not own it.
    func watch(_ descriptor: Int32, purpose: SocketPurpose) throws(PosixError)
    /// Begins to connect; `connected` or `ended` follows, at `deadline` at the latest.
    ///
    /// - Throws: `system` when it can't even begin.
    func dial(_ address: SocketAddress, deadline: Instant) throws(PosixError) -> SocketID
    /// Sends what is in `buffer` and consumes what the kernel took.
    func send(_ socket: SocketID, from buffer: ByteBuffer) -> SendOutcome
    /// Stops or resumes reading from a connection.
    func setReading(_ socket: SocketID, enabled: Bool)
    /// Closes at once; what the kernel has not sent yet may be lost. No `ended` follows.
    func close(_ socket: SocketID)
    /// Ends the sending side, then reads and forgets until the other end closes too, until `deadline` at the latest: so what
    /// was sent arrives even when the other end was still sending. Nothing more is reported.
    func closeGracefully(_ socket: SocketID, deadline: Instant)
    /// Waits until something happens, `deadline` at the latest (not at all when it has passed), and reports all of it.
    ///
    /// - Returns: whether anything happened.
    func wait<Sink: NetworkSink>(until deadline: Instant, now: Instant, sink: Sink) throws(PosixError) -> Bool
}
