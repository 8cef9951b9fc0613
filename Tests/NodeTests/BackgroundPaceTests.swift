import Base
import Testing

@testable import Node

@Suite struct BackgroundPaceTests {
    private func pace(_ rate: Int) -> BackgroundPace {
        var options = StateFileOptions()
        options.busyBytesPerSecond = rate
        return BackgroundPace(options)
    }

    /// Bytes of a second of turns that come every `microseconds`.
    private func bytes(_ pace: inout BackgroundPace, every microseconds: UInt64) -> Int {
        var now = Instant(nanoseconds: 1_000_000_000)
        let end = now + .milliseconds(1000)
        var total = 0
        _ = pace.slice(now: now)
        while now < end {
            now = now + .microseconds(microseconds)
            pace.noteWork(now)
            total += pace.slice(now: now)
        }
        return total
    }

    @Test(arguments: [7, 50, 130, 400])
    func aBusyNodeKeepsTheRate(every microseconds: UInt64) {
        for rate in [1 << 20, 10_000_000, 32 << 20] {
            var pace = pace(rate)
            let total = bytes(&pace, every: microseconds)
            #expect(total > rate * 97 / 100 && total < rate * 107 / 100, "\(rate): \(total)")
        }
    }

    @Test func aLargeStateGoesFasterAndSaysHowLongItTakes() {
        var pace = pace(1 << 20)
        #expect(pace.duration(stateBytes: 5 << 20) == .milliseconds(5_000))
        #expect(pace.duration(stateBytes: 1 << 40) == .milliseconds(60_000))
        pace.begin(stateBytes: 600 << 20)
        let total = bytes(&pace, every: 100)
        #expect(total > 9 << 20 && total < 11 << 20)
        pace.begin(stateBytes: 1000)
        #expect(bytes(&pace, every: 100) < 2 << 20)
    }

    @Test func anIdleNodeTakesLargeSlicesAndABusyOneWaits() {
        let options = StateFileOptions()
        var pace = BackgroundPace(options)
        var now = Instant(nanoseconds: 1_000_000_000)
        #expect(pace.slice(now: now) == options.idleTurnBytes && pace.nextSlice == now)
        pace.noteWork(now)
        now = now + .microseconds(10)
        #expect(pace.slice(now: now) == 0 && pace.nextSlice > now && pace.isBusy)
        // Long turns do not make long slices.
        now = now + .milliseconds(4)
        #expect(pace.slice(now: now) == options.busyTurnBytes)
        now = now + .milliseconds(1)
        #expect(pace.slice(now: now) == options.idleTurnBytes && !pace.isBusy)
    }
}
