import ArgumentParsing
import CLinux
import Glibc

/// A host and a port: "127.0.0.1:7001", "localhost:7001", "[::1]:7001", or a port of this machine alone.
package struct Address: Equatable, Hashable, Sendable, Codable, ArgumentValue, CustomStringConvertible {
    package var host: String
    package var port: UInt16

    package init(host: String = "127.0.0.1", port: UInt16) {
        self.host = host
        self.port = port
    }

    package init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":") else {
            guard let port = UInt16(argument), port > 0 else { return nil }
            self.init(port: port)
            return
        }
        var host = argument[..<colon]
        if host.hasPrefix("[") && host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard let port = UInt16(argument[argument.index(after: colon)...]), port > 0 else { return nil }
        self.init(host: host.isEmpty ? "127.0.0.1" : String(host), port: port)
    }

    package static var expectation: String { "HOST:PORT" }
    package var argumentText: String { description }
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let address = Address(argument: text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not HOST:PORT: \(text)"))
        }
        self = address
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// Calls `body` with each socket address that the name stands for until it returns a value.
    func resolve<Result>(passive: Bool = false, _ body: (UnsafeMutablePointer<addrinfo>) -> Result?) throws(Failure) -> Result? {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { throw Failure("can't find the address of '\(host)': \(String(cString: gai_strerror(code)))") }
        defer { freeaddrinfo(list) }
        var entry = list
        while let current = entry {
            if let result = body(current) { return result }
            entry = current.pointee.ai_next
        }
        return nil
    }
}
