import Base
import Testing

@testable import Simulator

/// The checker of scans: what it lets pass, and what it finds.
@Suite struct ScanRecordTests {
    private func at(_ milliseconds: UInt64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    private func page(_ cursor: String, _ numbers: [Int]) -> Reply {
        .array([.text(cursor), .array(numbers.map { .text("s.\($0)") })])
    }

    /// Elements 0 ... 4, there since 10 ms, and a scan that begins at 20 ms.
    private func record(_ place: ScanRecord.Place = .set) -> ScanRecord {
        var record = ScanRecord(place: place, name: "s", sizeMax: 10)
        record.adding([0, 1, 2, 3, 4])
        record.added([0, 1, 2, 3, 4], at: at(10))
        record.asking(at: at(20))
        return record
    }

    @Test func aScanOfEverythingIsRightInAnyOrderAndWithRepetitions() throws {
        var record = record()
        try record.take(page("7", [4, 0, 4]), sentAt: at(20), at: at(21))
        record.asking(at: at(22))
        try record.take(page("3", []), sentAt: at(22), at: at(23))
        record.asking(at: at(24))
        try record.take(page("0", [1, 2, 3]), sentAt: at(24), at: at(25))
        #expect(record.completed == 1)
        #expect(record.words(count: 5).map { String(decoding: $0, as: UTF8.self) } == ["SSCAN", "s", "0", "COUNT", "5"])
    }

    @Test func anElementThatIsLeftOutIsFoundAtTheEnd() throws {
        var record = record()
        try record.take(page("7", [4, 0]), sentAt: at(20), at: at(21))
        let violation = #expect(throws: Violation.self) { try record.take(page("0", [1, 3]), sentAt: at(22), at: at(23)) }
        #expect(violation?.kind == .scan && violation?.message.hasPrefix("element 2 was there") == true)
    }

    @Test func whatComesOrGoesMeanwhileMayBeThereOrNot() throws {
        for shows in [false, true] {
            var record = record()
            record.removing([0], at: at(21))
            record.adding([5, 6])
            record.added([5], at: at(21))
            try record.take(page("0", shows ? [0, 1, 2, 3, 4, 5, 6] : [1, 2, 3, 4]), sentAt: at(20), at: at(22))
            // Those of unknown outcome may still be either; 0 is known to be gone only when that is answered.
            record.asking(at: at(30))
            try record.take(page("0", shows ? [0, 1, 2, 3, 4, 5, 6] : [1, 2, 3, 4, 5]), sentAt: at(30), at: at(32))
            #expect(record.completed == 2)
        }
    }

    @Test func whatIsGoneIsNotOnAPageThatIsAskedForLater() throws {
        var record = record()
        record.removing([0], at: at(21))
        record.removed([0], at: at(22))
        // The page was on its way before.
        try record.take(page("9", [0]), sentAt: at(20), at: at(23))
        let violation = #expect(throws: Violation.self) { try record.take(page("0", [0]), sentAt: at(24), at: at(25)) }
        #expect(violation?.kind == .scan && violation?.message.hasPrefix("element 0 was taken out") == true)
    }

    @Test func strangersAreFoundInACollectionAndPassedOverAmongKeys() throws {
        let reply = Reply.array([.text("9"), .array([.text("other")])])
        var set = record(.set)
        #expect(throws: Violation.self) { try set.take(reply, sentAt: at(20), at: at(21)) }
        var keys = record(.keys)
        try keys.take(reply, sentAt: at(20), at: at(21))
        var hash = record(.hash)
        try hash.take(.array([.text("9"), .array([.text("s.1"), .text("other")])]), sentAt: at(20), at: at(21))
    }

    @Test func somethingElseIsNoPage() {
        for reply in [Reply.ok, .null, .array([]), .array([.text("0"), .null]), .error(Array("ERR x".utf8))] {
            var record = record()
            let violation = #expect(throws: Violation.self) { try record.take(reply, sentAt: at(20), at: at(21)) }
            #expect(violation?.kind == .reply)
        }
    }

    @Test func changesGoUpAndDown() {
        var random = RandomGenerator(seed: 3)
        var record = ScanRecord(place: .keys, name: "s", sizeMax: 50)
        var sizes: [Int] = []
        var size = 0
        for turn in 0..<200 {
            let (adds, numbers) = record.drawChange(&random)
            if adds {
                record.adding(numbers)
                record.added(numbers, at: at(UInt64(turn)))
            } else {
                record.removing(numbers, at: at(UInt64(turn)))
            }
            size += adds ? numbers.count : -numbers.count
            sizes.append(size)
        }
        #expect(sizes.max() ?? 0 >= 50 && sizes.max() ?? 0 < 60)
        #expect(sizes.dropFirst(20).min() ?? 99 <= 5)
    }
}
