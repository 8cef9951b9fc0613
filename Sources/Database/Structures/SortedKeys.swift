import Base

/// How many of `count` ascending keys, which stand `stride` bytes apart from `start` on, are less than `key`.
///
/// A binary search without a branch on what it finds: among hashes each step goes either way with equal chance, and a processor that
/// guesses wrong every other time loses more than the search itself costs.
@inline(__always)
func countBelow(_ key: UInt64, from start: UnsafeRawPointer, count: Int, stride: Int) -> Int {
    check(count >= 0 && stride >= 8, "keys have room")
    var base = 0
    var left = count
    while left > 1 {
        let half = left >> 1
        let here = (start + (base + half - 1) * stride).loadUnaligned(as: UInt64.self)
        // All ones where `here` is less: the borrow of the subtraction.
        base += half & Int(truncatingIfNeeded: (UInt128(here) &- UInt128(key)) >> 64)
        left -= half
    }
    if left == 1, (start + base * stride).loadUnaligned(as: UInt64.self) < key { base += 1 }
    return base
}
