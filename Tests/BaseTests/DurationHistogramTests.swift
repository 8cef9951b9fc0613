import Base
import Testing

@Suite struct DurationHistogramTests {
    @Test func percentilesAreWithinAnEighthOfTheSortedValues() {
        var random = RandomGenerator(seed: 7)
        var histogram = DurationHistogram()
        var values: [UInt64] = []
        for _ in 0..<10_000 {
            let value = random.next() >> (random.next(below: 40) + 10)
            values.append(value)
            histogram.record(Nanoseconds(value))
        }
        values.sort()
        for fraction in [0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0] {
            let exact = values[max(0, Int((fraction * Double(values.count)).rounded(.up)) - 1)]
            let found = histogram.percentile(fraction).rawValue
            #expect(found >= exact && found - exact <= exact / 8 + 1, "at \(fraction): \(found), exactly \(exact)")
        }
        #expect(histogram.maxNanoseconds == values.last)
        #expect(histogram.count == 10_000)
    }

    @Test func extremesAndEmptinessHaveAnswers() {
        var histogram = DurationHistogram()
        #expect(histogram.percentile(0.5) == Nanoseconds(0))
        #expect(histogram.mean == Nanoseconds(0))
        histogram.record(Nanoseconds(.max))
        histogram.record(Nanoseconds(0))
        #expect(histogram.percentile(0) == Nanoseconds(0))
        #expect(histogram.percentile(1) == Nanoseconds(.max))
    }

    @Test func aMergeCountsBoth() {
        var a = DurationHistogram()
        var b = DurationHistogram()
        for value in 0..<100 as Range<UInt64> { a.record(Nanoseconds(value)) }
        for value in 100..<200 as Range<UInt64> { b.record(Nanoseconds(value)) }
        a.merge(b)
        #expect(a.count == 200)
        #expect(a.maxNanoseconds == 199)
        #expect(a.percentile(0.5).rawValue >= 99 && a.percentile(0.5).rawValue <= 112)
    }
}
