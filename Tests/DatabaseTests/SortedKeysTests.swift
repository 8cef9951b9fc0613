import Base
import Testing

@testable import Database

@Suite struct SortedKeysTests {
    /// Keys as hashes lie, as scores lie, as nobody would want them to lie: the count is that of a look at every key.
    @Test(arguments: 0..<8) func theCountIsThatOfAWalk(_ spread: Int) {
        var random = RandomGenerator(seed: UInt64(spread) + 1)
        for round in 0..<60 {
            let count = random.index(below: round < 20 ? 4 : 150)
            let keys = (0..<count).map { index -> UInt64 in
                switch spread {
                case 0: random.next()
                case 1: random.next() >> 40
                case 2: UInt64(index / 3)
                case 3: Double(random.index(below: 1000)).bitPattern | 1 << 63
                case 4: 1 << UInt64(random.index(below: 64))
                case 5: UInt64.max - UInt64(random.index(below: 3))
                case 6: index == 0 ? 0 : UInt64.max - random.next() >> 60
                default: random.chance(1, in: 2) ? 7 : .max
                }
            }.sorted()
            for stride in [8, 10] {
                var bytes = [UInt8](repeating: 0xA5, count: max(1, count) * stride)
                for (index, key) in keys.enumerated() {
                    withUnsafeBytes(of: key.littleEndian) {
                        bytes.replaceSubrange((index * stride)..<(index * stride + 8), with: $0)
                    }
                }
                let probes = keys + keys.map { $0 &+ 1 } + keys.map { $0 &- 1 } + [0, 1, .max, random.next()]
                for probe in probes {
                    let found = bytes.withUnsafeBytes { bytes in
                        bytes.baseAddress.map { countBelow(probe, from: $0, count: count, stride: stride) }
                    }
                    #expect(found == keys.count { $0 < probe })
                }
            }
        }
    }
}
