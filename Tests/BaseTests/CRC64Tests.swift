import Testing

@testable import Base

@Suite struct CRC64Tests {
    /// By carry-less products and by tables, whatever the length and what came before.
    @Test func bothWaysGiveTheSame() {
        var random = RandomGenerator(seed: 64)
        let bytes = (0..<3000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        bytes.withView { view in
            for count in 0..<700 {
                let part = view.slice(random.index(below: 64), count)
                let before = count % 3 == 0 ? 0 : random.next()
                #expect(CRC64.checksum(part, continuing: before) == CRC64.checksumByTables(part, continuing: before), "\(count)")
            }
            #expect(CRC64.checksum(view) == CRC64.checksumByTables(view))
        }
        let zeros = [UInt8](repeating: 0, count: 1024)
        #expect(zeros.withView { CRC64.checksum($0) } == 0)
        #expect(zeros.withView { CRC64.checksum($0, continuing: 1) == CRC64.checksumByTables($0, continuing: 1) })
    }
}
