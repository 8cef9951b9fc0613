import Base
import CLinux
import Glibc

/// TCP sockets as the server makes them.
enum StreamSocket {
    /// A non-blocking socket with the options of `prepare`; negative, with errno, when there is none.
    static func make(family: Int32) -> Int32 {
        let descriptor = socket(family, coracle_sock_stream() | coracle_socket_flags(), 0)
        if descriptor >= 0 { prepare(descriptor) }
        return descriptor
    }

    /// No delay for small writes (whole turns are sent), and keepalive, so that a machine that vanished is noticed: probed
    /// after 300 s of silence, as Redis's `tcp-keepalive`, three times at 100 s.
    private static func prepare(_ descriptor: Int32) {
        let tcp = coracle_ipproto_tcp()
        setOption(descriptor, tcp, TCP_NODELAY, 1)
        setOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        setOption(descriptor, tcp, TCP_KEEPIDLE, 300)
        setOption(descriptor, tcp, TCP_KEEPINTVL, 100)
        setOption(descriptor, tcp, TCP_KEEPCNT, 3)
    }

    /// Sets an option; all of ours only improve a connection, so one that is refused is done without.
    static func setOption(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        _ = setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}

/// A socket that has its address and does not listen yet. Bound before recovery, so that a port in use is found at once;
/// listened on after it, so that nobody waits for a node that can't answer.
package final class BoundSocket {
    /// The address with the port that was bound (for port 0).
    package let address: SocketAddress
    private var descriptor: Int32

    /// Binds.
    ///
    /// - Throws: `listen`.
    package init(_ address: SocketAddress) throws(PosixError) {
        // What is accepted takes a listener's options over (Linux copies the socket).
        let descriptor = StreamSocket.make(family: address.family)
        if descriptor < 0 { throw .listen(address: address.text, code: coracle_errno()) }
        StreamSocket.setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        // An IPv6 listener is for IPv6 alone, whatever the machine's default is.
        if address.family == AF_INET6 { StreamSocket.setOption(descriptor, coracle_ipproto_ipv6(), IPV6_V6ONLY, 1) }
        if address.withRaw({ bind(descriptor, $0, $1) }) != 0 {
            let code = coracle_errno()
            close(descriptor)
            throw .listen(address: address.text, code: code)
        }
        self.descriptor = descriptor
        self.address = SocketAddress.local(of: descriptor)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Listens and hands the descriptor over.
    ///
    /// - Throws: `listen`.
    func listen(backlog: Int32) throws(PosixError) -> Int32 {
        check(descriptor >= 0, "a bound socket is listened on once")
        if Glibc.listen(descriptor, backlog) != 0 { throw .listen(address: address.text, code: coracle_errno()) }
        defer { descriptor = -1 }
        return descriptor
    }
}
