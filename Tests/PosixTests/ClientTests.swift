import Base
import Glibc
import Node
import Testing

@testable import Posix

/// Client connections through the whole loop, on real sockets.
@Suite struct ClientTests {
    @Test func everyConnectionGetsItsBytesBackInOrder() throws {
        let harness = try Harness()
        let clients = try (0..<200).map { _ in try TestClient(port: harness.clientPort) }
        var expected = [String](repeating: "", count: clients.count)
        for round in 0..<20 {
            for (number, client) in clients.enumerated() where (number + round) % 3 != 0 {
                let text = "<\(number):\(round)>"
                client.send(text)
                expected[number] += text
            }
            try harness.turns(1)
        }
        try harness.turn(until: "all is echoed") { zip(clients, expected).allSatisfy { $0.text == $1 } }
        #expect(harness.statistics.accepts == 200)
        #expect(harness.statistics.turns == harness.statistics.waits)
    }

    @Test func allReadableConnectionsAreReadInOneTurnWithOneReadEach() throws {
        let harness = try Harness()
        let clients = try (0..<100).map { _ in try TestClient(port: harness.clientPort) }
        try harness.turn(until: "all are accepted") { harness.handler.clientOutputs.count == 100 }
        try harness.turns(2)
        let before = (harness.statistics.reads, harness.statistics.writes)
        for client in clients { client.send("x") }
        try harness.turns(1)
        #expect(harness.statistics.reads - before.0 == 100)
        #expect(harness.statistics.writes - before.1 == 100)
        for client in clients { #expect(client.text == "x") }
    }

    @Test func outputThatDoesNotFitWaitsAndOthersAreServed() throws {
        let harness = try Harness()
        let slow = try TestClient(port: harness.clientPort, receiveBuffer: 4096)
        let other = try TestClient(port: harness.clientPort)
        try harness.turn(until: "both are accepted") { harness.handler.clientOutputs.count == 2 }
        let large = (0..<(16 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        harness.wish { harness.handler.send(1, large, &$0) }
        try harness.turn(until: "the socket is full") { harness.statistics.shortWrites > 0 }
        let writes = harness.statistics.writes
        other.send("hello")
        try harness.turn(until: "the other one is served") { other.text == "hello" }
        try harness.turns(5)
        // Nothing is tried on a full socket: the one write was the other client's.
        #expect(harness.statistics.writes == writes + 1)
        try harness.turn(until: "the slow one has all") {
            slow.receive()
            return slow.received.count == large.count
        }
        #expect(slow.received == large)
    }

    @Test func aClientThatNeverReadsIsDroppedAfterTheLingerTime() throws {
        var options = ServerOptions()
        options.lingerTime = .milliseconds(30)
        let harness = try Harness(options: options)
        let client = try TestClient(port: harness.clientPort, receiveBuffer: 4096)
        try harness.turn(until: "it is accepted") { harness.handler.clientOutputs.count == 1 }
        harness.wish { harness.handler.send(1, [UInt8](repeating: 7, count: 16 << 20), &$0) }
        harness.wish { $0.closeClients.append((ConnectionID(1), afterOutput: true)) }
        try harness.turn(until: "it is closed") { harness.handler.closes(of: 1) == 1 }
        try harness.turns(5)
        #expect(harness.handler.closes(of: 1) == 1)
        #expect(harness.server.clients.isEmpty && harness.server.closing.isEmpty)
        #expect(client.descriptor >= 0)
    }

    @Test func repliesLeaveBeforeAnOrderlyCloseAlthoughTheClientStillSends() throws {
        let harness = try Harness()
        let client = try TestClient(port: harness.clientPort)
        client.send("QUIT")
        try harness.turn(until: "it is read") { harness.handler.bytesFromClient[1] == 4 }
        // Unread input would make a plain close reset the connection and throw the reply away.
        client.send(String(repeating: "x", count: 100_000))
        harness.handler.echoes = false
        harness.wish { effects in
            harness.handler.send(1, Array("goodbye".utf8), &effects)
            effects.closeClients.append((ConnectionID(1), afterOutput: true))
        }
        try harness.turn(until: "the client sees the end") {
            client.receive()
            return client.hasEnded
        }
        #expect(client.text == "QUITgoodbye")
        #expect(client.error == 0)
        try harness.turn(until: "the node knows") { harness.handler.closes(of: 1) == 1 }
    }

    @Test func aHalfClosedClientGetsTheRepliesOfWhatItSent() throws {
        let harness = try Harness()
        let client = try TestClient(port: harness.clientPort)
        client.send("last words")
        client.endSending()
        try harness.turn(until: "the server closes") {
            client.receive()
            return client.hasEnded
        }
        #expect(client.text == "last words")
        try harness.turn(until: "the node knows") { harness.handler.closes(of: 1) == 1 }
    }

    @Test func aResetConnectionIsClosedOnce() throws {
        let harness = try Harness()
        do {
            let client = try TestClient(port: harness.clientPort)
            client.send("x")
            try harness.turn(until: "it is served") { client.text == "x" }
            client.resetOnClose()
        }
        try harness.turn(until: "the node knows") { harness.handler.closes(of: 1) == 1 }
        try harness.turns(3)
        #expect(harness.handler.closes(of: 1) == 1)
    }

    @Test func aPausedClientIsReadToItsEndWhenItResumes() throws {
        let harness = try Harness()
        harness.handler.echoes = false
        let client = try TestClient(port: harness.clientPort)
        try harness.turn(until: "it is accepted") { harness.handler.clientOutputs.count == 1 }
        harness.wish { $0.reading.append((ConnectionID(1), enabled: false)) }
        try harness.turns(2)
        let before = harness.handler.bytesFromClient[1] ?? 0
        client.send("abc")
        client.endSending()
        try harness.turns(5)
        #expect(harness.handler.bytesFromClient[1] ?? 0 == before)
        #expect(harness.handler.closes(of: 1) == 0)
        harness.wish { $0.reading.append((ConnectionID(1), enabled: true)) }
        try harness.turn(until: "the end is seen") { harness.handler.closes(of: 1) == 1 }
        #expect(harness.handler.bytesFromClient[1] == 3)
    }

    @Test func aPausedClientThatIsResetIsClosed() throws {
        let harness = try Harness()
        do {
            let client = try TestClient(port: harness.clientPort)
            try harness.turn(until: "it is accepted") { harness.handler.clientOutputs.count == 1 }
            harness.wish { $0.reading.append((ConnectionID(1), enabled: false)) }
            try harness.turns(2)
            client.resetOnClose()
        }
        try harness.turn(until: "the node knows") { harness.handler.closes(of: 1) == 1 }
    }

    @Test func aConnectionHasItsShareOfATurnAndNoMore() throws {
        var backend = EpollBackend.Options()
        backend.readBytes = 8192
        backend.turnBytesMax = 32_768
        let harness = try Harness(backend: backend)
        harness.handler.echoes = false
        let flood = try TestClient(port: harness.clientPort)
        let other = try TestClient(port: harness.clientPort)
        try harness.turn(until: "both are accepted") { harness.handler.clientOutputs.count == 2 }
        let chunk = [UInt8](repeating: 1, count: 1 << 20)
        var sent = 0
        try harness.turn(until: "the flood is taken") {
            sent += flood.send(chunk[..<min(chunk.count, (8 << 20) - sent)])
            other.send("x")
            return sent == 8 << 20 && harness.handler.bytesFromClient[1] == sent
        }
        #expect(harness.handler.turnBytesMost >= 8192)
        #expect(harness.handler.turnBytesMost <= backend.turnBytesMax)
        #expect(harness.handler.bytesFromClient[2] ?? 0 > 0)
    }

    @Test func aClientAboveTheLimitIsToldSoAndAPlaceThatIsFreeIsGiven() throws {
        var options = ServerOptions()
        options.clientsMax = 3
        let harness = try Harness(options: options)
        var clients = try (0..<3).map { _ in try TestClient(port: harness.clientPort) }
        try harness.turn(until: "three are in") { harness.handler.clientOutputs.count == 3 }
        let refused = try TestClient(port: harness.clientPort)
        try harness.turn(until: "the fourth is refused") {
            refused.receive()
            return refused.hasEnded
        }
        #expect(refused.text == "-ERR max number of clients reached\r\n")
        #expect(harness.statistics.refusedConnections == 1)
        clients.removeLast()
        try harness.turn(until: "one has left") { harness.handler.clientOutputs.count == 2 }
        let next = try TestClient(port: harness.clientPort)
        next.send("in")
        try harness.turn(until: "the next is served") { next.text == "in" }
    }

    @Test func withoutDescriptorsAConnectionIsRefusedAndTheLoopRests() async {
        await #expect(processExitsWith: .success) {
            let harness = try Harness()
            let first = try TestClient(port: harness.clientPort)
            try harness.turn(until: "one is in") { harness.handler.clientOutputs.count == 1 }
            // Connected before the descriptors run out; the handshake is the kernel's.
            let waiting = try (0..<3).map { _ in try TestClient(port: harness.clientPort) }
            var taken: [Int32] = []
            while true {
                let descriptor = dup(first.descriptor)
                if descriptor < 0 { break }
                taken.append(descriptor)
            }
            try harness.turn(until: "all are refused") {
                waiting.allSatisfy {
                    $0.receive()
                    return $0.hasEnded
                }
            }
            for client in waiting { guard client.text == "-ERR max number of clients reached\r\n" else { exit(2) } }
            let errors = harness.statistics.acceptErrors
            try harness.turns(10)
            guard harness.statistics.acceptErrors == errors else { exit(3) }
            first.send("still here")
            try harness.turn(until: "the first is served") { first.text == "still here" }
            for descriptor in taken { close(descriptor) }
            let late = try TestClient(port: harness.clientPort)
            late.send("x")
            try harness.turn(until: "there is room again") { late.text == "x" }
        }
    }

    @Test func withoutDescriptorsOrReserveTheListenerRestsAndComesBack() async {
        await #expect(processExitsWith: .success) {
            var backend = EpollBackend.Options()
            backend.acceptRest = .milliseconds(3_600_000)
            let harness = try Harness(backend: backend)
            close(harness.server.backend.reserve)
            harness.server.backend.reserve = -1
            let client = try TestClient(port: harness.clientPort)
            var taken: [Int32] = []
            while true {
                let descriptor = dup(client.descriptor)
                if descriptor < 0 { break }
                taken.append(descriptor)
            }
            try harness.turn(until: "it fails") { harness.statistics.acceptErrors > 0 }
            let turns = harness.statistics.turns
            let errors = harness.statistics.acceptErrors
            try harness.turns(3)
            // It does not ask again at once: the waiting connection makes no further event.
            guard harness.statistics.acceptErrors == errors, harness.statistics.turns == turns + 3 else { exit(2) }
            for descriptor in taken { close(descriptor) }
            // The rest is over.
            for index in harness.server.backend.slots.indices where harness.server.backend.slots[index].role == .listener {
                harness.server.backend.setDeadline(index, SystemClock.instant())
            }
            client.send("x")
            try harness.turn(until: "it is served") { client.text == "x" }
        }
    }

    @Test func manyConnectionsComeAndGo() throws {
        let harness = try Harness()
        for _ in 0..<20 {
            // A round begins when the server has seen the last one leave, however late that is.
            try harness.turn(until: "all have left") { harness.handler.clientOutputs.isEmpty }
            let clients = try (0..<50).map { _ in try TestClient(port: harness.clientPort) }
            for client in clients { client.send("abc") }
            try harness.turn(until: "all are served") { clients.allSatisfy { $0.text == "abc" } }
        }
        try harness.turn(until: "all have left") { harness.handler.clientOutputs.isEmpty }
        #expect(harness.server.clients.isEmpty)
        // Places are used again.
        #expect(harness.server.backend.slots.count < 110)
        #expect(harness.handler.events.filter { $0.hasPrefix("closed") }.count == 1000)
    }

    @Test func aHandlerThatAlwaysWantsATurnIsSlowedDown() throws {
        let harness = try Harness()
        harness.handler.wantsTurns = true
        try harness.turns(harness.server.options.emptyTurnsMax + 1)
        let before = SystemClock.instant()
        try harness.turns(5)
        // Not an upper bound, so no matter how busy the machine is.
        #expect(SystemClock.instant() - before >= .milliseconds(5))
        let client = try TestClient(port: harness.clientPort)
        client.send("x")
        try harness.turn(until: "clients are served all the same") { client.text == "x" }
    }
}
