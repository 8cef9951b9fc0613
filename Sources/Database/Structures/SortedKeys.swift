import Base

/// How many of `count` ascending keys, which stand `stride` bytes apart from `start` on, are less than `key`.
///
/// The place is guessed from the first and the last key, as if the keys between were evenly spread: hashes are, so the guess is a
/// few places off, and the search touches one or two lines of the cache instead of one for each step of a binary search. Where they are
/// not (scores), what is left after some steps is searched in halves.
@inline(__always)
func countBelow(_ key: UInt64, from start: UnsafeRawPointer, count: Int, stride: Int) -> Int {
    check(count >= 0 && stride >= 8, "keys have room")
    if count == 0 { return 0 }
    func load(_ index: Int) -> UInt64 { (start + index * stride).loadUnaligned(as: UInt64.self) }
    let first = load(0)
    if key <= first { return 0 }
    let last = load(count - 1)
    if key > last { return count }
    // From here on: the first is less, the last is not.
    let shift = UInt64(max(0, 32 - (last &- first).leadingZeroBitCount))
    let part = ((key &- first) >> shift) &* UInt64(count - 1) / (((last &- first) >> shift) | 1)
    var place = min(max(Int(part), 1), count - 1)
    var steps = 10
    if load(place) < key {
        repeat {
            place += 1
            if load(place) >= key { return place }
            steps -= 1
        } while steps > 0
        return halved(key, start, stride, low: place + 1, high: count - 1)
    }
    while load(place - 1) >= key {
        place -= 1
        steps -= 1
        if steps == 0 { return halved(key, start, stride, low: 1, high: place) }
    }
    return place
}

/// The same, where the answer is from `low` to `high`.
@inline(never)
private func halved(_ key: UInt64, _ start: UnsafeRawPointer, _ stride: Int, low: Int, high: Int) -> Int {
    check(low <= high, "a search goes on where something is left")
    var (low, high) = (low, high)
    while low < high {
        let middle = (low + high) / 2
        if (start + middle * stride).loadUnaligned(as: UInt64.self) < key { low = middle + 1 } else { high = middle }
    }
    return low
}
