import Base

/// Where the members of a table are to be found, in the order of their hashes.
struct SortedPlaces {
    struct Place {
        let hash: UInt64
        let offset: Int
    }

    private var places: [Place]
    /// Whether some hashes are equal: those of members that come twice, as a rule.
    let hasEqual: Bool

    var count: Int { places.count }

    @inline(__always) subscript(index: Int) -> Place { places[index] }

    /// Bits of a digit of the first sorting: as many places as stay in the nearest cache.
    private static let digitBitsMax = 11
    /// A hash that is farther from its place than this after the first sorting is none of those that are spread evenly.
    private static let stepsMax = 32

    init(_ unsorted: [Place]) {
        var places = unsorted
        if places.count > 1 {
            // A few bits more than tell all apart, in two digits.
            let bits = min(SortedPlaces.digitBitsMax, (Int.bitWidth - places.count.leadingZeroBitCount + 3) / 2)
            var others = places
            SortedPlaces.distribute(places, into: &others, shift: UInt64(64 - 2 * bits), bits: bits)
            SortedPlaces.distribute(others, into: &places, shift: UInt64(64 - bits), bits: bits)
            if !SortedPlaces.finish(&places) { places.sort { $0.hash < $1.hash } }
        }
        var hasEqual = false
        for index in places.indices.dropFirst() {
            check(places[index - 1].hash <= places[index].hash, "hashes ascend")
            if places[index - 1].hash == places[index].hash { hasEqual = true }
        }
        self.places = places
        self.hasEqual = hasEqual
    }

    /// Sorts by one digit; what is equal there stays in its order.
    private static func distribute(_ source: [Place], into target: inout [Place], shift: UInt64, bits: Int) {
        let mask = UInt64(1) << UInt64(bits) - 1
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 1 << bits) { starts in
            starts.initialize(repeating: 0)
            for place in source { starts[Int(place.hash >> shift & mask)] += 1 }
            var sum = 0
            for digit in starts.indices {
                let count = starts[digit]
                starts[digit] = sum
                sum += count
            }
            target.withUnsafeMutableBufferPointer { target in
                for place in source {
                    let digit = Int(place.hash >> shift & mask)
                    target[starts[digit]] = place
                    starts[digit] += 1
                }
            }
        }
    }

    /// Sorts what is sorted by its first bits; false where that takes too long.
    private static func finish(_ places: inout [Place]) -> Bool {
        places.withUnsafeMutableBufferPointer { places in
            for index in places.indices.dropFirst() {
                let place = places[index]
                var to = index
                while to > 0, places[to - 1].hash > place.hash {
                    if index - to == stepsMax {
                        places[to] = place
                        return false
                    }
                    places[to] = places[to - 1]
                    to -= 1
                }
                places[to] = place
            }
            return true
        }
    }
}
