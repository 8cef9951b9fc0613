import Base
import Testing

@testable import Simulator

@Suite struct EventQueueTests {
    @Test func eventsComeByTimeAndThenByOrderOfScheduling() {
        var random = RandomGenerator(seed: 3)
        var queue = EventQueue<Int>()
        var expected: [(UInt64, Int)] = []
        for number in 0..<500 {
            let time = random.next(below: 40)
            queue.schedule(number, at: Instant(nanoseconds: time))
            expected.append((time, number))
        }
        expected.sort { $0 < $1 }
        var order: [Int] = []
        while let next = queue.next() { order.append(next.event) }
        #expect(order == expected.map(\.1))
    }
}

@Suite struct SimulatedClockTests {
    @Test func aDeadlineIsReachedWhenTheClockShowsIt() {
        var random = RandomGenerator(seed: 5)
        for drift in [-20_000, -3, 0, 7, 30_000] as [Int64] {
            var clock = SimulatedClock(origin: 77, base: Instant(nanoseconds: 1000), driftPartsPerMillion: drift)
            clock.setDrift(drift / 2, at: Instant(nanoseconds: 9_000_000))
            for _ in 0..<200 {
                let local = Instant(nanoseconds: 10_000_000 + random.next(below: 1 << 50))
                let time = clock.time(of: local)
                #expect(clock.now(at: time).instant >= local)
                #expect(clock.now(at: Instant(nanoseconds: time.nanoseconds - 1)).instant < local)
            }
        }
    }

    @Test func theMonotonicClockDoesNotJumpWhenTheDriftChanges() {
        var clock = SimulatedClock(origin: 5, base: Instant(nanoseconds: 0), driftPartsPerMillion: 1000)
        let time = Instant(nanoseconds: 123_456_789)
        let before = clock.now(at: time).instant
        clock.setDrift(-1000, at: time)
        #expect(clock.now(at: time).instant == before)
    }
}

@Suite struct RandomnessTests {
    @Test func purposesHaveSequencesOfTheirOwn() {
        let randomness = Randomness(seed: 1)
        var draws: Set<UInt64> = []
        for owner in 0..<4 {
            for purpose in [Randomness.Purpose.network, .disk, .clients] {
                var generator = randomness.generator(for: purpose, of: owner)
                draws.insert(generator.next())
            }
        }
        #expect(draws.count == 12)
    }

    @Test func exponentialSpansHaveTheirMean() {
        var random = RandomGenerator(seed: 9)
        var sum: UInt64 = 0
        for _ in 0..<20_000 { sum += random.exponential(mean: .microseconds(500)).rawValue }
        let mean = sum / 20_000
        #expect(mean > 470_000 && mean < 530_000)
    }
}

@Suite struct ReplyReaderTests {
    @Test func repliesComeOutWhole() {
        let text = "+OK\r\n-ERR no\r\n:-42\r\n$3\r\na\r\nb\r\n$-1\r\n*2\r\n$1\r\nx\r\n*0\r\n_\r\n*-1\r\n%1\r\n+a\r\n:1\r\n"
            .replacing("$3\r\na\r\nb\r\n", with: "$4\r\na\r\nb\r\n")
        let expected: [Reply] = [
            .ok, .error(bytes("ERR no")), .integer(-42), .bulk(bytes("a\r\nb")), .null, .array([.text("x"), .array([])]), .null,
            .null, .array([.simple(bytes("a")), .integer(1)]),
        ]
        for step in [1, 2, 5, 1000] {
            let reader = ReplyReader()
            var replies: [Reply] = []
            let input = bytes(text)
            for start in stride(from: 0, to: input.count, by: step) {
                Array(input[start..<min(start + step, input.count)]).withView { reader.append($0) }
                while case .reply(let reply) = reader.next() { replies.append(reply) }
            }
            #expect(replies == expected)
            #expect(reader.unread == 0)
        }
    }

    @Test func garbageIsNotAReply() {
        for text in ["hello\r\n", ":x\r\n", "$9x\r\n", "\r\n", "$1\r\nabc"] {
            let reader = ReplyReader()
            bytes(text).withView { reader.append($0) }
            guard case .malformed = reader.next() else {
                Issue.record("\(text) was taken for a reply")
                continue
            }
        }
    }
}
