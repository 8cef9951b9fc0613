import Base
import Foundation
import Glibc
import Node
import Storage
import Testing

@testable import Posix

/// What a test's own machinery can fail with.
enum TestError: Error { case timedOut(String), system(Int32) }

/// A directory that goes away with its owner.
final class TemporaryDirectory {
    let path: String
    init() throws {
        var template = Array("\(FileManager.default.temporaryDirectory.path)/coracle-posix-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TestError.system(errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func put(_ name: String, _ content: Data = Data()) {
        #expect(FileManager.default.createFile(atPath: "\(path)/\(name)", contents: content))
    }
    func files() -> [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
    func bytes(_ name: String) -> [UInt8] { FileManager.default.contents(atPath: "\(path)/\(name)").map { [UInt8]($0) } ?? [] }
}

/// Stands in for a node: echoes what clients send, remembers what happened, and does more when a test says so.
final class EchoHandler: TurnHandler {
    var events: [String] = []
    var clientOutputs: [UInt64: ByteBuffer] = [:]
    var linkOutputs: [UInt64: ByteBuffer] = [:]
    var echoes = true
    /// Bytes got from each client in the turn that runs, and the most that came in one turn.
    var turnBytes: [UInt64: Int] = [:]
    var turnBytesMost = 0
    var bytesFromClient: [UInt64: Int] = [:]
    /// What the next turn is to do besides.
    var wishes: [(inout NodeEffects) -> Void] = []
    var diskFinished: [UInt64] = []
    var exitsOnShutdown = true
    var wantsTurns = false

    func handle(_ event: NodeEvent, now: Now, into effects: inout NodeEffects) {
        switch event {
        case .clientOpened(let connection, _, _):
            clientOutputs[connection.rawValue] = ByteBuffer()
            events.append("opened \(connection.rawValue)")
        case .clientBytes(let connection, let bytes):
            turnBytes[connection.rawValue, default: 0] += bytes.count
            bytesFromClient[connection.rawValue, default: 0] += bytes.count
            turnBytesMost = max(turnBytesMost, turnBytes[connection.rawValue, default: 0])
            if echoes { send(connection.rawValue, bytes.array, &effects) }
        case .clientInputEnded(let connection): effects.closeClients.append((connection, afterOutput: true))
        case .clientClosed(let connection):
            clientOutputs[connection.rawValue] = nil
            events.append("closed \(connection.rawValue)")
        case .peerDialled(let link, let node):
            linkOutputs[link.rawValue] = ByteBuffer()
            events.append("dialled \(node)")
        case .peerDialFailed(let node, let reason): events.append("dial failed \(node): \(reason)")
        case .peerAccepted(let link, _):
            linkOutputs[link.rawValue] = ByteBuffer()
            events.append("accepted \(link.rawValue)")
        case .peerBytes(let link, let bytes): events.append("peer \(link.rawValue) says \(bytes.text)")
        case .peerClosed(let link):
            linkOutputs[link.rawValue] = nil
            events.append("link closed \(link.rawValue)")
        case .diskCompleted(let number): diskFinished.append(number)
        case .diskRefused(let number, let reason): events.append("refused \(number): \(reason)")
        case .diskRead(let number, let bytes):
            diskFinished.append(number)
            events.append("read \(bytes.count)")
        case .turnEnded:
            turnBytes.removeAll(keepingCapacity: true)
            let wishes = wishes
            self.wishes = []
            for wish in wishes { wish(&effects) }
        case .shutdownRequested:
            events.append("shutdown")
            if exitsOnShutdown { effects.exit = 0 }
        }
    }

    func send(_ connection: UInt64, _ bytes: [UInt8], _ effects: inout NodeEffects) {
        guard let buffer = clientOutputs[connection] else { return }
        buffer.append(bytes)
        effects.clientOutput.append(ConnectionID(connection))
    }

    /// Turns come often, so that a test can look at its condition.
    var nextDeadline: Instant { wantsTurns ? Instant(nanoseconds: 0) : SystemClock.instant() + .milliseconds(5) }
    func output(of connection: ConnectionID) -> ByteBuffer? { clientOutputs[connection.rawValue] }
    func output(of link: PeerLinkID) -> ByteBuffer? { linkOutputs[link.rawValue] }

    func closes(of connection: UInt64) -> Int { events.filter { $0 == "closed \(connection)" }.count }
}

/// A server on ports of its own, turned by the test: no thread, no waiting but in the loop itself.
final class Harness {
    let handler = EchoHandler()
    let server: Server<EpollBackend, EchoHandler>
    let statistics = DriverStatistics()
    let disk: DiskQueue
    let directory: TemporaryDirectory
    let clientPort: UInt16
    let peerPort: UInt16

    init(
        options: ServerOptions = ServerOptions(), backend: EpollBackend.Options = EpollBackend.Options(),
        mode: DiskMode = .inline, signals: SignalInbox? = nil
    ) throws {
        directory = try TemporaryDirectory()
        let data = try DataDirectory(path: directory.path)
        disk = try DiskQueue(
            directory: data, mode: mode, probe: DiskProbe.Result(typical: .microseconds(100), isDirect: true),
            statistics: statistics)
        let network = try EpollBackend(options: backend, statistics: statistics)
        server = try Server(
            options: options, backend: network, handler: handler, disk: disk, signals: signals,
            logger: Logger(level: .error, node: "test"), statistics: statistics)
        let any = try SocketAddress.resolve(HostAndPort("127.0.0.1:0"), numericOnly: true)
        let clients = try BoundSocket(any)
        let peers = try BoundSocket(any)
        clientPort = clients.address.port
        peerPort = peers.address.port
        try server.listenForClients(on: clients)
        try server.listenForPeers(on: peers)
    }

    deinit { disk.stop() }

    /// Turns the server until `condition` holds.
    func turn(until what: String, _ condition: () throws -> Bool) throws {
        let limit = SystemClock.instant() + .milliseconds(20_000)
        while try !condition() {
            if SystemClock.instant() > limit { throw TestError.timedOut(what) }
            try server.turn()
        }
    }

    func turns(_ count: Int) throws { for _ in 0..<count { try server.turn() } }

    /// Has the next turn do something.
    func wish(_ wish: @escaping (inout NodeEffects) -> Void) { handler.wishes.append(wish) }
}

/// A client's end of a connection; nothing it does blocks.
final class TestClient {
    let descriptor: Int32
    var received: [UInt8] = []
    var hasEnded = false
    /// errno of the last receive that failed.
    var error: Int32 = 0

    init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        let address = try SocketAddress.resolve(HostAndPort("127.0.0.1:\(port)"), numericOnly: true)
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        if address.withRaw({ connect(descriptor, $0, $1) }) != 0 { throw TestError.system(errno) }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit { close(descriptor) }

    /// Sends what the kernel takes; how many bytes that was.
    @discardableResult
    func send(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes { max(0, Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))) }
    }
    @discardableResult
    func send(_ text: String) -> Int { send(Array(text.utf8)[...]) }

