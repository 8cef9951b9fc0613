/// A seeded 64-bit hash of bytes in the manner of wyhash (multiply 64 by 64, fold the halves).
///
/// Both factors of every product depend on the seed: with a constant on one side, whoever knows it could choose words that make
/// the product zero, and with it millions of keys with one hash, whatever the seed.
///
/// Part of the replicated state: every node must compute the same value from the same seed, on every platform, for
/// ever; the golden values in its test must not change. Good against accidental and, with a secret seed, against
/// deliberate collisions. Not a cryptographic hash.
@inlinable
package func hash(_ view: ByteView, seed: UInt64) -> UInt64 {
    let p0: UInt64 = 0xA076_1D64_78BD_642F
    let p1: UInt64 = 0xE703_7ED1_A0B4_28DB
    let p2: UInt64 = 0x8EBC_6AF0_9C88_C6E3
    let count = view.count
    var state = seed ^ fold(seed ^ p0, p1)
    let secret = p1 ^ fold(seed ^ p2, p0)
    var a: UInt64
    var b: UInt64
    if count <= 16 {
        if count >= 8 {
            a = view.integer(at: 0, as: UInt64.self)
            b = view.integer(at: count - 8, as: UInt64.self)
        } else if count >= 4 {
            a = UInt64(view.integer(at: 0, as: UInt32.self))
            b = UInt64(view.integer(at: count - 4, as: UInt32.self))
        } else if count > 0 {
            a = UInt64(view[0]) << 16 | UInt64(view[count >> 1]) << 8 | UInt64(view[count - 1])
            b = 0
        } else {
            a = 0
            b = 0
        }
    } else {
        var offset = 0
        while count - offset > 16 {
            state = fold(
                view.integer(at: offset, as: UInt64.self) ^ secret, view.integer(at: offset + 8, as: UInt64.self) ^ state)
            offset += 16
        }
        a = view.integer(at: count - 16, as: UInt64.self)
        b = view.integer(at: count - 8, as: UInt64.self)
    }
    return fold(p2 ^ UInt64(truncatingIfNeeded: count), fold(a ^ secret, b ^ state))
}

/// High and low half of the 128-bit product, xored.
@inlinable @inline(__always)
package func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
}
