import Glibc
import Synchronization

/// Free ports of the loopback interface, reserved for as long as the object lives.
///
/// A port that is merely free now may be taken by a test run beside this one, so each is held by the name of a socket that the
/// kernel keeps unique and gives up with the process. The range lies below the one from which the kernel takes the ports of
/// outgoing connections.
final class Ports: Sendable {
    let numbers: [UInt16]
    private let locks: [Int32]
    private static let range: ClosedRange<UInt16> = 7600...7699
    /// Where to look first. Going round keeps a port at rest for as long as possible.
    private static let next = Atomic<Int>(Int(getpid()) * 7)

    init(_ count: Int) throws {
        var numbers: [UInt16] = []
        var locks: [Int32] = []
        for _ in 0..<Ports.range.count where numbers.count < count {
            let (start, _) = Ports.next.wrappingAdd(1, ordering: .relaxed)
            let port = Ports.range.lowerBound + UInt16(start % Ports.range.count)
            guard let lock = Ports.lock(port) else { continue }
            if Ports.isFree(port) {
                numbers.append(port)
                locks.append(lock)
            } else {
                close(lock)
            }
        }
        self.numbers = numbers
        self.locks = locks
        if numbers.count < count { throw TestFailure("no \(count) ports of \(Ports.range) are free") }
    }

    /// Ports one behind the other.
    static func inARow(_ count: Int) throws -> Ports {
        // Tries lie side by side, because each begins where the one before ended.
        for _ in 0..<20 {
            let found = try Ports(count)
            if found.numbers.last == found.numbers[0] + UInt16(count) - 1 { return found }
        }
        throw TestFailure("no \(count) ports in a row are free")
    }

    deinit { for lock in locks { close(lock) } }

    /// Takes the name that stands for a port; nil when another test run has it.
    private static func lock(_ port: UInt16) -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // A zero first makes it a name that no file stands for.
        let name = [0] + Array("coracle-test-port-\(port)".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        if result == 0 { return descriptor }
        close(descriptor)
        return nil
    }

    private static func isFree(_ port: UInt16) -> Bool {
        guard let listener = try? listen(on: port) else { return false }
        close(listener)
        return true
    }

    /// A socket that listens on a port of the loopback interface. The caller closes it.
    static func listen(on port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let bound = withLoopback(port) { bind(descriptor, $0, $1) }
        if bound == 0 && Glibc.listen(descriptor, 8) == 0 { return descriptor }
        let failure = TestFailure.system("listen on port \(port)")
        close(descriptor)
        throw failure
    }
}

/// Calls `body` with the address of a port on the loopback interface.
func withLoopback<Result>(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
}
