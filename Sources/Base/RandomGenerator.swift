/// A small seeded random generator (SplitMix64; Steele, Lea and Flood, 2014). The same seed gives the same sequence on
/// every node and platform. Not for secrets.
@frozen @usableFromInline
package struct RandomGenerator: Sendable {
    /// The whole state: saving it saves the sequence.
    @usableFromInline package var state: UInt64

    /// Starts a sequence.
    @inlinable
    package init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    @inlinable
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number in `0 ..< bound`, without bias worth naming (64-bit multiply-shift). `bound` must not be 0.
    @inlinable
    package mutating func next(below bound: UInt64) -> UInt64 {
        check(bound > 0, "a random choice has at least one outcome")
        return next().multipliedFullWidth(by: bound).high
    }

    /// An index in `0 ..< bound`.
    @inlinable
    package mutating func index(below bound: Int) -> Int { Int(next(below: UInt64(bound))) }

    /// True with probability `numerator / denominator`.
    @inlinable
    package mutating func chance(_ numerator: UInt64, in denominator: UInt64) -> Bool {
        next(below: denominator) < numerator
    }
}
