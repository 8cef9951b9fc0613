import Base
import CLinux
import Glibc

/// Listening, accepting and dialling.
extension EpollBackend {
    private var streamBits: UInt32 { coracle_epollin() | coracle_epollout() | coracle_epollrdhup() | coracle_epollet() }

    package func listen(on socket: BoundSocket, purpose: SocketPurpose) throws(PosixError) {
        let descriptor = try socket.listen(backlog: options.backlog)
        // Level-triggered: what a turn does not accept is announced again.
        _ = try add(descriptor, role: .listener, purpose: purpose, bits: coracle_epollin())
    }

    package func watch(_ descriptor: Int32, purpose: SocketPurpose) throws(PosixError) {
        // Edge-triggered: every signal is an edge, so the counter need not be read.
        _ = try add(descriptor, role: .notifier, purpose: purpose, bits: coracle_epollin() | coracle_epollet())
    }

    /// Accepts what waits, up to a turn's share.
    func accept<Sink: NetworkSink>(_ index: Int, sink: Sink) {
        check(slots[index].role == .listener, "only listeners accept")
        if slots[index].deadline != .never { return }
        let purpose = slots[index].purpose
        for _ in 0..<options.acceptsMax {
            let listener = slots[index].descriptor
            let (descriptor, address) = SocketAddress.filled {
                accept4(listener, $0, $1, coracle_socket_flags())
            }
            if descriptor >= 0 {
                admit(descriptor, address: address, purpose: purpose, sink: sink)
                continue
            }
            switch coracle_errno() {
            case EAGAIN: return
            // The connection went away before it was accepted, or a network error of its own (accept(2)).
            case EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH:
                continue
            case EMFILE, ENFILE:
                if !refuseWithReserve(listener, purpose: purpose, sink: sink) {
                    rest(index)
                    return
                }
            default:
                statistics.acceptErrors += 1
                rest(index)
                return
            }
        }
    }

    /// Takes a connection in, or refuses it with the owner's words.
    private func admit<Sink: NetworkSink>(
        _ descriptor: Int32, address: SocketAddress, purpose: SocketPurpose, sink: Sink
    ) {
        if let words = sink.refusal(on: purpose, outOfDescriptors: false) {
            refuse(descriptor, words)
            sink.refused(on: purpose, outOfDescriptors: false)
            return
        }
        do throws(PosixError) {
            let socket = try add(descriptor, role: .open, purpose: purpose, bits: streamBits)
            statistics.accepts += 1
            sink.accepted(socket, on: purpose, address: address, local: SocketAddress.local(of: descriptor))
        } catch {
            statistics.acceptErrors += 1
            sink.refused(on: purpose, outOfDescriptors: true)
        }
    }

    /// No descriptor is left: gives up the reserve to tell the next connection so. False when even that can't be done.
    private func refuseWithReserve<Sink: NetworkSink>(_ listener: Int32, purpose: SocketPurpose, sink: Sink) -> Bool {
        statistics.acceptErrors += 1
        if reserve < 0 { return false }
        Glibc.close(reserve)
        let descriptor = accept4(listener, nil, nil, coracle_socket_flags())
        if descriptor >= 0 { refuse(descriptor, sink.refusal(on: purpose, outOfDescriptors: true) ?? "") }
        reserve = open("/dev/null", O_RDONLY | O_CLOEXEC)
        if descriptor >= 0 { sink.refused(on: purpose, outOfDescriptors: true) }
        return descriptor >= 0 && reserve >= 0
    }

    private func refuse(_ descriptor: Int32, _ words: StaticString) {
        // Best effort: a connection that takes no byte just sees its end.
        _ = Glibc.send(descriptor, words.utf8Start, words.utf8CodeUnitCount, coracle_msg_nosignal())
        Glibc.close(descriptor)
    }

    /// Lets a listener rest: the kernel is short of something, and asking again at once would only spin.
    private func rest(_ index: Int) {
        setListening(index, false)
        setDeadline(index, SystemClock.instant() + options.acceptRest)
    }

    private func setListening(_ index: Int, _ isEnabled: Bool) {
        var event = epoll_event()
        event.events = isEnabled ? coracle_epollin() : 0
        event.data.u64 = id(index).packed
        let result = epoll_ctl(epoll, EPOLL_CTL_MOD, slots[index].descriptor, &event)
        check(result == 0, "a registered listener can be changed")
    }

    /// Wakes a listener whose rest is over.
    func endRest(_ index: Int) { setListening(index, true) }

    package func dial(_ address: SocketAddress, deadline: Instant) throws(PosixError) -> SocketID {
        let descriptor = StreamSocket.make(family: address.family)
        if descriptor < 0 { throw .system(operation: "make a socket", code: coracle_errno()) }
        let result = address.withRaw { Glibc.connect(descriptor, $0, $1) }
        if result != 0 && coracle_errno() != EINPROGRESS && coracle_errno() != EINTR {
            let code = coracle_errno()
            Glibc.close(descriptor)
            throw .system(operation: "connect to \(address.text)", code: code)
        }
        // A connection that is open already gets its edge from the registration.
        let socket = try add(descriptor, role: .dialling, purpose: SocketPurpose(0), bits: streamBits)
        if let index = index(of: socket) { setDeadline(index, deadline) }
        return socket
    }

    /// The kernel has an answer for a dialled socket.
    func finishDialling<Sink: NetworkSink>(_ index: Int, sink: Sink) {
        check(slots[index].role == .dialling, "only a dialled socket is finished")
        let descriptor = slots[index].descriptor
        if let reason = socketError(descriptor) {
            end(index, reason: reason, sink: sink)
            return
        }
        // No error and no peer: the event came too early.
        let (result, other) = SocketAddress.filled { getpeername(descriptor, $0, $1) }
        if result != 0 { return }
        // TCP connects a socket to itself when it dials a port of its own machine that nobody listens on and the kernel
        // happens to give it that same port (RFC 9293, simultaneous open).
        if SocketAddress.local(of: descriptor).text == other.text {
            end(index, reason: "nobody listens there", sink: sink)
            return
        }
        slots[index].role = .open
        slots[index].deadline = .never
        sink.connected(id(index))
        // Bytes may have come with the same edge.
        if slots[index].role == .open { resume(index) }
    }
}
