import Base
import Glibc
import Node
import Testing

@testable import Posix

/// Dialling and accepting peers.
@Suite struct PeerTests {
    func options(_ address: String) throws -> ServerOptions {
        var options = ServerOptions()
        options.peers = [NodeID(2): try HostAndPort(address)]
        return options
    }

    func dial(_ harness: Harness) { harness.wish { $0.dial.append(NodeID(2)) } }

    @Test func aDialledPeerIsConnectedAndBytesGoBothWays() throws {
        let there = try Harness()
        let here = try Harness(options: options("127.0.0.1:\(there.peerPort)"))
        dial(here)
        try here.turn(until: "it is open") { here.handler.events == ["dialled 2"] }
        here.wish { effects in
            here.handler.linkOutputs[1]?.append("hello")
            effects.peerOutput.append(PeerLinkID(1))
        }
        try here.turns(2)
        try there.turn(until: "it arrives") { there.handler.events == ["accepted 1", "peer 1 says hello"] }
        there.wish { effects in
            there.handler.linkOutputs[1]?.append("welcome")
            effects.peerOutput.append(PeerLinkID(1))
            effects.closePeers.append(PeerLinkID(1))
        }
        try there.turn(until: "it is closed") { there.handler.events.last == "link closed 1" }
        try here.turn(until: "all is seen") { here.handler.events == ["dialled 2", "peer 1 says welcome", "link closed 1"] }
    }

    @Test func aNameIsResolvedBesideTheLoop() throws {
        let there = try Harness()
        let here = try Harness(options: options("localhost:\(there.peerPort)"))
        dial(here)
        try here.turn(until: "it is open") { here.handler.events == ["dialled 2"] }
        #expect(here.server.dialler.resolver != nil)
        here.server.dialler.resolver?.stop()
    }

    @Test func aRefusedDialSaysWhy() throws {
        // A port that was just free.
        let port = try Harness().peerPort
        let here = try Harness(options: options("127.0.0.1:\(port)"))
        dial(here)
        try here.turn(until: "it fails") { here.handler.events == ["dial failed 2: Connection refused"] }
        // And it can be tried again.
        dial(here)
        try here.turn(until: "it fails again") { here.handler.events.count == 2 }
        #expect(here.statistics.dials == 2 && here.statistics.dialFailures == 2)
    }

    @Test func aDialThatNobodyAnswersEnds() throws {
        // A listener whose queue is full: the kernel drops what comes next.
        let deaf = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(deaf) }
        let any = try SocketAddress.resolve(HostAndPort("127.0.0.1:0"), numericOnly: true)
        #expect(any.withRaw { bind(deaf, $0, $1) } == 0 && listen(deaf, 0) == 0)
        let address = SocketAddress.local(of: deaf)
        var fillers: [Int32] = []
        defer { for filler in fillers { close(filler) } }
        for _ in 0..<4 {
            let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            _ = address.withRaw { connect(filler, $0, $1) }
            fillers.append(filler)
        }
        var options = try options(address.text)
        options.dialTime = .milliseconds(50)
        let here = try Harness(options: options)
        dial(here)
        try here.turn(until: "it is given up") { here.handler.events == ["dial failed 2: no answer in time"] }
    }

    @Test func aNameThatDoesNotExistFailsWithinTheTime() throws {
        var options = try options("no-such-host.invalid:7101")
        options.dialTime = .milliseconds(100)
        let here = try Harness(options: options)
        dial(here)
        try here.turn(until: "it fails") { here.handler.events.first?.hasPrefix("dial failed 2:") == true }
        try here.turns(5)
        #expect(here.handler.events.count == 1)
    }

    @Test func aNodeWithoutAddressIsNotDialled() throws {
        let here = try Harness()
        dial(here)
        try here.turn(until: "it fails") { here.handler.events == ["dial failed 2: no address of node 2 is known"] }
    }

    @Test func thePeerPortHasALimit() throws {
        var options = ServerOptions()
        options.peersMax = 2
        let harness = try Harness(options: options)
        let peers = try (0..<3).map { _ in try TestClient(port: harness.peerPort) }
        try harness.turn(until: "the third is refused") {
            peers[2].receive()
            return peers[2].hasEnded
        }
        #expect(harness.handler.events == ["accepted 1", "accepted 2"])
        #expect(peers[2].text.isEmpty)
    }

    @Test func acceptedConnectionsTakeTheListenersOptionsOver() throws {
        let harness = try Harness()
        let client = try TestClient(port: harness.clientPort)
        client.send("x")
        try harness.turn(until: "it is served") { client.text == "x" }
        let slot = harness.server.backend.slots.first { $0.role == .open }
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        #expect(getsockopt(slot?.descriptor ?? -1, Int32(IPPROTO_TCP), TCP_NODELAY, &value, &length) == 0 && value != 0)
        #expect(getsockopt(slot?.descriptor ?? -1, SOL_SOCKET, SO_KEEPALIVE, &value, &length) == 0 && value != 0)
        #expect(getsockopt(slot?.descriptor ?? -1, Int32(IPPROTO_TCP), TCP_KEEPIDLE, &value, &length) == 0 && value == 300)
    }
}