    /// Takes all that is there.
    func receive() {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count > 0 {
                received += chunk[..<count]
                continue
            }
            if count == 0 { hasEnded = true }
            if count < 0 && errno != EAGAIN {
                hasEnded = true
                error = errno
            }
            return
        }
    }

    var text: String {
        receive()
        return String(decoding: received, as: UTF8.self)
    }

    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes with a reset instead of an orderly end.
    func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}

/// Gives the calling process mounts of its own and mounts a file system there; false where that is not allowed.
func mountInOwnNamespace(_ type: String, at path: String, options: String? = nil) -> Bool {
    typealias Unshare = @convention(c) (Int32) -> Int32
    typealias Mount =
        @convention(c) (
            UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafePointer<CChar>?, UInt, UnsafePointer<CChar>?
        ) -> Int32
    guard let unshareSymbol = dlsym(nil, "unshare"), let mountSymbol = dlsym(nil, "mount") else { return false }
    let unshare = unsafeBitCast(unshareSymbol, to: Unshare.self)
    let mount = unsafeBitCast(mountSymbol, to: Mount.self)
    let (newMounts, recursive, isPrivate): (Int32, UInt, UInt) = (0x0002_0000, 1 << 14, 1 << 18)
    if unshare(newMounts) != 0 || mount("none", "/", nil, recursive | isPrivate, nil) != 0 { return false }
    return mount("none", path, type, 0, options) == 0
}
