/// Counts durations in buckets that grow with the value: eight to each power of two, so that a percentile is off by at most
/// one eighth. Fixed size, no allocation after the first, O(1) to record.
package struct DurationHistogram: Sendable {
    /// Buckets of each power of two.
    private static let steps: UInt64 = 8
    private var buckets = [UInt64](repeating: 0, count: Int(62 * DurationHistogram.steps))
    /// Number of durations recorded.
    package private(set) var count: UInt64 = 0
    /// Sum of all, in nanoseconds.
    package private(set) var totalNanoseconds: UInt64 = 0
    /// The longest, in nanoseconds.
    package private(set) var maxNanoseconds: UInt64 = 0

    package init() {}

    /// Counts a duration, once or several times.
    package mutating func record(_ duration: Nanoseconds, count times: UInt64 = 1) {
        let value = duration.rawValue
        buckets[DurationHistogram.bucket(of: value)] += times
        count += times
        totalNanoseconds &+= value &* times
        maxNanoseconds = max(maxNanoseconds, value)
    }

    /// Adds all that `other` counted.
    package mutating func merge(_ other: DurationHistogram) {
        for index in buckets.indices { buckets[index] += other.buckets[index] }
        count += other.count
        totalNanoseconds &+= other.totalNanoseconds
        maxNanoseconds = max(maxNanoseconds, other.maxNanoseconds)
    }

    /// The duration that `fraction` (0 to 1) of all do not exceed: the upper end of its bucket, never more than the longest.
    /// Zero when nothing was recorded.
    package func percentile(_ fraction: Double) -> Nanoseconds {
        check(fraction >= 0 && fraction <= 1, "a percentile is a fraction from 0 to 1")
        if count == 0 { return Nanoseconds(0) }
        let exact = fraction * Double(count)
        // Rounded up without `rounded`, which would need the platform's mathematics library.
        var wanted = max(1, UInt64(exact))
        if Double(wanted) < exact { wanted += 1 }
        var seen: UInt64 = 0
        for (index, bucket) in buckets.enumerated() {
            seen += bucket
            if seen >= wanted { return Nanoseconds(min(DurationHistogram.upperBound(index), maxNanoseconds)) }
        }
        return Nanoseconds(maxNanoseconds)
    }

    /// How many were not longer than `duration`, counting whole buckets: those that end above it are left out.
    package func count(upTo duration: Nanoseconds) -> UInt64 {
        var sum: UInt64 = 0
        for (index, bucket) in buckets.enumerated() {
            if DurationHistogram.upperBound(index) > duration.rawValue { break }
            sum += bucket
        }
        return sum
    }

    /// The mean, zero when nothing was recorded.
    package var mean: Nanoseconds { Nanoseconds(count == 0 ? 0 : totalNanoseconds / count) }

    /// Values below 16 have buckets of their own; above, the three bits behind the leading one choose the step.
    private static func bucket(of value: UInt64) -> Int {
        if value < 2 * steps { return Int(value) }
        let exponent = UInt64(63 - value.leadingZeroBitCount)
        return Int((exponent - 3) * steps + (value >> (exponent - 3)))
    }

    /// The largest value that belongs to a bucket.
    private static func upperBound(_ bucket: Int) -> UInt64 {
        let index = UInt64(bucket)
        if index < 2 * steps { return index }
        let exponent = index / steps - 1 + 3
        let step = index % steps
        return (((steps + step + 1) << (exponent - 3)) &- 1)
    }
}
