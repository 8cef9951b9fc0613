import Base
import CLinux
import Glibc

/// A host and a port as an operator writes them: `127.0.0.1:7001`, `node-2.internal:7101`, `[::1]:7001`.
package struct HostAndPort: Hashable, Sendable, CustomStringConvertible {
    /// A name or a numeric address, without brackets.
    package var host: String
    package var port: UInt16

    /// Splits `text`.
    ///
    /// - Throws: `address` when there is no host, or no port in 0 ... 65535.
    package init(_ text: String) throws(PosixError) {
        guard let colon = text.lastIndex(of: ":") else { throw .address(text: text, reason: "it has no port") }
        let portText = text[text.index(after: colon)...]
        guard portText.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let port = UInt16(portText) else {
            throw .address(text: text, reason: "its port is not a number from 0 to 65535")
        }
        var host = text[..<colon]
        if host.hasPrefix("[") && host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw .address(text: text, reason: "an IPv6 address stands in brackets")
        }
        if host.isEmpty { throw .address(text: text, reason: "it has no host") }
        if host.utf8.count > 255 { throw .address(text: text, reason: "its host is longer than 255 bytes") }
        self.host = String(host)
        self.port = port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// An address of a socket, IPv4 or IPv6.
package struct SocketAddress: Sendable {
    var storage: sockaddr_storage
    var length: socklen_t

    init(storage: sockaddr_storage, length: socklen_t) {
        check(Int(length) <= MemoryLayout<sockaddr_storage>.size, "an address fits its storage")
        self.storage = storage
        self.length = length
    }

    /// AF_INET or AF_INET6.
    var family: Int32 { Int32(storage.ss_family) }

    /// The port; 0 for families that have none.
    package var port: UInt16 {
        withUnsafeBytes(of: storage) { bytes in
            switch family {
            case AF_INET: UInt16(bigEndian: bytes.load(as: sockaddr_in.self).sin_port)
            case AF_INET6: UInt16(bigEndian: bytes.load(as: sockaddr_in6.self).sin6_port)
            default: 0
            }
        }
    }

    /// Resolves an address. With `numericOnly` it never asks a name server and never blocks.
    ///
    /// - Throws: `address` with the resolver's reason.
    package static func resolve(_ address: HostAndPort, numericOnly: Bool) throws(PosixError) -> SocketAddress {
        var hints = addrinfo()
        hints.ai_socktype = coracle_sock_stream()
        hints.ai_flags = AI_NUMERICSERV | (numericOnly ? AI_NUMERICHOST : 0)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(address.host, String(address.port), &hints, &list)
        defer { if list != nil { freeaddrinfo(list) } }
        guard code == 0, let first = list?.pointee, let raw = first.ai_addr else {
            throw .address(
                text: address.description, reason: code == 0 ? "it has no address" : String(cString: gai_strerror(code)))
        }
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { target in
            target.copyMemory(from: UnsafeRawBufferPointer(start: raw, count: min(Int(first.ai_addrlen), target.count)))
        }
        return SocketAddress(storage: storage, length: first.ai_addrlen)
    }

    /// Address and port as text: `127.0.0.1:7001`, `[::1]:7001`.
    package var text: String {
        var hostBytes = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var portBytes = [CChar](repeating: 0, count: 32)
        let code = withRaw { raw, length in
            getnameinfo(raw, length, &hostBytes, socklen_t(hostBytes.count), &portBytes, 32, NI_NUMERICHOST | NI_NUMERICSERV)
        }
        if code != 0 { return "unknown" }
        func text(_ bytes: [CChar]) -> String {
            String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        let host = text(hostBytes)
        return host.contains(":") ? "[\(host)]:\(text(portBytes))" : "\(host):\(text(portBytes))"
    }

    /// Calls `body` with the address in the form that system calls take.
    func withRaw<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    /// The address that a system call such as `accept4` or `getsockname` fills in; nil when it fails.
    static func filled(by call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32) -> (
        Int32, SocketAddress
    ) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, &length) }
        }
        let shown = min(length, socklen_t(MemoryLayout<sockaddr_storage>.size))
        return (result, SocketAddress(storage: storage, length: shown))
    }

    /// The address that `descriptor` is bound to.
    static func local(of descriptor: Int32) -> SocketAddress { filled { getsockname(descriptor, $0, $1) }.1 }
}
