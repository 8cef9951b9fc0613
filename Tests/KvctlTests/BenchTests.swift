import Base
import Testing

import kvctl

@Suite struct BenchTests {
    @Test func percentilesAreOffByLessThanOnePercent() {
        var random = RandomGenerator(seed: 7)
        var histogram = LatencyHistogram()
        var values: [UInt64] = []
        for _ in 0..<20_000 {
            // From nanoseconds to minutes, evenly over the powers of two.
            let value = random.next() >> (24 + random.next(below: 40))
            values.append(value)
            histogram.record(value)
        }
        values.sort()
        for fraction in [0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0] {
            let rank = max(1, Int((fraction * Double(values.count)).rounded(.up)))
            let exact = Double(values[rank - 1])
            let found = Double(histogram.percentile(fraction))
            #expect(abs(found - exact) <= exact * 0.01, "at \(fraction)")
        }
        #expect(histogram.max == values.last && histogram.count == 20_000)
    }

    @Test func aHistogramOfNothingAndOfHugeValues() {
        var histogram = LatencyHistogram()
        #expect(histogram.percentile(0.5) == 0 && histogram.mean == 0)
        histogram.record(.max)
        #expect(histogram.max == .max && histogram.percentile(1) >= 1 << 42)
        histogram.record(0)
        #expect(histogram.percentile(0) == 0)
    }

    @Test func requestsOfALoadWithARateAreDueInGroups() {
        for rate in [1.0, 3, 999, 1000, 1001, 12_345, 1e6] {
            let start = Instant(nanoseconds: 5)
            let pace = Pace(requestsPerSecond: rate, start: start)
            #expect(pace.due(at: start) == 0)
            #expect(abs(Double(pace.due(at: start + .milliseconds(10_000))) - rate * 10) <= 1)
            var last = start
            for request in 0..<UInt64(50) {
                let time = pace.time(of: request)
                #expect(time >= last && pace.due(at: time) > request, "\(rate): request \(request)")
                // Not an interval earlier.
                #expect(time < start + Pace.interval || pace.due(at: Instant(nanoseconds: time.nanoseconds - 1)) <= request)
                last = time
            }
        }
    }

    @Test func mediansAndRatios() {
        #expect(median([]) == 0 && median([3]) == 3 && median([1, 9, 2]) == 2 && median([4, 1, 2, 3]) == 2.5)
        func round(_ throughput: Double) -> RoundFigures {
            RoundFigures(requestsPerSecond: throughput, p50: throughput, p99: 1, p999: 1, max: 1)
        }
        let ratio = RatioFigures([round(90), round(80), round(100)], over: [round(100), round(100), round(80)])
        #expect(ratio?.median == 0.9 && ratio?.min == 0.8 && ratio?.max == 1.25)
        #expect(RatioFigures([], over: []) == nil)
        #expect(RoundFigures.median([round(1), round(2), round(9)]) == round(2))
    }

    @Test func figuresAreFoundInInfo() {
        let text = "# CPU\r\nused_cpu_sys:1.5\r\nused_cpu_sys_children:9\r\nused_cpu_user:2\r\n"
        #expect(BenchText.figure("used_cpu_sys", in: text) == 1.5 && BenchText.figure("used_cpu_user", in: text) == 2)
        #expect(BenchText.figure("used_cpu", in: text) == nil)
    }

    @Test func numbersAreGrouped() {
        #expect(BenchText.grouped(0) == "0" && BenchText.grouped(999) == "999" && BenchText.grouped(1000) == "1,000")
        #expect(BenchText.grouped(1_234_567.8) == "1,234,568" && BenchText.grouped(-123_456) == "-123,456")
        #expect(BenchText.row("a", ["1", "22"]) == "a" + String(repeating: " ", count: 33) + "          1         22\n")
    }
}
