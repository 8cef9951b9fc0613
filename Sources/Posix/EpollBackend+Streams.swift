import Base
import CLinux
import Glibc

/// Reading, writing and closing.
extension EpollBackend {
    /// Reads what the kernel has, up to the connection's share of a turn.
    func read<Sink: NetworkSink>(_ index: Int, sink: Sink) {
        check(slots[index].role == .open && slots[index].isReading, "only an open connection that wants bytes is read")
        let socket = id(index)
        slots[index].turn = turn
        var total = 0
        while true {
            let count = recv(slots[index].descriptor, readBuffer, options.readBytes, 0)
            statistics.reads += 1
            if count > 0 {
                total += count
                statistics.bytesRead += UInt64(count)
                sink.received(socket, ByteView(start: readBuffer, count: count))
                if count < options.readBytes {
                    // The end is taken up in the next turn, when the replies to these bytes have left.
                    if self.index(of: socket) != nil && slots[index].isEnding { resume(index) }
                    return
                }
                if self.index(of: socket) == nil || slots[index].role != .open { return }
                if !slots[index].isReading { return }
                if total >= options.turnBytesMax {
                    resume(index)
                    return
                }
                continue
            }
            if count == 0 {
                slots[index].isReading = false
                if !sink.inputEnded(socket) { end(index, reason: nil, sink: sink) }
                return
            }
            let code = coracle_errno()
            if code == EAGAIN { return }
            if code == EINTR { continue }
            end(index, reason: errorText(code), sink: sink)
            return
        }
    }

    /// Closes a connection that ended by itself and reports it.
    func end<Sink: NetworkSink>(_ index: Int, reason: String?, sink: Sink) {
        let socket = id(index)
        release(index)
        sink.ended(socket, reason: reason)
    }

    package func send(_ socket: SocketID, from buffer: ByteBuffer) -> SendOutcome {
        guard let index = index(of: socket), slots[index].role == .open else { return .broken(reason: "not connected") }
        // A socket that was full gets an edge when it has room; trying before is a wasted call.
        if slots[index].isBlocked { return .blocked }
        while !buffer.isEmpty {
            let view = buffer.view
            let count = Glibc.send(slots[index].descriptor, view.start, view.count, coracle_msg_nosignal())
            statistics.writes += 1
            if count >= 0 {
                statistics.bytesWritten += UInt64(count)
                buffer.consume(count)
                if count == view.count { break }
                // A short write means that the socket's buffer is full; room makes an edge (epoll(7)).
                statistics.shortWrites += 1
                slots[index].isBlocked = true
                return .blocked
            }
            let code = coracle_errno()
            if code == EINTR { continue }
            if code == EAGAIN {
                slots[index].isBlocked = true
                return .blocked
            }
            release(index)
            return .broken(reason: errorText(code))
        }
        return .sent
    }

    package func setReading(_ socket: SocketID, enabled: Bool) {
        guard let index = index(of: socket), slots[index].role == .open, slots[index].isReading != enabled else { return }
        slots[index].isReading = enabled
        if enabled {
            // Edges may have been passed over meanwhile.
            resume(index)
        }
    }

    package func close(_ socket: SocketID) {
        if let index = index(of: socket) { release(index) }
    }

    package func closeGracefully(_ socket: SocketID, deadline: Instant) {
        guard let index = index(of: socket) else { return }
        if slots[index].role != .open || shutdown(slots[index].descriptor, coracle_shut_wr()) != 0 {
            release(index)
            return
        }
        slots[index].role = .closing
        setDeadline(index, deadline)
        discard(index)
    }

    /// Reads and forgets; closes when the other end has closed.
    func discard(_ index: Int) {
        check(slots[index].role == .closing, "only a closing connection's bytes are thrown away")
        // Bounded: an end that goes on sending is cut off at the deadline, without being read for ever.
        for _ in 0..<4 {
            let count = recv(slots[index].descriptor, readBuffer, options.readBytes, 0)
            statistics.reads += 1
            if count > 0 { continue }
            if count < 0 && coracle_errno() == EAGAIN { return }
            if count < 0 && coracle_errno() == EINTR { continue }
            release(index)
            return
        }
    }

    /// Why a socket broke, in words; nil when it simply ended.
    func socketError(_ descriptor: Int32) -> String? {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        if getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) != 0 || code == 0 { return nil }
        return errorText(code)
    }
}
