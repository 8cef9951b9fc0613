import Base
import Glibc
import Node
import Synchronization
import Testing

@testable import Posix

@Suite struct PartsTests {
    @Test func addressesAreReadAndWritten() throws {
        for (text, host, port) in [
            ("127.0.0.1:7001", "127.0.0.1", 7001), ("[::1]:80", "::1", 80), ("node-2.internal:0", "node-2.internal", 0),
            ("h:65535", "h", 65535),
        ] as [(String, String, UInt16)] {
            let address = try HostAndPort(text)
            #expect(address.host == host && address.port == port && address.description == text)
        }
        for text in ["", "host", ":1", "host:", "host:65536", "host:-1", "host:+1", "host:1x", "::1:7001", "[]:1"] {
            #expect(throws: PosixError.self) { try HostAndPort(text) }
        }
    }

    @Test func numericAddressesResolveWithoutAName() throws {
        for text in ["127.0.0.1:7001", "[::1]:7001", "0.0.0.0:0"] {
            #expect(try SocketAddress.resolve(HostAndPort(text), numericOnly: true).text == text)
        }
        #expect(throws: PosixError.self) { try SocketAddress.resolve(HostAndPort("localhost:1"), numericOnly: true) }
    }

    @Test func aPortInUseIsSaid() throws {
        let any = try SocketAddress.resolve(HostAndPort("127.0.0.1:0"), numericOnly: true)
        let statistics = DriverStatistics()
        let backend = try EpollBackend(statistics: statistics)
        let first = try BoundSocket(any)
        let address = first.address
        try backend.listen(on: first, purpose: SocketPurpose(1))
        let error = #expect(throws: PosixError.listen(address: address.text, code: EADDRINUSE)) { try BoundSocket(address) }
        #expect(
            error?.description
                == "can't listen on \(address.text): the port is in use; stop the process that has it or choose another port")
    }

    @Test func timesAreWrittenInUTC() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400, "2000-02-29T00:00:00.000Z"),
            (951_868_799, "2000-02-29T23:59:59.000Z"), (1_709_164_800, "2024-02-29T00:00:00.000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000Z"), (4_102_444_800, "2100-01-01T00:00:00.000Z"),
        ] as [(Int64, String)] {
            #expect(timestamp(WallTime(microseconds: seconds * 1_000_000)) == text)
        }
        #expect(timestamp(WallTime(microseconds: 1_234)) == "1970-01-01T00:00:00.001Z")
    }

    @Test func logLinesAreOneLineOfTheirLevelAndAbove() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let logger = Logger(level: .notice, node: "node 7", descriptor: ends[1])
        logger.log(.info, "not seen")
        logger.log(.warning, "two\nlines\u{1B}[31m")
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(ends[0], &bytes, bytes.count)
        let line = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        #expect(line.hasSuffix("Z warning node 7: two lines [31m\n"))
        #expect(line.utf8.filter { $0 == 0x0A }.count == 1)
        #expect(Logger.level(named: "debug") == .debug && Logger.level(named: "loud") == nil)
    }

    @Test func aLogThatNobodyReadsHoldsNothingUp() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let logger = Logger(level: .info, node: "node 7", descriptor: ends[1])
        let long = String(repeating: "x", count: 3000)
        for _ in 0..<100 { logger.log(.info, long) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while read(ends[0], &bytes, bytes.count) > 0 {}
        logger.log(.info, "room again")
        let count = read(ends[0], &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        #expect(text.contains("log lines were dropped, because nobody read them"))
        #expect(text.hasSuffix("room again\n"))
    }

    @Test func aMailboxIsBoundedAndKeepsItsOrder() throws {
        let mailbox = try Mailbox<Int>(capacity: 3, isWatched: false)
        #expect((1...5).map { mailbox.post($0) } == [true, true, true, false, false])
        #expect(mailbox.waitAndTakeAll() == [1, 2, 3])
        #expect(mailbox.takeAll() == [])
        mailbox.close()
        #expect(!mailbox.post(6))
        #expect(mailbox.waitAndTakeAll() == nil)
    }

    @Test func aWorkerDoesAllItsJobsInOrder() throws {
        let collected = Collected()
        let worker = try WorkerThread<Int>(name: "test", capacity: 10_000) { collected.add($0) }
        for number in 0..<5000 { #expect(worker.post(number)) }
        worker.stop()
        #expect(collected.all == Array(0..<5000))
        #expect(!worker.post(1))
    }

    final class Collected: Sendable {
        private let state = Mutex<[Int]>([])
        func add(_ number: Int) { state.withLock { $0.append(number) } }
        var all: [Int] { state.withLock { $0 } }
    }

    @Test func theFirstSignalAsksAndTheSecondEnds() async {
        await #expect(processExitsWith: .success) {
            let harness = try Harness(signals: SignalInbox())
            harness.handler.exitsOnShutdown = false
            pthread_kill(pthread_self(), SIGTERM)
            try harness.turn(until: "the node is asked") { harness.handler.events == ["shutdown"] }
            try harness.turns(3)
            guard harness.server.end == nil else { exit(2) }
            pthread_kill(pthread_self(), SIGINT)
            guard harness.server.run() == .interrupted else { exit(3) }
            guard harness.handler.events == ["shutdown"] else { exit(4) }
        }
        await #expect(processExitsWith: .success) {
            let harness = try Harness(signals: SignalInbox())
            pthread_kill(pthread_self(), SIGINT)
            guard harness.server.run() == .finished(code: 0) else { exit(2) }
        }
    }

    @Test func aShutdownThatHangsIsGivenUp() async {
        await #expect(processExitsWith: .success) {
            var options = ServerOptions()
            options.shutdownTime = .milliseconds(20)
            let harness = try Harness(options: options, signals: SignalInbox())
            harness.handler.exitsOnShutdown = false
            pthread_kill(pthread_self(), SIGTERM)
            guard harness.server.run() == .shutdownTimedOut else { exit(2) }
        }
    }

    @Test func descriptorsAreRaisedAsFarAsAllowed() async {
        await #expect(processExitsWith: .success) {
            guard ProcessLimits.makeRoom(forClients: 10) == 10 else { exit(2) }
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            limit.rlim_cur = 256
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            guard ProcessLimits.makeRoom(forClients: 1000) == 1000 else { exit(3) }
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            guard limit.rlim_cur >= 1000 else { exit(4) }
        }
    }

    @Test func theProcessKnowsItself() {
        let statistics = DriverStatistics()
        ProcessInformation.update(statistics)
        #expect(statistics.residentBytes > 1 << 20)
        #expect(statistics.systemMemoryBytes > statistics.residentBytes)
        #expect(statistics.userCPUMicroseconds + statistics.systemCPUMicroseconds > 0)
        #expect(ProcessInformation.executable.hasPrefix("/"))
        #expect(ProcessInformation.operatingSystem.hasPrefix("Linux "))
    }
}
