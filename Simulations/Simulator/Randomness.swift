import Base

/// The seed's random sequences, one per purpose: what the network draws does not shift what the clients draw, so a change
/// in one part disturbs the others as little as possible.
package struct Randomness: Sendable {
    package enum Purpose: UInt64, Sendable {
        case options = 1, network, disk, clients, faults, machines, entropy, snapshots
    }

    private let seed: UInt64

    package init(seed: UInt64) { self.seed = seed }

    /// The sequence of `purpose`, and of one of its owners by number.
    package func generator(for purpose: Purpose, of owner: Int = 0) -> RandomGenerator {
        var mixer = RandomGenerator(seed: seed)
        let first = mixer.next()
        return RandomGenerator(
            seed: fold(first ^ purpose.rawValue &* 0xA076_1D64_78BD_642F, UInt64(owner) &+ 0xE703_7ED1_A0B4_28DB))
    }
}

extension RandomGenerator {
    /// A number in `bounds`, ends included.
    mutating func number(in bounds: ClosedRange<UInt64>) -> UInt64 {
        bounds.lowerBound + next(below: bounds.upperBound - bounds.lowerBound + 1)
    }

    /// A span of time in `bounds`, ends included.
    mutating func duration(in bounds: ClosedRange<Nanoseconds>) -> Nanoseconds {
        Nanoseconds(number(in: bounds.lowerBound.rawValue...bounds.upperBound.rawValue))
    }

    /// A span of time that is about exponentially distributed, as between independent events. In integers alone, so that
    /// every platform draws the same: the logarithm to base 2 is the number of leading zeros and a straight line between.
    mutating func exponential(mean: Nanoseconds) -> Nanoseconds {
        let bits = next() | 1
        let zeros = UInt64(bits.leadingZeroBitCount)
        let fraction = (bits << (zeros + 1)) >> 48
        let logarithm = (zeros << 16) + 65536 - fraction
        // 45426 / 65536 is the natural logarithm of 2.
        let scaled = mean.rawValue.multipliedFullWidth(by: logarithm * 45426)
        return Nanoseconds(scaled.high << 32 | scaled.low >> 32)
    }

    /// One of `choices`, which must not be empty.
    mutating func choice<Element>(of choices: [Element]) -> Element { choices[index(below: choices.count)] }

    /// Puts `array` into a random order (Fisher and Yates).
    mutating func permute<Element>(_ array: inout [Element]) {
        var last = array.count - 1
        while last > 0 {
            array.swapAt(last, index(below: last + 1))
            last -= 1
        }
    }
}
