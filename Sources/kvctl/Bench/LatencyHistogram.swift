import Base

/// Counts durations in buckets whose width grows with the value: 128 to each power of two, so a value that is read back is
/// off by less than 1 % (the idea of HdrHistogram). Recording costs a few instructions and no memory.
package struct LatencyHistogram: Sendable {
    /// Buckets to a power of two, as a power of two.
    private static let stepBits = 7
    private static let steps = 1 << stepBits
    /// Values up to about 73 minutes; longer ones are counted in the last bucket.
    private static let valueMax: UInt64 = 1 << 42
    private var buckets: [UInt32]
    /// Durations recorded.
    package private(set) var count: UInt64 = 0
    /// The longest, in nanoseconds.
    package private(set) var max: UInt64 = 0
    private var sum: UInt64 = 0

    /// An empty histogram.
    package init() {
        buckets = [UInt32](repeating: 0, count: LatencyHistogram.bucket(of: LatencyHistogram.valueMax) + 1)
    }

    /// Values below twice the steps have buckets of their own; above, a bucket is found by the highest bits.
    private static func bucket(of nanoseconds: UInt64) -> Int {
        let value = Swift.min(nanoseconds, valueMax)
        if value < UInt64(2 * steps) { return Int(value) }
        let shift = 63 - value.leadingZeroBitCount - stepBits
        return (shift << stepBits) + Int(value >> UInt64(shift))
    }

    /// The middle of a bucket, in nanoseconds.
    private static func value(of bucket: Int) -> UInt64 {
        if bucket < 2 * steps { return UInt64(bucket) }
        let shift = (bucket >> stepBits) - 1
        let low = UInt64(bucket - (shift << stepBits)) << UInt64(shift)
        return low + (UInt64(1) << UInt64(shift)) / 2
    }

    /// Counts one duration.
    package mutating func record(_ nanoseconds: UInt64) {
        buckets[LatencyHistogram.bucket(of: nanoseconds)] += 1
        count += 1
        sum &+= nanoseconds
        if nanoseconds > max { max = nanoseconds }
    }

    /// The duration that `fraction` (0 to 1) of all do not exceed, in nanoseconds; 0 when nothing was recorded.
    package func percentile(_ fraction: Double) -> UInt64 {
        check(fraction >= 0 && fraction <= 1, "a percentile is a fraction from 0 to 1")
        if count == 0 { return 0 }
        let wanted = Swift.max(1, UInt64((fraction * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for bucket in buckets.indices {
            seen += UInt64(buckets[bucket])
            if seen >= wanted { return Swift.min(LatencyHistogram.value(of: bucket), max) }
        }
        return max
    }

    /// The mean, in nanoseconds.
    package var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }
}
