import Base

/// A running hash over everything that happens in a run: every event with its time, every byte that nodes exchange, write
/// and answer. Two runs of one seed that end in the same value did the same; where they do not, something in the node or in
/// the simulator depends on more than the seed.
package struct TraceHash: Equatable, Sendable, CustomStringConvertible {
    /// The hash so far.
    package private(set) var value: UInt64

    package init(seed: UInt64) { value = fold(seed ^ 0x9E37_79B9_7F4A_7C15, 0xD6E8_FEB8_6659_FD93) }

    /// Takes in a number.
    package mutating func add(_ number: UInt64) {
        value = fold(value ^ 0xA076_1D64_78BD_642F, number ^ 0xE703_7ED1_A0B4_28DB) ^ (number &* 0x8EBC_6AF0_9C88_C6E3)
    }

    /// Takes in bytes.
    package mutating func add(_ view: ByteView) { value = hash(view, seed: value) }

    /// 16 hexadecimal digits.
    package var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
